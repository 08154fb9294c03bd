"""What the sender needs of a transport, and what it gets from one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from ..rest import Operation


@dataclass(frozen=True, slots=True)
class Reply:
    """What Intercom answered: the status, the body as JSON values or None, the seconds to wait after a 429.

    ``server_time`` is Intercom's clock in Unix seconds, where the answer tells it.
    """

    status: int
    body: Any = field(default=None, repr=False)
    wait: float = 0.0
    server_time: float | None = None


class Transport(Protocol):
    """What the sender needs of a transport; a test passes an object of its own."""

    def send(self, operation: Operation) -> Reply:
        """Send one request whose ids are all resolved; raises TransportError when there is no answer."""
