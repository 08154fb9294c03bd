"""The settings of whoever is logged in, fetched by a page that is cached in public; and a cache in front of it all."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from flask import Flask, Response, render_template_string, request, url_for
from werkzeug.http import parse_cache_control_header
from werkzeug.test import Client
from werkzeug.wrappers import Request
from werkzeug.wrappers import Response as Answer

from segment_intercom import SegmentIntercom, user_jwt
from segment_intercom.identity import read_user_jwt
from segment_intercom.web.session_route import is_same_origin
from tests.conftest import APP_ID, SECRET
from tests.web.test_snippet import settings_in

URL = "/segment-intercom/settings.json"
OWN = {"Sec-Fetch-Site": "same-origin"}
PEOPLE = ("ann", "bob")


def site(**config: Any) -> Flask:
    """A site that knows people by a cookie."""
    app = Flask("shop")
    app.config.update({"INTERCOM_APP_ID": APP_ID, "INTERCOM_IDENTITY_SECRET": SECRET, "TESTING": True, **config})
    intercom = SegmentIntercom(app)
    intercom.user_loader(lambda: {"id": name} if (name := request.cookies.get("who")) else None)
    intercom.company_loader(lambda: {"id": "of-" + request.cookies["who"], "name": "Theirs"})
    app.add_url_rule("/by-hand", "by_hand", lambda: render_template_string("<body>{{ intercom_snippet() }}</body>"))
    app.add_url_rule("/by-itself", "by_itself", lambda: "<body></body>")
    app.add_url_rule("/plain", "plain", lambda: "<p>the same for all</p>")
    return app


def publish(response: Response) -> Response:
    response.headers["Cache-Control"] = "public, max-age=600"
    response.headers["CDN-Cache-Control"] = response.headers["Surrogate-Control"] = "max-age=600"
    response.headers["X-Accel-Expires"] = "600"
    return response


def published(by: str) -> Flask:
    """The site, everything on it made public by its views or by a hook of the application."""
    app = site(INTERCOM_AUTO_INCLUDE=True)
    if by == "the view":
        for name in ("by_hand", "by_itself"):
            shown = app.view_functions[name]
            app.view_functions[name] = lambda shown=shown: publish(app.make_response(shown()))
    else:
        hooks = app.after_request_funcs[None]  # the extension's own is the first, and so the last to run
        hooks.insert(len(hooks) if by == "an early hook" else 1, publish)
    return app


def ask(app: Flask, path: str = URL, who: str = "ann", **options: Any) -> Any:
    headers = {"Cookie": f"who={who}"} if who else {}
    options.setdefault("method", "GET")
    return app.test_client(use_cookies=False).open(path, headers={**headers, **options.pop("headers", OWN)}, **options)


def test_answer_holds_loaded_user_and_company() -> None:
    answer = ask(site())
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.json["user_id"] == "ann"
    assert answer.json["company"] == {"company_id": "of-ann", "name": "Theirs"}
    assert len(answer.json["user_hash"]) == 64


def test_visitor_gets_visitor_settings() -> None:
    assert ask(site(), who="").json == {"app_id": APP_ID}


def test_no_parameter_is_read() -> None:
    query = f"{URL}?user_id=bob&app_id=other123&user=bob&traits=x&company=x"
    assert ask(site(), query).json == ask(site()).json


@pytest.mark.parametrize("headers", [OWN, {"Sec-Fetch-Site": "cross-site"}])
@pytest.mark.parametrize("who", ["", "ann"])
def test_answers_are_uncached_and_same_origin(headers: dict[str, str], who: str) -> None:
    """Every answer, refusals included, forbids caches to store it and other origins to read it."""
    answer_headers = ask(site(), who=who, headers=headers).headers
    assert "no-store" in answer_headers["Cache-Control"]
    assert (answer_headers["Vary"], answer_headers["Cross-Origin-Resource-Policy"]) == ("Cookie", "same-origin")
    assert answer_headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("where", ["cross-site", "same-site", "none", ""])
def test_only_same_origin_fetch_is_answered(where: str) -> None:
    headers = {"Sec-Fetch-Site": where, "Origin": "http://localhost", "Referer": "http://localhost/"}
    answer = ask(site(), headers=headers)
    assert (answer.status_code, answer.json) == (403, {})


@pytest.mark.parametrize(
    ("headers", "own"),
    [
        ({"Origin": "https://shop.example"}, True),
        ({"Referer": "https://shop.example/page?x"}, True),
        ({"Referer": "https://SHOP.example/"}, True),
        ({"Origin": "https://evil.example", "Referer": "https://shop.example/"}, False),
        ({}, False),
        ({"Origin": "null"}, False),
        ({"Referer": "http://shop.example/"}, False),
        ({"Referer": "https://shop.example:8443/"}, False),
        ({"Referer": "https://shop.example.evil.example/"}, False),
        ({"Referer": "https://shop.example@evil.example/"}, False),
        ({"Referer": "https://[evil/"}, False),
        ({"Referer": "/page"}, False),
    ],
)
def test_old_browser_must_name_same_origin(headers: dict[str, str], own: bool) -> None:
    """Without Sec-Fetch-Site the Origin or the Referer must be of the same origin."""
    assert is_same_origin(headers, "https://shop.example") is own


def test_referer_must_match_the_asked_address() -> None:
    for referer, status in (("https://shop.example/", 200), ("http://localhost/", 403)):
        answer = ask(site(), base_url="https://shop.example", headers={"Referer": referer})
        assert answer.status_code == status


@pytest.mark.parametrize("config", [{"INTERCOM_ENABLED": False}, {"INTERCOM_APP_ID": None}])
def test_route_is_missing_without_messenger(config: dict[str, Any]) -> None:
    answer = ask(site(**config))
    assert (answer.status_code, answer.json) == (404, {})


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("POST", 405), ("PUT", 405), ("OPTIONS", 200)])
def test_route_is_read_only(method: str, status: int) -> None:
    answer = ask(site(), method=method)
    assert (answer.status_code, b"user_id" in answer.data) == (status, False)


def test_nobody_is_loaded_for_another_origin() -> None:
    app = site()
    app.extensions["segment_intercom"].helpers.user_loader = lambda: pytest.fail("loaded")
    assert ask(app, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_route_follows_application_mount_point() -> None:
    app = site(APPLICATION_ROOT="/shop")
    with app.test_request_context(base_url="http://localhost/shop"):
        assert url_for("segment_intercom.settings_json") == f"/shop{URL}"
    assert ask(app, base_url="http://localhost/shop").json["user_id"] == "ann"


def test_values_outside_json_are_dropped() -> None:
    app = site(INTERCOM_STRICT=False)
    app.extensions["segment_intercom"].helpers.user_loader = lambda: {"id": "ann", "score": math.nan, "by": [math.inf]}
    assert json.loads(ask(app).data, parse_constant=pytest.fail)["user_id"] == "ann"


@pytest.mark.parametrize("claims", [{}, {"iat": 1}])
def test_token_says_when_it_was_made(claims: dict[str, Any]) -> None:
    """In whole seconds, unless its claims say it: the page knows how long it lasts, whatever its clock shows."""
    token = user_jwt(SECRET, {"user_id": "ann", **claims}, 60)
    read = read_user_jwt([SECRET], token) or {}
    assert (type(read["iat"]), read["iat"]) == (int, claims.get("iat", read["exp"] - 60))


def test_token_of_fast_clock_is_read() -> None:
    """The server that made it may be a little ahead of the one that reads it."""
    token = user_jwt(SECRET, {"user_id": "ann", "iat": int(time.time()) + 30}, 60)
    assert (read_user_jwt([SECRET], token) or {}).get("user_id") == "ann"


class Cache:
    """A reverse proxy that keeps what may be kept, by address alone; it trusts the headers that CDNs obey first."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.kept: dict[str, Answer] = {}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        asked = Request(environ)
        answer = self.kept.get(asked.url)
        if answer is None:
            answer = Answer.from_app(self.app, environ, buffered=True)
            answer.make_sequence()
            if asked.method == "GET" and self.may_keep(answer):
                self.kept[asked.url] = answer
        return answer(environ, start_response)

    @staticmethod
    def may_keep(answer: Answer) -> bool:
        for header in ("X-Accel-Expires", "CDN-Cache-Control", "Surrogate-Control"):
            if header in answer.headers:
                return True
        asked = parse_cache_control_header(answer.headers.get("Cache-Control"))
        forbidden = asked.no_store or asked.private
        return not forbidden and bool(asked.public or asked.s_maxage or asked.max_age)


