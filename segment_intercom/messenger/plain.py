"""The fast path of a page: a user whose traits are plain values, read in one pass.

Nearly every page is of such a user. ``build_settings`` asks here first; whatever is not plain goes the longer way,
which alone knows all the rules. A test holds that the two say the same, `benchmarks/render.py` what this is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..intercom_keys import RESERVED
from ..memo import Memo
from ..settings import Settings
from ..traits.attributes import MOST
from ..traits.coerce import LARGEST
from ..traits.dates import seconds, starts_like_a_date
from ..traits.names import user_field
from .user_state import UserState

_CUSTOM, _NAME_PART, _STANDARD, _HARD = range(4)
# What a trait of this meaning is here; those of any other meaning go the longer way.
_KINDS = {
    None: _CUSTOM,
    "plan": _CUSTOM,
    "monthly_spend": _CUSTOM,
    "first_name": _NAME_PART,
    "last_name": _NAME_PART,
    "email": _STANDARD,
    "name": _STANDARD,
    "created": _STANDARD,
    "created_at": _STANDARD,
}
_FIELDS = {"created": "created_at"}


def _meaning(name: Any) -> tuple[int, str]:
    if not isinstance(name, str):
        return _HARD, ""
    field = user_field(name)
    kind = _HARD if "." in name or (field is None and name in RESERVED) else _KINDS.get(field, _HARD)
    return kind, _FIELDS.get(field or "", field or "")


_MEANINGS = Memo(_meaning, most=4_096, longest=100)


def plain_profile(user: UserState, settings: Settings) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The standard fields and the custom attributes of a user who has an id and only plain traits, else None."""
    user_id = user.user_id
    if (
        user_id is None
        or user.options
        or user.group_id is not None
        or user.group
        or settings.nested_handling_for
        or settings.rich_links
        or settings.collect_context
        or len(user.traits) > MOST
    ):
        return None
    standard: dict[str, Any] = {"user_id": user_id, "email": None, "name": None, "created_at": None}
    custom: dict[str, Any] = {}
    names: dict[str, Any] = {}
    for name, value in user.traits.items():
        kind, field = _MEANINGS[name]
        if kind == _CUSTOM:
            if (form := type(value)) is str:
                if "-" in value and starts_like_a_date(value):
                    return None
            elif not (
                form is bool or (form is int and -LARGEST < value < LARGEST) or (form is float and value % 1 > 0)
            ):
                return None
            custom[name] = value
        elif kind == _STANDARD and standard[field] is None and (read := _READERS[field](value)) is not None:
            standard[field] = read
        elif kind == _NAME_PART and type(value) is str and "-" not in value and field not in names:
            custom[name] = value
            names[field] = value.strip()
        else:
            return None
    return _finished(standard, names, custom)


def _text(value: Any) -> str | None:
    return value.strip() or None if type(value) is str else None


def _address(value: Any) -> str | None:
    """An e-mail that needs no further look."""
    text = _text(value)
    return text if text is not None and 0 < text.find("@") < len(text) - 1 and len(text) < _LONG else None


_LONG = 320
_READERS: dict[str, Callable[[Any], Any]] = {"email": _address, "name": _text, "created_at": seconds}


def _finished(
    standard: dict[str, Any], names: Mapping[str, str], custom: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    if standard["email"] is None and "@" in standard["user_id"]:
        return None  # the id may be the e-mail
    if standard["name"] is None and names.get("first_name") and names.get("last_name"):
        standard["name"] = f"{names['first_name']} {names['last_name']}"
    return {field: value for field, value in standard.items() if value is not None}, custom
