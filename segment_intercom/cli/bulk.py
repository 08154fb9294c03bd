"""The command that brings people or companies from a table into Intercom."""

from __future__ import annotations

import sys
import tempfile
from typing import BinaryIO

import click

from ..bulk import Table
from ..replay import Summary, try_out
from .group import log_to_stderr, main, settings_here
from .history import bring_in, progress_bar, show_summary
from .status import printable
from .tables import show_table


@main.command(name="import")
@click.argument("file", type=click.File("rb"))
@click.option("--companies", is_flag=True, help="The rows are companies, not people.")
@click.option(
    "--map", "pairs", multiple=True, metavar="COLUMN=TRAIT", help="Take a column for another trait, or user_id."
)
@click.option(
    "--text", "as_text", multiple=True, metavar="COLUMN", help="Take a column of numbers for text: it holds codes."
)
@click.option("--skip", "skipped", multiple=True, metavar="COLUMN", help="Leave a column out.")
@click.option("--yes", is_flag=True, help="Do not ask after the columns are shown.")
@click.option("--dry-run", is_flag=True, help="Send nothing: show what would be sent, and what would be refused.")
@click.option("--restart", is_flag=True, help="Begin with the first row, even where an earlier import came further.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until Intercom has got it all.")
def import_table(
    file: BinaryIO,
    companies: bool,
    pairs: tuple[str, ...],
    as_text: tuple[str, ...],
    skipped: tuple[str, ...],
    yes: bool,
    dry_run: bool,
    restart: bool,
    wait: bool,
) -> None:
    """Bring people, or companies, into Intercom from a table: CSV with a first line of names, or a JSON object a line.

    The columns user_id (or external_id, id) and email say who it is; company_id, company_name and company.* are the
    person's company; every other column is a trait. What each becomes is shown first. Empty cells say nothing.
    Interrupted, the same command goes on where it was. Ends with 1 where rows were refused.
    """
    settings, summary = settings_here(), Summary()
    log_to_stderr()
    table = Table(
        _seekable(file),
        companies=companies,
        renamed=_renamed(pairs),
        as_text=as_text,
        skipped=skipped,
        tags=settings.tags,
    )
    _show_columns(table)
    if dry_run:
        with progress_bar(file, "Reading", summary) as progress:
            try_out(table, settings, summary, progress)
        show_summary(summary, dry_run=True)
    else:
        if not yes and not sys.stdin.isatty():
            raise click.UsageError("there is no terminal to ask on: say --yes, or look first with --dry-run")
        if not yes:
            click.confirm(f"Import {table.rows:,} rows?", abort=True)
        bring_in(table, file, settings, summary, restart=restart, wait=wait)
    if summary.refused:
        click.get_current_context().exit(1)


def _renamed(pairs: tuple[str, ...]) -> dict[str, str]:
    renamed = {}
    for pair in pairs:
        column, sign, trait = pair.partition("=")
        if not (column and sign and trait):
            raise click.BadParameter(f"{pair!r} must be COLUMN=TRAIT", param_hint="--map")
        renamed[column] = trait
    return renamed


def _seekable(file: BinaryIO) -> BinaryIO:
    """The file itself, or a pipe written down: it is read twice."""
    if file.seekable():
        return file
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - it goes with the process
    while block := file.read(1 << 20):
        copy.write(block)
    return copy


def _show_columns(table: Table) -> None:
    rows = [(printable(column.name), printable(column.becomes), column.kind) for column in table.columns]
    show_table(("Column", "Becomes", "Holds"), rows)
    click.echo("")
