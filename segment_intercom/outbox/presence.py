"""What workers note in an outbox for its operator: that one delivers, and what went wrong last."""

from __future__ import annotations

import time

from .base import Outbox

_DELIVERS, _PROBLEM = "worker seen", "last error"
SEEN_EVERY = 20.0
_SEEN_SECONDS = 60.0
_KEPT = 30 * 86_400.0


def note_worker(outbox: Outbox) -> None:
    """Note that a worker is looking for work."""
    outbox.set(_DELIVERS, repr(time.time()), _SEEN_SECONDS)


def note_end(outbox: Outbox) -> None:
    """Note that a worker has ended because nothing is left; another one notes itself again within seconds."""
    outbox.delete(_DELIVERS)


def worker_seen(outbox: Outbox) -> float | None:
    """The seconds since a worker was seen, or None where none was within the last minute."""
    seen = outbox.get(_DELIVERS)
    return None if seen is None else max(0.0, time.time() - float(seen))


def note_problem(outbox: Outbox, problem: str) -> None:
    """Note why delivery failed, in words that hold nothing of a user."""
    outbox.set(_PROBLEM, f"{time.time()!r} {problem}", _KEPT)


def last_problem(outbox: Outbox) -> tuple[float, str] | None:
    """When delivery failed last, in Unix seconds, and why; None where it did not within a month."""
    at, _, problem = (outbox.get(_PROBLEM) or "").partition(" ")
    return (float(at), problem) if at else None
