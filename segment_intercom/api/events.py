"""Events: a track call as an operation, and how it is recorded.

Source: Intercom's published API description, "Submit a data event".
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..calls import Track
from ..diagnostics import Diagnostics
from ..settings import Settings
from ..traits.attributes import date_key
from ..traits.metadata import event_metadata
from ..transport import Operation, Reference
from .contacts import contact_id, save_contact
from .custom import without_empty
from .endpoint import Api, Endpoint, UserPayload
from .errors import RetryableError
from .leads import lead_reference
from .references import check
from .user_ref import UserRef, happened_at

_NOT_FOUND, _CONFLICT = 404, 409
_TRIES = 8  # some minutes: longer than Intercom takes to know what it has just been told


def track(call: Track, settings: Settings, diagnostics: Diagnostics) -> list[Operation]:
    """Record the event; of a user id and an e-mail Intercom wants one."""
    subject = UserRef.of(call, leads=settings.leads)
    if not subject.check_known(diagnostics):
        return []
    ids: dict[str, Any] = {"email": subject.email} if subject.user_id is None else {"user_id": subject.user_id}
    if subject.anonymous_id is not None:  # Intercom takes an event of a lead by its own id alone
        ids = {"id": lead_reference(subject.anonymous_id)}
    body: dict[str, Any] = {"event_name": call.event, "created_at": happened_at(call, diagnostics), **ids}
    if call.properties:
        properties = event_metadata(call.event, call.properties, settings, diagnostics, _event_date)
        if metadata := without_empty(properties, diagnostics):
            body["metadata"] = metadata
    return [RECORD_EVENT(body)]


def _event_date(name: str) -> str:
    """The key of a date in an event: it ends in ``_date``, which takes the place of ``_at``."""
    return name if name.endswith("_date") else date_key(name).removesuffix("_at") + "_date"


def perform_event(api: Api, operation: Operation, user_payload: UserPayload) -> None:
    """An event; its user is created when Intercom knows none."""
    if isinstance(lead := (operation.body or {}).get("id"), Reference):
        _record_of_lead(api, operation, lead, user_payload)
        return
    reply = api.attributes.send(operation, "event")
    if reply.status == _NOT_FOUND:
        save_contact(api, user_payload())
        reply = api.attributes.send(operation, "event")
        if reply.status == _NOT_FOUND:  # a new contact may take a moment to be found
            raise RetryableError(
                "Intercom does not find the event's user, though it has just been created", tries=_TRIES
            )
    if reply.status == _CONFLICT and (by_id := _by_contact_id(api, operation)) is not None:
        reply = api.attributes.send(by_id, "event")
    check(reply)


def _record_of_lead(api: Api, operation: Operation, lead: Reference, user_payload: UserPayload) -> None:
    body = {**(operation.body or {}), "id": contact_id(api, lead, user_payload)}
    reply = api.attributes.send(replace(operation, body=body), "event")
    if reply.status == _NOT_FOUND:
        api.cache.delete_id(lead)
        raise RetryableError("Intercom does not know the event's lead any more", tries=_TRIES)
    check(reply)


def _by_contact_id(api: Api, operation: Operation) -> Operation | None:
    """The event by Intercom's id of its contact, where several contacts share the e-mail that names it."""
    body = dict(operation.body or {})
    contact = api.cache.get_id(Reference("contact", "email", str(body.pop("email", ""))))
    return None if contact is None or "user_id" in body else replace(operation, body={**body, "id": contact})


RECORD_EVENT = Endpoint("POST", "/events", perform_event)
