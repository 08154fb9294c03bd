"""Intercom's standard fields of a user, all of a target read in one call: the page, the contacts API, version 1.4.

Source: Segment's documentation page for Intercom, "Identify"; Intercom's API description, "Create contact".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..diagnostics import Diagnostics
from .names import full_name, text_of
from .standard import admin_id, avatar_url, first_date, phone_of

Standard = Mapping[str, Any]


class FieldSource(NamedTuple):
    """A field of a target: its name there, the traits that it comes from, and how it is read from them."""

    name: str
    traits: frozenset[str]
    read: Callable[[Standard, Diagnostics], Any]


def _from(name: str, traits: str, read: Callable[[Standard], Any]) -> FieldSource:
    return FieldSource(name, frozenset(traits.split()), lambda standard, _: read(standard))


def _date(name: str, *traits: str) -> FieldSource:
    return FieldSource(name, frozenset(traits), lambda standard, diagnostics: first_date(standard, traits, diagnostics))


def _avatar(standard: Standard) -> dict[str, str] | None:
    url = avatar_url(standard["avatar"])
    return {"type": "avatar", "image_url": url} if url else None


_NAME = _from("name", "name first_name last_name", full_name)
_PHONE = _from("phone", "phone phones", phone_of)
# Each target's fields, in their order.
PAGE = (
    _from("email", "email", lambda standard: text_of(standard["email"])),
    _NAME,
    _PHONE,
    _date("created_at", "created", "created_at"),
    _from("avatar", "avatar", _avatar),
)
CONTACT = (
    _PHONE,
    _NAME,
    _from("avatar", "avatar", lambda standard: avatar_url(standard["avatar"])),
    _date("signed_up_at", "created", "created_at", "remote_created_at"),
    _from("owner_id", "owner_id", lambda standard: admin_id(standard["owner_id"])),
)
LEGACY_USER = (
    _NAME,
    _PHONE,
    _date("created_at", "created", "created_at"),
    _date("remote_created_at", "remote_created_at"),
)


def read_fields(
    target: tuple[FieldSource, ...], standard: Standard, diagnostics: Diagnostics
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the fields of a target, and the traits that a field of the same name cannot hold; dates are warned of."""
    fields: dict[str, Any] = {}
    unreadable: dict[str, Any] = {}
    for name, traits, read in target:
        if traits.isdisjoint(standard):
            continue
        if (value := read(standard, diagnostics)) is not None:
            fields[name] = value
        elif standard.get(name) and not name.endswith("_at"):
            unreadable[name] = standard[name]
    return fields, unreadable
