"""Contacts: an identify call as an operation, and how a contact is saved.

Source: Intercom's published API description, "Create contact" and "Update a contact".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..calls import Identify
from ..diagnostics import Diagnostics, logger
from ..settings import Settings
from ..traits import custom_attributes
from ..traits.fields import CONTACT
from ..transport import Operation, Reference, Reply
from .client import is_success
from .custom import named
from .endpoint import Api, Endpoint, UserPayload
from .errors import LeftOut, PermanentError, message_in
from .leads import lead_reference, save_lead
from .references import check, look_up_contact, store_id
from .user_ref import IdentifyFields, UserRef, add_standard, address, unsubscribed, without_links

_NOT_FOUND, _CONFLICT, _GONE = 404, 409, 410
_ID = re.compile(r"\bid=([0-9A-Za-z_-]+)")
_ARCHIVED = re.compile("archived", re.IGNORECASE)
_NO_ADDRESS = (
    "an address or a user agent has no field on the contacts API and is not sent; with collect_address=True they are "
    "the custom attributes last_seen_ip and last_seen_user_agent"
)


def _ids(subject: UserRef) -> dict[str, Any]:
    role = "user" if subject.anonymous_id is None else "lead"
    ids = {"role": role, "external_id": subject.user_id, "email": subject.email}
    return {name: value for name, value in ids.items() if value is not None}


def contact_reference(subject: UserRef) -> Reference:
    """Return the reference to the contact of a user: by its user id, else by its e-mail; a lead's by anonymous id."""
    if subject.anonymous_id is not None:
        return lead_reference(subject.anonymous_id)
    if subject.user_id is not None:
        return Reference("contact", "external_id", subject.user_id)
    return Reference("contact", "email", str(subject.email))


def contact_operation(
    call: Identify, fields: IdentifyFields, settings: Settings, diagnostics: Diagnostics
) -> Operation:
    """Return the operation that creates or updates the contact of an identify call."""
    body = _ids(fields.user)
    if fields.standard:
        add_standard(body, fields.standard, CONTACT, diagnostics)
    if fields.seen_at is not None:
        body["last_seen_at"] = fields.seen_at
    if (flag := unsubscribed(call)) is not None:
        body["unsubscribed_from_emails"] = flag
    custom = fields.custom
    if "ip" in call.context or "userAgent" in call.context:
        if settings.collect_address:
            custom = {**address(call), **custom}
        else:
            diagnostics.warn("context", _NO_ADDRESS)
    if custom and (attributes := named(custom_attributes(custom, without_links(settings), diagnostics), diagnostics)):
        body["custom_attributes"] = attributes
    return SAVE_CONTACT(body, {"contact_id": contact_reference(fields.user)} if fields.user.anonymous_id else None)


def perform_contact(api: Api, operation: Operation, _: UserPayload) -> None:
    """Create or update the contact."""
    save_contact(api, operation.body or {}, operation.ids.get("contact_id"))


def contact_id(api: Api, reference: Reference, user_payload: UserPayload) -> str:
    """Return Intercom's id of a contact, which is made where it is not there."""
    return api.cache.get_id(reference) or save_contact(api, user_payload(), reference)


def save_contact(api: Api, body: Mapping[str, Any], lead: Reference | None = None) -> str:
    """Create or update a contact and return Intercom's id of it; a lead is one that its anonymous id names."""
    if lead is not None and lead.key == "anonymous_id":
        return save_lead(api, lead, body)
    reference = _reference_of(body)
    standard = api.cache.get_id(reference)
    if standard is not None:
        reply, told = _update(api, standard, body)
        if is_success(reply):
            return _remember_email(api, standard, told)
        if reply.status not in (_NOT_FOUND, _GONE):
            raise PermanentError.by(reply)
        api.cache.delete_id(reference)
    reply = _create(api, body)
    if reply.status == _CONFLICT:
        return _update_existing(api, reference, body, reply)
    return _remember_email(api, store_id(api, reference, reply), body)


def _create(api: Api, body: Mapping[str, Any]) -> Reply:
    return api.attributes.send(Operation("POST", "/contacts", body), "contact")


def _remember_email(api: Api, contact: str, body: Mapping[str, Any]) -> str:
    if "email" in body:
        api.cache.set_email(contact, str(body["email"]))
    return contact


def _update_existing(api: Api, reference: Reference, body: Mapping[str, Any], conflict: Reply) -> str:
    """The contact is there already: its id is in the message, or is found by what names it.

    A contact that only has the same e-mail is another user's, and is not taken over: the rest goes without it.
    """
    match = _ID.search(message_in(conflict))
    contact = match.group(1) if match else look_up_contact(api, reference)
    if contact is not None and _is_another_user(api, contact, body):
        body = _without_email(api, body)
        reply = _create(api, body)
        if reply.status != _CONFLICT:
            return store_id(api, reference, reply)
        match = _ID.search(message_in(reply))
        contact = match.group(1) if match else look_up_contact(api, reference)
        conflict = reply
    if contact is None:
        raise PermanentError.by(conflict)
    if _ARCHIVED.search(message_in(conflict)):
        _unarchive(api, contact)
    if body.keys() != {"role", reference.key}:  # there is something to tell of it
        reply, body = _update(api, contact, body)
        if reply.status == _NOT_FOUND:  # archived, which not every message says
            _unarchive(api, contact)
            reply, body = _update(api, contact, body)
        check(reply)
    api.cache.set_id(reference, contact)
    return _remember_email(api, contact, body)


def _unarchive(api: Api, contact: str) -> None:
    """Bring an archived contact back; raises LeftOut where the setting says that they stay archived."""
    if not api.restores_archived:
        api.cache.count_left_out()
        logger.warning("a call of a user who is archived at Intercom is left out (restore_archived is off)")
        raise LeftOut
    check(api.client.send(Operation("POST", f"/contacts/{contact}/unarchive")))


def _update(api: Api, contact: str, body: Mapping[str, Any]) -> tuple[Reply, Mapping[str, Any]]:
    """Update a contact, without the e-mail where that is another's; the answer, and what was sent."""
    reply = _put(api, contact, body)
    if reply.status == _CONFLICT and "email" in body and "external_id" in body:
        body = _without_email(api, body)
        reply = _put(api, contact, body)
    return reply, body


def _put(api: Api, contact: str, body: Mapping[str, Any]) -> Reply:
    return api.attributes.send(Operation("PUT", f"/contacts/{contact}", body), "contact")


def _without_email(api: Api, body: Mapping[str, Any]) -> Mapping[str, Any]:
    logger.warning(
        "the e-mail of an identify call is that of another contact with a user id of its own: it is left out and "
        "the rest sent; give each user an e-mail of their own, or merge the two in Intercom"
    )
    api.cache.count_left_out()
    return {name: value for name, value in body.items() if name != "email"}


def _is_another_user(api: Api, contact: str, body: Mapping[str, Any]) -> bool:
    """Return whether only the e-mail is the same: a contact with another user id must not be taken over."""
    if "external_id" not in body or "email" not in body:
        return False
    reply = api.client.send(Operation("GET", f"/contacts/{contact}"))
    own = reply.body.get("external_id") if is_success(reply) and isinstance(reply.body, Mapping) else None
    return own is not None and own != body["external_id"]


def _reference_of(body: Mapping[str, Any]) -> Reference:
    key = "external_id" if "external_id" in body else "email"
    return Reference("contact", key, str(body[key]))


SAVE_CONTACT = Endpoint("POST", "/contacts", perform_contact)
