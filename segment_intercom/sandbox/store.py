"""The Messenger's back end without HTTP: it checks, saves, remembers, and logs every request."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import events
from .account import Account
from .attributes import NotSaved, Reading, read
from .identity import prove, without_secrets
from .people import Conversation, Event, Person, now
from .refusal import RefusedError, malformed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .workspace import Workspace

_REQUESTS_KEPT = 500
_NAME_SHOWN = 60  # of an app id that is none, which may be of any length
_KINDS = {"ping": ("boot", "update", "shutdown"), "events": ("event",), "messages": ("message",)}


@dataclass(slots=True)
class Call:
    """One request on its way through the checks, which note on it what the log shows."""

    workspace: Workspace
    account: Account
    kind: str
    body: dict[str, Any]
    notes: list[str]
    not_saved: list[NotSaved]
    person: Person | None = None

    @property
    def session(self) -> str | None:
        """The session that the browser's cookie holds."""
        return _text(self.body.get("session"))

    @property
    def visitor_id(self) -> str:
        """The id of the browser, from its cookie."""
        visitor_id = _text(self.body.get("visitor_id"))
        if not visitor_id:
            raise malformed("visitor_id is missing: the widget sends its cookie's value.", "visitor_id")
        return visitor_id

    def sender(self) -> Person:
        """The person in session, who must have booted before."""
        person = self.account.in_session(self.session)
        if person is None:
            message = "No session: boot the Messenger first (after a reset of the sandbox, load the page again)."
            raise RefusedError("session_unknown", message, "session")
        self.person = person
        return person


class Store:
    """The state of one sandbox; every method may be called from any thread."""

    def __init__(self, workspaces: Iterable[Workspace]) -> None:
        self.workspaces = {workspace.app_id: workspace for workspace in workspaces}
        self._lock = threading.RLock()
        self._requests: deque[dict[str, Any]] = deque(maxlen=_REQUESTS_KEPT)
        self._count = 0
        self._accounts: dict[str, Account] = {}

    def receive(self, door: str, region: str, origin: str | None, body: dict[str, Any]) -> dict[str, Any]:
        """Answer one request of the widget to a door (ping, events, messages), or refuse it; both are logged."""
        with self._lock:
            kind = str(body.get("action")) if door == "ping" else _KINDS[door][0]
            call: Call | None = None
            try:
                call = self._admit(door, kind, region, origin, body)
                answer = _DOORS[door](call)
            except RefusedError as refused:
                self._log(kind, region, origin, body, call, refused)
                raise
            self._log(kind, region, origin, body, call, None)
            return answer

    def admits_script(self, app_id: str, origin: str | None) -> bool:
        """Whether there is a workspace whose script this is; when there is none, that is logged as a refusal."""
        with self._lock:
            if app_id in self.workspaces:
                return True
            self._log("widget", None, origin, {"app_id": app_id[:_NAME_SHOWN]}, None, self._app_unknown(app_id, 404))
            return False

    def state(self, after: int = 0) -> dict[str, Any]:
        """Everything that was received, for the inspector; of the requests only those later than number ``after``."""
        with self._lock:
            accounts = list(self._accounts.values())
            return {
                "workspaces": [workspace.as_json() for workspace in self.workspaces.values()],
                "people": [each.person_json(person) for each in accounts for person in each.people.values()],
                "companies": [company.as_json() for each in accounts for company in each.companies.values()],
                "events": [event.as_json() for each in accounts for event in each.events],
                "conversations": [talk.as_json() for each in accounts for talk in each.conversations.values()],
                "requests": [request for request in self._requests if request["n"] > after],
                "first": self._requests[0]["n"] if self._requests else self._count + 1,
            }

    def reset(self) -> None:
        """Forget everything but the workspaces; requests are numbered on, so that a page sees that some are gone."""
        with self._lock:
            self._requests.clear()
            self._accounts.clear()

    def _admit(self, door: str, kind: str, region: str, origin: str | None, body: dict[str, Any]) -> Call:
        app_id = str(body.get("app_id"))
        workspace = self.workspaces.get(app_id)
        if workspace is None:
            raise self._app_unknown(app_id)
        workspace.check_region(region)
        workspace.check_domain(origin)
        if kind not in _KINDS[door]:
            raise malformed(f"action must be one of {', '.join(_KINDS[door])}.", "action")
        account = self._accounts.setdefault(app_id, Account(app_id))
        return Call(workspace, account, kind, body, [], [])

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
        call: Call | None,
        refused: RefusedError | None,
    ) -> None:
        self._count += 1
        request = {
            "n": self._count,
            "at": now(),
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
            "settings": without_secrets(_payload(kind, body)),
        }
        self._requests.append(request)


