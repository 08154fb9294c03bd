"""The page "Point Segment here": the line that each of Segment's clients needs, and what arrives, as it arrives."""

from __future__ import annotations

import secrets
import time
from collections import deque
from itertools import count
from typing import Any

from flask import Flask, current_app, render_template, request

from ..calls import Call, Group, Page, Screen, Track
from ..identity import user_hash
from ..integrations.collector import collector_blueprint
from ..integrations.signals import call_accepted
from .people import PEOPLE

COLLECTOR = "segment_intercom_collector"
_SHOWN = 50
_ARRIVALS = "demo_arrivals"
_USER = str(next(iter(PEOPLE.values())).id)


class Arrivals:
    """The latest calls that the collector accepted."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._calls: deque[dict[str, Any]] = deque(maxlen=_SHOWN)

    def add(self, _: Flask, call: Call) -> None:
        """Note a call."""
        self._calls.append({"number": next(self._numbers), "at": time.time(), **_described(call)})

    def after(self, number: int) -> list[dict[str, Any]]:
        """Those that came after one, oldest first."""
        return [call for call in list(self._calls) if call["number"] > number]


def add_pages(app: Flask) -> None:
    """Let an application be sent to by Segment's clients, with keys of its own, and show what comes."""
    arrivals = app.extensions[_ARRIVALS] = Arrivals()
    call_accepted.connect(arrivals.add, app)
    app.register_blueprint(collector_blueprint())
    app.add_url_rule("/segment", "segment", show)
    app.add_url_rule("/segment/calls", "segment_calls", calls)


def keys() -> dict[str, list[str]]:
    """A write key for servers and one for pages, made anew for each demo."""
    return {
        "INTERCOM_WRITE_KEYS": [secrets.token_urlsafe(16)],
        "INTERCOM_BROWSER_WRITE_KEYS": [secrets.token_urlsafe(16)],
    }


def show() -> str:
    """The page."""
    host = request.host_url.rstrip("/")
    (server_key,), (browser_key,) = (current_app.config[name] for name in keys())
    proof = user_hash(current_app.config["INTERCOM_IDENTITY_SECRET"], _USER)
    return render_template(
        "demo/segment.html", host=host, server_key=server_key, browser_key=browser_key, user=_USER, proof=proof
    )


def calls() -> list[dict[str, Any]]:
    """The calls that came after the number in the query, as JSON."""
    arrivals: Arrivals = current_app.extensions[_ARRIVALS]
    return arrivals.after(request.args.get("after", 0, int))


def _described(call: Call) -> dict[str, Any]:
    """A call as the page shows it."""
    name: Any = ""
    if isinstance(call, Track):
        name = call.event
    elif isinstance(call, Group):
        name = call.group_id
    elif isinstance(call, Page | Screen):
        name = call.name
    library = call.context.get("library")
    shown = f"{library.get('name')} {library.get('version')}" if isinstance(library, dict) else ""
    user = getattr(call, "user_id", None) or call.anonymous_id or "visitor"
    return {"type": type(call).__name__.lower(), "name": name or "", "user": user, "library": shown}
