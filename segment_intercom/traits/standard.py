"""Intercom's standard fields of a person, read from traits, and what a context tells of the device.

Source: Segment's documentation page for Intercom, "Identify" and "Collect Context".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..diagnostics import Diagnostics
from ..spec import SPEC
from .dates import seconds
from .names import text_of

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LONGEST_EMAIL = SPEC.limits.email  # by RFC 3696: what is longer is no address
_WEB = re.compile(r"https?://", re.IGNORECASE)
COLLECTED = tuple(SPEC.context.items())


def looks_like_email(text: str | None) -> bool:
    """Return whether a user id is an e-mail address, which then is the person's."""
    if text is None or "@" not in text or len(text) > _LONGEST_EMAIL:
        return False
    return _EMAIL.fullmatch(text) is not None


def email_of(value: Any) -> str | None:
    """An e-mail address, trimmed, or None when the value has not the form of one: Intercom refuses it."""
    text = text_of(value)
    if text is None or len(text) > _LONGEST_EMAIL or text.count("@") != 1 or len(text.split()) != 1:
        return None
    return text if text[0] != "@" != text[-1] else None


def phone_of(standard: Mapping[str, Any]) -> str | None:
    """The trait ``phone``, else the first of ``phones``, as text."""
    phones = standard.get("phones")
    first = phones[0] if isinstance(phones, list | tuple) and phones else phones
    for value in (standard.get("phone"), first):
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if text := text_of(value):
            return text
    return None


def first_date(standard: Mapping[str, Any], fields: tuple[str, ...], diagnostics: Diagnostics) -> int | None:
    """The first of several traits that is a date, in Unix seconds; one that is none is warned of."""
    for field in fields:
        if (value := standard.get(field)) is not None and value != "":
            if (moment := seconds(value)) is not None:
                return moment
            diagnostics.warn(field, "is no date that can be read; it is not sent")
    return None


def admin_id(value: Any) -> str | None:
    """Intercom's id of a teammate, which is a number, as text; None when the value is none."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else text_of(value)
    return text if text and text.isascii() and text.isdecimal() else None


def avatar_url(value: Any) -> str | None:
    """The address of an avatar, given as one or as Intercom's object; None when it is neither."""
    url = text_of(value.get("image_url") if isinstance(value, Mapping) else value)
    return url if url and _WEB.match(url) else None


def collected(context: Mapping[str, Any]) -> dict[str, Any]:
    """Device, operating system and app of a context, as ``device_type``, ``os_name``, ``app_version``, ..."""
    return {
        f"{part}_{name}": context[part][name]
        for part, names in COLLECTED
        if isinstance(context.get(part), Mapping)
        for name in names
        if context[part].get(name) is not None
    }
