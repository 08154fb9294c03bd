"""Analytics for server code: what it accepts, when it delivers, what it waits for, and what it never tells."""

from __future__ import annotations

import inspect
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from segment.analytics import Client

from segment_intercom import Analytics, CallError, Operation, OutboxError, Settings, SettingsError, TraitError
from segment_intercom.at_exit import AtExit
from segment_intercom.sandbox import Workspace, create_sandbox
from segment_intercom.transport import Reply
from tests.delivery.intercom import APP_ID, Intercom, broken, intercom, make_intercom

__all__ = ["intercom", "make_intercom"]  # fixtures

METHODS = ["identify", "track", "group", "page", "screen", "alias"]
ROOT = Path(__file__).parent.parent


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[Analytics]:
    """A client whose calls another process is to deliver."""
    client = Analytics(Settings(deliver="worker", outbox=f"sqlite:///{tmp_path}/outbox.db"))
    yield client
    client.close()


def names(method: Callable[..., Any]) -> list[str]:
    return [name for name in inspect.signature(method).parameters if name != "self"]


def threads_of_ours() -> set[threading.Thread]:
    """Those of an earlier test may not have ended yet."""
    return {thread for thread in threading.enumerate() if thread.name.startswith("segment-intercom")}


@pytest.mark.parametrize("method", METHODS)
def test_arguments_match_segment_library(method: str) -> None:
    ours = [name for name in names(getattr(Analytics, method)) if name != "connection"]
    assert ours == names(getattr(Client, method))


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda analytics: analytics.identify(), "user_id"),
        (lambda analytics: analytics.identify(anonymous_id="a"), "user_id"),
        (lambda analytics: analytics.identify(["u"]), "user_id"),
        (lambda analytics: analytics.identify("u", ["email"]), "traits"),
        (lambda analytics: analytics.identify("u", context="ip"), "context"),
        (lambda analytics: analytics.identify("u", integrations=[1]), "integrations"),
        (lambda analytics: analytics.track("u"), "event"),
        (lambda analytics: analytics.track("u", " "), "event"),
        (lambda analytics: analytics.track("u", "Paid", "19.99"), "properties"),
        (lambda analytics: analytics.group("u", {}), "group_id"),
        (lambda analytics: analytics.track("u", "Paid", message_id=[1]), "message_id"),
    ],
)
def test_invalid_call_names_its_field(intercom: Intercom, call: Callable[[Analytics], None], field: str) -> None:
    with pytest.raises(CallError) as caught:
        call(intercom.analytics)
    assert caught.value.field == field
    assert intercom.outbox.counts().waiting == 0


@pytest.mark.parametrize("bad", [float("nan"), (number for number in range(3)), object(), b"x", Decimal("NaN")])
def test_unsendable_value_raises_without_showing_it(intercom: Intercom, bad: Any) -> None:
    with pytest.raises(TraitError, match="score") as caught:
        intercom.analytics.identify("u", {"score": bad, "name": "Ann"})
    assert repr(bad) not in str(caught.value)
    assert intercom.outbox.counts().waiting == 0


def test_lenient_drops_and_logs_unsendable_values(make_intercom: Any, caplog: pytest.LogCaptureFixture) -> None:
    intercom = make_intercom(strict=False)
    intercom.analytics.identify("u", {"score": float("nan"), "name": "Ann"})
    intercom.analytics.identify(traits={"name": "nobody"})
    intercom.analytics.group("u", "c", {"name": "C", "plan": object()})
    assert intercom.analytics.flush(20) == 0
    assert intercom.person("u")["name"] == "Ann"
    assert len(intercom.state["people"]) == 1
    assert "'score'" in caplog.text
    assert "user_id is needed" in caplog.text


def test_unreadable_company_raises_at_once(intercom: Intercom) -> None:
    with pytest.raises(TraitError, match=r"company\.id"):
        intercom.analytics.identify("u", {"company": {"id": [1], "name": "C"}})
    with pytest.raises(TraitError, match="company"):
        intercom.analytics.group("u", "c", {"name": "C", "plan": {"a": object()}})


