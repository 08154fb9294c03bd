"""Segment's six calls as frozen data, and the reading of its JSON messages.

Source: Segment's specification, "Spec: Common Fields", and its documentation page for Intercom.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar
from uuid import UUID

from .errors import CallError

Traits = Mapping[str, Any]
# A string, a whole number or a UUID goes in; what a call holds is always a string, or None where there is none.
Id = Any


def user_id_text(value: object, name: str = "user_id") -> str | None:
    """Return an id as the string it always is for Intercom, or None where there is none.

    Accepted are strings, whole numbers, UUIDs and enums of these. A JavaScript number would lose a large id's digits.
    """
    if isinstance(value, Enum):
        value = value.value
    if value is None or value == "":
        return None
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return str(int(value))
    if isinstance(value, str | UUID) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    raise CallError(name, f"must be a string, a whole number or a UUID, not {type(value).__name__}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What all calls share. ``context`` and ``integrations`` are Segment's; ``timestamp`` is when it happened."""

    _ids: ClassVar[tuple[str, ...]] = ("anonymous_id",)
    _dicts: ClassVar[tuple[str, ...]] = ("context", "integrations")

    anonymous_id: Id = None
    # Both may hold somebody's proof of identity, which belongs in no log.
    context: Traits = field(default_factory=dict, repr=False)
    integrations: Traits = field(default_factory=dict, repr=False)
    timestamp: datetime | str | float | None = None
    message_id: str | None = None

    def __post_init__(self) -> None:
        for name in self._ids:
            value = getattr(self, name)
            if value is not None and (type(value) is not str or not value):
                object.__setattr__(self, name, user_id_text(value, name))
        for name in self._dicts:
            if type(value := getattr(self, name)) is not dict:
                object.__setattr__(self, name, _mapping(name, value))

    @property
    def options(self) -> Traits:
        """The options for Intercom: ``integrations.Intercom`` when it is an object, else ``context.Intercom``."""
        for place in (self._integrations(), self.context):
            for name, value in place.items():
                if type(name) is str and len(name) == 8 and name.lower() == "intercom" and isinstance(value, Mapping):
                    return value
        return {}

    @property
    def for_intercom(self) -> bool:
        """False when the call switches Intercom off, by its name or by ``All: False`` without it."""
        chosen = self._integrations()
        if "Intercom" in chosen:
            return chosen["Intercom"] is not False
        return chosen.get("All") is not False

    def _integrations(self) -> Traits:
        # The browser's third argument holds them beside the options; there they arrive inside of the context.
        nested = self.context.get("integrations")
        if nested is None or not isinstance(nested, Mapping):
            return self.integrations
        return {**nested, **self.integrations}


@dataclass(frozen=True, slots=True)
class Identify(Call):
    """Who somebody is: ``Identify("user1234", {"email": ..., "createdAt": ...})``."""

    _ids: ClassVar[tuple[str, ...]] = ("user_id", *Call._ids)
    _dicts: ClassVar[tuple[str, ...]] = ("traits", *Call._dicts)

    user_id: Id = None
    traits: Traits = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group(Call):
    """The company that a user belongs to: ``Group("companyId123", {"name": "Segment"}, user_id="user1234")``."""

    _ids: ClassVar[tuple[str, ...]] = ("group_id", "user_id", *Call._ids)
    _dicts: ClassVar[tuple[str, ...]] = ("traits", *Call._dicts)

    group_id: Id = None
    traits: Traits = field(default_factory=dict)
    user_id: Id = None


@dataclass(frozen=True, slots=True)
class Track(Call):
    """What somebody did: ``Track("Order Completed", {"revenue": "19.99"}, user_id="user1234")``."""

    _ids: ClassVar[tuple[str, ...]] = ("user_id", *Call._ids)
    _dicts: ClassVar[tuple[str, ...]] = ("properties", *Call._dicts)

    event: str = ""
    properties: Traits = field(default_factory=dict)
    user_id: Id = None

    def __post_init__(self) -> None:
        Call.__post_init__(self)
        if not isinstance(self.event, str) or not self.event.strip():
            raise CallError("event", "a track call needs the name of its event, a string that is not empty")


@dataclass(frozen=True, slots=True)
class Page(Call):
    """A page that somebody saw: in a page it shows the Messenger, from a server it has no effect."""

    _ids: ClassVar[tuple[str, ...]] = ("user_id", *Call._ids)
    _dicts: ClassVar[tuple[str, ...]] = ("properties", *Call._dicts)

    name: str | None = None
    properties: Traits = field(default_factory=dict)
    user_id: Id = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Screen(Call):
    """A screen of a mobile app that somebody saw; without effect in Intercom."""

    _ids: ClassVar[tuple[str, ...]] = ("user_id", *Call._ids)
    _dicts: ClassVar[tuple[str, ...]] = ("properties", *Call._dicts)

    name: str | None = None
    properties: Traits = field(default_factory=dict)
    user_id: Id = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Alias(Call):
    """Two ids of one person; without effect in Intercom."""

    _ids: ClassVar[tuple[str, ...]] = ("previous_id", "user_id", *Call._ids)

    previous_id: Id = None
    user_id: Id = None


TYPES: dict[str, type[Call]] = {
    "identify": Identify,
    "group": Group,
    "track": Track,
    "page": Page,
    "screen": Screen,
    "alias": Alias,
}
# Segment's JSON names of the fields whose Python names differ.
_JSON_NAMES = {
    "user_id": "userId",
    "group_id": "groupId",
    "anonymous_id": "anonymousId",
    "previous_id": "previousId",
    "message_id": "messageId",
}
# Each call's fields, by their names in Python and in Segment's JSON.
_NAMES = {
    kind: [(item.name, _JSON_NAMES.get(item.name, item.name)) for item in fields(kind)] for kind in TYPES.values()
}


def parse(message: Traits) -> Call:
    """Read a message in Segment's JSON form into its call; fields that it does not know are left out.

    Raises CallError, which names the field: an unknown ``type``, a trait object that is none, an id of a wrong type.
    """
    if not isinstance(message, Mapping):
        raise CallError("message", f"must be a JSON object, not {type(message).__name__}")
    kind = message.get("type")
    if not isinstance(kind, str) or kind not in TYPES:
        raise CallError("type", "must be one of " + ", ".join(TYPES))
    call = TYPES[kind]
    get = message.get
    return call(**{name: value for name, key in _NAMES[call] if (value := get(key)) is not None})


def message_of(call: Call) -> dict[str, Any]:
    """Return a call in Segment's JSON form, the reverse of ``parse``; what is empty is left out."""
    kind = type(call)
    found: dict[str, Any] = {"type": kind.__name__.lower()}
    for name, key in _NAMES[kind]:
        if (value := getattr(call, name)) is not None and value != {}:
            found[key] = value
    return found


def _mapping(name: str, value: object) -> Traits:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise CallError(name, f"must be a dict, not {type(value).__name__}")
    return value
