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

    def fault(self, value: Any) -> str | None:
        """Why the value does not fit, or None when it does; null always fits."""
        if value is None:
            return None
        return scalar(value) or TYPES[self.data_type](value)

    def as_json(self, app_id: str) -> dict[str, Any]:
        """The attribute as the inspector shows it."""
        return {
            "app_id": app_id,
            "model": self.model,
            "name": self.name,
            "data_type": self.data_type,
            "created_by": self.created_by,
            "created_at": self.created_at,
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
        """Whether there is no room for one more."""
        return len(self._attributes) >= ATTRIBUTE_LIMIT

    def get(self, model: str, name: str) -> Attribute | None:
        """The attribute of that name, if there is one."""
        return self._attributes.get((model, name))

    def create(self, model: str, name: str, data_type: str, created_by: str, at: float) -> Attribute:
        """Add an attribute; whether there is room and the name is free the caller has seen to."""
        attribute = Attribute(len(self._attributes) + 1, model, name, data_type, created_by, at)
        self._attributes[model, name] = attribute
        return attribute

    def admit(self, model: str, name: str, value: Any, created_by: str, at: float) -> bool:
        """Make room for a value as pages and the classic API do: an unknown attribute is made, if there is room."""
        known = self.get(model, name)
        if known is None:
            if value is not None and not self.is_full:
                self.create(model, name, type_of(name, value), created_by, at)
            return value is None or (model, name) in self._attributes
        if known.data_type == "integer" and isinstance(value, float):
            known.data_type = "float"
        return True


def type_of(name: str, value: Any) -> str:
    """The type that Intercom gives an attribute when it first sees this value."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "date" if name.endswith("_at") else "integer"
    return "float" if isinstance(value, float) else "string"
