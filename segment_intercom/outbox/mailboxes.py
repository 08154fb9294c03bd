"""The steps of a worker's transactions on an outbox's file: sort what came, take a user, strike letters off.

Each function is called inside a transaction, and gets the time from its caller.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3

from .base import Lease, Letter

LEASE_SECONDS = 30.0
DAY = 86400.0
TALLY_DAYS = 30
_LETTERS_LEASED = 50
# Others wait for the file while it is done: 3 ms when a million letters wait.
_SORTED_AT_ONCE = 250
# Coarse, so that the clock is not written with every lease.
_CLOCK_STEP = 1.0

_SORT_USERS = """INSERT OR IGNORE INTO users (user, due, turn)
    SELECT user, min(at, ?), number FROM mail WHERE number > ? AND number <= ? ORDER BY number"""
_SORT_MAIL = "INSERT INTO queue (user, number) SELECT user, number FROM mail WHERE number > ? AND number <= ?"
_FIRST_DUE = "SELECT user, attempts, failing_since FROM users WHERE due <= ? ORDER BY due, turn LIMIT 1"
_LETTERS = """SELECT number, message FROM queue JOIN mail USING (number) WHERE queue.user = ?
    ORDER BY queue.number LIMIT ?"""
_COUNT_OFF = """INSERT INTO tally (origin, gone, at) VALUES (?, 1, ?)
    ON CONFLICT (origin) DO UPDATE SET gone = gone + 1, at = excluded.at"""
_FORGET_OLDEST = """DELETE FROM seen WHERE number IN
    (SELECT number FROM (SELECT number, at FROM seen ORDER BY number LIMIT 2) WHERE at <= ?)"""
_RESEND = """INSERT INTO mail (number, origin, at, user, message)
    SELECT (SELECT last FROM progress) + row_number() OVER (ORDER BY id), 0, ?, user, message
    FROM dead WHERE id <= ? ORDER BY id LIMIT ?"""
_RESENT = "DELETE FROM dead WHERE id IN (SELECT id FROM dead WHERE id <= ? ORDER BY id LIMIT ?)"


def as_bytes(text: str) -> bytes:
    """Text as it stands in the file: Python's may hold half a character (a lone surrogate), SQLite's may not."""
    return text.encode("utf-8", "surrogatepass")


def as_text(data: bytes) -> str:
    """The text that ``as_bytes`` wrote."""
    return data.decode("utf-8", "surrogatepass")


def is_new(connection: sqlite3.Connection, message_id: str, now: float) -> bool:
    """Remember an id for a day; forget at most two others that are older, so that no call pays for many."""
    digest = hashlib.blake2b(as_bytes(message_id), digest_size=16).digest()
    connection.execute("DELETE FROM seen WHERE id = ? AND at <= ?", (digest, now - DAY))
    connection.execute(_FORGET_OLDEST, (now - DAY,))
    return connection.execute("INSERT OR IGNORE INTO seen (id, at) VALUES (?, ?)", (digest, now)).rowcount == 1


def sort(connection: sqlite3.Connection, now: float) -> bool:
    """Sort the next letters into their users' mailboxes; True when there are more to sort."""
    done, last, clock = connection.execute("SELECT sorted, last, clock FROM progress").fetchone()
    _keep_time(connection, clock, now)
    if done == last:
        return False
    upto = min(last, done + _SORTED_AT_ONCE)
    connection.execute(_SORT_USERS, (now, done, upto))
    connection.execute(_SORT_MAIL, (done, upto))
    connection.execute("UPDATE state SET sorted = ?", (upto,))
    return bool(upto < last)


def _keep_time(connection: sqlite3.Connection, clock: float, now: float) -> None:
    """Where the clock was set back, set back what waits for it: else leases and pauses would last that much longer."""
    if now < clock - _CLOCK_STEP:
        connection.execute("UPDATE users SET due = due - ?", (clock - now,))
    if abs(now - clock) > _CLOCK_STEP:
        connection.execute("UPDATE state SET clock = ?", (now,))
    if now // DAY != clock // DAY:
        connection.execute("DELETE FROM tally WHERE at <= ?", (now - TALLY_DAYS * DAY,))


def take(connection: sqlite3.Connection, now: float) -> Lease | None:
    """Lease the user who has been due longest."""
    found = connection.execute(_FIRST_DUE, (now,)).fetchone()
    if found is None:
        return None
    user, attempts, failing_since = found
    token = secrets.token_hex(8)
    connection.execute("UPDATE users SET token = ?, due = ? WHERE user = ?", (token, now + LEASE_SECONDS, user))
    rows = connection.execute(_LETTERS, (user, _LETTERS_LEASED)).fetchall()
    letters = tuple(Letter(number, bytes(message)) for number, message in rows)
    return Lease(as_text(user), letters, token, attempts, failing_since)


def holds(connection: sqlite3.Connection, lease: Lease) -> bool:
    """Whether a lease is still its worker's: nobody else has taken the user, and it has not ended."""
    place = (as_bytes(lease.user), lease.token)
    return connection.execute("SELECT 1 FROM users WHERE user = ? AND token = ?", place).fetchone() is not None


def strike(connection: sqlite3.Connection, lease: Lease, letter: Letter, now: float) -> bytes | None:
    """Take a letter out of its mailbox and return its message; None when it is not there."""
    place = (as_bytes(lease.user), letter.number)
    if connection.execute("DELETE FROM queue WHERE user = ? AND number = ?", place).rowcount != 1:
        return None
    taken = "DELETE FROM mail WHERE number = ? RETURNING origin, message"
    [(origin, message)] = connection.execute(taken, (letter.number,)).fetchall()
    if origin:  # 0: a letter that was sent again, which nobody counts as his
        connection.execute(_COUNT_OFF, (origin, now))
    return bytes(message)


def go_on(connection: sqlite3.Connection, lease: Lease, now: float) -> None:
    """After letters were struck off: the next one has not failed yet, and a lease without letters ends."""
    user = as_bytes(lease.user)
    (first,) = connection.execute("SELECT min(number) FROM queue WHERE user = ?", (user,)).fetchone()
    if first is None:
        connection.execute("DELETE FROM users WHERE user = ?", (user,))
        return
    if lease.attempts:
        connection.execute("UPDATE users SET attempts = 0, failing_since = NULL WHERE user = ?", (user,))
    if first > lease.letters[-1].number:
        free = "UPDATE users SET token = NULL, due = ?, turn = (SELECT sorted FROM state) WHERE user = ?"
        connection.execute(free, (now, user))


def resend_some(connection: sqlite3.Connection, newest: int, now: float) -> int:
    """Move the oldest dead letters up to the id ``newest`` behind all mail; return how many."""
    chosen = (newest, _SORTED_AT_ONCE)
    moved = connection.execute(_RESEND, (now, *chosen)).rowcount
    connection.execute(_RESENT, chosen)
    connection.execute("UPDATE state SET resent = resent + ?", (moved,))
    return moved
