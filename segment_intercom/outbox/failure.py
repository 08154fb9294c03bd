"""What SQLite's errors mean to the operator of the application, and what to do about them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ..errors import OutboxError

# While the file is in use, SQLite would write into the old one or clear away the log of the new one.
_ASIDE = "stop what uses it, then move it and its -wal and -shm files aside: a new one is made"
_MEANINGS = {
    sqlite3.SQLITE_BUSY: "was locked by another process for more than {timeout:g} seconds; end what holds it (another "
    "program that has it open, a backup), then try again",
    sqlite3.SQLITE_LOCKED: "is locked by another connection; try again",
    sqlite3.SQLITE_FULL: "the disk is full; make room on it: calls are accepted again as soon as there is some",
    sqlite3.SQLITE_IOERR: "the disk refused to read or write ({name}); look whether it is full, over a quota or broken",
    sqlite3.SQLITE_READONLY: "is read-only, or its folder is; give this process the right to write to both, or set "
    "outbox to another path",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; give this process the right to write to the file and its folder, or "
    "set outbox to another path",
    sqlite3.SQLITE_PERM: "may not be opened; give this process the right to write to the file and its folder",
    sqlite3.SQLITE_CORRUPT: f"the file is damaged; {_ASIDE}, and `sqlite3 FILE .recover` shows what the old one holds",
    sqlite3.SQLITE_NOTADB: "is no SQLite database, or its beginning was overwritten; set outbox to another path, or "
    f"{_ASIDE}",
    sqlite3.SQLITE_ERROR: f"is not as an outbox left it (a table is missing or changed); {_ASIDE}",
    sqlite3.SQLITE_TOOBIG: "takes no message of this size; Segment's limit is 32 KB",
}
_UNKNOWN = "cannot be used ({name}); look at the disk and the file"


def explained(path: Path, timeout: float, error: sqlite3.Error) -> OutboxError:
    """The OutboxError of an SQLite error: which file, what happened, the remedy; never what was to be written."""
    code = getattr(error, "sqlite_errorcode", None)
    name = getattr(error, "sqlite_errorname", None) or type(error).__name__
    meaning = _MEANINGS.get(-1 if code is None else code & 0xFF, _UNKNOWN)
    return OutboxError(f"{path}: {meaning.format(timeout=timeout, name=name)}")
