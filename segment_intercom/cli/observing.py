"""What operators look at: metrics on a port of their own, and a picture of the outbox in the terminal."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from typing import Any

import click

from ..errors import OutboxError
from ..metrics import Measured
from ..outbox import Outbox
from .serving import check_address

try:
    from prometheus_client import CollectorRegistry, start_http_server
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
    from prometheus_client.registry import Collector as Registered
except ImportError:  # an extra
    start_http_server = None  # type: ignore[assignment]
    Registered = object  # type: ignore[assignment,misc]

try:
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table
except ImportError:  # an extra
    Live = None  # type: ignore[assignment,misc]

_BARS = " ▁▂▃▄▅▆▇█"
_SHOWN = 60
METRICS_OPTION = click.option(
    "--metrics-port",
    type=click.IntRange(1, 65535),
    help="Serve Prometheus metrics at /metrics on this port of the loopback.",
)


class _Registered(Registered):
    """What Prometheus' client asks at each scrape."""

    def __init__(self, measured: Measured) -> None:
        self._measured = measured

    def collect(self) -> Iterator[Any]:
        """The families as they are now."""
        return self._measured.families(_family)


def serve_metrics(port: int, measured: Measured) -> None:
    """Serve metrics on the loopback until the process ends."""
    registry = CollectorRegistry()
    registry.register(_Registered(measured))
    start_http_server(port, "127.0.0.1", registry)


def check_metrics(port: int) -> None:
    """Raise where the client is missing, or the port is taken."""
    if start_http_server is None:
        raise click.ClickException("prometheus-client is missing: pip install 'segment-intercom[metrics]'")
    check_address("127.0.0.1", port, "--metrics-port")


def _family(kind: str, name: str, description: str, labels: list[str]) -> Any:
    family = CounterMetricFamily if kind == "counter" else GaugeMetricFamily
    return family(name, description, labels=labels)


def watch(outbox: Outbox, every: float = 1.0) -> None:
    """Draw the depth of the outbox and its age until interrupted."""
    if Live is None:
        raise click.ClickException("rich is missing: pip install 'segment-intercom[watch]'")
    depths: deque[int] = deque(maxlen=_SHOWN)
    delivered: deque[tuple[float, int]] = deque(maxlen=10)
    with Live(console=Console(stderr=False), auto_refresh=False, transient=False) as live:
        try:
            while True:
                live.update(_picture(outbox, depths, delivered), refresh=True)
                time.sleep(every)
        except KeyboardInterrupt:
            return


def _picture(outbox: Outbox, depths: deque[int], delivered: deque[tuple[float, int]]) -> Any:
    table = Table.grid(padding=(0, 2))
    table.add_row("[b]Outbox[/]", outbox.location)
    try:
        counts, oldest = outbox.counts(), outbox.oldest()
    except OutboxError as error:
        table.add_row("[red]Error[/]", str(error))
        return table
    depths.append(counts.waiting)
    delivered.append((time.monotonic(), counts.delivered))
    span = delivered[-1][0] - delivered[0][0]
    rate = (delivered[-1][1] - delivered[0][1]) / span if span else 0.0
    table.add_row("[b]Waiting[/]", f"{counts.waiting:,}   {_curve(depths)}")
    table.add_row("[b]Oldest[/]", "none" if oldest is None else age(oldest))
    table.add_row("[b]Delivered[/]", f"{counts.delivered:,}   {rate:,.1f} a second")
    table.add_row("[b]Given up[/]", f"[red]{counts.given_up:,}[/]" if counts.given_up else "0")
    table.add_row("[b]Left out[/]", f"{counts.left_out:,} values")
    return table


def _curve(depths: deque[int]) -> str:
    most = max(depths) or 1
    return "".join(_BARS[-(-depth * (len(_BARS) - 1) // most)] for depth in depths)


def age(seconds: float) -> str:
    """A time span in words: ``4 s``, ``3 min``, ``2 h``, ``5 d``."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
