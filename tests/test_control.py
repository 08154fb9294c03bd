"""What a site keeps from Intercom: events, pages, people who are archived."""

from __future__ import annotations

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
from segment_intercom.traits.event_names import is_wanted
from segment_intercom.transport import Reply
from tests.delivery.intercom import APP_ID, Intercom, intercom, make_intercom

__all__ = ["intercom", "make_intercom"]  # fixtures


@given(st.text(max_size=8), st.lists(st.text(alphabet="ab*.\\$^(", max_size=6).filter(str.strip), max_size=3))
def test_a_star_is_all_that_stands_for_something(event: str, denied: list[str]) -> None:
    expected = any(fnmatchcase(event, name.replace("[", "[[]").replace("?", "[?]")) for name in denied)
    assert is_wanted(event, Settings(deny_events=denied)) is not expected


def test_an_event_that_is_denied_is_not_even_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(deliver="worker", outbox=f"sqlite:///{tmp_path}/o.db", deny_events=["Debug*"])
    with closing(Ingest(settings)) as ingest:
        plain = PlainMessage("ann", b'{"type":"track","userId":"ann","event":"Debug"}', None, "Debug")
        assert ingest.enqueue_all([Track("Debug", {}, "ann"), Track("Paid", {}, "ann"), plain]) == 1
    with closing(Analytics(settings)) as analytics:
        analytics.track("ann", "Debugged")
    assert "event 'Debug': not told to Intercom, by allow_events and deny_events" in caplog.text


def test_a_denied_event_is_not_captured_either() -> None:
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
def test_a_page_is_left_alone_where_the_application_says_so(path: str) -> None:
    app = site(lambda request: "admin" in request.args, INTERCOM_AUTO_INCLUDE=True)
    client = app.test_client()
    assert "widget.intercom.io" in client.get(path).text
    page = client.get(f"{path}?admin").text
    assert "widget.intercom.io" not in page
    assert ("switched off: by exclude_if" in page) is (path == "/by-hand")


def test_the_application_is_asked_once_a_request() -> None:
    asked: list[str] = []
    site(lambda request: asked.append(request.path), INTERCOM_AUTO_INCLUDE=True).test_client().get("/by-hand")
    assert asked == ["/by-hand"]


def test_its_fault_surfaces_in_development_and_costs_a_page_nothing(caplog: pytest.LogCaptureFixture) -> None:
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
def test_who_is_archived_stays_so_where_that_is_wanted(
    make_intercom: Callable[..., Intercom], message: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
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
def test_who_is_archived_comes_back_with_the_next_call(intercom: Intercom, message: dict[str, Any]) -> None:
    archive(intercom)
    intercom.put(userId="ann", **message)
    intercom.deliver()
    (person,) = intercom.state["people"]
    assert person["archived"] is False


def test_a_script_is_not_told_of_what_is_left_out(make_intercom: Callable[..., Intercom]) -> None:
    intercom = make_intercom(restore_archived=False)
    archive(intercom)
    with closing(Analytics(replace(intercom.settings, deliver="now"), intercom.transport)) as analytics:
        analytics.identify("ann", {"plan": "pro"})
    assert intercom.state["people"][0]["archived"] is True


@pytest.mark.parametrize("version", ["2.16", "1.4"])
def test_a_tag_that_is_refused_costs_no_other(make_intercom: Callable[..., Intercom], version: str) -> None:
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


def test_tags_are_made_once_and_given_to_the_contact(make_intercom: Callable[..., Intercom]) -> None:
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


def test_a_tag_that_was_deleted_at_intercom_is_made_anew(make_intercom: Callable[..., Intercom]) -> None:
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


def test_the_classic_api_tags_a_user_by_their_id(make_intercom: Callable[..., Intercom]) -> None:
    intercom = make_intercom(tags=True, api_version="1.4")
    intercom.put(type="identify", userId="ann", traits={"tags": ["vip"]})
    intercom.deliver()
    assert intercom.person("ann")["tags"] == ["vip"]
