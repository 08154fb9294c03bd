"""Bodies as JSON, strictly: what other readers would not take is not taken here."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

_DEEPEST = 100


def loads(body: bytes) -> Any:
    """The JSON of a body; raises ValueError where it is none, where a number is not finite, or nests too deeply."""
    try:
        value = json.loads(body, parse_constant=_no_number, parse_float=_finite)
    except RecursionError:
        raise ValueError("the body is nested too deeply") from None
    # What is only just read could not be shown again, in the midst of more.
    if body.count(b"[") + body.count(b"{") > _DEEPEST and _depth(value) > _DEEPEST:
        raise ValueError("the body is nested too deeply")
    return value


def _depth(value: Any) -> int:
    level, depth = [value], 0
    while level:
        inner = [item for item in level if isinstance(item, dict | list)]
        level = [value for item in inner for value in (item.values() if isinstance(item, dict) else item)]
        depth += 1
    return depth


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(text)


def _no_number(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")
