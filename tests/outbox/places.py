"""Where outboxes keep their messages in tests: a clock that is moved, and a place for each kind."""

from __future__ import annotations

from collections.abc import Callable

from segment_intercom.outbox import Outbox


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += seconds


class Place:
    """Where an outbox keeps its messages: each ``open`` gives another object on the same messages."""

    def __init__(self, make: Callable[[Clock], Outbox], delay: float = 1.0) -> None:
        self.clock = Clock()
        self.delay = delay  # of a retry, in seconds of the clock that the outbox looks at
        self._make = make
        self._opened: list[Outbox] = []

    def open(self) -> Outbox:
        self._opened.append(self._make(self.clock))
        return self._opened[-1]

    def close(self) -> None:
        for box in self._opened:
            box.close()
