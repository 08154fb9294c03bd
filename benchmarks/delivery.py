"""What does delivery cost: how many requests for a call, and how much more than urllib3 takes for the same bodies?"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median
from typing import Any

import orjson
from urllib3 import HTTPConnectionPool, connection_from_url

from segment_intercom import Operation, Settings
from segment_intercom.delivery import Sender, Worker
from segment_intercom.outbox import SqliteOutbox
from segment_intercom.sandbox import Workspace, create_sandbox
from segment_intercom.sandbox.rest import Asked, answer
from segment_intercom.transport import HttpTransport, Reply, Transport

from . import messages
from .intercom import answering
from .measure import Ratio, Result, in_turn

_REQUESTS_BAR = 1.1
_TRACK_BAR = 1.0
_USERS, _TIMES = 20, 3
_THREADS = (8, 32)
_SENT_USERS, _ROUNDS = 100, 7
_HEADERS = {"Authorization": f"Bearer {messages.TOKEN}", "Content-Type": "application/json"}


def results() -> list[Result]:
    """Count requests at a strict sandbox, then measure time at a fast server."""
    with tempfile.TemporaryDirectory() as folder:
        counted = _counted(Path(folder) / "counted.db")
        with answering() as address:
            return counted + [_timed(Path(folder) / f"{threads}.db", address, threads) for threads in _THREADS]


class _Sandbox:
    """A transport to a sandbox in this process."""

    def __init__(self) -> None:
        workspace = Workspace(messages.APP_ID, rate_limit=10_000_000, search_lag=0)
        self._store = create_sandbox(workspace).extensions["sandbox"]
        self.count = 0

    def send(self, operation: Operation) -> Reply:
        """Answer as Intercom would, and count it."""
        self.count += 1
        body = b"" if operation.body is None else orjson.dumps(dict(operation.body))
        path, _, query = operation.path.partition("?")
        parameters = dict(pair.split("=", 1) for pair in query.split("&") if pair)
        steps, bearer = tuple(path.strip("/").split("/")), f"Bearer {messages.TOKEN}"
        response = answer(
            self._store,
            Asked(operation.method, steps, operation.path, parameters, bearer, "2.16", "application/json", body),
        )
        return Reply(response.status, response.body)


def _counted(path: Path) -> list[Result]:
    """Requests for a call of users who are known: each kind by itself, so that nothing is merged, then the mix."""
    kinds: dict[str, Callable[[str], dict[str, Any]]] = {
        "track": messages.track,
        "identify, company unchanged": lambda user: messages.identify(user, company=messages.COMPANY),
        "group, unchanged": messages.group,
    }
    sandbox = _Sandbox()
    with closing(SqliteOutbox(path)) as outbox:
        sender = Sender(_settings("http://127.0.0.1"), outbox, sandbox)
        for user in range(_USERS):
            _deliver(sender, outbox, messages.mix(f"user-{user}"))
        counted = [
            _requests(kind, [say(f"user-{user}") for user in range(_USERS)], sender, outbox, sandbox)
            for kind, say in kinds.items()
        ]
        mix = [message for user in range(_USERS) for message in messages.mix(f"user-{user}")]
        counted.append(_requests("the mix", mix, sender, outbox, sandbox))
        assert outbox.counts().given_up == 0, outbox.dead_letters(1)
    return counted


def _requests(
    kind: str, said: Sequence[dict[str, Any]], sender: Sender, outbox: SqliteOutbox, sandbox: _Sandbox
) -> Result:
    before = sandbox.count
    for _ in range(_TIMES):
        _deliver(sender, outbox, said)
    calls, sent = len(said) * _TIMES, sandbox.count - before
    bar = _TRACK_BAR if kind == "track" else _REQUESTS_BAR
    return Result(f"requests / calls, {kind}", Ratio.of([sent], [calls]), bar, f"{sent} / {calls}")


def _deliver(sender: Sender, outbox: SqliteOutbox, said: Sequence[dict[str, Any]]) -> None:
    _put(outbox, said)
    while (lease := outbox.lease()) is not None:
        sender.deliver(lease)


def _put(outbox: SqliteOutbox, said: Sequence[dict[str, Any]]) -> None:
    outbox.put_all((message["userId"], orjson.dumps(message), None) for message in said)


class _Remembering:
    """A transport that remembers what went through it."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.sent: list[Operation] = []

    def send(self, operation: Operation) -> Reply:
        """Send it on."""
        self.sent.append(operation)
        return self._transport.send(operation)


def _timed(path: Path, address: str, threads: int) -> Result:
    """A worker empties an outbox of the mix; then as many threads send the very same requests and do nothing else."""
    settings = _settings(address)
    said = [message for user in range(_SENT_USERS) for message in messages.mix(f"user-{user}")]
    with ExitStack() as stack:
        outbox = stack.enter_context(closing(SqliteOutbox(path)))
        transport = stack.enter_context(closing(HttpTransport(settings, connections=threads)))
        pool = stack.enter_context(closing(connection_from_url(address, maxsize=threads)))
        _work(settings, outbox, transport, threads, said)  # from now on all are known
        remembering = _Remembering(transport)
        _work(settings, outbox, remembering, threads, said)
        seconds: dict[str, list[float]] = {"ours": [], "bare": []}
        for number in range(_ROUNDS):
            for name in in_turn(list(seconds), number):
                ours = name == "ours"
                taken = _work(settings, outbox, transport, threads, said) if ours else _bare(pool, remembering, threads)
                seconds[name].append(taken)
        assert outbox.counts().delivered == len(said) * (_ROUNDS + 2), "a call was not delivered"
    rates = (
        f"{len(said) / median(seconds['ours']):,.0f} calls/s, {len(remembering.sent)} requests for {len(said)} calls"
    )
    question = f"delivery, {threads} threads / urllib3 alone"
    return Result(question, Ratio.of(seconds["ours"], seconds["bare"]), None, rates)


def _work(
    settings: Settings, outbox: SqliteOutbox, transport: Transport, threads: int, said: Sequence[dict[str, Any]]
) -> float:
    """The seconds that a worker takes to deliver what waits."""
    _put(outbox, said)
    worker = Worker(settings, outbox, transport, threads=threads, until_empty=True)
    start = time.perf_counter()
    worker.start()
    worker.wait()
    return time.perf_counter() - start


def _bare(pool: HTTPConnectionPool, remembering: _Remembering, threads: int) -> float:
    """The seconds that urllib3 takes for the same requests, their bodies written before."""
    ready = [
        (operation.method, operation.path, orjson.dumps(dict(operation.body or {}))) for operation in remembering.sent
    ]

    def send(request: tuple[str, str, bytes]) -> int:
        method, path, body = request
        return pool.request(method, path, body=body, headers=_HEADERS, retries=False).status

    with ThreadPoolExecutor(threads) as executor:
        start = time.perf_counter()
        assert set(executor.map(send, ready)) <= {200, 202}
        return time.perf_counter() - start


def _settings(address: str) -> Settings:
    return Settings(app_id=messages.APP_ID, access_token=messages.TOKEN, api_url=address)
