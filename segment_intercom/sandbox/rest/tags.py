"""Tags, of a workspace and of its contacts; names are compared without their case."""

from __future__ import annotations

from typing import Any

from ..attributes import text
from ..people import Person, Tag
from ..refusal import missing, not_found, not_imitated
from .call import ApiCall, ApiReply
from .contacts import living
from .fields import check, known, rows


def save(call: ApiCall) -> ApiReply:
    """POST /tags: create the tag of this name, or rename the one with this id; with ``users``, tag these."""
    body = call.body()
    if "companies" in body:
        raise not_imitated("The tagging of companies")
    check(body, {"id": known, "name": known, "users": rows}, ("id",))
    if "name" not in body:
        raise missing("name is required", "name")
    tag = _renamed(call, body["id"], body["name"]) if body.get("id") else call.account.tag(body["name"])
    users = [_tagged(call, user, tag) for user in body.get("users") or []]
    return ApiReply(200, {"type": "tag", "id": tag.id, "name": tag.name, "companies": [], "users": users})


def show_all(call: ApiCall) -> ApiReply:
    """GET /tags."""
    tags = [{"type": "tag", "id": tag.id, "name": tag.name} for tag in call.account.tags.values()]
    return ApiReply(200, {"type": "list", "data": tags})


def attach(call: ApiCall, contact_id: str) -> ApiReply:
    """POST /contacts/{id}/tags, by the tag's own id."""
    body = call.body()
    check(body, {"id": known}, ())
    if "id" not in body:
        raise missing("tag not specified", "id")
    person, tag = living(call, contact_id), _tag(call, body["id"])
    person.tag_ids.setdefault(tag.id, int(call.at))
    call.account.write(person, {}, {})
    return ApiReply(200, _of_contact(person, tag))


def detach(call: ApiCall, contact_id: str, tag_id: str) -> ApiReply:
    """DELETE /contacts/{id}/tags/{tag_id}; 404 where the contact has no such tag."""
    person, tag = living(call, contact_id), _tag(call, tag_id)
    if tag.id not in person.tag_ids:
        raise not_found("tag not found")
    reply = _of_contact(person, tag)
    del person.tag_ids[tag.id]
    call.account.write(person, {}, {})
    return ApiReply(200, reply)


def of_contact(call: ApiCall, contact_id: str) -> ApiReply:
    """GET /contacts/{id}/tags."""
    person = living(call, contact_id)
    tags = [_of_contact(person, call.account.tags[tag_id]) for tag_id in person.tag_ids]
    return ApiReply(200, {"type": "list", "data": tags})


def _renamed(call: ApiCall, tag_id: str, name: str) -> Tag:
    tag = _tag(call, tag_id)
    tag.name = name
    return tag


def _tagged(call: ApiCall, user: dict[str, Any], tag: Tag) -> dict[str, Any]:
    """Tag a user, named by any id in version 1.4, and by Intercom's in later ones."""
    check(user, {"id": known, "user_id": known, "email": text}, (), "users.")
    account = call.account
    person = account.people.get(user.get("id", "")) or account.find_user(user.get("user_id"), user.get("email"))
    if person is None:
        raise not_found("User Not Found")
    call.person = person
    person.tag_ids.setdefault(tag.id, int(call.at))
    call.account.write(person, {}, {})
    return {"id": person.id, "tagged": True}


def _of_contact(person: Person, tag: Tag) -> dict[str, Any]:
    return {"type": "tag", "id": tag.id, "name": tag.name, "applied_at": person.tag_ids[tag.id]}


def _tag(call: ApiCall, tag_id: str) -> Tag:
    tag = call.account.tags.get(tag_id)
    if tag is None:
        raise not_found("tag not found", remedy="POST /tags answers with the id that is wanted here, not the name")
    return tag
