"""A call as the JSON text that waits for delivery: everything that a developer handed in, as plain values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import orjson

from .calls import Call, Identify, message_of
from .errors import CallError
from .jsontext import dumps, holds_nan
from .traits import Report, seconds
from .traits.companies import is_list, traits_of
from .traits.values import Seconds, Unsendable, plain, plain_key

_OPTIONS = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS
_COMPANIES = {"company", "companies"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FARTHEST = timedelta(hours=23, minutes=59)  # of a zone from UTC


def write(call: Call, report: Report) -> bytes:
    """Write a call as JSON, as it is now: what its traits hold may change or end with a database session.

    A call without a timestamp happens now.
    A value that cannot be sent is refused through the report, by its name.
    """
    message = message_of(call)
    if call.timestamp is not None and seconds(call.timestamp) is None:
        report.refuse("timestamp", "is no date that can be read")
        del message["timestamp"]
    if "timestamp" not in message:
        message["timestamp"] = datetime.now(UTC).isoformat()
    if isinstance(call, Identify) and not _COMPANIES.isdisjoint(call.traits):
        message["traits"] = _with_companies(call.traits)
    try:
        text = orjson.dumps(message, default=_plain, option=_OPTIONS)
    except TypeError:  # somewhere a value that is none, or a text that is no Unicode: find out which
        return _write_carefully(message, report)
    if b"null" in text and holds_nan(message):
        return _write_carefully(message, report)
    return text


def _with_companies(traits: Mapping[str, Any]) -> dict[str, Any]:
    """The traits with companies that are objects, such as rows of a database, as what is read of them."""
    found = dict(traits)
    for name in _COMPANIES & found.keys():
        value = found[name]
        if is_list(value):
            found[name] = [_company(item) for item in value]
        elif value is not None:
            found[name] = _company(value)
    return found


def _company(value: Any) -> Any:
    return value if isinstance(value, str) else traits_of(value) or value


def read(text: bytes) -> Any:
    """Read what ``write`` wrote, or any other JSON; raises CallError when it is none."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:  # which it also raises for the half of a surrogate pair
        pass
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise CallError("message", "is no JSON") from None


def _write_carefully(message: Mapping[str, Any], report: Report) -> bytes:
    found: dict[str, Any] = {}
    for field, value in message.items():
        if isinstance(value, Mapping):
            found[field] = _plain_items(value, report)
        else:
            found.update(_plain_items({field: value}, report))
    return dumps(found).encode()


def _plain_items(values: Mapping[Any, Any], report: Report) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        try:
            key = plain_key(name, (str(name),))
            found[key] = _with_dates(plain(value, (key,)))
        except Unsendable as error:
            report.refuse(error.field, str(error))
    return found


def _with_dates(value: Any) -> Any:
    """A plain value whose dates are ISO 8601 texts again, so that the mapping still knows them."""
    if type(value) is Seconds:
        return value.text or _iso(value)
    if isinstance(value, dict):
        return {name: _with_dates(item) for name, item in value.items()}
    return [_with_dates(item) for item in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    if type(value) is Seconds:
        return value.text or _iso(value)
    if isinstance(value, date):
        return _iso(seconds(value) or 0)
    return plain(value, ("",))


def _iso(moment: int) -> str:
    try:
        return (_EPOCH + timedelta(seconds=moment)).isoformat()
    except OverflowError:  # the calendar's first and last hours are in some zones outside of it in UTC
        shift = _FARTHEST if moment < 0 else -_FARTHEST
        return (_EPOCH.replace(tzinfo=timezone(shift)) + (timedelta(seconds=moment) + shift)).isoformat()
