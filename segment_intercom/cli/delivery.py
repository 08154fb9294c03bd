"""The commands about delivery: a worker, what waits and what was given up, and the sending of that again."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import click

from ..calls import Delete
from ..delivery import Worker
from ..errors import SettingsError
from ..ingest import Ingest
from ..metrics import CountedTransport, Measured
from ..outbox import Outbox, claim, is_same, open_outbox
from ..replay import move_all
from ..settings import Settings
from ..transport import HttpTransport
from .group import log_to_stderr, main, settings_here
from .observing import METRICS_OPTION, check_metrics, serve_metrics

_SHOWN_EVERY = 0.5
_FORGET_SECONDS = 60.0
_OWN = "is the outbox that INTERCOM_OUTBOX names; let that name the one in which the calls wait, and --to the other"


class _NothingDelivered(click.ClickException):
    """Intercom takes no call at all."""

    exit_code = 2


@main.command()
@click.option("--until-empty", is_flag=True, help="End when nothing waits any more, retries included.")
@click.option(
    "--threads", type=click.IntRange(1, 256), default=32, show_default=True, help="How many users are served at once."
)
@METRICS_OPTION
def worker(until_empty: bool, threads: int, metrics_port: int | None) -> None:
    """Deliver the calls that wait in the outbox to Intercom.

    SIGTERM or Ctrl+C ends it when what is in flight has ended; nothing is lost by ending it in any other way. With
    --until-empty it ends with 1 where calls were given up in this run, with 2 where Intercom takes nothing at all.
    """
    settings = settings_here()
    if not settings.enabled:
        raise click.ClickException("INTERCOM_ENABLED is off, so nothing is delivered")
    if metrics_port is not None:
        check_metrics(metrics_port)
    transport = CountedTransport(HttpTransport(settings, connections=threads))
    outbox = open_outbox(settings.outbox)
    claim(outbox, settings.app_id)
    before = outbox.counts()  # an outbox that cannot be opened says so here, and not again and again later
    log_to_stderr()
    if metrics_port is not None:
        serve_metrics(metrics_port, Measured(outbox, transport))
    running = Worker(settings, outbox, transport, threads=threads, until_empty=until_empty)
    click.echo(f"Delivering to {settings.rest_url}: {_calls(before.waiting)} waiting  (Ctrl+C stops it)", err=True)

    def stop(*_: Any) -> None:
        running.stop()
        transport.close()

    try:
        with _interrupted(stop):
            running.start()
            _watch(running, outbox, before.waiting if until_empty else 0)
    finally:
        left = outbox.counts()
        transport.close()
        outbox.close()
    delivered, given_up = left.delivered - before.delivered, left.given_up - before.given_up
    click.echo(f"Delivered {delivered}, given up {given_up}, waiting {left.waiting}", err=True)
    if running.unauthorized is not None:
        refused = _NothingDelivered if until_empty else click.ClickException
        raise refused(f"{running.unauthorized}. Nothing is lost")
    if until_empty and given_up > 0:
        click.get_current_context().exit(1)


@main.command()
@click.option("--discard", is_flag=True, help="Drop them for good instead, where they themselves are at fault.")
def retry(discard: bool) -> None:
    """Put the calls that were given up back into the outbox, behind what waits there, to be delivered again."""
    with _outbox(settings_here()) as outbox:
        if discard:
            click.echo(f"{_calls(outbox.discard())} dropped")
        else:
            click.echo(f"{_calls(outbox.resend())} put back")


@main.command()
@click.argument("user_id", required=False)
@click.option("--email", help="The user's e-mail, where there is no id.")
@click.option("--archive", is_flag=True, help="Archive the contact instead of deleting it.")
def forget(user_id: str | None, email: str | None, archive: bool) -> None:
    """Delete a user at Intercom, with their dead letters and all that is remembered of them here.

    Their calls that wait are dropped, or with --archive delivered first. Ends with 1 where Intercom has not answered
    yet. With INTERCOM_DELIVER worker it is done once the worker gets to it.
    """
    if not user_id and not email:
        raise click.UsageError("give the user's id, or --email")
    with closing(Ingest(settings_here())) as ingest:
        ingest.enqueue(Delete(user_id=user_id, email=email, archive=archive))
        if ingest.flush(_FORGET_SECONDS):
            raise click.ClickException("Intercom has not answered yet; a later worker deletes the user")
    click.echo("done" if settings_here().deliver != "worker" else "in the outbox, for the worker")


@main.command()
@click.option("--to", "target", required=True, metavar="ADDRESS", help="The outbox to which everything moves.")
def move(target: str) -> None:
    """Move all calls that wait to another outbox, in their order, whichever two engines these are.

    Interrupted, the same command goes on; nothing is lost or doubled. Point the application at the new address first.
    Calls that were given up stay: put them back with retry before.
    """
    with _outbox(settings_here()) as source, closing(_target(target)) as destination:
        if is_same(source, destination):
            raise click.BadParameter(_OWN, param_hint="--to")
        claim(destination, settings_here().app_id)
        moved = move_all(source, destination)
        given_up = source.counts().given_up
    click.echo(f"{_calls(moved)} moved to {destination.location}")
    if given_up:
        click.echo(f"{_calls(given_up)} that were given up stayed (see status)")


@main.command()
def migrate() -> None:
    """Make the tables of the outbox in PostgreSQL, or bring them to this version's format.

    Run it once before the first start, and after each upgrade of this package; nothing that waits is lost by it.
    """
    with _outbox(settings_here()) as outbox:
        click.echo(outbox.migrate())


def _target(address: str) -> Outbox:
    try:
        return open_outbox(address)
    except SettingsError as error:
        raise click.BadParameter(error.problem, param_hint="--to") from None


@contextmanager
def _outbox(settings: Settings) -> Iterator[Outbox]:
    outbox = open_outbox(settings.outbox)
    try:
        yield outbox
    finally:
        outbox.close()


@contextmanager
def _interrupted(stop: Callable[..., None]) -> Iterator[None]:
    """Let the signals that end a process stop the worker instead; a second Ctrl+C ends it at once."""

    def first(number: int, _: Any) -> None:
        click.echo("Stopping when what is in flight has ended ...", err=True)
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        stop()

    former = {number: signal.signal(number, first) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _watch(worker: Worker, outbox: Outbox, waiting: int) -> None:
    """Wait for the worker's end; on a terminal with a bar of what is left of the calls that waited."""
    if not waiting or not sys.stderr.isatty():
        while not worker.wait(_SHOWN_EVERY):
            pass
        return
    with click.progressbar(length=waiting, label="Delivering", file=sys.stderr) as bar:
        while not worker.wait(_SHOWN_EVERY):
            bar.update(max(0, waiting - outbox.counts().waiting - bar.pos))
        bar.update(max(0, waiting - outbox.counts().waiting - bar.pos))


def _calls(number: int) -> str:
    return "1 call" if number == 1 else f"{number} calls"
