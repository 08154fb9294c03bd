"""Which trait is which: look-ups that ignore case and punctuation, as Segment's do."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from ..diagnostics import Diagnostics
from ..memo import Memo
from ..spec import SPEC


def plain_name(name: str) -> str:
    """A name without case and punctuation: ``first_name``, ``First Name`` and ``firstName`` are one."""
    return _PLAIN_NAMES[name]


_PLAIN_NAMES = Memo[str, str](
    lambda name: "".join(character for character in name.lower() if character.isalnum()), most=4_096, longest=100
)


# The traits with a meaning of their own, by their plain names; a server may give a few more than a page.
_SERVER_FIELDS = {plain_name(field.name): field.name for field in SPEC.user_traits}
_USER_FIELDS = {plain_name(field.name): field.name for field in SPEC.user_traits if not field.is_server_only}
_ALSO_CUSTOM = frozenset(field.name for field in SPEC.user_traits if field.is_custom_too)
# The same as words, for the browser runtime.
USER_TRAITS = " ".join(_USER_FIELDS)
ALSO_CUSTOM_TRAITS = " ".join(name for name, field in _USER_FIELDS.items() if field in _ALSO_CUSTOM)


def user_field(name: str) -> str | None:
    """The meaning of a user's trait in a page, such as ``created_at`` of ``createdAt``; None where it is custom."""
    return _USER_FIELDS.get(plain_name(name))


def _meanings(names_and_server: tuple[tuple[str, ...], bool]) -> tuple[tuple[str, str], ...]:
    """Which of these names mean something, each with its meaning, from a server or in a page."""
    names, server = names_and_server
    fields = _SERVER_FIELDS if server else _USER_FIELDS
    pairs = ((name, fields.get(plain_name(name))) for name in names if isinstance(name, str))
    return tuple((name, field) for name, field in pairs if field is not None)


# An application has few sets of names.
_MEANINGS = Memo(_meanings, most=1_024, longest=4_096)


def split(
    traits: Mapping[str, Any], diagnostics: Diagnostics, *, server: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Divide a user's traits into those with a meaning, by it, and the custom ones, by their own names.

    Of two traits with one meaning the first that is not None counts.
    """
    standard: dict[str, Any] = {}
    custom = dict(traits)
    for name, field in _MEANINGS[tuple(traits), server]:
        value = traits[name] if field in _ALSO_CUSTOM else custom.pop(name)
        if standard.get(field) is None:
            standard[field] = value
        elif value is not None and value != standard[field] and field not in _ALSO_CUSTOM:
            diagnostics.warn(name, "another trait of the same meaning comes first; this one is not sent")
    return standard, custom


def full_name(standard: Mapping[str, Any]) -> str | None:
    """The trait ``name``, else the first and the last name where both exist."""
    if name := text_of(standard.get("name")):
        return name
    first, last = text_of(standard.get("first_name")), text_of(standard.get("last_name"))
    return f"{first} {last}" if first and last else None


def text_of(value: Any) -> str | None:
    """A text, trimmed, or None when there is nothing in it; lazy strings are read."""
    if type(value) is str:
        return value.strip() or None
    if isinstance(value, Enum):
        value = value.value
    return str(value).strip() or None if hasattr(value, "casefold") else None
