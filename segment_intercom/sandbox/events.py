"""What Intercom keeps of an event that a page sends."""

from __future__ import annotations

from typing import Any

from .attributes import NotSaved, text, whole
from .refusal import malformed

METADATA_LIMIT = 10


def read(body: dict[str, Any]) -> tuple[str, dict[str, Any], list[NotSaved]]:
    """An event's name, the metadata that is kept, and what is not."""
    name, sent = body.get("event_name"), body.get("metadata")
    if not isinstance(name, str) or not name:
        raise malformed("The name of an event must be text that is not empty.", "event_name")
    if sent is not None and not isinstance(sent, dict):
        return name, {}, [NotSaved("metadata", "must be an object of names and values")]
    metadata: dict[str, Any] = {}
    left = []
    for key, value in (sent or {}).items():
        why = fault(value) or (len(metadata) >= METADATA_LIMIT and f"an event keeps its first {METADATA_LIMIT} keys")
        if why:
            left.append(NotSaved(key, why))
        elif value is not None:
            metadata[key] = value
    return name, metadata, left


def fault(value: Any) -> str | None:
    """Why a value can be no metadata, or None when it can."""
    if not isinstance(value, dict | list) or _is_link(value) or _is_money(value):
        return None
    return "must be text, a number, true or false, {url, value} or {amount, currency}"


def _is_link(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"url", "value"} and not any(map(text, value.values()))


def _is_money(value: Any) -> bool:
    if not isinstance(value, dict) or set(value) != {"amount", "currency"}:
        return False
    return not whole(value["amount"]) and not text(value["currency"])
