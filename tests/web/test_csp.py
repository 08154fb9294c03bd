"""The policy: what the Messenger needs, by region, merged without forbidding anything."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from segment_intercom import OptionError, Settings, csp, csp_hash, merge_csp, render_snippet
from tests.conftest import APP_ID

SETTINGS = Settings(app_id=APP_ID)


@pytest.mark.parametrize(
    ("region", "own", "others"),
    [
        ("us", "https://api-iam.intercom.io", ("https://api-iam.eu.intercom.io", "https://api-iam.au.intercom.io")),
        ("eu", "https://api-iam.eu.intercom.io", ("https://api-iam.intercom.io", "https://api-iam.au.intercom.io")),
        ("au", "https://api-iam.au.intercom.io", ("https://api-iam.intercom.io", "https://api-iam.eu.intercom.io")),
    ],
)
def test_region_allows_only_own_hosts(region: Any, own: str, others: tuple[str, ...]) -> None:
    policy = csp(Settings(region=region))
    for directive in ("connect-src", "form-action"):
        assert own in policy[directive]
        assert not set(others) & set(policy[directive])


def test_policy_serves_every_workspace() -> None:
    """It has the regions of all workspaces, whether the application's own is listed among them or not."""
    workspaces = {"acme1234": "token", "globex12": {"region": "eu"}}
    us, eu = "https://api-iam.intercom.io", "https://api-iam.eu.intercom.io"
    for app_id in (APP_ID, "acme1234"):
        sources = csp(Settings(app_id=app_id, workspaces=workspaces))["connect-src"]
        assert {us, eu} <= set(sources)
    assert csp(Settings(app_id=APP_ID, workspaces=lambda _: {"region": "eu"})) == csp(SETTINGS)


def test_self_is_allowed_for_own_runtime() -> None:
    """The site's own host is allowed for scripts only where the runtime comes from it."""
    elsewhere = csp(Settings(runtime_url="https://static.example/calls.js"))
    assert "'self'" not in elsewhere["script-src"]
    assert "https://static.example" in elsewhere["script-src"]
    assert "'self'" in csp(Settings(runtime_url="/static/calls.js"))["script-src"]


def test_policy_without_base_uri_warns(caplog: pytest.LogCaptureFixture) -> None:
    """A policy that restricts scripts and has no base-uri is warned of; one without scripts is not."""
    merge_csp("script-src 'self'; base-uri 'none'", SETTINGS)
    merge_csp("img-src 'self'", SETTINGS)
    assert caplog.text == ""
    merge_csp({"default-src": "'self'"}, SETTINGS)
    assert "policy: has no base-uri" in caplog.text


def test_own_routes_and_widget_are_allowed() -> None:
    policy = csp(SETTINGS)
    assert policy["script-src"][0] == policy["connect-src"][0] == "'self'"
    assert "https://widget.intercom.io" in policy["script-src"]
    assert policy["frame-src"] == policy["child-src"]


def test_custom_addresses_are_allowed_by_origin() -> None:
    settings = Settings(widget_url="http://127.0.0.1:5000/widget", messenger_url="http://127.0.0.1:5001/m")
    assert "http://127.0.0.1:5000" in csp(settings)["script-src"]
    assert "http://127.0.0.1:5001" in csp(settings)["connect-src"]


def test_talisman_policy_keeps_form_and_sources() -> None:
    policy = {"default-src": "'self'", "script-src": ["'self'", "https://cdn.example"], "object-src": "'none'"}
    before = {**policy, "script-src": [*policy["script-src"]]}
    merged = merge_csp(policy, SETTINGS)
    assert merged["script-src"][:2] == ["'self'", "https://cdn.example"]
    assert "https://widget.intercom.io" in merged["script-src"]
    assert merged["object-src"] == "'none'"
    assert policy == before


def test_missing_directive_starts_from_fallback() -> None:
    merged = merge_csp({"default-src": ["'self'", "https://mine.example"]}, SETTINGS)
    assert merged["img-src"][:2] == ["'self'", "https://mine.example"]
    assert merge_csp({"child-src": ["https://mine.example"]}, SETTINGS)["frame-src"][0] == "https://mine.example"


def test_what_is_not_restricted_stays_unrestricted() -> None:
    merged = merge_csp({"script-src": "'self'"}, SETTINGS)
    assert set(merged) == {"script-src", "worker-src"}
    assert "form-action" not in merge_csp({"default-src": "'self'"}, SETTINGS)


def test_merge_replaces_none_and_extends_directives() -> None:
    """The source 'none' is replaced, and a script-src-elem gets the sources of scripts as well."""
    merged = merge_csp({"connect-src": "'none'", "script-src": "'self'", "script-src-elem": "'self'"}, SETTINGS)
    assert "'none'" not in merged["connect-src"]
    assert "https://widget.intercom.io" in merged["script-src-elem"]


def test_a_header_text_stays_a_text() -> None:
    header = "default-src 'self'; Script-Src 'nonce-abc' 'strict-dynamic'; upgrade-insecure-requests"
    merged = merge_csp(header, SETTINGS)
    assert isinstance(merged, str)
    assert "script-src 'nonce-abc' 'strict-dynamic' 'self' https://app.intercom.io" in merged
    assert merged.split("; ")[2] == "upgrade-insecure-requests"
    assert merge_csp(merged, SETTINGS) == merged


def test_first_of_duplicate_directives_counts() -> None:
    """As in browsers, the first of two equal directives counts, and any white space separates."""
    merged = merge_csp("script-src\t'self' https://a.example;\n script-src https://b.example", SETTINGS)
    assert merged.startswith("script-src 'self' https://a.example https://app.intercom.io")
    assert "b.example" not in merged


def test_directive_names_ignore_case() -> None:
    merged = merge_csp({"Script-Src": "'self';", "DEFAULT-SRC": None}, SETTINGS)
    assert "https://widget.intercom.io" in merged["Script-Src"]
    assert "'self';" not in merged["Script-Src"]
    assert "script-src" not in merged


@pytest.mark.parametrize("value", [True, 5, [5]])
def test_value_without_sources_is_refused(value: Any) -> None:
    with pytest.raises(OptionError, match="script-src must be a list"):
        merge_csp({"script-src": value}, SETTINGS)


def test_custom_widget_origin_may_be_contacted() -> None:
    """An imitation of the Messenger has its back end at the origin of its widget."""
    assert "http://127.0.0.1:5001" in csp(Settings(widget_url="http://127.0.0.1:5001/widget"))["connect-src"]


def test_policy_of_wrong_type_is_refused() -> None:
    with pytest.raises(OptionError, match="policy: must be a dict"):
        merge_csp(["default-src"], SETTINGS)  # type: ignore[type-var]


def test_hash_covers_exact_script_bytes() -> None:
    html = render_snippet({"app_id": APP_ID, "name": "é"}, settings=SETTINGS)
    script = html.removeprefix("<script>").removesuffix("</script>")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert csp_hash(html) == f"'sha256-{digest}'"


@pytest.mark.parametrize("html", ["", "<p>no script</p>", "<script>1</script><script>2</script>"])
def test_a_hash_needs_exactly_one_script(html: str) -> None:
    with pytest.raises(OptionError, match="html: must hold exactly one script"):
        csp_hash(html)
