"""What the collector is asked and what it answers, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

# A page of any origin may send with a browser's write key, so any origin may read the answer; no cookie is involved.
_ANY_ORIGIN = {"Access-Control-Allow-Origin": "*"}
_PREFLIGHT = {
    **_ANY_ORIGIN,
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    # analytics-next sends the first three since 1.84.
    "Access-Control-Allow-Headers": "authorization, content-type, x-retry-count, content-encoding",
    "Access-Control-Max-Age": "86400",
}


@dataclass(frozen=True, slots=True)
class TrackingRequest:
    """A request to the collector; ``path`` is what follows the place where it is mounted, such as ``/v1/batch``.

    ``headers`` are by names in lower case. ``address`` is of the client, ``host`` and ``scheme`` are what it asked.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    address: str | None = field(default=None, repr=False)
    host: str = ""
    scheme: str = "http"


@dataclass(frozen=True, slots=True)
class TrackingAnswer:
    """A status, a body that is JSON or empty, and the headers."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, status: int, value: object, **headers: str) -> TrackingAnswer:
        """An answer that holds a JSON value; ``retry_after="1"`` adds a header ``Retry-After``."""
        more = {name.replace("_", "-").title(): text for name, text in headers.items()}
        always = {"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return cls(status, orjson.dumps(value), {**_ANY_ORIGIN, **always, **more})

    @classmethod
    def preflight(cls) -> TrackingAnswer:
        """The answer to a browser that asks whether it may send."""
        return cls(204, b"", _PREFLIGHT)


class Rejection(Exception):
    """A request or a message that is not accepted: the status to answer, and why, without personal data."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason

    def answer(self) -> TrackingAnswer:
        """The answer that says so."""
        headers = {"www_authenticate": 'Basic realm="write key"'} if self.status == 401 else {}
        return TrackingAnswer.of(self.status, {"success": False, "message": self.reason}, **headers)
