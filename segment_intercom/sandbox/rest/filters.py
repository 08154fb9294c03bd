"""The filters of a search: which fields there are, what may be asked of each type, and which contacts a filter matches.

Source: "Search contacts" and "Single Filter Search Request" of Intercom's API description.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..attributes import boolean, number, text, whole
from ..people import Person
from ..refusal import malformed, not_imitated
from .call import ApiCall
from .contact_json import seen_at
from .fields import rows

Filter = Callable[[Person], bool]

# What is kept of a contact; of the other fields every contact of the sandbox has none.
READERS: dict[str, Callable[[Person], Any]] = {
    "id": lambda person: person.id,
    "role": lambda person: person.role,
    "name": lambda person: person.standard.get("name"),
    "avatar": lambda person: (person.standard.get("avatar") or {}).get("image_url"),
    "owner_id": lambda person: person.standard.get("owner_id"),
    "email": lambda person: person.email or None,
    "email_domain": lambda person: person.email.rpartition("@")[2] or None,
    "phone": lambda person: person.standard.get("phone"),
    "external_id": lambda person: person.user_id or None,
    "created_at": lambda person: int(person.first_seen),
    "updated_at": lambda person: int(person.updated_at),
    "signed_up_at": lambda person: person.standard.get("created_at"),
    "last_seen_at": seen_at,
    "unsubscribed_from_emails": lambda person: bool(person.standard.get("unsubscribed_from_emails")),
    "marked_email_as_spam": lambda _: False,
    "has_hard_bounced": lambda _: False,
}
# "andoid_sdk_version" is spelled as the description spells it.
_TEXTS = (
    "id role name avatar owner_id email email_domain phone external_id language_override browser browser_language os "
    "location.country location.region location.city ios_app_version ios_device ios_app_device ios_os_version "
    "ios_app_name ios_sdk_version android_app_version android_device android_app_name andoid_sdk_version"
).split()
_DATES = (
    "created_at signed_up_at updated_at last_seen_at last_contacted_at last_replied_at last_email_opened_at "
    "last_email_clicked_at ios_last_seen_at android_last_seen_at"
).split()
_TYPES = {
    **dict.fromkeys(_TEXTS, "string"),
    **dict.fromkeys(_DATES, "date"),
    **dict.fromkeys(("unsubscribed_from_emails", "marked_email_as_spam", "has_hard_bounced"), "boolean"),
    "tag_id": "tag",
}
_NOT_IMITATED = ("segment_id", "formatted_phone")
_OPERATORS_OF = {
    "string": ("=", "!=", "IN", "NIN", "~", "!~", "^", "$"),
    "tag": ("=", "!="),
    "boolean": ("=", "!=", "IN", "NIN"),
    "integer": ("=", "!=", "IN", "NIN", "<", ">", "<=", ">="),
    "float": ("=", "!=", "IN", "NIN", "<", ">", "<=", ">="),
    "date": ("=", "<", ">"),
}
_CHECKS = {"string": text, "tag": text, "boolean": boolean, "integer": whole, "float": number, "date": whole}
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: bool(left == right),
    "!=": lambda left, right: bool(left != right),
    "IN": lambda left, others: left in others,
    "NIN": lambda left, others: left not in others,
    "<": lambda left, right: left is not None and bool(left < right),
    "<=": lambda left, right: left is not None and bool(left <= right),
    ">": lambda left, right: left is not None and bool(left > right),
    ">=": lambda left, right: left is not None and bool(left >= right),
    "~": lambda left, right: right.lower() in (left or "").lower(),
    "!~": lambda left, right: right.lower() not in (left or "").lower(),
    "^": lambda left, right: (left or "").lower().startswith(right.lower()),
    "$": lambda left, right: (left or "").lower().endswith(right.lower()),
}
_LISTED = ("IN", "NIN")
_MOST_IN_A_GROUP = 15
_DEEPEST_GROUP = 2
_A_DAY = 86_400  # of the time zone that GET /me says: UTC
_SHOWN = 60  # of a name that may be of any length


def read(call: ApiCall, query: dict[str, Any], depth: int = 1) -> Filter:
    """The filter that a search's query describes: a single one, or a group joined by AND or OR."""
    if query.get("operator") not in ("AND", "OR"):
        return _single(call, query)
    parts = [read(call, part, depth + 1) for part in _group(query, depth)]
    joined = all if query["operator"] == "AND" else any
    return lambda person: joined(part(person) for part in parts)


