"""Log-out: which cookies end, on which domains, and the marker that the next page acts on."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, make_response, redirect

from segment_intercom import OptionError, SegmentIntercom, SettingsError
from segment_intercom.logout import domains_of
from tests.conftest import APP_ID

OF_INTERCOM = {f"intercom-{kind}-{APP_ID}" for kind in ("id", "session", "device-id")}
OF_SEGMENT = {"ajs_user_id", "ajs_group_id", "ajs_anonymous_id"}


def site(answer: Any = lambda: make_response("bye"), tenant: str | None = None, **config: Any) -> Flask:
    app = Flask("shop")
    app.config.update({"INTERCOM_APP_ID": APP_ID, "TESTING": True, **config})
    intercom = SegmentIntercom(app)
    app.add_url_rule("/logout", "logout", lambda: intercom.logout(answer(), tenant))
    return app


def expired(answer: Any) -> set[str]:
    """The cookies that an answer ends, as ``name`` or ``name@domain``."""
    found = set()
    for cookie in answer.headers.getlist("Set-Cookie"):
        pair, *rest = cookie.split("; ")
        name, value = pair.split("=", 1)
        if "Max-Age=0" in rest:
            assert (value, "Path=/" in rest) == ("", True)
            found.add("@".join([name, *(part.removeprefix("Domain=") for part in rest if part.startswith("Domain="))]))
    return found


def leave(app: Flask, host: str = "localhost", cookies: dict[str, str] | None = None, scheme: str = "http") -> Any:
    client = app.test_client(use_cookies=False)
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in (cookies or {}).items())}
    return client.get("/logout", base_url=f"{scheme}://{host}", headers=headers if cookies else {})


def test_the_cookies_of_intercom_and_segment_end_on_the_host_and_every_domain_above() -> None:
    ended = expired(leave(site(), "a.example.co.uk"))
    places = ("", "@a.example.co.uk", "@example.co.uk", "@co.uk")
    assert ended == {name + place for name in OF_INTERCOM | OF_SEGMENT for place in places}


@pytest.mark.parametrize(
    ("host", "domains"),
    [
        ("example.com:5000", ["example.com"]),
        ("A.Example.Com.", ["a.example.com", "example.com"]),
        ("my_shop.example.com", ["my_shop.example.com", "example.com"]),
        *((host, []) for host in ("localhost", "localhost:5000", "127.0.0.1:80", "[::1]:5000", "::1", "")),
        *((host, []) for host in ("a..example.com", "a b.com", "x" * 64 + ".com", "bücher.example")),
    ],
)
def test_a_host_has_its_name_and_its_parents_and_an_address_has_none(host: str, domains: list[str]) -> None:
    assert domains_of(host) == domains


@pytest.mark.parametrize(("scheme", "secure"), [("http", False), ("https", True)])
def test_the_marker_lives_five_minutes_and_pages_can_read_it(scheme: str, secure: bool) -> None:
    (marker,) = (one for one in leave(site(), scheme=scheme).headers.getlist("Set-Cookie") if "logout" in one)
    pair, *rest = marker.split("; ")
    assert pair == "intercom-logout=1"
    assert {"Max-Age=300", "Path=/", "SameSite=Lax"} <= set(rest)
    assert ("HttpOnly" in rest, "Secure" in rest, "Domain" in marker) == (False, secure, False)


def test_it_works_on_a_redirect_which_no_cache_keeps() -> None:
    answer = leave(site(lambda: redirect("/")))
    assert (answer.status_code, answer.location) == (302, "/")
    assert expired(answer) >= OF_INTERCOM
    assert answer.headers["Cache-Control"] == "no-store"


def test_no_hook_makes_it_public() -> None:
    app = site()
    app.after_request(lambda response: response.headers.update({"Cache-Control": "public"}) or response)
    assert leave(app).headers["Cache-Control"] == "no-store"


def test_tenants_are_named_or_known_by_their_cookies() -> None:
    cookies = {"intercom-session-other123": "s", f"intercom-id-{'a' * 40}": "i", "intercom-id-wrong": "w", "sid": "x"}
    ended = expired(leave(site(tenant="tenant12"), cookies=cookies))
    tenants = {f"intercom-{kind}-tenant12" for kind in ("id", "session", "device-id")}
    assert ended == OF_INTERCOM | OF_SEGMENT | tenants | {"intercom-session-other123", f"intercom-id-{'a' * 40}"}


def test_a_browser_has_no_such_cookie_afterwards() -> None:
    client = site().test_client()
    for name in OF_INTERCOM:
        client.set_cookie(name, "of somebody", domain="example.com")
    client.get("/logout", base_url="http://www.example.com")
    client.get("/logout", base_url="http://example.com")
    assert [name for name in OF_INTERCOM if client.get_cookie(name, "example.com")] == []
    assert client.get_cookie("intercom-logout", "example.com") is not None


def test_a_wrong_app_id_is_refused() -> None:
    with pytest.raises(OptionError, match="app_id: must be 8 or 40"):
        leave(site(tenant="x; Domain=evil"))


def test_each_application_ends_its_own() -> None:
    intercom, apps = SegmentIntercom(), [Flask("one"), Flask("two")]
    for app, app_id in zip(apps, ("first123", "second12"), strict=True):
        app.config.update(INTERCOM_APP_ID=app_id, TESTING=True)
        intercom.init_app(app)
        with app.test_request_context():
            assert f"intercom-id-{app_id}" in expired(intercom.logout(make_response("bye")))


def test_without_an_app_id_it_still_ends_what_segment_keeps() -> None:
    assert expired(leave(site(INTERCOM_APP_ID=None))) == OF_SEGMENT


def test_an_application_without_the_extension_is_told_so() -> None:
    with Flask("bare").test_request_context(), pytest.raises(SettingsError, match=r"call init_app\(\)"):
        SegmentIntercom().logout(make_response("bye"))
