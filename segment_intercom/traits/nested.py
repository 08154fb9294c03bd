"""Custom attributes: plain values, dates under keys that show it, nothing nested but where it was asked for.

Source: Segment's documentation page for Intercom, "Default Nested Trait and Property Handling".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..jsontext import dumps
from ..settings import Settings
from .dates import starts_like_a_date
from .report import Report
from .values import LARGEST, Seconds, Unsendable, plain, plain_key

# When two attributes end up with one name, the later kind in this list wins.
_STRINGIFIED, _FLATTENED, _PLAIN, _RICH_LINK = range(4)
_NESTED = (dict, list)
NameDate = Callable[[str], str]
COLLISION = "two traits end up with this name; only one of them is sent"


def date_key(name: str) -> str:
    """The key of a date: one that ends in ``_at`` or ``At`` stays, `` at`` becomes ``_at``, others get ``_at``."""
    if name.endswith(("_at", "At")):
        return name
    return name.removesuffix(" at") + "_at"


def custom_attributes(
    traits: Mapping[str, Any], settings: Settings, report: Report, name_date: NameDate = date_key
) -> dict[str, Any]:
    """Turn traits into custom attributes, each trait in three steps: plain values, date keys, nested handling.

    ``name_date`` gives the key of a date. A trait that cannot be sent is refused through the report, by its name.
    """
    if not traits:
        return {}
    special = settings.nested_handling_for or settings.rich_links
    chosen = {*settings.nested_handling_for, *settings.rich_links} if special else ()
    # The common case, decided without a call, since this loop is most of what a page costs: text that is no date, a
    # flag, a number that JavaScript writes in the same way.
    odd = [
        name
        for name, value in traits.items()
        if not (
            ("-" not in value or not starts_like_a_date(value))
            if (kind := type(value)) is str
            else kind is bool or (kind is int and -LARGEST < value < LARGEST) or (kind is float and value % 1 > 0)
        )
        or type(name) is not str
        or name in chosen
    ]
    return _work_out(traits, frozenset(odd), settings, report, name_date) if odd else dict(traits)


def _work_out(
    traits: Mapping[str, Any], odd: frozenset[str], settings: Settings, report: Report, name_date: NameDate
) -> dict[str, Any]:
    """Take the odd traits through the steps, and see to it that of two attributes with one name the right one stays."""
    found: dict[str, Any] = {}
    ranks: dict[str, int] = {}
    for name, value in traits.items():
        if name not in odd:
            if name in found:
                report.note(name, COLLISION)
            found[name] = value
            continue
        for key, item, rank in _steps(name, value, traits, settings, report, name_date):
            if key in found:
                report.note(key, COLLISION)
                if rank < ranks.get(key, _PLAIN):
                    continue
            found[key], ranks[key] = item, rank
    return found


def _steps(
    name: Any, value: Any, traits: Mapping[str, Any], settings: Settings, report: Report, name_date: NameDate
) -> Iterable[tuple[str, Any, int]]:
    """The attributes that one trait becomes, each with its rank where names collide."""
    try:
        key = plain_key(name, (str(name),))
        value = plain(value, (key,))
    except Unsendable as error:
        report.refuse(error.field, str(error))
        return ()
    if type(value) is Seconds:
        if (named := name_date(key)) != key and named in traits:
            report.note(key, f"as a date it is named {named:.60}, which another trait has taken; it is not sent")
            return ()
        key, value = named, int(value)
    elif isinstance(value, _NESTED):
        return _handle(key, value, settings, report, name_date)
    if value is None or key in settings.nested_handling_for or key in settings.rich_links:
        return _handle(key, value, settings, report, name_date)
    return ((key, value, _PLAIN),)


def _handle(
    name: str, value: Any, settings: Settings, report: Report, name_date: NameDate
) -> Iterable[tuple[str, Any, int]]:
    nested = value is None or isinstance(value, _NESTED)
    if name in settings.rich_links:
        if _is_rich_link(value):
            return ((name, value, _RICH_LINK),)
        report.note(name, "a rich link holds exactly url and value; this one is treated as any other trait")
    handling = settings.nested_handling_for.get(name, settings.nested_handling if nested else None)
    if handling == "stringify":
        return ((name, dumps(_with_named_dates(value, report, name_date)), _STRINGIFIED),)
    if handling == "flatten" and nested:
        if not value:
            return ((name, value, _PLAIN),)
        found: list[tuple[str, Any, int]] = []
        _flatten(name, value, found, report, name_date)
        return found
    return () if handling == "drop" else ((name, value, _PLAIN),)


def _is_rich_link(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"url", "value"}


def _flatten(name: str, value: Any, found: list[tuple[str, Any, int]], report: Report, name_date: NameDate) -> None:
    """Walk a nested value: keys and places in lists joined with dots, empty containers and None as they are."""
    if type(value) is dict:
        items: Iterable[tuple[Any, Any]] = _named_dates(value, report, name_date).items()
    else:
        items = enumerate(value)
    for key, item in items:
        path = f"{name}.{key}"
        if type(item) in _NESTED and item:
            _flatten(path, item, found, report, name_date)
        else:
            found.append((path, int(item) if type(item) is Seconds else item, _FLATTENED))


def _named_dates(values: dict[str, Any], report: Report, name_date: NameDate) -> dict[str, Any]:
    """Give every date of a nested dict the key of a date; where there is none the dict is the same."""
    dates = [name for name, value in values.items() if type(value) is Seconds and name_date(name) != name]
    for name in dates:
        if name_date(name) in values:
            taken = f"as a date it is named {name_date(name):.60}, which another trait has taken; it is not sent"
            report.note(name, taken)
    if not dates:
        return values
    kept = ((name_date(name) if name in dates else name, name, value) for name, value in values.items())
    return {key: value for key, name, value in kept if key == name or key not in values}


def _with_named_dates(value: Any, report: Report, name_date: NameDate) -> Any:
    """The same value with the dates in it named so, at any depth."""
    if type(value) is dict:
        named = _named_dates(value, report, name_date)
        return {name: _with_named_dates(item, report, name_date) for name, item in named.items()}
    if type(value) is list:
        return [_with_named_dates(item, report, name_date) for item in value]
    return int(value) if type(value) is Seconds else value
