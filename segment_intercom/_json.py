"""JSON as compact text that JavaScript's own JSON.stringify would write."""

from __future__ import annotations

import json
import math
from typing import Any

import orjson

_ONLY_JSON = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def dumps(value: Any) -> str:
    """Write JSON values; half a surrogate pair is escaped, so that the text can always be encoded.

    Raises ValueError for NaN and a cycle, TypeError for what JSON has no form for.
    """
    try:
        text = orjson.dumps(value, option=_ONLY_JSON)
    except TypeError:  # orjson refuses lone surrogates and whole numbers beyond 64 bits, too
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    if b"null" in text and holds_nan(value):
        raise ValueError("NaN and infinity are no JSON")
    return text.decode()


def holds_nan(value: Any) -> bool:
    """Return whether a number in a JSON value is none, which orjson writes as null."""
    if isinstance(value, dict):
        return any(map(holds_nan, value.values()))
    if isinstance(value, list | tuple):
        return any(map(holds_nan, value))
    return isinstance(value, float) and not math.isfinite(value)
