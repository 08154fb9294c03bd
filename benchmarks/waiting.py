"""Does it cost more to accept a call, in time or in memory, when very many wait already?"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import orjson

from segment_intercom import Analytics
from segment_intercom.outbox import SqliteOutbox

from . import messages
from .accept import accepting
from .measure import Ratio, Result, Variant, in_turn, interleave, microseconds

# A hundred times as many may not cost half as much again: one level more of the file's tree costs a tenth or two, and
# the rest is what a noisy disk adds. Whatever grew with their number would show as 10 and more.
_TIME_BAR = 1.3
# Of a process of some 50 MB; the letters themselves are some 400 MB when there are a million.
_MEMORY_BAR = 1.05
_SIZES = (10_000, 100_000, 1_000_000)
_USERS = 10_000
_AT_ONCE = 50_000
_ROUNDS, _SECONDS_A_PIECE = 25, 0.08
_CHILDREN = 3
_ACCEPTED = 1_000


def results() -> list[Result]:
    """Accept with ten thousand, a hundred thousand and a million calls waiting, and compare with the fewest."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {str(size): _filled(Path(folder) / f"{size}.db", size) for size in _SIZES}
        memory = _memory(paths)
        with ExitStack() as stack:
            opened = {size: stack.enter_context(accepting(path)) for size, path in paths.items()}
            seconds = interleave({size: _track(ours) for size, ours in opened.items()}, _ROUNDS, _SECONDS_A_PIECE)
    fewest = str(_SIZES[0])
    compared = []
    for size in map(str, _SIZES[1:]):
        name = f"{int(size):,} waiting / {int(fewest):,}"
        time, space = Ratio.of(seconds[size], seconds[fewest]), Ratio.of(memory[size], memory[fewest])
        figures = f"{microseconds(seconds[size])} / {microseconds(seconds[fewest])}"
        compared.append(Result(f"accept, {name}", time, _TIME_BAR, figures))
        figures = f"{max(memory[size]) / 1024:.1f} MB / {max(memory[fewest]) / 1024:.1f} MB at the most"
        compared.append(Result(f"memory, {name}", space, _MEMORY_BAR, figures))
    return compared


def _filled(path: Path, size: int) -> Path:
    """An outbox with so many letters, as a worker left it that looked at the first of them and then went away."""
    message = orjson.dumps(messages.track())
    with closing(SqliteOutbox(path)) as outbox:
        for start in range(0, size, _AT_ONCE):
            numbers = range(start, min(size, start + _AT_ONCE))
            outbox.put_all((f"user-{number % _USERS}", message, None) for number in numbers)
        outbox.next_due()
    return path


def _track(ours: Analytics) -> Variant:
    return lambda: ours.track("user-1234", messages.EVENT, messages.PROPERTIES)


def _memory(paths: dict[str, Path]) -> dict[str, list[float]]:
    """The most that a process held, in kilobytes, which did nothing but open an outbox and accept calls."""
    peaks: dict[str, list[float]] = {size: [] for size in paths}
    for number in range(_CHILDREN):
        for size in in_turn(list(paths), number):
            command = [sys.executable, "-m", "benchmarks.waiting", str(paths[size])]
            said = subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).parent.parent)
            peaks[size].append(float(said.stdout))
    return peaks


def _status() -> Iterator[tuple[str, str]]:
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        yield name, value.removesuffix("kB").strip()


def main(path: str) -> None:
    """Accept calls into an outbox, and print the peak of this process's memory in kilobytes."""
    with accepting(Path(path)) as ours:
        call = _track(ours)
        for _ in range(_ACCEPTED):
            call()
        print(dict(_status())["VmHWM"])


if __name__ == "__main__":
    main(sys.argv[1])
