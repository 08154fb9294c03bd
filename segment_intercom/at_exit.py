"""The end of a process: its own calls get a moment to be delivered, all clients together no longer than one of them."""

from __future__ import annotations

import atexit
import threading
import time
from typing import Protocol


class Finishing(Protocol):
    """What has something to finish when the process ends."""

    def finish(self, timeout: float) -> None:
        """Finish within so many seconds."""


class AtExit:
    """What must finish at the end of the process, each with the seconds that it may take.

    They are kept until then: a client without references has calls to deliver all the same.
    """

    def __init__(self) -> None:
        self._waiting: dict[Finishing, float] = {}
        self._lock = threading.Lock()
        self._is_registered = False

    def add(self, waiting: Finishing, timeout: float) -> None:
        """Finish this one at the end of the process, within ``timeout`` seconds from then."""
        with self._lock:
            self._waiting[waiting] = timeout
            if not self._is_registered:
                self._is_registered = True
                atexit.register(self.run)

    def drop(self, waiting: Finishing) -> None:
        """Nothing is to be finished any more for this one."""
        with self._lock:
            self._waiting.pop(waiting, None)

    def run(self) -> None:
        """Finish all; their times run together. Ctrl+C ends the waiting."""
        begin = time.monotonic()
        is_interrupted = False
        for waiting, timeout in list(self._waiting.items()):
            rest = 0.0 if is_interrupted else max(0.0, begin + timeout - time.monotonic())
            try:
                waiting.finish(rest)
            except KeyboardInterrupt:
                is_interrupted = True
                waiting.finish(0.0)


# Of this process; a fork inherits it, and finds nothing of its own in its parent's clients.
AT_EXIT = AtExit()
