"""What delivers in one process: its outbox, its transport and its worker."""

from __future__ import annotations

import os
import threading
import time

from ..diagnostics import logger
from ..errors import SettingsError
from ..outbox import Outbox, claim, open_outbox
from ..settings import Settings
from ..transport import HttpTransport, Transport
from .worker import Worker

# In a web server the threads live beside those of the requests; a worker process of its own takes more.
_THREADS = 8
_AFTER_REFUSAL = 60.0


class ProcessState:
    """The outbox, the transport and the worker of one process."""

    def __init__(self, settings: Settings, transport: Transport | None, *, strict: bool) -> None:
        self.pid = os.getpid()
        self._settings = settings
        self._own = _http(settings, strict=strict) if settings.deliver == "thread" and transport is None else None
        self._transport = transport if transport is not None else self._own
        self.outbox: Outbox = open_outbox(settings.outbox)
        try:
            claim(self.outbox, settings.app_id)
        except BaseException:
            self.outbox.close()
            raise
        self._worker: Worker | None = None
        self._started_at = 0.0
        self._lock = threading.Lock()

    def deliver(self) -> None:
        """See to it that what waits is delivered, unless that is another process's work."""
        if self._worker is not None and self._worker.is_running:
            self._worker.wake()
        else:
            self._start()

    def is_delivering(self) -> bool:
        """Whether this process delivers, and Intercom lets it."""
        return self._worker is not None and self._worker.is_running

    def wait(self, seconds: float) -> None:
        """Wait until a user's calls were dealt with, or the time is over."""
        if self._worker is not None:
            self._worker.wait_for_progress(seconds)

    def close(self) -> None:
        """End the threads, those in flight with their request, and close the outbox behind them."""
        if self._worker is not None:
            self._worker.stop(close_outbox=True)
        if not self.is_delivering():  # no thread would: a worker whose token was refused has ended by itself
            self.outbox.close()
        if self._own is not None:
            self._own.close()

    def _start(self) -> None:
        """Start the worker; a token that was refused is tried again after a minute."""
        if self._settings.deliver != "thread" or self._transport is None:
            return
        with self._lock:
            former = self._worker
            if former is not None and former.is_running:
                return
            refused = former is not None and former.unauthorized is not None
            if refused and time.monotonic() - self._started_at < _AFTER_REFUSAL:
                return
            self._started_at = time.monotonic()
            worker = Worker(self._settings, self.outbox, self._transport, threads=_THREADS)
            try:
                worker.start()
            except RuntimeError:  # the call is accepted all the same
                logger.exception("no thread can be started to deliver; the next call tries again")
            else:
                self._worker = worker


def _http(settings: Settings, *, strict: bool) -> HttpTransport | None:
    """The way to Intercom; without a token, calls are kept all the same where customers would meet the error."""
    try:
        return HttpTransport(settings, connections=_THREADS)
    except SettingsError as error:
        if strict:
            raise
        logger.error("calls are kept and not delivered, until it is set: %s", error)
        return None
