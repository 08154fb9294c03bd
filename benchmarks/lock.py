"""How much of the time does a worker at full speed hold the outbox's lock, so that a call must wait to be accepted?

Another process asks for the lock, over and over, and is refused where it is held. With the same chance a worker that is
stopped at a random moment (SIGSTOP, a frozen container) locks everybody out.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import orjson

from segment_intercom import Settings
from segment_intercom.delivery import Worker
from segment_intercom.outbox import SqliteOutbox
from segment_intercom.transport import HttpTransport

from . import messages
from .intercom import answering
from .measure import Ratio, Result

_BAR = 0.2
_THREADS = 32
_CALLS, _USERS = 20_000, 1_000
_SECONDS_A_LOOK = 0.0007  # not a divisor of anything that the worker does
_LOOKS, _ROUNDS = 1_000, 5


def results() -> list[Result]:
    """Fill an outbox, let a worker empty it in a process of its own, and ask for the lock all the while."""
    with tempfile.TemporaryDirectory() as folder, answering() as address:
        path = Path(folder) / "outbox.db"
        message = orjson.dumps(messages.track())
        with closing(SqliteOutbox(path)) as outbox:
            outbox.put_all((f"user-{number % _USERS}", message, None) for number in range(_CALLS))
            command = [sys.executable, "-m", "benchmarks.lock", str(path), address]
            with subprocess.Popen(command, cwd=Path(__file__).parent.parent) as worker:
                try:
                    while outbox.counts().delivered < _CALLS // 20:
                        time.sleep(0.01)
                    start, before = time.perf_counter(), outbox.counts().delivered
                    refused = [_refused(path) for _ in range(_ROUNDS)]
                    after, seconds = outbox.counts(), time.perf_counter() - start
                finally:
                    worker.kill()
        assert after.waiting, "the worker was done before the last look"
    shares = Ratio.of(refused, [_LOOKS] * _ROUNDS)
    return [
        Result("the outbox's lock, held / time", shares, _BAR, f"{(after.delivered - before) / seconds:,.0f} calls/s")
    ]


def _refused(path: Path) -> float:
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
        return sum(_is_held(connection) for _ in range(_LOOKS))


def _is_held(connection: sqlite3.Connection) -> bool:
    time.sleep(_SECONDS_A_LOOK)
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return True
    connection.execute("ROLLBACK")
    return False


def main(path: str, address: str) -> None:
    """Deliver as fast as this machine can."""
    settings = Settings(app_id=messages.APP_ID, access_token=messages.TOKEN, api_url=address)
    with closing(SqliteOutbox(path)) as outbox, closing(HttpTransport(settings, connections=_THREADS)) as transport:
        worker = Worker(settings, outbox, transport, threads=_THREADS, until_empty=True)
        worker.start()
        worker.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
