"""Checks of values that a person wrote: each returns the value, or raises Refused, which says what is accepted."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Set
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

Check = Callable[[Any], Any]

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


class Refused(ValueError):
    """A value is not accepted; the text says what would be, and never repeats the value."""


def boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise Refused("must be True or False")
    return value


def text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Refused("must be a string that is not empty")
    return value


def strings(value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, list | tuple | Set):
        raise Refused("must be a list of strings")
    if not all(isinstance(item, str) for item in value):
        raise Refused("must hold strings only")
    return tuple(value)


def mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Refused("must be a dict (in an environment variable: a JSON object)")
    return MappingProxyType(dict(value))


def url(value: object) -> str:
    """An absolute http or https address; a slash at its end is dropped."""
    if not isinstance(value, str) or re.search(r"[\s\"'<>\\;,]", value):
        raise Refused("must be an http or https address")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise Refused("must be an http or https address without query and fragment")
    return value.rstrip("/")


def page_url(value: object) -> str:
    """An address that a page uses: absolute, or a path of the same host that starts with one slash."""
    if isinstance(value, str) and re.fullmatch(r"(/[A-Za-z0-9._~-]+)+/?", value):
        return value.rstrip("/")
    return url(value)


def integer(*, minimum: int) -> Check:
    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
            raise Refused(f"must be a whole number, at least {minimum}")
        return value

    return check


def one_of(*choices: str) -> Check:
    def check(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise Refused("must be one of " + ", ".join(f'"{choice}"' for choice in choices))
        return value

    return check


def matching(pattern: str, accepted: str) -> Check:
    compiled = re.compile(pattern)

    def check(value: object) -> str:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise Refused(f"must be {accepted}")
        return value

    return check


def optional(check: Check) -> Check:
    def check_unless_none(value: object) -> Any:
        return None if value is None else check(value)

    return check_unless_none


def parse(value: str, check: Check) -> Any:
    """Read a text as the type that the check wants: a flag, a number, a list with commas, a JSON object.

    What cannot be read is handed on as it is, so that the check refuses it in its own words.
    """
    for read in _READERS:
        try:
            return check(read(value.strip()))
        except ValueError:
            continue
    return value


def _flag(value: str) -> bool:
    if (lowered := value.lower()) in _TRUE | _FALSE:
        return lowered in _TRUE
    raise Refused("must be true or false")


def _list(value: str) -> list[str]:
    return [item.strip() for item in value.split(",")]


_READERS: tuple[Callable[[str], Any], ...] = (str, _flag, int, json.loads, _list)
