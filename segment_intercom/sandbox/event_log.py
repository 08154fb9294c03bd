"""What people did: the latest events of a workspace, each once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice

from .people import Event

NAME_LIMIT = 120
_EVENTS_KEPT = 10_000
_Key = tuple[str, str, int]


class EventLog:
    """The events of one workspace; of those that came through the API the same one twice is kept once."""

    def __init__(self) -> None:
        self.total = 0
        self._events: deque[Event] = deque()
        self._names: set[str] = set()
        self._seen: set[_Key | None] = set()

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)

    def newest(self, number: int) -> list[Event]:
        """The latest events, at most so many, the newest at the end."""
        return list(islice(reversed(self._events), number))[::-1]

    def admits(self, name: str) -> bool:
        """Whether the workspace has, or has room for, an event of this name."""
        return name in self._names or len(self._names) < NAME_LIMIT

    def add(self, event: Event) -> bool:
        """Keep an event, and say whether it is new: the person, the name and the second make it the same."""
        key = _key(event)
        if key in self._seen:
            return False
        if key:
            self._seen.add(key)
        self._names.add(event.name)
        self._events.append(event)
        self.total += 1
        if len(self._events) > _EVENTS_KEPT:
            self._seen.discard(_key(self._events.popleft()))
        return True


def _key(event: Event) -> _Key | None:
    # A page's clicks are no copies of each other, however fast they come.
    return None if event.source == "page" else (event.person_id, event.name, event.created_at)
