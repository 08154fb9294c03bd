"""Requests on behalf of one lease: each is sent only while the lease is ours, and its answer sorted."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import TransportError
from ..outbox import Lease, Outbox
from ..rest import Operation
from ..transport import Reply, Transport
from .outcome import Ended, Failed, Limited, Unauthorized, message_in

_TIMED_OUT, _TOO_MANY, _UNAUTHORIZED = 408, 429, 401


class Exchange:
    """Sends for one lease, and counts what it sends."""

    def __init__(self, transport: Transport, outbox: Outbox, lease: Lease, stopping: Callable[[], bool]) -> None:
        self._transport = transport
        self._outbox = outbox
        self._lease = lease
        self._stopping = stopping

    def send(self, operation: Operation) -> Reply:
        """Return an answer that means something for this one call: success, or a refusal that may be mended.

        Everything else is raised: Failed, Limited, Unauthorized, or Ended when the lease is not ours any more.
        """
        if self._stopping() or not self._outbox.renew(self._lease):
            raise Ended
        try:
            reply = self._transport.send(operation)
        except TransportError as error:
            if self._stopping():
                raise Ended from None
            raise Failed(str(error)) from None
        if reply.status == _TOO_MANY:
            raise Limited(reply.wait)
        if reply.status == _UNAUTHORIZED:
            raise Unauthorized(message_in(reply))
        if reply.status >= 500 or reply.status == _TIMED_OUT:
            raise Failed(f"Intercom answered {reply.status}")
        return reply


def is_success(reply: Reply) -> bool:
    """Tell whether Intercom did what it was asked to."""
    return 200 <= reply.status < 300
