"""What the browser runtime, static/segment_intercom/analytics.js, tells the Messenger for a row of calls."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..calls import Alias, Call, Identify, Screen, Track
from ..diagnostics import Diagnostics
from ..intercom_keys import RESERVED
from ..settings import Settings
from ..traits.event_names import is_wanted
from ..traits.metadata import event_metadata
from .settings import build_settings
from .user_state import UserState

Command = list[Any]
_IDS = frozenset(("user_id", "email"))


def messenger_commands(calls: Iterable[Call], settings: Settings) -> list[Command]:
    """Return the commands of the calls in their order: ``["boot", settings]``, ``["trackEvent", name, metadata]``, ...

    The first effective call boots, later ones update; another person shuts the Messenger down and boots anew. Identify
    and group need a known user.
    """
    user, commands = UserState(), list[Command]()
    for call in calls:
        if call.for_intercom and not isinstance(call, Screen | Alias) and not _is_denied(call, settings):
            commands += _commands(call, user, settings, booted=bool(commands))
    return commands


def _commands(call: Call, user: UserState, settings: Settings, *, booted: bool) -> list[Command]:
    is_other = user.apply(call)
    intercom_settings = in_line(build_settings(user, settings))
    if booted and is_other:
        return [["shutdown"], ["boot", intercom_settings], *_event(call, settings)]
    if isinstance(call, Track):
        return [*([] if booted else [["boot", intercom_settings]]), *_event(call, settings)]
    is_wanted_visitor = isinstance(call, Identify) and bool(settings.visitor_traits)
    if _IDS.isdisjoint(intercom_settings) and hasattr(call, "traits") and not is_wanted_visitor:
        return []
    return [["update" if booted else "boot", intercom_settings]]


def _is_denied(call: Call, settings: Settings) -> bool:
    return isinstance(call, Track) and not is_wanted(call.event, settings)


def _event(call: Call, settings: Settings) -> list[Command]:
    if not isinstance(call, Track):
        return []
    diagnostics = Diagnostics(settings.strict is not False, "page")
    return [["trackEvent", call.event, event_metadata(call.event, call.properties, settings, diagnostics)]]


def in_line(intercom_settings: dict[str, Any]) -> dict[str, Any]:
    """The settings as the loader lays them: custom attributes beside the standard keys, never over one."""
    attributes = intercom_settings.get("custom_attributes", {})
    custom = {name: value for name, value in attributes.items() if name not in RESERVED}
    return {**{name: value for name, value in intercom_settings.items() if name != "custom_attributes"}, **custom}
