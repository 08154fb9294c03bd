"""A collector that keeps calls in a list, and one that keeps them in an outbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from segment_intercom import Settings
from segment_intercom.calls import Call
from segment_intercom.collector import Collector, TrackingAnswer, TrackingRequest
from segment_intercom.ingest import PlainMessage
from segment_intercom.partition import has_effect

SERVER, BROWSER, SECRET = "server-key", "browser-key", "not-a-real-secret"
NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
JSON = {"content-type": "application/json"}


@dataclass
class Received:
    """What a collector was sent, as calls, and the requests that tests make."""

    settings: Settings
    calls: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.collector = Collector(self.settings, self._accept, clock=lambda: NOW)

    def _accept(self, calls: Sequence[Call | PlainMessage]) -> int:
        read = [call.call() if isinstance(call, PlainMessage) else call for call in calls]
        self.calls += read
        return sum(map(has_effect, read))

    def post(self, path: str, body: Any, key: str | None = SERVER, **headers: str) -> TrackingAnswer:
        """Send a body, as JSON where it is none yet, with a write key in it."""
        if isinstance(body, dict) and key is not None:
            body = {"writeKey": key, **body}
        text = body if isinstance(body, bytes) else orjson.dumps(body)
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.collector.answer(
            TrackingRequest("POST", f"/v1/{path}", {**JSON, **fields}, text, "203.0.113.7", "cdn.example", "https")
        )

    def get(self, path: str, method: str = "GET") -> TrackingAnswer:
        """Ask for a path."""
        return self.collector.answer(TrackingRequest(method, path, {}, b"", None, "cdn.example", "https"))


def said(answer: TrackingAnswer) -> Any:
    """The JSON of an answer."""
    return orjson.loads(answer.body)


@pytest.fixture
def received() -> Received:
    return Received(
        Settings(app_id="abc12345", write_keys=[SERVER], browser_write_keys=[BROWSER], identity_secret=SECRET)
    )
