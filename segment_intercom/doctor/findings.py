"""A finding: how bad it is, what was seen, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen of one thing, whose name stands first; never a secret or a proof."""

    level: Level
    what: str
    remedy: str = ""


def ok(what: str, remedy: str = "") -> Finding:
    """Say that something is as it should be, or that it cannot be seen from here."""
    return Finding("ok", what, remedy)


def warning(what: str, remedy: str) -> Finding:
    """Say that something works, but perhaps not as it is meant."""
    return Finding("warning", what, remedy)


def problem(what: str, remedy: str) -> Finding:
    """Say that the Messenger does not work, or shows a user what is not theirs."""
    return Finding("problem", what, remedy)


def shown(value: object) -> str:
    """Text of a page as it may stand in a terminal: of one line, without control characters, not too long."""
    text = ascii(value)[1:-1] if isinstance(value, str) else ascii(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
