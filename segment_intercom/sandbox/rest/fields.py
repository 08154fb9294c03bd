"""What the fields of a body may hold: nothing is guessed, converted or let pass."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..attributes import Check, number, text
from ..refusal import malformed

_SHOWN = 60  # of a name that may be of any length
_LARGEST_SPEND = 2**31 - 1


def check(
    body: dict[str, Any], fields: Mapping[str, Check], nullable: Collection[str] | None = None, where: str = ""
) -> None:
    """Refuse a body with an unknown field or a wrong value; ``nullable`` names those that may be null (None: all)."""
    for name, value in body.items():
        if name not in fields:
            remedy = f"known here: {', '.join(fields)}; everything else belongs into custom_attributes"
            raise malformed(f"Unknown field '{where}{name[:_SHOWN]}'", name[:_SHOWN], remedy)
        if value is None and (nullable is None or name in nullable):
            continue
        why = "must not be null" if value is None else fields[name](value)
        if why:
            raise malformed(f"{where}{name} {why}", name)


def known(value: Any) -> str | None:
    """Why a value is no identifier, or None when it is."""
    if text(value):
        return "must be a string"
    return None if value.strip() else "must not be empty"


def email(value: Any) -> str | None:
    """Why a value is no e-mail address, or None when it is."""
    name, at, host = value.rpartition("@") if isinstance(value, str) else ("", "", "")
    return None if name and at and host and " " not in value else "is not a valid e-mail address"


def picture(value: Any) -> str | None:
    """Why a value is no address of a picture, or None when it is."""
    right = isinstance(value, str) and value.startswith(("https://", "http://"))
    return None if right else "must be an address that starts with https://"


def table(value: Any) -> str | None:
    """Why a value is no object, or None when it is."""
    return None if isinstance(value, dict) else "must be an object"


def rows(value: Any) -> str | None:
    """Why a value is no array of objects, or None when it is."""
    right = isinstance(value, list) and all(isinstance(row, dict) for row in value)
    return None if right else "must be an array of objects"


def spend(value: Any) -> str | None:
    """Why a value is no monthly spend of today's API, or None when it is."""
    if number(value):
        return "must be a number"
    return None if int(value) <= _LARGEST_SPEND else f"must be at most {_LARGEST_SPEND}"


def classic_spend(value: Any) -> str | None:
    """Why a value is no monthly spend of the classic API, a number or the text of one, or None when it is."""
    if isinstance(value, str):
        return None if value.replace(".", "", 1).removeprefix("-").isdecimal() else "must be a number"
    return number(value)
