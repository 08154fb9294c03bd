"""A fuzzer of the collector's bodies and of ``parse``: ``python -m tests.collector.fuzz -atheris_runs=8000``."""

from __future__ import annotations

import json
import logging
import sys

import atheris

with atheris.instrument_imports(include=["segment_intercom"]):
    from segment_intercom import SegmentIntercomError, Settings, parse, rest_operations
    from segment_intercom.collector import Collector, TrackingRequest

KEY = b'"writeKey":"k"'
SETTINGS = Settings(app_id="abc12345", write_keys=["k"], browser_write_keys=["b"], identity_secret="s")
HEADERS = [{"content-type": "text/plain"}, {"content-encoding": "gzip"}, {"authorization": "Basic azo="}]
SEEDS = [
    b'{"writeKey":"k","userId":"u","event":"e","properties":{"a":{"b":[1,{"c":null}]},"at":"2026-01-01T00:00:00Z"}}',
    b'{"writeKey":"b","userId":"u","traits":{"email":"a@b.co"},"context":{"Intercom":{"user_hash":"x"}}}',
    b'{"batch":[{"type":"identify","userId":"u","traits":{"companies":[{"id":1}]}}],"context":{"ip":"1"}}',
]
COLLECTOR = Collector(SETTINGS, lambda calls: len(list(calls)))


def answer_one(data: bytes) -> None:
    """Answer a request, and read, map and forget a message, of which only our own errors may come."""
    provider = atheris.FuzzedDataProvider(data)
    headers, path = HEADERS[provider.ConsumeIntInRange(0, 2)], provider.PickValueInList(["t", "i", "g", "b", "p"])
    seed, cut = provider.PickValueInList(SEEDS), provider.ConsumeIntInRange(0, 130)
    rest = provider.ConsumeBytes(100)
    body = seed[:cut] + rest + seed[cut:] if len(rest) % 3 else rest
    answer = COLLECTOR.answer(TrackingRequest("POST", f"/v1/{path}", headers, body, "1.1.1.1"))
    assert answer.status in (200, 400, 401, 403, 415), answer.status
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return
    try:
        rest_operations(parse(message), SETTINGS)
    except SegmentIntercomError:
        return


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    atheris.Setup(sys.argv, answer_one)
    atheris.Fuzz()
