"""The classic dialect, version 1.4: one ``POST /users`` for an identify, companies inside.

Source: Segment's documentation page for Intercom, and the behaviour of its own integration.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..calls import Group, Identify, Track
from ..settings import Settings
from ..traits import Report, company_of, custom_attributes, full_name
from ..traits.companies import listed, with_users
from ..traits.metadata import event_metadata
from ..traits.names import text_of
from ..traits.standard import first_date, phone_of
from .operation import Operation
from .subject import Standard, Subject, add_standard, address, describe, happened_at, unsubscribed

_CREATED, _REMOTE = ("created", "created_at"), ("remote_created_at",)
# Intercom's fields, each with the traits it comes from and how it is read from them.
_STANDARD: Standard = (
    ("name", frozenset(("name", "first_name", "last_name")), lambda known, _: full_name(known)),
    ("phone", frozenset(("phone", "phones")), lambda known, _: phone_of(known)),
    ("created_at", frozenset(_CREATED), lambda known, report: first_date(known, _CREATED, report)),
    ("remote_created_at", frozenset(_REMOTE), lambda known, report: first_date(known, _REMOTE, report)),
)
# Standard in a page and on the contacts API, custom attributes of a company here.
_CUSTOM_HERE = ("size", "website", "industry")


def identify(call: Identify, settings: Settings, report: Report) -> list[Operation]:
    """Create or update the user, with all that the call says."""
    person = describe(call, settings, report)
    if not person.subject.known(report):
        return []
    known = person.known
    body = _ids(person.subject)
    if known:
        add_standard(body, known, _STANDARD, report)
    if person.seen_at is not None:
        body["last_request_at"] = person.seen_at
    if call.context:
        body |= address(call)
    if (flag := unsubscribed(call)) is not None:
        body["unsubscribed_from_emails"] = flag
    if companies := _companies(known, settings, report):
        body["companies"] = companies
    # "All other traits" are custom attributes here, an avatar among them: the classic API takes none.
    custom = {**person.custom, "avatar": known["avatar"]} if known.get("avatar") is not None else person.custom
    body["custom_attributes"] = custom_attributes(custom, settings, report)
    return [Operation("POST", "/users", body)]


def group(call: Group, settings: Settings, report: Report) -> list[Operation]:
    """Create or update the company, then the user's membership."""
    named = {} if call.group_id is None else {"id": call.group_id}
    company = company_of({**named, **call.traits, **named}, settings, report)
    if company is None:
        return []
    body = _company(company)
    leaves = body.pop("remove", None)
    first = [] if leaves else [Operation("POST", "/companies", body)]
    subject = Subject.of(call)
    if not subject.known(report):
        return first
    member = {**body, "remove": True} if leaves else body
    return [*first, Operation("POST", "/users", {**_ids(subject), "companies": [member]})]


def track(call: Track, settings: Settings, report: Report) -> list[Operation]:
    """Record the event."""
    subject = Subject.of(call)
    if not subject.known(report):
        return []
    body: dict[str, Any] = {"event_name": call.event, "created_at": happened_at(call, report), **_ids(subject)}
    body["metadata"] = event_metadata(call.event, call.properties, settings, report)
    return [Operation("POST", "/events", body)]


def _ids(subject: Subject) -> dict[str, Any]:
    found = {"user_id": subject.user_id, "email": subject.email}
    return {name: value for name, value in found.items() if value is not None}


def _companies(known: Mapping[str, Any], settings: Settings, report: Report) -> list[dict[str, Any]]:
    found = []
    for given in listed(known):
        if (company := company_of(with_users(given, known), settings, report)) is not None:
            body = _company(company)
            if text_of(given):  # a company that is only a name has none, not even an empty object of them
                del body["custom_attributes"]
            found.append(body)
    return found


def _company(company: Mapping[str, Any]) -> dict[str, Any]:
    """A company in this dialect: its date ``remote_created_at``, and few fields beside the custom attributes."""
    body = {name: value for name, value in company.items() if name not in (*_CUSTOM_HERE, "created_at")}
    if "plan" in company:
        body["plan"] = str(company["plan"])
    if "created_at" in company:
        body["remote_created_at"] = company["created_at"]
    here = {name: company[name] for name in _CUSTOM_HERE if name in company}
    body["custom_attributes"] = {**here, **company["custom_attributes"]}
    return body
