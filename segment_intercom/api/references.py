"""Intercom's own ids of contacts and companies: from the cache, by asking Intercom, or from its answers.

Source: Intercom's published API description, "Search contacts", "Get a contact by External ID", "Retrieve companies".
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from ..transport import Operation, Reference, Reply
from .client import is_success
from .endpoint import Api
from .errors import PermanentError, RetryableError

_NOT_FOUND = 404
_FEW_TRIES = 3


def look_up_contact(api: Api, reference: Reference) -> str | None:
    """Return Intercom's id of a contact by asking for it, or None."""
    if reference.key == "external_id":
        path = f"/contacts/find_by_external_id/{quote(reference.value, safe='', errors='surrogatepass')}"
        reply = api.client.send(Operation("GET", path))
        return id_in(reply) if is_success(reply) else None
    query = {"query": {"field": reference.key, "operator": "=", "value": reference.value}}
    reply = api.client.send(Operation("POST", "/contacts/search", query))
    return id_in(reply) if is_success(reply) else None


def company_id(api: Api, reference: Reference) -> str | None:
    """Return Intercom's id of a company, from the cache or by asking for it, or None."""
    if (known := api.cache.get_id(reference)) is not None:
        return known
    path = f"/companies?company_id={quote(reference.value, safe='', errors='surrogatepass')}"
    reply = api.client.send(Operation("GET", path))
    if reply.status == _NOT_FOUND:
        return None
    return store_id(api, reference, reply)


def company_id_by_name(api: Api, name: str) -> str | None:
    """Intercom's id of a company by its name, where it was made with an id that is no hash of the name."""
    reply = api.client.send(Operation("GET", f"/companies?name={quote(name, safe='', errors='replace')}"))
    return id_in(reply) if is_success(reply) else None


def store_id(api: Api, reference: Reference, reply: Reply) -> str:
    """Cache and return Intercom's id in a reply; raises PermanentError for a refusal."""
    check(reply)
    own_id = id_in(reply)
    if own_id is None and reply.body is None:  # half an answer, or another's
        raise RetryableError(f"Intercom answered {reply.status} without saying what was saved", tries=_FEW_TRIES)
    if own_id is None:
        raise PermanentError.by(reply)
    api.cache.set_id(reference, own_id)
    return own_id


def id_in(reply: Reply) -> str | None:
    """Return Intercom's id of the object in a reply; of a list, that of its first entry."""
    if not isinstance(reply.body, Mapping):
        return None
    listed = reply.body.get("data", [reply.body])
    shown = listed[0] if isinstance(listed, list) and listed else None
    own_id = shown.get("id") if isinstance(shown, Mapping) else None
    return None if own_id is None else str(own_id)


def check(reply: Reply) -> None:
    """Raise PermanentError unless the reply is a success."""
    if not is_success(reply):
        raise PermanentError.by(reply)
