"""What Intercom's refusal of a body names: a field, a custom attribute or a property, which then can be left out.

Source: Intercom's published API description, "Errors": each has a code, a message, and sometimes a field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..transport import Operation, Reply

_STATUSES = (400, 422)
# A table within a body whose names are the site's own.
_TABLES = ("custom_attributes", "metadata")
# Without these Intercom could not tell what the request is about.
_NEEDED = frozenset(
    ("role", "external_id", "user_id", "id", "company_id", "companies", "event_name", "created_at", *_TABLES)
)
# How a message names something: in quotes, or behind the word "attribute".
_NAMED = re.compile(r"'([^']+)'|\"([^\"]+)\"|`([^`]+)`|[Aa]ttribute ([^\s'\"`]+)")

Path = tuple[str, ...]


def refused_part(reply: Reply, operation: Operation) -> Path | None:
    """The part of a body that a refusal names, as ``("email",)`` or ``("custom_attributes", "seats")``.

    None when the reply is no refusal of that kind, or names nothing that can be left out.
    """
    body = operation.body
    if reply.status not in _STATUSES or not body or not isinstance(reply.body, Mapping):
        return None
    errors = reply.body.get("errors")
    for error in errors if isinstance(errors, list) else ():
        for name in _names(error, body) if isinstance(error, Mapping) else ():
            if (path := _place(name, body)) is not None:
                return path
    return None


def without(operation: Operation, path: Path) -> Operation:
    """The same operation without one part of its body."""
    first, *rest = path
    body = dict(operation.body or {})
    if rest:
        body[first] = {name: value for name, value in body[first].items() if name != rest[0]}
    else:
        del body[first]
    return replace(operation, body=body)


def _names(error: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[str]:
    """What an error may name, the surest first: its field, what its message names, a field among the words."""
    field, message = error.get("field"), error.get("message")
    text = message if isinstance(message, str) else ""
    if isinstance(field, str):
        yield field
    for table in _TABLES:
        names = (f"{table}.{name}" for name in sorted(_table(body, table), key=len, reverse=True))
        yield from (name for name in names if name in text)
    yield from (next(filter(None, groups)) for groups in _NAMED.findall(text))
    yield from (word for word in re.findall(r"[a-z_]+", text) if word in body)


def _place(name: str, body: Mapping[str, Any]) -> Path | None:
    table, _, inner = name.partition(".")
    if table in _TABLES and inner in _table(body, table):
        return table, inner
    for table in _TABLES:
        if name in _table(body, table):
            return table, name
    if name not in body or name in _NEEDED:
        return None
    # An e-mail that is the user's only identifier must stay.
    needed = name == "email" and not any(key in body for key in ("external_id", "user_id", "id"))
    return None if needed else (name,)


def _table(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = body.get(name)
    return table if isinstance(table, Mapping) else {}
