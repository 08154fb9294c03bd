"""A call as the JSON text that waits for delivery: everything that a developer handed in, as plain values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import orjson

from ._json import dumps, holds_nan
from .calls import Call, Identify, message_of
from .diagnostics import Diagnostics
from .errors import CallError
from .traits import seconds
from .traits.coerce import UnixTime, UnsupportedValue, key_to_json, to_json
from .traits.companies import is_list, traits_of

_OPTIONS = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS
_COMPANIES = {"company", "companies"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FARTHEST = timedelta(hours=23, minutes=59)  # of a zone from UTC


def write(call: Call, diagnostics: Diagnostics) -> bytes:
    """Write a call as JSON, as it is now: what its traits hold may change or end with a database session.

    A call without a timestamp happens now.
    A value that cannot be sent is rejected through the diagnostics, by its name.
    """
    message = message_of(call)
    if call.timestamp is not None and seconds(call.timestamp) is None:
        diagnostics.reject("timestamp", "is no date that can be read")
        message.pop("timestamp", None)  # an empty object is none of its fields already
    if "timestamp" not in message:
        message["timestamp"] = datetime.now(UTC).isoformat()
    if isinstance(call, Identify) and not _COMPANIES.isdisjoint(call.traits):
        message["traits"] = _with_companies(call.traits)
    try:
        text = orjson.dumps(message, default=_plain, option=_OPTIONS)
    except TypeError:  # somewhere a value that is none, or a text that is no Unicode: find out which
        return _write_carefully(message, diagnostics)
    if b"null" in text and holds_nan(message):
        return _write_carefully(message, diagnostics)
    return text


def _with_companies(traits: Mapping[str, Any]) -> dict[str, Any]:
    """The traits with companies that are objects, such as rows of a database, as what is read of them."""
    serialized = dict(traits)
    for name in _COMPANIES & serialized.keys():
        value = serialized[name]
        if is_list(value):
            serialized[name] = [_company(item) for item in value]
        elif value is not None:
            serialized[name] = _company(value)
    return serialized


def _company(value: Any) -> Any:
    return value if isinstance(value, str) else traits_of(value) or value


def whole_text(text: str) -> str:
    """A text without halves of surrogate pairs: two that belong together are one character, others a replacement."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def read(text: bytes) -> Any:
    """Read what ``write`` wrote, or any other JSON; raises CallError when it is none."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:  # which it also raises for the half of a surrogate pair
        pass
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise CallError("message", "is not valid JSON") from None


def _write_carefully(message: Mapping[str, Any], diagnostics: Diagnostics) -> bytes:
    fields: dict[str, Any] = {}
    for field, value in message.items():
        if isinstance(value, Mapping):
            fields[field] = _plain_items(value, diagnostics)
        else:
            fields.update(_plain_items({field: value}, diagnostics))
    return dumps(fields).encode()


def _plain_items(values: Mapping[Any, Any], diagnostics: Diagnostics) -> dict[str, Any]:
    items: dict[str, Any] = {}
    for name, value in values.items():
        try:
            key = whole_text(key_to_json(name, (str(name),)))
            items[key] = _waiting(to_json(value, (key,)))
        except UnsupportedValue as error:
            diagnostics.reject(error.field, str(error))
    return items


def _waiting(value: Any) -> Any:
    """A plain value as it waits: dates as ISO 8601 texts, so that the mapping still knows them, all texts whole."""
    if type(value) is UnixTime:
        return value.text or _iso(value)
    if isinstance(value, str):
        return whole_text(value)
    if isinstance(value, dict):
        return {whole_text(name): _waiting(item) for name, item in value.items()}
    return [_waiting(item) for item in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    if type(value) is UnixTime:
        return value.text or _iso(value)
    if isinstance(value, date):
        return _iso(seconds(value) or 0)
    return to_json(value, ("",))


def _iso(moment: int) -> str:
    try:
        return (_EPOCH + timedelta(seconds=moment)).isoformat()
    except OverflowError:  # the calendar's first and last hours are in some zones outside of it in UTC
        shift = _FARTHEST if moment < 0 else -_FARTHEST
        return (_EPOCH.replace(tzinfo=timezone(shift)) + (timedelta(seconds=moment) + shift)).isoformat()
