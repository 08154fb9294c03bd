"""What every outbox promises: a mailbox for each user, emptied in the order in which it was filled.

A worker leases a user, not a letter, so that one user's calls reach Intercom in their order whatever the number of
workers; a lease that is not renewed ends by itself, and its letters are another worker's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Letter:
    """One call on its way: a message in Segment's JSON form. ``number`` orders the letters of one user."""

    number: int
    message: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Lease:
    """A user's oldest letters, for one worker until ``renew`` is due; ``token`` tells it from a later lease.

    ``attempts`` counts the failures of the first letter so far, ``failing_since`` is the Unix time of the first one.
    """

    user: str = field(repr=False)
    letters: tuple[Letter, ...]
    token: str
    attempts: int = 0
    failing_since: float | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A call that was given up, with the reason and Intercom's reply; ``given_up_at`` is in Unix seconds."""

    number: int
    user: str = field(repr=False)
    message: bytes = field(repr=False)
    reason: str
    reply: str
    given_up_at: float


@dataclass(frozen=True, slots=True)
class Counts:
    """How many letters wait, were delivered and were given up, since the outbox was made."""

    waiting: int
    delivered: int
    given_up: int


class Outbox(Protocol):
    """Every method may be called from any thread, and raises OutboxError when the store cannot be read or written."""

    def put(self, user: str, message: bytes, message_id: str | None = None) -> bool:
        """Keep a message for a user; once this returns, it survives the end of any process.

        False, and nothing is kept, when a message with this ``message_id`` came in the last 24 hours.
        """

    def lease(self) -> Lease | None:
        """Take the letters of the user who has waited longest, for 30 seconds; None when nobody is due."""

    def renew(self, lease: Lease) -> bool:
        """Keep a lease for 30 seconds from now; False when it has ended and is another worker's."""

    def done(self, lease: Lease, letters: Sequence[Letter]) -> bool:
        """Strike the first letters of a lease off, as delivered; False, and nothing is done, when it has ended."""

    def give_up(self, lease: Lease, letter: Letter, reason: str, reply: str = "") -> bool:
        """Lay a letter by as a dead letter; the user's next one is free to go. False as in ``done``."""

    def retry(self, lease: Lease, delay: float) -> None:
        """End a lease after a failure of its first letter; nobody takes the user's letters for ``delay`` seconds."""

    def release(self, lease: Lease, delay: float = 0.0) -> None:
        """End a lease without a failure: its remaining letters are anybody's after ``delay`` seconds."""

    def next_due(self) -> float | None:
        """The seconds until ``lease`` may find somebody, 0 when it may now; None when nothing waits."""

    def left(self) -> int:
        """How many of the letters put through this object in this process still wait."""

    def counts(self) -> Counts:
        """How many letters wait, were delivered and were given up."""

    def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """The newest dead letters, newest first."""

    def resend(self) -> int:
        """Put all dead letters back, oldest first, behind what their users have waiting; return how many."""

    def discard(self) -> int:
        """Drop all dead letters for good; return how many."""

    def recall(self, key: str) -> str | None:
        """What was remembered under a key, by any worker, while it lasts."""

    def remember(self, key: str, value: str, seconds: float) -> None:
        """Keep a value for all workers; it is a note, so the loss of it costs no more than a request."""

    def forget(self, key: str) -> None:
        """Drop what was remembered under a key."""

    def close(self) -> None:
        """Let go of the store; what waits in it stays."""
