"""Why there is no answer, in plain words: never urllib3's own, which repeat addresses with users' ids in them."""

from __future__ import annotations

import re

from urllib3 import exceptions

from ..errors import TransportError

_CLOSING = "nothing was sent, because the transport is closing; make another one to send"


def failure(error: exceptions.HTTPError, host: str, timeout: float) -> TransportError:
    """The error to raise for one of urllib3's."""
    return TransportError(f"{host}: {_reason(error, timeout)}")


def closing(host: str) -> TransportError:
    """The error to raise once the transport is closed."""
    return TransportError(f"{host}: {_CLOSING}")


def _reason(error: BaseException | None, timeout: float) -> str:
    if isinstance(error, exceptions.ProxyError):
        return f"the proxy in the way, which the environment names, failed: {_reason(error.original_error, timeout)}"
    if isinstance(error, exceptions.NameResolutionError):
        return "the name is not resolved; check the address, and DNS on this machine"
    if isinstance(error, exceptions.NewConnectionError):
        return _no_connection(error.__cause__)
    if isinstance(error, exceptions.ConnectTimeoutError):
        return "timed out while connecting"
    if isinstance(error, exceptions.TimeoutError):
        return f"timed out after {timeout:g} s"
    if isinstance(error, exceptions.SSLError):
        return _no_trust(error.args[0] if error.args else None)
    if isinstance(error, exceptions.ClosedPoolError):
        return _CLOSING
    if status := re.match(r"Tunnel connection failed: (\d{3})\b", str(error)):
        return f"it refused to connect, with status {status[1]}"
    return "the connection broke before the answer was complete"


def _no_connection(cause: BaseException | None) -> str:
    if isinstance(cause, ConnectionRefusedError):
        return "connection refused"
    why = getattr(cause, "strerror", None)
    return f"cannot be reached ({why})" if why else "cannot be reached"


def _no_trust(cause: object) -> str:
    problem = getattr(cause, "verify_message", None)
    if problem is None:
        return "no secure connection could be agreed on"
    return f"certificate not trusted ({problem}); SSL_CERT_FILE may name a file of certificates to trust"