def test_traits_are_copied_at_call_time(intercom: Intercom) -> None:
    class Lazy:
        def casefold(self) -> str:
            return str(self)

        encode = casefold

        def __str__(self) -> str:
            return "spät"

    row = SimpleNamespace(id=5, name="Row", password="secret")
    tags = ["a"]
    traits = {"lazy": Lazy(), "price": Decimal("1.50"), "row": row, "tags": tags, "company": SimpleNamespace(id=7)}
    intercom.analytics.identify("u", traits)
    tags.append("b")
    assert intercom.analytics.flush(20) == 0
    attributes = {"lazy": "spät", "price": 1.5, "row_id": 5, "row_name": "Row", "tags_0": "a"}
    assert intercom.person("u")["custom_attributes"] == attributes


def test_call_without_effect_opens_nothing(tmp_path: Path, waiting: Analytics) -> None:
    waiting.page("u", "Docs", "Home", {"a": 1})
    waiting.screen("u", name="Home")
    waiting.alias("before", "u")
    waiting.identify("u", integrations={"Intercom": False})
    assert list(tmp_path.iterdir()) == []


def test_disabled_client_still_reports_mistakes(tmp_path: Path) -> None:
    analytics = Analytics(Settings(enabled=False, outbox=f"sqlite:///{tmp_path}/outbox.db"))
    analytics.identify("u", {"name": "Ann"})
    with pytest.raises(CallError):
        analytics.track("u", "")
    assert (analytics.flush(), list(tmp_path.iterdir())) == (0, [])


def test_first_call_reports_missing_token(tmp_path: Path) -> None:
    analytics = Analytics(Settings(outbox=f"sqlite:///{tmp_path}/outbox.db"))
    for _ in range(2):
        with pytest.raises(SettingsError, match="access_token: is needed"):
            analytics.identify("u")


def test_separate_worker_needs_no_token(waiting: Analytics) -> None:
    before = threads_of_ours()
    waiting.identify("u")
    assert waiting.flush() == 1, "at once, since nobody delivers here"
    assert threads_of_ours() <= before


def test_nothing_opens_before_first_call(tmp_path: Path, intercom: Intercom) -> None:
    before, analytics = threads_of_ours(), intercom.analytics
    assert analytics.flush() == 0
    assert list(tmp_path.iterdir()) == []
    assert threads_of_ours() <= before
    analytics.identify("u")
    assert (tmp_path / "outbox.db").exists()
    assert analytics.flush(20) == 0


def test_flush_timeout_returns_remaining_count(intercom: Intercom) -> None:
    intercom.transport.before = broken
    intercom.analytics.track("u", "first")
    intercom.analytics.track("u", "second")
    assert intercom.analytics.flush(0.05) == 2
    assert intercom.analytics.flush(0) == 2


def test_refused_token_ends_flush_early(intercom: Intercom, caplog: pytest.LogCaptureFixture) -> None:
    refused = {"type": "error.list", "errors": [{"code": "unauthorized", "message": "Access Token Invalid"}]}
    intercom.transport.before = lambda _: Reply(401, refused)
    intercom.analytics.track("u", "Paid")
    assert intercom.analytics.flush() == 1
    assert "INTERCOM_ACCESS_TOKEN" in caplog.text
    intercom.analytics.track("u", "Paid again")
    assert intercom.analytics.flush() == 2, "kept, and not tried again for a minute"
    assert len(intercom.transport.sent) == 1


def test_flush_treats_rejected_call_as_done(intercom: Intercom) -> None:
    intercom.transport.before = lambda _: Reply(422)
    intercom.analytics.track("u", "Paid")
    assert intercom.analytics.flush(20) == 0
    assert intercom.outbox.counts().given_up == 1


def test_call_after_close_opens_again(intercom: Intercom) -> None:
    """Closing does not wait for a request that is on its way."""
    arrived, let_go = threading.Event(), threading.Event()

    def hold(_: Operation) -> None:
        arrived.set()
        assert let_go.wait(20)

    intercom.transport.before = hold
    intercom.analytics.track("u", "first")
    assert arrived.wait(20)
    intercom.analytics.close()
    let_go.set()
    intercom.transport.before = lambda _: None
    intercom.analytics.track("v", "second")
    assert intercom.analytics.flush(20) == 0
    assert "second" in intercom.events


def test_repeated_message_id_is_sent_once(intercom: Intercom) -> None:
    """Equal calls without a message id are separate calls, and all of them are sent."""
    for _ in range(2):
        intercom.analytics.track("u", "Paid", message_id="m1", timestamp=1_500_000_000)
        intercom.analytics.track("u", "Paid", timestamp=1_500_000_000)
    assert intercom.analytics.flush(20) == 0
    assert intercom.outbox.counts().delivered == 3


