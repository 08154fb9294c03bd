"""GET /me: whose token it is, and of which workspace."""

from __future__ import annotations

from .call import ApiCall, ApiReply

_SINCE = 1_700_000_000


def show(call: ApiCall) -> ApiReply:
    """The teammate of the token with the app; its ``id_code`` is the app id, its region in capitals."""
    workspace = call.workspace
    app = {
        "type": "app",
        "id_code": workspace.app_id,
        "name": workspace.name,
        "created_at": _SINCE,
        "secure": workspace.enforced,
        "identity_verification": workspace.enforced,
        "timezone": "Etc/UTC",
        "region": workspace.region.upper(),
    }
    return ApiReply(
        200,
        {
            "type": "admin",
            "id": "1",
            "email": "admin@sandbox.example",
            "name": "Sandbox",
            "email_verified": True,
            "app": app,
            "avatar": {"type": "avatar", "image_url": None},
            "has_inbox_seat": True,
        },
    )
