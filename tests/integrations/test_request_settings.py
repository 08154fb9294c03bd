"""The settings of one request: who is switched off names nobody, and each workspace hears of its own users alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, make_response, render_template_string, request
from werkzeug.local import LocalProxy

from segment_intercom import SegmentIntercom, SettingsError, user_hash
from segment_intercom.integrations.signals import call_accepted
from tests.conftest import APP_ID, SECRET

ACME = "acme1234"
ROUTE = "/segment-intercom/settings.json"
OWN = {"Sec-Fetch-Site": "same-origin"}
USER = {"id": "ann", "email": "ann@example.com"}
TEMPLATE = "{{ intercom_snippet() }}{{ analytics_snippet() }}{{ intercom_settings() | tojson }}"


def site(workspace: Callable[[], Any] | None = None, exclude_if: Any = None, **config: Any) -> Flask:
    app = Flask("shop")
    workspaces = {ACME: {"identity_secret": "secret-of-acme"}} if workspace is not None else {}
    app.config.update({"INTERCOM_APP_ID": APP_ID, "INTERCOM_IDENTITY_SECRET": SECRET, **config})
    app.config["INTERCOM_WORKSPACES"] = workspaces
    intercom = SegmentIntercom(app, exclude_if=exclude_if)
    intercom.user_loader(lambda: USER)
    if workspace is not None:
        intercom.workspace_loader(workspace)
    app.add_url_rule("/", "home", lambda: render_template_string(TEMPLATE))
    app.add_url_rule("/remote", "remote", lambda: render_template_string("{{ intercom_snippet(remote=True) }}"))
    app.add_url_rule("/logout", "logout", lambda: intercom.logout(make_response("bye")))
    return app


def fail() -> str:
    raise LookupError("the tenants' database is away")


OFF: dict[str, Callable[[], Flask]] = {
    "by the setting": lambda: site(INTERCOM_ENABLED=False),
    "by exclude_if": lambda: site(exclude_if=lambda request: request.cookies.get("acts-for") == "ann"),
    "by exclude_if that raises": lambda: site(exclude_if=lambda request: fail()),
    "by a loader that raises": lambda: site(fail),
    "by what is no app id": lambda: site(lambda: "tenant 1"),
}


@pytest.mark.parametrize("path", ["/", ROUTE])
@pytest.mark.parametrize("make", OFF.values(), ids=OFF)
def test_switched_off_request_names_nobody(make: Callable[[], Flask], path: str) -> None:
    """Not in the page, not as a dict, and not by the route; nor is anybody's proof made."""
    answer = make().test_client(use_cookies=False).get(path, headers={**OWN, "Cookie": "acts-for=ann"})
    assert answer.status_code == (200 if path == "/" else 404)
    assert not [text for text in ("ann", "user_hash", APP_ID) if text in answer.text]


def test_route_answers_whoever_is_not_excluded() -> None:
    app = OFF["by exclude_if"]()
    assert app.test_client().get(ROUTE, headers=OWN).json["user_id"] == "ann"  # type: ignore[index]


def test_switched_off_call_reaches_no_listener() -> None:
    app, heard = site(INTERCOM_ENABLED=False), []

    def listen(_: Flask, call: Any) -> None:
        heard.append(call)

    with call_accepted.connected_to(listen, app), app.app_context():
        SegmentIntercom().track("ann", "Paid")
    assert heard == []


def test_listener_hears_of_what_was_accepted(tmp_path: Path) -> None:
    """As ``before_send`` has left it, and of nothing that it dropped."""

    def change(call: Any) -> Any:
        return None if call.event == "Debugged" else replace(call, properties={"seen": True})

    app, heard = Flask("shop"), []
    app.config.update(INTERCOM_APP_ID=APP_ID, INTERCOM_ACCESS_TOKEN="t", INTERCOM_DELIVER="worker")
    app.config["INTERCOM_OUTBOX"] = f"sqlite:///{tmp_path}/o.db"
    intercom = SegmentIntercom(app, before_send=change)

    def listen(_: Flask, call: Any) -> None:
        heard.append((call.event, call.properties))

    with call_accepted.connected_to(listen, app), app.app_context():
        intercom.track("ann", "Debugged")
        intercom.track("ann", "Paid")
    app.extensions["segment_intercom"].ingest.close()
    assert heard == [("Paid", {"seen": True})]


@pytest.mark.parametrize("own_app_id", [APP_ID, None])
def test_route_answers_for_requests_workspace(own_app_id: str | None) -> None:
    """Tenants need no INTERCOM_APP_ID beside their own."""
    client = site(lambda: ACME, INTERCOM_APP_ID=own_app_id).test_client()
    assert f'"route":"{ROUTE}"' in client.get("/remote").text
    answer = client.get(ROUTE, headers=OWN).json
    assert answer == {"app_id": ACME, "user_id": "ann", "email": USER["email"], "user_hash": answer["user_hash"]}  # type: ignore[index]
    assert answer["user_hash"] == user_hash("secret-of-acme", "ann")  # type: ignore[index]


def test_route_is_missing_without_workspace() -> None:
    answer = site(lambda: None, INTERCOM_APP_ID=None).test_client().get(ROUTE, headers=OWN)
    assert (answer.status_code, answer.json) == (404, {})


def test_route_asks_for_workspace_once() -> None:
    """Of two answers the second might be another tenant's."""
    asked: list[str] = []
    site(lambda: asked.append(request.path) or ACME).test_client().get(ROUTE, headers=OWN)
    assert asked == [ROUTE]


@pytest.mark.parametrize(("value", "app_id"), [(None, APP_ID), (ACME, ACME)])
def test_workspace_proxy_counts_as_value(value: str | None, app_id: str) -> None:
    app = site(lambda: LocalProxy(lambda: value), TESTING=True)
    assert app.test_client().get(ROUTE, headers=OWN).json["app_id"] == app_id  # type: ignore[index]


@pytest.mark.parametrize("value", [None, ACME])
def test_call_follows_workspace_proxy(value: str | None) -> None:
    app = Flask("shop")
    app.config.update(INTERCOM_APP_ID=APP_ID, INTERCOM_WORKSPACES={ACME: "token"}, TESTING=True)
    intercom = SegmentIntercom(app)
    intercom.workspace_loader(lambda: LocalProxy(lambda: value))  # type: ignore[arg-type,return-value]
    with app.test_request_context():
        intercom.track("ann", "Paid")
        assert [call.app_id for call in intercom.captured] == [value]


def ended(app: Flask) -> set[str]:
    lines = app.test_client().get("/logout").headers.getlist("Set-Cookie")
    return {line.partition("=")[0] for line in lines if line.startswith("intercom-session-")}


def test_log_out_ends_workspace_cookies() -> None:
    assert ended(site(lambda: ACME)) == {f"intercom-session-{ACME}", f"intercom-session-{APP_ID}"}


@pytest.mark.parametrize("workspace", [fail, lambda: None, lambda: "x; Domain=evil"])
def test_log_out_survives_unknown_workspace(workspace: Callable[[], Any]) -> None:
    assert ended(site(workspace)) == {f"intercom-session-{APP_ID}"}


def test_developer_hears_of_wrong_workspace() -> None:
    with pytest.raises(SettingsError, match=r"^workspace_loader: what it returned must be 8 or 40 letters"):
        ended(site(lambda: "x; Domain=evil", TESTING=True))
