"""The doctor: each thing that may be wrong with a configuration or a page is found, named, and comes with a remedy."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import pytest
from flask import Flask, make_response, redirect, render_template_string, request

from segment_intercom import (
    Identify,
    SegmentIntercom,
    Settings,
    merge_csp,
    messenger_settings,
    render_snippet,
    user_hash,
    user_jwt,
)
from segment_intercom.doctor import Finding, check_configuration, check_page, fetch
from segment_intercom.doctor.document import read
from segment_intercom.doctor.selectors import Unsupported, finds
from segment_intercom.doctor.sources import allows, policies, sources
from segment_intercom.web.helpers import Helpers
from tests.conftest import APP_ID, SECRET

SETTINGS = Settings(app_id=APP_ID, identity_secret=SECRET)
LONG = "a-secret-that-is-not-real-but-long"
TOKENS = Settings(app_id=APP_ID, identity_secret=LONG, identity="jwt")
URL = "https://shop.example/account"
PRIVATE = {"Cache-Control": "private, no-store"}
INTERCOMS_OWN = '<script>(function(){s.src="https://widget.intercom.io/widget/abc12345"})()</script>'
SEGMENTS_OWN = '<script>analytics.load("key")</script>'


def snippet(settings: Settings = SETTINGS, nonce: str | None = None, **values: Any) -> str:
    """Our snippet with these values laid on the page, a user unless they say otherwise."""
    known = {"app_id": APP_ID, **({"api_base": settings.api_base} if settings.api_base else {}), "user_id": "u"}
    proof = {} if {"user_hash", "intercom_user_jwt"} & {*values} else {"user_hash": user_hash(SECRET, "u")}
    page_settings = {name: value for name, value in {**known, **proof, **values}.items() if value is not None}
    return str(render_snippet(page_settings, settings=settings, nonce=nonce))


def page(*parts: str, head: str = "") -> str:
    return f"<!doctype html><html><head>{head}</head><body><p>Hello{''.join(parts)}</body></html>"


def look(
    html: str, headers: Mapping[str, str] = PRIVATE, settings: Settings = SETTINGS, url: str = URL
) -> list[Finding]:
    """What is not ok about a page."""
    return [finding for finding in check_page(html, headers, settings, url) if finding.level != "ok"]


def said(findings: list[Finding]) -> str:
    return "\n".join(f"{finding.level} {finding.what}" for finding in findings)


def under(policy: str, html: str = "", settings: Settings = SETTINGS) -> list[Finding]:
    """What is not ok about a page with a policy."""
    return look(html or page(snippet(settings)), {**PRIVATE, "Content-Security-Policy": policy}, settings)


def test_sound_page_raises_no_warning() -> None:
    assert look(page(snippet())) == []


@pytest.mark.parametrize("region", ["us", "eu", "au"])
@pytest.mark.parametrize("identity", ["hash", "jwt"])
def test_what_the_package_renders_is_sound(region: Any, identity: Any) -> None:
    settings = Settings(app_id=APP_ID, identity_secret=LONG, region=region, identity=identity)
    traits = {"email": "a@b.example", "createdAt": "2016-03-24", "__proto__": "x", "plan": "<b>"}
    page_settings = messenger_settings(Identify("u", traits), settings)
    assert look(page(str(render_snippet(page_settings, settings=settings))), settings=settings) == []


CONFIGURATIONS: list[tuple[Settings, str]] = [
    (Settings(), "problem app_id: not set"),
    (Settings(app_id=APP_ID), "warning identity_secret: not set"),
    (Settings(app_id=APP_ID, identity_secret=f"{SECRET}\n"), "warning identity_secret: begins or ends with white"),
    (Settings(app_id=APP_ID, identity_secret="short", identity="jwt"), "warning identity_secret: shorter than the 32"),
    (Settings(identity_secret=LONG, identity="jwt", identity_ttl=60), "warning identity_ttl: a token lives 60 seconds"),
    (Settings(app_id=APP_ID, enabled=False), "warning enabled: False"),
    (Settings(widget_url="http://127.0.0.1:5001/widget"), "warning widget_url: http://127.0.0.1:5001/widget is not"),
    (Settings(messenger_url="/messenger"), "warning messenger_url: /messenger is not Intercom's own"),
    (Settings(hide_default_launcher=True), "warning hide_default_launcher: True without a launcher_selector"),
    (Settings(exclude=["/admin"]), "warning exclude: has no effect"),
    (Settings(region="eu"), 'ok region: "eu", the Messenger asks https://api-iam.eu.intercom.io'),
    (Settings(identity_secret=[SECRET, LONG]), "ok identity_secret: set, identity is proven by a hash"),
]


@pytest.mark.parametrize(("settings", "expected"), CONFIGURATIONS, ids=lambda value: value if str(value) else "")
def test_a_configuration_is_judged(settings: Settings, expected: str) -> None:
    assert expected in said(check_configuration(settings))


def test_a_good_configuration_is_only_ok() -> None:
    assert {finding.level for finding in check_configuration(TOKENS)} == {"ok"}


LATER = int(time.time()) + 3600
MILLISECONDS = 1458841605999
# What the page holds, and what is found; headers and settings are those of a sound page.
PAGES: list[tuple[str, str]] = [
    (page(), "problem snippet: not in the page"),
    (page("{{ intercom_snippet(user) }}"), "problem snippet: the template's line stands in the page"),
    (page(snippet().replace("<", "&lt;")), "problem snippet: stands in the page as escaped text"),
    (page(f"<!-- {snippet()} -->"), "problem snippet: stands in an HTML comment"),
    (page("<!-- Intercom is switched off: INTERCOM_ENABLED is False -->"), "problem snippet: switched off"),
    (page(f"<template>{snippet()}</template>"), "problem snippet: not in the page"),
    (page(snippet(), snippet()), "problem snippet: stands in the page 2 times"),
    (page(snippet(), INTERCOMS_OWN), "problem second snippet: Intercom's own stands in the page besides ours"),
    (page(INTERCOMS_OWN), "problem second snippet: Intercom's own stands in the page instead of ours"),
    (page(INTERCOMS_OWN), "warning intercomSettings: written as JavaScript"),
    (page(snippet(), "<script>Intercom('reattach_activator')</script>"), "problem second snippet: Intercom's own"),
    (page(snippet(), '<script src="https://widget.intercom.io/widget/x"></script>'), "problem second snippet"),
    (page(snippet(), SEGMENTS_OWN), "problem second snippet: Segment's own"),
    (page(snippet(), '<script src="https://cdn.segment.com/a.js"></script>'), "problem second snippet: Segment's own"),
    (page(snippet(app_id="other123")), f"problem app_id: the page names other123, the settings {APP_ID}"),
    (page(snippet(api_base="https://api-iam.eu.intercom.io")), "problem region: the page asks https://api-iam.eu."),
    (page(snippet(Settings(widget_url="http://127.0.0.1:5001/widget"))), "problem widget_url: the page does not load"),
    (page(snippet(user_id=None, user_hash=None)), "warning user: the page names no user"),
    (page(snippet(user_id=813)), "problem user_id: no string"),
    (page(snippet(created_at=MILLISECONDS)), "problem created_at: in milliseconds"),
    (page(snippet(created_at="2016-03-24")), "problem created_at: no number"),
    (page(snippet(custom_attributes={"born_at": MILLISECONDS})), "problem born_at: in milliseconds"),
    (page(snippet(custom_attributes={"a": {"b": 1}, "c": 1})), "warning custom_attributes: a hold objects or lists"),
    (page(snippet(user_hash=None)), "problem user_hash: the page names a user without a proof"),
    (page(snippet(user_hash="0" * 64)), "problem user_hash: is not the HMAC-SHA256 of the page's user_id"),
    (
        page(snippet(email="a@b.example", user_hash=user_hash(SECRET, "a@b.example"))),
        "problem user_hash: is that of the email, but user_id is sent too",
    ),
    (page(snippet(user_id=None)), "warning user_hash: comes without user_id and email"),
    (page(snippet(user_hash="x", intercom_user_jwt="y")), "problem user_hash: sent together with intercom_user_jwt"),
    (page(snippet(custom_launcher_selector="#help")), "warning custom_launcher_selector: #help finds no element"),
    (page(snippet(custom_launcher_selector="#help", hide_default_launcher=True)), "problem custom_launcher_selector"),
    (page(snippet(hide_default_launcher=True)), "warning hide_default_launcher: true without"),
]


@pytest.mark.parametrize(("html", "expected"), PAGES, ids=[expected for _, expected in PAGES])
def test_a_page_is_judged(html: str, expected: str) -> None:
    assert expected in said(look(html))


def token(secret: str = LONG, user_id: str = "u", ttl: int = 3600) -> str:
    return user_jwt(secret, {"user_id": user_id}, ttl)


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({}, ""),
        ({"secret": "another-secret-that-is-not-real-either"}, "problem intercom_user_jwt: is signed with another"),
        ({"ttl": -10}, "problem intercom_user_jwt: has expired"),
        ({"ttl": 60}, "warning intercom_user_jwt: ends in less than 5 minutes"),
        ({"user_id": "somebody-else"}, "problem intercom_user_jwt: is of another user_id"),
        ("no.token", "problem intercom_user_jwt: cannot be read"),
        (5, "problem intercom_user_jwt: cannot be read"),
    ],
)
def test_a_token_is_judged(claims: Any, expected: str) -> None:
    made = token(**claims) if isinstance(claims, dict) else claims  # made now, for its time runs
    findings = look(page(snippet(intercom_user_jwt=made)), settings=TOKENS)
    assert said(findings).startswith(expected)
    assert bool(findings) == bool(expected)


def test_proof_by_older_secret_warns() -> None:
    rotated = Settings(app_id=APP_ID, identity_secret=[LONG, SECRET])
    assert said(look(page(snippet()), settings=rotated)).startswith(
        "warning user_hash: is that of the user_id, but made with an older secret"
    )


def test_uncheckable_proof_warns(unverified: Settings) -> None:
    """Without a secret in the settings a proof cannot be checked, and a missing one is no fault."""
    assert "warning user_hash: cannot be checked" in said(look(page(snippet()), settings=unverified))
    assert look(page(snippet(user_hash=None)), settings=unverified) == []


def test_hash_instead_of_token_warns() -> None:
    html = page(snippet(user_hash=user_hash(LONG, "u")))
    assert "the settings ask for tokens" in said(look(html, settings=TOKENS))


@pytest.mark.parametrize("control", ["", "public, max-age=60", "max-age=0", "private, s-maxage=9"])
def test_cacheable_page_with_user_is_problem(control: str) -> None:
    assert "problem Cache-Control: a cache may keep this page" in said(
        look(page(snippet()), {"cache-control": control})
    )
    assert "Cache-Control" not in said(look(page(snippet(user_id=None, user_hash=None)), {"cache-control": control}))


@pytest.mark.parametrize(
    "selector",
    [
        "#help",
        ".big",
        "button",
        "BUTTON.big",
        "[data-x]",
        '[data-x="1 2"]',
        "[type=button]",
        "nav button",
        "nav > .big",
        "*",
        "main #help, nav #help",
        "body nav>button#help.big[data-x='1 2']",
        "#none, .big",
    ],
)
def test_a_selector_finds_its_element(selector: str) -> None:
    document = read("<body><nav><button id=help class='a big' type=button data-x='1 2'>?</button></nav><p>.</body>")
    assert finds(selector, document.elements)


@pytest.mark.parametrize("selector", ["#other", "p button", "nav > #x", "button.small", "[data-x=a]", "main, footer"])
def test_unmatched_selector_finds_nothing(selector: str) -> None:
    assert not finds(selector, read("<nav><i><button id=x class=big data-x='1 2'></button></i></nav>").elements)


@pytest.mark.parametrize("selector", ["a:hover", "a + b", "[a^=b]", "", ">", "a >", "#a, b:not(c)", "a]", "[a", "##a"])
def test_unsupported_selector_is_left_unchecked(selector: str) -> None:
    with pytest.raises(Unsupported):
        finds(selector, read("<a id=a></a>").elements)
    findings = check_page(page(snippet(custom_launcher_selector=selector)), PRIVATE, SETTINGS, URL)
    assert any(finding.level == "ok" and "cannot be checked here" in finding.what for finding in findings)


def test_merge_csp_nonce_policy_is_sound() -> None:
    policy = merge_csp("default-src 'self'; script-src 'self' 'nonce-r4nd0m'; style-src 'self'", SETTINGS)
    assert under(policy, page(snippet(nonce="r4nd0m"))) == []


def test_snippet_hash_policy_is_sound() -> None:
    text = snippet().removeprefix("<script>").removesuffix("</script>")
    digest = base64.urlsafe_b64encode(hashlib.sha384(text.encode()).digest()).decode()
    policy = f"script-src 'sha384-{digest}' https://*.intercom.io https://js.intercomcdn.com"
    assert under(policy) == []
    assert under(f"script-src 'sha384-{digest}' 'strict-dynamic'") == []


NONCE = page(snippet(nonce="r4nd0m"))
POLICIES: list[tuple[str, str, str]] = [
    ("script-src 'self'", "", "problem policy: script-src blocks the snippet, an inline script"),
    ("default-src 'self'", "", "problem policy: script-src blocks the Messenger's script: https://widget.intercom.io/"),
    ("script-src 'nonce-other'", NONCE, "an inline script, whose nonce is not the policy's"),
    ("script-src 'nonce-other'", "", "an inline script, which has no nonce"),
    ("script-src 'unsafe-inline' 'nonce-other'", "", "an inline script, which has no nonce"),
    ("script-src 'strict-dynamic' 'nonce-other' https:", "", "with 'strict-dynamic' blocks the Messenger's script"),
    ("script-src-elem 'self'; script-src 'nonce-r4nd0m'", NONCE, "script-src blocks the snippet"),
    ("script-src 'unsafe-inline' https://widget.intercom.io", "", "https://js.intercomcdn.com not allowed"),
    ("connect-src 'self'", "", "problem policy: connect-src lacks https://via.intercom.io, "),
    ("img-src 'self'", "", "warning policy: img-src lacks blob:, data:, https://js.intercomcdn.com"),
    ("style-src 'self'", "", "warning policy: style-src lacks 'unsafe-inline'"),
    ("form-action 'self'", "", "warning policy: form-action lacks https://intercom.help"),
    ("require-trusted-types-for 'script'", "", "problem policy: require-trusted-types-for 'script' stops"),
    ("img-src *, connect-src 'none'", "", "problem policy 2 of 2: connect-src lacks"),
]


@pytest.mark.parametrize(("policy", "html", "expected"), POLICIES, ids=[f"{row[0]} {row[2]}" for row in POLICIES])
def test_a_policy_is_judged(policy: str, html: str, expected: str) -> None:
    assert expected in said(under(policy, html))


@pytest.mark.parametrize(
    ("policy", "html"),
    [
        ("script-src 'unsafe-inline' https:", ""),
        ("script-src 'nonce-r4nd0m'", NONCE),
        ("script-src 'nonce-r4nd0m' 'strict-dynamic'", NONCE),
        ("connect-src https: wss:", ""),
        ("upgrade-insecure-requests; frame-ancestors 'none'", ""),
    ],
)
def test_policy_allowing_messenger_is_sound(policy: str, html: str) -> None:
    assert under(policy, html) == []


def test_policy_in_meta_tag_applies() -> None:
    head = '<meta http-equiv="Content-Security-Policy" content="script-src \'self\'">'
    assert "problem policy: script-src blocks the snippet" in said(look(page(snippet(), head=head)))


def test_report_only_policy_blocks_nothing() -> None:
    headers = {**PRIVATE, "Content-Security-Policy-Report-Only": "default-src 'none'"}
    assert look(page(snippet()), headers) == []
    assert any(
        "Report-Only blocks nothing" in finding.what for finding in check_page(page(snippet()), headers, SETTINGS, URL)
    )


def test_an_imitation_needs_only_itself() -> None:
    settings = Settings(app_id=APP_ID, identity_secret=SECRET, widget_url="/widget")
    assert under("default-src 'self'; script-src 'self' 'unsafe-inline'", settings=settings) == []
    assert "connect-src lacks https://shop.example" in said(under("connect-src 'none'", settings=settings))


@pytest.mark.parametrize(
    ("listed", "address", "expected"),
    [
        ("*", "https://a.example", True),
        ("*", "data:", False),
        ("data:", "data:", True),
        ("https:", "wss://a.example", False),
        ("http:", "https://a.example", True),
        ("a.example", "https://a.example", True),
        ("a.example", "http://a.example", False),
        ("a.example", "wss://a.example", True),
        ("https://a.example:*", "https://a.example:8443", True),
        ("https://a.example", "https://a.example:8443", False),
        ("*.example", "https://*.a.example", True),
        ("*.a.example", "https://a.example", False),
        ("https://a.example/w/", "https://a.example/w/x", True),
        ("https://a.example/w", "https://a.example/w/x", False),
        ("https://a.example/w/", "https://a.example", True),
        ("'self'", "https://shop.example", True),
        ("'none'", "https://a.example", False),
    ],
)
def test_source_matching_follows_browsers(listed: str, address: str, expected: bool) -> None:
    assert allows([listed], address, URL) is expected


def test_first_directive_counts_with_fallback() -> None:
    """A repeated directive is ignored; a missing one falls back, but form-action has no fallback."""
    (policy,) = policies("default-src a; script-src b; script-src c; child-src d")
    assert [sources(policy, name) for name in ("script-src-elem", "frame-src", "img-src")] == [["b"], ["d"], ["a"]]
    assert sources(policy, "form-action") is None


HOSTILE = [
    "<![ x", "<![CDATA[", "<!", "<script", "<script>window.intercomSettings={", "\x00<p", "</p></body>" * 3,
    "<script>window.intercomSettings=" + "[" * 100_000 + "</script>",
    "<script>intercomLoad;window.intercomSettings=" + '{"a":' * 100_000 + "</script>",
    "<script>intercomLoad;window.intercomSettings=[1]</script>",
]  # fmt: skip


@pytest.mark.parametrize("html", HOSTILE, ids=[html[:50] for html in HOSTILE])
def test_broken_page_still_yields_findings(html: str) -> None:
    assert look(html)


WRONG_HASH = "problem user_hash: is not the HMAC-SHA256 of the page's user_id"
# Values of wrong types, and what the doctor says of them.
ODD: list[tuple[dict[str, Any], list[str]]] = [
    ({"user_id": {"a": 1}}, ["problem user_id: no string"]),
    ({"user_id": [], "email": 5}, ["problem user_id: no string", "problem email: no string"]),
    ({"user_hash": {}}, ["problem user_hash: the page names a user without a proof"]),
    ({"user_hash": 5}, [WRONG_HASH]),
    ({"api_base": ["x"]}, ["problem region: the page asks ['x'], the settings mean https://api-iam.intercom.io"]),
    ({"intercom_user_jwt": {"a": 1}}, ["problem intercom_user_jwt: cannot be read as a JSON web token"]),
    ({"custom_attributes": [1]}, []),
    ({"custom_launcher_selector": {"a": 1}}, []),
    ({"created_at": True}, ["problem created_at: no number"]),
    ({"app_id": "abc12345", "company": 5}, []),
    ({"email": "\ud800", "user_id": "\ud800"}, [WRONG_HASH]),
]


@pytest.mark.parametrize(("values", "complaints"), ODD, ids=json.dumps)
def test_wrong_value_types_are_judged(values: dict[str, Any], complaints: list[str]) -> None:
    """Whatever stands where a text is expected, the doctor says what is wrong with it, and reads the rest as well."""
    html = page(snippet(**values))
    findings = look(html)
    assert [said([finding])[: len(text)] for finding, text in zip(findings, complaints, strict=True)] == complaints
    by_tokens = said(look(html, settings=TOKENS))
    assert by_tokens, "here, even a right hash is none"
    assert [text for text in complaints if text not in by_tokens] == []


def test_findings_name_field_and_remedy() -> None:
    """Only a finding that is ok may come without a remedy."""
    findings = [finding for html, _ in PAGES for finding in look(html)]
    findings += [finding for settings, _ in CONFIGURATIONS for finding in check_configuration(settings)]
    findings += [finding for policy, html, _ in POLICIES for finding in under(policy, html)]
    for finding in findings:
        assert ": " in finding.what
        assert finding.level == "ok" or finding.remedy.endswith((".", "...")), finding


def test_findings_hide_secrets_and_control_characters() -> None:
    """A user's hash and token count as secrets here, too."""
    html = page(snippet(user_hash="f" * 64), snippet(intercom_user_jwt=token(), app_id="abc12345"))
    settings = Settings(app_id="other123", identity_secret=[SECRET, LONG])
    findings = [*check_configuration(settings), *check_page(html, PRIVATE, settings, URL)]
    findings += look(page(snippet(custom_launcher_selector="\x1b[31m#x\n", custom_attributes={"\x1b": []})))
    text = "".join(finding.what + finding.remedy for finding in findings)
    for hidden in (SECRET, LONG, "f" * 64, user_hash(SECRET, "u"), token(), "\x1b", "\n"):
        assert hidden not in text


