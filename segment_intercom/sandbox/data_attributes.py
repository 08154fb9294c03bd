"""The custom attributes that a workspace has: their names, their types, and how many there may be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .attributes import boolean, number, scalar, seconds, text, whole

ATTRIBUTE_LIMIT = 250
TYPES = {
    "string": text,
    "integer": whole,
    "float": number,
    "boolean": boolean,
    "datetime": seconds,
    "date": seconds,
}


@dataclass(slots=True)
class Attribute:
    """One custom attribute of contacts or companies, and who made it: a page, the API or the classic API."""

    number: int
    model: str
    name: str
    data_type: str
    created_by: str
    created_at: float
    updated_at: float
    description: str | None = None
    messenger_writable: bool = True
    archived: bool = False

    def fault(self, value: Any) -> str | None:
        """Why the value cannot be written, or None when it can; null fits every type."""
        if self.archived:
            return "is archived"
        why = None if value is None else scalar(value) or TYPES[self.data_type](value)
        return f"{why}: its data_type is {self.data_type}" if why else None

    def widens(self, value: Any) -> bool:
        """Whether the value makes a float of an integer whose type was only guessed from its first value."""
        guessed = self.data_type == "integer" and self.created_by != "api"
        return guessed and isinstance(value, float) and not self.archived

    def change(self, changes: dict[str, Any], at: float) -> None:
        """Set what may be changed of an attribute: its description, messenger_writable and archived."""
        self.description = changes.get("description", self.description)
        self.messenger_writable = changes.get("messenger_writable", self.messenger_writable)
        self.archived = changes.get("archived", self.archived)
        self.updated_at = at

    def as_json(self, app_id: str) -> dict[str, Any]:
        """The attribute as the inspector shows it."""
        return {
            "app_id": app_id,
            "model": self.model,
            "name": self.name,
            "data_type": self.data_type,
            "created_by": self.created_by,
            "created_at": self.created_at,
            "messenger_writable": self.messenger_writable,
            "archived": self.archived,
        }


class DataAttributes:
    """The custom attributes of one workspace."""

    def __init__(self) -> None:
        self._attributes: dict[tuple[str, str], Attribute] = {}

    def __len__(self) -> int:
        return len(self._attributes)

    def __iter__(self) -> Iterator[Attribute]:
        return iter(self._attributes.values())

    @property
    def is_full(self) -> bool:
        """Whether there is no room for one more; archived ones take none."""
        return sum(not attribute.archived for attribute in self) >= ATTRIBUTE_LIMIT

    def get(self, model: str, name: str) -> Attribute | None:
        """The attribute of that name, archived or not, if there is one."""
        return self._attributes.get((model, name))

    def create(self, model: str, name: str, data_type: str, created_by: str, at: float) -> Attribute:
        """Add an attribute; whether there is room and the name is free the caller has seen to."""
        attribute = Attribute(len(self._attributes) + 1, model, name, data_type, created_by, at, at)
        self._attributes[model, name] = attribute
        return attribute

    def admit(self, model: str, name: str, value: Any, created_by: str, at: float) -> str | None:
        """Why a value of a page or the classic API is not kept, or None; an unknown attribute is made.

        Source: Intercom's API changelog 2.11: a page does not write what is not messenger_writable.
        """
        known = self.get(model, name)
        if known is None:
            if value is None:
                return None
            if self.is_full:
                return f"the workspace has its {ATTRIBUTE_LIMIT} custom attributes already"
            self.create(model, name, type_of(name, value), created_by, at)
            return None
        if created_by == "page" and not known.messenger_writable:
            return "is not writable by the Messenger: set its messenger_writable to true"
        if known.widens(value):
            known.data_type = "float"
        return known.fault(value)


def type_of(name: str, value: Any) -> str:
    """The type that Intercom gives an attribute when it first sees this value."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "date" if name.endswith("_at") else "integer"
    return "float" if isinstance(value, float) else "string"
