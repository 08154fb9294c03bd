"""The user of a call and its time, which both dialects read in the same way.

Source: Segment's documentation page for Intercom, "Server-Side & Mobile", "Unsubscribe Users" and "Last Seen".
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

from ..calls import Call, Delete, Group, Identify, Track
from ..diagnostics import Diagnostics
from ..memo import Memo
from ..settings import Settings
from ..traits import seconds, split
from ..traits.fields import FieldSource, read_fields
from ..traits.names import plain_name, text_of
from ..traits.standard import admin_id, collected, email_of, first_date, looks_like_email

_UNREADABLE = "is nothing that Intercom's field of this name can hold; it is not sent"
_NO_EMAIL = "is no e-mail address, such as ann@example.com; it is not sent"
_UNKNOWN = "neither a user id nor an e-mail is known, and Intercom keeps no other calls; nothing is sent"


class UserRef(NamedTuple):
    """A user by the ids that the application knows: one of them or both.

    ``anonymous_id`` is that of a lead, who has no user id yet; None where leads are not wanted.
    """

    user_id: str | None
    email: str | None
    anonymous_id: str | None = None

    @property
    def is_known(self) -> bool:
        """Whether Intercom can tell who it is."""
        return self.user_id is not None or self.email is not None

    @classmethod
    def of(cls, call: Identify | Track | Group | Delete, *, leads: bool = False) -> UserRef:
        """Return the user that a call names: by its user id, by an e-mail that it holds, or by an id that is one.

        For an event the e-mail in the context comes before that in the properties. The traits of a group are the
        company's, so an e-mail among them is not the user's.
        """
        if isinstance(call, Identify):
            email = _email(call.traits)
        elif isinstance(call, Delete):
            email = email_of(call.email)
        else:
            email = _email(call.context.get("traits")) if call.context else None
            if email is None and isinstance(call, Track):
                email = _email(call.properties)
        email = email or (call.user_id if looks_like_email(call.user_id) else None)
        return cls(call.user_id, email, _lead(call, email) if leads else None)

    def check_known(self, diagnostics: Diagnostics) -> bool:
        """Return whether Intercom can tell who it is, and warn if it cannot."""
        if not self.is_known:
            diagnostics.warn("user_id", _UNKNOWN)
        return self.is_known


@dataclass(frozen=True, slots=True)
class IdentifyFields:
    """An identify call, read: who, what the traits mean, and the traits that are custom attributes."""

    user: UserRef
    standard: Mapping[str, Any]
    custom: dict[str, Any]
    seen_at: int | None


def read_identify(call: Identify, settings: Settings, diagnostics: Diagnostics) -> IdentifyFields:
    """Read an identify call; what the context collects goes below the traits."""
    standard, custom = split(call.traits, diagnostics, server=True)
    if "owner_id" in standard and admin_id(standard["owner_id"]) is None:
        # Not a teammate of Intercom's, so whatever the application means by it.
        del standard["owner_id"]
        custom |= {name: value for name, value in call.traits.items() if plain_name(str(name)) == "ownerid"}
    user_id: str | None = call.user_id
    email = email_of(standard.get("email")) or (user_id if looks_like_email(user_id) else None)
    if standard.get("id") is not None and str(standard["id"]) != user_id:
        diagnostics.warn("id", "is not the user's id and is no attribute either; give it another name")
    if settings.collect_context and call.context:
        custom = {**collected(call.context), **custom}
    user = UserRef(user_id, email, _lead(call, email) if settings.leads else None)
    return IdentifyFields(user, standard, custom, _seen_at(call, standard, diagnostics))


def add_standard(
    body: dict[str, Any], standard: Mapping[str, Any], target: tuple[FieldSource, ...], diagnostics: Diagnostics
) -> None:
    """Add the fields of a target to a body; a trait that such a field cannot hold is warned of."""
    fields, unreadable = read_fields(target, standard, diagnostics)
    body |= fields
    for name in unreadable:
        diagnostics.warn(name, _UNREADABLE)
    if (email := standard.get("email")) and body.get("email") != email and email_of(email) is None:
        diagnostics.warn("email", _NO_EMAIL)


@lru_cache(maxsize=64)
def without_links(settings: Settings) -> Settings:
    """The settings for attributes, which hold nothing nested: a rich link is kept in events only."""
    return replace(settings, rich_links=()) if settings.rich_links else settings


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
    values = {"last_seen_ip": call.context.get("ip"), "last_seen_user_agent": call.context.get("userAgent")}
    return {name: text for name, value in values.items() if (text := text_of(value))}


def happened_at(call: Call, diagnostics: Diagnostics) -> int:
    """When a call happened, in Unix seconds: its timestamp, else now."""
    timestamp = _timestamp(call, diagnostics)
    return int(time.time()) if timestamp is None else timestamp


def _seen_at(call: Call, standard: Mapping[str, Any], diagnostics: Diagnostics) -> int | None:
    active = call.context.get("active") if call.context else None
    if active is not None and not active:
        return None
    said = standard if standard.get("last_request_at") is not None else _last_request(call.context)
    seen = first_date(said, ("last_request_at",), diagnostics) if said else None
    return _timestamp(call, diagnostics) if seen is None else seen


def _last_request(context: Mapping[str, Any]) -> Mapping[str, Any]:
    """The time of the last request where the context says it: it counts as the trait does."""
    if "lastRequestAt" in context or "last_request_at" in context:
        return {"last_request_at": context.get("lastRequestAt", context.get("last_request_at"))}
    return {}


def _timestamp(call: Call, diagnostics: Diagnostics) -> int | None:
    if call.timestamp is None:
        return None
    if (timestamp := seconds(call.timestamp)) is None:
        diagnostics.warn("timestamp", "is no date that can be read; the time of delivery is taken")
    return timestamp


def _email(values: Any) -> str | None:
    if type(values) is not dict and not isinstance(values, Mapping):
        return None
    emails = (email_of(values[name]) for name in _EMAILS[tuple(values)])
    return next(filter(None, emails), None)


def _lead(call: Call, email: str | None) -> str | None:
    """The anonymous id of a call that is a lead's: of a person with an e-mail and without a user id."""
    return call.anonymous_id if email is not None and getattr(call, "user_id", None) is None else None


def _emails_among(names: tuple[str, ...]) -> tuple[str, ...]:
    """Which of these names are those of an e-mail."""
    return tuple(name for name in names if type(name) is str and plain_name(name) == "email")


_EMAILS = Memo(_emails_among, most=1_024, longest=4_096)  # there are few sets of names
