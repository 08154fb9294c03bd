"""The gate that threads pass before they send: open while there is budget, and for nobody once it is closed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from .base import Reply
from .failure import closing
from .rate import Budget, news_of

# The sender's lease of 30 seconds runs while it waits here and then up to 10 seconds for the answer.
PATIENCE = 15.0


class Gate:
    """A budget that threads share; a test brings a clock, and a condition that waits by it."""

    def __init__(
        self,
        host: str,
        clock: Callable[[], float] = time.monotonic,
        condition: Callable[[], threading.Condition] = threading.Condition,
    ) -> None:
        self._host = host
        self._clock = clock
        self._changed = condition()
        self._budget = Budget()
        self._is_closed = False

    def enter(self) -> int | Reply:
        """Wait for leave to send and return the ticket, or what to answer when that would take too long.

        Raises TransportError once the gate is closed.
        """
        with self._changed:
            last = self._clock() + PATIENCE
            while not self._is_closed:
                now = self._clock()
                pause = self._budget.pause(now)
                if pause <= 0:
                    return self._budget.start(now)
                if now + pause > last:
                    return Reply(429, wait=pause)
                self._changed.wait(pause)
        raise closing(self._host)

    def leave(self, ticket: int, status: int, headers: Mapping[str, str]) -> float:
        """Count an answer; returns the seconds to wait after a 429, else 0."""
        news = news_of(headers, time.time())
        with self._changed:
            now = self._clock()
            wait = 0.0
            if status == 429:
                wait = self._budget.refused(now, ticket, news)
            else:
                self._budget.answered(now, ticket, news)
            self._changed.notify_all()
        return wait

    def lose(self, ticket: int) -> None:
        """Count a request that got no answer."""
        with self._changed:
            self._budget.lost(ticket)
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody in any more, those who wait included."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