def shop(**config: Any) -> Flask:
    """A site with a log-in, a redirect to it, and pages that go wrong."""
    app = Flask("shop")
    app.config.update({"INTERCOM_APP_ID": APP_ID, "INTERCOM_IDENTITY_SECRET": SECRET, **config})
    intercom = SegmentIntercom(app)
    intercom.user_loader(lambda: {"id": 42} if request.cookies.get("session") == "s" else None)
    app.add_url_rule(
        "/", view_func=lambda: render_template_string("<p>Hi</p>{{ intercom_snippet() }}"), endpoint="home"
    )
    app.add_url_rule("/login", view_func=lambda: redirect("/"), endpoint="login")
    app.add_url_rule("/circle", view_func=lambda: redirect("/circle"), endpoint="circle")
    app.add_url_rule("/json", view_func=lambda: {"a": 1}, endpoint="json")
    app.add_url_rule("/broken", view_func=lambda: ("", 500), endpoint="broken")
    app.add_url_rule("/zip", view_func=lambda: make_response("<p>", {"Content-Encoding": "br"}), endpoint="zip")
    return app


Serve = Callable[[Callable[..., Any]], str]


def test_fetched_page_depends_on_cookies(serve: Serve) -> None:
    """The finding shows the address without its query and fragment, which may hold a token."""
    address = serve(shop())
    visitor, _ = fetch(f"{address}/")
    user, findings = fetch(f"{address}/?token=t#x", ["a=b", "session=s"])
    assert visitor is not None
    assert f'={{"app_id":"{APP_ID}"}}' in visitor.html
    assert user is not None
    assert '"user_id":"42"' in user.html
    assert user.headers["cache-control"] == "private, no-store"
    assert findings == [Finding("ok", f"address: {address}/ answers with a page")]


