"""Tags of a contact, from the trait ``tags`` where the setting of this name is on.

Source: Intercom's published API description, "Create or update a tag", "Add tag to a contact".
"""

from __future__ import annotations

from typing import Any

from ..diagnostics import Diagnostics, logger
from ..traits.names import plain_name
from ..transport import Operation, Reference, Reply
from .contacts import contact_id
from .endpoint import Api, Endpoint, UserPayload
from .errors import RetryableError, code_in
from .references import check, store_id
from .user_ref import UserRef

_NOT_FOUND = 404
_REFUSED = (400, 422)
_TRIES = 3
_UNREADABLE = "must be a text or a list of texts; it stays a custom attribute"


def take_tags(custom: dict[str, Any], diagnostics: Diagnostics) -> list[str]:
    """Take the trait ``tags`` out of custom traits, and return the names in it, each once; commas part a text."""
    names: dict[str, None] = {}
    for trait in [name for name in custom if isinstance(name, str) and plain_name(name) == "tags"]:
        value = custom[trait]
        texts = value.split(",") if isinstance(value, str) else [value]
        values = list(value) if isinstance(value, list | tuple | set | frozenset) else texts
        if not all(isinstance(tag, str) for tag in values):
            diagnostics.warn(trait, _UNREADABLE)
            continue
        del custom[trait]
        names |= dict.fromkeys(tag.strip() for tag in values if tag.strip())
    return list(names)


def tag_operation(tag: str, contact: Reference) -> Operation:
    """Return the operation that gives a contact a tag."""
    return TAG_CONTACT({"id": Reference("tag", "name", tag)}, {"contact_id": contact})


def perform_tag(api: Api, operation: Operation, user_payload: UserPayload) -> None:
    """Tag a contact; a tag that Intercom lacks is made. What it has had within the hour is not said again."""
    tag_of, contact_of = (operation.body or {})["id"], operation.ids["contact_id"]
    contact = contact_id(api, contact_of, user_payload)
    if api.cache.is_tagged(contact, tag_of):
        return
    tag = api.cache.get_id(tag_of)
    if tag is None:
        made = api.client.send(Operation("POST", "/tags", {"name": tag_of.value}))
        if _is_left_out(api, made):
            return
        tag = store_id(api, tag_of, made)
    reply = api.client.send(Operation("POST", f"/contacts/{contact}/tags", {"id": tag}))
    if reply.status == _NOT_FOUND:  # one of the two is gone: next time both are looked up and made anew
        api.cache.delete_id(tag_of)
        api.cache.delete_id(contact_of)
        raise RetryableError("Intercom does not know the contact or the tag any more", tries=_TRIES)
    if not _is_left_out(api, reply):
        check(reply)
        api.cache.set_tagged(contact, tag_of)


def _is_left_out(api: Api, reply: Reply) -> bool:
    """Whether Intercom refuses one tag, which costs the contact no other."""
    if reply.status not in _REFUSED:
        return False
    logger.warning("trait tags: Intercom refuses a tag (%s), which is left out", code_in(reply) or reply.status)
    api.cache.count_left_out()
    return True


def legacy_tag_operation(tag: str, user: UserRef) -> Operation:
    """Return the operation of version 1.4, which makes the tag and gives it to the user."""
    ids = {"email": user.email} if user.user_id is None else {"user_id": user.user_id}
    return LEGACY_TAG({"name": tag, "users": [ids]})


def perform_legacy_tag(api: Api, operation: Operation, _: UserPayload) -> None:
    """Tag a user."""
    reply = api.client.send(operation)
    if not _is_left_out(api, reply):
        check(reply)


TAG_CONTACT = Endpoint("POST", "/contacts/{contact_id}/tags", perform_tag)
LEGACY_TAG = Endpoint("POST", "/tags", perform_legacy_tag)
