"""What the Messenger is told of a person: Intercom's standard fields, companies and custom attributes.

Source: Segment's documentation page for Intercom, "Identify" and "Group".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..diagnostics import Diagnostics
from ..intercom_keys import COMPANY, RESERVED
from ..settings import Settings
from ..traits import companies_of, company_of, custom_attributes, split
from ..traits.companies import company_number, is_list, united
from ..traits.fields import PAGE, read_fields
from ..traits.labels import labelled, page_name
from ..traits.names import text_of
from ..traits.numbers import amount
from ..traits.standard import collected, email_of, looks_like_email
from .user_state import PROOFS, UserState


def user_settings(user: UserState, settings: Settings, diagnostics: Diagnostics) -> dict[str, Any]:
    """What is known of a person: the standard fields, then ``custom_attributes``; nothing of a visitor."""
    standard, custom = split(user.traits, diagnostics)
    fields: dict[str, Any] = {} if user.user_id is None else {"user_id": user.user_id}
    read, unreadable = read_fields(PAGE, standard, diagnostics)
    fields |= read
    custom |= unreadable  # under the name of a field that cannot hold it, it is still a custom attribute
    if "email" in fields and email_of(fields["email"]) is None:
        diagnostics.warn("email", "is not an e-mail address, such as ann@example.com; it is sent as it is")
    if "email" not in fields and looks_like_email(user.user_id):
        fields["email"] = user.user_id
    if user.user_id is None and "email" not in fields:
        return _of_visitor(user.traits, settings, diagnostics)
    if user.group_id or user.group or "company" in standard or "companies" in standard:
        fields |= _companies(user, standard, settings, diagnostics)
    if user.options:
        fields |= {PROOFS[name]: value for name, value in user.options.items() if name in PROOFS and text_of(value)}
    if standard.get("id") is not None and str(standard["id"]) != user.user_id:
        diagnostics.warn("id", "is not the user's id and is no attribute either; give it another name")
    if settings.collect_context:
        custom = {**collected(user.context), **custom}
    if attributes := _custom(custom, settings, diagnostics):
        fields["custom_attributes"] = attributes
    return fields


def _of_visitor(traits: Mapping[str, Any], settings: Settings, diagnostics: Diagnostics) -> dict[str, Any]:
    """Those traits of a visitor, as custom attributes, that ``visitor_traits`` names."""
    wanted = {name: value for name, value in traits.items() if name in settings.visitor_traits}
    if len(wanted) < len(traits):
        sent = "only those of visitor_traits are sent" if settings.visitor_traits else "no traits are sent"
        diagnostics.warn("user_id", f"neither an id nor an e-mail is known, so this is a visitor; {sent}")
    attributes = _custom(wanted, settings, diagnostics) if wanted else None
    return {"custom_attributes": attributes} if attributes else {}


def _custom(traits: Mapping[str, Any], settings: Settings, diagnostics: Diagnostics) -> dict[str, Any]:
    attributes = dict(labelled(custom_attributes(traits, settings, diagnostics), page_name, diagnostics))
    for name in () if RESERVED.isdisjoint(attributes) else RESERVED.intersection(attributes):
        diagnostics.warn(
            name, "is a name of the Messenger's own, so it stays under custom_attributes only, unsaved by it"
        )
    return attributes


def _companies(
    user: UserState, standard: Mapping[str, Any], settings: Settings, diagnostics: Diagnostics
) -> dict[str, Any]:
    """``company``, the one that the person acts for, and ``companies``, the others; custom attributes in line."""
    first, second = (companies_of(standard, settings, diagnostics, (field,)) for field in ("company", "companies"))
    others = [_in_line(company, diagnostics) for company in united([*first, *second])]
    current = _group(user, settings, diagnostics)
    if current is None and first and not is_list(standard["company"]):
        current = others[0]
    if current is None:
        return {"companies": others} if others else {}
    same = [company for company in others if company["company_id"] == current["company_id"]]
    others = [company for company in others if company["company_id"] != current["company_id"]]
    company = {**(same[0] if same else {}), **current}
    return {"company": company, "companies": others} if others else {"company": company}


def _group(user: UserState, settings: Settings, diagnostics: Diagnostics) -> dict[str, Any] | None:
    if user.group_id is None and not user.group:
        return None
    group_id = {} if user.group_id is None else {"id": user.group_id}
    company = company_of({**group_id, **user.group, **group_id}, settings, diagnostics)
    return None if company is None else _in_line(company, diagnostics)


def _in_line(company: Mapping[str, Any], diagnostics: Diagnostics) -> dict[str, Any]:
    """The Messenger's form of a company: its id a string, its numbers numbers, its custom attributes beside them."""
    standard = {name: value for name, value in company.items() if name != "custom_attributes"}
    standard["company_id"] = str(standard["company_id"])
    if amount(standard.get("monthly_spend")) is not None:
        spend = company_number(standard.pop("monthly_spend"), "monthly_spend", diagnostics)
        standard |= {} if spend is None else {"monthly_spend": spend}
    custom = labelled(company.get("custom_attributes", {}), page_name, diagnostics)
    for name in custom.keys() & set(COMPANY):
        diagnostics.warn(f"company.{name}", "is a name of Intercom's own and is not sent as a custom attribute")
    return {**standard, **{name: value for name, value in custom.items() if name not in COMPANY}}
