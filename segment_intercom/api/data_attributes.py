"""The creation of custom attributes that Intercom lacks: it refuses a body that holds an unknown one.

Source: Intercom's API description, "Create a data attribute".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..diagnostics import logger
from ..transport import Operation, Reply
from .cache import IntercomCache
from .client import LeasedClient, is_success
from .errors import code_in, message_in
from .refusals import refused_part, without

_MISSING = re.compile(r"Custom attribute '(.+?)' does not exist", re.DOTALL)
_DATES = ("_at", "At")
_LEFT_OUT = (
    "%s %.200r: Intercom does not take it for a %s (%s), so it is left out and the rest sent; look at its type, its "
    "form and its length, or give it a name that is not taken"
)
_KINDS = {"custom_attributes": "attribute", "metadata": "property"}


class AttributeCreator:
    """Sends bodies, creating custom attributes that are missing, and leaving out what Intercom refuses by its name."""

    def __init__(self, exchange: LeasedClient, notes: IntercomCache, *, create: bool, leave_out: bool = True) -> None:
        self._exchange = exchange
        self._notes = notes
        self._create = create
        self._leave_out = leave_out
        self._impossible: dict[str, str] = {}

    def send(self, operation: Operation, model: str) -> Reply:
        """Send a contact, a company or an event; the answer is a success, or a refusal that has another reason.

        One value that Intercom does not take costs no other: it is left out, with a warning, and counted.
        """
        reply = self._exchange.send(operation)
        for _ in range(2 * _size(operation) + 1):
            name = _missing(reply)
            if name is not None and self._create and name in _custom(operation) and name not in self._impossible:
                operation = self._with_all_created(operation, model, name)
            elif self._leave_out and (path := refused_part(reply, operation)) is not None:
                operation = without(operation, path)
                self._notes.count_left_out()
                why = self._impossible.get(path[-1]) or _answer(reply)
                logger.warning(_LEFT_OUT, _KINDS.get(path[0], "field"), path[-1], model, why)
            else:
                return reply
            reply = self._exchange.send(operation)
        return reply

    def _with_all_created(self, operation: Operation, model: str, missing: str) -> Operation:
        """Create what the body needs and Intercom lacks; an attribute without a value needs none."""
        self._notes.delete_attribute(model, missing)
        if missing not in self._known(model):
            for name, value in _custom(operation).items():
                if value is not None and not self._notes.has_attribute(model, name):
                    self._make(model, name, value)
        existing = {
            name: value
            for name, value in _custom(operation).items()
            if value is not None or self._notes.has_attribute(model, name)
        }
        return replace(operation, body={**(operation.body or {}), "custom_attributes": existing})

    def _known(self, model: str) -> set[str]:
        """The attributes that Intercom has, by asking it; they are noted."""
        reply = self._exchange.send(Operation("GET", f"/data_attributes?model={model}"))
        listed = reply.body.get("data") if is_success(reply) and isinstance(reply.body, Mapping) else None
        listed = (
            [attribute for attribute in listed if isinstance(attribute, Mapping)] if isinstance(listed, list) else []
        )
        # Intercom lists its own fields, too, which no custom attribute may be named after.
        names = {
            str(attribute["name"]) for attribute in listed if attribute.get("name") and attribute.get("custom", True)
        }
        for name in names:
            self._notes.set_attribute(model, name)
        return names

    def _make(self, model: str, name: str, value: Any) -> None:
        # Without messenger_writable, since version 2.11, what a page says of the attribute is ignored in silence.
        body = {"name": name, "model": model, "data_type": _data_type(name, value), "messenger_writable": True}
        reply = self._exchange.send(Operation("POST", "/data_attributes", body))
        if not is_success(reply):
            # Another worker was faster. Or Intercom wants none of this name: it is one of its own fields, or the other
            # model's, or there are too many; then it says again that the attribute is missing.
            self._impossible[name] = _answer(reply)
        self._notes.set_attribute(model, name)


def _custom(operation: Operation) -> Mapping[str, Any]:
    attributes: Mapping[str, Any] = (operation.body or {}).get("custom_attributes") or {}
    return attributes


def _size(operation: Operation) -> int:
    """How many values a body holds, the custom attributes and properties among them."""
    body = operation.body or {}
    return len(body) + sum(len(value) for value in body.values() if isinstance(value, Mapping))


def _answer(reply: Reply) -> str:
    return " ".join(filter(None, [str(reply.status), code_in(reply)]))


def _missing(reply: Reply) -> str | None:
    match = _MISSING.search(message_in(reply)) if reply.status == 400 else None
    return match.group(1) if match else None


def _data_type(name: str, value: Any) -> str:
    """The type for a new attribute; a number is a float, so that 5 today and 4.5 tomorrow both fit."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) and name.endswith(_DATES):
        return "datetime"
    return "float" if isinstance(value, int | float) else "string"
