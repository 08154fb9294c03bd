"""The latest requests, numbered, as the inspector shows them."""

from __future__ import annotations

from collections import deque
from itertools import takewhile
from typing import Any

REQUESTS_KEPT = 500


class RequestLog:
    """The last requests; their numbers go on after a reset, so that a page sees that some are gone."""

    def __init__(self) -> None:
        self.count = 0
        self._requests: deque[dict[str, Any]] = deque(maxlen=REQUESTS_KEPT)

    @property
    def first(self) -> int:
        """The number of the oldest request that is kept, or of the next one where none is."""
        return int(self._requests[0]["n"]) if self._requests else self.count + 1

    def add(self, request: dict[str, Any]) -> None:
        """Keep one request under the next number."""
        self.count += 1
        self._requests.append({"n": self.count, **request})

    def after(self, number: int) -> list[dict[str, Any]]:
        """The requests later than that number."""
        return list(takewhile(lambda request: request["n"] > number, reversed(self._requests)))[::-1]

    def clear(self) -> None:
        """Forget the requests, not the count."""
        self._requests.clear()
