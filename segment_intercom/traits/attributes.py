"""Custom attributes: plain values, dates under keys that show it, nothing nested but where it was asked for.

Source: Segment's documentation page for Intercom, "Default Nested Trait and Property Handling".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .._json import dumps
from ..diagnostics import Diagnostics
from ..settings import Settings
from ..spec import SPEC
from .coerce import LARGEST, UnixTime, UnsupportedValue, key_to_json, to_json
from .dates import starts_like_a_date
from .labels import COLLISION

# When two attributes end up with one name, the later kind in this list wins.
_STRINGIFIED, _FLATTENED, _PLAIN, _RICH_LINK = range(4)
_NESTED = (dict, list)
# Custom attributes of an Intercom workspace; one call, a long list flattened for example, can never need more.
MOST = SPEC.limits.custom_attributes
NameDate = Callable[[str], str]
# Gives a nested value back in a form of Intercom's own, in which it passes whole; None where it has none.
Whole = Callable[[str, Any, Diagnostics], Any]


def date_key(name: str) -> str:
    """The key of a date: one that ends in ``_at`` or ``At`` stays, `` at`` becomes ``_at``, others get ``_at``."""
    if name.endswith(("_at", "At")):
        return name
    return name.removesuffix(" at") + "_at"


def custom_attributes(
    traits: Mapping[str, Any],
    settings: Settings,
    diagnostics: Diagnostics,
    name_date: NameDate = date_key,
    whole: Whole | None = None,
) -> dict[str, Any]:
    """Turn traits into custom attributes, each trait in three steps: plain values, date keys, nested handling.

    ``name_date`` gives the key of a date, ``whole`` keeps nested values that Intercom knows. A trait that cannot be
    sent is rejected through the diagnostics, by its name; of more than ``MOST`` the first are kept.
    """
    if not traits:
        return {}
    special = settings.nested_handling_for or settings.rich_links
    chosen = {*settings.nested_handling_for, *settings.rich_links} if special else ()
    # The common case, decided without a call, since this loop is most of what a page costs: text that is no date, a
    # flag, a number that JavaScript writes in the same way.
    needs_coercion = [
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
    if not needs_coercion:
        attributes = dict(traits)
    else:
        attributes = _work_out(traits, frozenset(needs_coercion), settings, diagnostics, name_date, whole)
    return attributes if len(attributes) <= MOST else _bounded(attributes, diagnostics)


def _bounded(attributes: Mapping[str, Any], diagnostics: Diagnostics) -> dict[str, Any]:
    names = list(attributes)
    diagnostics.warn(
        names[MOST], f"and what follows it is beyond the {MOST} custom attributes of a workspace; it is left out"
    )
    return {name: attributes[name] for name in names[:MOST]}


def _work_out(
    traits: Mapping[str, Any],
    needs_coercion: frozenset[str],
    settings: Settings,
    diagnostics: Diagnostics,
    name_date: NameDate,
    whole: Whole | None,
) -> dict[str, Any]:
    """Take the odd traits through the steps, and see to it that of two attributes with one name the right one stays."""
    attributes: dict[str, Any] = {}
    ranks: dict[str, int] = {}
    for name, value in traits.items():
        if name not in needs_coercion:
            if name in attributes:
                diagnostics.warn(name, COLLISION)
            attributes[name] = value
            continue
        form = (
            whole(name, value, diagnostics) if whole is not None and name not in settings.nested_handling_for else None
        )
        steps = ((name, form, _RICH_LINK),) if form else _steps(name, value, traits, settings, diagnostics, name_date)
        for key, item, rank in steps:
            if key in attributes:
                diagnostics.warn(key, COLLISION)
                if rank < ranks.get(key, _PLAIN):
                    continue
            attributes[key], ranks[key] = item, rank
    return attributes


def _steps(
    name: Any, value: Any, traits: Mapping[str, Any], settings: Settings, diagnostics: Diagnostics, name_date: NameDate
) -> Iterable[tuple[str, Any, int]]:
    """The attributes that one trait becomes, each with its rank where names collide."""
    try:
        key = key_to_json(name, (str(name),))
        value = to_json(value, (key,))
    except UnsupportedValue as error:
        diagnostics.reject(error.field, str(error))
        return ()
    if type(value) is UnixTime:
        if (date_name := name_date(key)) != key and date_name in traits:
            diagnostics.warn(
                key, f"as a date it is named {date_name:.60}, which another trait has taken; it is not sent"
            )
            return ()
        key, value = date_name, int(value)
    elif isinstance(value, _NESTED):
        return _handle(key, value, settings, diagnostics, name_date)
    if value is None or key in settings.nested_handling_for or key in settings.rich_links:
        return _handle(key, value, settings, diagnostics, name_date)
    return ((key, value, _PLAIN),)


def _handle(
    name: str, value: Any, settings: Settings, diagnostics: Diagnostics, name_date: NameDate
) -> Iterable[tuple[str, Any, int]]:
    nested = value is None or isinstance(value, _NESTED)
    if name in settings.rich_links:
        if _is_rich_link(value):
            return ((name, value, _RICH_LINK),)
        diagnostics.warn(name, "a rich link holds exactly url and value; this one is treated as any other trait")
    handling = settings.nested_handling_for.get(name, settings.nested_handling if nested else None)
    if handling == "stringify":
        return ((name, dumps(_with_named_dates(value, diagnostics, name_date)), _STRINGIFIED),)
    if handling == "flatten" and nested:
        if not value:
            return ((name, value, _PLAIN),)
        flattened: list[tuple[str, Any, int]] = []
        _flatten(name, value, flattened, diagnostics, name_date)
        return flattened
    return () if handling == "drop" else ((name, value, _PLAIN),)


def _is_rich_link(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"url", "value"}


def _flatten(
    name: str, value: Any, flattened: list[tuple[str, Any, int]], diagnostics: Diagnostics, name_date: NameDate
) -> None:
    """Walk a nested value: keys and places in lists joined with dots, empty containers and None as they are."""
    if type(value) is dict:
        items: Iterable[tuple[Any, Any]] = _named_dates(value, diagnostics, name_date).items()
    else:
        items = enumerate(value)
    for key, item in items:
        path = f"{name}.{key}"
        if type(item) in _NESTED and item:
            _flatten(path, item, flattened, diagnostics, name_date)
        else:
            flattened.append((path, int(item) if type(item) is UnixTime else item, _FLATTENED))


def _named_dates(values: dict[str, Any], diagnostics: Diagnostics, name_date: NameDate) -> dict[str, Any]:
    """Give every date of a nested dict the key of a date; where there is none the dict is the same."""
    dates = [name for name, value in values.items() if type(value) is UnixTime and name_date(name) != name]
    for name in dates:
        if name_date(name) in values:
            taken = f"as a date it is named {name_date(name):.60}, which another trait has taken; it is not sent"
            diagnostics.warn(name, taken)
    if not dates:
        return values
    triples = ((name_date(name) if name in dates else name, name, value) for name, value in values.items())
    return {key: value for key, name, value in triples if key == name or key not in values}


def _with_named_dates(value: Any, diagnostics: Diagnostics, name_date: NameDate) -> Any:
    """The same value with the dates in it named so, at any depth."""
    if type(value) is dict:
        pairs = _named_dates(value, diagnostics, name_date)
        return {name: _with_named_dates(item, diagnostics, name_date) for name, item in pairs.items()}
    if type(value) is list:
        return [_with_named_dates(item, diagnostics, name_date) for item in value]
    return int(value) if type(value) is UnixTime else value
