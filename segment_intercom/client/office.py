"""Where calls are accepted: checked, written down, put into the outbox, and delivered where this process is to."""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import dataclass, field

from ..calls import Call, Group, Identify, Track, user_id_text
from ..errors import CallError, SettingsError
from ..message import write
from ..outbox import Outbox, claim, open_outbox
from ..rest import Subject, rest_operations
from ..sender import Worker
from ..settings import Settings
from ..traits import Report
from ..transport import HttpTransport, Transport

logger = logging.getLogger("segment_intercom")

# In a web server the couriers live beside the requests; a worker process of its own takes more.
_THREADS = 8
_AFTER_REFUSAL = 60.0
_LOOK = 0.25
_NOBODY = "is needed, or an e-mail in the traits: of somebody unknown Intercom keeps nothing"
_HAVE_EFFECT = (Identify, Group, Track)


@dataclass(frozen=True, slots=True)
class Letter:
    """A call that is ready to be put into its user's mailbox."""

    mailbox: str = field(repr=False)
    text: bytes = field(repr=False)
    message_id: str | None


class Office:
    """Accepts calls for one workspace; the outbox is opened, and delivery begun, with the first call after any fork."""

    def __init__(self, settings: Settings, transport: Transport | None = None) -> None:
        self.settings = settings
        self._transport = transport
        self._locks: dict[int, threading.Lock] = {}
        self._counter: _Counter | None = None
        self._event_names: set[str] = set()

    def accept(self, call: Call, *, strict: bool = True) -> None:
        """Keep a call that has an effect; once this returns it survives the end of the process.

        Raises CallError or TraitError for what cannot be sent, or logs it where ``strict`` is False; OutboxError when
        the outbox cannot be written.
        """
        letter = self.prepare(call, strict=strict)
        if letter is None or not self.settings.enabled:
            return
        counter = self._open(strict=strict)
        if not counter.outbox.put(letter.mailbox, letter.text, letter.message_id):
            logger.info("a call with a message id of the last 24 hours came again; it is not sent twice")
        counter.deliver()

    def prepare(self, call: Call, *, strict: bool) -> Letter | None:
        """Check a call and write it down; None for one that has no effect at Intercom."""
        if not isinstance(call, _HAVE_EFFECT) or not call.for_intercom:
            return None
        report = Report.of(strict)
        mailbox = _mailbox(call)
        if mailbox is None:
            if strict:
                raise CallError("user_id", _NOBODY)
            logger.warning("a %s call is left out: user_id %s", type(call).__name__.lower(), _NOBODY)
            return None
        if isinstance(call, Track):
            self._count_name(call.event)
        elif strict and (isinstance(call, Group) or "company" in call.traits or "companies" in call.traits):
            rest_operations(call, self.settings)  # a company that cannot be read is better heard of now
        return Letter(mailbox, write(call, report), user_id_text(call.message_id, "message_id"))

    def flush(self, timeout: float | None = None) -> int:
        """Wait until what this process handed in is delivered or given up, and return how many calls are left.

        It returns at once where another process delivers, and where Intercom refuses the token.
        """
        counter = self._counter
        if counter is None or counter.pid != os.getpid():
            return 0
        end = None if timeout is None else time.monotonic() + timeout
        while (left := counter.outbox.left()) and counter.is_delivering():
            rest = _LOOK if end is None else min(_LOOK, end - time.monotonic())
            if rest <= 0:
                break
            counter.wait(rest)
        return left

    def close(self) -> None:
        """Let go of the outbox without waiting for delivery; what waits in it stays. A later call opens it again."""
        counter, self._counter = self._counter, None
        if counter is not None and counter.pid == os.getpid():
            counter.close()

    def _open(self, *, strict: bool) -> _Counter:
        counter, pid = self._counter, os.getpid()
        if counter is not None and counter.pid == pid:
            return counter
        with self._locks.setdefault(pid, threading.Lock()):
            if self._counter is None or self._counter.pid != pid:
                self._counter = _Counter(self.settings, self._transport, strict=strict)
            return self._counter

    def _count_name(self, event: str) -> None:
        limit = self.settings.event_name_limit
        if event in self._event_names or len(self._event_names) > limit:
            return
        self._event_names.add(event)
        if len(self._event_names) > limit:
            logger.warning(
                "more than %d names of events were tracked: Intercom refuses the events of further names, which "
                "`segment-intercom status` then counts as given up",
                limit,
            )


class _Counter:
    """What an office has open in one process."""

    def __init__(self, settings: Settings, transport: Transport | None, *, strict: bool) -> None:
        self.pid = os.getpid()
        self._settings = settings
        self._own = _http(settings, strict=strict) if settings.deliver == "thread" and transport is None else None
        self._transport = transport if transport is not None else self._own
        self.outbox: Outbox = open_outbox(settings.outbox)
        claim(self.outbox, settings.app_id)
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
        """Wait until somebody's calls were dealt with, or the time is over."""
        if self._worker is not None:
            self._worker.wait_for_progress(seconds)

    def close(self) -> None:
        """End the threads, those in flight with their request, and close the outbox behind them."""
        if self._worker is not None:
            self._worker.stop(close_outbox=True)
        if not self.is_delivering():  # nobody else would: a worker whose token was refused has ended by itself
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
        logger.error("calls are kept and not delivered, until somebody sets it: %s", error)  # noqa: TRY400
        return None


def _mailbox(call: Identify | Group | Track) -> str | None:
    """The mailbox of a call's user: calls in one mailbox are delivered in their order."""
    if call.user_id is not None:
        return str(call.user_id)
    if (email := Subject.of(call).email) is not None:
        return email.lower()
    return f"group {call.group_id}" if isinstance(call, Group) and call.group_id is not None else None
