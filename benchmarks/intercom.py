"""Who answers in place of Intercom? A server in a process of its own that says yes to everything, and says it fast.

With a limit it counts windows as Intercom does, refuses what is too much, and tells at ``/windows`` what it counted.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

_BODY = b'{"type": "contact", "id": "intercoms-own-id"}'
_REFUSED = b'{"type": "error.list", "errors": [{"code": "rate_limit_exceeded", "message": "Exceeded rate limit"}]}'
_WORDS = {200: "OK", 202: "Accepted", 429: "Too Many Requests", 500: "Internal Server Error"}
_DROPPED = 0.3  # of the faults: no answer at all


@dataclass(slots=True)
class Limit:
    """So many requests in a window of so many seconds; a window begins at each multiple of its length."""

    requests: int
    seconds: int
    used: Counter[int] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)

    def take(self, now: float) -> tuple[bool, dict[str, str]]:
        """Count a request; whether there was room for it, and the headers that Intercom's answer has."""
        number = math.floor(now / self.seconds)
        room = self.used[number] < self.requests
        (self.used if room else self.refused)[number] += 1
        left = self.requests - self.used[number]
        names = {"Limit": self.requests, "Remaining": left, "Reset": (number + 1) * self.seconds}
        headers = {f"X-RateLimit-{name}": str(value) for name, value in names.items()}
        return room, {**headers, "Date": formatdate(math.floor(now), usegmt=True)}


class _Connection(asyncio.Protocol):
    """One connection; a request on it is complete when its body is as long as it says."""

    def __init__(self, limit: Limit | None, latency: float, faults: float) -> None:
        self._limit = limit
        self._faults = faults
        self._latency = latency
        self._received = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < _length(head):
            return
        self._received = b""
        if self._faults and random.random() < self._faults:
            if random.random() < _DROPPED:
                self._transport.abort()
                return
            answer = _written(500, {}, b"{}")
        else:
            answer = self._answer(*head.split(b" ", 2)[:2])
        if self._latency:
            asyncio.get_running_loop().call_later(self._latency, self._write, answer)
        else:
            self._write(answer)

    def _write(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)

    def _answer(self, method: bytes, path: bytes) -> bytes:
        if path == b"/windows" and self._limit:
            counts = {"used": self._limit.used, "refused": self._limit.refused}
            return _written(200, {}, json.dumps(counts).encode())
        room, headers = self._limit.take(time.time()) if self._limit else (True, {})
        if not room:
            return _written(429, headers, _REFUSED)
        return _written(202, headers, b"") if path == b"/events" else _written(200, headers, _BODY)


def _written(status: int, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"HTTP/1.1 {status} {_WORDS[status]}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _length(head: bytes) -> int:
    _, separator, rest = head.lower().partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0]) if separator else 0


@contextmanager
def answering(limit: int = 0, window: int = 0, latency: float = 0, faults: float = 0) -> Iterator[str]:
    """Start the server and give its address; it ends with the block, or with this process, whose end it hears of.

    ``faults`` is the part of all requests that get a 500, or no answer.
    """
    command = [sys.executable, "-m", "benchmarks.intercom", str(limit), str(window), str(latency), str(faults)]
    with Popen(command, stdin=PIPE, stdout=PIPE, cwd=Path(__file__).parent.parent) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def windows(address: str) -> dict[str, dict[int, int]]:
    """How many requests of each window were let in (``used``) and refused."""
    with urllib.request.urlopen(f"{address}/windows") as answer:
        by_kind = json.load(answer)
    return {kind: {int(number): count for number, count in counts.items()} for kind, counts in by_kind.items()}


async def _serve(limit: Limit | None, latency: float, faults: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(limit, latency, faults), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def main(limit: str, window: str, latency: str, faults: str = "0") -> None:
    """Serve until the standard input ends."""
    asyncio.run(_serve(Limit(int(limit), int(window)) if int(limit) else None, float(latency), float(faults)))


if __name__ == "__main__":
    main(*sys.argv[1:])
