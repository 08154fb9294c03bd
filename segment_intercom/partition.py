"""The partition key of a call, its user: calls of one partition are delivered in their order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .api import LEGACY, UserRef
from .calls import Call, Delete, Group, Identify, Track
from .diagnostics import logger
from .errors import CallError
from .serialize import whole_text
from .settings import Settings

HAVE_EFFECT = (Identify, Group, Track, Delete)


def partition_key(call: Call, settings: Settings) -> str | None:
    """Return the partition key of a call; None where Intercom keeps nothing of it, as it names no user."""
    own = _own_key(call, leads=settings.leads and settings.api_version != LEGACY)
    return None if own is None else workspace_prefix(workspace_of(call, settings)) + own


def has_effect(call: Call) -> bool:
    """Return whether Intercom keeps anything of a call from a server: of its type, its integrations and its user."""
    return isinstance(call, HAVE_EFFECT) and call.for_intercom and _own_key(call, leads=False) is not None


def lead_key(anonymous_id: str) -> str:
    """The key of the calls of a lead, within their workspace."""
    return whole_text(f"anonymous {anonymous_id}")


def workspace_of(call: Call, settings: Settings) -> str | None:
    """The app id of the workspace to which a call goes, where it is another than the settings' own."""
    if not settings.workspaces or not (call.integrations or call.context):
        return None
    app_id = call.app_id
    return None if app_id == settings.app_id else app_id


def to_workspace(call: Call, loader: Callable[[], object] | None, *, strict: bool) -> Call:
    """Return a call that goes to the workspace which a ``workspace_loader`` names, unless it names one itself.

    None is the settings' own. Raises CallError for what is no app id, and what the loader raises; where ``strict`` is
    False such a call is kept for a workspace that does not exist, so that no other tenant hears of it.
    """
    if loader is None or call.app_id is not None or not call.for_intercom:
        return call
    try:
        app_id = _checked(loader())
    except Exception as error:
        if strict:
            raise
        logger.exception("workspace_loader: a call is kept, and delivered to no workspace")
        app_id = f"({type(error).__name__} in workspace_loader)"
    return call if app_id is None else replace(call, integrations=call.with_options({"appId": app_id}))


def workspace_prefix(app_id: str | None) -> str:
    """What the keys of a workspace begin with, so that users of two with one id are two."""
    return "" if app_id is None else f"workspace {app_id} "


def _checked(app_id: object) -> str | None:
    if app_id is None:
        return None
    if type(app_id) not in (str, int) or app_id == "":
        kind = "an empty text" if app_id == "" else type(app_id).__name__
        raise CallError("workspace_loader", f"must return an app id as text, or None for INTERCOM_APP_ID, not {kind}")
    return str(app_id)


def _own_key(call: Call, *, leads: bool) -> str | None:
    if not isinstance(call, HAVE_EFFECT):
        return None
    if call.user_id is not None:
        return whole_text(call.user_id)
    user = UserRef.of(call, leads=leads)
    if user.anonymous_id is not None:
        return lead_key(user.anonymous_id)
    if user.email is not None:
        return whole_text(user.email.lower())
    return whole_text(f"group {call.group_id}") if isinstance(call, Group) and call.group_id is not None else None
