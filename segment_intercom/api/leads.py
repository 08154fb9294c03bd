"""Leads: people with an e-mail and no user id yet, and how one becomes the user that they are.

A lead cannot be found by an id of the application's: its Intercom id is remembered under the anonymous id, and else
looked for by its e-mail. Source: Intercom's published API description, "Find a contact by External ID", "Merge a lead
and a user", "Lead Events".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..calls import Call
from ..settings import Settings
from ..transport import Operation, Reference
from .client import is_success
from .endpoint import Api, Endpoint, UserPayload
from .references import check, id_in, look_up_contact, store_id
from .user_ref import UserRef

_NOT_FOUND, _GONE = 404, 410


def lead_reference(anonymous_id: str) -> Reference:
    """Return the reference to the lead of an anonymous id."""
    return Reference("contact", "anonymous_id", anonymous_id)


def merges_lead(call: Call, settings: Settings) -> bool:
    """Return whether a call tells who the person behind an anonymous id is."""
    return settings.leads and call.anonymous_id is not None and getattr(call, "user_id", None) is not None


def merge_operation(anonymous_id: str, user: UserRef) -> Operation:
    """Return the operation that merges the lead of an anonymous id into a user."""
    lead = Reference("contact", "anonymous_id", anonymous_id, name=user.email)
    return MERGE_LEAD({"from": lead, "into": Reference("contact", "external_id", str(user.user_id))})


def save_lead(api: Api, reference: Reference, body: Mapping[str, Any]) -> str:
    """Create or update the lead of an anonymous id and return Intercom's id of it."""
    lead = api.cache.get_id(reference) or _look_up(api, body.get("email"))
    if lead is not None:
        reply = api.attributes.send(Operation("PUT", f"/contacts/{lead}", body), "contact")
        if reply.status not in (_NOT_FOUND, _GONE):
            return store_id(api, reference, reply)
        api.cache.delete_id(reference)
    return store_id(api, reference, api.attributes.send(Operation("POST", "/contacts", body), "contact"))


def perform_merge(api: Api, operation: Operation, _: UserPayload) -> None:
    """Merge a lead into the user that they became, with its conversations; where there is none, nothing is to be done.

    Of an anonymous id that was merged into this user before, only a lead that was made since is looked at.
    """
    lead_of, user_of = (operation.body or {})["from"], (operation.body or {})["into"]
    lead, merged = api.cache.get_id(lead_of), api.cache.is_merged(lead_of, user_of)
    if lead is None and (merged or (lead := _look_up(api, lead_of.name)) is None):
        if not merged:
            api.cache.set_merged(lead_of, user_of)
        return
    user = api.cache.get_id(user_of) or look_up_contact(api, user_of)
    if user is not None and user != lead:
        # They share an anonymous id, if no e-mail: one person says so.
        body = {"from": lead, "into": user, "skip_duplicate_validation": True}
        reply = api.client.send(Operation("POST", "/contacts/merge", body))
        if reply.status not in (_NOT_FOUND, _GONE):  # merged or deleted meanwhile
            check(reply)
    api.cache.delete_id(lead_of)
    api.cache.set_merged(lead_of, user_of)


def _look_up(api: Api, email: str | None) -> str | None:
    """Return Intercom's id of the lead with this e-mail, or None."""
    if email is None:
        return None
    fields = [("role", "lead"), ("email", email)]
    value = [{"field": field, "operator": "=", "value": value} for field, value in fields]
    reply = api.client.send(Operation("POST", "/contacts/search", {"query": {"operator": "AND", "value": value}}))
    return id_in(reply) if is_success(reply) else None


MERGE_LEAD = Endpoint("POST", "/contacts/merge", perform_merge)
