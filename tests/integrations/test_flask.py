"""The Flask extension: configuration, loaders, caching, nonces, several applications."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import flask_login
import pytest
from flask import Flask, Response, g, render_template_string, send_file, stream_template_string, stream_with_context
from flask_talisman import Talisman

from segment_intercom import SegmentIntercom, SettingsError, TraitError
from tests.conftest import APP_ID, SECRET
from tests.web.test_snippet import parsed, settings_in

TEMPLATE = "{{ intercom_snippet(user) }}"


def application(template: str = TEMPLATE, extension: SegmentIntercom | None = None, **config: Any) -> Flask:
    app = Flask("shop")
    app.config.update({"INTERCOM_APP_ID": APP_ID, "INTERCOM_IDENTITY_SECRET": SECRET, "TESTING": True, **config})
    (extension or SegmentIntercom()).init_app(app)
    app.add_url_rule("/", "home", lambda: render_template_string(template, user={"id": "u"}))
    app.add_url_rule("/visitor", "visitor", lambda: render_template_string(template, user=None))
    return app


def page(app: Flask, path: str = "/") -> dict[str, Any]:
    return settings_in(app.test_client().get(path).text)


def test_a_wrong_configuration_fails_at_start_up() -> None:
    with pytest.raises(SettingsError, match="INTERCOM_APP_ID: must be 8 or 40"):
        application(INTERCOM_APP_ID="wrong")


def test_the_environment_is_read_where_the_configuration_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERCOM_APP_ID", "fromenv1")
    monkeypatch.setenv("INTERCOM_REGION", "eu")
    found = page(application())
    assert (found["app_id"], found["api_base"]) == (APP_ID, "https://api-iam.eu.intercom.io")


def test_the_configuration_is_read_once() -> None:
    app = application()
    app.config["INTERCOM_APP_ID"] = "changed1"
    assert page(app)["app_id"] == APP_ID


def test_two_applications_with_one_extension_share_nothing() -> None:
    extension = SegmentIntercom()
    first = application(extension=extension)
    second = application(extension=extension, INTERCOM_APP_ID="other123", INTERCOM_IDENTITY_SECRET=None)
    assert page(first)["app_id"] == APP_ID
    assert page(second) == {"app_id": "other123", "user_id": "u"}
    assert first.extensions["segment_intercom"] is not second.extensions["segment_intercom"]


def test_the_loaders_say_who_and_for_which_company() -> None:
    extension = SegmentIntercom()
    extension.user_loader(lambda: {"id": "loaded"})
    extension.company_loader(lambda: {"id": 1, "name": "One"})
    found = page(application("{{ intercom_snippet() }}", extension))
    assert (found["user_id"], found["company"]) == ("loaded", {"company_id": "1", "name": "One"})
    assert page(application(extension=extension), "/visitor") == {"app_id": APP_ID}


def test_an_exception_in_a_loader_is_the_hosts_and_surfaces() -> None:
    extension = SegmentIntercom()

    @extension.user_loader
    def user() -> Any:
        raise LookupError("the host's own")

    with pytest.raises(LookupError, match="the host's own"):
        application("{{ intercom_snippet() }}", extension).test_client().get("/")


def test_flask_logins_current_user_works_as_it_is() -> None:
    app = application("{{ intercom_snippet(current_user) }}", SECRET_KEY="x")
    login = flask_login.LoginManager(app)

    class Member(flask_login.UserMixin):
        id, email = 7, "ann@example.com"

    login.user_loader(lambda user_id: Member())
    client = app.test_client()
    assert settings_in(client.get("/").text) == {"app_id": APP_ID}
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = "7", True
    assert settings_in(client.get("/").text)["email"] == "ann@example.com"


def test_talismans_nonce_is_found_by_itself() -> None:
    app = application()
    Talisman(
        app,
        force_https=False,
        content_security_policy={"script-src": []},
        content_security_policy_nonce_in=["script-src"],
    )
    answer = app.test_client().get("/")
    nonce = parsed(answer.text).tags[0][1]["nonce"]
    assert nonce
    assert f"'nonce-{nonce}'" in answer.headers["Content-Security-Policy"]


def test_a_nonce_on_g_is_found() -> None:
    app = application()
    app.before_request(lambda: setattr(g, "csp_nonce", lambda: "r4nd0m"))
    assert parsed(app.test_client().get("/").text).tags[0][1] == {"nonce": "r4nd0m"}


def test_an_answer_with_an_identity_is_private_and_stored_nowhere() -> None:
    client = application().test_client()
    assert client.get("/").headers["Cache-Control"] == "private, no-store"
    assert "Cache-Control" not in client.get("/visitor").headers


@pytest.mark.parametrize("asked", ["public, max-age=60", "s-maxage=60"])
def test_an_identity_in_a_public_answer_is_warned_of_and_kept_private(
    asked: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = application()
    app.add_url_rule(
        "/public", "public", lambda: (render_template_string(TEMPLATE, user={"id": "u"}), {"Cache-Control": asked})
    )
    answer = app.test_client().get("/public")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "cache" in caplog.text


@pytest.mark.parametrize(
    "header", ["CDN-Cache-Control", "Vendor-CDN-Cache-Control", "Surrogate-Control", "X-Accel-Expires"]
)
def test_no_header_that_some_caches_obey_first_makes_it_public(header: str) -> None:
    app = application()
    app.after_request(lambda response: response.headers.update({header: "600"}) or response)
    client = app.test_client()
    assert (header in client.get("/").headers, header in client.get("/visitor").headers) == (False, True)


def test_an_answer_with_an_identity_has_no_tag_by_which_to_ask_for_it_again() -> None:
    app = application()
    app.after_request(lambda response: response.add_etag() or response)
    client = app.test_client()
    assert ("ETag" in client.get("/").headers, "ETag" in client.get("/visitor").headers) == (False, True)


@pytest.mark.parametrize("personal", ["traits={'email': 'ann@example.com'}", "auth_tokens={'shop': 't0ken'}"])
def test_whatever_is_of_one_person_alone_is_an_identity(personal: str) -> None:
    app = application("{{ intercom_snippet(None, " + personal + ") }}")
    assert app.test_client().get("/").headers["Cache-Control"] == "private, no-store"


def test_no_hook_of_the_application_makes_it_public_again() -> None:
    app = Flask("shop")
    app.config.update(INTERCOM_APP_ID=APP_ID, TESTING=True)

    @app.after_request
    def public(response: Response) -> Response:
        response.headers["Cache-Control"] = "public, max-age=300"
        return response

    SegmentIntercom(app)
    app.add_url_rule("/", "home", lambda: render_template_string(TEMPLATE, user={"id": "u"}))
    assert app.test_client().get("/").headers["Cache-Control"] == "private, no-store"


def test_one_answer_leaves_no_mark_on_the_next_under_one_application_context(caplog: pytest.LogCaptureFixture) -> None:
    app = application()
    with app.app_context():
        client = app.test_client()
        answers = [client.get(path).headers.get("Cache-Control") for path in ("/visitor", "/", "/visitor")]
    assert answers == [None, "private, no-store", None]
    assert caplog.text == ""


@pytest.mark.parametrize("config", [{"INTERCOM_ENABLED": False}, {"INTERCOM_APP_ID": None}])
def test_an_answer_without_the_identity_may_be_cached(config: dict[str, Any]) -> None:
    assert "Cache-Control" not in application(**config).test_client().get("/").headers


def test_a_second_extension_on_one_application_is_refused() -> None:
    with pytest.raises(SettingsError, match="has a SegmentIntercom already"):
        SegmentIntercom(application())


def test_a_nonce_of_a_context_processor_is_found() -> None:
    app = application()
    app.context_processor(lambda: {"csp_nonce": lambda: "r4nd0m"})
    assert parsed(app.test_client().get("/").text).tags[0][1] == {"nonce": "r4nd0m"}


def streaming(user: Any, caching: str = "") -> Flask:
    app = application()

    def stream() -> Response:
        return Response(stream_template_string(TEMPLATE, user=user), headers={"Cache-Control": caching})

    app.add_url_rule("/stream", "stream", stream)
    return app


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("asked", ["", "max-age=60", "public, max-age=60"])
def test_a_streamed_page_that_names_somebody_is_private(method: str, asked: str) -> None:
    answer = streaming({"id": "u"}, asked).test_client().open("/stream", method=method)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert method == "HEAD" or settings_in(answer.text)["user_id"] == "u"


def test_a_streamed_page_of_nobody_may_be_kept_where_it_asks_for_it() -> None:
    client = streaming(None, "public, max-age=60").test_client()
    assert client.get("/stream").headers["Cache-Control"] == "public, max-age=60"
    assert streaming(None).test_client().get("/stream").headers["Cache-Control"] == "private, no-store"


def test_a_file_is_no_page_that_is_streamed(tmp_path: Path) -> None:
    (tmp_path / "plain.html").write_text("<p>Plain")
    app = application()
    app.add_url_rule("/plain", "plain", lambda: send_file(tmp_path / "plain.html"))
    with app.test_client().get("/plain") as answer:
        assert "private" not in answer.headers["Cache-Control"]


def test_an_identity_in_another_stream_is_warned_of_since_its_headers_are_gone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = application()
    later = (render_template_string(TEMPLATE, user={"id": "u"}) for _ in range(1))
    app.add_url_rule("/stream", "stream", lambda: Response(stream_with_context(later)))
    assert settings_in(app.test_client().get("/stream").text)["user_id"] == "u"
    assert "after the headers were sent" in caplog.text


@pytest.mark.parametrize(
    ("matching", "server_name", "host"),
    [
        ("host_matching", None, "shop.example:8080"),
        ("subdomain_matching", "shop.example", "tea.shop.example"),
        ("subdomain_matching", "shop.example", "shop.example"),
        ("subdomain_matching", "shop.example", "a.b.shop.example"),
    ],
)
def test_routes_are_those_of_the_page_s_own_host(matching: str, server_name: str | None, host: str) -> None:
    app = Flask("shop", **{matching: True}, static_folder=None)  # type: ignore[arg-type]
    app.config.update(INTERCOM_APP_ID=APP_ID, SERVER_NAME=server_name, TESTING=True)
    SegmentIntercom(app)

    def home(place: str = "") -> str:
        return render_template_string("{{ analytics_snippet(remote=True) }}")

    if matching == "host_matching":
        app.add_url_rule("/", view_func=home, host="<place>")
    else:
        app.add_url_rule("/", view_func=home)
        app.add_url_rule("/", view_func=home, subdomain="<place>")
    client, origin = app.test_client(), f"http://{host}"
    html = client.get("/", base_url=origin).text
    addresses = re.findall(r'new URL\("([^"]+)"', html)
    ours = [address for address in addresses if "segment-intercom" in address]
    assert [address.partition("?")[0] for address in ours] == [
        "/segment-intercom/runtime.min.js",
        "/segment-intercom/settings.json",
    ]
    headers = {"Sec-Fetch-Site": "same-origin"}
    for address in ours:
        with client.get(address, base_url=origin, headers=headers) as answer:
            assert answer.status_code == 200


# Those of EasyPrivacy's general rules that a path of a file for calls may match; a pipe is the end of an address.
BLOCKED = (
    "/analytics.min. .analytics.min. /analytics.js? /analytics-min.js /analytics_min. /static/analytics.js"
    " /assets/analytics. /js/analytics. /scripts/analytics. /script/analytics. /lib/analytics. /sw/analytics.js"
    " /analytics/ /analyticsjs. /analytics-js. /analytics-sdk. -analytics. -analytics/ /beacon.js /beacon.min.js"
    " /segmentio.js /segment/js/ /segment/api/ /tracker.min.js /tracker.js /tracking.js /track.js? /js/tracker.js"
    " /log? /event? /events? /collect? /pageview.js /stat.js? /stats.js /pixel.js /metrics.js /telemetry. /runtimejs/"
).split()


def test_no_rule_of_public_block_lists_matches_what_pages_get() -> None:
    html = application("{{ analytics_snippet(remote=True) }}").test_client().get("/").text
    addresses = [each for each in re.findall(r'new URL\("([^"]+)"', html) if "segment-intercom" in each]
    assert len(addresses) == 2
    assert [(rule, each) for each in addresses for rule in BLOCKED if rule.casefold() in each.casefold()] == []


@pytest.mark.parametrize(
    ("debug", "testing", "strict"), [(True, False, True), (False, True, True), (False, False, False)]
)
def test_it_is_strict_while_somebody_develops_or_tests(debug: bool, testing: bool, strict: bool) -> None:
    app = application("{{ intercom_snippet({'id': 'u', 'bad': bad}) }}", PROPAGATE_EXCEPTIONS=True)
    app.debug, app.testing = debug, testing
    app.context_processor(lambda: {"bad": b"bytes"})
    if strict:
        with pytest.raises(TraitError, match="bad: "):
            app.test_client().get("/")
    else:
        assert page(app)["user_id"] == "u"


@pytest.mark.parametrize("strict", [True, False])
def test_a_chosen_strictness_goes_before(strict: bool) -> None:
    app = application("{{ intercom_snippet({'id': 'u', 'bad': bad}) }}", INTERCOM_STRICT=strict)
    app.context_processor(lambda: {"bad": b"bytes"})
    if strict:
        with pytest.raises(TraitError):
            app.test_client().get("/")
    else:
        assert page(app)["user_id"] == "u"


def test_delimiters_chosen_after_the_extension_still_count() -> None:
    app = application("<< intercom_snippet(user) >>{{ vue }}")
    app.jinja_options = {"variable_start_string": "<<", "variable_end_string": ">>"}
    html = app.test_client().get("/").text
    assert settings_in(html)["user_id"] == "u"
    assert html.endswith("{{ vue }}")


def test_an_environment_that_exists_already_gets_the_helpers() -> None:
    app = Flask("shop")
    app.config["INTERCOM_APP_ID"] = APP_ID
    environment = app.jinja_env
    SegmentIntercom(app)
    with app.test_request_context():
        assert settings_in(environment.from_string("{{ intercom_snippet() }}").render()) == {"app_id": APP_ID}


def test_a_macro_imported_without_context_has_the_helpers() -> None:
    app = application("{% import 'macros' as macros %}{{ macros.help(user) }}")
    from jinja2 import DictLoader

    app.jinja_loader = DictLoader({"macros": "{% macro help(user) %}{{ intercom_snippet(user) }}{% endmacro %}"})  # type: ignore[assignment]
    assert page(app)["user_id"] == "u"


def test_a_template_outside_of_a_request_renders() -> None:
    app = application()
    with app.app_context():
        assert settings_in(render_template_string(TEMPLATE, user={"id": "u"}))["user_id"] == "u"


def test_the_static_files_are_served() -> None:
    with application().test_client().get("/segment-intercom/loader.js") as answer:
        assert answer.status_code == 200
        assert "INTERCOM_SETTINGS" in answer.text


def test_the_runtime_may_be_kept_for_as_long_as_it_stays_the_same() -> None:
    client = application("{{ analytics_snippet(user) }}").test_client()
    address = re.search(r"/segment-intercom/runtime\.min\.js\?v=\w+", client.get("/").text)
    assert address is not None
    with client.get(address.group()) as kept, client.get("/segment-intercom/runtime.min.js") as asked_again:
        assert kept.cache_control.max_age == 31_536_000
        assert asked_again.cache_control.no_cache


def test_tenants_have_their_own_app_id() -> None:
    app = application("{{ intercom_snippet(user, app_id='tenant12') }}")
    assert page(app)["app_id"] == "tenant12"


def test_no_secret_reaches_a_page_or_a_repr() -> None:
    app = application()
    assert SECRET not in app.test_client().get("/").text
    assert SECRET not in repr(app.extensions["segment_intercom"])
