"""Lists of contacts: all of them, or those that a search finds; a search knows nothing of the last minute."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..people import Person
from ..refusal import RefusedError, malformed
from .call import Answer, ApiCall
from .contact_json import contact_json, seen_at
from .fields import check, rows, table

Filter = Callable[[Person], bool]

_A_PAGE, _LARGEST_PAGE = 50, 150
_FIELDS: dict[str, Callable[[Person], Any]] = {
    "id": lambda person: person.id,
    "role": lambda person: person.role,
    "name": lambda person: person.standard.get("name"),
    "email": lambda person: person.email or None,
    "email_domain": lambda person: person.email.rpartition("@")[2] or None,
    "phone": lambda person: person.standard.get("phone"),
    "external_id": lambda person: person.user_id or None,
    "created_at": lambda person: int(person.first_seen),
    "updated_at": lambda person: int(person.updated_at),
    "signed_up_at": lambda person: person.standard.get("created_at"),
    "last_seen_at": seen_at,
    "unsubscribed_from_emails": lambda person: bool(person.standard.get("unsubscribed_from_emails")),
}
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda one, other: bool(one == other),
    "!=": lambda one, other: bool(one != other),
    "IN": lambda one, others: one in others,
    "NIN": lambda one, others: one not in others,
    "<": lambda one, other: _comparable(one, other) and bool(one < other),
    "<=": lambda one, other: _comparable(one, other) and bool(one <= other),
    ">": lambda one, other: _comparable(one, other) and bool(one > other),
    ">=": lambda one, other: _comparable(one, other) and bool(one >= other),
    "~": lambda one, other: str(other).lower() in str(one or "").lower(),
    "!~": lambda one, other: str(other).lower() not in str(one or "").lower(),
    "^": lambda one, other: str(one or "").lower().startswith(str(other).lower()),
    "$": lambda one, other: str(one or "").lower().endswith(str(other).lower()),
}


def search(call: ApiCall) -> Answer:
    """POST /contacts/search: one filter, or several joined by AND or OR, sorted and in pages."""
    body = call.body()
    check(body, {"query": table, "pagination": table, "sort": table}, ("pagination",))
    query = body.get("query")
    if not query:
        raise malformed("query is required", "query")
    matches, latest = _filter(query), call.at - call.workspace.search_lag
    found = [person for person in _candidates(call, query) if person.updated_at <= latest and matches(person)]
    return _page(call, _sorted(found, body.get("sort") or {}), body.get("pagination") or {})


def show_all(call: ApiCall) -> Answer:
    """GET /contacts, the newest first, in pages."""
    found = [person for person in call.account.people if _visible(person)]
    query: dict[str, Any] = dict(call.asked.query)
    if query.get("per_page", "").isdecimal():
        query["per_page"] = int(query["per_page"])
    return _page(call, found[::-1], query)


def _visible(person: Person) -> bool:
    return person.role != "visitor" and not person.archived


def _candidates(call: ApiCall, query: dict[str, Any]) -> Iterable[Person]:
    """Those who may match; one wanted by a name is looked up by it."""
    people = call.account.people
    joined = query["value"] if query.get("operator") == "AND" and isinstance(query.get("value"), list) else [query]
    found: Iterable[Person] = people
    for each in joined:
        if each.get("operator") == "=" and isinstance(each.get("value"), str):
            if each.get("field") == "external_id":
                found = filter(None, [people.with_user_id(each["value"])])
            elif each.get("field") == "email":
                found = people.with_email(each["value"])
    return [person for person in found if _visible(person)]


def _filter(query: dict[str, Any]) -> Filter:
    operator, value = query.get("operator"), query.get("value")
    if operator in ("AND", "OR"):
        if rows(value) or not value:
            raise malformed(f"value of {operator} must be an array of filters", "query")
        parts = [_filter(each) for each in value]
        joined = all if operator == "AND" else any
        return lambda person: joined(part(person) for part in parts)
    return _single(str(query.get("field")), str(operator), value)


def _single(field: str, operator: str, value: Any) -> Filter:
    custom = field.removeprefix("custom_attributes.")
    read = _FIELDS.get(field)
    if read is None and custom == field:
        raise malformed(f"Unknown search field '{field[:60]}'", "query", f"known: {', '.join(_FIELDS)}")
    if operator not in _OPERATORS:
        raise malformed(f"Unknown operator '{operator[:60]}'", "query", f"known: {', '.join(_OPERATORS)}")
    if field.endswith("_at") and operator not in ("=", "<", ">"):
        raise malformed(f"Operator '{operator}' is not supported on dates", "query", "use =, < or >")
    if (operator in ("IN", "NIN")) != isinstance(value, list):
        raise malformed(f"value of {operator} must {'' if operator in ('IN', 'NIN') else 'not '}be an array", "query")
    compare, wanted = _OPERATORS[operator], _wanted(field, value)
    if read is None:
        return lambda person: compare(person.custom_attributes.get(custom), wanted)
    return lambda person: compare(read(person), wanted)


def _wanted(field: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_wanted(field, each) for each in value]
    if field.endswith("_at") and isinstance(value, str) and value.isdecimal():
        return int(value)
    return value.lower() if field in ("email", "email_domain") and isinstance(value, str) else value


def _comparable(one: Any, other: Any) -> bool:
    return isinstance(one, int | float) and isinstance(other, int | float)


def _sorted(found: list[Person], sort: dict[str, Any]) -> list[Person]:
    field, order = sort.get("field", "created_at"), sort.get("order", "descending")
    if order not in ("ascending", "descending"):
        message = f"Invalid sort order '{str(order)[:60]}'. Must be one of: ascending, descending"
        raise RefusedError("invalid_sort_order", message, None, 400)
    read = _FIELDS.get(str(field))
    if read is None:
        raise malformed(f"Unknown sort field '{str(field)[:60]}'", "sort")
    # None stands before everything else, and is never compared with it.
    return sorted(found, key=lambda person: (read(person) is not None, read(person)), reverse=order == "descending")


def _page(call: ApiCall, found: list[Person], wanted: dict[str, Any]) -> Answer:
    per_page, after = wanted.get("per_page", _A_PAGE), wanted.get("starting_after")
    if not isinstance(per_page, int) or not 1 <= per_page <= _LARGEST_PAGE:
        raise malformed(f"per_page must be a whole number from 1 to {_LARGEST_PAGE}", "per_page")
    if after is not None and not str(after).isdecimal():
        raise malformed("starting_after must be the cursor of an answer", "starting_after")
    start = int(after or 0)
    shown, end = found[start : start + per_page], start + per_page
    pages: dict[str, Any] = {"type": "pages", "page": start // per_page + 1, "per_page": per_page}
    pages["total_pages"] = -(-len(found) // per_page)
    if end < len(found):
        pages["next"] = {"per_page": per_page, "starting_after": str(end)}
    data = [contact_json(call.account, person) for person in shown]
    return Answer(200, {"type": "list", "data": data, "total_count": len(found), "pages": pages})
