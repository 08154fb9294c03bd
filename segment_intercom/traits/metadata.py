"""The metadata of an event: money in whole cents, flags as text, nothing empty, no more than Intercom keeps.

Source: Segment's documentation page for Intercom, "Track" and "Limited Properties".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..diagnostics import Diagnostics
from ..settings import Settings
from ..spec import SPEC
from .attributes import NameDate, custom_attributes, date_key
from .labels import Label, labelled, metadata_name
from .names import plain_name, text_of
from .numbers import currency_of, monetary_amount, read_money, whole_cents

_MONEY = frozenset(("revenue", "currency", "total"))
_ORDERS = ("ordercompleted", "completedorder")
_LONGEST_TEXT = SPEC.limits.property_text
_ROUNDED = "is finer than whole cents, which is what Intercom takes; it is rounded half up"
_UNREADABLE = (
    'is no amount of money such as 19.99, "$1,234.50" or "19.99 EUR"; it is kept as a property, without a price'
)
_REPEATED = "another property of the same meaning comes first; this one is not sent"


def event_metadata(
    event: str,
    properties: Mapping[str, Any],
    settings: Settings,
    diagnostics: Diagnostics,
    name_date: NameDate = date_key,
    label: Label | None = metadata_name,
) -> dict[str, Any]:
    """Return the metadata of an event; properties beyond ``event_property_limit`` are cut, ``price`` first to stay.

    ``revenue`` and ``currency`` become ``price``; what of them cannot be read stays a property. ``label`` gives the
    names that Intercom keeps, None leaves them as they are.
    """
    money, rest = _split(properties, diagnostics)
    price: dict[str, Any] = {}
    if money:
        price, unread = _price(event, money, diagnostics)
        rest = {**unread, **rest} if unread else rest
    metadata: Mapping[str, Any] = custom_attributes(rest, settings, diagnostics, name_date, _monetary)
    if label is not None:
        metadata = labelled(metadata, label, diagnostics)
    texts = {
        name: value if type(value) is not str or len(value) <= _LONGEST_TEXT else _shortened(name, value, diagnostics)
        for name, value in metadata.items()
        if value is not None
    }
    if price and texts.pop("price", None) is not None:
        diagnostics.warn("price", "the revenue comes first; this property is not sent")
    room = settings.event_property_limit - len(price)
    if len(texts) > room:
        for name in list(texts)[room:]:
            diagnostics.warn(name, f"is beyond the {room + len(price)} properties that Intercom keeps of an event")
            del texts[name]
    return {**price, **texts} if price else texts


def _split(
    properties: Mapping[str, Any], diagnostics: Diagnostics
) -> tuple[dict[str, tuple[str, Any]], dict[str, Any]]:
    """Divide revenue and currency, each by its meaning with its name and value, from the rest; a total is both.

    In the rest flags are text, as Intercom keeps them, and there is nothing that is None.
    """
    money: dict[str, tuple[str, Any]] = {}
    rest: dict[str, Any] = {}
    for name, value in properties.items():
        if value is None:
            continue
        plain = plain_name(name) if isinstance(name, str) else ""
        if plain in _MONEY:
            if plain not in money:
                money[plain] = (name, value)
            elif plain != "total":
                diagnostics.warn(name, _REPEATED)
            if plain != "total":
                continue
        rest[name] = value if type(value) is not bool else "true" if value else "false"  # as _flag, without a call
    return money, rest


def _price(
    event: str, money: Mapping[str, tuple[str, Any]], diagnostics: Diagnostics
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The price, and the properties of which none could be made, under their own names."""
    revenue, currency = money.get("revenue"), money.get("currency")
    read = read_money(revenue[1]) if revenue else None
    cents = whole_cents(read.amount * 100) if read is not None else None
    unread = {}
    if revenue is not None and cents is None:
        diagnostics.warn(revenue[0], _UNREADABLE)
        unread[revenue[0]] = _flag(revenue[1])
    if not cents and (read is None or not read.amount) and "total" in money and plain_name(event) in _ORDERS:
        revenue, read = None, read_money(money["total"][1]) or read
        cents = whole_cents(read.amount * 100) if read is not None else None
    if cents is not None and read is not None and not read.amount:  # what costs nothing has no price
        return {}, unread
    code = currency_of(text_of(currency[1])) if currency else None
    if currency is not None and code is None and not _is_blank(currency[1]):
        diagnostics.warn(currency[0], "is no currency, such as EUR; it is kept as a property, without a price")
        cents = None
    if cents is None or read is None:
        unpriced = {pair[0]: _flag(pair[1]) for pair in (revenue, currency) if pair is not None}
        return {}, {**unread, **unpriced}
    if cents != read.amount * 100:
        diagnostics.warn("revenue", _ROUNDED)
    return {"price": {"amount": cents, "currency": code or read.currency or "USD"}}, unread


def _is_blank(value: Any) -> bool:
    return isinstance(value, str) and not value.strip()


def _flag(value: Any) -> Any:
    """A flag as the text that Intercom keeps of it; any other value as it is."""
    return value if type(value) is not bool else "true" if value else "false"


def _monetary(name: str, value: Any, diagnostics: Diagnostics) -> dict[str, Any] | None:
    """A property in Intercom's own form of money, which passes whole."""
    if type(value) is not dict and not isinstance(value, Mapping):
        return None
    read = monetary_amount(value)
    if read is not None and read[1]:
        diagnostics.warn(f"{name}.amount", _ROUNDED)
    return None if read is None else read[0]


def _shortened(name: str, value: str, diagnostics: Diagnostics) -> str:
    diagnostics.warn(name, f"is longer than the {_LONGEST_TEXT} characters that Intercom keeps; the rest is cut off")
    return value[:_LONGEST_TEXT]
