"""A sandbox that runs beside tests, and what they ask of it."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from ..sandbox import Fault, Workspace, create_sandbox

_APP_ID = "sandbox1"
_LAST_REQUESTS = 5.0  # seconds for requests of the test before to end


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Requests are looked at, not printed."""


class SandboxServer:
    """A sandbox on a port of the loopback that the system chooses, with secrets of its own.

    Its rate limit is Intercom's, in windows of one second: a client that is told to wait for the next one waits no
    longer. ``folder`` is where the outbox of an application is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._workspace = Workspace(
            _APP_ID,
            identity_secret=secrets.token_hex(16),
            access_token=secrets.token_hex(16),
            rate_limit=100_000,  # a minute: as many in a window as Intercom grants in its windows of ten seconds
            rate_window=1.0,
            search_lag=0,
            name="Tests",
        )
        self._as_new = replace(self._workspace)
        app = create_sandbox(self._workspace)
        self._store = app.extensions["sandbox"]
        self._in_progress = self._answers = 0
        self._answered = threading.Condition()
        self._answer = app.wsgi_app
        self._server = make_server("127.0.0.1", 0, self._count, threaded=True, request_handler=_Silent)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        address = f"http://127.0.0.1:{self._server.server_port}"
        config = {
            "INTERCOM_APP_ID": _APP_ID,
            "INTERCOM_IDENTITY_SECRET": str(self._workspace.identity_secret),
            "INTERCOM_ACCESS_TOKEN": str(self._workspace.access_token),
            "INTERCOM_WIDGET_URL": f"{address}/widget",
            "INTERCOM_API_URL": address,
            "INTERCOM_OUTBOX": f"sqlite:///{folder / 'intercom.db'}",
        }
        self.sandbox = IntercomSandbox(
            address, self._store, self._workspace, config, self._answered, lambda: self._answers
        )

    def _count(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer as the sandbox does, and tell who waits."""
        with self._answered:
            self._in_progress += 1
        try:
            return self._answer(environ, start)
        finally:
            with self._answered:
                self._in_progress -= 1
                self._answers += 1
                self._answered.notify_all()

    def empty(self) -> None:
        """Forget everything, once the requests in progress are answered, and set the workspace up as it was."""
        for field in fields(Workspace):
            setattr(self._workspace, field.name, getattr(self._as_new, field.name))
        self.release()
        with self._answered:
            self._answered.wait_for(lambda: self._in_progress == 0, _LAST_REQUESTS)
        self._store.reset()

    def release(self) -> None:
        """Let slow answers of a test go."""
        self._store.close()

    def stop(self) -> None:
        """End the server; what comes later is refused."""
        self.release()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class IntercomSandbox:
    """What a test holds of the sandbox: ``config`` for the application, and what Intercom received.

    Its inspector is at ``{address}/inspector``. ``workspace`` may be changed for the test:
    ``workspace.region = "eu"``, ``.visitors``, ``.trusted_domains``, ``.identity_secret``, ...
    """

    def __init__(
        self,
        address: str,
        store: Any,
        workspace: Workspace,
        config: dict[str, str],
        answered: threading.Condition,
        answers: Callable[[], int],
    ) -> None:
        self._store = store
        self._answered = answered
        self._answers = answers
        self.address = address
        self.workspace = workspace
        self.config = config

    @property
    def people(self) -> list[dict[str, Any]]:
        """The contacts, each with ``user_id``, ``email``, ``name``, ``custom_attributes``, ..."""
        return self._list("people")

    @property
    def companies(self) -> list[dict[str, Any]]:
        """The companies, each with ``company_id``, ``name``, ..."""
        return self._list("companies")

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events, oldest first, each with ``event_name``, ``metadata``, ``person_id``, ..."""
        return self._list("events")

    @property
    def conversations(self) -> list[dict[str, Any]]:
        """The conversations, each with its ``messages``."""
        return self._list("conversations")

    @property
    def requests(self) -> list[dict[str, Any]]:
        """All requests, of pages and of servers, oldest first."""
        return self._list("requests")

    @property
    def refused(self) -> list[dict[str, Any]]:
        """The requests that were refused; each says why under ``refused``."""
        return [request for request in self.requests if request.get("refused")]

    @property
    def verification(self) -> bool:
        """Whether users need a proof, as at Intercom where it is switched on."""
        return self.workspace.enforced

    @verification.setter
    def verification(self, enforced: bool) -> None:
        self.workspace.enforce_identity = enforced

    def fault(self, text: str | None = None, **fault: Any) -> None:
        """Let requests to the REST API go wrong from now on: ``fault("500=0.1")``, ``fault(status=429, next=1)``."""
        added = Fault.parse(text) if text is not None else Fault(**fault)
        self.workspace.faults = (*self.workspace.faults, added)

    def reply(self, text: str, user_id: str | None = None) -> None:
        """Let a teammate write to a user, or to who wrote last; the page hears of it within seconds."""
        if not self._store.reply(text, user_id=user_id):
            raise AssertionError("nobody is there to reply to: no user of this id, and no conversation")

    def clear(self) -> None:
        """Forget all that Intercom received, the people included."""
        self._store.reset()

    def wait_for(self, holds: Callable[[IntercomSandbox], Any], timeout: float = 10.0) -> Any:
        """Wait until this is true, and return it: ``events = wait_for(lambda sandbox: sandbox.events)``.

        ``timeout`` in seconds; then AssertionError, with what Intercom received.
        """
        __tracebackhide__ = True
        end = time.monotonic() + timeout
        while True:
            with self._answered:
                answers = self._answers()
            if result := holds(self):  # without the lock: it may ask the sandbox itself
                return result
            with self._answered:
                left = end - time.monotonic()
                if left <= 0 or (self._answers() == answers and not self._answered.wait(left)):
                    break
        came = [f"{request['kind']} {request['status']} {request.get('refused') or ''}" for request in self.requests]
        raise AssertionError("\n  ".join([f"waited {timeout} s; Intercom received:", *(came or ["nothing"])]))

    def _list(self, name: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self._store.state()[name]
        return items
