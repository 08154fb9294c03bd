"""The delivery of one user's letters, in their order, to their end: delivered, given up, or put off."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from secrets import SystemRandom

from ..errors import OutboxError
from ..outbox import Lease, Letter, Outbox
from ..rest import CLASSIC
from ..settings import Settings
from ..transport import Transport
from .attributes import Attributes
from .classic import Classic
from .contacts import Contacts
from .exchange import Exchange
from .notes import Notes
from .outcome import Ended, Failed, Limited, Refused, Unauthorized
from .parcel import Parcel, first_parcel

logger = logging.getLogger("segment_intercom")

BACK_OFF, LONGEST_BACK_OFF = 1.0, 300.0
GIVE_UP_AFTER = 86_400.0
_TRIES = 5
_LEAST_WAIT = 0.1


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
        # What cannot be sent was refused when the call was accepted; here nothing may stand in the way of the rest.
        self._settings = replace(settings, strict=False)
        self._outbox = outbox
        self._transport = transport
        self._stopping = stopping
        self._clock = clock
        self._notes = Notes(outbox)

    def deliver(self, lease: Lease) -> None:
        """Send a lease's letters in their order, until one must wait; raises Unauthorized when Intercom wants none."""
        letters, alone = lease.letters, 0
        while letters:
            parcel = first_parcel(letters[:1] if alone else letters, self._settings)
            try:
                goes_on = self._dispose(lease, parcel)
            except Refused as refused:
                if len(parcel.letters) > 1:  # one of them is the reason, so each goes by itself
                    alone = len(parcel.letters)
                    continue
                goes_on = self._give_up(lease, parcel.letters[0], refused)
            except Failed as failed:
                goes_on = self._put_off(lease, letters[0], failed)
                parcel = replace(parcel, letters=letters[:1])
            if not goes_on:
                return
            letters, alone = letters[len(parcel.letters) :], max(0, alone - 1)
            lease = replace(lease, attempts=0, failing_since=None)

    def _dispose(self, lease: Lease, parcel: Parcel) -> bool:
        """Send a parcel and strike it off; False when the rest of the lease must wait, or is not ours any more."""
        if parcel.problem is not None:
            raise Refused(parcel.problem)
        try:
            self._send(lease, parcel)
        except Ended:
            self._outbox.release(lease)
            return False
        except Limited as limited:
            self._outbox.release(lease, max(limited.wait, _LEAST_WAIT))
            return False
        except Unauthorized:
            self._outbox.release(lease)
            raise
        except (Refused, Failed, OutboxError):
            raise
        except Exception as error:  # a fault of ours, or an answer that nobody foresaw: this user waits, nobody else
            logger.exception("a call could not be sent; it is tried again")
            raise Failed(f"an unforeseen {type(error).__name__}", tries=_TRIES) from None
        return self._outbox.done(lease, parcel.letters)

    def _send(self, lease: Lease, parcel: Parcel) -> None:
        exchange = Exchange(self._transport, self._outbox, lease, self._stopping)
        dialect = self._dialect(exchange)
        for operation in parcel.operations:
            dialect.send(operation, parcel.introduction)

    def _dialect(self, exchange: Exchange) -> Classic | Contacts:
        if self._settings.api_version == CLASSIC:
            return Classic(exchange)
        attributes = Attributes(exchange, self._notes, create=self._settings.create_attributes)
        return Contacts(exchange, self._notes, attributes)

    def _put_off(self, lease: Lease, letter: Letter, failed: Failed) -> bool:
        """Wait before the next attempt, or give the letter up after a day; True when the next one may go on."""
        since = self._clock() if lease.failing_since is None else lease.failing_since
        if self._clock() - since >= GIVE_UP_AFTER:
            return self._give_up(lease, letter, Refused(f"not delivered within a day: {failed}"))
        if failed.tries is not None and lease.attempts + 1 >= failed.tries:
            return self._give_up(lease, letter, Refused(f"tried {failed.tries} times: {failed}"))
        delay = SystemRandom().uniform(0, min(LONGEST_BACK_OFF, BACK_OFF * 2 ** min(lease.attempts, 20)))
        logger.warning("delivery failed (attempt %d), again in %.1f s: %s", lease.attempts + 1, delay, failed)
        self._outbox.retry(lease, delay)
        return False

    def _give_up(self, lease: Lease, letter: Letter, refused: Refused) -> bool:
        if not self._outbox.give_up(lease, letter, refused.reason, refused.reply):
            return False
        logger.error("a call was given up and kept as a dead letter (see `segment-intercom status`): %s", refused)
        return True
