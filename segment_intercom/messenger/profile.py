"""What the Messenger is told of a person: Intercom's standard fields, companies and custom attributes.

Source: Segment's documentation page for Intercom, "Identify" and "Group".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..intercom_keys import COMPANY, RESERVED
from ..settings import Settings
from ..traits import Report, companies_of, company_of, custom_attributes, full_name, split
from ..traits.companies import is_list
from ..traits.money import amount
from ..traits.names import text_of
from ..traits.standard import avatar_url, collected, first_date, looks_like_email, phone_of
from .person import PROOFS, Person

_CREATED = ("created", "created_at")


def describe(person: Person, settings: Settings, report: Report) -> dict[str, Any]:
    """What is known of a person: the standard fields, then ``custom_attributes``; nothing of a visitor."""
    known, custom = split(person.traits, report)
    found: dict[str, Any] = {} if person.user_id is None else {"user_id": person.user_id}
    _add_standard(found, known, custom, report)
    if "email" not in found and looks_like_email(person.user_id):
        found["email"] = person.user_id
    if person.user_id is None and "email" not in found:
        if person.traits:
            report.note("user_id", "neither an id nor an e-mail is known, so this is a visitor; no traits are sent")
        return {}
    if person.group_id or person.group or "company" in known or "companies" in known:
        found |= _companies(person, known, settings, report)
    if person.options:
        found |= {PROOFS[name]: value for name, value in person.options.items() if name in PROOFS and text_of(value)}
    if known.get("id") is not None and str(known["id"]) != person.user_id:
        report.note("id", "is not the user's id and is no attribute either; give it another name")
    if settings.collect_context:
        custom = {**collected(person.context), **custom}
    if attributes := _custom(custom, settings, report):
        found["custom_attributes"] = attributes
    return found


def _add_standard(found: dict[str, Any], known: Mapping[str, Any], custom: dict[str, Any], report: Report) -> None:
    """Add the standard fields that are known; what such a field cannot hold stays as a custom attribute of its name."""
    for field, sources, read in _STANDARD:
        if sources.isdisjoint(known):
            continue
        if (value := read(known, report)) is not None:
            found[field] = value
        elif known.get(field) and field != "created_at":
            custom[field] = known[field]


def _avatar(known: Mapping[str, Any], _: Report) -> dict[str, str] | None:
    url = avatar_url(known["avatar"])
    return {"type": "avatar", "image_url": url} if url else None


# Intercom's fields in their order, each with the traits it comes from and how it is read from them.
_STANDARD: tuple[tuple[str, frozenset[str], Callable[[Mapping[str, Any], Report], Any]], ...] = (
    ("email", frozenset(("email",)), lambda known, _: text_of(known["email"])),
    ("name", frozenset(("name", "first_name", "last_name")), lambda known, _: full_name(known)),
    ("phone", frozenset(("phone", "phones")), lambda known, _: phone_of(known)),
    ("created_at", frozenset(_CREATED), lambda known, report: first_date(known, _CREATED, report)),
    ("avatar", frozenset(("avatar",)), _avatar),
)


def _custom(traits: Mapping[str, Any], settings: Settings, report: Report) -> dict[str, Any]:
    attributes = custom_attributes(traits, settings, report)
    for name in () if RESERVED.isdisjoint(attributes) else RESERVED.intersection(attributes):
        report.note(name, "is a name of the Messenger's own, so it stays under custom_attributes only, unsaved by it")
    return attributes


def _companies(person: Person, known: Mapping[str, Any], settings: Settings, report: Report) -> dict[str, Any]:
    """``company``, the one that the person acts for, and ``companies``, the others; custom attributes in line."""
    listed = [_in_line(company, report) for company in companies_of(known, settings, report)]
    current = _group(person, settings, report)
    if current is None:
        plural = not known.get("company") or is_list(known["company"])
        return {} if not listed else {"companies": listed} if plural else {"company": listed[0]}
    same = [company for company in listed if company["company_id"] == current["company_id"]]
    others = [company for company in listed if company["company_id"] != current["company_id"]]
    found: dict[str, Any] = {"company": {**(same[0] if same else {}), **current}}
    return {**found, "companies": others} if others else found


def _group(person: Person, settings: Settings, report: Report) -> dict[str, Any] | None:
    if person.group_id is None and not person.group:
        return None
    named = {} if person.group_id is None else {"id": person.group_id}
    company = company_of({**named, **person.group, **named}, settings, report)
    return None if company is None else _in_line(company, report)


def _in_line(company: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """The Messenger's form of a company: its id a string, its spend a number, its custom attributes beside them."""
    standard = {name: value for name, value in company.items() if name != "custom_attributes"}
    standard["company_id"] = str(standard["company_id"])
    if "monthly_spend" in standard and (spend := amount(standard["monthly_spend"])) is not None:
        standard["monthly_spend"] = spend
    custom = company["custom_attributes"]
    for name in custom.keys() & set(COMPANY):
        report.note(f"company.{name}", "is a name of Intercom's own and is not sent as a custom attribute")
    return {**standard, **{name: value for name, value in custom.items() if name not in COMPANY}}
