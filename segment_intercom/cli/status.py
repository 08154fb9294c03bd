"""The command that shows how an outbox stands."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from typing import Any

import click

from ..errors import CallError
from ..outbox import Counts, DeadLetter, Outbox, claimed_by, last_problem, open_outbox, worker_seen
from ..serialize import read
from ..settings import Settings
from .group import main, settings_here
from .observing import watch
from .tables import show_table

_MOST = 5_000  # dead letters that are looked at to group them
_LONGEST = 60


@main.command()
@click.option(
    "--limit", type=click.IntRange(0), default=10, show_default=True, help="How many reasons, or letters, to show."
)
@click.option(
    "--json", "as_json", is_flag=True, help="As JSON, each dead letter with its message and Intercom's reply."
)
@click.option("--watch", "watching", is_flag=True, help="Draw depth, age and rate, once a second, until Ctrl+C.")
def status(limit: int, as_json: bool, watching: bool) -> None:
    """Show how many calls wait, were delivered and were given up, and why, if a worker delivers, the last error."""
    settings = settings_here()
    with closing(open_outbox(settings.outbox)) as outbox:
        if watching:
            watch(outbox)
            return
        there = outbox.exists() or outbox.obstacle() is not None  # to look is no reason to make it
        if as_json:
            click.echo(json.dumps(_as_json(outbox, limit) if there else _as_json(None, limit), indent=2))
            return
        for line in _lines(outbox, settings) if there else _lines_of_none(outbox):
            click.echo(line)
        letters = outbox.dead_letters(_MOST) if there and limit else []
        if letters:
            _show_reasons(letters, limit)


def _lines_of_none(outbox: Outbox) -> Iterator[str]:
    yield from _counts(Counts(0, 0, 0))
    yield f"Outbox     {outbox.location} (made with the first call)"


def _lines(outbox: Outbox, settings: Settings) -> Iterator[str]:
    counts = outbox.counts()
    yield from _counts(counts)
    if (oldest := outbox.oldest()) is not None:
        yield f"Oldest     {oldest:.0f} s"
    if counts.left_out:
        yield f"Left out   {counts.left_out} (values that Intercom refused by name; the log says which)"
    seen = worker_seen(outbox)
    if seen is not None:
        yield f"Worker     delivers, seen {seen:.0f} s ago"
    elif counts.waiting:
        starts = (
            "run `segment-intercom worker`"
            if settings.deliver == "worker"
            else "the application starts one with a call"
        )
        yield f"Worker     none was seen within the last minute; {starts}"
    if (problem := last_problem(outbox)) is not None:
        yield f"Last error {printable(problem[1])} ({_time(problem[0])})"
    if (workspace := claimed_by(outbox)) is not None:
        yield f"Workspace  {workspace}"
    yield f"Outbox     {outbox.location}"


def _counts(counts: Counts) -> Iterator[str]:
    yield f"Waiting    {counts.waiting}"
    yield f"Delivered  {counts.delivered}"
    yield click.style(f"Given up   {counts.given_up}", fg="red" if counts.given_up else None)


def _show_reasons(letters: Sequence[DeadLetter], limit: int) -> None:
    """Show the dead letters by what they were and why they were given up, the most frequent first."""
    groups: Counter[tuple[str, str]] = Counter((_kind(letter), letter.reason) for letter in letters)
    newest = {}
    for letter in reversed(letters):
        newest[_kind(letter), letter.reason] = letter.given_up_at
    rows = [
        (str(count), printable(kind), printable(reason), _time(newest[kind, reason]))
        for (kind, reason), count in groups.most_common(limit)
    ]
    click.echo("")
    show_table(("Times", "Call", "Reason", "Last"), rows, right=("Times",))
    if len(groups) > limit:
        click.echo(f"and {len(groups) - limit} more reasons (--limit)")
    if len(letters) == _MOST:
        click.echo(f"of the newest {_MOST:,}")
    click.echo("Mend the cause, then send them again: segment-intercom retry (or --discard). --json shows all.")


def _kind(letter: DeadLetter) -> str:
    message = message_of_letter(letter)
    if not isinstance(message, dict):
        return "?"
    kind = str(message.get("type", "?"))
    return f"{kind} {str(message.get('event'))[:_LONGEST]!r}" if kind == "track" else kind


def printable(text: str) -> str:
    """Text of Intercom's, or of a caller's, for a terminal: what would steer it is shown as an escape."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def message_of_letter(letter: DeadLetter) -> Any:
    """The message of a dead letter as JSON values, or None where it is none."""
    with suppress(CallError):
        return read(letter.body)
    return None


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _as_json(outbox: Outbox | None, limit: int) -> dict[str, Any]:
    if outbox is None:
        nothing = {"oldest_seconds": None, "worker_seen_seconds": None, "last_error": None, "workspace": None}
        return {**dataclasses.asdict(Counts(0, 0, 0)), **nothing, "dead_letters": []}
    problem = last_problem(outbox)
    return {
        **dataclasses.asdict(outbox.counts()),
        "oldest_seconds": outbox.oldest(),
        "worker_seen_seconds": worker_seen(outbox),
        "last_error": None if problem is None else {"at": _time(problem[0]), "error": problem[1]},
        "workspace": claimed_by(outbox),
        "dead_letters": [_letter(letter) for letter in outbox.dead_letters(limit)],
    }


def _letter(letter: DeadLetter) -> dict[str, Any]:
    reply: Any = letter.reply
    with suppress(ValueError):
        reply = json.loads(letter.reply)
    return {
        "given_up_at": _time(letter.given_up_at),
        "user": letter.user,
        "reason": letter.reason,
        "reply": reply,
        "message": message_of_letter(letter),
    }
