"""Requests on behalf of one lease: each is sent only while the lease is ours, and its answer sorted."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import TransportError
from ..outbox import Lease, Outbox
from ..transport import Operation, Reply, Transport
from .errors import LeaseLost, RateLimited, RetryableError, Unauthorized, message_in

_TIMED_OUT, _TOO_MANY = 408, 429
# The fault of the token, the plan or the address: every call would fare alike.
_NOT_THE_CALLS = (401, 402, 403)


class LeasedClient:
    """Sends for one lease, and counts what it sends."""

    def __init__(
        self,
        transport: Transport,
        outbox: Outbox,
        lease: Lease,
        stopping: Callable[[], bool],
        number: int = 0,
        prefix: str = "",
    ) -> None:
        self._transport = transport
        self._outbox = outbox
        self._lease = lease
        self._number = number
        self._prefix = prefix
        self._stopping = stopping

    def send(self, operation: Operation) -> Reply:
        """Return an answer that means something for this one call: success, or a refusal that may be mended.

        Everything else is raised: Failed, Limited, Unauthorized, or Ended when the lease is not ours any more.
        """
        if self._stopping() or not self._outbox.renew(self._lease):
            raise LeaseLost
        try:
            reply = self._transport.send(operation)
        except TransportError as error:
            if self._stopping():
                raise LeaseLost from None
            raise RetryableError(str(error)) from None
        if reply.status == _TOO_MANY:
            raise RateLimited(reply.wait)
        if reply.status in _NOT_THE_CALLS or 300 <= reply.status < 400:
            raise Unauthorized(message_in(reply), reply.status)
        if reply.status >= 500 or reply.status == _TIMED_OUT:
            raise RetryableError(f"Intercom answered {reply.status}")
        return reply

    def forget_user(self, key: str) -> None:
        """Drop what was accepted of a user, by another key than the lease's, before the message that is being sent.

        Raises RetryableError while a worker holds a call of theirs: it would make the user anew.
        """
        key = self._prefix + key
        if key == self._lease.user:
            return
        if not self._outbox.strike(key, self._number):
            raise RetryableError("calls of the user to be deleted are on their way")
        self._outbox.discard(key)

    def is_on_the_way(self, email: str) -> bool:
        """Whether a call that was accepted before the one that is being sent, and still waits, holds an e-mail."""
        wanted, after = email.lower().encode("utf-8", "surrogatepass"), 0
        while waiting := self._outbox.browse(after):
            for message in waiting:
                if message.number >= self._number:
                    return False
                if message.user.startswith(self._prefix) and wanted in message.body.lower():
                    return True
            after = waiting[-1].number
        return False


def is_success(reply: Reply) -> bool:
    """Return whether Intercom did what it was asked to."""
    return 200 <= reply.status < 300
