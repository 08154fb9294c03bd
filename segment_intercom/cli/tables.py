"""Tables of the command line: drawn by rich on a terminal where it is installed, aligned text everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

try:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text
except ImportError:  # the extra "watch"
    Table: Any = None  # type: ignore[no-redef]

_GAP = "  "


def show_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()) -> None:
    """Print rows under the names of their columns; those of ``right`` hold numbers.

    Cells are printed as they are: what they hold has no markup, and no cell is cut off in plain text.
    """
    if Table is not None and sys.stdout.isatty():
        _draw(columns, rows, right)
        return
    widths = [max(len(row[place]) for row in (columns, *rows)) for place in range(len(columns))]
    for row in (columns, *rows):
        cells = [
            cell.rjust(width) if name in right else cell.ljust(width)
            for cell, width, name in zip(row, widths, columns, strict=True)
        ]
        click.echo(_GAP.join(cells).rstrip())


def _draw(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str]) -> None:
    is_plain = click.get_current_context().color is False  # NO_COLOR
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="" if is_plain else "bold")
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console(no_color=is_plain).print(table)
