"""The metadata of an event: money in cents, flags as text, nothing empty, no more than Intercom keeps.

Source: Segment's documentation page for Intercom, "Track" and "Limited Properties".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..settings import Settings
from .money import decimal
from .names import plain_name, text_of
from .nested import NameDate, custom_attributes, date_key
from .report import Report

_MONEY = frozenset(("revenue", "currency", "total"))
_ORDERS = ("ordercompleted", "completedorder")


def event_metadata(
    event: str, properties: Mapping[str, Any], settings: Settings, report: Report, name_date: NameDate = date_key
) -> dict[str, Any]:
    """Return the metadata of an event; properties beyond ``event_property_limit`` are cut, ``price`` first to stay."""
    known, rest = _split(properties)
    found = custom_attributes(rest, settings, report, name_date)
    if None in found.values():
        found = {name: value for name, value in found.items() if value is not None}
    price = _price(event, known) if known else {}
    room = settings.event_property_limit - len(price)
    if len(found) > room:
        for name in list(found)[room:]:
            report.note(name, f"is beyond the {room + len(price)} properties that Intercom keeps of an event")
            del found[name]
    return {**price, **found} if price else found


def _split(properties: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Divide revenue and currency, which become the price, from the rest, flags as text; an order's total is both."""
    known: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for name, value in properties.items():
        plain = plain_name(name) if isinstance(name, str) else ""
        if plain in _MONEY:
            known.setdefault(plain, value)
            if plain != "total":
                continue
        rest[name] = value if type(value) is not bool else "true" if value else "false"
    return known, rest


def _price(event: str, known: Mapping[str, Any]) -> dict[str, Any]:
    revenue = decimal(known.get("revenue"))
    if not revenue and plain_name(event) in _ORDERS:
        revenue = decimal(known.get("total"))
    if not revenue:
        return {}
    cents = revenue * 100
    amount = int(cents) if cents == int(cents) else float(cents)
    return {"price": {"amount": amount, "currency": text_of(known.get("currency")) or "USD"}}
