"""Requests to Intercom's REST API over connections that are kept open."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any
from urllib.parse import quote, urlsplit

import orjson
from urllib3 import BaseHTTPResponse, Timeout
from urllib3.exceptions import HTTPError

from .. import jsontext
from ..errors import SettingsError
from ..rest import Operation
from ..settings import Settings
from .base import Reply
from .connection import TARGET, is_stale
from .failure import closing, failure
from .gate import Gate
from .rate import date_of
from .route import Route, basic_authorization, proxy_for, route_to

TIMEOUT = 10.0
LARGEST_ANSWER = 1_000_000
_PIECE = 65_536
# What RFC 3986 allows in a path and a query; a percent sign stays where it begins an escape.
_ALLOWED = "/?:@!$&'()*+,;=-._~%"
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class _Line:
    """What one process has for itself."""

    process: int
    route: Route
    gate: Gate


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: Any


class HttpTransport:
    """Sends operations to Intercom, from as many threads as there are ``connections``, within its rate limit.

    ``timeout`` seconds are for connecting and the whole answer, of which connecting to one of the host's addresses
    gets a third. Raises SettingsError when the settings give no key to Intercom's API.
    """

    def __init__(self, settings: Settings, *, connections: int = 32, timeout: float = TIMEOUT) -> None:
        self._address = settings.rest_url
        self._host = urlsplit(self._address).hostname or ""
        self._headers = _headers(settings)
        self._connections = connections
        self._timeout = timeout
        self._proxy = proxy_for(self._address)
        self._is_closed = False
        self._line = self._open()

    def __repr__(self) -> str:
        return f"HttpTransport({self._host!r})"

    def send(self, operation: Operation) -> Reply:
        """Send one request whose ids are all resolved; raises TransportError when there is no answer.

        The path is written with each id in it percent-encoded. Waits up to 15 seconds for Intercom's rate limit; when
        that is not enough, the reply is a 429 that was never sent. After TransportError, the request may or may not
        have arrived.
        """
        body = None if operation.body is None else jsontext.dumps(dict(operation.body)).encode()
        line = self._current()
        ticket = line.gate.enter()
        if isinstance(ticket, Reply):
            return ticket
        answer = None
        try:
            answer = self._exchange(line.route, operation.method, target(operation.path), body)
        finally:
            if answer is None:
                line.gate.lose(ticket)
        wait = line.gate.leave(ticket, answer.status, answer.headers)
        return Reply(answer.status, answer.body, wait, date_of(answer.headers))

    def close(self) -> None:
        """Send nothing more, and wake those who wait to send; requests on their way are still answered."""
        self._is_closed = True
        if self._line.process == os.getpid():
            self._line.gate.close()
        self._line.route.pool.close()

    def _open(self) -> _Line:
        return _Line(os.getpid(), route_to(self._address, self._proxy, self._connections), Gate(self._host))

    def _current(self) -> _Line:
        """The line of this process: after a fork, the parent's connections are the parent's alone."""
        if self._is_closed:
            raise closing(self._host)
        if self._line.process != os.getpid():
            self._line = self._open()
        return self._line

    def _exchange(self, route: Route, method: str, path: str, body: bytes | None) -> _Answer:
        """Send, and send again at once when a connection turns out to have died while nobody used it.

        That the second one may be a repetition, POST included, is no new danger: whoever sends repeats what got no
        answer anyway. An event is de-duplicated by contact, name and second, a contact that exists is a 409, and all
        other requests set what they set once more.
        """
        until = time.monotonic() + self._timeout
        try:
            try:
                return self._ask(route, method, path, body, self._timeout)
            except HTTPError as error:
                if not is_stale(error):
                    raise
            return self._ask(route, method, path, body, max(until - time.monotonic(), 0.001))
        except HTTPError as error:
            raise failure(error, self._host, self._timeout) from None

    def _ask(self, route: Route, method: str, path: str, body: bytes | None, seconds: float) -> _Answer:
        headers = {**self._headers, TARGET: path}
        if body is not None:
            headers["Content-Type"] = "application/json"
        response = route.pool.urlopen(
            method,
            route.base,
            body,
            headers,
            retries=False,
            redirect=False,
            assert_same_host=False,
            timeout=Timeout(connect=seconds / 3, total=seconds),
            preload_content=False,
        )
        return _Answer(response.status, response.headers, _read(response))


def target(path: str) -> str:
    """A path as a request line holds it: escapes stay, and what may not stand there is escaped."""
    return quote(_LONE_PERCENT.sub("%25", path), safe=_ALLOWED, errors="backslashreplace")


def _read(response: BaseHTTPResponse) -> Any:
    """The JSON of an answer, None when it is none or too large; the connection goes back to its pool."""
    content = bytearray()
    try:
        while piece := response.read(_PIECE):
            content += piece
            if len(content) > LARGEST_ANSWER:
                return None
    finally:
        response.close()
        response.release_conn()
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return None


def _headers(settings: Settings) -> Mapping[str, str]:
    return {
        "Authorization": _authorization(settings),
        "Intercom-Version": settings.api_version,
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "User-Agent": "segment-intercom/" + version("segment-intercom"),
    }


def _authorization(settings: Settings) -> str:
    if (token := settings.access_token) is not None:
        if not re.fullmatch(r"[\x21-\x7e]+", token):
            raise SettingsError("access_token", "must hold no spaces, line breaks or letters beyond ASCII")
        return f"Bearer {token}"
    if settings.app_id is None or settings.api_key is None:
        raise SettingsError(
            "access_token",
            "is needed to send to Intercom: set INTERCOM_ACCESS_TOKEN to that of the Developer Hub (or api_key with "
            "app_id), or switch Intercom off with INTERCOM_ENABLED=false",
        )
    return basic_authorization(f"{settings.app_id}:{settings.api_key}")
