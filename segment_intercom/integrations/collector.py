"""The collector inside of a Flask application: a blueprint at ``/v1``."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, current_app, request
from werkzeug.routing import PathConverter

from ..calls import Call
from ..collector import Collector, TrackingAnswer, TrackingRequest
from ..collector.server import client_of
from ..errors import SettingsError
from ..ingest import PlainMessage
from ..partition import has_effect
from .flask import NAME, State, state
from .signals import call_accepted

_METHODS = ["GET", "POST", "OPTIONS"]
_COLLECTOR = f"{NAME}.collector"
_ANY = f"{NAME}_any"


def collector_blueprint() -> Blueprint:
    """Return a blueprint, for ``app.register_blueprint(collector_blueprint())`` beside a SegmentIntercom.

    It answers Segment's HTTP API at ``/v1`` with the keys of ``INTERCOM_WRITE_KEYS`` and
    ``INTERCOM_BROWSER_WRITE_KEYS``. Where forms are protected against forgery, exempt it: a write key is no cookie.
    """
    blueprint = Blueprint(f"{NAME}_collector", __name__)
    blueprint.record_once(lambda setup: setup.app.url_map.converters.update({_ANY: _AnyPath}))
    blueprint.add_url_rule(f"/v1/<{_ANY}:name>", "collect", _collect, methods=_METHODS, provide_automatic_options=False)
    return blueprint


class _AnyPath(PathConverter):
    """A path that may hold line breaks: what it names is for the collector to answer, in JSON."""

    regex = r"[^/][\s\S]*?"


def _collect(name: str) -> Response:
    current = state()
    collector = current_app.extensions.get(_COLLECTOR) or _collector_of(current)
    mounted_at = request.script_root + request.path.removesuffix(f"/v1/{name}")
    headers = {name.lower(): value for name, value in request.headers.items()}
    address, host, scheme = client_of(request.remote_addr or "", headers, current.settings.trusted_proxies)
    tracking = TrackingRequest(
        request.method,
        f"/v1/{name}",
        headers,
        request.stream.read(collector.largest_body() + 1),
        address or None,
        (host or request.host) + mounted_at,
        scheme or request.scheme,
    )
    return _response(collector.answer(tracking))


def _collector_of(current: State) -> Collector:
    """The application's collector; while it is tested, calls are captured instead of kept."""

    def accept(calls: Sequence[Call | PlainMessage]) -> int:
        if not current_app.testing and not call_accepted.receivers:
            return current.ingest.enqueue_all(calls)
        read = [call.call() if isinstance(call, PlainMessage) else call for call in calls]
        if current_app.testing:
            current.captured.extend(read)
            return sum(map(has_effect, read))
        accepted = current.ingest.enqueue_all(calls)
        for call in read if current.settings.enabled else ():
            call_accepted.send(current_app._get_current_object(), call=call)  # type: ignore[attr-defined]
        return accepted

    if current.settings.deliver == "now":
        raise SettingsError("INTERCOM_DELIVER", 'is "now", which keeps nothing; a collector needs "thread" or "worker"')
    collector = current_app.extensions[_COLLECTOR] = Collector(current.settings, accept, ready=current.ingest.check)
    return collector


def _response(answer: TrackingAnswer) -> Response:
    return Response(answer.body, answer.status, answer.headers)
