"""Intercom's rate limit: how much of the window is left, and who may send when. Plain arithmetic, no clock of its own.

Several processes share one budget, so only what Intercom's answers say counts, and it is stale by a round trip. Hence
the fewer requests are left, the fewer this process has on their way at once; and when it has no news of the window,
one request goes ahead and the others wait for its answer.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime

# The part of what is left that one process may have on its way. With an eighth, four processes that share a budget
# overrun it by one request each, as a simulation in the tests shows; with less, a slow network leaves some unused.
SHARE = 8
# News older than this, in seconds, says nothing of what other processes have sent since.
FRESH = 1.0
# A window is 10 seconds; a reset farther away than this many seconds is a mistake in the header.
FARTHEST_RESET = 300.0
# After a 429 that does not say when: one window.
BLIND_WAIT = 10.0
LEAST_WAIT = 0.1
_UNLIMITED = sys.maxsize


@dataclass(frozen=True, slots=True)
class RateLimitHeaders:
    """What an answer says of its window: ``reset`` is its end by Intercom's clock, ``seconds`` the time until then.

    ``seconds`` is never too short, and up to one second too long, because Intercom's clock is told in whole seconds.
    """

    limit: int
    remaining: int
    reset: int
    seconds: float


def read_headers(headers: Mapping[str, str], unix: float) -> RateLimitHeaders | None:
    """Read the ``X-RateLimit-*`` headers; None when one is missing or makes no sense.

    Intercom's clock is the ``Date`` of the same answer, so that ours may be wrong; ``unix``, ours, serves without it.
    """
    numbers = [headers.get(f"X-RateLimit-{name}", "") for name in ("Limit", "Remaining", "Reset")]
    if not all(re.fullmatch(r"[0-9]{1,15}", number) for number in numbers):
        return None
    limit, remaining, reset = map(int, numbers)
    date = date_of(headers)
    seconds = reset - (unix if date is None else date)
    if limit == 0 or not 0 < seconds <= FARTHEST_RESET:
        return None
    return RateLimitHeaders(limit, remaining, reset, seconds)


def pause_asked(headers: Mapping[str, str]) -> float:
    """The seconds of ``Retry-After``, which a proxy may send; 0 where there is none, an hour at most."""
    text = headers.get("Retry-After", "").strip()
    return min(float(text), 3600.0) if re.fullmatch(r"[0-9]{1,9}", text) else 0.0


def date_of(headers: Mapping[str, str]) -> float | None:
    """Intercom's clock in Unix seconds, from the ``Date`` of an answer; None where that is missing or no date."""
    try:
        return parsedate_to_datetime(headers["Date"]).timestamp()
    except (KeyError, ValueError, OverflowError):
        return None


class RateWindow:
    """What may still be sent in the window. Times are seconds of one clock that never goes back.

    Every request has a ticket from ``start`` to ``answered``, ``refused`` or ``lost``. Not thread-safe.
    """

    def __init__(self) -> None:
        self._is_free = False  # Intercom answers, and has never named a limit
        self._limit = self._remaining = _UNLIMITED
        self._reset = 0
        self._ends = math.inf  # infinite while nothing is known of the window that runs
        self._heard = self._sent = self._hold = -math.inf
        self._window = self._on_the_way = 0

    def used(self, now: float) -> float | None:
        """How much of the window is used, 0 to 1; None where Intercom has not told of one."""
        self._begin_window_when_due(now)
        return None if self._limit == _UNLIMITED else 1 - max(0, self._remaining) / max(1, self._limit)

    def pause(self, now: float) -> float:
        """The seconds until the next request may be sent unless news comes earlier; 0 when it may go now."""
        self._begin_window_when_due(now)
        if now < self._hold:
            return self._hold - now
        if self._is_free:
            return 0.0
        if self._knows_window() and self._remaining <= self._on_the_way:
            return self._ends - now
        if now - self._heard >= FRESH:  # one request asks; when it gets no answer for long, another one does
            return max(0.0, self._sent + FRESH - now) if self._on_the_way else 0.0
        if self._on_the_way < max(1, self._remaining // SHARE):
            return 0.0
        return min(self._ends, self._heard + FRESH) - now

    def start(self, now: float) -> int:
        """Count a request that is about to be sent; returns its ticket."""
        self._on_the_way += 1
        self._sent = now
        return self._window

    def answered(self, now: float, window_id: int, headers: RateLimitHeaders | None) -> None:
        """Count an answer that is no refusal."""
        self._land(window_id)
        if headers:
            self._learn(now, headers)
        elif self._limit == _UNLIMITED and now >= self._hold:
            self._is_free = True

    def refused(self, now: float, window_id: int, headers: RateLimitHeaders | None, asked: float = 0.0) -> float:
        """Count a 429, which may ask for a pause of so many seconds; returns how long the sender should wait."""
        self._land(window_id)
        if headers is None:
            self._is_free = False
            self._hold = now + BLIND_WAIT
            self._heard = -math.inf
        elif not self._learn(now, replace(headers, remaining=0)) and headers.reset == self._reset:
            self._hold = now + headers.seconds  # the window that was thought to be over is not
        self._hold = max(self._hold, now + asked)
        return max(self.pause(now), LEAST_WAIT)

    def lost(self, window_id: int) -> None:
        """Count a request without an answer: Intercom may have counted it."""
        if self._land(window_id) and self._knows_window():
            self._remaining = max(0, self._remaining - 1)

    def _knows_window(self) -> bool:
        return self._ends < math.inf

    def _begin_window_when_due(self, now: float) -> None:
        if now < self._ends:
            return
        self._remaining, self._ends, self._heard = self._limit, math.inf, -math.inf
        # What is on the way since the old window is Intercom's to count; one that hangs must not hold up the new one.
        self._window += 1
        self._on_the_way = 0

    def _land(self, window_id: int) -> bool:
        is_of_this_window = window_id == self._window
        self._on_the_way -= is_of_this_window
        return is_of_this_window

    def _learn(self, now: float, headers: RateLimitHeaders) -> bool:
        """Take news in; False when it is of a window that is over, for answers overtake each other."""
        ends = now + headers.seconds
        if headers.reset == self._reset and self._knows_window():
            # Each answer errs towards too many requests and too late an end.
            self._remaining, self._ends = min(self._remaining, headers.remaining), min(self._ends, ends)
        elif headers.reset > self._reset or (headers.reset < self._reset and not self._knows_window()):
            self._reset, self._remaining, self._ends = headers.reset, headers.remaining, ends
        else:
            return False
        self._is_free, self._limit, self._heard = False, headers.limit, now
        return True
