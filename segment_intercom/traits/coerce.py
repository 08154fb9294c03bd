"""What a developer hands in as the value of a trait, as plain JSON values."""

from __future__ import annotations

import dataclasses
import enum
import math
import numbers
from collections import UserString
from collections.abc import Mapping, Sequence, Set
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from .dates import date_in_text, seconds
from .numbers import is_finite

_DEEPEST = 32
LARGEST = 2**53  # whole numbers from here on lose digits in JavaScript

ACCEPTED = (
    "accepted are text, numbers, True, False, None, dates, UUIDs, enums, dicts, lists, sets, dataclasses and objects"
    " with an intercom_traits() method"
)
_BYTES = (bytes, bytearray, memoryview)
_NUMBERS = (numbers.Number, Decimal)
_REAL_NUMBERS: tuple[Any, ...] = (numbers.Real, Decimal)
_KEYS = (str, int, UUID)


class UnsupportedValue(ValueError):
    """A value cannot be sent; ``field`` is its name, with dots where it is nested."""

    def __init__(self, path: tuple[str, ...], problem: str) -> None:
        super().__init__(problem)
        self.field = ".".join(path)


class UnixTime(int):
    """A date, already in Unix seconds: its key will say so. ``text`` is how it was written, where it was text."""

    text: str | None = None


def to_json(value: Any, path: tuple[str, ...], inside: tuple[int, ...] = ()) -> Any:
    """Return a value as JSON holds it, dates as Seconds; raise Unsendable for NaN, a cycle and unknown types.

    Decimals become whole numbers or floats; whole numbers that JavaScript cannot hold become text. ``path`` is where
    the value stands, ``inside`` the identities of the containers around it.
    """
    kind = type(value)
    if (scalar := _EXACT_SCALARS.get(kind)) is not None:
        return scalar(value, path)
    if kind is dict or kind is list:
        return _container(value, path, inside)
    if isinstance(value, enum.Enum):
        return to_json(value.value, path, inside)
    for kinds, read in _SCALARS:
        if isinstance(value, kinds):
            return read(value, path)
    return str(value) if _is_lazy_text(value) else _container(value, path, inside)


def key_to_json(key: Any, path: tuple[str, ...]) -> str:
    """Return a key of a dict as text, or raise Unsendable."""
    if type(key) is str:
        return key
    if isinstance(key, enum.Enum):
        key = key.value
    if isinstance(key, _KEYS) or _is_lazy_text(key):
        return str(key)
    raise UnsupportedValue(path, f"has a key of type {type(key).__name__}; keys are text")


def fields_of(thing: Any, names: Sequence[str]) -> dict[str, Any]:
    """Read the named attributes of any object, those that are there and neither None nor methods.

    An exception other than AttributeError is the host's and surfaces.
    """
    pairs = ((name, getattr(thing, name, None)) for name in names)
    return {name: value for name, value in pairs if value is not None and not callable(value)}


def _text(value: Any, _: tuple[str, ...]) -> str | UnixTime:
    text = str(value)
    date = date_in_text(text)
    if date is None:
        return text
    moment = UnixTime(date)
    moment.text = text
    return moment


def _same(value: Any, _: tuple[str, ...]) -> Any:
    return value


def _date(value: Any, _: tuple[str, ...]) -> UnixTime:
    return UnixTime(seconds(value) or 0)


def _number(value: Any, path: tuple[str, ...]) -> int | float | str:
    if not isinstance(value, _REAL_NUMBERS):
        raise UnsupportedValue(path, "is a complex number; Intercom takes real ones")
    if not is_finite(value):
        raise UnsupportedValue(path, "is not a finite number of a size that can be sent; leave it out or send None")
    whole: int = math.trunc(value)
    if value != whole:
        return float(value)
    if -LARGEST < whole < LARGEST:
        return whole
    return float(value) if type(value) is float else str(whole)


# By exact type, which is fast and nearly always enough, and by kind, where a proxy counts as what it stands for.
_EXACT_SCALARS: dict[type, Any] = {
    str: _text,
    bool: _same,
    type(None): _same,
    int: _number,
    float: _number,
    Decimal: _number,
    datetime: _date,
    date: _date,
}
_SCALARS: tuple[tuple[Any, Any], ...] = (
    (type(None), lambda value, path: None),
    (bool, lambda value, path: bool(value)),
    (str, _text),
    (_NUMBERS, _number),
    (date, _date),
    ((UUID, UserString), lambda value, path: str(value)),
)


def _is_lazy_text(value: Any) -> bool:
    # Flask-Babel's and Django's lazy strings are no str, but answer for one.
    return hasattr(value, "casefold") and hasattr(value, "encode")


def _container(value: Any, path: tuple[str, ...], inside: tuple[int, ...]) -> Any:
    if id(value) in inside:
        raise UnsupportedValue(path, "contains itself; give a value without the cycle")
    if len(inside) >= _DEEPEST:
        raise UnsupportedValue(path, f"is nested more than {_DEEPEST} levels deep; send the values that matter")
    inside = (*inside, id(value))
    if type(value) is dict or isinstance(value, Mapping):
        return {
            (key if type(key) is str else key_to_json(key, path)): (
                item
                if (kind := type(item)) is bool or (kind is str and "-" not in item)
                else to_json(item, (*path, str(key)), inside)
            )
            for key, item in value.items()
        }
    if type(value) is not list and isinstance(value, Set):
        value = sorted(value, key=repr)  # a set has no order, an answer should have one
    if type(value) is list or (isinstance(value, Sequence) and not isinstance(value, _BYTES)):
        return [to_json(item, (*path, str(index)), inside) for index, item in enumerate(value)]
    return to_json(_object(value, path), path, inside)


def _object(value: Any, path: tuple[str, ...]) -> Any:
    """An object's own account of itself, a dataclass's fields, or the id and name of a database row."""
    if isinstance(value, type):
        raise UnsupportedValue(path, f"is a class, {value.__name__}; {ACCEPTED}")
    if callable(own := getattr(value, "intercom_traits", None)):
        return own()
    if dataclasses.is_dataclass(value):
        return {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
    if row := fields_of(value, ("id", "name")):
        return row
    raise UnsupportedValue(path, f"is of the unknown type {type(value).__name__}; {ACCEPTED}")
