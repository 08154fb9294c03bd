"""The deletion of a user: the contact, their dead letters, and all that is remembered of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask

from segment_intercom import (
    Analytics,
    CallError,
    Delete,
    SegmentIntercom,
    Settings,
    Track,
    parse,
    rest_operations,
)
from segment_intercom.calls import message_of
from segment_intercom.cli import main
from segment_intercom.ingest import Ingest
from segment_intercom.outbox import Lease, Outbox, open_outbox
from segment_intercom.sandbox import Workspace, create_sandbox
from segment_intercom.transport import Reply
from tests.collector.conftest import BROWSER, Received, received
from tests.contract import check
from tests.delivery.intercom import APP_ID, Intercom
from tests.delivery.test_worker import START, Station
from tests.outbox.conftest import jetstream, nats_server, postgres, postgres_server

__all__ = ["jetstream", "nats_server", "postgres", "postgres_server", "received"]  # fixtures


@pytest.fixture
def intercom(tmp_path: Path) -> Iterator[Intercom]:
    intercom = Intercom(tmp_path)
    yield intercom
    intercom.close()


def people(intercom: Intercom) -> list[Any]:
    return [person["user_id"] for person in intercom.state["people"]]


def test_user_is_deleted_after_their_calls(intercom: Intercom) -> None:
    for user in ("ann", "bob"):
        intercom.put(type="identify", userId=user, traits={"email": f"{user}@example.com"})
        intercom.put(type="track", userId=user, event="Baked")
    intercom.put(type="delete", userId="ann")
    intercom.deliver()
    assert people(intercom) == ["bob"]
    assert intercom.outbox.counts().given_up == 0


def test_what_was_remembered_is_forgotten(intercom: Intercom) -> None:
    intercom.put(type="identify", userId="ann", traits={"email": "ann@example.com"})
    intercom.put(type="delete", userId="ann")
    intercom.put(type="identify", userId="ann", traits={"email": "ann@example.com"})
    intercom.deliver()
    assert people(intercom) == ["ann"]
    assert [path for method, path in intercom.transport.requests if method == "POST"].count("/contacts") == 2


def test_dead_letters_go_with_their_user(intercom: Intercom) -> None:
    for user in ("ann", "bob"):
        intercom.outbox.put(user, b"nonsense")
        intercom.put(type="identify", userId=user)
    intercom.deliver()
    assert intercom.outbox.counts().given_up == 2
    intercom.put(type="delete", userId="ann")
    intercom.deliver()
    (left,) = intercom.outbox.dead_letters()
    assert left.user == "bob"


def test_an_email_names_a_user_too(intercom: Intercom) -> None:
    with closing(Analytics(intercom.settings, intercom.transport)) as analytics:
        analytics.identify(traits={"email": "ann@example.com"})
        analytics.delete(email="ann@example.com")
        assert analytics.flush(30) == 0
    assert intercom.state["people"] == []


def test_deletion_removes_waiting_calls(intercom: Intercom) -> None:
    with closing(Analytics(replace(intercom.settings, deliver="worker"))) as analytics:
        for user in ("ann", "bob"):
            for number in range(3):
                analytics.track(user, "Baked", {"number": number})
        analytics.delete("ann")
    assert intercom.outbox.counts().waiting == 4
    intercom.deliver()
    assert people(intercom) == ["bob"]
    assert "ann" not in repr(intercom.state["requests"][:-1])


def test_archiving_keeps_waiting_calls(intercom: Intercom) -> None:
    with closing(Analytics(replace(intercom.settings, deliver="worker"))) as analytics:
        analytics.identify("ann", {"plan": "pro"})
        analytics.delete("ann", archive=True)
    intercom.deliver()
    assert intercom.outbox.counts().delivered == 2


def test_batch_deletion_removes_earlier_calls(tmp_path: Path) -> None:
    settings = Settings(deliver="worker", outbox=f"sqlite:///{tmp_path}/o.db")
    calls = [Track("Baked", {}, "ann"), Track("Baked", {}, "bob"), Delete(user_id="ann"), Track("Back", {}, "ann")]
    with closing(Ingest(settings)) as ingest:
        assert ingest.enqueue_all(calls) == 4
    with closing(open_outbox(settings.outbox)) as outbox:
        assert [json.loads(message.body)["type"] for message in outbox.browse()] == ["track", "delete", "track"]


def by_email(intercom: Intercom) -> Lease:
    """Ann is known, a call of theirs is with a worker, and a deletion by e-mail waits."""
    intercom.put(type="identify", userId="ann", traits={"email": "ann@example.com"})
    intercom.deliver()
    intercom.put(type="track", userId="ann", event="Baked")
    lease = intercom.outbox.lease()
    assert lease is not None
    with closing(Analytics(replace(intercom.settings, deliver="worker"))) as analytics:
        analytics.delete(email="Ann@example.com")
    return lease


def test_email_deletion_covers_user_id_calls(intercom: Intercom) -> None:
    """Who comes back after the deletion is somebody new."""
    intercom.outbox.release(by_email(intercom), 60)
    intercom.put(type="identify", userId="ann", traits={"plan": "again"})  # who comes back is somebody new
    intercom.deliver()
    assert people(intercom) == []
    intercom.now += 61
    intercom.deliver()
    (person,) = intercom.state["people"]
    assert person["custom_attributes"] == {"plan": "again"}
    assert intercom.events == []


def test_email_deletion_waits_for_unsent_user(intercom: Intercom) -> None:
    fails = [Reply(503)]
    intercom.transport.before = lambda _: fails.pop() if fails else None
    with closing(Analytics(replace(intercom.settings, deliver="worker"))) as analytics:
        analytics.identify("ann", {"email": "Ann@example.com"})
        analytics.delete(email="ann@example.com")
        analytics.identify("bob", {"email": "bob@example.com", "friend": "ann@example.com"})
    intercom.deliver()
    assert intercom.outbox.counts().waiting == 2, "the user, who is tried again, and their deletion"
    for _ in range(4):
        intercom.now += 600
        intercom.deliver()
    assert [person["user_id"] for person in intercom.state["people"]] == ["bob"]
    assert intercom.outbox.counts().waiting == 0


def test_email_deletion_waits_for_running_call(intercom: Intercom) -> None:
    lease = by_email(intercom)
    intercom.deliver()
    assert people(intercom) == ["ann"]
    intercom.sender.deliver(lease)
    intercom.now += 10
    intercom.deliver()
    assert people(intercom) == []


def test_deletion_survives_killed_worker(tmp_path: Path, serve: Callable[..., str]) -> None:
    """The deletion comes in the middle of a burst; all calls of the remaining users arrive."""
    with closing(Station(tmp_path, serve)) as station:
        analytics = Analytics(Settings(outbox=f"sqlite:///{station.path}", deliver="worker"))
        station.accept(users=6, rounds=10)
        worker = station.worker("--threads", "4")
        station.wait_for(20)
        analytics.track("u0", "Visited", timestamp=START + 10)
        analytics.delete("u0")
        worker.kill()
        worker.wait(20)
        analytics.close()
        station.finish()
        assert {person["user_id"] for person in station.store.state()["people"]} == {f"u{user}" for user in range(1, 6)}
        events = [event for event in station.store.state()["events"] if event["user_id"]]
        assert {event["user_id"]: 0 for event in events} == {f"u{user}": 0 for user in range(1, 6)}
        assert len(events) == 50


def test_deleting_unknown_user_is_no_failure(intercom: Intercom, caplog: pytest.LogCaptureFixture) -> None:
    intercom.put(type="delete", userId="eve")
    intercom.deliver()
    assert intercom.outbox.counts().delivered == 1
    assert "nothing is deleted" in caplog.text


def test_a_contact_can_be_archived(intercom: Intercom) -> None:
    intercom.put(type="identify", userId="ann")
    intercom.put(type="delete", userId="ann", archive=True)
    intercom.deliver()
    assert intercom.transport.requests[-1][1].endswith("/archive")


@pytest.mark.parametrize("archive", [False, True])
def test_deletion_requests_match_intercom_description(archive: bool) -> None:
    (operation,) = rest_operations(Delete(user_id="ann", archive=archive), Settings())
    assert operation.method == ("POST" if archive else "DELETE")
    check(type(operation)(operation.method, operation.path.replace("{contact_id}", "5f3b")))


@pytest.mark.parametrize("message", [{"userId": "ann"}, {"email": "ann@example.com"}, {"userId": "a", "archive": True}])
def test_a_message_is_read_and_written(message: dict[str, Any]) -> None:
    assert message_of(parse({"type": "delete", **message})) == {"type": "delete", **message}


@pytest.mark.parametrize("archive", ["false", 0, "yes", {}])
def test_non_boolean_archive_is_refused(archive: Any) -> None:
    with pytest.raises(CallError, match="archive: must be true or false"):
        parse({"type": "delete", "userId": "ann", "archive": archive})


def test_a_deletion_needs_a_user() -> None:
    with pytest.raises(CallError, match="user_id"):
        Analytics(Settings()).delete()


def test_the_classic_api_deletes_nobody(tmp_path: Path) -> None:
    settings = Settings(api_version="1.4", deliver="worker", outbox=f"sqlite:///{tmp_path}/o.db")
    with closing(Analytics(settings)) as analytics, pytest.raises(CallError, match="needs the contacts API"):
        analytics.delete("ann")


def test_classic_api_drops_only_deletion(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """In production the deletion is left out with a log line, and the next call is accepted."""
    settings = Settings(api_version="1.4", deliver="worker", outbox=f"sqlite:///{tmp_path}/o.db")
    ingest = Ingest(settings)
    with closing(ingest):
        assert ingest.enqueue_all([Delete(user_id="ann"), Track("Baked", {}, "ann")]) == 1
    assert "a delete call is left out: it needs the contacts API" in caplog.text


def test_only_servers_may_send_deletions(received: Received) -> None:
    """A deletion comes in a batch only: it has no path of its own."""
    batch = {"batch": [{"type": "delete", "userId": "ann"}]}
    assert received.post("batch", batch).status == 200
    assert [type(call) for call in received.calls] == [Delete]
    assert received.post("batch", batch, BROWSER).status == 403
    assert received.post("delete", {"userId": "ann"}).status == 404


def test_an_application_deletes_by_name_alone() -> None:
    app = Flask("shop")
    app.config.update(INTERCOM_APP_ID=APP_ID, TESTING=True)
    intercom = SegmentIntercom(app)
    intercom.user_loader(lambda: {"id": "in session"})
    with app.app_context():
        intercom.delete("ann")
        with pytest.raises(CallError):
            intercom.delete()
    (call,) = app.extensions["segment_intercom"].captured
    assert call.user_id == "ann"


def test_the_command_deletes_at_once(serve: Callable[..., str], tmp_path: Path) -> None:
    sandbox = create_sandbox(Workspace(APP_ID, access_token="t", search_lag=0))
    environment = {
        "INTERCOM_APP_ID": APP_ID,
        "INTERCOM_ACCESS_TOKEN": "t",
        "INTERCOM_API_URL": serve(sandbox),
        "INTERCOM_OUTBOX": f"sqlite:///{tmp_path / 'outbox.db'}",
    }
    with closing(Analytics(Settings.from_env(environment))) as analytics:
        analytics.identify("ann", {"plan": "pro"})
        assert analytics.flush(30) == 0
    done = CliRunner().invoke(main, ["forget", "ann"], env=environment, catch_exceptions=False)
    assert (done.exit_code, done.stdout) == (0, "done\n")
    assert sandbox.extensions["sandbox"].state()["people"] == []
    assert CliRunner().invoke(main, ["forget"], env=environment).exit_code == 2


@pytest.mark.parametrize("engine", ["sqlite", "postgres", "jetstream"])
def test_discard_spares_letters_of_others(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/o.db" if engine == "sqlite" else request.getfixturevalue(engine)
    box: Outbox = open_outbox(address)
    with closing(box):
        for user in ("ann", "bob"):
            box.put(user, b"1")
        while (lease := box.lease()) is not None:
            assert box.give_up(lease, lease.messages[0], "refused")
        assert (box.discard("ann"), box.discard("ann")) == (1, 0)
        assert [letter.user for letter in box.dead_letters()] == ["bob"]
        assert box.counts().given_up == 1
