"""Checks of values that a person wrote: each returns the value, or raises Refused, which says what is accepted."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Set
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

Check = Callable[[Any], Any]

_TRUE = {"1", "true", "yes", "on"}
_ADDRESS = 'must be an http or https address, such as "https://example.com/widget", without query and fragment'
_FALSE = {"0", "false", "no", "off"}


class InvalidValue(ValueError):
    """A value is not accepted; the text says what would be, and never repeats the value."""


def unknown(name: str, what: str, accepted: Iterable[str]) -> str:
    """Say that a name is not known, which one it may have meant, and which ones are accepted."""
    accepted = tuple(accepted)
    close = difflib.get_close_matches(name, accepted, n=1)
    meant = f" (did you mean {close[0]}?)" if close else ""
    return f"is an unknown {what}{meant}; accepted are " + ", ".join(accepted)


def boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidValue("must be True or False")
    return value


def text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InvalidValue("must be a string that is not empty")
    return value


def strings(value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, list | tuple | Set):
        raise InvalidValue("must be a list of strings")
    if not all(isinstance(item, str) for item in value):
        raise InvalidValue("must hold strings only")
    return tuple(value)


def mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidValue("must be a dict (in an environment variable: a JSON object)")
    return MappingProxyType(dict(value))


def url(value: object) -> str:
    """An absolute http or https address; a slash at its end is dropped."""
    if not isinstance(value, str) or re.search(r"[\s\"'<>\\;,]", value):
        raise InvalidValue(_ADDRESS)
    try:
        parts = urlsplit(value)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        raise InvalidValue(_ADDRESS) from None
    if "@" in parts.netloc:
        raise InvalidValue("must hold no user and password: it stands in pages and policies")
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.query
        or parts.fragment
        or not port_is_valid
    ):
        raise InvalidValue(_ADDRESS)
    return value.rstrip("/")


def page_url(value: object) -> str:
    """An address that a page uses: absolute, or a path of the same host that starts with one slash."""
    if isinstance(value, str) and re.fullmatch(r"(/[A-Za-z0-9._~-]+)+/?", value):
        return value.rstrip("/")
    return url(value)


def integer(*, minimum: int) -> Check:
    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
            raise InvalidValue(f"must be a whole number, at least {minimum}")
        return value

    return check


def number(*, minimum: float) -> Check:
    def check(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not minimum <= value < math.inf:
            raise InvalidValue(f"must be a number, at least {minimum:g}")
        return value

    return check


def one_of(*choices: str) -> Check:
    def check(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise InvalidValue("must be one of " + ", ".join(f'"{choice}"' for choice in choices))
        return value

    return check


def matching(pattern: str, accepted: str) -> Check:
    compiled = re.compile(pattern)

    def check(value: object) -> str:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise InvalidValue(f"must be {accepted}")
        return value

    return check


def function(value: object) -> Any:
    if not callable(value):
        raise InvalidValue("must be a function, given in Python")
    return value


def optional(check: Check) -> Check:
    def check_unless_none(value: object) -> Any:
        return None if value is None else check(value)

    return check_unless_none


def parse(value: str, check: Check) -> Any:
    """Read a text as the type that the check wants: a flag, a number, a list with commas, a JSON object.

    What cannot be read is handed on as it is, so that the check refuses it in its own words.
    """
    value = value.strip()
    for read in _READERS:
        try:
            return check(read(value))
        except ValueError:
            continue
    return json_or(value, str)


def json_or(value: str, otherwise: Callable[[str], Any]) -> Any:
    """Read a text that looks like a JSON object or array as one, any other text otherwise."""
    if value.strip()[:1] in ("{", "["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            pass
    return otherwise(value)


def listed(value: str) -> list[str]:
    """The parts of a text with commas."""
    return [item.strip() for item in value.split(",")]


def _flag(value: str) -> bool:
    if (lowered := value.lower()) in _TRUE | _FALSE:
        return lowered in _TRUE
    raise InvalidValue("must be true or false")


def _list(value: str) -> list[str]:
    return [item for item in listed(value) if item]


def _json(value: str) -> Any:
    decoded = json_or(value, str)
    if isinstance(decoded, str):
        raise InvalidValue("is not valid JSON")
    return decoded


_READERS: tuple[Callable[[str], Any], ...] = (str, _flag, int, float, _json, _list)
