"""Contacts in today's API: created, updated, found, archived, merged, deleted."""

from __future__ import annotations

from typing import Any

from ..attributes import Check, boolean, one_of, seconds, text
from ..people import Person
from ..refusal import RefusedError, malformed, missing, not_found
from .call import ApiCall, ApiReply
from .contact_json import contact_json, reference
from .custom import custom_attributes
from .fields import check, email, known, picture, table

FIELDS: dict[str, Check] = {
    "role": one_of("user", "lead"),
    "external_id": known,
    "email": email,
    "email_verified": boolean,
    "phone": text,
    "name": text,
    "avatar": picture,
    "signed_up_at": seconds,
    "last_seen_at": seconds,
    "owner_id": text,
    "unsubscribed_from_emails": boolean,
    "custom_attributes": table,
}
_NULLABLE = frozenset(FIELDS) - {"role", "external_id", "email"}
# The names under which pages and the API say the same, and what is kept under the API's own name.
_KEPT_AS = {"external_id": "user_id", "signed_up_at": "created_at"}
_KEPT = ("email", "phone", "name", "last_seen_at", "owner_id", "unsubscribed_from_emails")


def create(call: ApiCall) -> ApiReply:
    """POST /contacts: one of email, external_id and role is needed, and no contact may have it already."""
    body = _checked(call)
    if not any(name in body for name in ("email", "external_id", "role")):
        raise missing("one of email, external_id and role is required")
    role = body.get("role", "user")
    _check_free(call, body, role, None)
    custom = custom_attributes(call, "contact", body.get("custom_attributes"))
    person = Person(call.account.app_id, role=role, first_seen=call.at, last_seen=call.at, source=call.source)
    return _written(call, person, body, custom)


def update(call: ApiCall, contact_id: str) -> ApiReply:
    """PUT /contacts/{id}: the fields of a creation, none of which is required."""
    body = _checked(call)
    person = living(call, contact_id)
    role = body.get("role", person.role)
    _check_free(call, body, role, person)
    custom = custom_attributes(call, "contact", body.get("custom_attributes"))
    person.role = role
    return _written(call, person, body, custom)


def show(call: ApiCall, contact_id: str) -> ApiReply:
    """GET /contacts/{id}: 410 with a link to the one who lives on where the contact was merged away."""
    person = _gone_or(call, call.account.people.get(contact_id), call.account.merged.get(contact_id))
    return ApiReply(200, contact_json(call.account, person))


def find(call: ApiCall, external_id: str) -> ApiReply:
    """GET /contacts/find_by_external_id/{external_id}: reads directly, users only, since 2.13."""
    if call.version < (2, 13):
        raise not_found("The requested resource does not exist", remedy="send Intercom-Version 2.13 or later")
    person = call.account.people.with_user_id(external_id)
    user = person if person and person.role == "user" else None
    merged = call.account.merged_user_ids.get(external_id)
    return ApiReply(200, contact_json(call.account, _gone_or(call, user, merged)))


def delete(call: ApiCall, contact_id: str) -> ApiReply:
    """DELETE /contacts/{id}."""
    person = living(call, contact_id, archived=True)
    for conversation in call.account.conversations_of(person):
        del call.account.conversations[conversation.id]
    call.account.forget(person)
    return ApiReply(200, reference(person, deleted=True))


def archive(call: ApiCall, contact_id: str) -> ApiReply:
    """POST /contacts/{id}/archive: until it is unarchived no request finds the contact."""
    return _archived(call, contact_id, archived=True)


def unarchive(call: ApiCall, contact_id: str) -> ApiReply:
    """POST /contacts/{id}/unarchive."""
    return _archived(call, contact_id, archived=False)


def merge(call: ApiCall) -> ApiReply:
    """POST /contacts/merge: a lead into a user of the same e-mail or phone, or of any with the validation skipped."""
    body = call.body()
    check(body, {"from": text, "into": text, "skip_duplicate_validation": boolean}, ())
    gone, into = (living(call, str(body.get(name))) for name in ("from", "into"))
    if gone.role != "lead" or into.role != "user":
        raise malformed("Only a lead can be merged, and only into a user", "from" if gone.role != "lead" else "into")
    same = any(gone.standard.get(name) == into.standard.get(name) is not None for name in ("email", "phone"))
    if not (same or body.get("skip_duplicate_validation")):
        message = "Contacts can only be merged when they are duplicates (matching email or phone). "
        raise RefusedError("invalid_merge", message + "Pass skip_duplicate_validation=true to override.", None, 400)
    call.account.merge(gone, into)
    return ApiReply(200, contact_json(call.account, into))


def living(call: ApiCall, contact_id: str, *, archived: bool = False) -> Person:
    """The contact with Intercom's id; 404 where there is none, or where it is archived unless those count."""
    person = call.account.people.get(contact_id)
    if person is None or person.role == "visitor":
        raise not_found()
    call.person = person
    if person.archived and not archived:
        raise not_found(remedy="the contact is archived: unarchive it first")
    return person


def _checked(call: ApiCall) -> dict[str, Any]:
    body = call.body()
    check(body, FIELDS, _NULLABLE)
    if "email_verified" in body and "email" not in body:
        raise malformed("email_verified needs an email in the same request", "email_verified")
    return body


def _check_free(call: ApiCall, body: dict[str, Any], role: str, own: Person | None) -> None:
    people = call.account.people
    same_id = people.with_user_id(body.get("external_id") or "")
    address = body.get("email") or ""
    unchanged = own is not None and own.email == address.lower()  # pages may have given two users the same e-mail
    addressed = people.with_email(address) if role == "user" and not unchanged else []
    for holder in [
        *([same_id] if same_id else []),
        *(candidate for candidate in addressed if candidate.role == "user"),
    ]:
        if holder is not own:
            call.person = holder
            kind = "An archived contact" if holder.archived else "A contact"
            message = f"{kind} matching those details already exists with id={holder.id}"
            raise RefusedError("conflict", message, None, 409, f"update it with PUT /contacts/{holder.id}")


def _written(call: ApiCall, person: Person, body: dict[str, Any], custom: dict[str, Any]) -> ApiReply:
    values = {name: body[name] for name in _KEPT if name in body}
    values |= {field: body[name] for name, field in _KEPT_AS.items() if name in body}
    if "avatar" in body:
        values["avatar"] = {"type": "avatar", "image_url": body["avatar"]} if body["avatar"] else None
    call.account.write(person, values, custom)
    call.person = person
    return ApiReply(200, contact_json(call.account, person))


def _archived(call: ApiCall, contact_id: str, *, archived: bool) -> ApiReply:
    person = living(call, contact_id, archived=True)
    person.archived = archived
    call.account.write(person, {}, {})
    return ApiReply(200, reference(person, archived=archived))


def _gone_or(call: ApiCall, person: Person | None, merged: str | None) -> Person:
    if person is None and merged is not None:
        message = "This contact has been merged. See the 'Link' header for the canonical contact."
        refused = RefusedError("contact_merged", message, None, 410)
        refused.headers["Link"] = f'</contacts/{call.account.canonical(merged)}>; rel="canonical"'
        raise refused
    return living(call, person.id if person else "")
