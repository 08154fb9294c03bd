"""How much slower is one thing than another, on a machine that is never quite still?

The variants run in turn, A B, B A, A B, in many short rounds; each round gives one ratio, and the median counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from timeit import Timer

_ROUNDS = 150
_SECONDS_A_PIECE = 0.004

Variant = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as much one thing takes as another: the median of all rounds, the least and the most."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, ours: Sequence[float], theirs: Sequence[float]) -> Ratio:
        """Compare what was measured in the same rounds, pair by pair."""
        ratios = [our_figure / their_figure for our_figure, their_figure in zip(ours, theirs, strict=True)]
        return cls(median(ratios), min(ratios), max(ratios))

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}-{self.high:.2f})"


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to one question; ``bar`` is the most that the ratio's median may be, where there is one."""

    question: str
    ratio: Ratio | None = None
    bar: float | None = None
    context: str = ""

    @property
    def verdict(self) -> str:
        """Whether the bar was held: ok, over, or nothing where there is no bar."""
        if self.ratio is None or self.bar is None:
            return ""
        return "ok" if self.ratio.median <= self.bar else "over"


class MissingError(Exception):
    """Something that a question needs is not installed; ``remedy`` is the command that installs it."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what} is missing. Install it with: {remedy}")


def interleave(
    variants: Mapping[str, Variant],
    rounds: int = _ROUNDS,
    seconds_a_piece: float = _SECONDS_A_PIECE,
    calls: int | None = None,
) -> dict[str, list[float]]:
    """Return the seconds that one call of each variant took, round by round; every other round runs backwards.

    A piece is what one variant gets of a round: longer than whatever it does only now and then, or so many ``calls``.
    """
    timers = {name: Timer(variant) for name, variant in variants.items()}
    pieces = {name: calls or _calls(timer, seconds_a_piece) for name, timer in timers.items()}
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(rounds):
        for name in in_turn(list(variants), number):
            seconds[name].append(timers[name].timeit(pieces[name]) / pieces[name])
    return seconds


def in_turn(names: Sequence[str], number: int) -> Sequence[str]:
    """The order of a round: there and back, so that a drift of the machine's speed favours nobody."""
    return names if number % 2 == 0 else names[::-1]


def microseconds(seconds: Sequence[float]) -> str:
    """The median as text, for context only: it is this machine's."""
    return f"{median(seconds) * 1e6:.1f} us"


def _calls(timer: Timer, seconds_a_piece: float) -> int:
    """How many calls fill a piece of a round; the trial also warms everything up."""
    trial = 20
    timer.timeit(trial)
    return max(1, int(seconds_a_piece / (timer.timeit(trial) / trial)))
