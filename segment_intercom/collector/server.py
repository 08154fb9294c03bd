"""The collector as an application of the RSGI protocol, which granian serves: bodies arrive piece by piece.

So a sender that is slow, or has too much to say, is answered and let go, and holds up no other.
Source: the RSGI specification, version 1.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from .body import check_size
from .collector import Collector
from .request import Rejection, TrackingAnswer, TrackingRequest

BODY_SECONDS = 10.0
_HTTP = "http"


class Headers(Protocol):
    """The headers of a request, by names in lower case."""

    def items(self) -> Iterable[tuple[str, str]]:
        """Each name with its value."""


class Scope(Protocol):
    """What RSGI tells of a request."""

    proto: str
    method: str
    path: str
    scheme: str
    client: str
    authority: str | None
    headers: Headers


class HttpProtocol(Protocol):
    """What RSGI offers to answer a request."""

    async def __call__(self) -> bytes:
        """The whole body."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces of the body."""

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Answer."""

    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None:
        """Answer without a body."""


class CollectorApp:
    """Serves a collector; ``trusted_proxies`` in front of it are believed about who sends.

    ``threads`` keep what was sent while further requests are read, which serves an outbox across a network. A file is
    written to by one process at a time, and faster without them.
    """

    def __init__(
        self,
        collector: Collector,
        *,
        trusted_proxies: int = 0,
        threads: int = 0,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self._collector = collector
        self._proxies = trusted_proxies
        self._close = close
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="collector") if threads else None

    async def __rsgi__(self, scope: Scope, protocol: HttpProtocol) -> None:
        """Answer one request."""
        if scope.proto != _HTTP:
            return
        try:
            headers = dict(scope.headers.items())
            body = await self._body(protocol, headers.get("content-length"))
        except Rejection as refusal:
            _respond(protocol, refusal.answer(), closing=True)
            return
        address, host, scheme = client_of(scope.client.rpartition(":")[0].strip("[]"), headers, self._proxies)
        request = TrackingRequest(
            scope.method,
            scope.path,
            headers,
            body,
            address,
            host or headers.get("host") or scope.authority or "",
            scheme or scope.scheme,
        )
        if self._pool is None:
            answer = self._collector.answer(request)
        else:
            answer = await asyncio.get_running_loop().run_in_executor(self._pool, self._collector.answer, request)
        _respond(protocol, answer)

    def __rsgi_del__(self, _: Any) -> None:
        """The server ends: what is being kept is kept first."""
        if self._pool is not None:
            self._pool.shutdown(wait=True)
        self._close()

    async def _body(self, protocol: HttpProtocol, length: str | None) -> bytes:
        """The body, of which never more than the limit is held; a length that is named is held by the server."""
        largest = self._collector.largest_body()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                if length is not None and length.isdecimal():
                    check_size(int(length), largest)
                    return await protocol()
                pieces, size = [], 0
                async for piece in protocol:
                    size += len(piece)
                    check_size(size, largest)
                    pieces.append(piece)
        except TimeoutError:
            raise Rejection(408, f"the body took longer than {BODY_SECONDS:g} s") from None
        return b"".join(pieces)


def client_of(peer: str, headers: Any, proxies: int) -> tuple[str, str | None, str | None]:
    """Return the client's address, and the host and scheme that it asked, as the trusted proxies tell them.

    Each proxy adds the address that it heard from at the end of ``X-Forwarded-For``, so of n trusted ones the n-th from
    the end was written by the outermost; what stands before it is anyone's word.
    """
    if proxies == 0:
        return peer, None, None
    return (
        _outermost(headers.get("x-forwarded-for"), proxies) or peer,
        _outermost(headers.get("x-forwarded-host"), proxies),
        _outermost(headers.get("x-forwarded-proto"), proxies),
    )


def _outermost(header: str | None, proxies: int) -> str | None:
    values = [value.strip() for value in (header or "").split(",") if value.strip()]
    return values[-min(proxies, len(values))] if values else None


def _respond(protocol: HttpProtocol, answer: TrackingAnswer, *, closing: bool = False) -> None:
    headers = [(name.lower(), value) for name, value in answer.headers.items()]
    if closing:  # the rest of the body is not wanted
        headers.append(("connection", "close"))
    if answer.body:
        protocol.response_bytes(answer.status, headers, answer.body)
    else:
        protocol.response_empty(answer.status, headers)
