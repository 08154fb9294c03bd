"""One connection to the outbox's file for each process, used by one thread at a time, and never carried over a fork."""

from __future__ import annotations

import secrets
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from ..diagnostics import logger
from ..forks import FORKS
from .failure import explained
from .schema import connect

_LOOK_EVERY = 1.0  # seconds, or
_STEPS_A_LOOK, _STEPS_WHERE_NARROW = 64, 8
# Bytes of room on the disk. Below the first the journal is moved into the file with every transaction, so that nothing
# of it is left to be moved when there is no room at all; below the second the file grows no more: new messages are
# refused, and others can still be struck off.
_NARROW, _FULL = 67_108_864, 524_288
_PAGES_A_CHECKPOINT, _PAGES_WHERE_NARROW = 1_000, 1
_MOST_PAGES = 1_073_741_823
# Written and taken away again, it leaves free pages in the file, and a journal that has its room already.
_RESERVE = "INSERT OR REPLACE INTO notes (key, value, until) VALUES (x'00', zeroblob(262144), 0)"
_TAKEN_AWAY = "DELETE FROM notes WHERE key = x'00'"


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


class Session:
    """A connection, opened at the first use, with its lock; in ``with``, errors of SQLite become OutboxErrors.

    ``origin`` marks the messages that came through this object in this process: ``accepted`` of them, the last at
    ``last_put``; ``gone`` of them were seen to be struck off. ``looked_at`` is when it was last seen, by the monotonic
    clock, that the file is still the one at its path.
    """

    __slots__ = (
        "_connection",
        "_file",
        "_inherited",
        "_room",
        "_steps",
        "accepted",
        "gone",
        "last_put",
        "lock",
        "looked_at",
        "origin",
        "path",
        "timeout",
    )

    def __init__(self, path: Path, timeout: float, inherited: Session | None = None) -> None:
        self.path = path
        self.timeout = timeout
        # Reentrant: a signal handler may put while its own thread is in here.
        self.lock = threading.RLock()
        self.origin = secrets.randbits(48) + 1
        self.accepted = self.gone = 0
        self.last_put = 0.0
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self.looked_at = 0.0
        self._steps = 0
        self._room = (True, True)  # not narrow, not full
        # Closing the parent's connection here would drop its locks; so it is kept from being finalised.
        self._inherited = inherited

    def __enter__(self) -> sqlite3.Connection:
        self.lock.acquire()
        if self._connection is not None and not self._is_lost(self._connection):
            return self._connection
        try:
            self._connection = connect(self.path, self.timeout)
            self._file, self.looked_at = _identity(self.path), time.monotonic()
            self._room = (True, True)
            self._mind_room(self._connection)
        except sqlite3.Error as error:
            self.lock.release()
            raise explained(self.path, self.timeout, error) from error
        except BaseException:
            self.lock.release()
            raise
        return self._connection

    def _is_lost(self, connection: sqlite3.Connection) -> bool:
        """Whether the file was removed or replaced while it was open; then no worker would read what is put there."""
        now = time.monotonic()
        self._steps += 1
        enough = _STEPS_A_LOOK if self._room[0] else _STEPS_WHERE_NARROW
        if (now - self.looked_at < _LOOK_EVERY and self._steps < enough) or connection.in_transaction:
            return False
        self.looked_at, self._steps = now, 0
        if _identity(self.path) == self._file:
            self._mind_room(connection)
            return False
        logger.error(
            "%s: the file was removed or replaced while it was open; what waited in it is gone with it (%d calls of "
            "this process), and the one at this path is used from now on",
            self.path,
            self.accepted - self.gone,
        )
        self.accepted = self.gone = 0
        self.close()
        return True

    def _mind_room(self, connection: sqlite3.Connection) -> None:
        """Leave a disk that is nearly full the room that delivery needs, which makes more of it."""
        try:
            free = shutil.disk_usage(self.path.parent).free
        except OSError:
            return
        room = (free >= _NARROW, free >= _FULL)
        if room == self._room:
            return
        with suppress(sqlite3.Error):  # another process is at work: at the next look
            connection.execute(f"PRAGMA wal_autocheckpoint = {_PAGES_A_CHECKPOINT if room[0] else _PAGES_WHERE_NARROW}")
            if self._room == (True, True) and room == (False, True):
                connection.execute(_RESERVE)
                connection.execute(_TAKEN_AWAY)
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {_MOST_PAGES if room[1] else pages}").fetchall()
            self._room = room

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if error is not None:
                self._undo(error)
        finally:
            self.lock.release()
        if isinstance(error, sqlite3.Error):
            raise explained(self.path, self.timeout, error) from error

    def _undo(self, error: BaseException) -> None:
        connection = self._connection
        if connection is not None and connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
            self.close()  # The next use opens the file afresh, and finds it mended.

    def close(self) -> None:
        """Close the connection, if there is one; the next use opens another."""
        with self.lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                with suppress(sqlite3.Error):
                    connection.close()


class Database:
    """The file of an outbox, and this process's session with it.

    A fork finds no connection open. SQLite keeps a process's locks in its memory: a child that inherits a connection
    believes that it holds locks which it does not, even on connections of its own, and the file's log may be deleted
    while it writes there.
    """

    def __init__(self, path: Path, timeout: float) -> None:
        self.session = Session(path, timeout)
        FORKS.add(self)

    def run(self, statement: str, parameters: Sequence[Any]) -> int:
        """Run one statement, a transaction of its own, and return how many rows it changed itself.

        Where the disk is full, what stands in the journal is moved into the file first, which makes room in it.
        """
        with self.session as connection:
            try:
                return connection.execute(statement, parameters).rowcount
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
                    raise
                connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
            return connection.execute(statement, parameters).rowcount

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that no other process's can come between; all of it is kept, or nothing."""
        with self.session as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    def before_fork(self) -> None:
        """Let go of the file, with no thread in the middle of a transaction."""
        self.session.lock.acquire()
        self.session.close()

    def after_fork_in_parent(self) -> None:
        """Go on: the next use opens the file again."""
        with suppress(RuntimeError):  # of a lock that is free: the object was made between the hooks
            self.session.lock.release()

    def after_fork_in_child(self) -> None:
        """Begin anew, with a free lock and no messages of its own."""
        old = self.session
        self.session = Session(old.path, old.timeout, inherited=old)
