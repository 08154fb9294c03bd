"""What only an outbox in a database can do: an application's own transaction, several machines, a server that goes."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from segment_intercom import Analytics, CallError, OutboxError, SegmentIntercom, Settings
from segment_intercom.outbox import open_outbox
from segment_intercom.outbox.postgres import PostgresOutbox
from tests.children import Children

from .pgbouncer import PgBouncer
from .postgres_server import PostgresServer
from .workers import Workers, fill


@pytest.fixture
def box(postgres: str) -> Iterator[PostgresOutbox]:
    box = PostgresOutbox(postgres)
    yield box
    box.close()


def driver(address: str) -> str:
    """The address as SQLAlchemy takes it."""
    return address.replace("postgresql://", "postgresql+psycopg://")


def waiting(box: PostgresOutbox) -> list[bytes]:
    return [message.body for message in box.browse()]


def ways(address: str) -> Iterator[tuple[Any, Callable[[], None], Callable[[], None]]]:
    """Each kind of connection that an application may have, with its commit and its rollback."""
    with psycopg.connect(address) as own:
        yield own, own.commit, own.rollback
    engine = create_engine(driver(address))
    with engine.connect() as connection:
        yield connection, connection.commit, connection.rollback
    with Session(engine) as session:
        yield session, session.commit, session.rollback
    engine.dispose()


def test_call_is_stored_on_commit_only(postgres: str, box: PostgresOutbox) -> None:
    analytics = Analytics(Settings(outbox=postgres, deliver="worker"))
    with closing(analytics):
        for connection, commit, rollback in ways(postgres):
            analytics.track("ann", "Lost", connection=connection)
            rollback()
            analytics.track("ann", "Kept", connection=connection)
            assert box.counts().waiting == 0
            assert box.next_due() is None
            commit()
            (message,) = waiting(box)
            assert b"Kept" in message
            lease = box.lease()
            assert lease is not None
            assert box.done(lease, lease.messages)


def test_flask_call_joins_session_transaction(postgres: str, box: PostgresOutbox) -> None:
    app, db = Flask("shop"), SQLAlchemy()
    app.config.update(
        SQLALCHEMY_DATABASE_URI=driver(postgres),
        INTERCOM_APP_ID="abc12345",
        INTERCOM_OUTBOX=postgres,
        INTERCOM_DELIVER="worker",
    )
    db.init_app(app)
    intercom = SegmentIntercom(app)
    with app.app_context():
        intercom.track("ann", "Order Completed", {"revenue": 5}, connection=db.session)
        db.session.rollback()
        intercom.track("ann", "Order Completed", {"revenue": 6}, connection=db.session)
        db.session.commit()
        db.session.remove()
        db.engine.dispose()
    app.extensions["segment_intercom"].ingest.close()
    (message,) = waiting(box)
    assert b'"revenue":6' in message


@pytest.mark.parametrize("connection", [object(), "postgresql://host/name"])
def test_what_is_no_connection_is_refused(box: PostgresOutbox, connection: object) -> None:
    with pytest.raises(CallError, match="connection: must be a SQLAlchemy session"):
        box.put_within(connection, "ann", b"1")


def test_open_transactions_hold_up_nobody(postgres: str, box: PostgresOutbox) -> None:
    """Two applications with calls of the same users in other orders, a worker, and calls outside of any transaction."""
    with psycopg.connect(postgres) as first, psycopg.connect(postgres) as second:
        box.put_within(first, "ann", b"1")
        box.put_within(second, "bob", b"2")
        box.put_within(first, "bob", b"3")
        box.put_within(second, "ann", b"4")
        assert box.put("ann", b"5")
        lease = box.lease()
        assert lease is not None
        assert [message.body for message in lease.messages] == [b"5"]
        assert box.done(lease, lease.messages)
        second.commit()
        first.commit()
    assert set(waiting(box)) == {b"1", b"2", b"3", b"4"}
    lease = box.lease()
    assert lease is not None
    assert len(lease.messages) == 2


ORDERS = """
import os, random, sys, psycopg
from segment_intercom import Analytics, Settings
address, name, seed = sys.argv[1:]
analytics = Analytics(Settings(outbox=address, deliver="worker"))
luck = random.Random(int(seed))
connection = psycopg.connect(address)
for number in range(10_000):
    connection.execute("INSERT INTO orders VALUES (%s)", (f"{name} {number}",))
    analytics.track(f"u{number % 5}", f"{name} {number}", connection=connection)
    if luck.random() < 0.4:
        connection.rollback()
    else:
        connection.commit()
        print(number, flush=True)
