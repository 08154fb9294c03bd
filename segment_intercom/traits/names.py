"""Which trait is which: look-ups that ignore case and punctuation, as Segment's do."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Any

from .report import Report

# The traits with a meaning of their own, by their name without case and punctuation.
_USER_SLOTS = {
    "email": "email",
    "name": "name",
    "firstname": "first_name",
    "lastname": "last_name",
    "phone": "phone",
    "phones": "phones",
    "created": "created",
    "createdat": "created_at",
    "avatar": "avatar",
    "company": "company",
    "companies": "companies",
    "plan": "plan",
    "monthlyspend": "monthly_spend",
    "id": "id",
}
# A server may say these, too; to a page they are custom attributes.
_SERVER_SLOTS = {**_USER_SLOTS, "remotecreatedat": "remote_created_at", "lastrequestat": "last_request_at"}
# These have a meaning and stay among the custom attributes all the same, as in Segment's own integration.
_ALSO_CUSTOM = frozenset(("first_name", "last_name", "phones", "plan", "monthly_spend"))


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """A name without case and punctuation: ``first_name``, ``First Name`` and ``firstName`` are one."""
    return "".join(character for character in name.lower() if character.isalnum())


@lru_cache(maxsize=1024)
def _meanings(names: tuple[str, ...], server: bool) -> tuple[tuple[str, str], ...]:
    """Which of these names mean something, each with its meaning; an application has few sets of names."""
    slots = _SERVER_SLOTS if server else _USER_SLOTS
    found = ((name, slots.get(plain_name(name))) for name in names if isinstance(name, str))
    return tuple((name, slot) for name, slot in found if slot is not None)


def split(traits: Mapping[str, Any], report: Report, *, server: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    """Divide a user's traits into those with a meaning, by it, and the custom ones, by their own names.

    Of two traits with one meaning the first that is not None counts.
    """
    known: dict[str, Any] = {}
    custom = dict(traits)
    for name, slot in _meanings(tuple(traits), server):
        value = traits[name] if slot in _ALSO_CUSTOM else custom.pop(name)
        if known.get(slot) is None:
            known[slot] = value
        elif value is not None and value != known[slot] and slot not in _ALSO_CUSTOM:
            report.note(name, "another trait of the same meaning comes first; this one is not sent")
    return known, custom


def full_name(known: Mapping[str, Any]) -> str | None:
    """The trait ``name``, else the first and the last name where both exist."""
    if name := text_of(known.get("name")):
        return name
    first, last = text_of(known.get("first_name")), text_of(known.get("last_name"))
    return f"{first} {last}" if first and last else None


def text_of(value: Any) -> str | None:
    """A text, trimmed, or None when there is nothing in it; lazy strings are read."""
    if type(value) is str:
        return value.strip() or None
    if isinstance(value, Enum):
        value = value.value
    return str(value).strip() or None if hasattr(value, "casefold") else None
