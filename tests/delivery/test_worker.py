"""Workers, in threads and as processes of their own: how they end, and what is left after they were killed."""

from __future__ import annotations

import logging
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from segment_intercom import Analytics, Operation, OutboxError, Settings
from segment_intercom.delivery import Worker
from segment_intercom.outbox import Counts, Lease, SqliteOutbox, worker_seen
from segment_intercom.sandbox import Workspace, create_sandbox
from segment_intercom.sandbox.faults import Fault
from segment_intercom.transport import Reply
from tests.children import Children
from tests.delivery.intercom import APP_ID, Fast, Intercom, intercom

__all__ = ["intercom"]  # a fixture

ROOT = Path(__file__).parents[2]
START = 1_500_000_000
PUTTER = """
import sys
from segment_intercom import Analytics, Settings
analytics = Analytics(Settings.from_env())
for number, _ in enumerate(sys.stdin):
    user = f"{sys.argv[1]}{number % 3}"
    analytics.identify(user, {"n": number})
    analytics.track(user, "Visited", timestamp=1500000000 + number)
    print(user, number, flush=True)
"""


class Station:
    """A sandbox on the loopback, an outbox in a file, and the processes between them."""

    def __init__(self, folder: Path, serve: Callable[..., str]) -> None:
        self.path = folder / "outbox.db"
        self.workspace = Workspace(APP_ID, access_token="t", rate_limit=10**6)
        self.app = create_sandbox(self.workspace)
        self.store = self.app.extensions["sandbox"]
        self.environment = {
            **os.environ,
            "INTERCOM_OUTBOX": f"sqlite:///{self.path}",
            "INTERCOM_API_URL": serve(self._counting),
            "INTERCOM_ACCESS_TOKEN": "t",
        }
        self._arrived: list[str] = []
        self._arrival = threading.Condition()
        self._family = Children()

    def _counting(self, environ: dict[str, Any], answer: Any) -> Iterable[bytes]:
        with self._arrival:
            self._arrived.append(environ["PATH_INFO"])
            self._arrival.notify_all()
        return self.app.wsgi_app(environ, answer)

    def wait_for(self, requests: int, path: str = "/") -> None:
        """Wait until so many more requests have come to a path that begins like this."""
        with self._arrival:
            before = len(self._arrived)
            came = lambda: sum(arrived.startswith(path) for arrived in self._arrived[before:]) >= requests  # noqa: E731
            assert self._arrival.wait_for(came, 20)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start Python with these arguments."""
        variables, command = {**self.environment, **environment}, [sys.executable, *arguments]
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        return self._family.start(command, env=variables, text=True, **pipes)

    def accepting(self, name: str, deliver: str) -> subprocess.Popen[str]:
        """Start a process that accepts two calls for each line that it gets, and says then which."""
        return self.start("-c", PUTTER, name, INTERCOM_DELIVER=deliver)

    def worker(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return self.start("-W", "error", "-m", "segment_intercom", "worker", *arguments, **environment)

    def finish(self) -> None:
        """Let a worker deliver all there is; what a killed one had leased is free, as it is after 30 seconds."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute("UPDATE users SET due = 0")
        ended = self.worker("--until-empty")
        _, told = ended.communicate(timeout=30)
        assert ended.returncode == 0, told
        assert self.counts().waiting == 0

    def accept(self, users: int, rounds: int) -> None:
        """Accept calls of several users, each an identify and an event of another second."""
        analytics = Analytics(Settings(outbox=f"sqlite:///{self.path}", deliver="worker"))
        for turn in range(rounds):
            for user in range(users):
                analytics.identify(f"u{user}", {"n": turn})
                analytics.track(f"u{user}", "Visited", timestamp=START + turn)
        analytics.close()

    def counts(self) -> Counts:
        box = SqliteOutbox(self.path)
        with closing(box):
            return box.counts()

    def events(self) -> dict[str, list[int]]:
        """The numbers of each user's events as they arrived."""
        numbers = defaultdict(list)
        for event in self.store.account(APP_ID).events:
            person = self.store.account(APP_ID).people.get(event.person_id)
            numbers[person.user_id].append(event.created_at - START)
        return dict(numbers)

    def close(self) -> None:
        self.store.close()
        self._family.end()


@pytest.fixture
def station(tmp_path: Path, serve: Callable[..., str]) -> Iterator[Station]:
    opened = Station(tmp_path, serve)
    yield opened
    opened.close()


def worker_of(intercom: Intercom, **options: Any) -> Worker:
    return Worker(intercom.settings, intercom.outbox, intercom.transport, threads=2, **options)


def test_until_empty_worker_ends_by_itself(intercom: Intercom) -> None:
    for number in range(20):
        intercom.put(type="track", userId=f"u{number % 5}", event=f"event {number}")
    worker = worker_of(intercom, until_empty=True)
    worker.start()
    assert worker.wait(20)
    assert not worker.is_running
    assert worker_seen(intercom.outbox) is None, "which status tells"
    assert sorted(intercom.events) == sorted(f"event {number}" for number in range(20))


