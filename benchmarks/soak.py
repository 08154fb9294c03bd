"""Does it run for long? A steady rate with faults on: memory that is flat, delays that are bounded, nothing lost.

``SOAK_SECONDS`` says for how long; ten minutes are what a release is measured with.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import orjson

from segment_intercom.outbox import SqliteOutbox

from . import messages
from .intercom import answering
from .measure import Ratio, Result

_SECONDS = float(os.environ.get("SOAK_SECONDS", "60"))
_RATE, _USERS = 150, 500  # calls a second: nearly what Intercom takes
_LOOKS = 20
_FAULTS = 0.05  # of the requests: a 500, or no answer
_FLAT = 1.1
_SCALING_CALLS = 6_000
_LATENCY = 0.05  # of an answer, as over the internet
_THREADS = 4


def results() -> list[Result]:
    """Put calls at a steady rate while a worker delivers; then deliver the same calls with one to four workers."""
    return [_steady(), *_scaling()]


def _steady() -> Result:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        path, address = Path(folder) / "outbox.db", stack.enter_context(answering(latency=0.01, faults=_FAULTS))
        worker = stack.enter_context(delivery_worker(f"sqlite:///{path}", address))
        box = stack.enter_context(closing(SqliteOutbox(path)))
        memory, ages, put = [], [], 0
        start = time.monotonic()
        for look in range(1, _LOOKS + 1):
            while time.monotonic() - start < _SECONDS * look / _LOOKS:
                while put < (time.monotonic() - start) * _RATE:
                    box.put(f"user-{put % _USERS}", event_message(put), f"soak-{put}")
                    put += 1
                time.sleep(0.01)
            memory.append(_memory(worker.pid))
            ages.append(box.oldest() or 0.0)
        while box.counts().waiting:
            time.sleep(0.05)
        counts = box.counts()
        worker.terminate()
        worker.wait(30)
    lost = put - counts.delivered
    context = f"{put:,} calls in {_SECONDS:g} s; lost {lost}, oldest {max(ages):.1f} s, {memory[-1] / 1e6:.0f} MB"
    # The first quarter warms up: caches of pure functions fill.
    quarter = _LOOKS // 4
    late, early = memory[-quarter:], memory[quarter : 2 * quarter]
    return Result("soak, a worker's memory at the end / after a quarter", Ratio.of(late, early), _FLAT, context)


def _scaling() -> list[Result]:
    seconds = {workers: _delivery(workers) for workers in (1, 2, 4)}
    return [
        Result(
            f"delivery, {workers} workers / one",
            Ratio.of([seconds[workers]], [seconds[1]]),
            context=f"{_SCALING_CALLS / seconds[workers]:,.0f} calls/s with {_THREADS} threads each, answers of 50 ms",
        )
        for workers in (2, 4)
    ]


def _delivery(workers: int) -> float:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        path, address = Path(folder) / "outbox.db", stack.enter_context(answering(latency=_LATENCY))
        box = stack.enter_context(closing(SqliteOutbox(path)))
        box.put_all((f"user-{number % _USERS}", event_message(number), None) for number in range(_SCALING_CALLS))
        for _ in range(workers):
            stack.enter_context(delivery_worker(f"sqlite:///{path}", address, "--threads", str(_THREADS)))
        while box.counts().delivered < _SCALING_CALLS // 10:
            time.sleep(0.01)
        start, before = time.monotonic(), box.counts().delivered
        while box.counts().waiting:
            time.sleep(0.01)
        return (time.monotonic() - start) * _SCALING_CALLS / (_SCALING_CALLS - before)


def delivery_worker(outbox: str, address: str, *options: str) -> subprocess.Popen[bytes]:
    """A worker as a process of its own, which ends with its block."""
    settings = {
        "INTERCOM_APP_ID": messages.APP_ID,
        "INTERCOM_OUTBOX": outbox,
        "INTERCOM_API_URL": address,
        "INTERCOM_ACCESS_TOKEN": "benchmark",
    }
    command: Sequence[str] = [sys.executable, "-m", "segment_intercom", "worker", *options]
    return _Ended(command, env={**os.environ, **settings}, stderr=subprocess.DEVNULL)


class _Ended(subprocess.Popen[bytes]):
    """A process that ends with its block."""

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.wait()


def event_message(number: int) -> bytes:
    """An event of one of the users, of a second of its own."""
    return orjson.dumps({**messages.track(), "userId": f"user-{number % _USERS}", "timestamp": 1_700_000_000 + number})


def _memory(process: int) -> float:
    """The resident memory of a process, in bytes."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return float(pages * os.sysconf("SC_PAGE_SIZE"))
