"""Intercom's standard fields of a person, read from traits, and what a context tells of the device.

Source: Segment's documentation page for Intercom, "Identify" and "Collect Context".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .dates import seconds
from .names import text_of
from .report import Report

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_WEB = re.compile(r"https?://", re.IGNORECASE)
COLLECTED = (
    ("device", ("type", "manufacturer", "model")),
    ("os", ("name", "version")),
    ("app", ("name", "version")),
)


def looks_like_email(text: str | None) -> bool:
    """Tell whether a user id is an e-mail address, which then is the person's."""
    return text is not None and "@" in text and _EMAIL.fullmatch(text) is not None


def phone_of(known: Mapping[str, Any]) -> str | None:
    """The trait ``phone``, else the first of ``phones``, as text."""
    phones = known.get("phones")
    first = phones[0] if isinstance(phones, list | tuple) and phones else phones
    for value in (known.get("phone"), first):
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if text := text_of(value):
            return text
    return None


def first_date(known: Mapping[str, Any], slots: tuple[str, ...], report: Report) -> int | None:
    """The first of several traits that is a date, in Unix seconds; one that is none is remarked on."""
    for slot in slots:
        if (value := known.get(slot)) is not None and value != "":
            if (found := seconds(value)) is not None:
                return found
            report.note(slot, "is no date that can be read; it is not sent")
    return None


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