def test_stopped_worker_finishes_its_request(intercom: Intercom) -> None:
    """A stopped worker finishes its request and gives the rest back, due at once."""
    arrived, let_go = threading.Event(), threading.Event()

    def hold(_: Operation) -> None:
        arrived.set()
        assert let_go.wait(20)

    intercom.call("POST", "/contacts", {"external_id": "u", "role": "user"})
    intercom.put(type="track", userId="u", event="first")
    intercom.put(type="track", userId="u", event="second")
    intercom.transport.before = hold
    worker = worker_of(intercom)
    worker.start()
    assert arrived.wait(20)
    worker.stop()
    assert not worker.wait(0.01)
    let_go.set()
    assert worker.wait(20)
    assert intercom.events == ["first"]
    assert (intercom.outbox.counts().waiting, intercom.outbox.next_due()) == (1, 0)


def test_unauthorized_worker_stops_and_logs_once(intercom: Intercom, caplog: pytest.LogCaptureFixture) -> None:
    """A refused token stops all threads, leaves every call in the outbox, and one record says how to go on."""
    for user in range(5):
        intercom.put(type="identify", userId=f"u{user}")
    intercom.transport.before = lambda _: Reply(401)
    worker = worker_of(intercom)
    worker.start()
    assert worker.wait(20)
    assert not worker.is_running
    refusal = "Intercom refuses the token (401): check INTERCOM_ACCESS_TOKEN and INTERCOM_REGION"
    told = f"Intercom: {refusal}. Delivery has stopped, and nothing is lost: start again after that"
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [("CRITICAL", told)]
    assert worker.unauthorized == refusal
    assert intercom.outbox.counts().waiting == 5


class Stumbling(SqliteOutbox):
    """An outbox that fails once, at a chosen method."""

    failing: str | None = None

    def _stumble(self, method: str) -> None:
        if self.failing == method:
            self.failing = None
            raise OutboxError("the disk refused")

    def lease(self) -> Lease | None:
        self._stumble("lease")
        return super().lease()

    def renew(self, lease: Lease) -> bool:
        self._stumble("renew")
        return super().renew(lease)


