"""Events, in both dialects: what a user did at a second."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..attributes import Check, NotSaved, seconds, text
from ..event_log import NAME_LIMIT
from ..events import METADATA_LIMIT
from ..events import fault as nested_fault
from ..people import Event, Person
from ..refusal import RefusedError, malformed, missing, not_found
from .call import ApiCall, ApiReply
from .fields import check, known, table

FIELDS: dict[str, Check] = {
    "event_name": known,
    "created_at": seconds,
    "user_id": known,
    "id": known,
    "email": known,
    "metadata": table,
}
_LONGEST_TEXT = 255
_CLASSIC = {**FIELDS, "created": seconds}


def save(call: ApiCall) -> ApiReply:
    """POST /events: 202 and nothing more, also for an event that is there already."""
    body = call.body()
    check(body, _CLASSIC if call.source == "classic" else FIELDS, ())
    at = body.get("created_at", body.get("created"))
    if "event_name" not in body or at is None:
        name = "event_name" if "event_name" not in body else "created_at"
        raise missing(f"{name} not specified", name)
    metadata = _metadata(call, body.get("metadata", {}))
    person = _person(call, body)
    if not call.account.events.admits(body["event_name"]):
        remedy = "archive one in Intercom, or send fewer names"
        raise malformed(f"You have reached the limit of {NAME_LIMIT} event names", "event_name", remedy)
    event = Event(call.account.app_id, person.id, body["event_name"], metadata, at, call.source, call.at)
    if not call.account.events.add(event):
        call.notes.append("The same event of this second is there already: ignored.")
    return ApiReply(202)


def show(call: ApiCall) -> ApiReply:
    """GET /events?type=user and one of user_id, email and intercom_user_id: that person's events, the latest first."""
    query = call.asked.query
    if query.get("type") != "user":
        raise malformed("type must be user", "type")
    names = {"id": query.get("intercom_user_id"), "user_id": query.get("user_id"), "email": query.get("email")}
    person = _person(call, {name: value for name, value in names.items() if value is not None})
    events = call.account.events_of(person)[::-1]
    said = person.standard
    summed = query.get("summary") == "true"
    return ApiReply(
        200,
        {
            "type": "event.summary",
            "events": _summed(events) if summed else [_event_json(event, person) for event in events],
            "pages": {"next": None},
            **({"email": said["email"]} if "email" in said else {}),
            "intercom_user_id": person.id,
            **({"user_id": said["user_id"]} if "user_id" in said else {}),
        },
    )


def _person(call: ApiCall, body: dict[str, Any]) -> Person:
    """The contact of an event: user_id and email name users only, a lead is named by its id ("Lead Events")."""
    people = call.account.people
    if not any(name in body for name in ("id", "user_id", "email")):
        raise missing("one of user_id, id and email is required")
    if "id" in body:
        person = people.get(body["id"])
    elif "user_id" in body:
        person = people.with_user_id(body["user_id"])
    else:
        users = [person for person in people.with_email(body["email"]) if person.role == "user"]
        users.sort(key=lambda user: user.archived)
        if sum(not user.archived for user in users) > 1:
            message = "Multiple existing users match this email address - must be more specific using user_id"
            raise RefusedError("conflict", message, None, 409)
        person = users[0] if users else None
    if person is None or person.role not in (("user", "lead") if "id" in body else ("user",)):
        raise not_found(remedy="create the user first; a lead is named by its id, never by user_id or email")
    call.person = person
    if person.archived:
        raise not_found(remedy="the contact is archived: unarchive it first")
    return person


def _metadata(call: ApiCall, sent: dict[str, Any]) -> dict[str, Any]:
    for name, value in sent.items():
        why = "must not be null" if value is None else nested_fault(value)
        if not why and name.endswith("_date") and not _text_or_flag(value):
            why = seconds(value)
        if not why and call.source != "classic":
            why = _unfit(name, value)
        if why:
            raise malformed(f"metadata.{name} {why}", "metadata")
    cut = list(sent)[METADATA_LIMIT:]
    call.not_saved += [NotSaved(f"metadata.{name}", f"an event keeps its first {METADATA_LIMIT} keys") for name in cut]
    return {name: sent[name] for name in list(sent)[:METADATA_LIMIT]}


def _unfit(name: str, value: Any) -> str | None:
    """Why today's API keeps no property of this name or length, or None when it does."""
    if "." in name or "$" in name:
        return "has a name with . or $ in it"
    too_long = isinstance(value, str) and len(value) > _LONGEST_TEXT
    return f"is longer than {_LONGEST_TEXT} characters" if too_long else None


def _text_or_flag(value: Any) -> bool:
    # No name makes a date of these.
    return isinstance(value, bool) or text(value) is None


def _event_json(event: Event, person: Person) -> dict[str, Any]:
    return {
        "type": "event",
        "id": event.id,
        "created_at": event.created_at,
        "event_name": event.name,
        "user_id": person.standard.get("user_id"),
        "email": person.standard.get("email"),
        "intercom_user_id": person.id,
        "metadata": event.metadata,
    }


def _summed(events: list[Event]) -> list[dict[str, Any]]:
    sums: dict[str, dict[str, Any]] = {}
    for event in events:
        known_sum = sums.setdefault(event.name, {"name": event.name, "count": 0, "last": event.created_at})
        known_sum["count"] += 1
        known_sum["first"] = event.created_at
    return [{**row, **{name: _iso(row[name]) for name in ("first", "last")}} for row in sums.values()]


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
