"""Whose workspace a request is for: a bearer token, or the legacy pair of app id and key."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterable, Mapping

from ..refusal import RefusedError
from ..workspace import Workspace


def workspace_of(workspaces: Mapping[str, Workspace], authorization: str) -> Workspace:
    """The workspace that the Authorization header opens; 401 where it opens none."""
    scheme, _, credentials = authorization.partition(" ")
    workspace = None
    if scheme.lower() == "bearer" and credentials.strip():
        workspace = _by_token(workspaces.values(), credentials.strip())
    elif scheme.lower() == "basic":
        workspace = _by_key(workspaces, credentials.strip())
    if workspace is None:
        remedy = "send Authorization: Bearer with the workspace's access token, or app id and API key"
        raise RefusedError("unauthorized", "Access Token Invalid", None, 401, remedy)
    return workspace


def _by_token(workspaces: Iterable[Workspace], token: str) -> Workspace | None:
    # All are compared, so that the time tells nothing.
    matching = [
        workspace for workspace in workspaces if workspace.access_token and _same(workspace.access_token, token)
    ]
    return next(iter(matching), next((workspace for workspace in workspaces if workspace.access_token is None), None))


def _by_key(workspaces: Mapping[str, Workspace], credentials: str) -> Workspace | None:
    try:
        app_id, _, key = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    workspace = workspaces.get(app_id)
    if workspace is None or not key:
        return None
    right = _same(workspace.api_key, key) if workspace.api_key else workspace.access_token is None
    return workspace if right else None


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode("utf-8", "surrogatepass"))