def _payload(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    names = {"event": ("event_name", "metadata"), "message": ("text",)}.get(kind)
    if names:
        return {name: body[name] for name in names if name in body}
    settings = body.get("settings")
    return settings if isinstance(settings, dict) else {}


def _ping(call: Call) -> dict[str, Any]:
    if call.kind == "shutdown":
        call.person = call.account.in_session(call.session)
        call.account.close_session(call.session)
        return {}
    settings, call.notes = prove(call.workspace, _payload(call.kind, call.body))
    reading = read(settings)
    call.not_saved = list(reading.not_saved)
    call.person = _recognise(call, reading)
    if call.person is None:
        reason = "Visitors are switched off in this workspace: only identified people see the Messenger."
        call.notes.append(reason)
        return {"launcher": False, "reason": reason}
    return _welcome(call, call.person)


def _recognise(call: Call, reading: Reading) -> Person | None:
    user_id, email = reading.standard.get("user_id"), reading.standard.get("email")
    current = call.account.in_session(call.session)
    if user_id or email:
        person = call.account.user(user_id, email, call.visitor_id)
        if current and current.role == "user" and current is not person:
            call.notes.append("The session was another user's: call shutdown when somebody logs out.")
    elif current and (current.role == "user" or call.workspace.visitors):
        person = current
    elif call.workspace.visitors:
        person = call.account.visitor(call.visitor_id)
    else:
        return None
    _save(call, person, reading, proven=bool(user_id or email) or person.role == "visitor")
    return person


def _save(call: Call, person: Person, reading: Reading, *, proven: bool) -> None:
    page = call.body.get("page")
    person.last_seen = now()
    person.page = page if isinstance(page, dict) else {}
    if proven or not call.workspace.enforced:
        call.not_saved += call.account.save(person, reading)
    elif not reading.is_empty:
        why = "says something of a verified user without user_id and proof: every update carries them again"
        names = [*reading.standard, *reading.custom, *(["companies"] if reading.companies else [])]
        call.not_saved += [NotSaved(name, why) for name in names]


def _welcome(call: Call, person: Person) -> dict[str, Any]:
    conversations = call.account.conversations_of(person)
    return {
        "launcher": True,
        "reason": None,
        "workspace": {"name": call.workspace.name},
        "person": {"id": person.id, "role": person.role, **{name: person.standard.get(name) for name in _SHOWN}},
        "session": call.account.open_session(person, call.session),
        "conversations": [conversation.as_json() for conversation in conversations],
        "unread": 0,
    }


def _event(call: Call) -> dict[str, Any]:
    name, metadata, call.not_saved = events.read(call.body)
    person = call.sender()
    call.account.events.append(Event(call.workspace.app_id, person.id, name, metadata))
    return {}


def _message(call: Call) -> dict[str, Any]:
    text = _text(call.body.get("text"))
    if not text or not text.strip():
        raise malformed("text must be text that is not empty.", "text")
    person = call.sender()
    conversation = call.account.conversations.get(str(call.body.get("conversation_id")))
    if conversation is None or conversation.person_id != person.id:
        conversation = Conversation(call.workspace.app_id, person.id)
        call.account.conversations[conversation.id] = conversation
    conversation.write(text)
    return {"conversation": conversation.as_json()}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


_SHOWN = ("user_id", "email", "name")
_DOORS = {"ping": _ping, "events": _event, "messages": _message}
