"""The commands about delivery: a worker, what waits and what was given up, and the sending of that again."""

from __future__ import annotations

import json
import logging
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import click

from ..errors import CallError
from ..message import read
from ..outbox import Counts, DeadLetter, Outbox, SqliteOutbox, claim, open_outbox
from ..sender import Worker
from ..settings import Settings
from ..transport import HttpTransport
from .group import main, settings_here

_SHOWN_EVERY = 0.5


@main.command()
@click.option("--until-empty", is_flag=True, help="End when nothing waits any more, retries included.")
@click.option(
    "--threads", type=click.IntRange(1, 256), default=32, show_default=True, help="How many users are served at once."
)
def worker(until_empty: bool, threads: int) -> None:
    """Deliver the calls that wait in the outbox to Intercom.

    SIGTERM or Ctrl+C ends it when what is in flight has ended; nothing is lost by ending it in any other way.
    """
    settings = settings_here()
    if not settings.enabled:
        raise click.ClickException("INTERCOM_ENABLED is off, so nothing is delivered")
    transport = HttpTransport(settings, connections=threads)
    outbox = open_outbox(settings.outbox)
    claim(outbox, settings.app_id)
    before = outbox.counts()  # an outbox that cannot be opened says so here, and not again and again later
    _log()
    found = Worker(settings, outbox, transport, threads=threads, until_empty=until_empty)
    click.echo(f"Delivering to {settings.rest_url}: {_calls(before.waiting)} waiting  (Ctrl+C stops it)", err=True)

    def stop(*_: Any) -> None:
        found.stop()
        transport.close()

    try:
        with _interrupted(stop):
            found.start()
            _watch(found, outbox, before.waiting if until_empty else 0)
    finally:
        left = outbox.counts()
        transport.close()
        outbox.close()
    delivered, given_up = left.delivered - before.delivered, left.given_up - before.given_up
    click.echo(f"Delivered {delivered}, given up {given_up}, waiting {left.waiting}", err=True)
    if found.unauthorized is not None:
        raise click.ClickException(
            "Intercom refuses the token (401): check INTERCOM_ACCESS_TOKEN and INTERCOM_REGION. Nothing is lost"
        )


@main.command()
@click.option("--limit", type=click.IntRange(0), default=10, show_default=True, help="How many dead letters to show.")
@click.option(
    "--json", "as_json", is_flag=True, help="As JSON, each dead letter with its message and Intercom's reply."
)
def status(limit: int, as_json: bool) -> None:
    """Show how many calls wait, were delivered and were given up, and why."""
    with _outbox(settings_here()) as outbox:
        there = outbox.path.exists() or not outbox.path.parent.is_dir()  # to look is no reason to make it
        counts, dead = (outbox.counts(), outbox.dead_letters(limit)) if there else (Counts(0, 0, 0), [])
    if as_json:
        found = {"waiting": counts.waiting, "delivered": counts.delivered, "given_up": counts.given_up}
        click.echo(json.dumps({**found, "dead_letters": [_as_json(one) for one in dead]}, indent=2))
        return
    click.echo(f"Waiting    {counts.waiting}\nDelivered  {counts.delivered}\nGiven up   {counts.given_up}")
    click.echo(f"Outbox     {outbox.path}{'' if there else ' (made with the first call)'}")
    for one in dead:
        kind = _message(one).get("type", "?") if isinstance(_message(one), dict) else "?"
        click.echo(f"  {_time(one.given_up_at)}  {kind:<8}  {one.reason}")
    if dead:
        click.echo("Mend the cause, then send them again: segment-intercom retry (or --discard). --json shows all.")


@main.command()
@click.option("--discard", is_flag=True, help="Drop them for good instead, where they themselves are at fault.")
def retry(discard: bool) -> None:
    """Put the calls that were given up back into the outbox, behind what waits there, to be delivered again."""
    with _outbox(settings_here()) as outbox:
        if discard:
            click.echo(f"{_calls(outbox.discard())} dropped")
        else:
            click.echo(f"{_calls(outbox.resend())} put back")


@contextmanager
def _outbox(settings: Settings) -> Iterator[SqliteOutbox]:
    found = open_outbox(settings.outbox)
    try:
        yield found
    finally:
        found.close()


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


def _watch(found: Worker, outbox: Outbox, waiting: int) -> None:
    """Wait for the worker's end; on a terminal with a bar of what is left of the calls that waited."""
    if not waiting or not sys.stderr.isatty():
        while not found.wait(_SHOWN_EVERY):
            pass
        return
    with click.progressbar(length=waiting, label="Delivering", file=sys.stderr) as bar:
        while not found.wait(_SHOWN_EVERY):
            bar.update(max(0, waiting - outbox.counts().waiting - bar.pos))
        bar.update(max(0, waiting - outbox.counts().waiting - bar.pos))


def _log() -> None:
    """Write the log of a process that runs by itself; an application that has set one up keeps its own."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)


def _calls(number: int) -> str:
    return "1 call" if number == 1 else f"{number} calls"


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _message(letter: DeadLetter) -> Any:
    with suppress(CallError):
        return read(letter.message)
    return None


def _as_json(letter: DeadLetter) -> dict[str, Any]:
    reply: Any = letter.reply
    with suppress(ValueError):
        reply = json.loads(letter.reply)
    return {
        "given_up_at": _time(letter.given_up_at),
        "user": letter.user,
        "reason": letter.reason,
        "reply": reply,
        "message": _message(letter),
    }
