"""For whom the sandbox and the demo are there: their own hosts, and for changes their own pages."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from flask import Flask

from segment_intercom.demo import create_demo
from segment_intercom.sandbox import Workspace, create_sandbox
from tests.conftest import APP_ID

FOREIGN = [
    "evil.example",
    "evil.example:5001",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "192.168.0.7",
    "[::2]",
    "[",
]
OWN = ["127.0.0.1:5001", "127.1.2.3", "localhost", "app.localhost:80", "[::1]:5001", "api.eu.intercom.io"]


def sandbox() -> Flask:
    return create_sandbox(Workspace(APP_ID))


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize(
    ("make", "path"),
    [(sandbox, "/inspector"), (sandbox, "/contacts"), (create_demo, "/"), (create_demo, "/sandbox/inspector")],
)
def test_foreign_host_is_refused_with_remedy(make: Callable[[], Flask], path: str, host: str) -> None:
    answer = make().test_client().get(path, headers={"Host": host, "Authorization": "Bearer t"})
    assert answer.status_code in (400, 403)
    assert answer.status_code == 400 or "http://127.0.0.1" in answer.text


@pytest.mark.parametrize("host", OWN)
def test_its_own_hosts_are_answered(host: str) -> None:
    assert sandbox().test_client().get("/inspector", headers={"Host": host}).status_code == 200


def test_a_further_host_may_be_named() -> None:
    app = create_sandbox(Workspace(APP_ID), hosts=["box.test"])
    assert app.test_client().get("/inspector", headers={"Host": "box.test:80"}).status_code == 200


CROSS = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://localhost:81"},
]


@pytest.mark.parametrize("headers", CROSS)
def test_cross_origin_page_changes_nothing(headers: dict[str, str]) -> None:
    client = sandbox().test_client()
    assert client.post("/inspector/reset", headers=headers).status_code == 403
    assert client.post("/inspector/faults", headers=headers, json={"faults": []}).status_code == 403
    assert create_demo().test_client().post("/choose", headers=headers).status_code == 403


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin"}])
def test_own_page_or_program_may_change(headers: dict[str, str]) -> None:
    assert sandbox().test_client().post("/inspector/reset", headers=headers).status_code == 204


def test_preflight_does_not_open_rest_api() -> None:
    answer = sandbox().test_client().options("/contacts", headers={"Origin": "https://evil.example"})
    assert not any(name.startswith("Access-Control") for name, _ in answer.headers)


@pytest.mark.parametrize("path", ["/me", "/inspector"])
def test_one_date_is_sent(serve: Callable[..., str], path: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(serve(sandbox())).netloc)
    connection.request("GET", path, headers={"Authorization": "Bearer t"})
    assert len(connection.getresponse().headers.get_all("Date", [])) == 1
    connection.close()
