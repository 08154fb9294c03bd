"""Numbers, and amounts of money: read exactly and never rounded."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

_NUMBERS = (int, float, Decimal)
_LONGEST = 40  # nobody has as much; what is longer is no amount
_AMOUNT = re.compile(r"-?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?")


def is_finite(number: Any) -> bool:
    """Tell whether a number has a size that a float could have, too; signalling NaNs and endless Decimals have none."""
    try:
        return math.isfinite(number)
    except (ValueError, OverflowError):
        return False


def amount(value: Any) -> int | float | None:
    """Read a number or a text such as ``$1,234.50``: an int when whole, else a float; None when it is neither."""
    found = decimal(value)
    if found is None:
        return None
    return int(found) if found == int(found) else float(found)


def decimal(value: Any) -> Decimal | None:
    """Read a number or a text such as ``$1,234.50`` as an exact Decimal; None when it is neither."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, _NUMBERS):
        return Decimal(str(value)) if is_finite(value) else None
    text = str(value).strip().replace("$", "", 1) if isinstance(value, str) else ""
    return Decimal(text.replace(",", "")) if len(text) <= _LONGEST and _AMOUNT.fullmatch(text) else None
