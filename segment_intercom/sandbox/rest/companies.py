"""Companies in today's API, and who belongs to them."""

from __future__ import annotations

from typing import Any

from ..attributes import Check, boolean, seconds, text, whole
from ..people import Company, Person
from ..refusal import RefusedError, malformed, missing, not_found, not_imitated
from .call import ApiCall, ApiReply
from .contacts import living
from .custom import custom_attributes
from .fields import check, known, spend, table

FIELDS: dict[str, Check] = {
    "company_id": known,
    "name": text,
    "plan": text,
    "size": whole,
    "website": text,
    "industry": text,
    "remote_created_at": seconds,
    "monthly_spend": spend,
    "update_last_request_at": boolean,
    "custom_attributes": table,
}
_ONLY_AT_CREATION = ("company_id", "remote_created_at", "update_last_request_at")
_CHANGEABLE = {name: FIELDS[name] for name in FIELDS if name not in _ONLY_AT_CREATION}
_KEPT = ("name", "plan", "size", "website", "industry", "remote_created_at", "monthly_spend")
_COMPANY_LIMIT = 1000
_MOST_A_PAGE = 10_000  # of all that a client may walk through, by the description


def save(call: ApiCall) -> ApiReply:
    """POST /companies: create the company of this company_id, or update it."""
    body = call.body()
    check(body, FIELDS, ())
    if "company_id" not in body:
        raise missing("company_id not specified", "company_id")
    return ApiReply(200, company_json(write(call, body["company_id"], _in_whole_units(call, body))))


def update(call: ApiCall, company_id: str) -> ApiReply:
    """PUT /companies/{id}, by Intercom's own id: the fields of a creation that may be changed."""
    body = call.whole_body()
    if "company_id" in body:
        raise malformed("company_id is set once, when the company is created", "company_id", "leave it out")
    check(body, _CHANGEABLE, ())
    company = get(call, company_id)
    return ApiReply(200, company_json(write(call, company.company_id, _in_whole_units(call, body))))


def delete(call: ApiCall, company_id: str) -> ApiReply:
    """DELETE /companies/{id}: its contacts stay, and belong to it no longer."""
    company = get(call, company_id)
    call.account.forget_company(company)
    return ApiReply(200, {"id": company.id, "object": "company", "deleted": True})


def write(call: ApiCall, company_id: str, body: dict[str, Any]) -> Company:
    """Save a company whose fields were checked."""
    custom = custom_attributes(call, "company", body.get("custom_attributes"))
    standard = {name: body[name] for name in _KEPT if name in body}
    return call.account.write_company(company_id, standard, custom)


def _in_whole_units(call: ApiCall, body: dict[str, Any]) -> dict[str, Any]:
    """The body with its monthly spend cut to a whole number, as the description says: 155.98 becomes 155."""
    spent = body.get("monthly_spend")
    if not isinstance(spent, float):
        return body
    call.notes.append("monthly_spend is kept without its fraction: Intercom takes whole numbers.")
    return {**body, "monthly_spend": int(spent)}


def show(call: ApiCall, company_id: str) -> ApiReply:
    """GET /companies/{id}, by Intercom's own id."""
    return ApiReply(200, company_json(get(call, company_id)))


def find(call: ApiCall) -> ApiReply:
    """GET /companies?company_id= or ?name=: a list; 404 where there is none of that name."""
    company_id, name = call.asked.query.get("company_id"), call.asked.query.get("name")
    companies = call.account.companies
    if "tag_id" in call.asked.query or "segment_id" in call.asked.query:
        raise not_imitated("A list of companies by tag_id or segment_id")
    if company_id is not None:
        matching = [companies[company_id]] if company_id in companies else []
    else:
        matching = [company for company in companies.values() if name in (None, company.standard.get("name"))]
    if not matching and (company_id is not None or name is not None):
        raise _no_company()
    return ApiReply(200, _page(call, matching, 15))


