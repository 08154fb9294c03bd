"""What the collector takes from Segment's clients, and what it answers."""

from __future__ import annotations

import base64
import gzip
import logging
from typing import Any

import pytest

from segment_intercom import Group, Identify, OutboxError, Page, Settings, Track, parse
from segment_intercom.calls import message_of
from segment_intercom.collector import Collector, TrackingRequest

from .conftest import JSON, NOW, SERVER, Received, said

EVENT = {"userId": "u1", "event": "Baked", "properties": {"loaves": 3}}


@pytest.mark.parametrize(
    "paths", ["identify i", "track t", "page p", "screen s", "group g", "alias a"], ids=lambda paths: paths.split()[0]
)
def test_long_and_short_paths_are_one(received: Received, paths: str) -> None:
    message = {"userId": "u1", "event": "Baked", "groupId": "g1", "previousId": "u0"}
    for path in paths.split():
        assert received.post(path, message).status == 200
    first, second = received.calls
    assert type(first).__name__.lower() == paths.split()[0]
    assert message_of(first) == message_of(second)


@pytest.mark.parametrize("path", ["batch", "b", "import", "batch/"])
def test_a_batch_keeps_its_order(received: Received, path: str) -> None:
    messages = [
        {"type": "identify", "userId": "u1", "traits": {"plan": "pro"}},
        {"type": "track", **EVENT},
        {"type": "group", "userId": "u1", "groupId": "g1"},
        {"type": "page", "userId": "u1", "name": "Home"},
    ]
    assert said(received.post(path, {"batch": messages})) == {"success": True}
    assert [type(call) for call in received.calls] == [Identify, Track, Group, Page]


def test_basic_authentication_carries_write_key(received: Received) -> None:
    credentials = base64.b64encode(f"{SERVER}:".encode()).decode()
    assert received.post("track", EVENT, key=None, authorization=f"Basic {credentials}").status == 200
    assert received.post("track", EVENT, key=None, authorization="Basic !").status == 401
    assert received.post("track", EVENT, key=None, authorization="Bearer token").status == 401


@pytest.mark.parametrize("key", [None, "", "unknown", "ключ"])
def test_an_unknown_key_is_refused(received: Received, key: str | None) -> None:
    answer = received.post("track", EVENT, key=key)
    assert answer.status == 401
    assert "writeKey" in said(answer)["message"]
    assert received.calls == []


def test_no_key_is_accepted_by_default() -> None:
    assert Received(Settings(app_id="abc12345")).post("track", EVENT).status == 401


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "text/plain; charset=utf-8", ""])
def test_json_may_be_sent_as_text(received: Received, kind: str) -> None:
    assert received.post("track", EVENT, content_type=kind).status == 200


def test_gzip_is_unpacked(received: Received) -> None:
    body = gzip.compress(b'{"writeKey": "server-key", "userId": "u1", "event": "Baked"}')
    assert received.post("track", body, content_encoding="gzip").status == 200
    assert len(received.calls) == 1


BOMB = gzip.compress(b" " * 50_000_000 + b"{}")
NESTED = b'{"writeKey":"server-key","userId":"u1","event":"e","properties":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001


@pytest.mark.parametrize(
    ("body", "headers", "status", "problem"),
    [
        (b"no JSON", {}, 400, "the body is not JSON"),
        (b"[1]", {}, 400, "must be a JSON object"),
        (b"\xff\xfe", {}, 400, "the body is not JSON"),
        (NESTED, {}, 400, "the body is not JSON"),
        (b"x" * 10_000_000, {}, 400, "larger than"),
        (BOMB, {"content_encoding": "gzip"}, 400, "larger than"),
        (b"{}", {"content_encoding": "gzip"}, 400, "is no gzip"),
        (gzip.compress(b"{}")[:-4], {"content_encoding": "gzip"}, 400, "not one whole gzip stream"),
        (b"{}", {"content_encoding": "br"}, 415, "must be gzip"),
        (b"a=b", {"content_type": "application/x-www-form-urlencoded"}, 415, "must be application/json"),
    ],
)
@pytest.mark.parametrize("path", ["track", "batch"])
def test_unreadable_body_is_refused(
    received: Received, path: str, body: bytes, headers: dict[str, str], status: int, problem: str
) -> None:
    answer = received.post(path, body, **headers)
    assert answer.status == status
    assert problem in said(answer)["message"]
    assert received.calls == []


