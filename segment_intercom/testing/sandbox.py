"""A sandbox that runs beside tests, and what they ask of it."""

from __future__ import annotations

import secrets
import threading
from pathlib import Path
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

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
        self._app = create_sandbox(self._workspace)
        self._server = make_server("127.0.0.1", 0, self._app, threaded=True, request_handler=_Silent)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def emptied(self, folder: Path) -> IntercomSandbox:
        """Forget everything, and give what a test holds; its outbox is in a folder of the test's own."""
        self._app.extensions["sandbox"].reset()
        self._workspace.faults = ()
        self._workspace.enforce_identity = None
        address = f"http://127.0.0.1:{self._server.server_port}"
        config = {
            "INTERCOM_APP_ID": _APP_ID,
            "INTERCOM_IDENTITY_SECRET": self._secret,
            "INTERCOM_ACCESS_TOKEN": self._token,
            "INTERCOM_WIDGET_URL": f"{address}/widget",
            "INTERCOM_API_URL": address,
            "INTERCOM_OUTBOX": f"sqlite:///{folder / 'intercom.db'}",
        }
        return IntercomSandbox(self._app.extensions["sandbox"], self._workspace, config)

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
    """What a test holds of the sandbox: ``config`` for the application, and what Intercom received."""

    def __init__(self, store: Any, workspace: Workspace, config: dict[str, str]) -> None:
        self._store = store
        self._workspace = workspace
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
        return self._workspace.enforced

    @verification.setter
    def verification(self, enforced: bool) -> None:
        self._workspace.enforce_identity = enforced

    def fault(self, text: str | None = None, **fault: Any) -> None:
        """Let requests to the REST API go wrong from now on: ``fault("500=0.1")``, ``fault(status=429, next=1)``."""
        added = Fault.parse(text) if text is not None else Fault(**fault)
        self._workspace.faults = (*self._workspace.faults, added)

    def reply(self, text: str, user_id: str | None = None) -> None:
        """Let a teammate write to a user, or to who wrote last; the page hears of it within seconds."""
        if not self._store.reply(text, user_id=user_id):
            raise AssertionError("nobody is there to reply to: no user of this id, and no conversation")

    def _list(self, name: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self._store.state()[name]
        return items
