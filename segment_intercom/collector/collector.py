"""The collector: Segment's HTTP tracking API, so that Segment's own clients can send to us unmodified.

Source: Segment's HTTP API documentation, and what its libraries for Python, Node and the browser send.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from ..calls import TYPES, Call
from ..diagnostics import WARNINGS, logger
from ..errors import OutboxError
from ..ingest import PlainMessage
from ..partition import has_effect
from ..settings import Settings
from .body import LARGEST_BODY, LARGEST_MESSAGE, messages_of, read_body
from .browser import admit
from .keys import is_browser_key, source_of
from .messages import Envelope, check_message_size, utc_now
from .request import Rejection, TrackingAnswer, TrackingRequest

PREFIX = "/v1"
_SHORT = {"i": "identify", "t": "track", "p": "page", "s": "screen", "g": "group", "a": "alias"}
# A deletion comes in a batch; Segment's API has no path for it.
_KINDS = {**{kind: kind for kind in TYPES if kind != "delete"}, **_SHORT}
_BATCHES = {"batch", "b", "import"}
_METRICS = "m"
_HEALTH = {"/health", f"{PREFIX}/health"}
_READY = {"/ready", f"{PREFIX}/ready"}
# All that a batch says of its messages is kept with each of them.
_MOST_SHARED = 5 * 1024 * 1024
_MOST_REASONS = 20
_RETRY_AFTER = "2"  # seconds: the outbox is locked for a moment, or its disk is full for longer


@dataclass(slots=True)
class _Outcome:
    """What became of the messages of one request."""

    calls: list[Call | PlainMessage] = field(default_factory=list)
    with_effect: int = 0
    without_effect: int = 0
    refused: list[tuple[int, Rejection]] = field(default_factory=list)

    def add(self, call: Call | PlainMessage | None) -> None:
        """Note a call; of one that has no effect the application may want to hear all the same, in its tests."""
        if call is not None:
            self.calls.append(call)
        if call is None or not (isinstance(call, PlainMessage) or has_effect(call)):
            self.without_effect += 1
        else:
            self.with_effect += 1


class Collector:
    """Answers requests to Segment's HTTP API; ``accept`` keeps calls, all or none, and returns how many are new.

    ``ready`` raises OutboxError where nothing can be kept now. ``counts`` says how many messages were accepted, came
    again, had no effect at Intercom, and were refused.
    """

    def __init__(
        self,
        settings: Settings,
        accept: Callable[[Sequence[Call | PlainMessage]], int],
        *,
        clock: Callable[[], datetime] = utc_now,
        ready: Callable[[], object] = lambda: None,
    ) -> None:
        self._settings = settings
        self._accept = accept
        self._clock = clock
        self._ready = ready
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()

    def largest_body(self) -> int:
        """How many bytes of a body need to be read: what is longer is refused."""
        return LARGEST_BODY

    def answer(self, request: TrackingRequest) -> TrackingAnswer:
        """Answer a request: 200 only after its calls are kept; what is refused says why, and nothing about a user."""
        try:
            return self._route(request)
        except Rejection as refusal:
            self._count(f"answered {refusal.status}", 1)
            WARNINGS.warn("collector: requests are answered %s: %s", str(refusal.status), refusal.reason)
            return refusal.answer()
        except OutboxError as error:
            self._count("answered 503", 1)
            logger.error("collector: the client is asked to send again, for nothing was kept: %s", error)
            return TrackingAnswer.of(503, {"success": False, "message": "not stored"}, retry_after=_RETRY_AFTER)

    def _route(self, request: TrackingRequest) -> TrackingAnswer:
        path = request.path.rstrip("/")
        if request.method == "OPTIONS":
            return TrackingAnswer.preflight()
        if path in _HEALTH:
            return _only("GET", request) or TrackingAnswer.of(200, {"status": "ok"})
        if path in _READY:
            return _only("GET", request) or self._readiness()
        name = path.removeprefix(f"{PREFIX}/") if path.startswith(f"{PREFIX}/") else ""
        if name.startswith("projects/") and name.endswith("/settings"):
            key = name.removeprefix("projects/").removesuffix("/settings")
            return _only("GET", request) or self._project(key, request)
        if name == _METRICS:  # analytics-next's own, about itself
            return _only("POST", request) or TrackingAnswer.of(200, {"success": True})
        if name in _BATCHES or name in _KINDS:
            return _only("POST", request) or self._track(request, _KINDS.get(name))
        raise Rejection(404, "no such path; Segment's HTTP API is at /v1, such as /v1/batch")

    def _readiness(self) -> TrackingAnswer:
        """Whether calls can be kept now, for what sends requests to one of several collectors."""
        try:
            self._ready()
        except OutboxError:
            return TrackingAnswer.of(503, {"status": "the outbox does not answer"}, retry_after=_RETRY_AFTER)
        return TrackingAnswer.of(200, {"status": "ready"})

    def _project(self, key: str, request: TrackingRequest) -> TrackingAnswer:
        """What analytics-next asks for first: where to send to, and that nothing else is to be loaded."""
        if not is_browser_key(self._settings, key):
            raise Rejection(404, "the key is none of INTERCOM_BROWSER_WRITE_KEYS")
        segment = {
            "apiKey": key,
            "apiHost": f"{request.host}{PREFIX}",
            "protocol": request.scheme,
            "unbundledIntegrations": [],
            "addBundledMetadata": True,
            "maybeBundledConfigIds": {},
            "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
        }
        allowed = {"__default": {"enabled": True, "integrations": {}}}
        return TrackingAnswer.of(
            200,
            {
                "integrations": {"Segment.io": segment},
                "plan": {"track": allowed, "identify": allowed, "group": allowed},
                "edgeFunction": {},
                "analyticsNextEnabled": True,
                "middlewareSettings": {},
                "enabledMiddleware": {},
                "metrics": {"sampleRate": 0},
                "legacyVideoPluginsEnabled": False,
                "remotePlugins": [],
            },
        )

    def _track(self, request: TrackingRequest, kind: str | None) -> TrackingAnswer:
        """Keep the messages of a request, one or a batch; one that is refused costs no other."""
        body = read_body(request, LARGEST_BODY if kind is None else LARGEST_MESSAGE)
        is_from_browser = source_of(self._settings, request.headers, body) == "browser"
        messages: Sequence[Any] = [body] if kind is not None else messages_of(body)
        # A single message's context is its own.
        envelope = Envelope.of(
            {"sentAt": body.get("sentAt")} if kind is not None else body,
            request.address,
            is_from_browser=is_from_browser,
            now=self._clock(),
        )
        _check_shared(envelope.shared, len(messages))
        outcome = self._read(messages, kind, envelope, request.headers.get("user-agent") if is_from_browser else None)
        if outcome.refused and len(outcome.refused) == len(messages):
            raise _all_refused(outcome)
        accepted = self._accept(outcome.calls) if outcome.calls else 0
        self._count("accepted", accepted)
        self._count("repeated", outcome.with_effect - accepted)
        self._count("without effect", outcome.without_effect)
        return _success(outcome)

    def _read(self, messages: Sequence[Any], kind: str | None, envelope: Envelope, user_agent: str | None) -> _Outcome:
        outcome = _Outcome()
        for index, message in enumerate(messages):
            try:
                call: Call | PlainMessage | None = envelope.read_plain(message, kind)
                if call is None:
                    call = envelope.read(message, kind)
                    if envelope.is_from_browser:
                        call = admit(call, self._settings, envelope.address, user_agent)
            except Rejection as refusal:
                self._count("refused", 1)
                WARNINGS.warn("collector: a message is refused: %s", refusal.reason)
                outcome.refused.append((index, refusal))
            else:
                outcome.add(call)
        return outcome

    def _count(self, name: str, number: int) -> None:
        if number > 0:
            with self._lock:
                self.counts[name] += number


def _only(method: str, request: TrackingRequest) -> TrackingAnswer | None:
    """The answer to a request with another method, or None."""
    if request.method == method or (method == "GET" and request.method == "HEAD"):
        return None
    return TrackingAnswer.of(
        405, {"success": False, "message": f"only {method} is answered here"}, allow=f"{method}, OPTIONS"
    )


def _check_shared(shared: Mapping[str, Mapping[str, Any]], count: int) -> None:
    """Refuse a context of a batch that would make much of little, once it stands in each message."""
    if not shared:
        return
    check_message_size(shared)
    if len(orjson.dumps(shared, option=orjson.OPT_NON_STR_KEYS)) * count > _MOST_SHARED:
        raise Rejection(400, f"context: the batch's own, in each message, is more than {_MOST_SHARED // 1024**2} MB")


def _all_refused(outcome: _Outcome) -> Rejection:
    """One refusal for all: 403 where identity is the reason of any, for mending that one makes a difference."""
    status = max(refusal.status for _, refusal in outcome.refused)
    reasons = dict.fromkeys(refusal.reason for _, refusal in outcome.refused)
    return Rejection(status, "; ".join([*reasons][:_MOST_REASONS]))


def _success(outcome: _Outcome) -> TrackingAnswer:
    if not outcome.refused:
        return TrackingAnswer.of(200, {"success": True})
    reasons = [{"index": index, "message": refusal.reason} for index, refusal in outcome.refused[:_MOST_REASONS]]
    return TrackingAnswer.of(200, {"success": True, "refused": len(outcome.refused), "reasons": reasons})
