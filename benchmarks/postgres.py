"""What does it cost to accept a call into PostgreSQL, against a bare row of the same length, and does it stay flat?"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import orjson
import psycopg

from segment_intercom import Analytics, Settings
from segment_intercom.outbox.postgres import PostgresOutbox
from tests.outbox.postgres_server import PostgresServer

from . import messages
from .measure import Ratio, Result, interleave, microseconds

_BAR, _FLAT = 1.5, 1.5
_ROUNDS, _CALLS = 20, 40
_STUCK = 1_000
_FEW, _MANY = 10_000, 1_000_000
_ROWS = 10_000


def results() -> list[Result]:
    """Accept events and write bare rows, each committed; then lease with few and with many calls waiting."""
    with _server() as address, psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE TABLE bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, message bytea)")
        message = orjson.dumps(messages.track())
        analytics = Analytics(Settings(app_id=messages.APP_ID, outbox=address, deliver="worker"))
        with closing(analytics):
            seconds = interleave(
                {
                    "ours": lambda: analytics.track("user-1234", messages.EVENT, messages.PROPERTIES),
                    "bare": lambda: connection.execute("INSERT INTO bare (message) VALUES (%s)", (message,)),
                },
                rounds=_ROUNDS,
                calls=_CALLS,
            )
        few, many = _leases(address, message)
    accepted = f"{microseconds(seconds['ours'])} / {microseconds(seconds['bare'])}"
    return [
        Result("PostgreSQL, accept / a bare row", Ratio.of(seconds["ours"], seconds["bare"]), _BAR, accepted),
        Result(
            "PostgreSQL, lease with 1,000,000 waiting / 10,000",
            Ratio.of(many, few),
            _FLAT,
            f"behind {_STUCK:,} users who must wait: {microseconds(many)} / {microseconds(few)}",
        ),
    ]


def _leases(address: str, message: bytes) -> tuple[list[float], list[float]]:
    """The seconds of a lease and what ends it, with few and then with many calls of users who must wait."""
    box = PostgresOutbox(address)
    with closing(box):
        seconds, put = [], 0
        for goal in (_FEW, _MANY):
            while put < goal:
                box.put_all((f"stuck-{(put + number) % _STUCK}", message, None) for number in range(_ROWS))
                put += _ROWS
            while (lease := box.lease()) is not None:
                box.release(lease, 86_400.0)
            with psycopg.connect(address, autocommit=True) as connection:
                connection.execute("VACUUM ANALYZE")
            seconds.append(interleave({"lease": lambda: _lease(box, message)}, rounds=30, calls=5)["lease"])
    few, many = seconds
    return few, many


def _lease(box: PostgresOutbox, message: bytes) -> None:
    box.put("free", message)
    lease = box.lease()
    assert lease is not None
    assert lease.user == "free"
    assert box.done(lease, lease.messages)


@contextmanager
def _server() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="segment-intercom-bench-") as folder:
        Path(folder, "server").mkdir()
        server = PostgresServer(Path(folder, "server"))
        server.start()
        try:
            PostgresOutbox(server.address).migrate()
            yield server.address
        finally:
            server.stop()
