"""The commands about history: a file of Segment messages brought in, and what waits written out."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

import click

from ..ingest import Ingest
from ..outbox import claim, open_outbox
from ..replay import CaptureFile, History, Lines, Replay, Summary, try_out, waiting_messages
from ..settings import Settings
from ..transport import HttpTransport
from .group import log_to_stderr, main, settings_here
from .status import printable

_SHOWN = 20
_LOOK = 0.5


@main.command()
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Send nothing: show what would be sent, and what would be refused.")
@click.option("--restart", is_flag=True, help="Begin with the first line, even where an earlier replay came further.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until Intercom has got it all.")
def replay(file: BinaryIO, dry_run: bool, restart: bool, wait: bool) -> None:
    """Bring a file of past calls into Intercom: Segment's messages as JSON, a line each, plain or gzip; - reads a pipe.

    The calls go into the outbox, in their order, and keep their timestamps. Interrupted, the same command goes on where
    it was, and sends nothing twice. Ends with 1 where lines were refused.
    """
    settings = settings_here()
    log_to_stderr()
    history, summary = History(file), Summary()
    if dry_run:
        with progress_bar(file, "Reading", summary) as progress:
            try_out(history, settings, summary, progress)
        show_summary(summary, dry_run=True)
    else:
        bring_in(history, file, settings, summary, restart=restart, wait=wait)
    if summary.refused:
        click.get_current_context().exit(1)


def bring_in(
    history: Lines, file: BinaryIO, settings: Settings, summary: Summary, *, restart: bool, wait: bool
) -> None:
    """Bring a history into the outbox, and wait until it is delivered where this process delivers."""
    if not settings.enabled:
        raise click.ClickException("INTERCOM_ENABLED is off, so nothing is sent; --dry-run shows what would be")
    if settings.deliver == "now":
        raise click.ClickException('INTERCOM_DELIVER is "now", which keeps nothing; set it to "thread" or "worker"')
    waits = wait and settings.deliver == "thread"
    if waits:
        HttpTransport(settings).close()  # a missing token is said before anything is read
    with closing(open_outbox(settings.outbox)) as outbox, closing(Ingest(settings)) as ingest:
        claim(outbox, settings.app_id)
        run = Replay(history, outbox, ingest.enqueue_all)
        after = 0 if restart else run.resumes_after()
        if after:
            click.echo(f"Goes on after line {after} (--restart begins again)", err=True)
        try:
            with progress_bar(file, "Replaying", summary) as progress:
                run.run(summary, after, progress)
        except KeyboardInterrupt:
            raise click.ClickException(
                f"stopped after line {max(after, run.last)}; the same command goes on from there"
            ) from None
        show_summary(summary, dry_run=False)
        if waits:
            _deliver(ingest, summary.accepted)


def _deliver(ingest: Ingest, total: int) -> None:
    """Wait for what was brought in to be delivered."""
    shown = sys.stderr.isatty()
    bar: Any = click.progressbar(length=total, label="Delivering", file=sys.stderr) if shown else nullcontext()
    with bar as progress:
        while left := ingest.flush(_LOOK):
            if progress is not None:
                progress.update(max(0, total - left - progress.pos))
            if not ingest.is_delivering():
                raise click.ClickException(f"delivery has stopped with {left} calls waiting; the log says why")


@main.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option("--dead", is_flag=True, help="Write the calls that were given up instead of those that wait.")
def capture(file: Path | None, dead: bool) -> None:
    """Write the calls that wait in the outbox as JSON, a line each, in the order of acceptance, as replay reads them.

    They stay where they are. Without FILE, to the standard output. To keep all calls that a collector accepts, serve it
    with --capture FILE.
    """
    settings = settings_here()
    count = 0
    with closing(open_outbox(settings.outbox)) as outbox:
        bodies: Iterator[bytes] = iter(())
        if outbox.exists() or outbox.obstacle() is not None:
            if dead:
                letters = outbox.dead_letters(outbox.counts().given_up)
                bodies = (letter.body for letter in reversed(letters))
            else:
                bodies = waiting_messages(outbox)
        with _output(file) as write_all:
            for body in bodies:
                write_all([body])
                count += 1
    click.echo(f"{count} {'call' if count == 1 else 'calls'} written", err=True)


@contextmanager
def _output(file: Path | None) -> Iterator[Callable[[list[bytes]], None]]:
    if file is None:
        stream = sys.stdout.buffer
        yield lambda bodies: stream.writelines(body + b"\n" for body in bodies)
        stream.flush()
        return
    try:
        with closing(CaptureFile(file)) as captured:
            yield captured.append
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from None


@contextmanager
def progress_bar(file: BinaryIO, label: str, summary: Summary) -> Iterator[Callable[[int], None]]:
    """Hears how many bytes are read; on a terminal it draws a bar with the lines a second and the time left."""
    length = _size(file)
    if not length or not sys.stderr.isatty():
        yield lambda _: None
        return
    start = time.monotonic()

    def rate(_: Any) -> str:
        return f"{summary.lines:,} lines, {summary.lines / max(0.001, time.monotonic() - start):,.0f}/s"

    with click.progressbar(length=length, label=label, file=sys.stderr, item_show_func=rate, show_eta=True) as bar:
        yield lambda end: bar.update(max(0, end - bar.pos))


def _size(file: BinaryIO) -> int:
    try:
        name = getattr(file, "name", None)
        return Path(name).stat().st_size if isinstance(name, str) and name != "<stdin>" else 0
    except OSError:
        return 0


def show_summary(summary: Summary, *, dry_run: bool) -> None:
    """Print what became of the lines."""
    say = click.echo
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(summary.kinds.items())) or "no call"
    say(f"Lines      {summary.lines} ({kinds})")
    say(f"{'Would go' if dry_run else 'Accepted'}   {summary.accepted}")
    if summary.repeated:
        say(f"Repeated   {summary.repeated} (their message ids came in the last 24 hours)")
    say(f"No effect  {summary.without_effect} (pages, visitors, calls for other destinations)")
    for request, count in sorted(summary.requests.items()):
        say(f"  {request}  {count}")
    say(f"Refused    {len(summary.refused)}")
    for number, problem in summary.refused[:_SHOWN]:
        say(f"  line {number}: {printable(problem)}")
    if len(summary.refused) > _SHOWN:
        say(f"  and {len(summary.refused) - _SHOWN} more")
