"""The embedded outbox: one SQLite file that web processes, workers and the command line share.

Accepting a call appends it to a log; a worker that asks for a lease first moves what is new into the users' partitions,
a few hundred messages at a time. So what ``put`` costs depends neither on how many messages wait nor on how many users.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from ..errors import CallError, OutboxError
from . import statements
from .base import Counts, DeadLetter, Lease, QueuedMessage, WaitingMessage
from .database import Database
from .statements import DAY, LEASE_SECONDS, TALLY_DAYS, as_bytes, as_text

BUSY_SECONDS = 5.0

_RENEW = "UPDATE users SET due = ? WHERE user = ? AND token = ?"
_RELEASE = "UPDATE users SET token = NULL, due = ?, turn = (SELECT sorted FROM state) WHERE user = ? AND token = ?"
_RETRY = """UPDATE users SET token = NULL, due = ?, turn = (SELECT sorted FROM state), attempts = attempts + 1,
    failing_since = ifnull(failing_since, ?) WHERE user = ? AND token = ?"""
_REMEMBER = "INSERT OR REPLACE INTO notes (key, value, until) VALUES (?, ?, ?)"
_FORGET_OLD = "DELETE FROM notes WHERE key IN (SELECT key FROM notes WHERE until <= ? ORDER BY until LIMIT 2)"
# A number among the notes, which never ends.
_LEFT_OUT = b"left out"
_COUNT_LEFT_OUT = """INSERT INTO notes (key, value, until) VALUES (?, ?, 1e12)
    ON CONFLICT (key) DO UPDATE SET value = value + excluded.value"""
_DEAD = "SELECT number, user, message, reason, reply, at FROM dead ORDER BY id DESC LIMIT ?"


# A row as it is put: the user, the message, and what its id is known by.
_Row = tuple[bytes, bytes, bytes | None]


# Segment's libraries for Node and the browser begin an id with the time in milliseconds, as in
# "node-next-1764288000000-5f0c...": kept in order, so that thousands a second write few pages of the index of ids.
_TIMED = re.compile(r"[a-z]+-[a-z]+-(1\d{12})-")


def id_digest(message_id: str) -> bytes:
    """What an id is known by: 16 bytes, of which the first six are the time in it, where there is one."""
    text = as_bytes(message_id)
    if (timed := _TIMED.match(message_id)) is None:
        return hashlib.blake2b(text, digest_size=16).digest()
    return int(timed[1]).to_bytes(6, "big") + hashlib.blake2b(text, digest_size=10).digest()


def _not_seen(connection: sqlite3.Connection, rows: Sequence[_Row], now: float) -> list[_Row]:
    """Those rows whose ids did not come in the last 24 hours, nor before in these; their ids are noted."""
    first = {digest: number for number, (_, _, digest) in reversed([*enumerate(rows)]) if digest}
    if not first:
        return list(rows)
    ids = list(first)
    places = ",".join("?" * len(ids))
    for digest, at in connection.execute(f"SELECT id, at FROM seen WHERE id IN ({places})", ids).fetchall():  # noqa: S608
        if at > now - DAY:
            del first[digest]
        else:
            connection.execute("DELETE FROM seen WHERE id = ?", (digest,))
    connection.execute(statements.FORGET_SEEN, (2 * len(ids), now - DAY))
    fresh = [row for number, row in enumerate(rows) if row[2] is None or first.get(row[2]) == number]
    connection.executemany("INSERT INTO seen (id, at) VALUES (?, ?)", [(row[2], now) for row in fresh if row[2]])
    return fresh


def _strike(connection: sqlite3.Connection, user: bytes, before: int, now: float) -> None:
    """Remove what waits for a user with a lower number; it counts neither as delivered nor as given up.

    Messages at the end of the log are never the last: so no number is used twice.
    """
    rows = connection.execute(statements.WAITING, {"user": user, "before": before}).fetchall()
    numbers = json.dumps([number for (number,) in rows])
    connection.execute(statements.TALLY, (now, numbers))
    connection.execute("DELETE FROM mail WHERE number IN (SELECT value FROM json_each(?))", (numbers,))
    connection.execute(statements.STRIKE, (user, before))
    connection.execute("UPDATE state SET laid_by = laid_by + ?, resent = resent + ?", (len(rows), len(rows)))
    connection.execute(statements.FORGET_USER, (user, user))


class SqliteOutbox:
    """An ``Outbox`` in a file; ``clock`` tells Unix seconds, which all processes that share the file agree on.

    The file is opened at the first use, and by each process for itself; after ``close`` the next use opens it again.
    """

    def __init__(
        self, path: str | Path, *, clock: Callable[[], float] = time.time, busy_timeout: float = BUSY_SECONDS
    ) -> None:
        self.path = Path(path).absolute()
        self._clock = clock
        self._database = Database(self.path, busy_timeout)

    def __repr__(self) -> str:
        return f"SqliteOutbox({str(self.path)!r})"

    @property
    def location(self) -> str:
        """The path of the file."""
        return str(self.path)

    def exists(self) -> bool:
        """Return True once there is a file; it is made with the first call."""
        return self.path.exists()

    def obstacle(self) -> str | None:
        """Return why the file could not be made, or None."""
        folder = self.path.parent
        return None if os.access(folder, os.W_OK) else f"{folder} is missing or may not be written to"

    def put(self, user: str, body: bytes, message_id: str | None = None) -> bool:
        """Keep a message of a user, or raise and keep nothing; False when its id came in the last 24 hours."""
        session, now = self._database.session, self._clock()
        with session as connection:
            if message_id is None:
                connection.execute(statements.PUT, (session.origin, now, as_bytes(user), body))
            elif not self._put_once(connection, user, body, message_id, now):
                return False
            session.accepted += 1
            session.last_put = now
        return True

    def _put_once(self, connection: sqlite3.Connection, user: str, body: bytes, message_id: str, now: float) -> bool:
        """Keep a message unless its id came in the last 24 hours."""
        row = (self._database.session.origin, now, as_bytes(user), body, id_digest(message_id))
        try:
            connection.execute(statements.PUT_ONCE, row)
        except sqlite3.IntegrityError:
            return False
        return True

    def put_all(self, messages: Iterable[tuple[str, bytes, str | None]]) -> int:
        """Keep several messages, each as (user, body, message id), or none if it raises; return how many are new."""
        session, now = self._database.session, self._clock()
        rows = [
            (as_bytes(user), body, None if message_id is None else id_digest(message_id))
            for user, body, message_id in messages
        ]
        with session.lock:
            with self._database.writing() as connection:
                fresh = _not_seen(connection, rows, now)
                (last,) = connection.execute("SELECT last FROM progress").fetchone()
                numbered = enumerate(fresh, last + 1)
                connection.executemany(
                    statements.APPEND,
                    [(number, session.origin, now, user, body) for number, (user, body, _) in numbered],
                )
            session.accepted += len(fresh)
            session.last_put = now
        return len(fresh)

    def replace(self, user: str, body: bytes, message_id: str | None = None) -> bool:
        """Keep a message in place of all that wait for a user, which are dropped. False as in ``put``."""
        session, now = self._database.session, self._clock()
        row = (as_bytes(user), body, None if message_id is None else id_digest(message_id))
        with session.lock:
            with self._database.writing() as connection:
                if not _not_seen(connection, [row], now):
                    return False
                (last,) = connection.execute("SELECT last FROM progress").fetchone()
                connection.execute(statements.APPEND, (last + 1, session.origin, now, row[0], body))
                _strike(connection, row[0], last + 1, now)
            session.accepted += 1
            session.last_put = now
        return True

    def strike(self, user: str, before: int) -> bool:
        """Drop what waits for a user with a lower number; False while a worker holds a message of theirs."""
        now, key = self._clock(), as_bytes(user)
        with self._database.writing() as connection:
            if connection.execute(statements.IS_LEASED, (key, now)).fetchone() is not None:
                return False
            _strike(connection, key, before, now)
        return True

    def waits(self, user: str, before: int) -> bool:
        """Whether a message of a user with a lower number is still to be delivered."""
        with self._database.session as connection:
            values = {"user": as_bytes(user), "before": before}
            return connection.execute(f"{statements.WAITING} LIMIT 1", values).fetchone() is not None

    def lease(self) -> Lease | None:
        """Take the messages, at most 50, of the user who has waited longest; None when no user is due."""
        while True:
            now = self._clock()
            more = self._partition_new(now)
            lease = self._lease_next(now)
            if lease is not None or not more:
                return lease

    def _partition_new(self, now: float) -> bool:
        """Move the next new messages into their users' partitions; True when there are more."""
        with self._database.session as connection:
            done, last, clock = connection.execute("SELECT sorted, last, clock FROM progress").fetchone()
        if abs(now - clock) > statements.CLOCK_STEP:
            self._keep_time(clock, now)
        if done < last:
            self._database.run(statements.PARTITION_NEW, (now,))
        return bool(done + statements.PARTITIONED_AT_ONCE < last)

    def _keep_time(self, clock: float, now: float) -> None:
        """Where the clock was set back, set back what waits for it: else leases and pauses would last that much longer.

        Of several workers that see it, the first does it.
        """
        with self._database.writing() as connection:
            changed = connection.execute("UPDATE state SET clock = ? WHERE clock = ?", (now, clock)).rowcount
            if changed and now < clock - statements.CLOCK_STEP:
                connection.execute("UPDATE users SET due = due - ?", (clock - now,))
            if now // DAY != clock // DAY:
                connection.execute("DELETE FROM tally WHERE at <= ?", (now - TALLY_DAYS * DAY,))

    def _lease_next(self, now: float) -> Lease | None:
        """Lease the user who has been due longest."""
        token = secrets.token_hex(8)
        with self._database.session as connection:
            while (row := connection.execute(statements.FIRST_DUE, (now,)).fetchone()) is not None:
                user, due, attempts, failing_since = row
                if connection.execute(statements.LEASE_NEXT, (token, now + LEASE_SECONDS, user, due)).rowcount == 1:
                    rows = connection.execute(statements.MESSAGES, (user, statements.MESSAGES_LEASED)).fetchall()
                    messages = tuple(QueuedMessage(number, bytes(body)) for number, body in rows)
                    if not messages:  # they were struck, and what replaces them is to be moved here yet
                        if not connection.execute(statements.FORGET_EMPTY, (user, token, user)).rowcount:
                            connection.execute(_RELEASE, (now, user, token))
                        continue
                    return Lease(as_text(user), messages, token, attempts, failing_since)
        return None

    def renew(self, lease: Lease) -> bool:
        """Keep a lease for 30 seconds from now, also one that is over, while no other worker has taken the user."""
        due = self._clock() + LEASE_SECONDS
        return self._database.run(_RENEW, (due, as_bytes(lease.user), lease.token)) == 1

    def done(self, lease: Lease, messages: Sequence[QueuedMessage]) -> bool:
        """Strike messages off; the lease ends with its last one. False, and nothing is done, when it has ended."""
        return self._remove(lease, messages, None, None)

    def give_up(self, lease: Lease, message: QueuedMessage, reason: str, reply: str = "") -> bool:
        """Lay a message by as a dead letter. False, and nothing is done, when the lease has ended."""
        return self._remove(lease, [message], as_bytes(reason), as_bytes(reply))

    def _remove(
        self, lease: Lease, messages: Sequence[QueuedMessage], reason: bytes | None, reply: bytes | None
    ) -> bool:
        numbers, last = json.dumps([message.number for message in messages]), lease.messages[-1].number
        place = (as_bytes(lease.user), lease.token, numbers, last)
        try:
            self._database.run(statements.REMOVE, (*place, self._clock(), reason, reply))
        except OutboxError as error:
            if isinstance(error.__cause__, sqlite3.IntegrityError):
                return False
            raise
        return True

    def retry(self, lease: Lease, delay: float) -> None:
        """End a lease after a failure of its first message; the user waits for ``delay`` seconds."""
        now = self._clock()
        self._database.run(_RETRY, (now + delay, now, as_bytes(lease.user), lease.token))

    def release(self, lease: Lease, delay: float = 0.0) -> None:
        """End a lease without a failure; the user waits for ``delay`` seconds."""
        self._database.run(_RELEASE, (self._clock() + delay, as_bytes(lease.user), lease.token))

    def browse(self, after: int = 0, limit: int = 500) -> list[WaitingMessage]:
        """Messages that wait, in the order of acceptance, those with a higher number than ``after``."""
        query = "SELECT number, user, message FROM mail WHERE number > ? ORDER BY number LIMIT ?"
        with self._database.session as connection:
            rows = connection.execute(query, (after, limit)).fetchall()
        return [WaitingMessage(number, as_text(user), bytes(body)) for number, user, body in rows]

    def next_due(self) -> float | None:
        """The seconds until ``lease`` may find a user, 0 when it may now; None when nothing waits."""
        now = self._clock()
        more = self._partition_new(now)
        with self._database.session as connection:
            (due,) = connection.execute("SELECT min(due) FROM users").fetchone()
        if more:
            return 0.0
        return None if due is None else max(0.0, float(due) - now)

    def left(self) -> int:
        """How many of the messages put through this object in this process still wait."""
        session = self._database.session
        with session.lock:
            if session.accepted == session.gone:
                return 0
            with session as connection:
                if self._clock() - session.last_put > (TALLY_DAYS - 1) * DAY:
                    counting = "SELECT count(*) FROM mail WHERE origin = ?"  # slow, but the tally may have been cleared
                    return int(connection.execute(counting, (session.origin,)).fetchone()[0])
                row = connection.execute("SELECT gone FROM tally WHERE origin = ?", (session.origin,)).fetchone()
            session.gone = row[0] if row else 0
            return max(0, session.accepted - session.gone)

    def oldest(self) -> float | None:
        """The age in seconds of the message that has waited longest; None when none waits."""
        with self._database.session as connection:
            row = connection.execute("SELECT at FROM mail ORDER BY number LIMIT 1").fetchone()
        return None if row is None else max(0.0, self._clock() - row[0])

    def left_out(self, number: int = 1) -> None:
        """Count values that Intercom refused by name, and without which the rest of a call was delivered."""
        self._database.run(_COUNT_LEFT_OUT, (_LEFT_OUT, number))

    def counts(self) -> Counts:
        """How many messages wait, were delivered and were given up, at a cost that does not depend on how many."""
        with self._database.session as connection:
            query = "SELECT last, delivered, laid_by, resent, (SELECT value FROM notes WHERE key = ?) FROM progress"
            last, delivered, laid_by, resent, left_out = connection.execute(query, (_LEFT_OUT,)).fetchone()
        return Counts(last - delivered - laid_by, delivered, laid_by - resent, left_out or 0)

    def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """The newest dead letters, newest first."""
        with self._database.session as connection:
            rows = connection.execute(_DEAD, (max(0, limit),)).fetchall()
        return [
            DeadLetter(number, as_text(user), bytes(body), as_text(reason), as_text(reply), at)
            for number, user, body, reason, reply, at in rows
        ]

    def resend(self) -> int:
        """Put all dead letters back, oldest first, behind what their users have waiting; return how many."""
        with self._database.session as connection:
            (newest,) = connection.execute("SELECT max(id) FROM dead").fetchone()
        resent, more = 0, newest is not None
        while more:
            with self._database.writing() as connection:
                chosen = (newest, statements.PARTITIONED_AT_ONCE)
                moved = connection.execute(statements.RESEND, (self._clock(), *chosen)).rowcount
                connection.execute(statements.RESENT, chosen)
                connection.execute("UPDATE state SET resent = resent + ?", (moved,))
            resent, more = resent + moved, moved > 0
        return resent

    def discard(self, user: str | None = None) -> int:
        """Drop all dead letters for good, or those of a user; return how many."""
        with self._database.writing() as connection:
            if user is None:
                dropped = connection.execute("DELETE FROM dead").rowcount
            else:
                dropped = connection.execute("DELETE FROM dead WHERE user = ?", (as_bytes(user),)).rowcount
            connection.execute("UPDATE state SET resent = resent + ?", (dropped,))
        return dropped

    def get(self, key: str) -> str | None:
        """What was remembered under a key, by any worker, while it lasts."""
        query = "SELECT value FROM notes WHERE key = ? AND until > ?"
        with self._database.session as connection:
            row = connection.execute(query, (as_bytes(key), self._clock())).fetchone()
        return None if row is None else as_text(row[0])

    def set(self, key: str, value: str, seconds: float) -> None:
        """Keep a value for all workers; of the notes whose time is over, at most two are cleared away."""
        now = self._clock()
        self._database.run(_FORGET_OLD, (now,))
        self._database.run(_REMEMBER, (as_bytes(key), as_bytes(value), now + seconds))

    def delete(self, key: str) -> None:
        """Drop what was remembered under a key."""
        self._database.run("DELETE FROM notes WHERE key = ?", (as_bytes(key),))

    def migrate(self) -> str:
        """Make the file; return what was done."""
        self.counts()
        return f"{self.location} is in this version's format"

    def watch(self, wake: Callable[[], None]) -> None:
        """A file tells no other process of what is put into it."""

    def put_within(self, connection: Any, user: str, body: bytes, message_id: str | None = None) -> None:
        """Raise CallError: an application's transaction is one of its database."""
        raise CallError("connection", "needs an outbox in PostgreSQL: set INTERCOM_OUTBOX to that database")

    def close(self) -> None:
        """Let go of the file; what waits in it stays."""
        self._database.session.close()
