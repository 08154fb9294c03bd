"""Spans for OpenTelemetry, where its API is installed; without it, nothing.

Their attributes name requests and counts, never a user. Source: OpenTelemetry's semantic conventions for HTTP clients.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

try:
    from opentelemetry import trace as _trace
except ImportError:  # an application that traces has it
    _API: Any = None
else:
    _API = _trace


@contextmanager
def span(name: str, attributes: Mapping[str, Any]) -> Iterator[Any]:
    """A span around some work, as the current one; gives it, or None where nothing is traced."""
    if _API is None:
        yield None
        return
    tracer = _API.get_tracer("segment_intercom")
    with tracer.start_as_current_span(name, attributes=dict(attributes), kind=_API.SpanKind.CLIENT) as current:
        yield current
