"""Segment's six calls as frozen data, and the reading of its JSON messages.

Source: Segment's specification, "Spec: Common Fields", and its documentation page for Intercom.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from enum import Enum
from types import NoneType
from typing import Any, ClassVar
from uuid import UUID

from .errors import CallError

Traits = Mapping[str, Any]
# A string, a whole number or a UUID goes in; what a call holds is always a string, or None where there is none.
Id = Any


_LARGEST = 10**100  # of a whole number as an id; Python writes none of more than some thousand digits
_BLANKS = " \t\r\n\f\v\xa0"


def user_id_text(value: object, name: str = "user_id") -> str | None:
    """Return an id as the string it always is for Intercom, or None where there is none.

    Accepted are strings, whole numbers, UUIDs and enums of these; blanks are no id. A JavaScript number would lose a
    large id's digits.
    """
    if type(value) is str and value and (not value.isspace() or value.strip(_BLANKS)):
        return value
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, NoneType) or (isinstance(value, str) and not value.strip(_BLANKS)):  # a proxy of None, too
        return None
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return str(int(value))
    if isinstance(value, str | UUID) or (
        isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST
    ):
        return str(value)
    raise CallError(name, f"must be a string, a whole number or a UUID, not {type(value).__name__}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What all calls share. ``context`` and ``integrations`` are Segment's; ``timestamp`` is when it happened."""

    _ids: ClassVar[tuple[str, ...]] = ("anonymous_id",)
    _dicts: ClassVar[tuple[str, ...]] = ("context", "integrations")
    # What a call is about, and the field of its traits or properties; without the first, the other may be a message.
    _about: ClassVar[str] = "user_id"
    _body: ClassVar[str] = "traits"

    anonymous_id: Id = None
    # Both may hold a proof of identity, which belongs in no log.
    context: Traits = field(default_factory=dict, repr=False)
    integrations: Traits = field(default_factory=dict, repr=False)
    timestamp: datetime | str | float | None = None
    message_id: str | None = None

    def __post_init__(self) -> None:
        if type(about := getattr(self, self._about)) is not str or not about:
            self._unfold(about)
        for name in self._ids:
            value = getattr(self, name)
            if value is not None and (type(value) is not str or not value or value.isspace()):
                object.__setattr__(self, name, user_id_text(value, name))
        for name in self._dicts:
            if type(value := getattr(self, name)) is not dict:
                object.__setattr__(self, name, _mapping(name, value))

    def _unfold(self, about: object) -> None:
        """Read a single object that is a whole message, ``identify({"userId": ..., "traits": {...}})``, as that.

        Source: Segment's documentation page for Intercom, "Disassociating Users from a Company". What of it has no
        place of its own in the message counts as a trait or property.
        """
        if not self._body or not (about is None or about == "" or isinstance(about, Mapping)):
            return
        for place in (self._about, "user_id", self._body):
            message: Any = getattr(self, place, None)
            if is_message(message, type(self)):
                break
        else:
            return
        rest = {name: value for name, value in message.items() if name != "type"}
        values: dict[str, Any] = {}
        for name, key in _NAMES[type(self)]:
            said, own = rest.pop(key, None), getattr(self, name)
            own = None if own is message else own
            both = isinstance(said, Mapping) and isinstance(own, Mapping)
            values[name] = {**said, **(own or {})} if both else own or said
        if rest:
            values[self._body] = {**_mapping(self._body, values[self._body]), **rest}
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def options(self) -> Traits:
        """The options for Intercom: ``integrations.Intercom`` when it is an object, else ``context.Intercom``."""
        for place in (self._integrations(), self.context):
            for name, value in place.items():
                if type(name) is str and len(name) == 8 and name.lower() == "intercom" and isinstance(value, Mapping):
                    return value
        return {}

    @property
    def app_id(self) -> str | None:
        """The workspace that the options for Intercom name, ``appId``, where calls go to several."""
        options = self.options
        value = options.get("appId", options.get("app_id")) if options else None
        return None if value is None or value == "" else str(value)

    def with_options(self, more: Traits) -> Traits:
        """The call's integrations with more options for Intercom; they come before those that are said elsewhere."""
        others = {name: value for name, value in self._integrations().items() if str(name).lower() != "intercom"}
        return {"Intercom": {**self.options, **more}, **others}

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
        return {**self.integrations, **{name: nested[name] for name in nested if name not in self.integrations}}


@dataclass(frozen=True, slots=True)
class Identify(Call):
    """Who a user is: ``Identify("user1234", {"email": ..., "createdAt": ...})``."""

    _ids: ClassVar[tuple[str, ...]] = ("user_id", *Call._ids)
    _dicts: ClassVar[tuple[str, ...]] = ("traits", *Call._dicts)

    user_id: Id = None
    traits: Traits = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group(Call):
    """The company that a user belongs to: ``Group("companyId123", {"name": "Segment"}, user_id="user1234")``."""

    _ids: ClassVar[tuple[str, ...]] = ("group_id", "user_id", *Call._ids)
    _dicts: ClassVar[tuple[str, ...]] = ("traits", *Call._dicts)
    _about: ClassVar[str] = "group_id"

    group_id: Id = None
    traits: Traits = field(default_factory=dict)
    user_id: Id = None


