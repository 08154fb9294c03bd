"""The rate limiter that threads share: each acquires a window id before it sends, and waits for a budget."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping

from ..diagnostics import logger
from .base import Reply
from .failure import closing
from .rate_limit import RateWindow, pause_asked, read_headers

# The sender's lease of 30 seconds runs while it waits here and then up to 10 seconds for the answer.
PATIENCE = 15.0
# Where calls go to several workspaces: a thread that waits for one of them longer is kept from the others.
SHARED_PATIENCE = 1.0
# Seconds: Intercom's windows last ten, so a longer pause is worth a word.
_LONG = 30.0


class RateLimiter:
    """A budget that threads share; a test brings a clock, and a condition that waits by it."""

    def __init__(
        self,
        host: str,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
        condition: Callable[[], threading.Condition] = threading.Condition,
    ) -> None:
        self._host = host
        self._patience = patience
        self._clock = clock
        self._changed = condition()
        self._window = RateWindow()
        self._is_closed = False
        self._said_until = -math.inf

    def acquire(self) -> int | Reply:
        """Wait for leave to send and return the ticket, or what to answer when that would take too long.

        Raises TransportError once the limiter is closed.
        """
        with self._changed:
            last = self._clock() + self._patience
            while not self._is_closed:
                now = self._clock()
                pause = self._window.pause(now)
                if pause <= 0:
                    return self._window.start(now)
                if now + pause > last:
                    return Reply(429, wait=pause)
                self._changed.wait(pause)
        raise closing(self._host)

    def complete(self, window_id: int, status: int, headers: Mapping[str, str]) -> float:
        """Count an answer; returns the seconds to wait after a 429, else 0."""
        limits = read_headers(headers, time.time())
        with self._changed:
            now = self._clock()
            wait = 0.0
            if status == 429:
                wait = self._window.refused(now, window_id, limits, pause_asked(headers))
                self._say_once(now, wait)
            else:
                self._window.answered(now, window_id, limits)
            self._changed.notify_all()
        return wait

    def _say_once(self, now: float, wait: float) -> None:
        if wait > _LONG and now >= self._said_until:
            self._said_until = now + wait
            logger.warning("%s takes no more calls for %.0f s (429); what waits is sent after that", self._host, wait)

    def abandon(self, window_id: int) -> None:
        """Count a request that got no answer."""
        with self._changed:
            self._window.lost(window_id)
            self._changed.notify_all()

    def used(self) -> float | None:
        """How much of the window is used, 0 to 1; None where Intercom has not told of one."""
        with self._changed:
            return self._window.used(self._clock())

    def close(self) -> None:
        """Refuse every acquire from now on, those that wait included."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
