"""Lists of contacts: all of them, or those that a search finds; a search knows nothing of the last minute."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..attributes import whole
from ..people import Person
from ..refusal import RefusedError, malformed
from . import companies, filters
from .call import ApiCall, ApiReply
from .contact_json import contact_json
from .fields import check, table
from .filters import READERS

_A_PAGE, _LARGEST_PAGE = 50, 150


def search(call: ApiCall) -> ApiReply:
    """POST /contacts/search: one filter, or several joined by AND or OR, sorted and in pages."""
    body = call.body()
    check(body, {"query": table, "pagination": table, "sort": table}, ("pagination",))
    query = body.get("query")
    if not query:
        raise malformed("query is required", "query")
    matches, latest = filters.read(call, query), call.at - call.workspace.search_lag
    matching = [person for person in _candidates(call, query) if person.updated_at <= latest and matches(person)]
    return _page(call, _sorted(matching, body.get("sort") or {}), body.get("pagination") or {})


def show_all(call: ApiCall) -> ApiReply:
    """GET /contacts, the newest first, in pages."""
    visible = [person for person in call.account.people if _visible(person)]
    return _page(call, visible[::-1], _pagination(call))


def of_company(call: ApiCall, company_id: str) -> ApiReply:
    """GET /companies/{id}/contacts, the newest first, in pages."""
    company = companies.get(call, company_id)
    members = [person for person in call.account.people if person.id in company.members and _visible(person)]
    return _page(call, members[::-1], _pagination(call))


def _pagination(call: ApiCall) -> dict[str, Any]:
    """The pagination of a list, which the query gives as text."""
    query: dict[str, Any] = dict(call.asked.query)
    if query.get("per_page", "").isdecimal():
        query["per_page"] = int(query["per_page"])
    return query


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


def _sorted(people: list[Person], sort: dict[str, Any]) -> list[Person]:
    field, order = sort.get("field", "created_at"), sort.get("order", "descending")
    if order not in ("ascending", "descending"):
        message = f"Invalid sort order '{str(order)[:60]}'. Must be one of: ascending, descending"
        raise RefusedError("invalid_sort_order", message, None, 400)
    read = READERS.get(str(field))
    if read is None:
        raise malformed(f"Unknown sort field '{str(field)[:60]}'", "sort")
    # None stands before everything else, and is never compared with it.
    return sorted(people, key=lambda person: (read(person) is not None, read(person)), reverse=order == "descending")


def _page(call: ApiCall, people: list[Person], wanted: dict[str, Any]) -> ApiReply:
    per_page, after = wanted.get("per_page", _A_PAGE), wanted.get("starting_after")
    if whole(per_page) or not 1 <= per_page <= _LARGEST_PAGE:
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
