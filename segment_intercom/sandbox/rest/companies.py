"""Companies in today's API, and who belongs to them."""

from __future__ import annotations

from typing import Any

from ..attributes import Check, boolean, seconds, text, whole
from ..people import Company, Person
from ..refusal import RefusedError, missing, not_found
from .call import Answer, ApiCall
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
_KEPT = ("name", "plan", "size", "website", "industry", "remote_created_at", "monthly_spend")
_COMPANY_LIMIT = 1000


def save(call: ApiCall) -> Answer:
    """POST /companies: create the company of this company_id, or update it."""
    body = call.body()
    check(body, FIELDS, ())
    if "company_id" not in body:
        raise missing("company_id not specified", "company_id")
    return Answer(200, company_json(write(call, body)))


def write(call: ApiCall, body: dict[str, Any]) -> Company:
    """Save a company whose fields were checked."""
    custom = custom_attributes(call, "company", body.get("custom_attributes"))
    standard = {name: body[name] for name in _KEPT if name in body}
    return call.account.write_company(body["company_id"], standard, custom)


def show(call: ApiCall, company_id: str) -> Answer:
    """GET /companies/{id}, by Intercom's own id."""
    return Answer(200, company_json(_company(call, company_id)))


def find(call: ApiCall) -> Answer:
    """GET /companies?company_id= or ?name=: a list; 404 where there is none of that name."""
    company_id, name = call.asked.query.get("company_id"), call.asked.query.get("name")
    companies = call.account.companies
    if company_id is not None:
        found = [companies[company_id]] if company_id in companies else []
    else:
        found = [company for company in companies.values() if name in (None, company.standard.get("name"))]
    if not found and (company_id is not None or name is not None):
        raise _no_company()
    return Answer(200, _listed(found, 15))


def attach(call: ApiCall, contact_id: str) -> Answer:
    """POST /contacts/{id}/companies: the body holds Intercom's own id of the company."""
    body = call.whole_body()
    check(body, {"id": text}, ())
    if "id" not in body:
        raise missing("company not specified", "id")
    person, company = living(call, contact_id), _company(call, body["id"])
    if len(person.company_ids) >= _COMPANY_LIMIT and company.company_id not in person.company_ids:
        message = f"Contact has reached the maximum of {_COMPANY_LIMIT} company associations"
        raise RefusedError("contact_company_limit_exceeded", message, None, 400)
    call.account.attach(person, company.company_id)
    call.account.write(person, {}, {})
    return Answer(200, company_json(company))


def detach(call: ApiCall, contact_id: str, company_id: str) -> Answer:
    """DELETE /contacts/{id}/companies/{company_id}, by Intercom's own id; 404 where the contact is no member."""
    person, company = living(call, contact_id), _company(call, company_id)
    if company.company_id not in person.company_ids:
        raise _no_company()
    call.account.detach(person, company.company_id)
    call.account.write(person, {}, {})
    return Answer(200, company_json(company))


def of_contact(call: ApiCall, contact_id: str) -> Answer:
    """GET /contacts/{id}/companies."""
    person: Person = living(call, contact_id)
    return Answer(200, _listed([call.account.companies[each] for each in person.company_ids], 50))


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


def _company(call: ApiCall, company_id: str) -> Company:
    company = call.account.company(company_id)
    if company is None:
        raise _no_company()
    return company


def _no_company() -> RefusedError:
    remedy = "POST /companies answers with the id that is wanted here; company_id is the site's own"
    return not_found("Company Not Found", "company_not_found", remedy)


def _listed(found: list[Company], a_page: int) -> dict[str, Any]:
    pages = {"type": "pages", "next": None, "page": 1, "per_page": a_page, "total_pages": 1}
    shown = [company_json(company) for company in found[:a_page]]
    return {"type": "list", "data": shown, "pages": pages, "total_count": len(found)}
