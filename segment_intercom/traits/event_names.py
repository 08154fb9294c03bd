"""Which events are told to Intercom, by the lists ``allow_events`` and ``deny_events``; ``*`` stands for any text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from ..settings import Settings

_SPECIAL = re.compile(r"[.+?^${}()|\[\]\\/]")


def is_wanted(event: str, settings: Settings) -> bool:
    """Return whether an event is told: it is on the list of allowed ones, if there is one, and not on the other."""
    if not (settings.allow_events or settings.deny_events):
        return True
    # Python's "$" would also match before a last line's end.
    return _compiled(_pattern(settings, end=r"\Z", text=".*")).match(event) is not None


def events_pattern(settings: Settings) -> str:
    """Return the two lists as one regular expression for browsers; "" where both are empty."""
    return _pattern(settings, end="$", text="[^]*")


def _pattern(settings: Settings, end: str, text: str) -> str:
    denied, allowed = _alternatives(settings.deny_events, text), _alternatives(settings.allow_events, text)
    refusing = f"(?!(?:{denied}){end})" if denied else ""
    wanted = f"(?:{allowed}){end}" if allowed else ""
    return f"^{refusing}{wanted}" if denied or allowed else ""


def _alternatives(names: Sequence[str], text: str) -> str:
    return "|".join(_SPECIAL.sub(r"\\\g<0>", name).replace("*", text) for name in names)


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL)
