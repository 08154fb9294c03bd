"""Whom a call is about, and when it happened: what both dialects read in the same way.

Source: Segment's documentation page for Intercom, "Server-Side & Mobile", "Unsubscribe Users" and "Last Seen".
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from ..calls import Call, Group, Identify, Track
from ..settings import Settings
from ..traits import Report, seconds, split
from ..traits.names import plain_name, text_of
from ..traits.standard import collected, first_date, looks_like_email

Standard = tuple[tuple[str, frozenset[str], Callable[[Mapping[str, Any], Report], Any]], ...]

_UNREADABLE = "is nothing that Intercom's field of this name can hold; it is not sent"
_NOBODY = "neither a user id nor an e-mail is known, and Intercom keeps calls of nobody else; nothing is sent"


class Subject(NamedTuple):
    """A user by the ids that the application knows: one of them or both."""

    user_id: str | None
    email: str | None

    @property
    def is_known(self) -> bool:
        """Whether Intercom can tell who it is."""
        return self.user_id is not None or self.email is not None

    @classmethod
    def of(cls, call: Identify | Track | Group) -> Subject:
        """Whom a call names: by its user id, by an e-mail that it holds, or by an id that is one.

        For an event the e-mail in the context comes before that in the properties. The traits of a group are the
        company's, so an e-mail among them names nobody.
        """
        if isinstance(call, Identify):
            email = _email(call.traits)
        else:
            email = _email(call.context.get("traits")) if call.context else None
            if email is None and isinstance(call, Track):
                email = _email(call.properties)
        return cls(call.user_id, email or (call.user_id if looks_like_email(call.user_id) else None))

    def known(self, report: Report) -> bool:
        """Whether Intercom can tell who it is; somebody whom it cannot tell is remarked on."""
        if not self.is_known:
            report.note("user_id", _NOBODY)
        return self.is_known


@dataclass(frozen=True, slots=True)
class Described:
    """An identify call, read: who, what the traits mean, and the traits that are custom attributes."""

    subject: Subject
    known: Mapping[str, Any]
    custom: dict[str, Any]
    seen_at: int | None


def describe(call: Identify, settings: Settings, report: Report) -> Described:
    """Read an identify call; what the context collects goes below the traits."""
    known, custom = split(call.traits, report, server=True)
    user_id: str | None = call.user_id
    email = text_of(known.get("email")) or (user_id if looks_like_email(user_id) else None)
    if known.get("id") is not None and str(known["id"]) != user_id:
        report.note("id", "is not the user's id and is no attribute either; give it another name")
    if settings.collect_context and call.context:
        custom = {**collected(call.context), **custom}
    return Described(Subject(user_id, email), known, custom, _seen_at(call, known, report))


def add_standard(body: dict[str, Any], known: Mapping[str, Any], fields: Standard, report: Report) -> None:
    """Add the standard fields that are known; a trait that such a field cannot hold is remarked on."""
    for field, sources, read in fields:
        if sources.isdisjoint(known):
            continue
        if (value := read(known, report)) is not None:
            body[field] = value
        elif known.get(field) and not field.endswith("_at"):
            report.note(field, _UNREADABLE)
    if "email" not in body and known.get("email"):
        report.note("email", _UNREADABLE)


def unsubscribed(call: Call) -> bool | None:
    """The option ``unsubscribedFromEmails``, a real boolean only, or None."""
    if not (call.context or call.integrations):
        return None
    for name, value in call.options.items():
        if isinstance(name, str) and plain_name(name) == "unsubscribedfromemails" and isinstance(value, bool):
            return value
    return None


def address(call: Call) -> dict[str, str]:
    """The address and the user agent of a context, under Intercom's names."""
    given = {"last_seen_ip": call.context.get("ip"), "last_seen_user_agent": call.context.get("userAgent")}
    return {name: text for name, value in given.items() if (text := text_of(value))}


def happened_at(call: Call, report: Report) -> int:
    """When a call happened, in Unix seconds: its timestamp, else now."""
    found = _timestamp(call, report)
    return int(time.time()) if found is None else found


def _seen_at(call: Call, known: Mapping[str, Any], report: Report) -> int | None:
    active = call.context.get("active") if call.context else None
    if active is not None and not active:
        return None
    found = first_date(known, ("last_request_at",), report) if "last_request_at" in known else None
    return _timestamp(call, report) if found is None else found


def _timestamp(call: Call, report: Report) -> int | None:
    if call.timestamp is None:
        return None
    if (found := seconds(call.timestamp)) is None:
        report.note("timestamp", "is no date that can be read; the time of delivery is taken")
    return found


def _email(values: Any) -> str | None:
    if type(values) is not dict and not isinstance(values, Mapping):
        return None
    found = (text_of(values[name]) for name in _emails_among(tuple(values)))
    return next(filter(None, found), None)


@lru_cache(maxsize=1024)
def _emails_among(names: tuple[str, ...]) -> tuple[str, ...]:
    """Which of these names are those of an e-mail; there are few sets of names."""
    return tuple(name for name in names if type(name) is str and plain_name(name) == "email")