def test_limits_are_segments(received: Received) -> None:
    large = {**EVENT, "type": "track", "properties": {"text": "x" * 33_000}}
    assert "32 KB" in said(received.post("track", large))["message"]
    assert said(received.post("batch", {"batch": [large, {**EVENT, "type": "track"}]})) == {
        "success": True,
        "refused": 1,
        "reasons": [{"index": 0, "message": "a message is larger than 32 KB"}],
    }
    assert "2500 messages" in said(received.post("batch", {"batch": [{}] * 2_501}))["message"]
    assert "500 KB" in said(received.post("batch", {"batch": ["x" * 600_000]}))["message"]
    assert len(received.calls) == 1


def test_one_bad_message_costs_no_other(received: Received, caplog: pytest.LogCaptureFixture) -> None:
    secret = "ann@example.com"
    messages: list[Any] = [
        {"type": "track", **EVENT},
        {"type": "track", "userId": secret},
        {"type": "identify", "userId": {"no": secret}},
        {"type": secret},
        secret,
        {"type": "track", **EVENT, "messageId": 5},
        {"type": "track", **EVENT, "messageId": secret * 10},
        {"type": "track", **EVENT, "properties": [secret]},
        {"type": "track", **EVENT},
    ]
    with caplog.at_level(logging.INFO):
        answer = received.post("batch", {"batch": messages})
    assert answer.status == 200
    assert [reason["index"] for reason in said(answer)["reasons"]] == [1, 2, 3, 4, 5, 6, 7]
    assert len(received.calls) == 2
    assert received.collector.counts == {"accepted": 2, "refused": 7}
    assert secret not in caplog.text + answer.body.decode()


def test_batch_of_bad_messages_is_refused(received: Received) -> None:
    answer = received.post("batch", {"batch": [{"type": "track"}, 5]})
    assert answer.status == 400
    assert "event" in said(answer)["message"]
    assert received.post("batch", {"batch": []}).status == 200
    assert received.post("batch", {"batch": {}}).status == 400


def test_batch_defaults_apply_to_messages(received: Received) -> None:
    """The context and the integrations of a batch hold for its messages, whose own values win."""
    received.post(
        "batch",
        {
            "context": {"library": {"name": "l"}, "ip": "198.51.100.1"},
            "integrations": {"All": False},
            "batch": [
                {"type": "track", **EVENT, "context": {"ip": "198.51.100.2"}, "integrations": {"Intercom": True}},
                {"type": "track", **EVENT},
            ],
        },
    )
    own, shared = received.calls
    assert own.context == {"library": {"name": "l"}, "ip": "198.51.100.2"}
    assert own.integrations == {"All": False, "Intercom": True}
    assert own.for_intercom
    assert shared.context["ip"] == "198.51.100.1"
    assert not shared.for_intercom


def test_repeated_batch_context_is_limited(received: Received) -> None:
    """A small batch whose context would be copied into many messages is refused at 5 MB in all."""
    context = {"text": "x" * 30_000}
    answer = received.post("batch", {"context": context, "batch": [{"type": "track", **EVENT}] * 500})
    assert answer.status == 400
    assert "5 MB" in said(answer)["message"]


