"""The delivery of one user's messages, in their order, to their end: delivered, given up, or put off."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from secrets import SystemRandom

from ..api import LEGACY, Api, AttributeCreator, LeasedClient, perform
from ..api.errors import LeaseLost, LeftOut, PermanentError, RateLimited, RetryableError, Unauthorized
from ..diagnostics import logger
from ..errors import OutboxError
from ..outbox import Lease, Outbox, QueuedMessage, note_problem
from ..partition import workspace_prefix
from ..settings import Settings
from ..transport import Transport
from .batch import Batch, next_batch
from .workspaces import Workspaces

BACK_OFF, LONGEST_BACK_OFF = 1.0, 300.0
LEAST_TRIES = 8  # a clock that leaps ahead is no reason to give anything up
_TRIES = 5
_LEAST_WAIT = 0.1
_SAID_EVERY = 60.0
_ANOTHER_OUTAGE = 2 * LONGEST_BACK_OFF


class _Outage:
    """What is said of failures: the first one, then one line a minute for all users and attempts, then their end."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: set[str] = set()
        self._since = self._said = self._failed = 0.0

    def failed(self, lease: Lease, delay: float, failed: RetryableError) -> bool:
        """Note a failure of a user's call; returns whether it was said."""
        with self._lock:
            now = self._clock()
            if now - self._failed > _ANOTHER_OUTAGE:  # who waited since then was served by another worker
                self._waiting.clear()
            is_first, self._failed = not self._waiting, now
            self._waiting.add(lease.user)
            if is_first:
                self._since = self._said = now
                logger.warning("delivery failed (attempt %d), again in %.1f s: %s", lease.attempts + 1, delay, failed)
                return True
            if now - self._said >= _SAID_EVERY:
                self._said = now
                waiting, span = len(self._waiting), (now - self._since) / 60
                logger.warning("delivery fails since %.0f min, %d users wait: %s", span, waiting, failed)
                return True
            return False

    def ended(self, lease: Lease) -> None:
        """Note that a user's call arrived, or was given up."""
        if not self._waiting:  # nearly always, so without the lock
            return
        with self._lock:
            self._waiting.discard(lease.user)
            if not self._waiting and self._said > self._since:
                logger.warning("delivery goes on: all users who waited have been served")


class Sender:
    """Delivers leases; it may be used by many threads at once."""

    def __init__(
        self,
        settings: Settings,
        outbox: Outbox,
        transport: Transport,
        *,
        stopping: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._workspaces = Workspaces(settings, outbox, transport)
        self._settings = self._workspaces.own.settings
        self._outbox = outbox
        self._stopping = stopping
        self._clock = clock
        self._outage = _Outage(clock)

    def deliver(self, lease: Lease) -> None:
        """Send a lease's messages in their order, until one must wait; raises Unauthorized when Intercom wants none."""
        messages, alone = lease.messages, 0
        while messages:
            batch = next_batch(messages[:1] if alone else messages, self._settings)
            try:
                goes_on = self._dispose(lease, batch)
            except PermanentError as refused:
                if len(batch.messages) > 1:  # one of them is the reason, so each goes by itself
                    alone = len(batch.messages)
                    continue
                goes_on = self._dead_letter(lease, batch.messages[0], refused)
            except RetryableError as failed:
                goes_on = self._put_off(lease, messages[0], failed)
                batch = replace(batch, messages=messages[:1])
            if not goes_on:
                return
            messages, alone = messages[len(batch.messages) :], max(0, alone - 1)
            lease = replace(lease, attempts=0, failing_since=None)

    def _dispose(self, lease: Lease, batch: Batch) -> bool:
        """Send a batch and strike it off; False when the rest of the lease must wait, or is not ours any more."""
        if batch.problem is not None:
            raise PermanentError(batch.problem)
        if batch.waits_for is not None and self._outbox.waits(batch.waits_for, batch.messages[-1].number):
            self._outbox.release(lease, _LEAST_WAIT)
            return False
        try:
            with suppress(LeftOut):
                self.send(lease, batch)
        except LeaseLost:
            self._outbox.release(lease)
            return False
        except RateLimited as limited:
            self._outbox.release(lease, max(limited.wait, _LEAST_WAIT))
            return False
        except Unauthorized:
            self._outbox.release(lease)
            raise
        except (PermanentError, RetryableError, OutboxError):
            raise
        except Exception as error:  # a bug, or an unforeseen answer: only this user waits
            logger.exception("a call could not be sent; it is tried again")
            raise RetryableError(f"an unforeseen {type(error).__name__}", tries=_TRIES) from None
        self._outage.ended(lease)
        if batch.forgets_user:
            self._outbox.discard(lease.user)
        return self._outbox.done(lease, batch.messages)

    def send(self, lease: Lease, batch: Batch) -> None:
        """Perform what a batch asks for; raises one of the errors of the API."""
        workspace = self._workspaces.of(batch.app_id)
        number, prefix = batch.messages[0].number, workspace_prefix(batch.app_id)
        client = LeasedClient(workspace.transport, self._outbox, lease, self._stopping, number, prefix)
        is_legacy = self._settings.api_version == LEGACY  # which creates attributes by itself
        attributes = AttributeCreator(
            client,
            workspace.cache,
            create=self._settings.create_attributes and batch.creates_attributes and not is_legacy,
            # Of calls sent as one, a value that is refused may hide an earlier one that is not: each goes by itself.
            leave_out=len(batch.messages) == 1,
        )
        api = Api(client, workspace.cache, attributes, restores_archived=self._settings.restore_archived)
        try:
            for operation in batch.operations:
                perform(api, operation, batch.user_payload, self._settings)
        except Unauthorized as refused:
            if batch.app_id is None:
                raise
            # The others' tokens may be right, so only this workspace's calls wait.
            problem = f"Intercom refuses the token of the workspace {batch.app_id} ({refused.status})"
            raise RetryableError(f"{problem}: look at INTERCOM_WORKSPACES") from None

    def _put_off(self, lease: Lease, message: QueuedMessage, failed: RetryableError) -> bool:
        """Wait before the next attempt, or give the message up after a day; True when the next one may go on."""
        since = self._clock() if lease.failing_since is None else lease.failing_since
        if self._clock() - since >= lease.give_up_after and lease.attempts + 1 >= LEAST_TRIES:
            return self._dead_letter(
                lease, message, PermanentError(f"not delivered within {_span(lease.give_up_after)}: {failed}")
            )
        if failed.tries is not None and lease.attempts + 1 >= failed.tries:
            return self._dead_letter(lease, message, PermanentError(f"tried {failed.tries} times: {failed}"))
        delay = SystemRandom().uniform(0, min(LONGEST_BACK_OFF, BACK_OFF * 2 ** min(lease.attempts, 20)))
        if self._outage.failed(lease, delay, failed):
            note_problem(self._outbox, str(failed))
        self._outbox.retry(lease, delay)
        return False

    def _dead_letter(self, lease: Lease, message: QueuedMessage, refused: PermanentError) -> bool:
        if not self._outbox.give_up(lease, message, refused.reason, refused.reply):
            return False
        self._outage.ended(lease)
        logger.error("a call was given up and kept as a dead letter (see `segment-intercom status`): %s", refused)
        return True


def _span(seconds: float) -> str:
    return "a day" if seconds == 86_400 else f"{seconds / 60:g} minutes"