@pytest.mark.parametrize("message_id", [UUID(int=5), 5])
def test_message_id_accepts_uuid_and_number(intercom: Intercom, message_id: Any) -> None:
    """Its text is the same message id, so the second call is a repetition."""
    for same_id in (message_id, str(message_id)):
        intercom.analytics.track("u", "Paid", message_id=same_id)
    assert intercom.analytics.flush(20) == 0
    assert intercom.outbox.counts().delivered == 1


def test_many_threads_may_use_one_client(intercom: Intercom) -> None:
    def say(user: int) -> None:
        for number in range(10):
            intercom.analytics.track(f"u{user}", "Visited", timestamp=1_500_000_000 + number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(say, range(16)))
    assert intercom.analytics.flush(20) == 0
    for user in range(16):
        times = [event["created_at"] for event in intercom.state["events"] if event["user_id"] == f"u{user}"]
        assert times == [1_500_000_000 + number for number in range(10)]


@pytest.mark.parametrize("status", [202, 401])
def test_close_releases_threads_and_file(intercom: Intercom, tmp_path: Path, status: int) -> None:
    intercom.transport.before = lambda _: Reply(status)
    intercom.analytics.track("u", "Paid")
    intercom.analytics.flush(20)
    ours = [thread for thread in threading.enumerate() if thread.name.startswith("segment-intercom")]
    intercom.analytics.close()
    for thread in ours:
        thread.join(20)
    assert not any(thread.is_alive() for thread in ours)
    assert [path.name for path in tmp_path.iterdir()] == ["outbox.db"], "the last to close the file takes its log away"


def test_logs_and_reprs_hide_private_data(make_intercom: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "segment_intercom")
    intercom = make_intercom(strict=False)
    intercom.transport.before = lambda operation: Reply(422) if operation.path == "/events" else None
    traits = {"email": "ann@example.com", "score": float("nan"), "phone": ["private"]}
    intercom.analytics.identify("u-private", traits)
    intercom.analytics.track("u-private", "Paid", {"email": "ann@example.com", "x": b"private"})
    assert intercom.analytics.flush(20) == 0
    shown = caplog.text + repr(intercom.analytics) + repr(intercom.outbox.dead_letters())
    assert "Bearer" not in shown
    assert "private" not in shown
    assert "ann@" not in shown


def test_unwritable_outbox_names_its_file(tmp_path: Path) -> None:
    """The same client takes calls as soon as the folder is there."""
    analytics = Analytics(Settings(deliver="worker", outbox=f"sqlite:///{tmp_path}/missing/outbox.db"))
    with pytest.raises(OutboxError, match=r"missing/outbox\.db: the folder .* is missing"):
        analytics.identify("u")
    (tmp_path / "missing").mkdir()
    analytics.identify("u")
    assert analytics.flush() == 1
    analytics.close()


FORKS = """
import os, sys
from segment_intercom import Analytics, Settings
analytics = Analytics(Settings(access_token="t", api_url=sys.argv[1], outbox="sqlite:///" + sys.argv[2]))
analytics.track("parent", "before")
assert analytics.flush(20) == 0
child = os.fork()
who = "parent" if child else "child"
for number in range(5):
    analytics.track(who, "after", timestamp=1500000000 + number)
assert analytics.flush(20) == 0, who
if child:
    assert os.waitpid(child, 0)[1] == 0
    analytics.track("parent", "end")
    assert analytics.flush(20) == 0
else:
    os._exit(0)
"""
ENDS = """
import sys
from segment_intercom import Analytics, Settings
from dataclasses import replace
settings = Settings(access_token="t", api_url=sys.argv[1], outbox="sqlite:///" + sys.argv[2])
analytics = Analytics(replace(settings, exit_timeout=Settings.from_env().exit_timeout))
analytics.track("u", "Paid")
"""


def run(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command, env = [sys.executable, "-W", "error", "-c", code, *arguments], {**os.environ, **environment}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=30, check=False)