def test_redirects_are_followed_and_told(serve: Serve) -> None:
    address = serve(shop())
    answer, findings = fetch(f"{address}/login", ["session=s"])
    assert answer is not None
    assert answer.url == f"{address}/"
    assert '"user_id":"42"' in answer.html
    assert said(findings) == f"warning address: redirected to {address}/, which is the page that was looked at"


def test_cookies_go_to_no_other_host(serve: Serve) -> None:
    inner = shop()
    inner.add_url_rule("/seen", view_func=lambda: f"<p>{request.headers.get('Cookie')}", endpoint="seen")
    elsewhere = serve(inner).replace("127.0.0.1", "localhost")
    outer = Flask("outer")
    outer.add_url_rule("/", view_func=lambda: redirect(f"{elsewhere}/seen"), endpoint="out")
    answer, _ = fetch(f"{serve(outer)}/", ["session=s"])
    assert answer is not None
    assert answer.html == "<p>None"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/nothing", "problem address: answers with status 404"),
        ("/broken", "problem address: answers with status 500"),
        ("/circle", "problem address: answers with status 302"),
        ("/json", "problem Content-Type: application/json is no HTML"),
        ("/zip", "problem Content-Encoding: br, though plain was asked for"),
    ],
)
def test_non_page_answer_is_problem(serve: Serve, path: str, expected: str) -> None:
    answer, findings = fetch(serve(shop()) + path)
    assert answer is None
    assert expected in said(findings)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("shop.example", "address: must start with http:// or https://"),
        ("file:///etc/passwd", "address: must start with http:// or https://"),
        ("http://user:password@shop.example/", "address: must hold no user and password"),
        ("http://shop.example:port/", "address: Port could not be cast"),
        ("http://[::1/", "address: Invalid IPv6 URL"),
        ("http://127.0.0.1:1/", "address: nothing listens there"),
        ("http://a..b/", "address: cannot be reached"),
    ],
)
def test_unusable_address_is_problem(url: str, expected: str) -> None:
    answer, (finding,) = fetch(url)
    assert answer is None
    assert finding.what.startswith(expected)
    assert "password@" not in finding.what
    assert finding.remedy


