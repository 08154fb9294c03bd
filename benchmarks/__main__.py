"""What does the package cost? ``python -m benchmarks`` asks every question, or those named, and prints one table."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from .measure import MissingError, Result

QUESTIONS = (
    "render",
    "growth",
    "navigation",
    "track",
    "bytes",
    "mapping",
    "accept",
    "collector",
    "replay",
    "postgres",
    "waiting",
    "lock",
    "delivery",
    "budget",
    "sizing",
    "soak",
)
_HEADINGS = ("question", "ratio: median (min-max)", "bar", "", "context")


def main(names: Sequence[str]) -> int:
    """Print the table; 1 when something is missing or there is no such question, 0 also when a bar is not held."""
    if unknown := [name for name in names if name not in QUESTIONS]:
        print(f"There is no question {unknown[0]}; the questions are: {', '.join(QUESTIONS)}")
        return 1
    try:
        results = [result for name in names or QUESTIONS for result in _answer(name)]
    except MissingError as missing:
        print(missing)
        return 1
    print_table(results)
    return 0


def _answer(name: str) -> list[Result]:
    print(f"{name} ...", flush=True)
    try:
        answers: list[Result] = import_module(f".{name}", __package__).results()
    except ModuleNotFoundError as error:
        raise MissingError(f"The module {error.name}", "pip install -e '.[bench,test]'") from error
    return answers


def print_table(results: Sequence[Result]) -> None:
    """Print the results as aligned columns, then how many bars were not held."""
    rows = [_HEADINGS, *(_row(result) for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    print()
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    over = sum(result.verdict == "over" for result in results)
    print(f"\n{over} over its bar. Ratios are of one run; the absolute figures are this machine's." if over else "")


def _row(result: Result) -> tuple[str, ...]:
    ratio = "" if result.ratio is None else str(result.ratio)
    bar = "" if result.bar is None else f"{result.bar:g}"
    return result.question, ratio, bar, result.verdict, result.context


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
