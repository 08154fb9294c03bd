"""Companies and who belongs to them: a group call as operations, and how they are performed.

Source: Intercom's published API description, "Create or update a company", "Attach a contact to a company".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..calls import Group
from ..diagnostics import Diagnostics, logger
from ..settings import Settings
from ..traits import company_of
from ..traits.companies import company_number, is_by_name
from ..transport import Operation, Reference
from .contacts import contact_id, contact_reference
from .custom import named
from .endpoint import Api, Endpoint, UserPayload
from .errors import RetryableError
from .references import check, company_id, company_id_by_name, store_id
from .user_ref import UserRef, without_links

_NOT_FOUND = 404
_TRIES = 8  # some minutes: longer than Intercom takes to know what it has just been told
_COMPANY_TEXTS = ("name", "plan", "website", "industry")
_COMPANY_NUMBERS = ("monthly_spend", "size")


def group(call: Group, settings: Settings, diagnostics: Diagnostics) -> list[Operation]:
    """Create or update the company, then attach the contact to it."""
    group_id = {} if call.group_id is None else {"id": call.group_id}
    company = company_of({**group_id, **call.traits, **group_id}, without_links(settings), diagnostics)
    if company is None:
        return []
    subject = UserRef.of(call, leads=settings.leads)
    return membership(company, contact_reference(subject) if subject.check_known(diagnostics) else None, diagnostics)


def membership(company: Mapping[str, Any], contact: Reference | None, diagnostics: Diagnostics) -> list[Operation]:
    """Return the operations that save a company and attach the contact to it, or detach the contact from it."""
    reference = Reference("company", "company_id", str(company["company_id"]))
    if company.get("remove"):
        if is_by_name(company):
            reference = replace(reference, name=company["name"])
        ids = {"company_id": reference}
        return [] if contact is None else [DETACH(None, {"contact_id": contact, **ids})]
    saved = SAVE_COMPANY(_company(company, diagnostics))
    if contact is None:
        return [saved]
    return [saved, ATTACH({"id": reference}, {"contact_id": contact})]


def _company(company: Mapping[str, Any], diagnostics: Diagnostics) -> dict[str, Any]:
    body: dict[str, Any] = {"company_id": str(company["company_id"])}
    body.update((name, str(company[name])) for name in _COMPANY_TEXTS if name in company)
    for name in _COMPANY_NUMBERS:
        if name in company and (number := company_number(company[name], name, diagnostics)) is not None:
            # Intercom truncates what comes behind the point.
            body[name] = int(number)
            if number != body[name]:
                diagnostics.warn(
                    f"company.{name}", "Intercom keeps whole numbers only; what comes behind the point is cut off"
                )
    if "created_at" in company:
        body["remote_created_at"] = company["created_at"]
    if attributes := named(company.get("custom_attributes", {}), diagnostics):
        body["custom_attributes"] = attributes
    return body


def perform_company(api: Api, operation: Operation, _: UserPayload) -> None:
    """A company; Intercom is not told again what it was told within the hour."""
    body = operation.body or {}
    reference = Reference("company", "company_id", str(body["company_id"]))
    if api.cache.was_sent(body) and api.cache.get_id(reference) is not None:
        return
    api.cache.delete_sent(body)  # until the answer is there, what Intercom has is unknown
    store_id(api, reference, api.attributes.send(operation, "company"))
    api.cache.set_sent(body)


def perform_attach(api: Api, operation: Operation, user_payload: UserPayload) -> None:
    """A membership; the company was saved just before, the contact is created when it is not there."""
    company = company_id(api, (operation.body or {})["id"])
    contact = contact_id(api, operation.ids["contact_id"], user_payload)
    if company is None:
        raise RetryableError("Intercom does not find the company, though it has just been saved", tries=_TRIES)
    if api.cache.is_member(contact, company):
        return
    reply = api.client.send(Operation("POST", f"/contacts/{contact}/companies", {"id": company}))
    if reply.status == _NOT_FOUND:  # one of the two is gone: next time both are looked up and made anew
        api.cache.delete_id(operation.ids["contact_id"])
        api.cache.delete_id((operation.body or {})["id"])
        raise RetryableError("Intercom does not know the contact or the company any more", tries=_TRIES)
    check(reply)
    api.cache.set_member(contact, company)


def perform_detach(api: Api, operation: Operation, user_payload: UserPayload) -> None:
    """The end of a membership; where there is no such company or member, there is nothing to end."""
    reference = operation.ids["company_id"]
    company = company_id(api, reference)
    if company is None and reference.name is not None:
        company = company_id_by_name(api, reference.name)
    if company is None:
        logger.warning("a user was to leave a company that Intercom does not know; there is nothing to leave")
        return
    contact = contact_id(api, operation.ids["contact_id"], user_payload)
    api.cache.delete_member(contact, company)
    reply = api.client.send(Operation("DELETE", f"/contacts/{contact}/companies/{company}"))
    if reply.status != _NOT_FOUND:
        check(reply)


SAVE_COMPANY = Endpoint("POST", "/companies", perform_company)
ATTACH = Endpoint("POST", "/contacts/{contact_id}/companies", perform_attach)
DETACH = Endpoint("DELETE", "/contacts/{contact_id}/companies/{company_id}", perform_detach)