"""


def test_order_and_call_commit_together(postgres: str, box: PostgresOutbox, family: Children) -> None:
    """Processes that commit and roll back at random are killed somewhere; orders and calls are the same ones."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS orders")
        connection.execute("CREATE TABLE orders (name text)")
    for turn in range(4):
        command = [sys.executable, "-c", ORDERS, postgres, f"p{turn}", str(turn)]
        process = family.start(command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        for _ in range(260):
            assert process.stdout.readline()
        process.kill()
        process.wait()
    with psycopg.connect(postgres) as connection:
        orders = [name for (name,) in connection.execute("SELECT name FROM orders").fetchall()]
    calls, after = [], 0
    while rows := box.browse(after):
        calls += [json.loads(row.body)["event"] for row in rows]
        after = rows[-1].number
    assert len(orders) >= 1_000
    assert sorted(calls) == sorted(orders)


def test_watch_reports_puts_of_another_outbox(postgres: str, box: PostgresOutbox) -> None:
    woken = threading.Event()
    box.watch(woken.set)
    other_box = PostgresOutbox(postgres)
    with closing(other_box):
        end = time.monotonic() + 30
        while not woken.wait(0.1):  # until it listens
            assert time.monotonic() < end
            other_box.put("ann", b"1")


def test_outbox_reconnects_to_restarted_server(
    postgres: str, box: PostgresOutbox, postgres_server: PostgresServer
) -> None:
    for number in range(20):
        assert box.put("ann", b"%d" % number)
    postgres_server.stop()
    with pytest.raises(OutboxError, match=r"postgresql://127\.0\.0\.1:\d+/postgres"):
        box.put("ann", b"lost")
    postgres_server.start()
    assert box.put("ann", b"20")
    lease = box.lease()
    assert lease is not None
    assert [message.body for message in lease.messages] == [b"%d" % number for number in range(21)]


def test_cut_connection_is_replaced(postgres: str, box: PostgresOutbox) -> None:
    assert box.put("ann", b"1")
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname = 'postgres'"
        )
    end = time.monotonic() + 30
    while True:  # the server tells of it a moment later
        try:
            assert box.put("ann", b"2")
        except OutboxError:
            assert time.monotonic() < end
        else:
            return


def test_missing_tables_error_names_migrate_command(postgres: str, postgres_server: PostgresServer) -> None:
    postgres_server.forget()
    box = PostgresOutbox(postgres)
    with closing(box):
        assert not box.exists()
        with pytest.raises(OutboxError, match="segment-intercom migrate"):
            box.put("ann", b"1")
        assert "made" in box.migrate()
        assert "already" in box.migrate()
        assert box.exists()
        assert box.put("ann", b"1")


def test_no_password_is_told(postgres: str) -> None:
    box = PostgresOutbox("postgresql://shop:s3cret@127.0.0.1:1/shop?application_name=s3cret")
    with closing(box), pytest.raises(OutboxError) as refused:
        box.put("ann", b"1")
    assert "s3cret" not in str(refused.value) + repr(box) + box.location
    assert "127.0.0.1:1" in str(refused.value)


def test_killed_workers_lose_and_reorder_nothing(
    postgres: str, box: PostgresOutbox, family: Children, tmp_path: Path
) -> None:
    fill(box, 6, 150)

    def end_leases() -> None:  # as leases are in 30 seconds
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(
                "UPDATE segment_intercom.users SET due = 0, token = 'ended' WHERE due > segment_intercom.moment(NULL)"
            )

    workers, luck = Workers(family, postgres, tmp_path / "arrived"), random.Random(5)
    for turn in range(1, 4):
        workers.wait_until_delivered(turn * 120)
        workers.kill_one(luck, end_leases)
    workers.finish()
    assert workers.check(6, 150) <= 40
    assert box.counts().waiting == 0


def test_database_address_opens_postgres_outbox(postgres: str) -> None:
    box = open_outbox(postgres)
    with closing(box):
        assert box.put("ann", b"1")
    engine = create_engine(driver(postgres))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM segment_intercom.mail")).scalar() == 1
    engine.dispose()


def test_outbox_works_behind_transaction_pooler(
    postgres: str, postgres_server: PostgresServer, tmp_path: Path, family: Children
) -> None:
    """A pooler that may switch the connection with every transaction loses and repeats nothing."""
    assert postgres
    pooler = PgBouncer(tmp_path, postgres_server.port)
    pooler.start()
    try:
        box = PostgresOutbox(pooler.address)
        with closing(box):
            fill(box, users=6, per_user=50)
            assert not box.put("u0", b"again", "m0")
            workers = Workers(family, pooler.address, tmp_path / "delivered")
            with psycopg.connect(pooler.address) as own:
                box.put_within(own, "late", b"0")
                own.commit()
            workers.finish()
            delivered = [line.split()[0] for line in workers.delivered()]
            assert (delivered.count(b"late"), len(delivered)) == (1, 301)
            assert box.counts().delivered == 301
    finally:
        pooler.stop()