def show_all(call: ApiCall) -> ApiReply:
    """POST /companies/list: those with members, the latest told of first, in pages whose number the query gives."""
    order = call.asked.query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise malformed("order must be asc or desc", "order")
    members = (company for company in call.account.companies.values() if company.members)
    companies = sorted(members, key=lambda company: company.updated_at, reverse=order == "desc")
    return ApiReply(200, _page(call, companies, 15))


def _page(call: ApiCall, companies: list[Company], default: int) -> dict[str, Any]:
    """The page of the companies for which the query asks; one behind the last is empty."""
    page, a_page = _number(call, "page", 1), _number(call, "per_page", default)
    first, total = (page - 1) * a_page, max(1, -(-len(companies) // a_page))
    shown = [company_json(company) for company in companies[first : first + a_page]]
    pages = {"type": "pages", "next": None, "page": page, "per_page": a_page, "total_pages": total}
    return {"type": "list", "data": shown, "pages": pages, "total_count": len(companies)}


def _number(call: ApiCall, name: str, default: int) -> int:
    text = call.asked.query.get(name, str(default))
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_A_PAGE:
        raise malformed(f"{name} must be a whole number from 1 to {_MOST_A_PAGE}", name)
    return int(text)


def attach(call: ApiCall, contact_id: str) -> ApiReply:
    """POST /contacts/{id}/companies: the body holds Intercom's own id of the company."""
    body = call.whole_body()
    check(body, {"id": text}, ())
    if "id" not in body:
        raise missing("company not specified", "id")
    person, company = living(call, contact_id), get(call, body["id"])
    if len(person.company_ids) >= _COMPANY_LIMIT and company.company_id not in person.company_ids:
        message = f"Contact has reached the maximum of {_COMPANY_LIMIT} company associations"
        raise RefusedError("contact_company_limit_exceeded", message, None, 400)
    call.account.attach(person, company.company_id)
    call.account.write(person, {}, {})
    return ApiReply(200, company_json(company))


def detach(call: ApiCall, contact_id: str, company_id: str) -> ApiReply:
    """DELETE /contacts/{id}/companies/{company_id}, by Intercom's own id; 404 where the contact is no member."""
    person, company = living(call, contact_id), get(call, company_id)
    if company.company_id not in person.company_ids:
        raise _no_company()
    call.account.detach(person, company.company_id)
    call.account.write(person, {}, {})
    return ApiReply(200, company_json(company))


def of_contact(call: ApiCall, contact_id: str) -> ApiReply:
    """GET /contacts/{id}/companies, in pages; the description's schema and its example differ in the list's name."""
    person: Person = living(call, contact_id)
    page = _page(call, [call.account.companies[company_id] for company_id in person.company_ids], 50)
    return ApiReply(200, {**page, "companies": page["data"]})


def company_json(company: Company) -> dict[str, Any]:
    """The company in the words of today's API."""
    said = company.standard
    since = said.get("remote_created_at", said.get("created_at"))
    return {
        "type": "company",
        "company_id": company.company_id,
        "id": company.id,
        "app_id": company.app_id,
        **{name: said[name] for name in ("name", "size", "website", "industry") if name in said},
        **({} if since is None else {"remote_created_at": since}),
        "created_at": int(company.created_at),
        "updated_at": int(company.updated_at),
        "monthly_spend": said.get("monthly_spend", 0),
        "session_count": 0,
        "user_count": len(company.members),
        "tags": {"type": "tag.list", "tags": []},
        "segments": {"type": "segment.list", "segments": []},
        "plan": {"type": "plan", "id": said["plan"], "name": said["plan"]} if "plan" in said else {},
        "custom_attributes": dict(company.custom_attributes),
    }


def get(call: ApiCall, company_id: str) -> Company:
    """The company with Intercom's id; 404 where there is none."""
    company = call.account.company(company_id)
    if company is None:
        raise _no_company()
    return company


def _no_company() -> RefusedError:
    remedy = "POST /companies answers with the id that is wanted here; company_id is the site's own"
    return not_found("Company Not Found", "company_not_found", remedy)
