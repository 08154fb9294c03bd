"""The deletion of a contact, with what was remembered of it; or its archiving.

Source: Intercom's published API description, "Delete a contact", "Archive contact".
"""

from __future__ import annotations

from collections.abc import Mapping

from ..calls import Delete
from ..diagnostics import Diagnostics, logger
from ..settings import Settings
from ..transport import Operation
from .client import is_success
from .contacts import contact_reference
from .endpoint import Api, Endpoint, UserPayload
from .errors import RetryableError
from .references import check, look_up_contact
from .user_ref import UserRef

_GONE = (404, 410)


def delete(call: Delete, _: Settings, diagnostics: Diagnostics) -> list[Operation]:
    """Return the request that deletes, or archives, the contact of a call."""
    user = UserRef.of(call)
    if not user.check_known(diagnostics):
        return []
    endpoint = ARCHIVE_CONTACT if call.archive else DELETE_CONTACT
    return [endpoint(ids={"contact_id": contact_reference(user)})]


def perform_deletion(api: Api, operation: Operation, _: UserPayload) -> None:
    """Delete or archive the contact; where Intercom knows none, there is nothing to delete."""
    reference = operation.ids["contact_id"]
    contact = api.cache.get_id(reference) or look_up_contact(api, reference)
    if contact is None and reference.key == "email" and api.client.is_on_the_way(reference.value):
        raise RetryableError("calls that hold the e-mail of the user to be deleted are on their way")
    if contact is None:
        logger.warning("the user to be deleted is not known to Intercom, or is archived; nothing is deleted")
        return
    if operation.method == "DELETE":
        for key in _keys(api, contact):
            api.client.forget_user(key)
    api.cache.delete_contact(reference, contact)
    path = operation.path.replace("{contact_id}", contact)
    reply = api.client.send(Operation(operation.method, path))
    if reply.status not in _GONE:
        check(reply)


def _keys(api: Api, contact: str) -> list[str]:
    """The keys under which calls of a contact may wait: its user id, and its e-mail."""
    reply = api.client.send(Operation("GET", f"/contacts/{contact}"))
    if not is_success(reply) or not isinstance(reply.body, Mapping):
        return []
    user_id, email = reply.body.get("external_id"), reply.body.get("email")
    return [key for key in (user_id, email.lower() if isinstance(email, str) else None) if isinstance(key, str) and key]


DELETE_CONTACT = Endpoint("DELETE", "/contacts/{contact_id}", perform_deletion)
ARCHIVE_CONTACT = Endpoint("POST", "/contacts/{contact_id}/archive", perform_deletion)
