"""Companies in the forms that a trait may have: an object, a list, or just a name.

Source: Segment's documentation page for Intercom, "Identify" and "Group".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from ..settings import Settings
from .money import is_finite
from .names import plain_name, text_of
from .nested import custom_attributes
from .report import Report
from .standard import first_date
from .values import LARGEST, Unsendable, fields_of, plain

_SLOTS = {
    "id": "id",
    "companyid": "company_id",
    "name": "name",
    "plan": "plan",
    "monthlyspend": "monthly_spend",
    "created": "created",
    "createdat": "created_at",
    "remotecreatedat": "remote_created_at",
    "size": "size",
    "website": "website",
    "industry": "industry",
    "remove": "remove",
}
_IDS = ("id", "company_id")
_LISTS = (Sequence, Set)
_TEXTS = (str, bytes)
_CARRIED = ("plan", "monthly_spend", "size", "website", "industry")
# What is read from a company that is an object, such as a database row; nothing else is, unasked.
_ATTRIBUTES = ("id", "company_id", "name", "created_at", *_CARRIED)


def companies_of(known: Mapping[str, Any], settings: Settings, report: Report) -> list[dict[str, Any]]:
    """The companies of a user's traits: ``company`` before ``companies``, each in the form of ``company_of``.

    A company that is only a name takes the user's plan, monthly spend and date of creation.
    """
    found = (company_of(with_users(item, known), settings, report) for item in listed(known))
    return [company for company in found if company]


def listed(known: Mapping[str, Any]) -> list[Any]:
    """The companies of a user's traits as they were given."""
    value = known.get("company") or known.get("companies")
    if not value:
        return []
    return list(value) if is_list(value) else [value]


def is_list(value: Any) -> bool:
    """Tell whether a value is several companies, and not the name of one."""
    return isinstance(value, _LISTS) and not isinstance(value, _TEXTS)


def company_of(value: Any, settings: Settings, report: Report) -> dict[str, Any] | None:
    """Read one company: ``company_id``, ``name``, ``created_at``, ..., and the rest as ``custom_attributes``.

    One without id and name is left out with a warning, as Intercom could not tell which one is meant.
    """
    traits = traits_of(value)
    if traits is None:
        report.refuse("company", "must be a dict, an object or a name; give it an id and a name")
        return None
    known, custom = _split(traits, report)
    name = _name(known.get("name"))
    for slot in _IDS:
        if slot in known and _is_unreadable(known[slot]):
            report.refuse(f"company.{slot}", "must be a string, a whole number or a UUID")
            return None
    identifier = _identifier(known, name)
    if identifier is None:
        report.note("company", "has neither id nor name and is left out; give it one of them")
        return None
    company: dict[str, Any] = {"company_id": identifier}
    if name:
        company["name"] = name
    company |= _created(known, report)
    company |= {slot: known[slot] for slot in _CARRIED if known.get(slot) is not None}
    if known.get("remove") is True:
        company["remove"] = True
    elif known.get("remove"):
        report.note("company.remove", "must be True to leave the company; it is not sent")
    company["custom_attributes"] = custom_attributes(custom, settings, report)
    return company


def name_hash(name: str) -> int:
    """The id of a company that has only a name: the hash of Segment's ``string-hash``, 32 bits.

    It starts with 5381 and takes the UTF-16 units from the last to the first: ``Segment`` is 2017828326.
    """
    found = 5381
    encoded = name.encode("utf-16-le", "surrogatepass")
    for place in range(len(encoded) - 2, -1, -2):
        found = (found * 33 ^ int.from_bytes(encoded[place : place + 2], "little")) & 0xFFFFFFFF
    return found


def with_users(company: Any, known: Mapping[str, Any]) -> Any:
    """A company as it was given, one that is only a name with what the user's traits say of it."""
    if not (name := text_of(company)):
        return company
    return {"name": name, **{slot: known.get(slot) for slot in ("plan", "monthly_spend", "created", "created_at")}}


def traits_of(value: Any) -> Mapping[str, Any] | None:
    """The traits of a company in any of its forms, or None when it is none."""
    if type(value) is dict or isinstance(value, Mapping):
        return value
    if isinstance(value, str) or text_of(value):
        return {"name": text_of(value)}
    if callable(own := getattr(value, "intercom_traits", None)):
        return dict(own())
    if isinstance(value, int | float | bytes | Sequence):
        return None
    return fields_of(value, _ATTRIBUTES) or None


def _split(traits: Mapping[str, Any], report: Report) -> tuple[dict[str, Any], dict[str, Any]]:
    known: dict[str, Any] = {}
    custom: dict[str, Any] = {}
    for name, value in traits.items():
        slot = _SLOTS.get(plain_name(name)) if isinstance(name, str) else None
        if slot in _CARRIED:
            value = _scalar(value, slot, report)
        if slot is None:
            custom[name] = value
        elif known.get(slot) is None:
            known[slot] = value
    return known, custom


def _scalar(value: Any, slot: str, report: Report) -> Any:
    """The plain value of a field that Intercom keeps as one, None where there is none."""
    if ((kind := type(value)) is str and "-" not in value) or (kind is int and abs(value) < LARGEST):  # nearly always
        return value
    try:
        found = plain(value, (slot,))
    except Unsendable as error:
        report.refuse(f"company.{error.field}", str(error))
        return None
    if not isinstance(found, dict | list):
        return found
    report.refuse(f"company.{slot}", "must be a single value, not a dict or a list")
    return None


def _name(value: Any) -> str | None:
    if type(value) is str:
        return value.strip() or None
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else text_of(value)


def _identifier(known: Mapping[str, Any], name: str | None) -> str | int | None:
    found = next((known[slot] for slot in _IDS if not _is_blank(known.get(slot))), None)
    return _readable(found) if found is not None else name_hash(name) if name else None


def _is_unreadable(value: Any) -> bool:
    """Tell whether an id is there but cannot be read: its company must not be taken for another of the same name."""
    return not _is_blank(value) and _readable(value) is None


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _readable(value: Any) -> str | int | None:
    if type(value) is str:
        return value
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str | UUID):
        return str(value)
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool) and is_finite(value):
        return int(value) if value == int(value) else None
    return None


def _created(known: Mapping[str, Any], report: Report) -> dict[str, int]:
    created = first_date(known, ("created", "created_at", "remote_created_at"), report)
    return {} if created is None else {"created_at": created}
