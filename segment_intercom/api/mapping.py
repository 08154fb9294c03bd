"""The registry of the API: which operations a call becomes, and which function performs an operation.

The registry is total: every operation is built by an endpoint, and every endpoint performs its own operations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..calls import Call, Delete, Group, Identify, Track
from ..diagnostics import Diagnostics
from ..settings import Settings
from ..traits import companies_of
from ..traits.event_names import is_wanted
from ..transport import Operation
from . import companies, contacts, deletion, events, leads, legacy, tags
from .endpoint import Api, Endpoint, UserPayload
from .user_ref import UserRef, read_identify, without_links

Builder = Callable[[Any, Settings, Diagnostics], list[Operation]]

LEGACY = "1.4"


def _identify(call: Identify, settings: Settings, diagnostics: Diagnostics) -> list[Operation]:
    """Save the contact, then save each company and attach the contact to it, or detach it."""
    fields = read_identify(call, settings, diagnostics)
    if not fields.user.check_known(diagnostics):
        return []
    tagged = tags.take_tags(fields.custom, diagnostics) if settings.tags else []
    operations = [contacts.contact_operation(call, fields, settings, diagnostics)]
    if leads.merges_lead(call, settings):
        operations.append(leads.merge_operation(str(call.anonymous_id), fields.user))
    contact = contacts.contact_reference(fields.user)
    operations += [tags.tag_operation(tag, contact) for tag in tagged]
    if "company" in fields.standard or "companies" in fields.standard:
        for company in companies_of(fields.standard, without_links(settings), diagnostics):
            operations += companies.membership(company, contact, diagnostics)
    return operations


# A page, a screen or an alias has no effect from a server (Segment's documentation page, "Page").
_BUILDERS: dict[type[Call], Builder] = {
    Identify: _identify,
    Group: companies.group,
    Track: events.track,
    Delete: deletion.delete,
}
_LEGACY_BUILDERS: dict[type[Call], Builder] = {
    Identify: legacy.identify,
    Group: legacy.group,
    Track: legacy.track,
}


def _by_request(*endpoints: Endpoint) -> Mapping[tuple[str, str], Endpoint]:
    return {(endpoint.method, endpoint.path): endpoint for endpoint in endpoints}


ENDPOINTS = _by_request(
    contacts.SAVE_CONTACT,
    companies.SAVE_COMPANY,
    companies.ATTACH,
    companies.DETACH,
    events.RECORD_EVENT,
    deletion.DELETE_CONTACT,
    deletion.ARCHIVE_CONTACT,
    leads.MERGE_LEAD,
    tags.TAG_CONTACT,
)
LEGACY_ENDPOINTS = _by_request(legacy.SAVE_USER, legacy.SAVE_COMPANY, legacy.RECORD_EVENT, tags.LEGACY_TAG)


def rest_operations(call: Call, settings: Settings) -> list[Operation]:
    """Return the requests that tell Intercom of a call, in the order to send, in the dialect of ``api_version``.

    None for a page, a screen, an alias, a call that switches Intercom off, and for a user without user id and
    e-mail. Traits that cannot be sent raise TraitError, or are left out and logged where ``settings.strict`` is False.
    """
    builder = (_LEGACY_BUILDERS if settings.api_version == LEGACY else _BUILDERS).get(type(call))
    if builder is None or ((call.integrations or call.context) and not call.for_intercom):
        return []
    if isinstance(call, Track) and not is_wanted(call.event, settings):
        return []
    return builder(call, settings, Diagnostics(settings.strict is not False, type(call).__name__.lower()))


def perform(api: Api, operation: Operation, user_payload: UserPayload, settings: Settings) -> None:
    """Send what an operation says; ``user_payload`` gives the body that creates the call's user if Intercom lacks it.

    Raises PermanentError, RetryableError, RateLimited, Unauthorized or LeaseLost.
    """
    endpoints = LEGACY_ENDPOINTS if settings.api_version == LEGACY else ENDPOINTS
    endpoints[operation.method, operation.path].perform(api, operation, user_payload)


def user_payload(call: Any, settings: Settings) -> Mapping[str, Any]:
    """The body that creates the user of a call from what the call knows: its ids, and the traits of its context."""
    if isinstance(call, Identify):
        return rest_operations(call, settings)[0].body or {}
    subject = UserRef.of(call, leads=settings.leads)
    traits = call.context.get("traits")
    standard = {"email": subject.email}  # first, so that no other of this meaning counts
    standard |= (
        {name: value for name, value in traits.items() if name != "email"} if isinstance(traits, Mapping) else {}
    )
    context = {name: value for name, value in call.context.items() if name not in ("traits", "integrations")}
    identify = Identify(
        subject.user_id, standard, context=context, timestamp=call.timestamp, anonymous_id=subject.anonymous_id
    )
    return rest_operations(identify, settings)[0].body or {}
