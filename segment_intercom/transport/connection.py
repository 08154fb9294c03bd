"""Connections that end an exchange in time, and tell one that died while it was idle from one that broke."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

# Load balancers drop an idle connection after a minute or more, some without a word.
IDLE = 30.0
# The target of a request travels to the connection under this name: urllib3 logs the address that it is given, and a
# target holds users' ids.
TARGET = ":path"


class Stale(ConnectionResetError):
    """A connection that had been used before broke before a byte of the answer came."""


def is_stale(error: HTTPError) -> bool:
    """Return whether urllib3 reports a connection that was dead before it was used."""
    return any(isinstance(cause, Stale) for cause in error.args)


class _Incoming(io.RawIOBase):
    """What a socket receives, until a moment after which reading times out, however steadily it drips."""

    def __init__(self, raw: Any, sock: Any, until: float) -> None:
        self._raw, self._sock, self._until = raw, sock, until
        self.has_begun = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._sock.settimeout(left)
        count: int | None = self._raw.readinto(buffer)
        self.has_begun = self.has_begun or bool(count)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Watched(HTTPConnection):
    """A connection of urllib3's that keeps the time and its own history."""

    _target = ""
    _incoming: _Incoming | None = None
    _idle_since: float | None = None  # None until the first answer

    @property
    def is_connected(self) -> bool:
        """Whether the pool may use it again."""
        fresh = self._idle_since is None or time.monotonic() - self._idle_since < IDLE
        return fresh and super().is_connected

    def connect(self) -> None:
        self._idle_since = None
        super().connect()

    def request(  # type: ignore[override]
        self, method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None, **options: Any
    ) -> None:
        rest = dict(headers or {})
        self._target = rest.pop(TARGET, "")
        try:
            super().request(method, url, body, rest, **options)
        except (TimeoutError, ConnectionError):  # after the latter, urllib3 looks whether an answer came all the same
            raise
        except OSError as error:  # TLS has words of its own for a closed connection
            self._raise_if_stale(error)
            raise

    def putrequest(self, method: str, url: str, *args: Any, **options: Any) -> None:
        super().putrequest(method, url.rstrip("/") + self._target, *args, **options)

    def response_class(self, sock: Any, *args: Any, **options: Any) -> Any:  # type: ignore[override]
        """Make http.client's response read from ``_Incoming``."""
        response = super().response_class(sock, *args, **options)
        assert self.timeout is not None
        self._incoming = _Incoming(response.fp.detach(), sock, time.monotonic() + self.timeout)
        response.fp = io.BufferedReader(self._incoming)
        return response

    def getresponse(self) -> Any:
        self._incoming = None
        try:
            response = super().getresponse()
        except ConnectionError as error:
            self._raise_if_stale(error)
            raise
        self._idle_since = time.monotonic()
        return response

    def _raise_if_stale(self, error: OSError) -> None:
        has_begun = self._incoming is not None and self._incoming.has_begun
        if self._idle_since is not None and not has_begun:
            raise Stale from error


class WatchedHTTPConnection(_Watched):
    """For http addresses."""


class WatchedHTTPSConnection(_Watched, HTTPSConnection):
    """For https addresses."""
