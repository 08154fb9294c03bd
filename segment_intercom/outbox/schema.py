"""The SQLite file of an outbox: its tables, and how a connection to it is opened.

``mail`` is a log in order of acceptance, so that accepting a call writes one page at its end. Workers sort what came
into ``queue``, a partition for each user, and ``users``, a row for each user with mail; ``state`` says how far
they are. Numbers have no gaps and are never used twice: ``sorted`` stands for the messages that are gone from ``mail``.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import suppress
from pathlib import Path

from ..errors import OutboxError
from .statements import STEPS

VERSION = 1
# "SgIc": tells this package's files from those of other programs.
APPLICATION = 0x53674963

_TABLES = """
CREATE TABLE mail (number INTEGER PRIMARY KEY, origin INTEGER, at REAL, user BLOB, message BLOB);
CREATE TABLE queue (user BLOB, number INTEGER, PRIMARY KEY (user, number)) WITHOUT ROWID;
CREATE TABLE users (user BLOB PRIMARY KEY, due REAL NOT NULL, turn INTEGER NOT NULL, token TEXT,
    attempts INTEGER NOT NULL DEFAULT 0, failing_since REAL) WITHOUT ROWID;
CREATE INDEX users_by_due ON users (due, turn);
CREATE TABLE state (sorted INTEGER, delivered INTEGER, laid_by INTEGER, resent INTEGER, clock REAL);
INSERT INTO state VALUES (0, 0, 0, 0, 0);
CREATE VIEW progress AS SELECT max(sorted, (SELECT ifnull(max(number), 0) FROM mail)) AS last, * FROM state;
CREATE TABLE tally (origin INTEGER PRIMARY KEY, gone INTEGER, at REAL);
CREATE TABLE seen (number INTEGER PRIMARY KEY, id BLOB UNIQUE, at REAL);
CREATE TABLE notes (key BLOB PRIMARY KEY, value BLOB, until REAL) WITHOUT ROWID;
CREATE INDEX notes_by_end ON notes (until);
CREATE TABLE dead (id INTEGER PRIMARY KEY AUTOINCREMENT, number INTEGER, user BLOB, reason BLOB, reply BLOB, at REAL,
    message BLOB);
"""
_OWNERS = stat.S_IRUSR | stat.S_IWUSR
# Two processes that make the file at the same moment refuse each other at once, whatever the time-out.
_TRIES = 50
_SMALLEST = 512  # bytes: the smallest page
_LARGEST_JOURNAL = 16_777_216  # bytes that the -wal file keeps once all that stood in it is in the file


def connect(path: Path, timeout: float) -> sqlite3.Connection:
    """Open the file, and make it when there is none; raises OutboxError when it is another program's or too new."""
    _look(path)
    keep_private(path)
    connection = sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)
    try:
        _check(connection, path)
        _write_ahead(connection)
        # An application that crashes loses nothing with NORMAL; a machine that loses power may lose the last moments.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA cache_size = -4000")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_LARGEST_JOURNAL // 4096}")
        connection.execute(f"PRAGMA journal_size_limit = {_LARGEST_JOURNAL}")
        connection.execute("PRAGMA temp_store = MEMORY")
        _make_tables(connection)
        connection.executescript(STEPS)
    except BaseException:
        connection.close()
        raise
    return connection


def _look(path: Path) -> None:
    """Find what SQLite has no clear words for, without opening the file: closing it would end this process's locks."""
    if _size(path.parent) is None:
        raise OutboxError(f"{path}: the folder {path.parent} is missing; make it, or set outbox to another path")
    if _is_folder(path):
        raise OutboxError(f"{path}: is a folder; set outbox to a file in it, such as {path}/segment-intercom.db")
    if 0 < (_size(path) or 0) < _SMALLEST:  # SQLite would take it for an empty one
        raise OutboxError(f"{path}: is no SQLite database; set outbox to another path")


def keep_private(path: Path) -> None:
    """See to it that only the file's owner can read it, as it holds personal data; SQLite gives its -wal the same mode.

    A missing file is made, without being opened. Of one that a group shares, since the group may write to it, only
    other users are kept out. One of another user's is left as it is.
    """
    try:
        os.mknod(path, stat.S_IFREG | _OWNERS)
    except FileExistsError:
        for name in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
            with suppress(OSError):
                _narrow(name)
    except (AttributeError, OSError):  # no such call here, or no right to make files: opening it says so
        pass


def _narrow(path: Path) -> None:
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):  # a folder, by mistake: opening it says so
        return
    mode = stat.S_IMODE(mode)
    group = stat.S_IRGRP | stat.S_IWGRP if mode & stat.S_IWGRP else 0
    if mode & ~(_OWNERS | group):
        path.chmod(mode & (_OWNERS | group))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # opening it says so
        return False


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None
    except OSError:  # it may not be looked at: opening it says so
        return 0


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Look before anything is written: the file may be another program's."""
    connection.execute("BEGIN")  # one look: another process may be making the tables
    version, application = _number(connection, "user_version"), _number(connection, "application_id")
    empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    connection.execute("COMMIT")
    if application == APPLICATION and version > VERSION:
        problem = f"was written by a newer version of segment-intercom (format {version}, this one reads {VERSION})"
        raise OutboxError(f"{path}: {problem}; bring the package up to date, or set outbox to another path")
    if application != APPLICATION and not (empty and application == 0 and version == 0):
        raise OutboxError(f"{path}: is another program's database; set outbox to a path of its own")


def _write_ahead(connection: sqlite3.Connection) -> None:
    for _ in range(_TRIES):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            # Waits, for the time-out at most, until the other process has finished.
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        else:
            return
    connection.execute("PRAGMA journal_mode = WAL")


def _make_tables(connection: sqlite3.Connection) -> None:
    if _number(connection, "application_id") == APPLICATION:
        return
    connection.execute("BEGIN IMMEDIATE")
    if _number(connection, "application_id") != APPLICATION:  # another process may have been faster
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute("COMMIT")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
