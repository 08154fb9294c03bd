"""What every outbox promises: a partition for each user, emptied in the order in which it was filled.

A worker leases a user, not a message, so that one user's calls reach Intercom in their order whatever the number of
workers; a lease that is not renewed ends by itself, and its messages are another worker's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """One call on its way: a message in Segment's JSON form. ``number`` orders the messages of one user."""

    number: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Lease:
    """A user's oldest messages, for one worker until ``renew`` is due; ``token`` tells it from a later lease.

    ``attempts`` counts the failures of the first message so far, ``failing_since`` is the Unix time of the first one.
    """

    user: str = field(repr=False)
    messages: tuple[QueuedMessage, ...]
    token: str
    attempts: int = 0
    failing_since: float | None = None
    # Seconds of failures after which the first message is given up.
    give_up_after: float = 86_400.0


@dataclass(frozen=True, slots=True)
class WaitingMessage:
    """A message that waits, with its user; ``number`` is its place in the order of acceptance."""

    number: int
    user: str = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A call that was given up, with the reason and Intercom's reply; ``given_up_at`` is in Unix seconds."""

    number: int
    user: str = field(repr=False)
    body: bytes = field(repr=False)
    reason: str
    reply: str
    given_up_at: float


@dataclass(frozen=True, slots=True)
class Counts:
    """How many messages wait, were delivered and were given up, since the outbox was made.

    ``left_out`` counts the values that Intercom refused by name, and without which the rest of a call was delivered.
    """

    waiting: int
    delivered: int
    given_up: int
    left_out: int = 0


class Queue(Protocol):
    """The messages that wait, in a partition for each user."""

    def put(self, user: str, body: bytes, message_id: str | None = None) -> bool:
        """Keep a message of a user; once this returns, it survives the end of any process.

        False, and nothing is kept, when a message with this ``message_id`` came in the last 24 hours.
        """

    def put_all(self, messages: Iterable[tuple[str, bytes, str | None]]) -> int:
        """Keep several messages, each as (user, body, message id), or none if it raises; return how many are new."""

    def replace(self, user: str, body: bytes, message_id: str | None = None) -> bool:
        """Keep a message in place of all that wait for a user, which are dropped. False as in ``put``.

        What a worker holds may still be delivered, before this message is.
        """

    def strike(self, user: str, before: int) -> bool:
        """Drop what waits for a user with a lower number than ``before``.

        False, and nothing is dropped, while a worker holds a message of theirs.
        """

    def waits(self, user: str, before: int) -> bool:
        """Whether a message of a user with a lower number is still to be delivered.

        Of an engine with partitions of many users it may be one of any of these.
        """

    def lease(self) -> Lease | None:
        """Take the messages of the user who has waited longest, for 30 seconds; None when no user is due."""

    def renew(self, lease: Lease) -> bool:
        """Keep a lease for 30 seconds from now; False when it has ended and is another worker's."""

    def done(self, lease: Lease, messages: Sequence[QueuedMessage]) -> bool:
        """Remove the first messages of a lease as delivered; False, and nothing is done, when it has ended."""

    def give_up(self, lease: Lease, message: QueuedMessage, reason: str, reply: str = "") -> bool:
        """Keep a message as a dead letter; the user's next one is free to go. False as in ``done``."""

    def retry(self, lease: Lease, delay: float) -> None:
        """End a lease after a failure of its first message; the user's messages wait for ``delay`` seconds."""

    def release(self, lease: Lease, delay: float = 0.0) -> None:
        """End a lease without a failure: its remaining messages are free after ``delay`` seconds."""

    def browse(self, after: int = 0, limit: int = 500) -> list[WaitingMessage]:
        """Messages that wait, in the order of acceptance, those with a higher number than ``after``."""

    def next_due(self) -> float | None:
        """The seconds until ``lease`` may find a user, 0 when it may now; None when nothing waits."""

    def left(self) -> int:
        """How many of the messages put through this object in this process still wait."""

    def oldest(self) -> float | None:
        """The age in seconds of the message that has waited longest; None when none waits."""

    def left_out(self, number: int = 1) -> None:
        """Count values that Intercom refused by name, and without which the rest of a call was delivered."""

    def counts(self) -> Counts:
        """How many messages wait, were delivered and were given up, and how many values were left out."""


class DeadLetters(Protocol):
    """The messages that were given up: they can be looked at, sent again, or dropped."""

    def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """The newest dead letters, newest first."""

    def resend(self) -> int:
        """Put all dead letters back, oldest first, behind what their users have waiting; return how many."""

    def discard(self, user: str | None = None) -> int:
        """Drop all dead letters for good, or those of a user; return how many."""


class KeyValue(Protocol):
    """Values that all workers share, each for a time; the loss of one costs no more than a request."""

    def get(self, key: str) -> str | None:
        """Return the value of a key while it lasts, else None."""

    def set(self, key: str, value: str, seconds: float) -> None:
        """Keep a value for so many seconds."""

    def delete(self, key: str) -> None:
        """Drop the value of a key, if there is one."""


class Outbox(Queue, DeadLetters, KeyValue, Protocol):
    """Where calls wait for delivery.

    Every method may be called from any thread, and raises OutboxError when the store cannot be read or written.
    """

    @property
    def location(self) -> str:
        """Where the calls wait, in words for an operator, without a password."""

    def exists(self) -> bool:
        """Return True once there is a store; it is made with the first call."""

    def obstacle(self) -> str | None:
        """Return why this process could not make the store, or None."""

    def migrate(self) -> str:
        """Make the store, or bring it to this version's format; return what was done."""

    def watch(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` when another process has put messages, where the engine can tell."""

    def put_within(self, connection: Any, user: str, body: bytes, message_id: str | None = None) -> None:
        """Keep a message exactly when the transaction of an application's connection commits."""

    def close(self) -> None:
        """Let go of the store; what waits in it stays."""
