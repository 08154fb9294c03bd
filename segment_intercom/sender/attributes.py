"""The creation of custom attributes that Intercom lacks: it refuses a body that holds an unknown one.

Source: Intercom's API description, "Create a data attribute".
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..rest import Operation
from ..transport import Reply
from .exchange import Exchange, is_success
from .notes import Notes
from .outcome import code_in, message_in

logger = logging.getLogger("segment_intercom")

_MISSING = re.compile(r"Custom attribute '(.+?)' does not exist", re.DOTALL)
_DATES = ("_at", "At")


class Attributes:
    """Sends bodies with custom attributes, creating those that are missing where that is wanted."""

    def __init__(self, exchange: Exchange, notes: Notes, *, create: bool) -> None:
        self._exchange = exchange
        self._notes = notes
        self._create = create
        self._impossible: dict[str, str] = {}

    def send(self, operation: Operation, model: str) -> Reply:
        """Send a contact or a company; the answer is a success, or a refusal that has another reason."""
        reply = self._exchange.send(operation)
        for _ in range(2 * len(_custom(operation)) + 1):
            name = _missing(reply)
            if name is None or not self._create or name not in _custom(operation):
                return reply
            if name in self._impossible:
                operation = _without(operation, name)
                problem = "Intercom does not create it for a %s (%s); give it a name that is not taken; it is left out"
                logger.warning(f"attribute %.200r: {problem}", name, model, self._impossible[name])  # noqa: G004
            else:
                operation = self._with_all_created(operation, model, name)
            reply = self._exchange.send(operation)
        return reply

    def _with_all_created(self, operation: Operation, model: str, missing: str) -> Operation:
        """Create what the body needs and Intercom lacks; an attribute without a value needs none."""
        self._notes.drop_attribute(model, missing)
        if missing not in self._known(model):
            for name, value in _custom(operation).items():
                if value is not None and not self._notes.has_attribute(model, name):
                    self._make(model, name, value)
        kept = {
            name: value
            for name, value in _custom(operation).items()
            if value is not None or self._notes.has_attribute(model, name)
        }
        return replace(operation, body={**(operation.body or {}), "custom_attributes": kept})

    def _known(self, model: str) -> set[str]:
        """The attributes that Intercom has, by asking it; they are noted."""
        reply = self._exchange.send(Operation("GET", f"/data_attributes?model={model}"))
        listed = reply.body.get("data") if is_success(reply) and isinstance(reply.body, Mapping) else None
        listed = [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
        # Intercom lists its own fields, too, which no custom attribute may be named after.
        names = {str(one["name"]) for one in listed if one.get("name") and one.get("custom", True)}
        for name in names:
            self._notes.keep_attribute(model, name)
        return names

    def _make(self, model: str, name: str, value: Any) -> None:
        body = {"name": name, "model": model, "data_type": _data_type(name, value)}
        reply = self._exchange.send(Operation("POST", "/data_attributes", body))
        if not is_success(reply):
            # Another worker was faster. Or Intercom wants none of this name: it is one of its own fields, or the other
            # model's, or there are too many; then it says again that the attribute is missing.
            self._impossible[name] = " ".join(filter(None, [str(reply.status), code_in(reply)]))
        self._notes.keep_attribute(model, name)


def _custom(operation: Operation) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (operation.body or {}).get("custom_attributes") or {}
    return found


def _without(operation: Operation, name: str) -> Operation:
    kept = {key: value for key, value in _custom(operation).items() if key != name}
    return replace(operation, body={**(operation.body or {}), "custom_attributes": kept})


def _missing(reply: Reply) -> str | None:
    match = _MISSING.search(message_in(reply)) if reply.status == 400 else None
    return match.group(1) if match else None


def _data_type(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "datetime" if name.endswith(_DATES) else "integer"
    return "float" if isinstance(value, float) else "string"
