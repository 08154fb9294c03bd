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

from .. import _json
from ..diagnostics import logger
from ..errors import SettingsError, TransportError
from ..settings import Settings
from ..tracing import span
from . import Operation
from .base import Reply
from .connection import TARGET, is_stale
from .failure import closing, failure
from .proxy import Route, basic_authorization, is_loopback, proxy_for, route_to
from .rate_limit import date_of
from .rate_limiter import PATIENCE, SHARED_PATIENCE, RateLimiter

TIMEOUT = 10.0
LARGEST_ANSWER = 1_000_000
_PIECE = 65_536
_NO_JSON = object()
_REMEDY = "see whether a proxy or a log-in page stands in the way"
# What RFC 3986 allows in a path and a query; a percent sign stays where it begins an escape.
_ALLOWED = "/?:@!$&'()*+,;=-._~%"
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class _Line:
    """What one process has for itself."""

    process: int
    route: Route
    rate_limiter: RateLimiter


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: Any


class HttpTransport:
    """Sends operations to Intercom, from as many threads as there are ``connections``, within its rate limit.

    ``timeout`` seconds are for connecting and the whole answer, of which connecting to one of the host's addresses
    gets a third. ``patience`` is how many seconds a thread waits for the rate limit before it is answered 429. Raises
    SettingsError when the settings give no key to Intercom's API.
    """

    def __init__(
        self, settings: Settings, *, connections: int = 32, timeout: float = TIMEOUT, patience: float | None = None
    ) -> None:
        if patience is None:
            patience = SHARED_PATIENCE if settings.workspaces else PATIENCE
        self._patience = patience
        self._address = settings.rest_url
        self._host = urlsplit(self._address).hostname or ""
        if self._address.startswith("http:") and not is_loopback(self._host):
            logger.warning("api_url: the token goes to %s unencrypted; use an https address", self._host)
        # Where calls go to several workspaces, there may be no token for those that name none.
        has_key = settings.access_token is not None or settings.api_key is not None
        self._headers = _headers(settings) if has_key or not settings.workspaces else None
        self._others: list[HttpTransport] = []
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
        # The first part of a path names the resource; the rest may be an id.
        attributes = {"http.request.method": operation.method, "url.template": "/" + operation.path.split("/")[1]}
        with span(f"{operation.method} {attributes['url.template']}", attributes) as current:
            reply = self._send(operation)
            if current is not None:
                current.set_attribute("http.response.status_code", reply.status)
            return reply

    def _send(self, operation: Operation) -> Reply:
        if self._headers is None:
            raise TransportError("access_token: is needed for calls that name no workspace of INTERCOM_WORKSPACES")
        body = None if operation.body is None else _json.dumps(dict(operation.body)).encode()
        line = self._current()
        window_id = line.rate_limiter.acquire()
        if isinstance(window_id, Reply):
            return window_id
        answer = None
        try:
            answer = self._exchange(line.route, operation.method, target(operation.path), body)
        finally:
            if answer is None:
                line.rate_limiter.abandon(window_id)
        wait = line.rate_limiter.complete(window_id, answer.status, answer.headers)
        return Reply(answer.status, answer.body, wait, date_of(answer.headers))

    def for_workspace(self, settings: Settings) -> HttpTransport:
        """A transport to another workspace, with the rate budget of that one; it is closed with this one."""
        transport = HttpTransport(
            settings, connections=self._connections, timeout=self._timeout, patience=self._patience
        )
        self._others = [*(opened for opened in self._others if not opened._is_closed), transport]
        return transport

    def budget_used(self) -> float | None:
        """How much of Intercom's rate window is used, 0 to 1; None where Intercom has not told yet."""
        return self._line.rate_limiter.used()

    def close(self) -> None:
        """Send nothing more, and wake those who wait to send; requests on their way are still answered."""
        self._is_closed = True
        for transport in self._others:
            transport.close()
        if self._line.process == os.getpid():
            self._line.rate_limiter.close()
        self._line.route.pool.close()

    def _open(self) -> _Line:
        return _Line(
            os.getpid(),
            route_to(self._address, self._proxy, self._connections),
            RateLimiter(self._host, self._patience),
        )

    def _current(self) -> _Line:
        """The line of this process: after a fork, the parent's connections are the parent's alone."""
        if self._is_closed:
            raise closing(self._host)
        if self._line.process != os.getpid():
            self._line = self._open()
        return self._line

    def _exchange(self, route: Route, method: str, path: str, body: bytes | None) -> _Answer:
        """Send, and send again at once when a connection turns out to have died while it was idle.

        That the second one may be a repetition, POST included, is no new danger: the sender repeats what got no
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
        headers = {**(self._headers or {}), TARGET: path}
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
        body = _read(response)
        if body is _NO_JSON and 200 <= response.status < 300:
            raise TransportError(f"{self._host}: answered {response.status} with a body that is not JSON; {_REMEDY}")
        return _Answer(response.status, response.headers, None if body is _NO_JSON else body)


def target(path: str) -> str:
    """A path as a request line holds it: escapes stay, and what may not stand there is escaped."""
    return quote(_LONE_PERCENT.sub("%25", path), safe=_ALLOWED, errors="backslashreplace")


def _read(response: BaseHTTPResponse) -> Any:
    """The JSON of an answer, None when it is empty or too large; the connection goes back to its pool."""
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
        return orjson.loads(content) if content.strip() else None
    except orjson.JSONDecodeError:
        # JSON that is broken is Intercom's own answer; what does not begin as JSON is another server's.
        return None if content.lstrip().startswith((b"{", b"[")) else _NO_JSON


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
