"""The outbox in PostgreSQL, for several machines that share a database: the SQLite design, with a function a step.

A call may be accepted inside the application's own transaction. Nothing relies on the state of a session, so that a
pooler may hand out another connection for each transaction; only to be woken at once, a worker listens on its own.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from select import select
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import conninfo
from psycopg_pool import ConnectionPool, PoolTimeout

from ..diagnostics import logger
from ..errors import CallError, OutboxError
from . import postgres_statements as sql
from .base import Counts, DeadLetter, Lease, QueuedMessage, WaitingMessage
from .sqlite import id_digest
from .statements import LEASE_SECONDS, MESSAGES_LEASED, PARTITIONED_AT_ONCE, as_bytes, as_text

_SCHEMA = Path(__file__).parent / "postgres.sql"
_VERSION = 1
_MIGRATE = "run `segment-intercom migrate`, which makes and upgrades the tables of the outbox"
_CONNECT_SECONDS = 5
_CONNECTIONS = 8
# A notification is a lock that commits wait for; between two of a process, workers look by themselves.
_WAKE_EVERY = 0.05
_LISTEN_SECONDS = 30.0
_LEFT_OUT = b"left out"
_TALLY_SECONDS = 29 * 86_400.0


class PostgresOutbox:
    """An ``Outbox`` in a database, in the schema ``segment_intercom``; ``clock`` takes the place of the server's."""

    def __init__(self, address: str, *, clock: Callable[[], float] | None = None) -> None:
        self._address = address
        self._clock = clock
        self._lock = threading.Lock()
        self._pools: dict[int, ConnectionPool[psycopg.Connection[Any]]] = {}
        self._origin = (0, 0)
        self._accepted = 0
        self._last_put = 0.0
        self._last_wake = 0.0
        self._watching: threading.Event | None = None

    def __repr__(self) -> str:
        return f"PostgresOutbox({self.location!r})"

    @property
    def location(self) -> str:
        """The address without user, password and options."""
        parts = conninfo.conninfo_to_dict(self._address)
        host, name = quote(str(parts.get("host") or "localhost")), quote(str(parts.get("dbname") or ""))
        port = f":{parts['port']}" if "port" in parts else ""
        return f"postgresql://{host}{port}/{name}"

    def exists(self) -> bool:
        """Return True once ``migrate`` has made the tables."""
        return self._one("SELECT to_regclass('segment_intercom.format') IS NOT NULL") is True

    def obstacle(self) -> str | None:
        """Return why the tables are not there, or None."""
        return None if self.exists() else f"the tables are missing: {_MIGRATE}"

    def migrate(self) -> str:
        """Make the tables, or bring them to this version's format; return what was done."""
        with self._running() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(hashtext('segment_intercom'))")
            query = "SELECT to_regclass('segment_intercom.format') IS NOT NULL"
            row = connection.execute(query).fetchone()
            if row is not None and row[0]:
                return f"{self.location} is in format {_VERSION} already"
            connection.execute(_SCHEMA.read_bytes())
        return f"{self.location}: the tables were made, in format {_VERSION}"

    def put(self, user: str, body: bytes, message_id: str | None = None) -> bool:
        """Keep a message of a user; False, and nothing is kept, when its id came in the last 24 hours."""
        accepted: bool = self._one(sql.PUT_ONE, (self._own_origin(), *self._single(user, body, message_id)))
        self._count(int(accepted))
        return accepted

    def put_all(self, messages: Iterable[tuple[str, bytes, str | None]]) -> int:
        """Keep several messages, each as (user, body, message id), or none if it raises; return how many are new."""
        arguments = _arguments(messages)
        accepted: int = self._one(sql.PUT, (self._own_origin(), *arguments, self._wakes(), self._now()))
        self._count(accepted)
        return accepted

    def _single(self, user: str, body: bytes, message_id: str | None) -> tuple[Any, ...]:
        digest = None if message_id is None else id_digest(message_id)
        return as_bytes(user), body, digest, self._wakes(), self._now()

    def _count(self, accepted: int) -> None:
        with self._lock:
            self._accepted += accepted
            self._last_put = self._time()

    def put_within(self, connection: Any, user: str, body: bytes, message_id: str | None = None) -> None:
        """Keep a message exactly when the transaction of a psycopg or SQLAlchemy connection, or session, commits."""
        try:
            _execute_within(connection, sql.PUT_ONE.replace("%b", "%s"), (0, *self._single(user, body, message_id)))
        except Exception as error:
            cause = getattr(error, "orig", error)  # SQLAlchemy's errors hold the driver's
            if not isinstance(cause, psycopg.Error):
                raise
            raise OutboxError(f"connection: {_reason(cause)}; the call is not kept, {_remedy(cause)}") from error

    def replace(self, user: str, body: bytes, message_id: str | None = None) -> bool:
        """Keep a message in place of all that wait for a user, which are dropped. False as in ``put``."""
        accepted: bool = self._one(sql.REPLACE, (self._own_origin(), *self._single(user, body, message_id)))
        self._count(int(accepted))
        return accepted

    def strike(self, user: str, before: int) -> bool:
        """Drop what waits for a user with a lower number; False while a worker holds a message of theirs."""
        return self._one(sql.STRIKE, (as_bytes(user), before, self._now())) is True

    def waits(self, user: str, before: int) -> bool:
        """Whether a message of a user with a lower number is still to be delivered."""
        return self._one(sql.WAITS, (as_bytes(user), before)) is True

    def lease(self) -> Lease | None:
        """Take the messages, at most 50, of the user who has waited longest; None when no user is due."""
        token = secrets.token_hex(8)
        while True:
            more = self._one(sql.PARTITION, (PARTITIONED_AT_ONCE, self._now()))
            rows = self._all(sql.LEASE, (token, LEASE_SECONDS, MESSAGES_LEASED, self._now()))
            if rows:
                user, attempts, failing_since, _, _ = rows[0]
                messages = tuple(QueuedMessage(number, bytes(body)) for *_, number, body in rows)
                return Lease(as_text(bytes(user)), messages, token, attempts, failing_since)
            if not more:
                return None

    def renew(self, lease: Lease) -> bool:
        """Keep a lease for 30 seconds from now, also one that is over, while no other worker has taken the user."""
        return self._run(sql.RENEW, (self._now(), LEASE_SECONDS, as_bytes(lease.user), lease.token)) == 1

    def done(self, lease: Lease, messages: Sequence[QueuedMessage]) -> bool:
        """Remove messages as delivered; the lease ends with its last one. False, and nothing is done, when it has."""
        return self._remove(lease, messages, None, None)

    def give_up(self, lease: Lease, message: QueuedMessage, reason: str, reply: str = "") -> bool:
        """Keep a message as a dead letter. False, and nothing is done, when the lease has ended."""
        return self._remove(lease, [message], as_bytes(reason), as_bytes(reply))

    def _remove(
        self, lease: Lease, messages: Sequence[QueuedMessage], reason: bytes | None, reply: bytes | None
    ) -> bool:
        numbers = [message.number for message in messages]
        leased = [message.number for message in lease.messages]
        arguments = (as_bytes(lease.user), lease.token, numbers, leased, reason, reply, self._now())
        return self._one(sql.REMOVE, arguments) is True

    def retry(self, lease: Lease, delay: float) -> None:
        """End a lease after a failure of its first message; the user waits for ``delay`` seconds."""
        self._run(sql.PUT_OFF, (as_bytes(lease.user), lease.token, delay, True, self._now()))

    def release(self, lease: Lease, delay: float = 0.0) -> None:
        """End a lease without a failure; the user waits for ``delay`` seconds."""
        self._run(sql.PUT_OFF, (as_bytes(lease.user), lease.token, delay, False, self._now()))

    def browse(self, after: int = 0, limit: int = 500) -> list[WaitingMessage]:
        """Messages that wait, in the order of acceptance, those with a higher number than ``after``."""
        rows = self._all(sql.BROWSE, (after, limit))
        return [WaitingMessage(number, as_text(bytes(user)), bytes(body)) for number, user, body in rows]

    def next_due(self) -> float | None:
        """The seconds until ``lease`` may find a user, 0 when it may now; None when nothing waits."""
        if self._one(sql.PARTITION, (PARTITIONED_AT_ONCE, self._now())):
            return 0.0
        wait = self._one(sql.NEXT_DUE, (self._now(),))
        return None if wait is None else max(0.0, float(wait))

    def watch(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` when another process has put messages, until ``close``; where that fails, none is woken."""
        if self._watching is None:
            self._watching = stop = threading.Event()
            threading.Thread(
                target=self._listen, args=(wake, stop), name="segment-intercom-listener", daemon=True
            ).start()

    def left(self) -> int:
        """How many of the messages put through this object in this process still wait."""
        origin = self._own_origin()
        with self._lock:
            accepted, silent = self._accepted, self._time() - self._last_put
        if not accepted:
            return 0
        if silent > _TALLY_SECONDS:  # slow, but the tally may have been cleared
            return int(self._one("SELECT count(*) FROM segment_intercom.mail WHERE origin = %s", (origin,)))
        gone = self._one("SELECT gone FROM segment_intercom.tally WHERE origin = %s", (origin,))
        return max(0, accepted - int(gone or 0))

    def oldest(self) -> float | None:
        """The age in seconds of the message that has waited longest; None when none waits."""
        age = self._one(sql.OLDEST, (self._now(),))
        return None if age is None else max(0.0, float(age))

    def left_out(self, number: int = 1) -> None:
        """Count values that Intercom refused by name, and without which the rest of a call was delivered."""
        self._run(sql.COUNT_LEFT_OUT, (_LEFT_OUT, str(number).encode()))

    def counts(self) -> Counts:
        """How many messages wait, were delivered and were given up."""
        ((waiting, delivered, given_up, left_out),) = self._all(sql.COUNTS, (_LEFT_OUT,))
        return Counts(waiting, int(delivered), given_up, int(bytes(left_out or b"0")))

    def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """The newest dead letters, newest first."""
        return [
            DeadLetter(number, _text(user), bytes(body), _text(reason), _text(reply), at)
            for number, user, body, reason, reply, at in self._all(sql.DEAD, (max(0, limit),))
        ]

    def resend(self) -> int:
        """Put all dead letters back, oldest first, behind what their users have waiting; return how many."""
        newest = self._one("SELECT max(id) FROM segment_intercom.dead")
        resent, moved = 0, newest is not None
        while moved:
            moved = self._one(sql.RESEND, (newest, PARTITIONED_AT_ONCE, self._now()))
            resent += moved
        return resent

    def discard(self, user: str | None = None) -> int:
        """Drop all dead letters for good, or those of a user; return how many."""
        if user is None:
            return self._run("DELETE FROM segment_intercom.dead", ())
        return self._run("DELETE FROM segment_intercom.dead WHERE user_key = %s", (as_bytes(user),))

    def get(self, key: str) -> str | None:
        """What was remembered under a key, by any worker, while it lasts."""
        value = self._one(sql.GET, (as_bytes(key), self._now()))
        return None if value is None else _text(value)

    def set(self, key: str, value: str, seconds: float) -> None:
        """Keep a value for all workers."""
        self._run(sql.SET, (as_bytes(key), as_bytes(value), self._now(), seconds))

    def delete(self, key: str) -> None:
        """Drop what was remembered under a key."""
        self._run("DELETE FROM segment_intercom.notes WHERE key = %s", (as_bytes(key),))

    def close(self) -> None:
        """Let go of the connections; what waits stays. The next use opens others."""
        if self._watching is not None:
            self._watching.set()
            self._watching = None
        with self._lock:
            pool = self._pools.pop(os.getpid(), None)
        if pool is not None:
            pool.close()

    def _now(self) -> float | None:
        return None if self._clock is None else self._clock()

    def _time(self) -> float:
        return time.monotonic() if self._clock is None else self._clock()

    def _own_origin(self) -> int:
        """What tells this object's messages in this process from all others."""
        with self._lock:
            if self._origin[0] != os.getpid():
                self._origin, self._accepted = (os.getpid(), secrets.randbits(62) + 1), 0
            return self._origin[1]

    def _wakes(self) -> bool:
        now = time.monotonic()
        if now - self._last_wake < _WAKE_EVERY:
            return False
        self._last_wake = now
        return True

    def _one(self, query: str, arguments: Sequence[Any] = ()) -> Any:
        with self._running() as connection:
            row = connection.execute(query, arguments).fetchone()
        return None if row is None else row[0]

    def _all(self, query: str, arguments: Sequence[Any]) -> list[Any]:
        with self._running() as connection:
            return connection.execute(query, arguments).fetchall()

    def _run(self, query: str, arguments: Sequence[Any]) -> int:
        with self._running() as connection:
            return connection.execute(query, arguments).rowcount

    @contextmanager
    def _running(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection of this process; what goes wrong is said in one sentence."""
        try:
            with self._pool().connection() as connection:
                yield connection
        except PoolTimeout as error:
            problem = f"does not answer within {_CONNECT_SECONDS} s; see that it runs and that its address is right"
            raise OutboxError(f"{self.location}: {problem}") from error
        except psycopg.Error as error:
            raise OutboxError(f"{self.location}: {_reason(error)}; {_remedy(error)}") from error

    def _pool(self) -> ConnectionPool[psycopg.Connection[Any]]:
        # A fork has its own; psycopg never closes the connections of a parent.
        with self._lock:
            pool = self._pools.get(os.getpid())
            if pool is None:
                pool = self._pools[os.getpid()] = ConnectionPool(
                    self._address,
                    kwargs={"autocommit": True, "prepare_threshold": None, "connect_timeout": _CONNECT_SECONDS},
                    min_size=0,
                    max_size=_CONNECTIONS,
                    timeout=_CONNECT_SECONDS,
                    check=_check,
                    open=True,
                    name="segment-intercom",
                )
            return pool

    def _listen(self, wake: Callable[[], None], stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                with psycopg.connect(self._address, autocommit=True, connect_timeout=_CONNECT_SECONDS) as connection:
                    connection.execute("LISTEN segment_intercom")
                    while not stop.is_set():
                        for _ in connection.notifies(timeout=1.0, stop_after=1):
                            wake()
            except psycopg.Error as error:
                logger.info("the outbox cannot be listened to, so workers look by themselves: %s", _reason(error))
                stop.wait(_LISTEN_SECONDS)


def _arguments(
    messages: Iterable[tuple[str, bytes, str | None]],
) -> tuple[list[bytes], list[bytes], list[bytes | None]]:
    rows = [(as_bytes(user), body, None if key is None else id_digest(key)) for user, body, key in messages]
    return [user for user, _, _ in rows], [body for _, body, _ in rows], [digest for _, _, digest in rows]


def _execute_within(connection: Any, query: str, arguments: Sequence[Any]) -> None:
    """Run a statement in the transaction of what an application has, which SQLAlchemy begins at the first use."""
    if callable(connect := getattr(connection, "connection", None)):  # a session, also a scoped one
        connection = connect()
    if hasattr(connection, "exec_driver_sql"):
        connection.exec_driver_sql(query, tuple(arguments))
    elif hasattr(connection, "cursor"):
        with connection.cursor() as cursor:
            cursor.execute(query, arguments)
    else:
        raise CallError("connection", "must be a SQLAlchemy session or connection, or one of psycopg")


def _check(connection: psycopg.Connection[Any]) -> None:
    """Refuse a connection that the server has ended meanwhile, without asking it: there is something to be read."""
    if select([connection.fileno()], [], [], 0)[0]:
        with suppress(psycopg.Error):
            connection.pgconn.consume_input()
        if connection.pgconn.status != psycopg.pq.ConnStatus.OK:
            raise psycopg.OperationalError("the server has ended the connection")


def _text(value: Any) -> str:
    return as_text(bytes(value))


def _reason(error: psycopg.Error) -> str:
    """The first line of what the server says, in which no value stands."""
    primary = error.diag.message_primary
    return primary or (str(error).splitlines() or [type(error).__name__])[0]


def _remedy(error: psycopg.Error) -> str:
    missing = psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction, psycopg.errors.InvalidSchemaName
    return _MIGRATE if isinstance(error, missing) else "look at the server's log"
