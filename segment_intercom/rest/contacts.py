"""Today's dialect, from version 2.0 on: contacts, companies, and who belongs to which.

Source: Intercom's published API description, and its documentation of data attributes and of events.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from ..calls import Group, Identify, Track
from ..settings import Settings
from ..traits import Report, companies_of, company_of, custom_attributes, full_name
from ..traits.metadata import event_metadata
from ..traits.money import amount
from ..traits.nested import COLLISION, date_key
from ..traits.standard import avatar_url, first_date, phone_of
from .operation import Operation, Reference
from .subject import Standard, Subject, add_standard, address, describe, happened_at, unsubscribed

_CONTAINERS = (dict, list)
_SIGNED_UP = ("created", "created_at", "remote_created_at")
# Intercom's fields, each with the traits it comes from and how it is read from them.
_STANDARD: Standard = (
    ("phone", frozenset(("phone", "phones")), lambda known, _: phone_of(known)),
    ("name", frozenset(("name", "first_name", "last_name")), lambda known, _: full_name(known)),
    ("avatar", frozenset(("avatar",)), lambda known, _: avatar_url(known["avatar"])),
    ("signed_up_at", frozenset(_SIGNED_UP), lambda known, report: first_date(known, _SIGNED_UP, report)),
)
_COMPANY_TEXTS = ("name", "plan", "website", "industry")
_COMPANY_NUMBERS = ("monthly_spend", "size")


def identify(call: Identify, settings: Settings, report: Report) -> list[Operation]:
    """Create or update the contact, then create or update each company and attach it, or detach the contact."""
    person = describe(call, settings, report)
    if not person.subject.known(report):
        return []
    known, custom = person.known, person.custom
    body = _ids(person.subject)
    if known:
        add_standard(body, known, _STANDARD, report)
    if person.seen_at is not None:
        body["last_seen_at"] = person.seen_at
    if (flag := unsubscribed(call)) is not None:
        body["unsubscribed_from_emails"] = flag
    if settings.collect_address and call.context:
        custom = {**address(call), **custom}
    if custom and (attributes := _attributes(custom, settings, report)):
        body["custom_attributes"] = attributes
    operations = [Operation("POST", "/contacts", body)]
    if "company" in known or "companies" in known:
        contact = _contact(person.subject)
        for company in companies_of(known, settings, report):
            operations += _membership(company, contact, report)
    return operations


def group(call: Group, settings: Settings, report: Report) -> list[Operation]:
    """Create or update the company, then attach the contact to it."""
    named = {} if call.group_id is None else {"id": call.group_id}
    company = company_of({**named, **call.traits, **named}, _flat(settings), report)
    if company is None:
        return []
    subject = Subject.of(call)
    return _membership(company, _contact(subject) if subject.known(report) else None, report)


def track(call: Track, settings: Settings, report: Report) -> list[Operation]:
    """Record the event; of a user id and an e-mail Intercom wants one."""
    subject = Subject.of(call)
    if not subject.known(report):
        return []
    ids = {"email": subject.email} if subject.user_id is None else {"user_id": subject.user_id}
    body: dict[str, Any] = {"event_name": call.event, "created_at": happened_at(call, report), **ids}
    if call.properties:
        found = event_metadata(call.event, call.properties, settings, report, _event_date)
        if metadata := _without_empty(found, report):
            body["metadata"] = metadata
    return [Operation("POST", "/events", body)]


def _ids(subject: Subject) -> dict[str, Any]:
    found = {"role": "user", "external_id": subject.user_id, "email": subject.email}
    return {name: value for name, value in found.items() if value is not None}


def _contact(subject: Subject) -> Reference:
    if subject.user_id is not None:
        return Reference("contact", "external_id", subject.user_id)
    return Reference("contact", "email", str(subject.email))


def _membership(company: Mapping[str, Any], contact: Reference | None, report: Report) -> list[Operation]:
    reference = Reference("company", "company_id", str(company["company_id"]))
    if company.get("remove"):
        ids = {"company_id": reference}
        path = "/contacts/{contact_id}/companies/{company_id}"
        return [] if contact is None else [Operation("DELETE", path, None, {"contact_id": contact, **ids})]
    saved = Operation("POST", "/companies", _company(company, report))
    if contact is None:
        return [saved]
    return [saved, Operation("POST", "/contacts/{contact_id}/companies", {"id": reference}, {"contact_id": contact})]


def _company(company: Mapping[str, Any], report: Report) -> dict[str, Any]:
    body: dict[str, Any] = {"company_id": str(company["company_id"])}
    body.update((name, str(company[name])) for name in _COMPANY_TEXTS if name in company)
    for name in _COMPANY_NUMBERS:
        if name in company and (number := _whole(company[name], f"company.{name}", report)) is not None:
            body[name] = number
    if "created_at" in company:
        body["remote_created_at"] = company["created_at"]
    if attributes := _named(company["custom_attributes"], report):
        body["custom_attributes"] = attributes
    return body


def _whole(value: Any, name: str, report: Report) -> int | None:
    """A number as Intercom keeps it in a company, where it truncates what comes behind the point."""
    number = value if type(value) is int else amount(value)
    if number is None:
        report.note(name, "must be a number; it is not sent")
        return None
    if number != int(number):
        report.note(name, "Intercom keeps whole numbers only; what comes behind the point is cut off")
    return int(number)


def _attributes(custom: Mapping[str, Any], settings: Settings, report: Report) -> Mapping[str, Any]:
    return _named(custom_attributes(custom, _flat(settings), report), report)


@lru_cache(maxsize=64)
def _flat(settings: Settings) -> Settings:
    """The settings for attributes: a rich link is kept in events only."""
    return replace(settings, rich_links=()) if settings.rich_links else settings


def _named(attributes: Mapping[str, Any], report: Report) -> Mapping[str, Any]:
    """The attributes under names that Intercom takes; where two meet, the one that has its own name stays."""
    names = _names(tuple(attributes)) if attributes else None
    if names is None:
        return _without_empty(attributes, report)
    found: dict[str, Any] = {}
    for name, value in attributes.items():
        named = names[name]
        if named in found or (named != name and named in attributes):
            report.note(named, COLLISION)
        if named == name or named not in attributes:
            found[named] = value
    return _without_empty(found, report)


@lru_cache(maxsize=1024)
def _names(names: tuple[str, ...]) -> Mapping[str, str] | None:
    """What Intercom is to call these attributes, or None when it takes all the names; there are few sets of them."""
    found = {name: attribute_name(name) for name in names}
    return None if all(name == named for name, named in found.items()) else found


def attribute_name(name: str) -> str:
    """A name as Intercom takes it: letters, digits, currency signs, hyphens and underscores; others become ``_``."""
    return "".join(one if one.isalnum() or one in "-_" or unicodedata.category(one) == "Sc" else "_" for one in name)


def _without_empty(values: Mapping[str, Any], report: Report) -> Mapping[str, Any]:
    """The values that Intercom takes: an empty list or dict is nothing that it could keep."""
    empty = [name for name, value in values.items() if type(value) in _CONTAINERS and not value]
    for name in empty:
        report.note(name, "is empty, which Intercom cannot keep; it is not sent")
    return {name: value for name, value in values.items() if name not in empty} if empty else values


def _event_date(name: str) -> str:
    """The key of a date in an event: it ends in ``_date``, which takes the place of ``_at``."""
    return name if name.endswith("_date") else date_key(name).removesuffix("_at") + "_date"
