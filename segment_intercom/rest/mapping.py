"""Which dialect, and which of its rules for a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..calls import Call, Group, Identify, Track
from ..settings import Settings
from ..traits import Report
from . import classic, contacts
from .operation import Operation
from .subject import Subject

Rule = Callable[[Any, Settings, Report], list[Operation]]

CLASSIC = "1.4"
# A page, a screen or an alias has no effect from a server (Segment's documentation page, "Page").
_CONTACTS: dict[type[Call], Rule] = {
    Identify: contacts.identify,
    Group: contacts.group,
    Track: contacts.track,
}
_CLASSIC: dict[type[Call], Rule] = {
    Identify: classic.identify,
    Group: classic.group,
    Track: classic.track,
}


Introduction = Callable[[], Mapping[str, Any]]


def rest_operations(call: Call, settings: Settings) -> list[Operation]:
    """Return the requests that tell Intercom of a call, in the order to send, in the dialect of ``api_version``.

    None for a page, a screen, an alias, a call that switches Intercom off, and for somebody without user id and
    e-mail. Traits that cannot be sent raise TraitError, or are left out and logged where ``settings.strict`` is False.
    """
    rule = (_CLASSIC if settings.api_version == CLASSIC else _CONTACTS).get(type(call))
    if rule is None or ((call.integrations or call.context) and not call.for_intercom):
        return []
    return rule(call, settings, Report.of(settings.strict is not False))


def introduction(call: Any, settings: Settings) -> Mapping[str, Any]:
    """The body that creates the user of a call from what the call knows: its ids, and the traits of its context."""
    if isinstance(call, Identify):
        return rest_operations(call, settings)[0].body or {}
    subject = Subject.of(call)
    traits = call.context.get("traits")
    known = {"email": subject.email}  # first, so that no other of this meaning counts
    known |= {name: value for name, value in traits.items() if name != "email"} if isinstance(traits, Mapping) else {}
    context = {name: value for name, value in call.context.items() if name not in ("traits", "integrations")}
    somebody = Identify(subject.user_id, known, context=context, timestamp=call.timestamp)
    return rest_operations(somebody, settings)[0].body or {}
