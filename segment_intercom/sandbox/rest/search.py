"""Lists of contacts: all of them, or those that a search finds; a search knows nothing of the last minute."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..people import Person
from ..refusal import RefusedError, malformed
from .call import ApiCall, ApiReply
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
    "=": lambda left, right: bool(left == right),
    "!=": lambda left, right: bool(left != right),
    "IN": lambda left, others: left in others,
    "NIN": lambda left, others: left not in others,
    "<": lambda left, right: _comparable(left, right) and bool(left < right),
    "<=": lambda left, right: _comparable(left, right) and bool(left <= right),
    ">": lambda left, right: _comparable(left, right) and bool(left > right),
    ">=": lambda left, right: _comparable(left, right) and bool(left >= right),
    "~": lambda left, right: str(right).lower() in str(left or "").lower(),
    "!~": lambda left, right: str(right).lower() not in str(left or "").lower(),
    "^": lambda left, right: str(left or "").lower().startswith(str(right).lower()),
    "$": lambda left, right: str(left or "").lower().endswith(str(right).lower()),
}


def search(call: ApiCall) -> ApiReply:
    """POST /contacts/search: one filter, or several joined by AND or OR, sorted and in pages."""
    body = call.body()
    check(body, {"query": table, "pagination": table, "sort": table}, ("pagination",))
    query = body.get("query")
    if not query:
        raise malformed("query is required", "query")
    matches, latest = _filter(query), call.at - call.workspace.search_lag
    matching = [person for person in _candidates(call, query) if person.updated_at <= latest and matches(person)]
    return _page(call, _sorted(matching, body.get("sort") or {}), body.get("pagination") or {})


def show_all(call: ApiCall) -> ApiReply:
    """GET /contacts, the newest first, in pages."""
    visible = [person for person in call.account.people if _visible(person)]
    query: dict[str, Any] = dict(call.asked.query)
    if query.get("per_page", "").isdecimal():
        query["per_page"] = int(query["per_page"])
    return _page(call, visible[::-1], query)


def _visible(person: Person) -> bool:
    return person.role != "visitor" and not person.archived


def _candidates(call: ApiCall, query: dict[str, Any]) -> Iterable[Person]:
    """Those who may match; one wanted by a name is looked up by it."""
    people = call.account.people
    joined = query["value"] if query.get("operator") == "AND" and isinstance(query.get("value"), list) else [query]
    candidates: Iterable[Person] = people
    for condition in joined:
        if condition.get("operator") == "=" and isinstance(condition.get("value"), str):
            if condition.get("field") == "external_id":
                candidates = filter(None, [people.with_user_id(condition["value"])])
            elif condition.get("field") == "email":
                candidates = people.with_email(condition["value"])
    return [person for person in candidates if _visible(person)]


def _filter(query: dict[str, Any]) -> Filter:
    operator, value = query.get("operator"), query.get("value")
    if operator in ("AND", "OR"):
        if rows(value) or not value:
            raise malformed(f"value of {operator} must be an array of filters", "query")
        parts = [_filter(part) for part in value]
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
        return [_wanted(field, item) for item in value]
    if field.endswith("_at") and isinstance(value, str) and value.isdecimal():
        return int(value)
    return value.lower() if field in ("email", "email_domain") and isinstance(value, str) else value


def _comparable(left: Any, right: Any) -> bool:
    return isinstance(left, int | float) and isinstance(right, int | float)


def _sorted(people: list[Person], sort: dict[str, Any]) -> list[Person]:
    field, order = sort.get("field", "created_at"), sort.get("order", "descending")
    if order not in ("ascending", "descending"):
        message = f"Invalid sort order '{str(order)[:60]}'. Must be one of: ascending, descending"
        raise RefusedError("invalid_sort_order", message, None, 400)
    read = _FIELDS.get(str(field))
    if read is None:
        raise malformed(f"Unknown sort field '{str(field)[:60]}'", "sort")
    # None stands before everything else, and is never compared with it.
    return sorted(people, key=lambda person: (read(person) is not None, read(person)), reverse=order == "descending")


def _page(call: ApiCall, people: list[Person], wanted: dict[str, Any]) -> ApiReply:
    per_page, after = wanted.get("per_page", _A_PAGE), wanted.get("starting_after")
    if not isinstance(per_page, int) or not 1 <= per_page <= _LARGEST_PAGE:
        raise malformed(f"per_page must be a whole number from 1 to {_LARGEST_PAGE}", "per_page")
    if after is not None and not str(after).isdecimal():
        raise malformed("starting_after must be the cursor of an answer", "starting_after")
    start = int(after or 0)
    shown, end = people[start : start + per_page], start + per_page
    pages: dict[str, Any] = {"type": "pages", "page": start // per_page + 1, "per_page": per_page}
    pages["total_pages"] = -(-len(people) // per_page)
    if end < len(people):
        pages["next"] = {"per_page": per_page, "starting_after": str(end)}
    data = [contact_json(call.account, person) for person in shown]
    return ApiReply(200, {"type": "list", "data": data, "total_count": len(people), "pages": pages})