@dataclass(frozen=True, slots=True)
class Track(Call):
    """What a user did: ``Track("Order Completed", {"revenue": "19.99"}, user_id="user1234")``."""

    _ids: ClassVar[tuple[str, ...]] = ("user_id", *Call._ids)
    _dicts: ClassVar[tuple[str, ...]] = ("properties", *Call._dicts)
    _about: ClassVar[str] = "event"
    _body: ClassVar[str] = "properties"

    event: str = ""
    properties: Traits = field(default_factory=dict)
    user_id: Id = None

    def __post_init__(self) -> None:
        Call.__post_init__(self)
        if not isinstance(self.event, str) or not self.event.strip():
            raise CallError("event", "a track call needs the name of its event, a string that is not empty")


@dataclass(frozen=True, slots=True)
class Page(Call):
    """A page that a user saw: in a page it shows the Messenger, from a server it has no effect."""

    _ids: ClassVar[tuple[str, ...]] = ("user_id", *Call._ids)
    _dicts: ClassVar[tuple[str, ...]] = ("properties", *Call._dicts)
    _about: ClassVar[str] = "name"
    _body: ClassVar[str] = "properties"

    name: str | None = None
    properties: Traits = field(default_factory=dict)
    user_id: Id = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Screen(Call):
    """A screen of a mobile app that a user saw; without effect in Intercom."""

    _ids: ClassVar[tuple[str, ...]] = ("user_id", *Call._ids)
    _dicts: ClassVar[tuple[str, ...]] = ("properties", *Call._dicts)
    _about: ClassVar[str] = "name"
    _body: ClassVar[str] = "properties"

    name: str | None = None
    properties: Traits = field(default_factory=dict)
    user_id: Id = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Alias(Call):
    """Two ids of one person; without effect in Intercom."""

    _ids: ClassVar[tuple[str, ...]] = ("previous_id", "user_id", *Call._ids)
    _body: ClassVar[str] = ""

    previous_id: Id = None
    user_id: Id = None


@dataclass(frozen=True, slots=True)
class Delete(Call):
    """The deletion of a user, by id or e-mail, at Intercom; or with ``archive`` their archiving there."""

    _ids: ClassVar[tuple[str, ...]] = ("user_id", *Call._ids)
    _body: ClassVar[str] = ""

    user_id: Id = None
    email: str | None = None
    archive: bool = False

    def __post_init__(self) -> None:
        Call.__post_init__(self)
        if not isinstance(self.archive, bool):
            raise CallError("archive", f"must be true or false, not {type(self.archive).__name__}")


TYPES: dict[str, type[Call]] = {
    "identify": Identify,
    "group": Group,
    "track": Track,
    "page": Page,
    "screen": Screen,
    "alias": Alias,
    "delete": Delete,
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


# What tells a whole message from the traits of a call: an id, or an object; in other calls also their own fields.
_MESSAGE_IDS = ("userId", "anonymousId")
_MESSAGE_OBJECTS = ("traits", "context", "integrations")
_MESSAGE_FIELDS: dict[type[Call], tuple[str, ...]] = {
    Group: ("groupId",),
    Track: ("event", "properties"),
    Page: ("properties",),
    Screen: ("properties",),
}


def is_message(value: object, kind: type[Call] = Identify) -> bool:
    """Return whether a single object is a whole message of a kind of call, and not its traits or properties."""
    if type(value) is not dict and not isinstance(value, Mapping):
        return False
    if any(name in value for name in (*_MESSAGE_IDS, *_MESSAGE_FIELDS.get(kind, ()))):
        return True
    return any(isinstance(value.get(name), Mapping) for name in _MESSAGE_OBJECTS)


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


# What a message that needs no reading is made of: texts that must be there, objects, and texts that may be.
_PLAIN_TEXTS = {"identify": ("userId",), "track": ("userId", "event"), "group": ("userId", "groupId")}
_PLAIN_OBJECTS = {"identify": ("traits", "context"), "track": ("properties", "context"), "group": ("traits", "context")}
_PLAIN_IDS = ("anonymousId", "messageId")


def plain_message(message: Traits) -> dict[str, Any] | None:
    """Return what ``message_of(parse(message))`` would, for a message as nearly all are; None for any other.

    Such a one names its user, goes to all destinations, and has nothing to be converted, moved or refused. Of its
    ``timestamp`` nothing is said. It saves what the making of a call costs, where thousands arrive a second.
    """
    kind = message.get("type")
    if type(kind) is not str or kind not in _PLAIN_TEXTS or message.get("integrations"):
        return None
    plain: dict[str, Any] = {"type": kind}
    plain |= {name: message.get(name) for name in _PLAIN_TEXTS[kind]}
    plain |= {name: text for name in _PLAIN_IDS if (text := message.get(name)) is not None}
    if not all(type(text) is str and text and not text.isspace() for text in plain.values()):
        return None
    for name in _PLAIN_OBJECTS[kind]:
        if (value := message.get(name)) is not None:
            if type(value) is not dict or "integrations" in value or "Intercom" in value or "intercom" in value:
                return None
            if value:
                plain[name] = value
    if (timestamp := message.get("timestamp")) is not None:
        plain["timestamp"] = timestamp
    return plain


def message_of(call: Call) -> dict[str, Any]:
    """Return a call in Segment's JSON form, the reverse of ``parse``; what is empty is left out."""
    kind = type(call)
    message: dict[str, Any] = {"type": kind.__name__.lower()}
    for name, key in _NAMES[kind]:
        if (value := getattr(call, name)) is not None and value is not False and value != {}:
            message[key] = value
    return message


def _mapping(name: str, value: object) -> Traits:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise CallError(name, f"must be a dict, not {type(value).__name__}")
    return value
