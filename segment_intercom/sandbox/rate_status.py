"""Intercom's rate limit: so many requests a minute, counted in short windows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RateStatus:
    """Where a workspace stands in the window that runs: its limit, what remains, and when the next one starts."""

    limit: int
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        """The headers that every answer carries."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }

    def as_json(self, app_id: str) -> dict[str, Any]:
        """The same for the inspector."""
        return {"app_id": app_id, "limit": self.limit, "remaining": self.remaining, "reset": self.reset}


@dataclass(slots=True)
class Windows:
    """The count of one workspace; a window starts at each multiple of its length."""

    number: int = -1
    used: int = 0

    def standing(self, at: float, a_minute: int, seconds: float) -> RateStatus:
        """Where the workspace stands, without counting anything."""
        number, limit = math.floor(at / seconds), max(1, int(a_minute * seconds / 60))
        used = self.used if number == self.number else 0
        # Rounded up: who waits until then is in the next window, though windows may end between two seconds.
        return RateStatus(limit, max(0, limit - used), math.ceil((number + 1) * seconds))

    def take(self, at: float, a_minute: int, seconds: float) -> tuple[bool, RateStatus]:
        """Count one request, and say whether there was room for it."""
        before = self.standing(at, a_minute, seconds)
        if not before.remaining:
            return False, before
        number = math.floor(at / seconds)
        self.used = self.used + 1 if number == self.number else 1
        self.number = number
        return True, self.standing(at, a_minute, seconds)