@pytest.mark.parametrize(
    ("timestamp", "sent_at", "expected"),
    [
        ("2026-11-27T11:00:00Z", "2026-11-27T11:30:00Z", "2026-11-27T11:30:00+00:00"),
        ("2026-11-27T11:00:00.500Z", None, "2026-11-27T11:00:00.500000+00:00"),
        ("2026-11-27T11:00:00", "2026-11-27T11:00:00", "2026-11-27T12:00:00+00:00"),
        (None, "2026-11-27T11:30:00Z", "2026-11-27T12:00:00+00:00"),
        ("2026-11-27T11:00:00Z", "yesterday", "2026-11-27T11:00:00+00:00"),
        ("0001-01-01T00:00:00Z", "2027-11-27T11:00:00Z", "0001-01-01T00:00:00+00:00"),
        (1764244800, None, 1764244800),
        ("no time", None, "no time"),
    ],
)
@pytest.mark.parametrize("extra", [{}, {"integrations": {"All": True}}], ids=["plain", "read"])
def test_the_senders_clock_is_corrected(
    received: Received, timestamp: Any, sent_at: Any, expected: Any, extra: dict[str, Any]
) -> None:
    message = {"type": "track", **EVENT, **extra, "timestamp": timestamp}
    received.post("track", {**message, "sentAt": sent_at})
    received.post("batch", {"batch": [message], "sentAt": sent_at})
    received.post("batch", {"batch": [{**message, "sentAt": sent_at}], "sentAt": "2020-01-01T00:00:00Z"})
    times = {str(call.timestamp) for call in received.calls[: 3 if sent_at and sent_at != "yesterday" else 2]}
    assert times == {str(expected)}


def test_direct_context_takes_connection_address(received: Received) -> None:
    received.post("track", {**EVENT, "context": {"direct": True, "ip": "1.1.1.1"}})
    received.post("track", {**EVENT, "context": {"ip": "1.1.1.1"}})
    received.post("track", EVENT)
    assert [call.context.get("ip") for call in received.calls] == ["203.0.113.7", "1.1.1.1", None]


def test_preflight_allows_any_origin(received: Received) -> None:
    answer = received.get("/v1/t", "OPTIONS")
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    for name in ("authorization", "content-type", "x-retry-count"):
        assert name in answer.headers["Access-Control-Allow-Headers"]
    assert received.post("track", EVENT, key="unknown").headers["Access-Control-Allow-Origin"] == "*"


def test_analytics_next_hears_where_to_send(received: Received) -> None:
    settings = said(received.get("/v1/projects/browser-key/settings"))["integrations"]["Segment.io"]
    assert settings["apiKey"] == "browser-key"
    assert (settings["protocol"], settings["apiHost"]) == ("https", "cdn.example/v1")
    assert received.get("/v1/projects/server-key/settings").status == 404


def test_browser_client_metrics_are_discarded(received: Received) -> None:
    assert received.post("m", {"series": []}, key=None).status == 200
    assert received.calls == []


@pytest.mark.parametrize("path", ["/health", "/v1/health"])
def test_it_says_that_it_is_there(received: Received, path: str) -> None:
    assert (received.get(path).status, received.get(path, "HEAD").status) == (200, 200)


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/tracks", "/v2/track", "/v1/projects/x"])
def test_an_unknown_path_is_not_found(received: Received, path: str) -> None:
    assert received.get(path).status == 404


def test_a_wrong_method_is_told_which(received: Received) -> None:
    answer = received.get("/v1/track")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST, OPTIONS")


def test_outbox_error_answers_503_with_retry(caplog: pytest.LogCaptureFixture) -> None:
    """The client hears when to send again; the reason stands in the log only."""

    def accept(_: object) -> int:
        raise OutboxError("outbox.db: the disk is full; make room")

    collector = Collector(Settings(app_id="abc12345", write_keys=[SERVER]), accept, clock=lambda: NOW)
    body = b'{"writeKey": "server-key", "userId": "u1", "event": "Baked"}'
    answer = collector.answer(TrackingRequest("POST", "/v1/track", JSON, body))
    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    assert "the disk is full" in caplog.text
    assert b"disk" not in answer.body


def test_plain_and_parsed_messages_are_equal(received: Received) -> None:
    """A plain message is stored as it came; one that is not goes through a call."""
    message = {"type": "track", **EVENT, "messageId": "m1", "anonymousId": "a", "context": {"ip": "1.1.1.1"}}
    received.post("batch", {"batch": [message, {**message, "integrations": {"All": True}}]})
    plain, read = (message_of(call) for call in received.calls)
    read.pop("integrations")
    assert plain == read == message_of(parse({**message, "timestamp": NOW.isoformat()}))
