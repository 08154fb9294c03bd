"""One connection to the outbox's file for each process, used by one thread at a time, and never carried over a fork."""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from .failure import explained
from .schema import connect


class Session:
    """A connection, opened at the first use, with its lock; in ``with``, errors of SQLite become OutboxErrors.

    ``origin`` marks the letters that came through this object in this process: ``accepted`` of them, the last at
    ``last_put``; ``gone`` of them were seen to be struck off.
    """

    __slots__ = ("_connection", "_inherited", "accepted", "gone", "last_put", "lock", "origin", "path", "timeout")

    def __init__(self, path: Path, timeout: float, inherited: Session | None = None) -> None:
        self.path = path
        self.timeout = timeout
        # Reentrant: a signal handler may put while its own thread is in here.
        self.lock = threading.RLock()
        self.origin = secrets.randbits(48) + 1
        self.accepted = self.gone = 0
        self.last_put = 0.0
        self._connection: sqlite3.Connection | None = None
        # Closing the parent's connection here would drop its locks; so it is kept from being finalised.
        self._inherited = inherited

    def __enter__(self) -> sqlite3.Connection:
        self.lock.acquire()
        if self._connection is not None:
            return self._connection
        try:
            self._connection = connect(self.path, self.timeout)
        except sqlite3.Error as error:
            self.lock.release()
            raise explained(self.path, self.timeout, error) from error
        except BaseException:
            self.lock.release()
            raise
        return self._connection

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
    """The file of an outbox, and this process's session with it."""

    def __init__(self, path: Path, timeout: float) -> None:
        self.session = Session(path, timeout)
        _watch_forks(weakref.ref(self))

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that no other process's can come between; all of it is kept, or nothing."""
        with self.session as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    def before_fork(self) -> None:
        """Let go of the file, with nobody in the middle of a transaction."""
        self.session.lock.acquire()
        self.session.close()

    def after_fork_in_parent(self) -> None:
        """Go on: the next use opens the file again."""
        with suppress(RuntimeError):  # of a lock that is free: the object was made between the hooks
            self.session.lock.release()

    def after_fork_in_child(self) -> None:
        """Begin anew, with a lock that nobody holds and no letters of its own."""
        old = self.session
        self.session = Session(old.path, old.timeout, inherited=old)


def _watch_forks(reference: weakref.ref[Database]) -> None:
    """Let a fork find no connection open.

    SQLite keeps a process's locks in its memory: a child that inherits a connection believes that it holds locks which
    it does not, even on connections of its own, and the file's log may be deleted while it writes there.
    """

    def call(method: str) -> None:
        database = reference()
        if database is not None:
            getattr(database, method)()

    os.register_at_fork(
        before=lambda: call("before_fork"),
        after_in_parent=lambda: call("after_fork_in_parent"),
        after_in_child=lambda: call("after_fork_in_child"),
    )
