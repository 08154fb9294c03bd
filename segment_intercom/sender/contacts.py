"""The sending of operations in today's dialect: Intercom's own ids are found, and what it lacks is made.

Source: Intercom's published API description.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from ..rest import Introduction, Operation, Reference
from ..transport import Reply
from .attributes import Attributes
from .exchange import Exchange, is_success
from .notes import Notes
from .outcome import Failed, Refused, message_in

_NOT_FOUND, _CONFLICT, _GONE = 404, 409, 410
_ID = re.compile(r"\bid=([0-9A-Za-z_-]+)")
_TRIES = 8  # some minutes: longer than Intercom takes to know what it has just been told
_ARCHIVED = re.compile("archived", re.IGNORECASE)


class Contacts:
    """Sends operations of the contacts API."""

    def __init__(self, exchange: Exchange, notes: Notes, attributes: Attributes) -> None:
        self._exchange = exchange
        self._notes = notes
        self._attributes = attributes

    def send(self, operation: Operation, introduction: Introduction) -> None:
        """Do what an operation says; ``introduction`` creates the call's user where Intercom does not know him."""
        rule = self._RULES.get((operation.method, operation.path))
        if rule is None:
            _check(self._exchange.send(operation))
        else:
            rule(self, operation, introduction)

    def _event(self, operation: Operation, introduction: Introduction) -> None:
        """An event; its user is created when Intercom knows none."""
        reply = self._exchange.send(operation)
        if reply.status == _NOT_FOUND:
            self._save_contact(introduction())
            reply = self._exchange.send(operation)
            if reply.status == _NOT_FOUND:  # a new contact may take a moment to be found
                raise Failed("Intercom does not find the event's user, though it has just been created", tries=_TRIES)
        _check(reply)

    def _contact(self, operation: Operation, _: Introduction) -> None:
        self._save_contact(operation.body or {})

    def _save_contact(self, body: Mapping[str, Any]) -> str:
        """Create or update a contact, and return Intercom's id."""
        reference = _contact_of(body)
        known = self._notes.id_of(reference)
        if known is not None:
            reply = self._update(known, body)
            if is_success(reply):
                return self._told(known, body)
            if reply.status not in (_NOT_FOUND, _GONE):
                raise Refused.by(reply)
            self._notes.drop_id(reference)
        reply = self._attributes.send(Operation("POST", "/contacts", body), "contact")
        if reply.status == _CONFLICT:
            return self._update_existing(reference, body, reply)
        return self._told(self._noted(reference, reply), body)

    def _told(self, contact: str, body: Mapping[str, Any]) -> str:
        if "email" in body:
            self._notes.keep_email(contact, str(body["email"]))
        return contact

    def _update_existing(self, reference: Reference, body: Mapping[str, Any], conflict: Reply) -> str:
        """The contact is there already: its id is in the message, or is found by what names it."""
        match = _ID.search(message_in(conflict))
        found = match.group(1) if match else self._look_up(reference)
        if found is not None and _ARCHIVED.search(message_in(conflict)):
            _check(self._exchange.send(Operation("POST", f"/contacts/{found}/unarchive")))
        if found is None or self._is_another(found, body):
            raise Refused.by(conflict)
        if body.keys() != {"role", reference.key}:  # there is something to tell of it
            reply = self._update(found, body)
            if reply.status == _NOT_FOUND:  # archived, which not every message says
                _check(self._exchange.send(Operation("POST", f"/contacts/{found}/unarchive")))
                reply = self._update(found, body)
            _check(reply)
        self._notes.keep_id(reference, found)
        return self._told(found, body)

    def _update(self, contact: str, body: Mapping[str, Any]) -> Reply:
        return self._attributes.send(Operation("PUT", f"/contacts/{contact}", body), "contact")

    def _is_another(self, contact: str, body: Mapping[str, Any]) -> bool:
        """Tell whether only the e-mail is the same: a contact with another user id must not be taken over."""
        if "external_id" not in body or "email" not in body:
            return False
        reply = self._exchange.send(Operation("GET", f"/contacts/{contact}"))
        found = reply.body.get("external_id") if is_success(reply) and isinstance(reply.body, Mapping) else None
        return found is not None and found != body["external_id"]

    def _look_up(self, reference: Reference) -> str | None:
        if reference.key == "external_id":
            path = f"/contacts/find_by_external_id/{quote(reference.value, safe='', errors='surrogatepass')}"
            reply = self._exchange.send(Operation("GET", path))
            return _id_in(reply) if is_success(reply) else None
        query = {"query": {"field": reference.key, "operator": "=", "value": reference.value}}
        reply = self._exchange.send(Operation("POST", "/contacts/search", query))
        return _id_in(reply) if is_success(reply) else None

    def _company(self, operation: Operation, _: Introduction) -> None:
        """A company; Intercom is not told again what it was told within the hour."""
        body = operation.body or {}
        reference = Reference("company", "company_id", str(body["company_id"]))
        if self._notes.was_sent(body) and self._notes.id_of(reference) is not None:
            return
        self._notes.drop_sent(body)  # until the answer is there, nobody knows what Intercom has
        self._noted(reference, self._attributes.send(operation, "company"))
        self._notes.keep_sent(body)

    def _attach(self, operation: Operation, introduction: Introduction) -> None:
        """A membership; the company was saved just before, the contact is created when it is not there."""
        company = self._company_id((operation.body or {})["id"])
        contact = self._contact_id(operation.ids["contact_id"], introduction)
        if company is None:
            raise Failed("Intercom does not find the company, though it has just been saved", tries=_TRIES)
        if self._notes.is_member(contact, company):
            return
        reply = self._exchange.send(Operation("POST", f"/contacts/{contact}/companies", {"id": company}))
        if reply.status == _NOT_FOUND:  # one of the two is gone: next time both are looked up and made anew
            self._notes.drop_id(operation.ids["contact_id"])
            self._notes.drop_id((operation.body or {})["id"])
            raise Failed("Intercom does not know the contact or the company any more", tries=_TRIES)
        _check(reply)
        self._notes.keep_member(contact, company)

    def _detach(self, operation: Operation, introduction: Introduction) -> None:
        """The end of a membership; where there is no such company or member, there is nothing to end."""
        company = self._company_id(operation.ids["company_id"])
        if company is None:
            return
        contact = self._contact_id(operation.ids["contact_id"], introduction)
        self._notes.drop_member(contact, company)
        reply = self._exchange.send(Operation("DELETE", f"/contacts/{contact}/companies/{company}"))
        if reply.status != _NOT_FOUND:
            _check(reply)

    def _contact_id(self, reference: Reference, introduction: Introduction) -> str:
        return self._notes.id_of(reference) or self._save_contact(introduction())

    def _company_id(self, reference: Reference) -> str | None:
        if (known := self._notes.id_of(reference)) is not None:
            return known
        path = f"/companies?company_id={quote(reference.value, safe='', errors='surrogatepass')}"
        reply = self._exchange.send(Operation("GET", path))
        if reply.status == _NOT_FOUND:
            return None
        return self._noted(reference, reply)

    def _noted(self, reference: Reference, reply: Reply) -> str:
        """Intercom's id in an answer, which is remembered."""
        _check(reply)
        found = _id_in(reply)
        if found is None:
            raise Refused.by(reply)
        self._notes.keep_id(reference, found)
        return found

    _RULES: ClassVar[Mapping[tuple[str, str], Callable[..., Any]]] = {
        ("POST", "/events"): _event,
        ("POST", "/contacts"): _contact,
        ("POST", "/companies"): _company,
        ("POST", "/contacts/{contact_id}/companies"): _attach,
        ("DELETE", "/contacts/{contact_id}/companies/{company_id}"): _detach,
    }


def _contact_of(body: Mapping[str, Any]) -> Reference:
    key = "external_id" if "external_id" in body else "email"
    return Reference("contact", key, str(body[key]))


def _id_in(reply: Reply) -> str | None:
    """Intercom's id of what an answer shows; of a list, that of its first entry."""
    if not isinstance(reply.body, Mapping):
        return None
    listed = reply.body.get("data", [reply.body])
    shown = listed[0] if isinstance(listed, list) and listed else None
    found = shown.get("id") if isinstance(shown, Mapping) else None
    return None if found is None else str(found)


def _check(reply: Reply) -> None:
    if not is_success(reply):
        raise Refused.by(reply)
