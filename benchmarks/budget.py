"""Is the rate budget used up, and hardly overrun, by one worker's process and by two that share an outbox?

Intercom's windows of ten seconds are imitated by windows of two, with as many requests in each as make the worker wait.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import orjson

from segment_intercom import Settings
from segment_intercom.delivery import Worker
from segment_intercom.outbox import SqliteOutbox
from segment_intercom.transport import HttpTransport

from . import messages
from .intercom import answering, windows
from .measure import Ratio, Result

# At least 95 % of the budget is used; one request in flight for each worker may come too late, in each window.
_BAR = 1.05
_REFUSED_BAR = 1.0
_LIMIT, _WINDOW, _LATENCY = 400, 2, 0.005
_WINDOWS = 4
_USERS, _THREADS = 500, 32
_PROCESSES = {"one worker": 1, "two workers": 2}


def results() -> list[Result]:
    """Let workers send for several windows, and look at those that they had from beginning to end."""
    return [result for name, count in _PROCESSES.items() for result in _measure(name, count)]


def _measure(name: str, processes: int) -> list[Result]:
    with tempfile.TemporaryDirectory() as folder, answering(_LIMIT, _WINDOW, _LATENCY) as address:
        path = _filled(Path(folder) / "outbox.db")
        with ExitStack() as stack:
            for _ in range(processes):
                stack.enter_context(_worker(path, address))
            first = _wait_for_whole_window(address, processes)
            _wait_until((first + _WINDOWS) * _WINDOW)
            counts = windows(address)
        with closing(SqliteOutbox(path)) as outbox:
            assert outbox.counts().waiting > 0, "the workers had nothing left to send"
    whole = range(first, first + _WINDOWS)
    used = [counts["used"].get(number, 0) for number in whole]
    refused = [counts["refused"].get(number, 0) for number in whole]
    share = sum(used) / (_LIMIT * _WINDOWS)
    over = Ratio.of(refused, [processes] * _WINDOWS)
    return [
        Result(f"budget / used, {name}", Ratio.of([_LIMIT] * _WINDOWS, used), _BAR, f"{share:.1%} of {_LIMIT} used"),
        Result(f"refused in a window / workers, {name}", over, _REFUSED_BAR, f"{sum(refused)} in {_WINDOWS} windows"),
    ]


def _filled(path: Path) -> Path:
    """More calls than fit in the windows."""
    with closing(SqliteOutbox(path)) as outbox:
        numbers = range(_LIMIT * (_WINDOWS + 6))
        said = ((f"user-{number % _USERS}", messages.track(f"user-{number % _USERS}")) for number in numbers)
        outbox.put_all((user, orjson.dumps(message), None) for user, message in said)
    return path


@contextmanager
def _worker(path: Path, address: str) -> Iterator[None]:
    """A worker in a process of its own, which ends with the block, or with this process, whose end it hears of."""
    command = [sys.executable, "-m", "benchmarks.budget", str(path), address]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parent.parent
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield


def _wait_for_whole_window(address: str, processes: int) -> int:
    """The number of the first window that the workers have from its beginning."""
    number = int(time.time() / _WINDOW) + 1
    _wait_until(number * _WINDOW)
    assert windows(address)["used"], f"none of {processes} has begun to send"
    return number


def _wait_until(moment: float) -> None:
    threading.Event().wait(max(0.0, moment - time.time()))


def main(path: str, address: str) -> None:
    """Deliver until the standard input ends."""
    settings = Settings(app_id=messages.APP_ID, access_token=messages.TOKEN, api_url=address)
    with closing(SqliteOutbox(path)) as outbox:
        transport = HttpTransport(settings, connections=_THREADS)
        worker = Worker(settings, outbox, transport, threads=_THREADS)
        worker.start()
        print("delivering", flush=True)
        sys.stdin.read()
        worker.stop()
        transport.close()
        worker.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