@pytest.mark.parametrize("location", ["http://[::1/", "ftp://127.0.0.1/", "file:///etc/passwd", "http://a..b/"])
def test_redirect_to_no_page_is_problem(serve: Serve, location: str) -> None:
    def app(_: Any, start: Callable[..., Any]) -> list[bytes]:
        start("302 Found", [("Location", location)])
        return [b""]

    answer, (finding,) = fetch(serve(app))
    assert answer is None
    assert finding.what.startswith(("address: cannot be reached", "address: answers with status 302"))


def test_a_plain_server_has_no_certificate(serve: Serve) -> None:
    _, (finding,) = fetch(serve(shop()).replace("http:", "https:"))
    assert finding.what.startswith("address: no safe connection")


@pytest.mark.parametrize("piece", ["<a ", "<a b='", "<div>", "</p><div>", '<a "', "<title>"])
def test_parsing_stops_when_patience_ends(piece: str) -> None:
    """Pieces of markup that are slow to parse do not hold the doctor up."""
    times = count()
    assert read(piece * 100_000, patience=20, clock=lambda: next(times)).is_cut
    assert next(times) < 30


def test_partly_read_page_is_reported() -> None:
    html = page(snippet()) + "<a " * 300_000
    assert "page: it is so broken, or so big, that it was read in part" in said(look(html))