@pytest.mark.parametrize("method", ["lease", "renew"])
def test_worker_recovers_from_outbox_error(
    intercom: Intercom, tmp_path: Path, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    intercom.put(type="track", userId="u", event="Paid")
    box = Stumbling(tmp_path / "outbox.db", clock=Fast(100))
    box.failing = method
    said = threading.Event()
    logging.getLogger("segment_intercom").addFilter(said_of := lambda _: said.set() or True)
    worker = Worker(intercom.settings, box, intercom.transport, threads=2, until_empty=True)
    worker.start()
    assert said.wait(20)
    worker.wake()
    assert worker.wait(20)
    logging.getLogger("segment_intercom").removeFilter(said_of)
    box.close()
    assert "delivery waits: the disk refused" in caplog.text
    assert intercom.events == ["Paid"]


def test_sending_bug_delays_only_its_user(intercom: Intercom, caplog: pytest.LogCaptureFixture) -> None:
    """An exception of our own while sending is logged, and only the user it concerns has to wait."""

    def faulty(operation: Operation) -> None:
        if (operation.body or {}).get("external_id") == "bad":
            raise ZeroDivisionError

    intercom.transport.before = faulty
    for user in ("bad", "u0", "u1", "u2"):
        intercom.put(type="identify", userId=user)
    worker = worker_of(intercom)
    worker.start()
    while intercom.outbox.counts().waiting > 1:
        worker.wait_for_progress(0.05)
    worker.stop()
    assert worker.wait(20)
    assert "ZeroDivisionError" in caplog.text
    assert "bad" not in {person["user_id"] for person in intercom.state["people"]}


def test_until_empty_retries_then_exits_0(station: Station) -> None:
    station.accept(users=3, rounds=2)
    station.workspace.faults = (Fault(status=503, next=1), Fault(drop=True, next=1))
    ended = station.worker("--until-empty")
    _, told = ended.communicate(timeout=30)
    assert ended.returncode == 0, told
    assert "Delivered 12, given up 0, waiting 0" in told
    assert station.events() == {f"u{user}": [0, 1] for user in range(3)}


def test_undeliverable_call_exits_with_1(station: Station) -> None:
    box = SqliteOutbox(station.path)
    with closing(box):
        box.put("u0", b"nonsense")
    station.accept(users=1, rounds=1)
    ended = station.worker("--until-empty")
    _, told = ended.communicate(timeout=30)
    assert ended.returncode == 1, told
    assert "Delivered 2, given up 1, waiting 0" in told


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_lets_request_in_flight_finish(station: Station, number: int) -> None:
    """A signalled worker finishes its request and gives the rest back, with no lease left to wait for."""
    station.accept(users=1, rounds=3)
    station.workspace.faults = (Fault(slow=20, next=1, only="POST /events"),)
    worker = station.worker()
    station.wait_for(1, "/events")
    worker.send_signal(number)
    assert worker.stderr
    assert any("Stopping" in line for line in worker.stderr)
    station.store.close()
    _, told = worker.communicate(timeout=20)
    assert worker.returncode == 0, told
    assert "Delivered 2, given up 0, waiting 4" in told
    with closing(SqliteOutbox(station.path)) as box:
        assert box.next_due() == 0, "nobody has to wait for a lease to end"


def test_killed_worker_loses_and_reorders_nothing(station: Station) -> None:
    station.accept(users=8, rounds=10)
    for _ in range(2):
        worker = station.worker("--threads", "4")
        station.wait_for(random.randrange(5, 60))
        worker.kill()
        worker.wait(20)
    station.finish()
    assert station.events() == {f"u{user}": list(range(10)) for user in range(8)}
    people = station.store.state()["people"]
    assert {person["custom_attributes"]["n"] for person in people} == {9}


def test_two_processes_keep_user_order(station: Station) -> None:
    station.accept(users=8, rounds=8)
    station.workspace.faults = (Fault(status=500, probability=0.03),)
    workers = [station.worker("--until-empty", "--threads", "4") for _ in range(2)]
    for worker in workers:
        _, told = worker.communicate(timeout=30)
        assert worker.returncode == 0, told
    assert station.events() == {f"u{user}": list(range(8)) for user in range(8)}


def test_html_from_proxy_is_retried(serve: Callable[..., str], tmp_path: Path) -> None:
    """A login page that a proxy sends with status 200 does not count as Intercom's answer."""
    sandbox, pages = create_sandbox(Workspace(APP_ID)), [b"<h1>Please log in</h1>"] * 2

    def proxy(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if pages:
            start("200 OK", [("Content-Type", "text/html")])
            return [pages.pop()]
        return sandbox.wsgi_app(environ, start)

    outbox = f"sqlite:///{tmp_path}/outbox.db"
    analytics = Analytics(Settings(api_url=serve(proxy), access_token="t", outbox=outbox))
    analytics.identify("u", {"name": "Ann"})
    analytics.track("u", "Paid")
    assert analytics.flush(20) == 0
    analytics.close()
    state = sandbox.extensions["sandbox"].state()
    assert ([person["name"] for person in state["people"]], len(state["events"])) == (["Ann"], 1)


def feed(process: subprocess.Popen[str], lines: int) -> None:
    """Have a process accept so many more calls, without waiting for them."""
    assert process.stdin
    process.stdin.write("\n" * lines)
    process.stdin.flush()


def said_by(process: subprocess.Popen[str], early: Iterable[str] = ()) -> dict[str, list[int]]:
    """What a process that has ended said it had accepted."""
    assert process.stdout
    numbers = defaultdict(list)
    for line in (*early, *process.stdout):
        if line.endswith("\n"):
            user, number = line.split()
            numbers[user].append(int(number))
    return numbers


def is_told(station: Station, said: dict[str, list[int]]) -> bool:
    """Whether all that was accepted has arrived, in its order; a last one may have been accepted and not yet said."""
    told = station.events()
    return all(told[user][: len(numbers)] == numbers for user, numbers in said.items())


@pytest.mark.parametrize("deliver", ["worker", "thread"])
def test_accepted_calls_survive_kill_9(station: Station, deliver: str) -> None:
    said = {}
    for name in ("a", "b"):
        process = station.accepting(name, deliver)
        feed(process, 200)
        assert process.stdout
        early = [process.stdout.readline() for _ in range(random.randrange(1, 60))]
        process.kill()
        process.wait(20)
        said |= said_by(process, early)
    station.finish()
    assert is_told(station, said)


def test_both_may_be_killed_at_once(station: Station) -> None:
    accepting = station.accepting("a", "worker")
    feed(accepting, 20)
    worker = station.worker()
    station.wait_for(random.randrange(1, 40))
    feed(accepting, 100)
    for process in random.sample([accepting, worker], 2):
        process.kill()
        process.wait(20)
    said = said_by(accepting)
    station.finish()
    assert is_told(station, said)


@pytest.mark.parametrize(("options", "code"), [((), 1), (("--until-empty",), 2)])
def test_a_refused_token_ends_a_worker(station: Station, options: tuple[str, ...], code: int) -> None:
    station.accept(users=2, rounds=1)
    ended = station.worker(*options, INTERCOM_ACCESS_TOKEN="wr0ng-token")
    out, told = ended.communicate(timeout=20)
    assert ended.returncode == code
    assert "check INTERCOM_ACCESS_TOKEN and INTERCOM_REGION. Nothing is lost" in told
    assert "wr0ng-token" not in out + told
    assert station.counts() == Counts(waiting=4, delivered=0, given_up=0)


def test_broken_outbox_is_explained_without_traceback(station: Station) -> None:
    station.path.write_bytes(b"nonsense " * 1_000)
    ended = station.worker()
    _, told = ended.communicate(timeout=20)
    assert ended.returncode == 1
    assert "outbox.db: is no SQLite database" in told
    assert "Traceback" not in told
