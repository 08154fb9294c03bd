"""The sending of operations in the classic dialect, where the application's own ids are enough."""

from __future__ import annotations

from ..rest import Introduction, Operation
from .exchange import Exchange, is_success
from .outcome import Refused

_NOT_FOUND = 404


class Classic:
    """Sends operations of the API version 1.4; an event whose user is unknown creates him first."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def send(self, operation: Operation, introduction: Introduction) -> None:
        """Do what an operation says; ``introduction`` creates the call's user where Intercom does not know him."""
        reply = self._exchange.send(operation)
        if reply.status == _NOT_FOUND and operation.path == "/events":
            reply = self._exchange.send(Operation("POST", "/users", introduction()))
            if is_success(reply):
                reply = self._exchange.send(operation)
        if not is_success(reply):
            raise Refused.by(reply)
