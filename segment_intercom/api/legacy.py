"""Version 1.4 of the API: one ``POST /users`` for an identify call, companies inside.

Source: Segment's documentation page for Intercom, and the behaviour of its own integration.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..calls import Group, Identify, Track
from ..diagnostics import Diagnostics
from ..settings import Settings
from ..traits import companies_of, company_of, custom_attributes
from ..traits.companies import company_number
from ..traits.fields import LEGACY_USER
from ..traits.metadata import event_metadata
from ..transport import Operation
from .client import is_success
from .endpoint import Api, Endpoint, UserPayload
from .errors import PermanentError
from .tags import legacy_tag_operation, take_tags
from .user_ref import UserRef, add_standard, address, happened_at, read_identify, unsubscribed, without_links

_NOT_FOUND = 404
_COMPANY_NUMBERS = ("monthly_spend", "size")
_COMPANY_TEXTS = ("plan", "website", "industry")


def identify(call: Identify, settings: Settings, diagnostics: Diagnostics) -> list[Operation]:
    """Create or update the user, with all that the call says."""
    fields = read_identify(call, settings, diagnostics)
    if not fields.user.check_known(diagnostics):
        return []
    standard = fields.standard
    body = _ids(fields.user)
    if standard:
        add_standard(body, standard, LEGACY_USER, diagnostics)
    if fields.seen_at is not None:
        body["last_request_at"] = fields.seen_at
    if call.context:
        body |= address(call)
    if (flag := unsubscribed(call)) is not None:
        body["unsubscribed_from_emails"] = flag
    flat = without_links(settings)
    if "company" in standard or "companies" in standard:
        companies = [_company(company, diagnostics) for company in companies_of(standard, flat, diagnostics)]
        body.update({"companies": companies} if companies else {})
    # "All other traits" are custom attributes here, an avatar and an owner among them: the classic API takes none.
    others = {name: standard[name] for name in ("avatar", "owner_id") if standard.get(name) is not None}
    custom = {**fields.custom, **others}
    tagged = take_tags(custom, diagnostics) if settings.tags else []
    body["custom_attributes"] = custom_attributes(custom, flat, diagnostics)
    return [SAVE_USER(body), *(legacy_tag_operation(tag, fields.user) for tag in tagged)]


def group(call: Group, settings: Settings, diagnostics: Diagnostics) -> list[Operation]:
    """Create or update the company, then the user's membership."""
    group_id = {} if call.group_id is None else {"id": call.group_id}
    company = company_of({**group_id, **call.traits, **group_id}, without_links(settings), diagnostics)
    if company is None:
        return []
    body = _company(company, diagnostics)
    leaves = body.pop("remove", None)
    first = [] if leaves else [SAVE_COMPANY(body)]
    subject = UserRef.of(call)
    if not subject.check_known(diagnostics):
        return first
    member = {**body, "remove": True} if leaves else body
    return [*first, SAVE_USER({**_ids(subject), "companies": [member]})]


def track(call: Track, settings: Settings, diagnostics: Diagnostics) -> list[Operation]:
    """Record the event."""
    subject = UserRef.of(call)
    if not subject.check_known(diagnostics):
        return []
    body: dict[str, Any] = {"event_name": call.event, "created_at": happened_at(call, diagnostics), **_ids(subject)}
    body["metadata"] = event_metadata(call.event, call.properties, settings, diagnostics, label=None)
    return [RECORD_EVENT(body)]


def _ids(subject: UserRef) -> dict[str, Any]:
    ids = {"user_id": subject.user_id, "email": subject.email}
    return {name: value for name, value in ids.items() if value is not None}


def _company(company: Mapping[str, Any], diagnostics: Diagnostics) -> dict[str, Any]:
    """A company in this dialect, its date ``remote_created_at``."""
    body = dict(company)
    body.update((name, str(company[name])) for name in _COMPANY_TEXTS if name in company)
    for name in _COMPANY_NUMBERS:
        number = company_number(body.pop(name), name, diagnostics) if name in body else None
        if number is not None:
            body[name] = number
    if "created_at" in company:
        body["remote_created_at"] = body.pop("created_at")
    return body


def perform_user(api: Api, operation: Operation, _: UserPayload) -> None:
    """Create or update a user."""
    _perform(api, operation, "user")


def perform_company(api: Api, operation: Operation, _: UserPayload) -> None:
    """Create or update a company."""
    _perform(api, operation, "company")


def perform_event(api: Api, operation: Operation, user_payload: UserPayload) -> None:
    """Record an event; an unknown user is created first."""
    reply = api.attributes.send(operation, "event")
    if reply.status == _NOT_FOUND:
        perform_user(api, SAVE_USER(user_payload()), user_payload)
        reply = api.attributes.send(operation, "event")
    if not is_success(reply):
        raise PermanentError.by(reply)


def _perform(api: Api, operation: Operation, model: str) -> None:
    reply = api.attributes.send(operation, model)
    if not is_success(reply):
        raise PermanentError.by(reply)


SAVE_USER = Endpoint("POST", "/users", perform_user)
SAVE_COMPANY = Endpoint("POST", "/companies", perform_company)
RECORD_EVENT = Endpoint("POST", "/events", perform_event)
