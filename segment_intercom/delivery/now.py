"""Delivery within the call itself: it returns when Intercom has answered, or raises. For scripts, tasks and functions.

Nothing is written down: what is known of Intercom's ids is kept in memory, and a message id is not looked for.
"""

from __future__ import annotations

import time
from threading import Lock

from ..api.errors import LeaseLost, LeftOut, PermanentError, RateLimited, RetryableError, Unauthorized
from ..errors import DeliveryError
from ..outbox import Lease, QueuedMessage
from ..outbox.base import WaitingMessage
from ..settings import Settings
from ..transport import Transport
from .batch import Batch
from .deliver import Sender
from .worker import refusal_of

_TRIES = 4
_BACK_OFF = 0.5
_PATIENCE = 20.0  # seconds for one call, its waits included, beyond which the next failure is the last


class Notes:
    """Values for a time, in memory, for all threads of this process; and a lease that no other worker can take."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[str, float]] = {}
        self._lock = Lock()

    def get(self, key: str) -> str | None:
        """Return the value of a key while it lasts, else None."""
        with self._lock:
            value, until = self._values.get(key, ("", 0.0))
        return value if until > time.monotonic() else None

    def set(self, key: str, value: str, seconds: float) -> None:
        """Keep a value for so many seconds."""
        with self._lock:
            if len(self._values) >= 10_000:
                self._values.clear()  # each costs no more than a request
            self._values[key] = value, time.monotonic() + seconds

    def delete(self, key: str) -> None:
        """Drop the value of a key, if there is one."""
        with self._lock:
            self._values.pop(key, None)

    def renew(self, _: Lease) -> bool:
        """There is no other worker."""
        return True

    def strike(self, _user: str, _before: int) -> bool:
        """Nothing waits."""
        return True

    def browse(self, _after: int = 0, _limit: int = 500) -> list[WaitingMessage]:
        """Nothing waits."""
        return []

    def discard(self, _user: str) -> int:
        """Nothing was given up."""
        return 0

    def left_out(self, number: int = 1) -> None:
        """What was left out is in the log; nothing is counted."""


class DirectSender:
    """Sends calls at once; it may be used by many threads."""

    def __init__(self, settings: Settings, transport: Transport) -> None:
        self._settings = settings
        self._sender = Sender(settings, Notes(), transport)  # type: ignore[arg-type]  # all that sending asks of one

    def send(self, user: str, body: bytes) -> None:
        """Send a call in Segment's JSON form; raises DeliveryError where Intercom refuses it, or does not answer."""
        message = QueuedMessage(1, body)
        batch, lease = Batch.of(message, self._settings), Lease(user, (message,), "now")
        if batch.problem is not None:
            raise DeliveryError(batch.problem)
        until = time.monotonic() + _PATIENCE
        for attempt in range(_TRIES):
            last = attempt + 1 == _TRIES or time.monotonic() > until
            try:
                self._sender.send(lease, batch)
            except PermanentError as refused:
                raise DeliveryError(str(refused)) from None
            except LeftOut:
                return
            except Unauthorized as refused:
                raise DeliveryError(refusal_of(refused.status)) from None
            except (RateLimited, RetryableError, LeaseLost) as failed:
                if last:
                    raise DeliveryError(str(failed)) from None
                wait = failed.wait if isinstance(failed, RateLimited) else _BACK_OFF * 2**attempt
                time.sleep(min(wait, _PATIENCE))
            else:
                return
