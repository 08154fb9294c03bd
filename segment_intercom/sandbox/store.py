"""The state of a sandbox: its workspaces, what they know, and the log of every request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from .identity import without_secrets
from .log import RequestLog
from .messenger_endpoints import ENDPOINTS, MessengerRequest, payload
from .people import now
from .rate_status import RateStatus, Windows
from .refusal import RefusedError, malformed
from .serializers import account_json, totals
from .workspace import Workspace
from .workspace_data import WorkspaceData

_ADDRESS_SHOWN = 2_000
_NAME_SHOWN = 60  # of an app id that is none, which may be of any length
_KINDS = {"ping": ("boot", "update", "shutdown"), "events": ("event",), "messages": ("message",), "looks": ("look",)}
_LISTS = ("people", "companies", "attributes", "events", "conversations")


class Store:
    """The state of one sandbox; every method may be called from any thread."""

    def __init__(self, workspaces: Iterable[Workspace], clock: Callable[[], float] = now) -> None:
        self.workspaces = {workspace.app_id: workspace for workspace in workspaces}
        self.clock = clock
        self.lock = threading.RLock()
        self.log = RequestLog()
        self._accounts: dict[str, WorkspaceData] = {}
        self._windows: dict[str, Windows] = {}
        self._wake = threading.Event()

    def receive(self, endpoint: str, region: str, origin: str | None, body: dict[str, Any]) -> dict[str, Any]:
        """Answer one request of the widget to a endpoint (ping, events, messages), or refuse it; both are logged."""
        with self.lock:
            kind = str(body.get("action")) if endpoint == "ping" else _KINDS[endpoint][0]
            call: MessengerRequest | None = None
            try:
                call = self._admit(endpoint, kind, region, origin, body)
                answer = ENDPOINTS[endpoint](call)
            except RefusedError as refused:
                self._log(kind, region, origin, body, call, refused)
                raise
            if endpoint != "looks":  # which come every few seconds, and say nothing
                self._log(kind, region, origin, body, call, None)
            return answer

    def admits_script(self, app_id: str, origin: str | None) -> bool:
        """Whether there is a workspace whose script this is; when there is none, that is logged as a refusal."""
        with self.lock:
            if app_id in self.workspaces:
                return True
            self._log("widget", None, origin, {"app_id": app_id[:_NAME_SHOWN]}, None, self._app_unknown(app_id, 404))
            return False

    def account(self, app_id: str) -> WorkspaceData:
        """What the workspace knows."""
        return self._accounts.setdefault(app_id, WorkspaceData(app_id, self.clock))

    def windows(self, app_id: str) -> Windows:
        """What the workspace has used of its rate limit."""
        return self._windows.setdefault(app_id, Windows())

    def standing(self, workspace: Workspace) -> RateStatus:
        """Where the workspace stands in its rate limit, without counting anything."""
        windows = self.windows(workspace.app_id)
        return windows.standing(self.clock(), workspace.rate_limit, workspace.rate_window)

    def reply(self, text: str, *, conversation_id: str | None = None, user_id: str | None = None) -> bool:
        """Let a teammate write: in a conversation, to a user, or to who wrote last; False where there is none."""
        with self.lock:
            for account in self._accounts.values():
                talks = list(account.conversations.values())
                talk = next((talk for talk in reversed(talks) if conversation_id in (None, talk.id)), None)
                person = (
                    account.people.with_user_id(user_id)
                    if user_id
                    else account.people.get(talk.person_id if talk else "")
                )
                if person is not None:
                    account.reply(person, text, conversation_id)
                    return True
        return False

    def pause(self, seconds: float) -> None:
        """Wait as a slow answer does, at the longest until the store is reset or closed; never under the lock."""
        self._wake.wait(seconds)

    def state(self, after: int = 0) -> dict[str, Any]:
        """What was received, for the inspector: the newest of each, and requests only later than ``after``."""
        with self.lock:
            accounts = list(self._accounts.values())
            shown = [account_json(account) for account in accounts]
            return {
                "workspaces": [workspace.as_json() for workspace in self.workspaces.values()],
                **{name: [item for workspace in shown for item in workspace[name]] for name in _LISTS},
                "requests": self.log.after(after),
                "first": self.log.first,
                "rate": [self.standing(workspace).as_json(workspace.app_id) for workspace in self.workspaces.values()],
                "faults": [
                    {"app_id": workspace.app_id, **fault.as_json()}
                    for workspace in self.workspaces.values()
                    for fault in workspace.faults
                ],
                "totals": {**totals(accounts), "requests": self.log.count},
            }

    def reset(self) -> None:
        """Forget everything but the workspaces, and let slow answers go; requests are numbered on."""
        self.close()
        with self.lock:
            self.log.clear()
            self._accounts.clear()
            self._windows.clear()
            self._wake = threading.Event()

    def close(self) -> None:
        """Let slow answers go, now and from now on."""
        self._wake.set()

    def _admit(
        self, endpoint: str, kind: str, region: str, origin: str | None, body: dict[str, Any]
    ) -> MessengerRequest:
        app_id = str(body.get("app_id"))
        workspace = self.workspaces.get(app_id)
        if workspace is None:
            raise self._app_unknown(app_id)
        workspace.check_region(region)
        workspace.check_domain(origin)
        if kind not in _KINDS[endpoint]:
            raise malformed(f"action must be one of {', '.join(_KINDS[endpoint])}.", "action")
        account = self.account(app_id)
        return MessengerRequest(workspace, account, kind, body, [], [])

    def _app_unknown(self, app_id: str, status: int = 403) -> RefusedError:
        known = list(self.workspaces)
        message = (
            f"No workspace has this app id; this sandbox has {', '.join(known) or 'none'}. "
            f"Start it with --app-id {app_id[:_NAME_SHOWN]}"
        )
        remedy = f", or set INTERCOM_APP_ID={known[0]}." if known else "."
        return RefusedError("app_unknown", message + remedy, "app_id", status)

    def _log(
        self,
        kind: str,
        region: str | None,
        origin: str | None,
        body: dict[str, Any],
        call: MessengerRequest | None,
        refused: RefusedError | None,
    ) -> None:
        request = {
            "at": self.clock(),
            "app_id": str(body.get("app_id")),
            "region": region,
            "origin": origin,
            "kind": kind,
            "status": refused.status if refused else 200,
            "code": refused.code if refused else None,
            "refused": refused.message if refused else None,
            "not_saved": [{"name": left.name, "why": left.why} for left in (call.not_saved if call else [])],
            "notes": call.notes if call else [],
            "person_id": call.person.id if call and call.person else None,
            "page": _address(body.get("page")),
            "changed": call.changed if call else [],
            "settings": without_secrets(payload(kind, body)),
        }
        self.log.add(request)


def _address(page: Any) -> str | None:
    """The address of the page that sent a request."""
    url = page.get("url") if isinstance(page, dict) else None
    return url[:_ADDRESS_SHOWN] if isinstance(url, str) else None
