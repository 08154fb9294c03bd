"""Numbers, and amounts of money: read exactly, and rounded once, to the whole cents that Intercom takes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

_NUMBERS = (int, float, Decimal)
_LONGEST = 40  # what is longer is no amount of money
_LARGEST = 2**53  # in cents; from here on JavaScript loses digits
# The signs that stand for one currency everywhere, and the dollar. static/segment_intercom/money.js has the same.
SIGNS = {
    "$": "USD",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "₹": "INR",
    "₩": "KRW",
    "₽": "RUB",
    "₺": "TRY",
    "₪": "ILS",
    "₫": "VND",
    "₴": "UAH",
    "₱": "PHP",
    "₦": "NGN",
    "฿": "THB",
}
_UNIT = rf"([A-Za-z]{{3}}|[{''.join(SIGNS)}])?"
_AMOUNT = re.compile(rf"(-?){_UNIT}\s*(-?)((?:[0-9]+|[0-9]{{1,3}}(?:,[0-9]{{3}})+)(?:\.[0-9]+)?)\s*{_UNIT}")
_CURRENCY = re.compile(r"[A-Za-z]{3}")


class Money(NamedTuple):
    """An exact amount, and the currency where a sign or a code beside it says which."""

    amount: Decimal
    currency: str | None


def is_finite(number: Any) -> bool:
    """Return whether a number has a size that a float could have; signalling NaNs and endless Decimals have none."""
    try:
        return math.isfinite(number)
    except (ValueError, OverflowError):
        return False


def amount(value: Any) -> int | float | None:
    """Read a number or a text such as ``$1,234.50``: an int when whole, else a float; None when it is neither."""
    money = read_money(value)
    if money is None:
        return None
    return int(money.amount) if money.amount == int(money.amount) else float(money.amount)


def read_money(value: Any) -> Money | None:
    """Read a number, or a text that holds a plain one, such as ``$1,234.50`` or ``19.99 EUR``, else None.

    Only one sign of a currency, or code of three letters, may stand beside the number.
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, _NUMBERS):
        return Money(Decimal(str(value)), None) if is_finite(value) else None
    text = str(value).strip() if isinstance(value, str) else ""
    if len(text) <= _LONGEST and text.isascii() and text.replace(".", "", 1).isdigit() and text[0] != "." != text[-1]:
        return Money(Decimal(text), None)  # as what programs write, without the pattern
    match = _AMOUNT.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    before, left, inner, digits, right = match.groups()
    if (before and inner) or (left and right):
        return None
    unit = left or right
    number = Decimal(digits.replace(",", ""))
    return Money(-number if before or inner else number, SIGNS.get(unit, unit.upper()) if unit else None)


def currency_of(value: Any) -> str | None:
    """The code of a currency: three letters as they are, or what a sign stands for; None when it is neither."""
    text = str(value).strip() if isinstance(value, str) else ""
    return SIGNS.get(text) or (text if _CURRENCY.fullmatch(text) else None)


def whole_cents(exact: Decimal) -> int | None:
    """An amount of cents as a whole number, half a cent up; None when it is too large for any JSON reader."""
    cents = int(exact)
    if cents != exact:
        cents = int(exact.to_integral_value(ROUND_HALF_UP))
    return cents if -_LARGEST < cents < _LARGEST else None


def monetary_amount(value: Any) -> tuple[dict[str, Any], bool] | None:
    """Intercom's own form of money, ``{amount: 1999, currency: "EUR"}``, and whether its amount had to be rounded.

    None when the value has another form.
    """
    if not isinstance(value, Mapping) or len(value) != 2 or "amount" not in value or "currency" not in value:
        return None
    money, currency = read_money(value["amount"]), currency_of(value["currency"])
    cents = whole_cents(money.amount) if money is not None else None
    if money is None or cents is None or currency is None:
        return None
    return {"amount": cents, "currency": currency}, cents != money.amount
