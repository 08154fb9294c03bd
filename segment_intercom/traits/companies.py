"""Companies in the forms that a trait may have: an object, a list, or just a name.

Source: Segment's documentation page for Intercom, "Identify" and "Group".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from ..diagnostics import Diagnostics
from ..settings import Settings
from ..spec import SPEC
from .attributes import custom_attributes
from .coerce import LARGEST, UnsupportedValue, fields_of, to_json
from .names import plain_name, text_of
from .numbers import amount, is_finite
from .standard import first_date

_COMPANY_FIELDS = {plain_name(field.name): field.name for field in SPEC.company_traits}
COMPANY_TRAITS = " ".join(_COMPANY_FIELDS)  # for the browser runtime
_OF_A_USER = ("company", "companies")
_IDS = ("id", "company_id")
_LISTS = (Sequence, Set)
_TEXTS = (str, bytes)
_CARRIED = ("plan", "monthly_spend", "size", "website", "industry")
MOST_COMPANIES = SPEC.limits.companies  # of one call: each is an operation of its own at Intercom
_LARGEST_NUMBER = SPEC.limits.company_number
# What is read from a company that is an object, such as a database row; nothing else is, unasked.
_ATTRIBUTES = ("id", "company_id", "name", "created_at", *_CARRIED)


def companies_of(
    standard: Mapping[str, Any], settings: Settings, diagnostics: Diagnostics, fields: Sequence[str] = _OF_A_USER
) -> list[dict[str, Any]]:
    """The companies of a user's traits, those of ``company`` before those of ``companies``, in ``company_of``'s form.

    A company that is only a name takes the user's plan, monthly spend and date of creation, and has no
    ``custom_attributes``. Two of one id are one company, of which the first says more.
    """
    companies = []
    items = [item for field in fields if (value := standard.get(field)) for item in _items(value)]
    if len(items) > MOST_COMPANIES:
        diagnostics.warn("companies", f"are more than {MOST_COMPANIES}; those beyond are left out")
    for item in items[:MOST_COMPANIES]:
        company = company_of(_with_users(item, standard), settings, diagnostics)
        if company is not None:
            if text_of(item):
                del company["custom_attributes"]
            companies.append(company)
    return united(companies)


def united(companies: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The companies, of two with one id the first, with what only the second says."""
    by_id: dict[str, dict[str, Any]] = {}
    for company in companies:
        key = str(company["company_id"])
        by_id[key] = _united(by_id[key], company) if key in by_id else company
    return list(by_id.values())


