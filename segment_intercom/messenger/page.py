"""The settings of a page: what the calls say of a person, the proof, the launcher, in one object.

Source: Segment's documentation page for Intercom, "Secure Mode" and "Conditionally show the Intercom chat widget".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from ..calls import Call
from ..identity import prove
from ..settings import DEFAULT_LAUNCHER, Settings
from ..traits import Report
from .person import Person
from .profile import describe


def messenger_settings(calls: Call | Iterable[Call], settings: Settings) -> dict[str, Any]:
    """Return the ``intercomSettings`` object of one call or several, in their order, the proof of identity included.

    Somebody without user id and e-mail is a visitor, of whom no traits are sent. Traits that cannot be sent raise
    TraitError, or are left out and logged where ``settings.strict`` is False.
    """
    return settings_of(Person.of(calls), settings)


def settings_of(person: Person, settings: Settings) -> dict[str, Any]:
    """Return the ``intercomSettings`` object of what is known of a person."""
    profile = prove(describe(person, settings, Report.of(settings.strict is not False)), settings)
    connection, look = _of_the_site(settings)
    found = {**connection, **profile, **look}
    if "auth_tokens" in look:
        found["auth_tokens"] = dict(look["auth_tokens"])  # the caller's own, for he may add somebody's
    if person.options:
        found.update(_launcher(person.options, settings))
    if custom := found.pop("custom_attributes", None):
        found["custom_attributes"] = custom
    return found


@lru_cache(maxsize=64)
def _of_the_site(settings: Settings) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What depends on the settings alone: where the Messenger belongs, and how it looks."""
    where = {"app_id": settings.app_id, "api_base": settings.api_base}
    connection = {name: value for name, value in where.items() if value is not None}
    return connection, {**_launcher({}, settings), **settings.messenger}


def _launcher(options: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """What opens the Messenger; the flag has three states and is left out where nobody chose one."""
    chosen = options.get("hidedefaultlauncher")
    hide = chosen if isinstance(chosen, bool) else settings.hide_default_launcher
    found: dict[str, Any] = {} if hide is None else {"hide_default_launcher": hide}
    if settings.launcher_selector != DEFAULT_LAUNCHER:
        found["custom_launcher_selector"] = settings.launcher_selector
    return found
