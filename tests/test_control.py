"""What a site keeps from Intercom: events, pages, people who are archived."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Request, render_template_string
from hypothesis import given
from hypothesis import strategies as st

from segment_intercom import Analytics, Operation, SegmentIntercom, Settings, Track
from segment_intercom.ingest import Ingest, PlainMessage
from segment_intercom.outbox import SqliteOutbox
from segment_intercom.replay import waiting_messages
from segment_intercom.traits.event_names import is_wanted
from segment_intercom.transport import Reply
from tests.delivery.intercom import APP_ID, Intercom, intercom, make_intercom

__all__ = ["intercom", "make_intercom"]  # fixtures


@given(st.text(max_size=8), st.lists(st.text(alphabet="ab*.\\$^(", max_size=6).filter(str.strip), max_size=3))
def test_only_star_matches_any_text(event: str, denied: list[str]) -> None:
    """In the names of denied events all characters but the star stand for themselves."""
    expected = any(fnmatchcase(event, name.replace("[", "[[]").replace("?", "[?]")) for name in denied)
    assert is_wanted(event, Settings(deny_events=denied)) is not expected


def test_denied_event_is_not_stored(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(deliver="worker", outbox=f"sqlite:///{tmp_path}/o.db", deny_events=["Debug*"])
    with closing(Ingest(settings)) as ingest:
        plain = PlainMessage("ann", b'{"type":"track","userId":"ann","event":"Debug"}', None, "Debug")
        assert ingest.enqueue_all([Track("Debug", {}, "ann"), Track("Paid", {}, "ann"), plain]) == 1
    with closing(Analytics(settings)) as analytics:
        analytics.track("ann", "Debugged")
        assert analytics.flush() == 0
        analytics.track("ann", "Paid again")
        assert analytics.flush() == 1
    with closing(SqliteOutbox(tmp_path / "o.db")) as outbox:
        assert [json.loads(body)["event"] for body in waiting_messages(outbox)] == ["Paid", "Paid again"]
    assert "event 'Debug': not told to Intercom, by allow_events and deny_events" in caplog.text


def test_only_allowed_events_are_captured() -> None:
    app = Flask("shop")
    app.config.update(TESTING=True, INTERCOM_ALLOW_EVENTS="Paid,Order *")
    intercom = SegmentIntercom(app)
    with app.app_context():
        for event in ("Paid", "Order Completed", "Looked"):
            intercom.track("ann", event)
    assert [call.event for call in app.extensions["segment_intercom"].captured] == ["Paid", "Order Completed"]


def site(exclude_if: Callable[[Request], Any], **config: Any) -> Flask:
    app = Flask("shop")
    app.config.update(INTERCOM_APP_ID=APP_ID, **config)
    SegmentIntercom(app, exclude_if=exclude_if)

    @app.get("/by-hand")
    def by_hand() -> str:
        return render_template_string("<body>{{ intercom_snippet() }}{{ analytics_snippet() }}</body>")

    @app.get("/")
    def index() -> str:
        return "<body></body>"

    return app


@pytest.mark.parametrize("path", ["/", "/by-hand"])
def test_exclude_if_leaves_page_alone(path: str) -> None:
    app = site(lambda request: "admin" in request.args, INTERCOM_AUTO_INCLUDE=True)
    client = app.test_client()
    assert "widget.intercom.io" in client.get(path).text
    page = client.get(f"{path}?admin").text
    assert "widget.intercom.io" not in page
    assert ("switched off: by exclude_if" in page) is (path == "/by-hand")


def test_exclude_if_runs_once_per_request() -> None:
    asked: list[str] = []
    site(lambda request: asked.append(request.path), INTERCOM_AUTO_INCLUDE=True).test_client().get("/by-hand")
    assert asked == ["/by-hand"]


def test_exclude_if_error_spares_page(caplog: pytest.LogCaptureFixture) -> None:
    """In production the page lacks Intercom and the log says why; in testing the error is raised."""
    app = site(lambda request: request.args["admin"] / 0, INTERCOM_AUTO_INCLUDE=True)
    answer = app.test_client().get("/?admin=1")
    assert (answer.status_code, answer.text) == (200, "<body></body>")
    assert "exclude_if raised; the page is without Intercom" in caplog.text
    app.testing = True
    with pytest.raises(TypeError):
        app.test_client().get("/?admin=1")


def test_it_may_be_a_setting_too() -> None:
    app = Flask("shop")
    app.config.update(INTERCOM_APP_ID=APP_ID, INTERCOM_EXCLUDE_IF=lambda request: True)
    SegmentIntercom(app)
    with app.test_request_context("/"):
        assert "exclude_if" in app.jinja_env.from_string("{{ intercom_snippet(None) }}").render()


def archive(intercom: Intercom) -> None:
    intercom.put(type="identify", userId="ann", traits={"email": "ann@example.com"})
    intercom.put(type="delete", userId="ann", archive=True)
    intercom.deliver()


MESSAGES: list[dict[str, Any]] = [
    {"type": "identify", "traits": {"email": "ann@example.com", "company": {"id": "c"}}},
    {"type": "track", "event": "Back"},
    {"type": "group", "groupId": "c"},
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message["type"])
def test_archived_user_stays_archived(
    make_intercom: Callable[..., Intercom], message: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """With restore_archived off the call is left out, logged and counted; other users are delivered."""
    intercom = make_intercom(restore_archived=False)
    archive(intercom)
    intercom.put(userId="ann", **message)
    intercom.put(type="identify", userId="bob")
    intercom.deliver()
    assert {person["user_id"]: person["archived"] for person in intercom.state["people"]} == {"ann": True, "bob": False}
    counts = intercom.outbox.counts()
    assert (counts.waiting, counts.given_up, counts.left_out) == (0, 0, 1)
    assert "a call of a user who is archived at Intercom is left out" in caplog.text


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message["type"])
def test_next_call_restores_archived_user(intercom: Intercom, message: dict[str, Any]) -> None:
    archive(intercom)
    intercom.put(userId="ann", **message)
    intercom.deliver()
    (person,) = intercom.state["people"]
    assert person["archived"] is False


def test_direct_delivery_skips_archived_user_silently(make_intercom: Callable[..., Intercom]) -> None:
    """With deliver=now and restore_archived off, a call of an archived user raises nothing."""
    intercom = make_intercom(restore_archived=False)
    archive(intercom)
    with closing(Analytics(replace(intercom.settings, deliver="now"), intercom.transport)) as analytics:
        analytics.identify("ann", {"plan": "pro"})
    assert intercom.state["people"][0]["archived"] is True


@pytest.mark.parametrize("version", ["2.16", "1.4"])
def test_refused_tag_costs_nothing_else(make_intercom: Callable[..., Intercom], version: str) -> None:
    intercom = make_intercom(tags=True, api_version=version)

    def refuse(operation: Operation) -> Reply | None:
        is_bad = operation.path == "/tags" and (operation.body or {})["name"] == "x" * 300
        return Reply(400, {"type": "error.list", "errors": [{"code": "parameter_invalid"}]}) if is_bad else None

    intercom.transport.before = refuse
    company = {"id": "7", "name": "Acme"}
    intercom.put(type="identify", userId="ann", traits={"tags": ["x" * 300, "vip"], "company": company})
    intercom.deliver()
    assert intercom.person("ann")["tags"] == ["vip"]
    assert [company["name"] for company in intercom.state["companies"]] == ["Acme"]
    assert (intercom.outbox.counts().given_up, intercom.outbox.counts().left_out) == (0, 1)


def test_tags_are_created_once_and_attached(make_intercom: Callable[..., Intercom]) -> None:
    intercom = make_intercom(tags=True)
    for user in ("ann", "bob"):
        intercom.put(type="identify", userId=user, traits={"tags": ["VIP", "beta"], "plan": "pro"})
    intercom.deliver()
    intercom.put(type="identify", userId="ann", traits={"tags": ["vip"]})
    before = len(intercom.transport.requests)
    intercom.deliver()
    assert intercom.person("ann")["tags"] == ["VIP", "beta"]
    assert intercom.person("bob")["custom_attributes"] == {"plan": "pro"}
    tags = [path for _, path in intercom.transport.requests if path == "/tags"]
    assert len(tags) == 3, "a tag by another case is asked for once"
    assert len(intercom.transport.requests) - before <= 3


def test_deleted_tag_is_created_anew(make_intercom: Callable[..., Intercom]) -> None:
    intercom = make_intercom(tags=True)
    intercom.put(type="identify", userId="ann", traits={"tags": "vip"})
    intercom.deliver()
    account = intercom.app.extensions["sandbox"].account(APP_ID)
    account.tags.clear()
    for person in account.people:
        person.tag_ids.clear()
    intercom.put(type="identify", userId="bob", traits={"tags": "vip"})
    intercom.deliver()
    intercom.now += 300
    intercom.deliver()
    assert intercom.person("bob")["tags"] == ["vip"]


def test_classic_api_tags_by_user_id(make_intercom: Callable[..., Intercom]) -> None:
    intercom = make_intercom(tags=True, api_version="1.4")
    intercom.put(type="identify", userId="ann", traits={"tags": ["vip"]})
    intercom.deliver()
    assert intercom.person("ann")["tags"] == ["vip"]
