"""Messages of a request as calls: what the batch says of all, the clock of the sender, the address.

Source: Segment's specification, "Spec: Common Fields" and "Batch requests".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from ..calls import Call, parse, plain_message
from ..errors import CallError
from ..ingest import PlainMessage
from .body import LARGEST_MESSAGE
from .request import Rejection

_LONGEST_ID = 100
# A message in which a few names are shorter or missing is not larger than it came.
_PLAIN = LARGEST_MESSAGE
_SHARED = ("context", "integrations")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a request says of its messages: how far the sender's clock is ``behind``, its address, what all share."""

    received_at: datetime
    behind: timedelta
    address: str | None
    is_from_browser: bool
    shared: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, body: Mapping[str, Any], address: str | None, *, is_from_browser: bool, now: datetime) -> Envelope:
        """Read the fields of a body that are not a message's own."""
        shared = {name: value for name in _SHARED if isinstance(value := body.get(name), Mapping) and value}
        sent_at = moment_of(body.get("sentAt"))
        behind = timedelta(0) if sent_at is None else now - sent_at
        return cls(now, behind, address, is_from_browser, shared)

    def read(self, message: Any, kind: str | None = None) -> Call:
        """Return the call in a message; raises Rejection for one that is none.

        ``kind`` is the type that the path names. Segment's libraries say when a call happened by their own clock, and
        in ``sentAt`` what that clock says now, so the difference to ours is taken off.
        """
        if not isinstance(message, Mapping):
            raise Rejection(400, "a message must be a JSON object")
        check_message_size(message)
        fields: dict[str, Any] = {**message, "type": kind} if kind is not None else dict(message)
        for name, shared in self.shared.items():
            own = fields.get(name)
            fields[name] = _merged(shared, own) if isinstance(own, Mapping) else shared if own is None else own
        if (happened_at := self._time_of(fields)) is not None:
            fields["timestamp"] = happened_at.isoformat()
        self._set_address(fields)
        message_id = fields.get("messageId")
        if message_id is not None and not (isinstance(message_id, str) and len(message_id) <= _LONGEST_ID):
            raise Rejection(400, f"messageId: must be a string of at most {_LONGEST_ID} characters")
        try:
            return parse(fields)
        except CallError as error:
            raise Rejection(400, f"{error.field}: {error.problem}") from None

    def read_plain(self, message: Any, kind: str | None = None) -> PlainMessage | None:
        """Return a message ready to be stored where it is as nearly all are, else None: then ``read`` it."""
        if type(message) is not dict or self.shared or self.is_from_browser:
            return None
        fields = plain_message(message if kind is None else {**message, "type": kind})
        if fields is None or ("context" in fields and "direct" in fields["context"]):
            return None
        message_id = fields.get("messageId")
        timestamp = self._time_of(message)
        if timestamp is None or (message_id is not None and len(message_id) > _LONGEST_ID):
            return None
        fields["timestamp"] = timestamp
        try:
            body = orjson.dumps(fields)
        except TypeError:  # half a character, or a number beyond 64 bits
            return None
        return PlainMessage(fields["userId"], body, message_id, fields.get("event")) if len(body) < _PLAIN else None

    def _time_of(self, message: Mapping[str, Any]) -> datetime | None:
        """When a call happened, by our clock; None where what is said is no ISO 8601 time."""
        said = message.get("timestamp")
        if said is None:
            return self.received_at
        happened_at = moment_of(said)
        if happened_at is None:
            return None
        behind = self.behind
        if (own := message.get("sentAt")) is not None and (sent_at := moment_of(own)) is not None:
            behind = self.received_at - sent_at
        try:
            return happened_at + behind
        except OverflowError:
            return happened_at

    def _set_address(self, fields: dict[str, Any]) -> None:
        """Where a client asks for it, or is a browser, its address is that of the connection."""
        context = fields.get("context")
        if self.address is None or not (context is None or isinstance(context, Mapping)):
            return
        asks = context is not None and context.get("direct") is True
        if asks or self.is_from_browser:
            fields["context"] = {**(context or {}), "ip": self.address}


def check_message_size(message: Any) -> None:
    """Refuse a message that is larger than 32 KB."""
    try:
        size = len(orjson.dumps(message))
    except TypeError:  # half a character, or a whole number beyond 64 bits: what is left is counted roughly
        size = len(repr(message))
    if size > LARGEST_MESSAGE:
        raise Rejection(400, f"a message is larger than {LARGEST_MESSAGE // 1024} KB")


def moment_of(text: Any) -> datetime | None:
    """Read an ISO 8601 time, as all of Segment's libraries write it; None for anything else."""
    if type(text) is not str:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    # A time without a zone is a zone's as long as both have none; UTC is what Segment takes.
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def utc_now() -> datetime:
    """The time of arrival."""
    return datetime.now(UTC)


def _merged(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """What the batch says of all its messages, below what a message says itself; objects in it as well."""
    merged = {**shared, **own}
    for name in shared.keys() & own.keys():
        if isinstance(shared[name], Mapping) and isinstance(own[name], Mapping):
            merged[name] = {**shared[name], **own[name]}
    return merged
