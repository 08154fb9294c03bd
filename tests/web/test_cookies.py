"""Log-out: which cookies end, on which domains, and the marker that the next page acts on."""

from __future__ import annotations

import time
from typing import Any

import pytest
from flask import Flask, make_response, redirect
from werkzeug.local import LocalProxy

from segment_intercom import OptionError, SegmentIntercom, SettingsError
from segment_intercom.web.cookies import domains_of
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
    names = set()
    for cookie in answer.headers.getlist("Set-Cookie"):
        pair, *rest = cookie.split("; ")
        name, value = pair.split("=", 1)
        if "Max-Age=0" in rest:
            assert (value, "Path=/" in rest) == ("", True)
            names.add("@".join([name, *(part.removeprefix("Domain=") for part in rest if part.startswith("Domain="))]))
    return names


BROUGHT = dict.fromkeys(sorted(OF_INTERCOM | OF_SEGMENT), "x")


def leave(app: Flask, host: str = "localhost", cookies: dict[str, str] = BROUGHT, scheme: str = "http") -> Any:
    client = app.test_client(use_cookies=False)
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    return client.get("/logout", base_url=f"{scheme}://{host}", headers=headers if cookies else {})


def test_cookies_end_on_parent_domains_too() -> None:
    """Without cookies in the request they end all the same, as they may be of another path."""
    ended = expired(leave(site(), "www.example.com"))
    places = ("", "@www.example.com", "@example.com")
    assert ended == {name + place for name in OF_INTERCOM | OF_SEGMENT for place in places}
    assert expired(leave(site(), cookies={})) == OF_INTERCOM | OF_SEGMENT, "they may be of another path"


@pytest.mark.parametrize("host", ["localhost", "www.example.com", "a.very.long.name.of-many.labels.example.co.uk"])
def test_cookie_lines_stay_under_two_kilobytes(host: str) -> None:
    planted = {f"intercom-id-{number:08}": "x" for number in range(150)}
    answer = leave(site(), host, {**planted, **BROUGHT})
    lines = answer.headers.getlist("Set-Cookie")
    assert sum(len(f"Set-Cookie: {line}\r\n") for line in lines) <= 2048
    assert f"intercom-session-{APP_ID}" in expired(answer)
    assert any(line.startswith("intercom-logout=") for line in lines)


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
def test_host_yields_itself_and_its_parents(host: str, domains: list[str]) -> None:
    """An address, a name of a single label and an invalid name have no domain."""
    assert domains_of(host) == domains


@pytest.mark.parametrize(("scheme", "secure"), [("http", False), ("https", True)])
def test_marker_is_readable_on_whole_domain(scheme: str, secure: bool) -> None:
    """It lasts 270 days, is open to scripts, and is Secure on HTTPS."""
    answer = leave(site(), "auth.example.com", scheme=scheme)
    markers = [line.split("; ") for line in answer.headers.getlist("Set-Cookie") if "logout" in line]
    assert [line[1] for line in markers] == ["Domain=example.com", "Domain=auth.example.com"]
    for pair, *rest in markers:
        assert abs(int(pair.removeprefix("intercom-logout=")) / 1000 - time.time()) < 60
        assert {"Max-Age=23328000", "Path=/", "SameSite=Lax"} <= set(rest)
        assert ("HttpOnly" in rest, "Secure" in rest) == (False, secure)


def test_storage_is_cleared_only_on_demand() -> None:
    app = Flask("clearing")
    app.config.update(INTERCOM_APP_ID=APP_ID, TESTING=True)
    intercom = SegmentIntercom(app)
    with app.test_request_context():
        assert intercom.logout(make_response("bye"), clear_storage=True).headers["Clear-Site-Data"] == '"storage"'
        assert "Clear-Site-Data" not in intercom.logout(make_response("bye")).headers


def test_logout_redirect_is_not_cached() -> None:
    answer = leave(site(lambda: redirect("/")))
    assert (answer.status_code, answer.location) == (302, "/")
    assert expired(answer) >= OF_INTERCOM
    assert answer.headers["Cache-Control"] == "no-store"


def test_no_hook_makes_it_public() -> None:
    app = site()
    app.after_request(lambda response: response.headers.update({"Cache-Control": "public"}) or response)
    assert leave(app).headers["Cache-Control"] == "no-store"


def test_tenant_cookies_end_too() -> None:
    """A tenant is known by the argument or by a cookie; three app ids at most are served."""
    cookies = {"intercom-session-other123": "s", f"intercom-id-{'a' * 40}": "i", "intercom-id-wrong": "w", "sid": "x"}
    ended = expired(leave(site(tenant="tenant12"), cookies={**cookies, "intercom-id-tenant12": "t"}))
    tenants = {f"intercom-{kind}-tenant12" for kind in ("id", "session", "device-id")}
    assert ended == OF_INTERCOM | OF_SEGMENT | tenants | {"intercom-session-other123"}, "three app ids at most"


@pytest.mark.parametrize("value", [None, "tenant12"])
def test_tenant_may_be_a_proxy(value: str | None) -> None:
    ended = expired(leave(site(tenant=LocalProxy(lambda: value))))  # type: ignore[arg-type]
    assert ("intercom-id-tenant12" in ended) is (value is not None)


def test_browser_loses_cookies_keeps_marker() -> None:
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
        with app.test_request_context(headers={"Cookie": f"intercom-id-{app_id}=x"}):
            assert f"intercom-id-{app_id}" in expired(intercom.logout(make_response("bye")))


def test_without_app_id_segment_cookies_end() -> None:
    assert expired(leave(site(INTERCOM_APP_ID=None), cookies=dict.fromkeys(OF_SEGMENT, "x"))) == OF_SEGMENT


def test_logout_without_extension_is_refused() -> None:
    with Flask("bare").test_request_context(), pytest.raises(SettingsError, match=r"call init_app\(\)"):
        SegmentIntercom().logout(make_response("bye"))