def through(cache: Cache, path: str, who: str) -> str:
    headers = {"Cookie": f"who={who}"} if who else {}
    return Client(cache, use_cookies=False).get(path, headers={**OWN, **headers}).text


PUBLISHED = pytest.mark.parametrize("by", ["the view", "an early hook", "a late hook"])


@PUBLISHED
@pytest.mark.parametrize("read", [(URL, json.loads), ("/by-hand", settings_in)], ids=["the route", "by hand"])
def test_cache_gives_everybody_own_settings(by: str, read: tuple[str, Callable[..., Any]]) -> None:
    path, parse = read
    cache = Cache(published(by))
    for who in (*PEOPLE, *PEOPLE):
        assert parse(through(cache, path, who))["user_id"] == who
    assert "user_id" not in parse(through(cache, path, ""))


@PUBLISHED
def test_cache_asks_again_after_visitor(by: str) -> None:
    cache = Cache(published(by))
    user_ids = [json.loads(through(cache, URL, who)).get("user_id") for who in ("", "ann", "")]
    assert user_ids == [None, "ann", None]


@PUBLISHED
@pytest.mark.parametrize("first", ["", "ann"])
def test_cache_never_leaks_anothers_snippet(by: str, first: str) -> None:
    cache = Cache(published(by))
    for who in (first, *PEOPLE, "", *reversed(PEOPLE)):
        page = through(cache, "/by-itself", who)
        assert [person for person in PEOPLE if person != who and person in page] == []


def test_cache_stores_public_pages() -> None:
    """The cache of these tests does store public pages, so the tests before this would notice a leak."""
    cache = Cache(published("a late hook"))
    pages = [through(cache, "/plain", who) for who in PEOPLE]
    assert pages == ["<p>the same for all</p>"] * 2
    assert [url.rpartition("/")[2] for url in cache.kept] == ["plain"]


def test_public_page_is_same_for_all() -> None:
    """A page that its view makes public stays public, and no snippet is added to it."""
    cache = Cache(published("the view"))
    assert [through(cache, "/by-itself", who) for who in PEOPLE] == ["<body></body>"] * 2
    assert list(cache.kept) == ["http://localhost/by-itself"]
