"""What an operator measures, in Prometheus' terms: counters of this process, and what the outbox knows of all.

Nothing in a name or a label is of a user. Source: Prometheus' documentation, "Metric and label naming".
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .errors import OutboxError, TransportError
from .outbox import Outbox
from .settings import Settings
from .transport import HttpTransport, Operation, Reply

# Each metric by its name: what it is, and its help. Counters end in _total.
METRICS: Mapping[str, tuple[str, str]] = {
    "segment_intercom_waiting": ("gauge", "Calls that wait in the outbox"),
    "segment_intercom_oldest_seconds": ("gauge", "Age of the oldest call that waits"),
    "segment_intercom_delivered_total": ("counter", "Calls that were delivered, by all processes"),
    "segment_intercom_dead_letters": ("gauge", "Calls that were given up, and are kept"),
    "segment_intercom_left_out_total": ("counter", "Values that Intercom refused by name, and that were left out"),
    "segment_intercom_outbox_up": ("gauge", "1 where the outbox answers, else 0"),
    "segment_intercom_requests_total": ("counter", "Requests of this process to Intercom, by status"),
    "segment_intercom_budget_used_ratio": ("gauge", "How much of Intercom's rate window is used, 0 to 1"),
    "segment_intercom_collected_total": ("counter", "Messages that this collector was sent, by what became of them"),
}


class CountedTransport:
    """A transport that counts its answers by status; ``none`` where there was no answer."""

    def __init__(self, transport: HttpTransport, requests: Counter[str] | None = None) -> None:
        self._transport = transport
        self._lock = threading.Lock()
        self.requests: Counter[str] = Counter() if requests is None else requests

    def for_workspace(self, settings: Settings) -> CountedTransport:
        """A transport to another workspace, whose answers are counted together with these."""
        return CountedTransport(self._transport.for_workspace(settings), self.requests)

    def send(self, operation: Operation) -> Reply:
        """Send one request, as the transport does, and count it."""
        try:
            reply = self._transport.send(operation)
        except TransportError:
            self._count("none")
            raise
        self._count(str(reply.status))
        return reply

    def budget_used(self) -> float | None:
        """How much of the rate window is used, 0 to 1; None where Intercom has not told yet."""
        return self._transport.budget_used()

    def close(self) -> None:
        """Send nothing more."""
        self._transport.close()

    def _count(self, status: str) -> None:
        with self._lock:
            self.requests[status] += 1


class Measured:
    """Everything that one process can tell: ``samples()`` gives (metric, labels, value) as they are now."""

    def __init__(
        self,
        outbox: Outbox,
        transport: CountedTransport | None = None,
        collected: Callable[[], Mapping[str, int]] = dict,
    ) -> None:
        self._outbox = outbox
        self._transport = transport
        self._collected = collected

    def samples(self) -> Iterator[tuple[str, dict[str, str], float]]:
        """Each metric's values."""
        try:
            counts, oldest = self._outbox.counts(), self._outbox.oldest()
        except OutboxError:
            yield "segment_intercom_outbox_up", {}, 0
        else:
            yield "segment_intercom_outbox_up", {}, 1
            yield "segment_intercom_waiting", {}, counts.waiting
            yield "segment_intercom_oldest_seconds", {}, oldest or 0
            yield "segment_intercom_delivered_total", {}, counts.delivered
            yield "segment_intercom_dead_letters", {}, counts.given_up
            yield "segment_intercom_left_out_total", {}, counts.left_out
        if self._transport is not None:
            for status, number in sorted(self._transport.requests.items()):
                yield "segment_intercom_requests_total", {"status": status}, number
            if (used := self._transport.budget_used()) is not None:
                yield "segment_intercom_budget_used_ratio", {}, used
        for outcome, number in sorted(self._collected().items()):
            yield "segment_intercom_collected_total", {"outcome": outcome.replace(" ", "_")}, number

    def families(self, metric: Callable[..., Any]) -> Iterator[Any]:
        """The samples as the client's own families; ``metric(kind, name, help, labels)`` makes one."""
        families: dict[str, Any] = {}
        for name, labels, value in self.samples():
            if name not in families:
                kind, description = METRICS[name]
                families[name] = metric(kind, name, description, [*labels])
            families[name].add_metric([*labels.values()], value)
        yield from families.values()