def _group(query: dict[str, Any], depth: int) -> list[dict[str, Any]]:
    """The filters of a group: groups stand in groups once, as in (1 OR 2) AND (3 OR 4), and never beside filters."""
    operator, parts = query["operator"], query.get("value")
    if not isinstance(parts, list) or rows(parts) or not parts:
        raise malformed(f"value of {operator} must be an array of filters", "query")
    if depth > _DEEPEST_GROUP:
        raise malformed(f"AND and OR nest at most {_DEEPEST_GROUP} deep", "query", "as (1 OR 2) AND (3 OR 4)")
    if len(parts) > _MOST_IN_A_GROUP:
        raise malformed(f"{operator} joins at most {_MOST_IN_A_GROUP} filters", "query", "use IN, or several searches")
    if len({part.get("operator") in ("AND", "OR") for part in parts}) > 1:
        remedy = "put the single filters into a group of their own"
        raise malformed(f"value of {operator} must be an array of groups, or of single filters", "query", remedy)
    return parts


def _single(call: ApiCall, query: dict[str, Any]) -> Filter:
    field, operator = str(query.get("field")), str(query.get("operator"))
    kind = _type_of(call, field)
    if operator not in _OPERATORS_OF[kind]:
        remedy = f"a {kind} takes {', '.join(_OPERATORS_OF[kind])}"
        raise malformed(f"Operator '{operator[:_SHOWN]}' is not supported on {field[:_SHOWN]}", "query", remedy)
    wanted = _wanted(field, kind, operator, query.get("value"))
    if kind == "tag":
        return lambda person: (wanted in person.tag_ids) == (operator == "=")
    reader, compare = _reader(field, kind), _OPERATORS[operator]
    return lambda person: compare(reader(person), wanted)


def _type_of(call: ApiCall, field: str) -> str:
    if field in _NOT_IMITATED:
        raise not_imitated(f"A search by {field}")
    custom = field.removeprefix("custom_attributes.")
    if custom == field:
        if field not in _TYPES:
            raise malformed(f"Unknown search field '{field[:_SHOWN]}'", "query", f"known: {', '.join(_TYPES)}")
        return _TYPES[field]
    attribute = call.account.attributes.get("contact", custom)
    if attribute is None or attribute.archived:
        remedy = "create it first with POST /data_attributes, or unarchive it"
        raise malformed(f"Unknown search field '{field[:_SHOWN]}'", "query", remedy)
    return "date" if attribute.data_type == "datetime" else attribute.data_type


def _reader(field: str, kind: str) -> Callable[[Person], Any]:
    custom = field.removeprefix("custom_attributes.")

    def value_of(person: Person) -> Any:
        if custom != field:
            return person.custom_attributes.get(custom)
        return READERS[field](person) if field in READERS else None

    return (lambda person: _day(value_of(person))) if kind == "date" else value_of


def _wanted(field: str, kind: str, operator: str, value: Any) -> Any:
    """What a filter compares with: a value of the field's type, or null, or for IN and NIN an array of such values."""
    if (operator in _LISTED) != isinstance(value, list):
        raise malformed(f"value of {operator} must {'' if operator in _LISTED else 'not '}be an array", "query")
    if operator in _LISTED:
        if any(isinstance(item, bool) for item in value):
            raise malformed(f"value of {operator} must hold strings and whole numbers", "query", 'as ["true"]')
        return [_compared(field, kind, item) for item in value]
    if value is None and operator in ("=", "!=") and kind != "tag":
        return None
    return _compared(field, kind, value)


def _compared(field: str, kind: str, value: Any) -> Any:
    # The description has no fractions but in text.
    fault = "must be text or a whole number" if isinstance(value, float) else None
    value = _read_text(kind, value) if isinstance(value, str) else value
    fault = fault or _CHECKS[kind](value)
    if not fault and field == "role" and value not in ("user", "lead"):
        fault = "must be user or lead"
    if fault:
        raise malformed(f"value of {field[:_SHOWN]} {fault}", "query", f"it is compared with a {kind}")
    if field in ("email", "email_domain"):
        return value.lower()
    return _day(value) if kind == "date" else value


def _read_text(kind: str, value: str) -> Any:
    """What a text means where a field is no text, as the description's own example of a date is."""
    if kind == "boolean":
        return {"true": True, "false": False}.get(value, value)
    if kind in ("date", "integer") and re.fullmatch(r"-?[0-9]{1,15}", value):
        return int(value)
    return float(value) if kind == "float" and re.fullmatch(r"-?[0-9]{1,15}([.][0-9]{1,15})?", value) else value


def _day(at: int | None) -> int | None:
    """The day of a date, by which dates are compared: the hour does not count."""
    return None if at is None else at // _A_DAY
