"""What the browser runtime, static/segment_intercom/analytics.js, tells the Messenger for a row of calls."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..calls import Alias, Call, Screen, Track
from ..intercom_keys import RESERVED
from ..settings import Settings
from ..traits import Report
from ..traits.metadata import event_metadata
from .page import settings_of
from .person import Person

Command = list[Any]


def messenger_commands(calls: Iterable[Call], settings: Settings) -> list[Command]:
    """Return the commands of the calls in their order: ``["boot", settings]``, ``["trackEvent", name, metadata]``, ...

    The first effective call boots, later ones update; another person shuts the Messenger down and boots anew. Identify
    and group need somebody who is known.
    """
    person, commands = Person(), list[Command]()
    for call in calls:
        if call.for_intercom and not isinstance(call, Screen | Alias):
            commands += _commands(call, person, settings, booted=bool(commands))
    return commands


def _commands(call: Call, person: Person, settings: Settings, *, booted: bool) -> list[Command]:
    before = person.user_id
    person.hear(call)
    found = in_line(settings_of(person, settings))
    if booted and before is not None and person.user_id != before:
        return [["shutdown"], ["boot", found], *_event(call, settings)]
    if isinstance(call, Track):
        return [*([] if booted else [["boot", found]]), *_event(call, settings)]
    if "user_id" not in found and "email" not in found and hasattr(call, "traits"):
        return []
    return [["update" if booted else "boot", found]]


def _event(call: Call, settings: Settings) -> list[Command]:
    if not isinstance(call, Track):
        return []
    report = Report.of(settings.strict is not False)
    return [["trackEvent", call.event, event_metadata(call.event, call.properties, settings, report)]]


def in_line(found: dict[str, Any]) -> dict[str, Any]:
    """The settings as the loader lays them: custom attributes beside the standard keys, never over one."""
    attributes = found.get("custom_attributes", {})
    kept = {name: value for name, value in attributes.items() if name not in RESERVED}
    return {**{name: value for name, value in found.items() if name != "custom_attributes"}, **kept}