def test_a_missing_base_uri_is_named() -> None:
    def remedies(policy: str) -> list[str]:
        findings = check_page(page(snippet()), {"Content-Security-Policy": policy}, SETTINGS, URL)
        return [finding.remedy for finding in findings if "base-uri" in finding.what]

    assert remedies("script-src 'nonce-r4nd0m'") == [
        "Add base-uri 'self', or 'none'; no other directive stands in for it."
    ]
    assert remedies("script-src 'nonce-r4nd0m'; base-uri 'self'") == []
    assert remedies("img-src 'self'") == []


def test_hanging_server_is_problem() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        _, (finding,) = fetch(f"http://127.0.0.1:{silent.getsockname()[1]}/", patience=0.2)
    assert finding.what.startswith("address: no answer in time")


HELPERS = Helpers(
    settings=lambda: SETTINGS, settings_url=lambda: "/settings.json", runtime_url=lambda: "/analytics.min.js"
)


def test_page_booting_later_needs_no_proof() -> None:
    html = page(str(HELPERS.analytics_snippet(None, page=False)))
    findings = check_page(html, {}, SETTINGS, URL)
    assert {finding.level for finding in findings} == {"ok"}
    assert any("first analytics call boots" in finding.what for finding in findings)


def test_policy_must_allow_inserted_scripts() -> None:
    html = page(str(HELPERS.analytics_snippet({"id": "u"})))
    policy = "script-src 'unsafe-inline' https://*.intercom.io https://js.intercomcdn.com"
    assert "script: https://shop.example/analytics.min.js not allowed" in said(under(policy, html))
    assert under(f"{policy} 'self'", html) == []


def test_remote_session_needs_own_origin() -> None:
    """A page that asks who is in session names nobody, so a cache may keep it."""
    html = page(str(HELPERS.intercom_snippet(remote=True)))
    assert look(html, {}) == []
    policy = merge_csp("connect-src https://x.example", SETTINGS).replace("'self'", "")
    assert said(under(policy, html)) == "problem policy: connect-src lacks https://shop.example"