def test_after_a_fork_both_processes_deliver(serve: Callable[..., str], tmp_path: Path) -> None:
    app = create_sandbox(Workspace(APP_ID))
    ended = run(FORKS, serve(app), str(tmp_path / "outbox.db"))
    assert (ended.returncode, ended.stderr) == (0, "")
    told = [(event["user_id"], event["created_at"]) for event in app.extensions["sandbox"].state()["events"]]
    for who in ("parent", "child"):
        after = [at for user, at in told if user == who and at < 1_500_000_100]
        assert after == [1_500_000_000 + number for number in range(5)]
    assert len(told) == 12


def test_exit_reports_waiting_calls(tmp_path: Path) -> None:
    nobody = "http://127.0.0.1:9"
    ended = run(ENDS, nobody, str(tmp_path / "outbox.db"), INTERCOM_EXIT_TIMEOUT="0.2")
    assert ended.returncode == 0
    assert "calls of this process that still wait in the outbox after 0.2 s (exit_timeout): 1" in ended.stderr
    assert "segment-intercom worker" in ended.stderr
    with Intercom(tmp_path) as intercom:
        assert intercom.outbox.counts().waiting == 1


def test_script_without_flush_delivers_at_exit(serve: Callable[..., str], tmp_path: Path) -> None:
    app = create_sandbox(Workspace(APP_ID))
    ended = run(ENDS, serve(app), str(tmp_path / "outbox.db"), INTERCOM_EXIT_TIMEOUT="20")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(app.extensions["sandbox"].state()["events"]) == 1


class Finishing:
    def __init__(self, finish: Callable[[float], None]) -> None:
        self.finish = finish


def test_clients_share_time_at_exit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes all the time that it is given: together they take as long as the one that may take longest."""
    now, waited = [1000.0], []
    monkeypatch.setattr("segment_intercom.at_exit.time", SimpleNamespace(monotonic=lambda: now[0]))

    def finish(timeout: float) -> None:
        waited.append(timeout)
        now[0] += timeout

    exits, slow = AtExit(), [Finishing(finish) for _ in range(5)]
    for client, timeout in zip(slow, (0.0, 5.0, 5.0, 7.0, 2.0), strict=True):
        exits.add(client, timeout)
    exits.run()
    assert waited == [0.0, 5.0, 0.0, 2.0, 0.0]


def test_ctrl_c_ends_exit_wait() -> None:
    """The interrupted client and all that follow finish without waiting."""
    waited: list[float] = []

    def finish(timeout: float) -> None:
        waited.append(timeout)
        if timeout:
            raise KeyboardInterrupt

    exits, clients = AtExit(), [Finishing(finish) for _ in range(2)]
    for client in clients:
        exits.add(client, 5.0)
    exits.run()
    assert waited == [pytest.approx(5, abs=1), 0.0, 0.0]


def test_one_file_is_one_workspaces(tmp_path: Path) -> None:
    outbox = f"sqlite:///{tmp_path}/outbox.db"
    first, second = (
        Analytics(Settings(app_id=app_id, outbox=outbox, deliver="worker")) for app_id in ("abc12345", "other123")
    )
    first.track("u", "Paid")
    with pytest.raises(OutboxError, match="calls of the workspace abc12345"):
        second.track("u", "Paid")
    first.close()


def test_thread_shortage_delays_delivery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A call that comes while no thread can be started is delivered along with a later call."""
    sent: list[Operation] = []
    transport = SimpleNamespace(send=lambda operation: sent.append(operation) or Reply(202))
    analytics = Analytics(Settings(outbox=f"sqlite:///{tmp_path}/outbox.db"), transport)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        analytics.track("u", "first")
    assert "no thread can be started" in caplog.text
    analytics.track("u", "second")
    assert analytics.flush(10) == 0
    analytics.close()
    assert len(sent) == 2


def refuse(_: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_single_thread_still_delivers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no further worker thread can be started, the first thread delivers by itself."""
    start = threading.Thread.start

    def only_the_first(thread: threading.Thread) -> None:
        if "worker" in thread.name:
            refuse(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", only_the_first)
    sent: list[Operation] = []
    transport = SimpleNamespace(send=lambda operation: sent.append(operation) or Reply(202))
    analytics = Analytics(Settings(outbox=f"sqlite:///{tmp_path}/outbox.db"), transport)
    analytics.track("u", "Paid")
    assert analytics.flush(10) == 0
    analytics.close()
    assert len(sent) == 1
