"""A sandbox that runs beside tests, and what they ask of it."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

from ..sandbox import Fault, Workspace, create_sandbox

_APP_ID = "sandbox1"


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Requests are looked at, not printed."""


class SandboxServer:
    """One sandbox for a session of tests, on a port of the loopback that the system chooses."""

    def __init__(self) -> None:
        self._secret, self._token = secrets.token_hex(16), secrets.token_hex(16)
        self._workspace = Workspace(
            _APP_ID, identity_secret=self._secret, access_token=self._token, search_lag=0, name="Tests"
        )
        self._as_new = replace(self._workspace)
        self._app = create_sandbox(self._workspace)
        self._answered = threading.Condition()
        self._app.after_request(self._announce)
        self._server = make_server("127.0.0.1", 0, self._app, threaded=True, request_handler=_Silent)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def emptied(self, folder: Path) -> IntercomSandbox:
        """Forget everything, and give what a test holds; its outbox is in a folder of the test's own."""
        self._app.extensions["sandbox"].reset()
        for field in fields(Workspace):
            setattr(self._workspace, field.name, getattr(self._as_new, field.name))
        address = f"http://127.0.0.1:{self._server.server_port}"
        config = {
            "INTERCOM_APP_ID": _APP_ID,
            "INTERCOM_IDENTITY_SECRET": self._secret,
            "INTERCOM_ACCESS_TOKEN": self._token,
            "INTERCOM_WIDGET_URL": f"{address}/widget",
            "INTERCOM_API_URL": address,
            "INTERCOM_OUTBOX": f"sqlite:///{folder / 'intercom.db'}",
        }
        return IntercomSandbox(address, self._app.extensions["sandbox"], self._workspace, config, self._answered)

    def _announce(self, response: Response) -> Response:
        with self._answered:
            self._answered.notify_all()
        return response

    def release(self) -> None:
        """Let slow answers of a test go."""
        self._app.extensions["sandbox"].close()

    def stop(self) -> None:
        """End the server."""
        self._app.extensions["sandbox"].close()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class IntercomSandbox:
    """What a test holds of the sandbox: ``config`` for the application, and what Intercom received.

    Its inspector is at ``{address}/inspector``. ``workspace`` may be changed for the test:
    ``workspace.region = "eu"``, ``.visitors``, ``.trusted_domains``, ``.identity_secret``, ...
    """

    def __init__(
        self, address: str, store: Any, workspace: Workspace, config: dict[str, str], answered: threading.Condition
    ) -> None:
        self._store = store
        self._answered = answered
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

    def wait_for(self, holds: Callable[[IntercomSandbox], Any], timeout: float = 10.0) -> None:
        """Wait until this holds: ``wait_for(lambda sandbox: len(sandbox.events) == 2)``; ``timeout`` in seconds."""
        with self._answered:
            if self._answered.wait_for(lambda: holds(self), timeout):
                return
        came = [f"{request['kind']} {request['status']} {request.get('refused') or ''}" for request in self.requests]
        raise AssertionError("\n  ".join([f"waited {timeout} s; Intercom received:", *(came or ["nothing"])]))

    def _list(self, name: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self._store.state()[name]
        return items
