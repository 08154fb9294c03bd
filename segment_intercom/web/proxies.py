"""Values of an application where a proxy, such as werkzeug's LocalProxy, may stand for something else."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from types import NoneType
from typing import Any

_PLAIN: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (NoneType, lambda _: None),
    (str, str),
    (bool, bool),
    (int, int),
    (float, float),
)


def plain(value: Any) -> Any:
    """Return the None, text, flag or number that a proxy stands for; any other value as it is.

    ``isinstance`` sees through a proxy, since it gives the class of what it stands for. ``is None`` and ``callable()``
    see the proxy itself, which is never None and always callable.
    """
    if type(value) is value.__class__ or isinstance(value, Enum):
        return value
    return next((read(value) for kind, read in _PLAIN if isinstance(value, kind)), value)


def called(value: Any) -> Any:
    """Return what a function returns, or a value that is none; a proxy counts as what it stands for."""
    value = plain(value)
    return plain(value()) if callable(value) and not isinstance(value, str) else value
