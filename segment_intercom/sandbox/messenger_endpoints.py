"""The endpoints of the Messenger's back end: what a ping, an event and a message do, once they are let in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from . import events
from .attributes import NotSaved, Reading, read
from .event_log import NAME_LIMIT
from .identity import prove
from .people import Conversation, Event, Person
from .refusal import RefusedError, malformed
from .workspace import Workspace
from .workspace_data import WorkspaceData


@dataclass(slots=True)
class MessengerRequest:
    """One request on its way through the checks, which note on it what the log shows."""

    workspace: Workspace
    account: WorkspaceData
    kind: str
    body: dict[str, Any]
    notes: list[str]
    not_saved: list[NotSaved]
    person: Person | None = None
    # The names of what this request made otherwise.
    changed: list[str] = field(default_factory=list)

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


def payload(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """What the log shows of a request."""
    names = {"event": ("event_name", "metadata"), "message": ("text",)}.get(kind)
    if names:
        return {name: body[name] for name in names if name in body}
    settings = body.get("settings")
    return settings if isinstance(settings, dict) else {}


def _ping(call: MessengerRequest) -> dict[str, Any]:
    if call.kind == "shutdown":
        call.person = call.account.in_session(call.session)
        call.account.close_session(call.session)
        return {}
    settings, call.notes = prove(call.workspace, payload(call.kind, call.body))
    reading = read(settings)
    call.not_saved = list(reading.not_saved)
    call.person = _recognise(call, reading)
    if call.person is None:
        reason = "Visitors are switched off in this workspace: only identified people see the Messenger."
        call.notes.append(reason)
        return {"launcher": False, "reason": reason}
    return _welcome(call, call.person)


def _recognise(call: MessengerRequest, reading: Reading) -> Person | None:
    user_id, email = reading.standard.get("user_id"), reading.standard.get("email")
    current = call.account.in_session(call.session)
    if user_id or email:
        person = call.account.user(user_id, email, call.visitor_id)
        if current and current.role == "user" and current is not person:
            call.notes.append("The session was another user's: call shutdown at the log-out.")
    elif current and (current.role == "user" or call.workspace.visitors):
        person = current
    elif call.workspace.visitors:
        person = call.account.visitor(call.visitor_id)
    else:
        return None
    _save(call, person, reading, proven=bool(user_id or email) or person.role == "visitor")
    return person


def _save(call: MessengerRequest, person: Person, reading: Reading, *, proven: bool) -> None:
    page = call.body.get("page")
    person.last_seen = call.account.clock()
    person.page = page if isinstance(page, dict) else {}
    if proven or not call.workspace.enforced:
        before = _said_of(person)
        call.not_saved += call.account.save(person, reading)
        after = _said_of(person)
        call.changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    elif not reading.is_empty:
        why = "says something of a verified user without user_id and proof: every update carries them again"
        names = [*reading.standard, *reading.custom, *(["companies"] if reading.companies else [])]
        call.not_saved += [NotSaved(name, why) for name in names]


def _look(call: MessengerRequest) -> dict[str, Any]:
    """What is new: the widget asks again and again while it shows a conversation, and says which one is in sight."""
    person = call.sender()
    conversations = call.account.conversations_of(person)
    for conversation in conversations:
        if conversation.id == call.body.get("seen"):
            conversation.seen = len(conversation.parts)
    return {
        "conversations": [conversation.as_json() for conversation in conversations],
        "unread": sum(conversation.unread for conversation in conversations),
    }


def _said_of(person: Person) -> dict[str, Any]:
    """What is known of a person, by its names."""
    return {**person.standard, **person.custom_attributes, "companies": list(person.company_ids)}


def _welcome(call: MessengerRequest, person: Person) -> dict[str, Any]:
    conversations = call.account.conversations_of(person)
    return {
        "launcher": True,
        "reason": None,
        "workspace": {"name": call.workspace.name},
        "person": {"id": person.id, "role": person.role, **{name: person.standard.get(name) for name in _SHOWN}},
        "session": call.account.open_session(person, call.session),
        "conversations": [conversation.as_json() for conversation in conversations],
        "unread": sum(conversation.unread for conversation in conversations),
    }


def _event(call: MessengerRequest) -> dict[str, Any]:
    name, metadata, call.not_saved = events.read(call.body)
    person = call.sender()
    if not call.account.events.admits(name):
        call.not_saved = [NotSaved("event_name", f"the workspace has its {NAME_LIMIT} event names already")]
        return {}
    at = call.account.clock()
    call.account.events.add(Event(call.workspace.app_id, person.id, name, metadata, int(at), at=at))
    return {}


def _message(call: MessengerRequest) -> dict[str, Any]:
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
ENDPOINTS = {"ping": _ping, "events": _event, "messages": _message, "looks": _look}
