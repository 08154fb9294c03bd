"""The embedded outbox: one SQLite file that web processes, workers and the command line share.

Accepting a call appends it to a log; whoever asks for a lease first sorts what came in since into mailboxes, a few
hundred letters at a time. So what ``put`` costs depends neither on how many letters wait nor on how many users.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from .base import Counts, DeadLetter, Lease, Letter
from .database import Database
from .mailboxes import (
    DAY,
    LEASE_SECONDS,
    TALLY_DAYS,
    as_bytes,
    as_text,
    go_on,
    holds,
    is_new,
    resend_some,
    sort,
    strike,
    take,
)

BUSY_SECONDS = 5.0

_PUT = "INSERT INTO mail (number, origin, at, user, message) SELECT last + 1, ?, ?, ?, ? FROM progress"
_RENEW = "UPDATE users SET due = ? WHERE user = ? AND token = ?"
_RELEASE = "UPDATE users SET token = NULL, due = ?, turn = (SELECT sorted FROM state) WHERE user = ? AND token = ?"
_RETRY = """UPDATE users SET token = NULL, due = ?, turn = (SELECT sorted FROM state), attempts = attempts + 1,
    failing_since = ifnull(failing_since, ?) WHERE user = ? AND token = ?"""
_LAY_BY = "INSERT INTO dead (number, user, reason, reply, at, message) VALUES (?, ?, ?, ?, ?, ?)"
_REMEMBER = "INSERT OR REPLACE INTO notes (key, value, until) VALUES (?, ?, ?)"
_FORGET_OLD = "DELETE FROM notes WHERE key IN (SELECT key FROM notes WHERE until <= ? ORDER BY until LIMIT 2)"
_DEAD = "SELECT number, user, message, reason, reply, at FROM dead ORDER BY id DESC LIMIT ?"


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

    def put(self, user: str, message: bytes, message_id: str | None = None) -> bool:
        """Keep a message for a user, or raise and keep nothing; False when its id came in the last 24 hours."""
        if message_id is not None:
            return self.put_all([(user, message, message_id)]) == 1
        session, now = self._database.session, self._clock()
        with session as connection:
            connection.execute(_PUT, (session.origin, now, as_bytes(user), message))
            session.accepted += 1
            session.last_put = now
        return True

    def put_all(self, messages: Iterable[tuple[str, bytes, str | None]]) -> int:
        """Keep several messages, each as (user, message, message id), or none if it raises; return how many are new."""
        session, now = self._database.session, self._clock()
        with session.lock:
            accepted = 0
            with self._database.writing() as connection:
                for user, message, message_id in messages:
                    if message_id is None or is_new(connection, message_id, now):
                        connection.execute(_PUT, (session.origin, now, as_bytes(user), message))
                        accepted += 1
            session.accepted += accepted
            session.last_put = now
        return accepted

    def lease(self) -> Lease | None:
        """Take the letters, at most 50, of the user who has waited longest; None when nobody is due."""
        more = True
        while more:
            with self._database.writing() as connection:
                now = self._clock()  # not before: the lock may have been long in coming
                more = sort(connection, now)
                lease = take(connection, now)
            if lease is not None:
                return lease
        return None

    def renew(self, lease: Lease) -> bool:
        """Keep a lease for 30 seconds from now, also one that is over, while no other worker has taken the user."""
        with self._database.session as connection:
            due = self._clock() + LEASE_SECONDS
            changed = connection.execute(_RENEW, (due, as_bytes(lease.user), lease.token))
            return changed.rowcount == 1

    def done(self, lease: Lease, letters: Sequence[Letter]) -> bool:
        """Strike letters off; the lease ends with its last one. False, and nothing is done, when it has ended."""
        with self._database.writing() as connection:
            now = self._clock()
            if not holds(connection, lease):
                return False
            struck = sum(strike(connection, lease, letter, now) is not None for letter in letters)
            if struck:
                connection.execute("UPDATE state SET delivered = delivered + ?", (struck,))
                go_on(connection, lease, now)
        return True

    def give_up(self, lease: Lease, letter: Letter, reason: str, reply: str = "") -> bool:
        """Lay a letter by as a dead letter. False, and nothing is done, when the lease has ended."""
        with self._database.writing() as connection:
            now = self._clock()
            if not holds(connection, lease):
                return False
            message = strike(connection, lease, letter, now)
            if message is not None:
                row = (letter.number, as_bytes(lease.user), as_bytes(reason), as_bytes(reply), now, message)
                connection.execute(_LAY_BY, row)
                connection.execute("UPDATE state SET laid_by = laid_by + 1")
                go_on(connection, lease, now)
        return True

    def retry(self, lease: Lease, delay: float) -> None:
        """End a lease after a failure of its first letter; the user waits for ``delay`` seconds."""
        now = self._clock()
        with self._database.session as connection:
            connection.execute(_RETRY, (now + delay, now, as_bytes(lease.user), lease.token))

    def release(self, lease: Lease, delay: float = 0.0) -> None:
        """End a lease without a failure; the user waits for ``delay`` seconds."""
        with self._database.session as connection:
            connection.execute(_RELEASE, (self._clock() + delay, as_bytes(lease.user), lease.token))

    def next_due(self) -> float | None:
        """The seconds until ``lease`` may find somebody, 0 when it may now; None when nothing waits."""
        with self._database.writing() as connection:
            now = self._clock()
            more = sort(connection, now)
            (due,) = connection.execute("SELECT min(due) FROM users").fetchone()
        if more:
            return 0.0
        return None if due is None else max(0.0, float(due) - now)

    def left(self) -> int:
        """How many of the letters put through this object in this process still wait."""
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

    def counts(self) -> Counts:
        """How many letters wait, were delivered and were given up, at a cost that does not depend on how many."""
        with self._database.session as connection:
            query = "SELECT last, delivered, laid_by, resent FROM progress"
            last, delivered, laid_by, resent = connection.execute(query).fetchone()
        return Counts(waiting=last - delivered - laid_by, delivered=delivered, given_up=laid_by - resent)

    def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """The newest dead letters, newest first."""
        with self._database.session as connection:
            rows = connection.execute(_DEAD, (max(0, limit),)).fetchall()
        return [
            DeadLetter(number, as_text(user), bytes(message), as_text(reason), as_text(reply), at)
            for number, user, message, reason, reply, at in rows
        ]

    def resend(self) -> int:
        """Put all dead letters back, oldest first, behind what their users have waiting; return how many."""
        with self._database.session as connection:
            (newest,) = connection.execute("SELECT max(id) FROM dead").fetchone()
        resent, more = 0, newest is not None
        while more:
            with self._database.writing() as connection:
                moved = resend_some(connection, newest, self._clock())
            resent, more = resent + moved, moved > 0
        return resent

    def discard(self) -> int:
        """Drop all dead letters for good; return how many."""
        with self._database.writing() as connection:
            dropped = connection.execute("DELETE FROM dead").rowcount
            connection.execute("UPDATE state SET resent = resent + ?", (dropped,))
        return dropped

    def recall(self, key: str) -> str | None:
        """What was remembered under a key, by any worker, while it lasts."""
        query = "SELECT value FROM notes WHERE key = ? AND until > ?"
        with self._database.session as connection:
            row = connection.execute(query, (as_bytes(key), self._clock())).fetchone()
        return None if row is None else as_text(row[0])

    def remember(self, key: str, value: str, seconds: float) -> None:
        """Keep a value for all workers; of the notes whose time is over, at most two are cleared away."""
        with self._database.writing() as connection:
            now = self._clock()
            connection.execute(_FORGET_OLD, (now,))
            connection.execute(_REMEMBER, (as_bytes(key), as_bytes(value), now + seconds))

    def forget(self, key: str) -> None:
        """Drop what was remembered under a key."""
        with self._database.session as connection:
            connection.execute("DELETE FROM notes WHERE key = ?", (as_bytes(key),))

    def close(self) -> None:
        """Let go of the file; what waits in it stays."""
        self._database.session.close()
