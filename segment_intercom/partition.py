"""The partition key of a call, its user: calls of one partition are delivered in their order."""

from __future__ import annotations

from dataclasses import replace

from .api import LEGACY, UserRef
from .calls import Call, Delete, Group, Identify, Track
from .serialize import whole_text
from .settings import Settings

HAVE_EFFECT = (Identify, Group, Track, Delete)


def partition_key(call: Call, settings: Settings) -> str | None:
    """Return the partition key of a call; None where Intercom keeps nothing of it, as it says of nobody."""
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


def to_workspace(call: Call, app_id: str) -> Call:
    """Return a call that goes to one of several workspaces, unless it names one itself or is not for Intercom."""
    if call.app_id is not None or not call.for_intercom:
        return call
    return replace(call, integrations={**call.integrations, "Intercom": {**call.options, "appId": app_id}})


def workspace_prefix(app_id: str | None) -> str:
    """What the keys of a workspace begin with, so that users of two with one id are two."""
    return "" if app_id is None else f"workspace {app_id} "


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
