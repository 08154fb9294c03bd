"""Segment's HTTP tracking API, without a framework: requests in, answers out, calls into the outbox."""

from __future__ import annotations

from .collector import Collector as Collector
from .request import TrackingAnswer as TrackingAnswer
from .request import TrackingRequest as TrackingRequest
from .server import CollectorApp as CollectorApp
