"""JSON as compact text that JavaScript's own JSON.stringify would write."""

from __future__ import annotations

import json
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
    if b"null" in text:  # perhaps a NaN, which orjson writes so and the standard library refuses
        json.dumps(value, allow_nan=False, default=str)
    return text.decode()
