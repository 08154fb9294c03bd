"""Delivery within the call, and what an application does to its calls before they are sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from segment_intercom import (
    Analytics,
    CallError,
    DeliveryError,
    Identify,
    SegmentIntercom,
    Settings,
    SettingsError,
    Track,
)
from segment_intercom.calls import Call
from segment_intercom.delivery import Sender
from segment_intercom.transport import PATIENCE, Reply
from tests.delivery.intercom import APP_ID, Intercom


@pytest.fixture
def intercom(tmp_path: Path) -> Iterator[Intercom]:
    intercom = Intercom(tmp_path, deliver="now")
    yield intercom
    intercom.close()


def test_call_returns_once_delivered(intercom: Intercom, tmp_path: Path) -> None:
    analytics = Analytics(intercom.settings, intercom.transport)
    analytics.identify("ann", {"plan": "pro", "company": {"id": "c1", "name": "Tea"}})
    assert intercom.person("ann")["custom_attributes"] == {"plan": "pro"}
    analytics.track("bob", "Baked")  # a user whom Intercom does not know yet
    assert intercom.events == ["Baked"]
    assert analytics.flush() == 0
    analytics.close()
    assert not [*tmp_path.glob("*.db")]


def test_refusal_raises_without_values(intercom: Intercom) -> None:
    intercom.transport.before = lambda _: Reply(422, {"errors": [{"code": "invalid", "message": "ann@example.com"}]})
    with pytest.raises(DeliveryError, match="Intercom answered 422 invalid") as refused:
        Analytics(intercom.settings, intercom.transport).track("ann", "Baked")
    assert "ann" not in str(refused.value)


def test_refused_token_names_its_setting(intercom: Intercom) -> None:
    intercom.transport.before = lambda _: Reply(401, None)
    with pytest.raises(DeliveryError, match="INTERCOM_ACCESS_TOKEN"):
        Analytics(intercom.settings, intercom.transport).track("ann", "Baked")


def test_direct_calls_wait_for_their_window(intercom: Intercom, monkeypatch: pytest.MonkeyPatch) -> None:
    """With several workspaces as well: each thread waits for its own call, and keeps no other from being sent."""
    made: list[dict[str, Any]] = []

    def transport(settings: Settings, **options: Any) -> Any:
        made.append(options)
        return intercom.transport

    monkeypatch.setattr("segment_intercom.ingest.HttpTransport", transport)
    analytics = Analytics(replace(intercom.settings, workspaces={"acme1234": "token"}))
    analytics.identify("ann", {"plan": "pro"})
    analytics.close()
    assert made == [{"patience": PATIENCE}]


def test_a_failure_is_tried_again(intercom: Intercom, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("segment_intercom.delivery.now.time.sleep", waits.append)
    replies = iter([Reply(500, None), Reply(429, None, wait=3.0)])
    intercom.transport.before = lambda _: next(replies, None)
    analytics = Analytics(intercom.settings, intercom.transport)
    analytics.identify("ann", {"plan": "pro"})
    assert intercom.person("ann")["user_id"] == "ann"
    assert waits == [0.5, 3.0]
    intercom.transport.before = lambda _: Reply(503, None)
    with pytest.raises(DeliveryError, match="Intercom answered 503"):
        analytics.track("ann", "Baked")


def test_a_transaction_needs_an_outbox(intercom: Intercom) -> None:
    with pytest.raises(CallError, match="connection: needs an outbox"):
        Analytics(intercom.settings, intercom.transport).track("ann", "Baked", connection=object())


def masked(call: Call) -> Call | None:
    """Drops an event, masks a trait, and fails on another event."""
    if isinstance(call, Track) and call.event == "Secret":
        return None
    if isinstance(call, Track) and call.event == "Odd":
        raise ValueError("in the application")
    return replace(call, traits={**call.traits, "plan": "hidden"}) if isinstance(call, Identify) else call


@pytest.mark.parametrize("way", ["setting", "keyword"])
def test_before_send_changes_and_drops(intercom: Intercom, way: str, caplog: pytest.LogCaptureFixture) -> None:
    settings = replace(intercom.settings, before_send=masked) if way == "setting" else intercom.settings
    analytics = Analytics(settings, intercom.transport, before_send=None if way == "setting" else masked)
    analytics.identify("ann", {"plan": "pro"})
    analytics.track("ann", "Secret")
    assert intercom.person("ann")["custom_attributes"] == {"plan": "hidden"}
    assert intercom.events == []
    assert "before_send drops a track call" in caplog.text


def test_before_send_exception_reaches_application(intercom: Intercom) -> None:
    with pytest.raises(ValueError, match="in the application"):
        Analytics(intercom.settings, intercom.transport, before_send=masked).track("ann", "Odd")
    with pytest.raises(CallError, match="before_send: must return a call or None, not str"):
        Analytics(intercom.settings, intercom.transport, before_send=lambda _: "no").track("ann", "Odd")


def test_failed_before_send_stores_dead_letter(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Without strictness a call that fails in before_send becomes a dead letter and can be sent again."""
    intercom = Intercom(tmp_path, strict=False, deliver="worker")
    with closing(intercom):
        failing = Analytics(intercom.settings, before_send=masked)
        failing.track("ann", "Odd")
        failing.track("ann", "Baked")
        failing.close()
        intercom.deliver()
        (dead,) = intercom.outbox.dead_letters()
        assert dead.reason == "before_send: before_send raised ValueError"
        assert intercom.events == ["Baked"]
        assert "before_send raised" in caplog.text
        intercom.outbox.resend()  # by a worker whose before_send is mended
        settings = replace(intercom.settings, before_send=lambda call: call)
        intercom.sender = Sender(settings, intercom.outbox, intercom.transport, clock=lambda: intercom.now)
        intercom.deliver()
        assert intercom.events == ["Baked", "Odd"]


def test_captured_calls_have_gone_through_it() -> None:
    app = Flask("shop")
    app.config.update(INTERCOM_APP_ID=APP_ID, TESTING=True)
    intercom = SegmentIntercom(app, before_send=masked)
    with app.app_context():
        intercom.identify("ann", {"plan": "pro"})
        intercom.track("ann", "Secret")
    (call,) = app.extensions["segment_intercom"].captured
    assert call.traits["plan"] == "hidden"


@pytest.mark.parametrize("wrong", ["masked", 5])
def test_before_send_is_a_function(wrong: Any) -> None:
    with pytest.raises(SettingsError, match="before_send: must be a function"):
        Settings(before_send=wrong)