def _united(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    custom = {**second.get("custom_attributes", {}), **first.get("custom_attributes", {})}
    return {**second, **first, **({"custom_attributes": custom} if custom else {})}


def _items(value: Any) -> Iterable[Any]:
    return value if is_list(value) else [value]


def is_by_name(company: Mapping[str, Any]) -> bool:
    """Return whether a company's id is the hash of its name, as it was given by that alone."""
    return "name" in company and company["company_id"] == name_hash(company["name"])


def is_list(value: Any) -> bool:
    """Return whether a value is several companies, and not one: its name, or a named tuple such as a row."""
    return isinstance(value, _LISTS) and not isinstance(value, _TEXTS) and not hasattr(value, "_fields")


def company_of(value: Any, settings: Settings, diagnostics: Diagnostics) -> dict[str, Any] | None:
    """Read one company: ``company_id``, ``name``, ``created_at``, ..., and the rest as ``custom_attributes``.

    One without id and name is left out with a warning, as Intercom could not tell which one is meant.
    """
    traits = traits_of(value)
    if traits is None:
        diagnostics.reject("company", "must be a dict, an object or a name; give it an id and a name")
        return None
    standard, custom = _split(traits, diagnostics)
    name = _name(standard.get("name"), diagnostics)
    identifier = _identifier(standard, name, diagnostics)
    if identifier is None:
        return None
    company: dict[str, Any] = {"company_id": identifier}
    if name:
        company["name"] = name
    company |= _created(standard, diagnostics)
    company |= {field: standard[field] for field in _CARRIED if standard.get(field) is not None}
    if standard.get("remove") is True:
        company["remove"] = True
    elif standard.get("remove"):
        diagnostics.warn("company.remove", "must be True to leave the company; it is not sent")
    company["custom_attributes"] = custom_attributes(custom, settings, diagnostics)
    return company


def company_number(value: Any, field: str, diagnostics: Diagnostics) -> int | float | None:
    """The number that a field of a company holds, such as ``monthly_spend``; None, with a remark, when it is none.

    Source: Intercom's API description, "monthly_spend": at most 2**31-1.
    """
    number = value if type(value) is int else amount(value)
    if number is None or not -_LARGEST_NUMBER <= number <= _LARGEST_NUMBER:
        problem = "must be a number" if number is None else f"must be at most {_LARGEST_NUMBER}"
        diagnostics.warn(f"company.{field}", f"{problem}; it is not sent")
        return None
    return number


def name_hash(name: str) -> int:
    """The id of a company that has only a name: the hash of Segment's ``string-hash``, 32 bits.

    It starts with 5381 and takes the UTF-16 units from the last to the first: ``Segment`` is 2017828326.
    """
    digest = 5381
    encoded = name.encode("utf-16-le", "surrogatepass")
    for place in range(len(encoded) - 2, -1, -2):
        digest = (digest * 33 ^ int.from_bytes(encoded[place : place + 2], "little")) & 0xFFFFFFFF
    return digest


def _with_users(company: Any, standard: Mapping[str, Any]) -> Any:
    """A company as it was given, one that is only a name with what the user's traits say of it."""
    if not (name := text_of(company)):
        return company
    return {
        "name": name,
        **{field: standard.get(field) for field in ("plan", "monthly_spend", "created", "created_at")},
    }


def traits_of(value: Any) -> Mapping[str, Any] | None:
    """The traits of a company in any of its forms, or None when it is none."""
    if type(value) is dict or isinstance(value, Mapping):
        return value
    if isinstance(value, str) or text_of(value):
        return {"name": text_of(value)}
    if callable(own := getattr(value, "intercom_traits", None)):
        return dict(own())
    if isinstance(value, int | float | bytes | Sequence) and not hasattr(value, "_fields"):
        return None
    return fields_of(value, _ATTRIBUTES) or None


def _split(traits: Mapping[str, Any], diagnostics: Diagnostics) -> tuple[dict[str, Any], dict[str, Any]]:
    standard: dict[str, Any] = {}
    custom: dict[str, Any] = {}
    for name, value in traits.items():
        field = _COMPANY_FIELDS.get(plain_name(name)) if isinstance(name, str) else None
        if field in _CARRIED:
            value = _scalar(value, field, diagnostics)
        if field is None:
            custom[name] = value
        elif standard.get(field) is None:
            standard[field] = value
    return standard, custom


def _scalar(value: Any, field: str, diagnostics: Diagnostics) -> Any:
    """The plain value of a field that Intercom keeps as one, None where there is none."""
    if ((kind := type(value)) is str and "-" not in value) or (kind is int and abs(value) < LARGEST):  # nearly always
        return value
    try:
        converted = to_json(value, (field,))
    except UnsupportedValue as error:
        diagnostics.reject(f"company.{error.field}", str(error))
        return None
    if not isinstance(converted, dict | list):
        return converted
    diagnostics.reject(f"company.{field}", "must be a single value, not a dict or a list")
    return None


def _name(value: Any, diagnostics: Diagnostics) -> str | None:
    if type(value) is str:
        return value.strip() or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    name = text_of(value)
    if name is None and not _is_blank(value):
        diagnostics.reject("company.name", "must be text or a number")
    return name


def _identifier(standard: Mapping[str, Any], name: str | None, diagnostics: Diagnostics) -> str | int | None:
    """The first id that can be read, else the hash of the name; None, with a remark, where there is neither.

    A company whose id cannot be read must not be taken for another of the same name.
    """
    ids = {field: value for field in _IDS if not _is_blank(value := standard.get(field))}
    readable = {field: _readable(value) for field, value in ids.items()}
    for field in ids:
        if readable[field] is None:
            diagnostics.reject(f"company.{field}", "must be a string, a whole number or a UUID")
    for identifier in readable.values():
        if identifier is not None:
            return identifier
    if name and not ids:
        return name_hash(name)
    if not ids:
        diagnostics.warn("company", "has neither id nor name and is left out; give it one of them")
    return None


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
        whole = int(value)
        if value != whole:
            return None
        return whole if -LARGEST < whole < LARGEST else str(whole)  # JavaScript would round it
    return None


def _created(standard: Mapping[str, Any], diagnostics: Diagnostics) -> dict[str, int]:
    created = first_date(standard, ("created", "created_at", "remote_created_at"), diagnostics)
    return {} if created is None else {"created_at": created}
