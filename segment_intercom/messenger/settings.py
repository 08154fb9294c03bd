"""The settings of a page: what the calls say of a person, the proof, the launcher, in one object.

Source: Segment's documentation page for Intercom, "Secure Mode" and "Conditionally show the Intercom chat widget".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from ..calls import Call
from ..diagnostics import Diagnostics
from ..identity import prove, user_hash
from ..intercom_keys import warn_of_selector
from ..settings import DEFAULT_LAUNCHER, Settings
from .plain import plain_profile
from .profile import user_settings
from .user_state import UserState


def messenger_settings(calls: Call | Iterable[Call], settings: Settings) -> dict[str, Any]:
    """Return the ``intercomSettings`` object of one call or several, in their order, the proof of identity included.

    A user without user id and e-mail is a visitor, of which no traits are sent. Traits that cannot be sent raise
    TraitError, or are left out and logged where ``settings.strict`` is False.
    """
    return build_settings(UserState.from_calls(calls), settings)


def build_settings(user: UserState, settings: Settings) -> dict[str, Any]:
    """Return the ``intercomSettings`` object of what is known of a person."""
    connection, look = site_settings(settings)
    plain = plain_profile(user, settings) if settings.identity == "hash" and "auth_tokens" not in look else None
    if plain is not None:
        standard, custom = plain
        if settings.secrets:
            standard["user_hash"] = user_hash(settings.secrets[0], standard["user_id"])
        intercom_settings = {**connection, **standard, **look}
        if custom:
            intercom_settings["custom_attributes"] = custom
        return intercom_settings
    profile = prove(user_settings(user, settings, Diagnostics(settings.strict is not False, "page")), settings)
    intercom_settings = {**connection, **profile, **look}
    if "auth_tokens" in look:
        intercom_settings["auth_tokens"] = dict(look["auth_tokens"])  # a copy, to which the caller may add a user's
    if user.options:
        intercom_settings.update(_launcher(user.options, settings))
    if custom := intercom_settings.pop("custom_attributes", None):
        intercom_settings["custom_attributes"] = custom
    return intercom_settings


@lru_cache(maxsize=64)
def site_settings(settings: Settings) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What depends on the settings alone: where the Messenger belongs, and how it looks."""
    where = {"app_id": settings.app_id, "api_base": settings.api_base}
    connection = {name: value for name, value in where.items() if value is not None}
    return connection, {**_launcher({}, settings), **settings.messenger}


def _launcher(options: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """What opens the Messenger; the flag has three states and is left out where none was chosen."""
    chosen = options.get("hidedefaultlauncher")
    hide = chosen if isinstance(chosen, bool) else settings.hide_default_launcher
    launcher: dict[str, Any] = {} if hide is None else {"hide_default_launcher": hide}
    if settings.launcher_selector != DEFAULT_LAUNCHER:
        warn_of_selector(settings.launcher_selector)
        launcher["custom_launcher_selector"] = settings.launcher_selector
    return launcher
