"""The threads that deliver: one looks who is due, others each deliver one user's calls at a time."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from queue import SimpleQueue

from ..api.errors import Unauthorized
from ..diagnostics import logger
from ..errors import OutboxError
from ..outbox import SEEN_EVERY, Lease, Outbox, note_end, note_problem, note_worker
from ..settings import Settings
from ..transport import Transport
from .deliver import Sender

# How long calls that another process accepted may wait unseen, and how long a broken outbox is left alone.
_POLL = 0.25
_AFTER_TROUBLE = 5.0
# More than a request may take: its time-out, and the wait for the rate limit before it.
LONGEST_REQUEST = 30.0


def refusal_of(status: int) -> str:
    """What it means that Intercom takes no call at all, and what to look at."""
    if status == 401:
        return "Intercom refuses the token (401): check INTERCOM_ACCESS_TOKEN and INTERCOM_REGION"
    if status in (402, 403):
        return f"Intercom refuses ({status}): check the workspace's plan and the token's rights in the Developer Hub"
    return f"The address answers with a redirect ({status}): check INTERCOM_API_URL and INTERCOM_REGION"


class Worker:
    """Delivers from an outbox until it is stopped; ``start`` returns at once, ``wait`` when the work has ended."""

    def __init__(
        self, settings: Settings, outbox: Outbox, transport: Transport, *, threads: int = 32, until_empty: bool = False
    ) -> None:
        self._outbox = outbox
        self._threads = threads
        self._until_empty = until_empty
        self._notes_again = 0.0
        self._sender = Sender(settings, outbox, transport, stopping=lambda: self._stopping)
        self._stopping = False
        self._free = threading.Semaphore(threads)
        self._leases: SimpleQueue[Lease | None] = SimpleQueue()
        self._threads_started: list[threading.Thread] = []
        self._wake = threading.Event()
        self._progress = threading.Condition()
        self._busy = 0
        self._close_outbox = False
        self._dispatcher = threading.Thread(target=self._dispatch, name="segment-intercom", daemon=True)
        self.unauthorized: str | None = None

    def start(self) -> None:
        """Begin; the threads end with the process, and give nothing up by that."""
        self._outbox.watch(self.wake)
        self._dispatcher.start()

    def wake(self) -> None:
        """Look at once for a user who is due."""
        if not self._wake.is_set():
            self._wake.set()

    def stop(self, *, close_outbox: bool = False) -> None:
        """Begin nothing new; what is in flight is finished, the rest given back, and the outbox closed if wanted."""
        self._close_outbox = close_outbox
        self._stopping = True
        self.wake()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the work has ended: after ``stop``, a refused token, or an emptied outbox; False on a time-out."""
        end = None if timeout is None else time.monotonic() + timeout
        # The worker threads come second: until the dispatcher has ended there may be more of them.
        for threads in ([self._dispatcher], self._threads_started):
            for thread in threads:
                thread.join(None if end is None else max(0.0, end - time.monotonic()))
            if any(thread.is_alive() for thread in threads):
                return False
        return True

    @property
    def is_running(self) -> bool:
        """Whether calls are being delivered."""
        return self._dispatcher.is_alive()

    def wait_for_progress(self, timeout: float) -> None:
        """Wait until some user's calls were dealt with, or the time is over."""
        with self._progress:
            self._progress.wait(timeout)

    def _dispatch(self) -> None:
        while not self._stopping:
            self._free.acquire()
            self._wake.clear()
            lease, due = self._look()
            if lease is not None:
                self._dispatch_lease(lease)
                continue
            self._free.release()
            if self._until_empty and due is None and self._busy == 0:
                with suppress(OutboxError):
                    note_end(self._outbox)
                break
            self._wake.wait(_POLL if due is None else min(max(due, 0.001), _POLL))
        for _ in self._threads_started:
            self._leases.put(None)
        if self._close_outbox:
            for thread in self._threads_started:
                thread.join(LONGEST_REQUEST)
            self._outbox.close()

    def _look(self) -> tuple[Lease | None, float | None]:
        """The next lease, or the seconds until a user is due, None when nothing waits."""
        try:
            if time.monotonic() >= self._notes_again:
                self._notes_again = time.monotonic() + SEEN_EVERY
                note_worker(self._outbox)
            lease = None if self._stopping else self._outbox.lease()
            return lease, 0.0 if lease else self._outbox.next_due()
        except OutboxError as error:
            logger.error("delivery waits: %s", error)
            self._wake.wait(_AFTER_TROUBLE)
            return None, 0.0

    def _dispatch_lease(self, lease: Lease) -> None:
        with self._progress:
            self._busy += 1
            idle = len(self._threads_started) - self._busy
        if idle < 0 and len(self._threads_started) < self._threads:
            thread = threading.Thread(target=self._deliver, name="segment-intercom-worker", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the system allows no more threads, or the process ends; those there do the work
                if not self._threads_started:
                    self._attempt(lease)
                    return
            else:
                self._threads_started.append(thread)
        self._leases.put(lease)

    def _deliver(self) -> None:
        while (lease := self._leases.get()) is not None:
            self._attempt(lease)

    def _attempt(self, lease: Lease) -> None:
        try:
            self._sender.deliver(lease)
        except OutboxError as error:
            logger.error("delivery waits: %s", error)
        except Unauthorized as error:
            self._refused(error)
        except Exception:  # a fault of ours: this user waits until the lease ends, the others go on
            logger.exception("a user's calls could not be delivered now; they are tried again")
        finally:
            with self._progress:
                self._busy -= 1
                self._progress.notify_all()
            self._free.release()
            self.wake()

    def _refused(self, error: Unauthorized) -> None:
        if self.unauthorized is None:
            self.unauthorized = refusal_of(error.status)
            with suppress(OutboxError):
                note_problem(self._outbox, self.unauthorized)
            logger.critical("%s. Delivery has stopped, and nothing is lost: start again after that", self.unauthorized)
        self._stopping = True
        self.wake()
