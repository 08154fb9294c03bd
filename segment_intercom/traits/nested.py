"""Custom attributes: plain values, dates under keys that show it, nothing nested but where it was asked for.

Source: Segment's documentation page for Intercom, "Default Nested Trait and Property Handling".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..jsontext import dumps
from ..settings import Settings
from .report import Report
from .values import LARGEST, Seconds, Unsendable, plain

# When two attributes end up with one name, the later kind in this list wins.
_STRINGIFIED, _FLATTENED, _PLAIN, _RICH_LINK = range(4)
_SCALARS = frozenset((str, int, float, bool))


def custom_attributes(traits: Mapping[str, Any], settings: Settings, report: Report) -> dict[str, Any]:
    """Turn traits into custom attributes: plain values, then date keys, then the nested handling chosen for each.

    A trait that cannot be sent is refused through the report, by its name.
    """
    attributes, simple = plain_traits(traits, report)
    if simple and not settings.nested_handling_for:
        return attributes
    return handle_nested(name_dates(attributes, report), settings, report)


def plain_traits(traits: Mapping[str, Any], report: Report) -> tuple[dict[str, Any], bool]:
    """Return the traits as JSON values, and whether that is all there is to do: neither dates nor nested values."""
    attributes: dict[str, Any] = {}
    simple = True
    for name, value in traits.items():
        if _is_plain(value) and type(name) is str:
            attributes[name] = value
            continue
        try:
            key, item = next(iter(plain({name: value}, ()).items()))
        except Unsendable as error:
            report.refuse(error.field or str(name), str(error))
            continue
        attributes[key] = item
        simple = simple and type(item) in _SCALARS
    return attributes, simple


def _is_plain(value: Any) -> Any:
    """Tell the common case fast: text that is no date, a flag, a number that JavaScript writes the same way."""
    kind = type(value)
    if kind is str:
        return value[4:5] != "-"
    if kind is int:
        return -LARGEST < value < LARGEST
    return kind is bool or (kind is float and value - value == 0 and not value.is_integer())


def name_dates(attributes: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Give every date a key that ends in ``_at`` or ``At``, at any depth."""
    named: dict[str, Any] = {}
    for name, value in attributes.items():
        key = date_key(name) if isinstance(value, Seconds) else name
        if key != name and key in attributes:
            report.note(name, f"as a date it is named {key:.60}, which another trait has taken; it is not sent")
            continue
        named[key] = _name_inner_dates(value, report)
    return named


def date_key(name: str) -> str:
    """The key of a date: one that ends in ``_at`` or ``At`` stays, `` at`` becomes ``_at``, others get ``_at``."""
    if name.endswith(("_at", "At")):
        return name
    return name.removesuffix(" at") + "_at"


def _name_inner_dates(value: Any, report: Report) -> Any:
    if isinstance(value, Seconds):
        return int(value)
    if isinstance(value, dict):
        return name_dates(value, report)
    return [_name_inner_dates(item, report) for item in value] if isinstance(value, list) else value


def handle_nested(attributes: Mapping[str, Any], settings: Settings, report: Report) -> dict[str, Any]:
    """Flatten, stringify or drop each attribute, as chosen for its name or, where it is nested, by default."""
    handled: dict[str, Any] = {}
    ranks: dict[str, int] = {}
    chosen = {*settings.nested_handling_for, *settings.rich_links}
    for name, value in attributes.items():
        plainly = type(value) in _SCALARS and name not in chosen
        for key, item, rank in ((name, value, _PLAIN),) if plainly else _handle(name, value, settings, report):
            if key in handled:
                report.note(key, "two traits end up with this name; only one of them is sent")
            if rank >= ranks.get(key, rank):
                handled[key], ranks[key] = item, rank
    return handled


def _handle(name: str, value: Any, settings: Settings, report: Report) -> Iterator[tuple[str, Any, int]]:
    nested = value is None or isinstance(value, dict | list)
    if name in settings.rich_links:
        if isinstance(value, dict) and set(value) == {"url", "value"}:
            yield name, value, _RICH_LINK
            return
        report.note(name, "a rich link holds exactly url and value; this one is treated as any other trait")
    handling = settings.nested_handling_for.get(name, settings.nested_handling if nested else None)
    if handling == "stringify":
        yield name, dumps(value), _STRINGIFIED
    elif handling == "flatten" and nested:
        yield from ((key, item, _PLAIN if key == name else _FLATTENED) for key, item in flatten(name, value))
    elif handling != "drop":
        yield name, value, _PLAIN


def flatten(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Walk a nested value: keys and places in lists joined with dots, empty containers and None as they are."""
    if not isinstance(value, dict | list) or not value:
        yield name, value
        return
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield from flatten(f"{name}.{key}", item)
