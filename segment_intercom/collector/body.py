"""The body of a request, unpacked and read within limits that hold for what comes out.

Source: Segment's HTTP API documentation: 32 KB a message, 500 KB and 2,500 messages a batch.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from ..errors import CallError
from ..serialize import read
from .request import Rejection, TrackingRequest

LARGEST_MESSAGE = 32 * 1024
LARGEST_BODY = 500 * 1024
MOST_MESSAGES = 2_500
_GZIP = 31  # zlib's number for a stream with gzip's header
_TYPES = {"", "application/json", "text/plain"}


def read_body(request: TrackingRequest, largest: int) -> dict[str, Any]:
    """Return the JSON object in a body; raises Rejection for one that is too large, of another type, or none."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _TYPES:
        raise Rejection(415, "Content-Type: must be application/json or text/plain")
    value = _parsed(_unpacked(request.body, request.headers.get("content-encoding", ""), largest))
    if not isinstance(value, dict):
        raise Rejection(400, "the body must be a JSON object")
    return value


def check_size(size: int, largest: int) -> None:
    """Refuse a body that is larger than its kind may be."""
    if size > largest:
        raise Rejection(400, f"the body is larger than {largest // 1024} KB")


def messages_of(body: Mapping[str, Any]) -> list[Any]:
    """The messages of a batch; raises Rejection where there is no list of them, or too many."""
    messages = body.get("batch")
    if not isinstance(messages, list):
        raise Rejection(400, "batch: must be a list of messages")
    if len(messages) > MOST_MESSAGES:
        raise Rejection(400, f"batch: holds more than {MOST_MESSAGES} messages")
    return messages


def _unpacked(body: bytes, encoding: str, largest: int) -> bytes:
    check_size(len(body), largest)
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip"):
        raise Rejection(415, "Content-Encoding: must be gzip, or left out")
    unpacking = zlib.decompressobj(_GZIP)
    try:
        text = unpacking.decompress(body, largest + 1)
    except zlib.error:
        raise Rejection(400, "the body is no gzip, though Content-Encoding says so") from None
    check_size(len(text), largest)
    if not unpacking.eof or unpacking.unused_data:
        raise Rejection(400, "the body is not one whole gzip stream")
    return text


def _parsed(text: bytes) -> Any:
    try:
        return read(text)
    except CallError:
        raise Rejection(400, "the body is not JSON") from None
