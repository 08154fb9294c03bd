"""The classic API, version 1.4: users and companies, created or updated in one request."""

from __future__ import annotations

from typing import Any

from ..attributes import Check, boolean, seconds, text, whole
from ..people import Person
from ..refusal import missing, not_found
from . import companies
from .call import ApiCall, ApiReply
from .custom import custom_attributes
from .fields import check, classic_spend, email, known, rows, table

_COMPANY: dict[str, Check] = {
    "company_id": known,
    "name": text,
    "plan": text,
    "size": companies.FIELDS["size"],
    "website": text,
    "industry": text,
    "remote_created_at": seconds,
    "monthly_spend": classic_spend,
    "custom_attributes": table,
}
_USERS_COMPANY = {**_COMPANY, "remove": boolean}
_USER: dict[str, Check] = {
    "id": known,
    "user_id": known,
    "email": email,
    "name": text,
    "phone": text,
    "created_at": seconds,
    "remote_created_at": seconds,
    "signed_up_at": seconds,
    "last_request_at": seconds,
    "last_seen_ip": text,
    "last_seen_user_agent": text,
    "unsubscribed_from_emails": boolean,
    "companies": rows,
    "custom_attributes": table,
}
_KEPT = (
    "user_id",
    "email",
    "name",
    "phone",
    "last_request_at",
    "last_seen_ip",
    "last_seen_user_agent",
    "unsubscribed_from_emails",
)
_SIGNED_UP = ("remote_created_at", "created_at", "signed_up_at")  # three names of one date; the last one wins


def save_user(call: ApiCall) -> ApiReply:
    """POST /users: create the user of this user_id or email, or update them, companies included."""
    body = call.body()
    check(body, _USER)
    body["companies"] = [_with_text_as_id(company) for company in body.get("companies") or []]
    for company in body["companies"]:
        check(company, _USERS_COMPANY, None, "companies.")
        _check_named(company)
    person = _wanted(call, body)
    custom = custom_attributes(call, "contact", body.get("custom_attributes"))
    values = {name: body[name] for name in _KEPT if name in body}
    signed_up = [body[name] for name in _SIGNED_UP if name in body]
    if signed_up:
        values["created_at"] = signed_up[-1]
    if body.get("last_request_at"):
        values["last_seen_at"] = body["last_request_at"]
    person.role, person.archived = "user", False
    call.account.write(person, values, custom)
    for company in body.get("companies") or []:
        _belong(call, person, company)
    call.person = person
    return ApiReply(200, user_json(call, person))


def find_user(call: ApiCall) -> ApiReply:
    """GET /users?user_id= or ?email=."""
    query = call.asked.query
    if not (query.get("user_id") or query.get("email")):
        raise missing("user_id or email is required")
    person = call.account.find_user(query.get("user_id"), None if query.get("user_id") else query.get("email"))
    return ApiReply(200, user_json(call, _user(call, person)))


def show_user(call: ApiCall, user: str) -> ApiReply:
    """GET /users/{id}, by Intercom's own id."""
    return ApiReply(200, user_json(call, _user(call, call.account.people.get(user))))


def save_company(call: ApiCall) -> ApiReply:
    """POST /companies: create the company of this company_id, or update it."""
    body = _with_text_as_id(call.body())
    check(body, _COMPANY)
    _check_named(body)
    return ApiReply(200, companies.company_json(companies.write(call, body["company_id"], body)))


def user_json(call: ApiCall, person: Person) -> dict[str, Any]:
    """The user in the words of the classic API."""
    said, account = person.standard, call.account
    attached = [account.companies[company_id] for company_id in person.company_ids]
    shown = [
        {"type": "company", "company_id": company.company_id, "id": company.id, "name": company.standard.get("name")}
        for company in attached
    ]
    return {
        "type": "user",
        "id": person.id,
        "app_id": account.app_id,
        **{name: said.get(name) for name in _KEPT},
        "unsubscribed_from_emails": bool(said.get("unsubscribed_from_emails")),
        "signed_up_at": said.get("created_at"),
        "remote_created_at": said.get("created_at"),
        "created_at": int(person.first_seen),
        "updated_at": int(person.updated_at),
        "companies": {"type": "company.list", "companies": shown},
        "custom_attributes": dict(person.custom_attributes),
        "tags": {"type": "tag.list", "tags": []},
        "segments": {"type": "segment.list", "segments": []},
    }


def _wanted(call: ApiCall, body: dict[str, Any]) -> Person:
    if body.get("id"):
        return _user(call, call.account.people.get(body["id"]))
    if not (body.get("user_id") or body.get("email")):
        raise missing("user_id or email is required")
    person = call.account.find_user(body.get("user_id"), body.get("email"))
    return person or Person(call.account.app_id, role="user", first_seen=call.at, last_seen=call.at, source=call.source)


def _user(call: ApiCall, person: Person | None) -> Person:
    if person is None or person.role != "user" or person.archived:
        raise not_found()
    call.person = person
    return person


def _with_text_as_id(company: dict[str, Any]) -> dict[str, Any]:
    """A company whose id is text: the classic API takes whole numbers, too, and Segment has always sent them."""
    number = company.get("company_id")
    return company if whole(number) else {**company, "company_id": str(number)}


def _check_named(company: dict[str, Any]) -> None:
    if not company.get("company_id"):
        raise missing("company_id not specified", "company_id")


def _belong(call: ApiCall, person: Person, company: dict[str, Any]) -> None:
    if company.get("remove"):
        call.account.detach(person, company["company_id"])
        return
    companies.write(call, company["company_id"], company)
    call.account.attach(person, company["company_id"])
