"""What a developer hands in as the value of a trait, as plain JSON values."""

from __future__ import annotations

import dataclasses
import enum
import math
import numbers
from collections import UserString
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from .dates import is_date_trait, seconds
from .money import is_finite

_DEEPEST = 32
LARGEST = 2**53  # whole numbers from here on lose digits in JavaScript

ACCEPTED = (
    "accepted are text, numbers, True, False, None, dates, UUIDs, enums, dicts, lists, sets, dataclasses and objects"
    " with an intercom_traits() method"
)


class Unsendable(ValueError):
    """A value cannot be sent; ``field`` is its name, with dots where it is nested."""

    def __init__(self, path: tuple[str, ...], problem: str) -> None:
        super().__init__(problem)
        self.field = ".".join(path)


class Seconds(int):
    """A date, already in Unix seconds: its key will say so."""


def plain(value: Any, path: tuple[str, ...]) -> Any:
    """Return a value as JSON holds it, dates as Seconds; raise Unsendable for NaN, a cycle and unknown types.

    Decimals become whole numbers or floats; whole numbers that JavaScript cannot hold become text.
    """
    return _Reader().read(value, path)


class _Reader:
    """Follows nested values and remembers where it is, so that a cycle ends in an error instead of never."""

    def __init__(self) -> None:
        self._open: set[int] = set()

    def read(self, value: Any, path: tuple[str, ...]) -> Any:
        if isinstance(value, enum.Enum):
            return self.read(value.value, path)
        if value is None or isinstance(value, bool):
            return value if value is None else bool(value)
        if isinstance(value, str):
            return _text(str(value))
        if isinstance(value, numbers.Number | Decimal):
            return _number(value, path)
        if isinstance(value, date):
            return Seconds(seconds(value) or 0)
        if isinstance(value, UUID | UserString) or _is_lazy_text(value):
            return str(value)
        return self._container(value, path)

    def _container(self, value: Any, path: tuple[str, ...]) -> Any:
        with self._inside(value, path):
            if isinstance(value, Mapping):
                return {_key(key, path): self.read(item, (*path, str(key))) for key, item in value.items()}
            if isinstance(value, Set):
                value = sorted(value, key=repr)  # a set has no order, an answer should have one
            if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
                return [self.read(item, (*path, str(index))) for index, item in enumerate(value)]
            return self.read(_object(value, path), path)

    @contextmanager
    def _inside(self, value: Any, path: tuple[str, ...]) -> Iterator[None]:
        if id(value) in self._open:
            raise Unsendable(path, "contains itself; give a value without the cycle")
        if len(self._open) >= _DEEPEST:
            raise Unsendable(path, f"is nested more than {_DEEPEST} levels deep; send the values that matter")
        self._open.add(id(value))
        try:
            yield
        finally:
            self._open.discard(id(value))


def fields_of(thing: Any, names: Sequence[str]) -> dict[str, Any]:
    """Read the named attributes of any object, those that are there and neither None nor methods.

    An exception other than AttributeError is the host's and surfaces.
    """
    found = ((name, getattr(thing, name, None)) for name in names)
    return {name: value for name, value in found if value is not None and not callable(value)}


def _text(text: str) -> Any:
    return Seconds(seconds(text) or 0) if text[4:5] == "-" and is_date_trait(text) else text


def _number(value: Any, path: tuple[str, ...]) -> int | float | str:
    if not isinstance(value, numbers.Real | Decimal):
        raise Unsendable(path, "is a complex number; Intercom takes real ones")
    if not is_finite(value):
        raise Unsendable(path, "is not a finite number of a size that can be sent; leave it out or send None")
    if value == (whole := int(math.trunc(value))):
        return whole if -LARGEST < whole < LARGEST else _large(value, whole)
    return float(value)


def _large(value: Any, whole: int) -> float | str:
    return float(value) if isinstance(value, float) else str(whole)


def _key(key: Any, path: tuple[str, ...]) -> str:
    if isinstance(key, enum.Enum):
        key = key.value
    if isinstance(key, str | int | UUID) or _is_lazy_text(key):
        return str(key)
    raise Unsendable(path, f"has a key of type {type(key).__name__}; keys are text")


def _is_lazy_text(value: Any) -> bool:
    # Flask-Babel's and Django's lazy strings are no str, but answer for one.
    return hasattr(value, "casefold") and hasattr(value, "encode")


def _object(value: Any, path: tuple[str, ...]) -> Any:
    """An object's own account of itself, a dataclass's fields, or the id and name of a database row."""
    if isinstance(value, type):
        raise Unsendable(path, f"is a class, {value.__name__}; {ACCEPTED}")
    if callable(own := getattr(value, "intercom_traits", None)):
        return own()
    if dataclasses.is_dataclass(value):
        return {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
    if row := fields_of(value, ("id", "name")):
        return row
    raise Unsendable(path, f"is of the unknown type {type(value).__name__}; {ACCEPTED}")
