"""How much room does what waits take, how fast does it come in, and how fast does one worker deliver it?

The seconds are this machine's and prove nothing elsewhere; the bytes for each call do, and so does the order of sizes.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psycopg

from segment_intercom.outbox import Outbox, SqliteOutbox
from segment_intercom.outbox.jetstream import JetStreamOutbox
from segment_intercom.outbox.postgres import PostgresOutbox
from tests.outbox.nats_server import NatsServer
from tests.outbox.postgres_server import PostgresServer

from .intercom import answering
from .measure import Ratio, Result
from .soak import delivery_worker, event_message

_CALLS = 100_000
_STREAMED = 10_000  # one after the other
_DELIVERED = 3_000
_AT_ONCE = 500
_USERS = 5_000
_LATENCY = 0.05  # of an answer, as over the internet


def results() -> list[Result]:
    """Fill each kind of outbox, look at its size, and let one worker deliver from it."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        path = Path(folder)
        places = [_sqlite(path), stack.enter_context(_postgres(path)), stack.enter_context(_jetstream(path))]
        return [_result(path / "nats", *place) for place in places]


def _result(folder: Path, name: str, address: str, box: Outbox, calls: int) -> Result:
    message = len(event_message(0))
    with closing(box):
        start = time.perf_counter()
        for first in range(0, calls, _AT_ONCE):
            box.put_all(
                (f"user-{number % _USERS}", event_message(number), f"sizing-{number}")
                for number in range(first, first + _AT_ONCE)
            )
        seconds = time.perf_counter() - start
        size = _size(name, address, folder)
        rate = _delivery(address, box)
    words = f"{size / calls:,.0f} bytes a call of {message}, {calls / seconds:,.0f} calls/s in, {rate:,.0f} calls/s out"
    return Result(f"{name}, bytes kept / bytes of the messages", Ratio.of([size / calls], [message]), context=words)


def _delivery(address: str, box: Outbox) -> float:
    """The calls a second that one worker delivers, answers taking 50 ms."""
    with answering(latency=_LATENCY) as server, delivery_worker(address, server, "--threads", "32"):
        before = _wait(box, box.counts().delivered + _DELIVERED // 10)
        start = time.perf_counter()
        return (_wait(box, before + _DELIVERED) - before) / (time.perf_counter() - start)


def _wait(box: Outbox, delivered: int) -> int:
    while (now := box.counts().delivered) < delivered:
        time.sleep(0.05)
    return now


def _size(name: str, address: str, folder: Path) -> float:
    if name == "SQLite":
        path = Path(address.removeprefix("sqlite:///"))
        return float(sum(part.stat().st_size for part in path.parent.glob(path.name + "*")))
    if name == "PostgreSQL":
        query = """SELECT sum(pg_total_relation_size(oid)) FROM pg_class
            WHERE relnamespace = 'segment_intercom'::regnamespace AND relkind = 'r'"""
        with psycopg.connect(address) as connection:
            row = connection.execute(query).fetchone()
            return float(row[0]) if row else 0.0
    return float(sum(part.stat().st_size for part in folder.rglob("*") if part.is_file()))


def _sqlite(folder: Path) -> tuple[str, str, Outbox, int]:
    return "SQLite", f"sqlite:///{folder}/outbox.db", SqliteOutbox(folder / "outbox.db"), _CALLS


@contextmanager
def _postgres(folder: Path) -> Iterator[tuple[str, str, Outbox, int]]:
    (folder / "postgres").mkdir()
    server = PostgresServer(folder / "postgres")
    server.start()
    try:
        box = PostgresOutbox(server.address)
        box.migrate()
        yield "PostgreSQL", server.address, box, _CALLS
    finally:
        server.stop()


@contextmanager
def _jetstream(folder: Path) -> Iterator[tuple[str, str, Outbox, int]]:
    server = NatsServer(folder, "nats")
    server.start()
    try:
        yield "JetStream", server.address, JetStreamOutbox(server.address), _STREAMED
    finally:
        server.stop()
