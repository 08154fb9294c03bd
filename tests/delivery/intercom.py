"""Delivery without a network: operations go to a sandbox in the same process, each held against the description."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from segment_intercom import Analytics, Operation, Settings, TransportError, parse
from segment_intercom.delivery import Sender
from segment_intercom.diagnostics import Diagnostics
from segment_intercom.outbox import SqliteOutbox
from segment_intercom.sandbox import Workspace, create_sandbox
from segment_intercom.serialize import write
from segment_intercom.transport import Reply
from tests.contract import check

APP_ID = "abc12345"
NOW = 1_800_000_000.0


class InProcess:
    """A transport to a sandbox's Flask app, for any number of threads.

    ``before`` may raise or answer instead; ``sent`` remembers all.
    """

    def __init__(self, app: Flask, version: str) -> None:
        self._app = app
        self._headers = {"Authorization": "Bearer t", "Intercom-Version": version}
        self.before: Callable[[Operation], Reply | None] = lambda _: None
        self.sent: list[Operation] = []

    def send(self, operation: Operation) -> Reply:
        self.sent.append(operation)
        if self._headers["Intercom-Version"] != "1.4":
            check(operation)
        if (instead := self.before(operation)) is not None:
            return instead
        body = None if operation.body is None else dict(operation.body)
        answer = self._app.test_client().open(operation.path, method=operation.method, json=body, headers=self._headers)
        wait = 0.0
        if answer.status_code == 429:
            wait = max(0.1, float(answer.headers["X-RateLimit-Reset"]) - time.time())
        return Reply(answer.status_code, answer.get_json(silent=True), wait)

    @property
    def requests(self) -> list[tuple[str, str]]:
        return [(operation.method, operation.path) for operation in self.sent]


class Intercom:
    """A sandbox, an outbox, and a sender between them whose clock a test moves."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        options = {"outbox": f"sqlite:///{folder / 'outbox.db'}", **settings}
        self.settings = Settings(app_id=APP_ID, access_token="t", **options)
        self.workspace = Workspace(APP_ID, search_lag=0)
        self.app = create_sandbox(self.workspace)
        self.transport = InProcess(self.app, self.settings.api_version)
        self.now = NOW
        self.outbox = SqliteOutbox(folder / "outbox.db", clock=lambda: self.now)
        self.sender = Sender(self.settings, self.outbox, self.transport, clock=lambda: self.now)

    @cached_property
    def analytics(self) -> Analytics:
        """A client on the same outbox; its own threads deliver to the sandbox."""
        return Analytics(self.settings, self.transport)

    def __enter__(self) -> Intercom:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the outbox."""
        self.analytics.close()
        self.outbox.close()

    def put(self, **message: Any) -> None:
        """Put a message of the user ``userId`` into the outbox."""
        text = write(parse({"timestamp": "2020-01-01T00:00:00Z", **message}), Diagnostics(True))
        self.outbox.put(message["userId"], text)

    def deliver(self) -> None:
        """Deliver what is due now."""
        while (lease := self.outbox.lease()) is not None:
            self.sender.deliver(lease)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the sandbox directly, beside the transport, and return its JSON."""
        headers = {"Authorization": "Bearer t", "Intercom-Version": self.settings.api_version}
        return self.app.test_client().open(path, method=method, json=body, headers=headers).get_json()

    @property
    def state(self) -> dict[str, Any]:
        return self.app.extensions["sandbox"].state()

    def person(self, user_id: str) -> dict[str, Any]:
        """Whom the workspace knows under a user id."""
        (person,) = (person for person in self.state["people"] if person["user_id"] == user_id)
        return person

    @property
    def events(self) -> list[str]:
        return [event["event_name"] for event in self.state["events"]]


@pytest.fixture
def intercom(tmp_path: Path) -> Iterator[Intercom]:
    """Today's dialect."""
    harness = Intercom(tmp_path)
    yield harness
    harness.close()


@pytest.fixture
def make_intercom(tmp_path: Path) -> Iterator[Callable[..., Intercom]]:
    """Any settings: ``make_intercom(api_version="1.4")``."""
    made: list[Intercom] = []

    def make(**settings: Any) -> Intercom:
        made.append(Intercom(tmp_path, **settings))
        return made[-1]

    yield make
    for harness in made:
        harness.close()


class Fast:
    """A clock on which thirty seconds pass in a moment: what waits for a lease or a retry need not be waited for."""

    def __init__(self, pace: float = 20.0) -> None:
        self._start, self._pace = time.time(), pace

    def __call__(self) -> float:
        return self._start + (time.time() - self._start) * self._pace


def broken(_: Operation) -> Reply:
    """A transport that gets no answer."""
    raise TransportError("api.intercom.io: the connection broke")
