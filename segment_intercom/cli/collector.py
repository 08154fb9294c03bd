"""The command that serves Segment's HTTP API with granian."""

from __future__ import annotations

import gc
import ipaddress
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import click

from ..collector import Collector, CollectorApp
from ..ingest import Ingest
from ..metrics import CountedTransport, Measured
from ..outbox import claim, open_outbox
from ..replay import CaptureFile
from ..settings import Settings
from ..transport import HttpTransport
from .group import log_to_stderr, main, settings_here
from .observing import METRICS_OPTION, check_metrics, serve_metrics
from .serving import check_address, free_port

try:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
except ImportError:  # an extra
    Granian = None  # type: ignore[assignment]

_HEADER_MILLISECONDS = 10_000
_STOP_SECONDS = 15
_BETWEEN_COLLECTIONS = 50_000
_THREADS = 16  # that wait for an outbox across a network


def _ip_address(_: click.Context, __: click.Parameter, host: str) -> str:
    try:
        return str(ipaddress.ip_address("127.0.0.1" if host == "localhost" else host))
    except ValueError:
        raise click.BadParameter("must be an IP address, such as 127.0.0.1, or 0.0.0.0 for all") from None


@main.command()
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    callback=_ip_address,
    help="The IP address to listen on; 0.0.0.0: all.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=5002, show_default=True, help="0: the system chooses one."
)
@click.option(
    "--capture",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also append what is accepted to this file, as JSON lines for replay.",
)
@METRICS_OPTION
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="How many processes serve.")
def collector(host: str, port: int, capture: Path | None, metrics_port: int | None, processes: int) -> None:
    """Accept what Segment's own clients send, at /v1, and keep it in the outbox.

    INTERCOM_WRITE_KEYS are the keys of servers, INTERCOM_BROWSER_WRITE_KEYS those that pages may hold. It delivers,
    too, unless INTERCOM_DELIVER is worker. Point a client here as its host; the documentation has a page on that.
    """
    if Granian is None:
        raise click.ClickException("granian is missing: pip install 'segment-intercom[collector]'")
    settings = settings_here()
    _check(settings)
    if capture is not None:
        _try(capture)
    if metrics_port is not None:
        check_metrics(metrics_port)
        if processes > 1:
            raise click.UsageError("--metrics-port is of one process: start several collectors behind a proxy instead")
    port = port or free_port()
    check_address(host, port)
    click.echo(f"Collector on http://{f'[{host}]' if ':' in host else host}:{port}/v1  (Ctrl+C stops it)")
    server = Granian(
        "segment_intercom.collector",
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        workers=processes,
        websockets=False,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_MILLISECONDS),
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=_STOP_SECONDS,
    )
    server.serve(target_loader=partial(_application, settings, capture, metrics_port), wrap_loader=False)


def _application(settings: Settings, capture: Path | None, metrics_port: int | None) -> Any:
    """What one process serves."""
    log_to_stderr()
    # What a request makes goes with it; looking for cycles among thousands of messages finds none.
    gc.freeze()
    gc.set_threshold(_BETWEEN_COLLECTIONS, 20, 20)
    captured = None if capture is None else CaptureFile(capture)
    counted = CountedTransport(HttpTransport(settings)) if _delivers(settings) else None
    ingest = Ingest(settings, counted, on_accepted=None if captured is None else captured.append)
    if counted is not None:
        ingest.start()
    outbox = open_outbox(settings.outbox)
    collecting = Collector(settings, ingest.enqueue_all, ready=outbox.next_due)
    if metrics_port is not None:
        serve_metrics(metrics_port, Measured(outbox, counted, lambda: collecting.counts))
    app = CollectorApp(
        collecting,
        trusted_proxies=settings.trusted_proxies,
        threads=0 if settings.outbox.startswith("sqlite:") else _THREADS,
        close=ingest.close,
    )
    return app.__rsgi__


def _delivers(settings: Settings) -> bool:
    return settings.enabled and settings.deliver == "thread"


def _try(capture: Path) -> None:
    try:
        CaptureFile(capture).close()
    except OSError as error:
        raise click.ClickException(f"--capture: {capture}: {error.strerror}") from None


def _check(settings: Settings) -> None:
    """Say now what would stand in the way of every call."""
    if settings.deliver == "now":
        raise click.ClickException('INTERCOM_DELIVER is "now", which keeps nothing; set it to "thread" or "worker"')
    if not settings.write_keys and not settings.browser_write_keys:
        raise click.ClickException(
            "no key is accepted: set INTERCOM_WRITE_KEYS for servers, or INTERCOM_BROWSER_WRITE_KEYS for pages"
        )
    if settings.browser_write_keys and not settings.secrets:
        click.echo("Without INTERCOM_IDENTITY_SECRET, browsers' keys accept visitors only.", err=True)
    if not settings.enabled:
        click.echo("INTERCOM_ENABLED is off: calls are answered, and not kept.", err=True)
    if _delivers(settings):
        HttpTransport(settings).close()  # a missing token is said now
    with closing(open_outbox(settings.outbox)) as outbox:
        claim(outbox, settings.app_id)
