"""The statements of an outbox's file, one for each step: put, partition new messages, lease a user, remove messages.

A statement that stands alone is a transaction of its own, which SQLite begins, does and ends without coming back to
Python. So no thread ever holds the file's lock while it waits for its turn in the interpreter, and a process that is
stopped in the middle of its work (SIGSTOP, a debugger, a container that is frozen) hardly ever stops the others. What
takes several steps is a trigger of the connection's own, called by an INSERT into a view of its arguments.
"""

from __future__ import annotations

LEASE_SECONDS = 30.0
DAY = 86400.0
TALLY_DAYS = 30
MESSAGES_LEASED = 50
# Others wait for the file while it is done: 3 ms when a million messages wait.
PARTITIONED_AT_ONCE = 250
# Coarse, so that the clock is not written with every lease.
CLOCK_STEP = 1.0

PUT = "INSERT INTO mail (number, origin, at, user, message) SELECT last + 1, ?, ?, ?, ? FROM progress"
PUT_ONCE = "INSERT INTO putting_once (origin, at, user, message, id) VALUES (?, ?, ?, ?, ?)"
APPEND = "INSERT INTO mail (number, origin, at, user, message) VALUES (?, ?, ?, ?, ?)"
# Of old ids twice as many as there are new ones at most, so that no call pays for many.
FORGET_SEEN = """DELETE FROM seen WHERE number IN
    (SELECT number FROM (SELECT number, at FROM seen ORDER BY number LIMIT ?) WHERE at <= ?)"""
PARTITION_NEW = "INSERT INTO partitioning (at) VALUES (?)"
FIRST_DUE = "SELECT user, due, attempts, failing_since FROM users WHERE due <= ? ORDER BY due, turn LIMIT 1"
LEASE_NEXT = "UPDATE users SET token = ?, due = ? WHERE user = ? AND due = ?"
MESSAGES = """SELECT number, message FROM queue JOIN mail USING (number) WHERE queue.user = ?
    ORDER BY queue.number LIMIT ?"""
REMOVE = "INSERT INTO removing (user, token, numbers, last, at, reason, reply) VALUES (?, ?, ?, ?, ?, ?, ?)"
IS_LEASED = "SELECT 1 FROM users WHERE user = ? AND token IS NOT NULL AND due > ?"
# What waits for a user, in their partition and among what is not there yet.
WAITING = """SELECT number FROM queue WHERE user = :user AND number < :before
    UNION SELECT number FROM mail WHERE number > (SELECT sorted FROM state) AND number < :before AND user = :user"""
STRIKE = "DELETE FROM queue WHERE user = ? AND number < ?"
FORGET_USER = """DELETE FROM users WHERE user = ? AND token IS NULL
    AND NOT EXISTS (SELECT 1 FROM queue WHERE user = ?)"""
FORGET_EMPTY = """DELETE FROM users WHERE user = ? AND token = ?
    AND NOT EXISTS (SELECT 1 FROM queue WHERE user = ?)"""
TALLY = """INSERT INTO tally (origin, gone, at)
    SELECT origin, count(*), ? FROM mail
    WHERE origin <> 0 AND number IN (SELECT value FROM json_each(?)) GROUP BY origin
    ON CONFLICT (origin) DO UPDATE SET gone = gone + excluded.gone, at = excluded.at"""
SEEN, ENDED = "seen before", "the lease has ended"

RESEND = """INSERT INTO mail (number, origin, at, user, message)
    SELECT (SELECT last FROM progress) + row_number() OVER (ORDER BY id), 0, ?, user, message
    FROM dead WHERE id <= ? ORDER BY id LIMIT ?"""
RESENT = "DELETE FROM dead WHERE id IN (SELECT id FROM dead WHERE id <= ? ORDER BY id LIMIT ?)"

_NEW = f"number > (SELECT sorted FROM state) AND number <= (SELECT sorted FROM state) + {PARTITIONED_AT_ONCE}"  # noqa: S608
_REMOVED = "(SELECT number FROM queue WHERE user = NEW.user AND number IN (SELECT value FROM json_each(NEW.numbers)))"
# Of a connection, not of the file. Of old ids two at most are cleared away with each, so that no call pays for many.
STEPS = f"""
CREATE TEMP VIEW putting_once AS SELECT 0 AS origin, 0 AS at, 0 AS user, 0 AS message, 0 AS id;
CREATE TEMP TRIGGER put_once INSTEAD OF INSERT ON putting_once BEGIN
    DELETE FROM seen WHERE id = NEW.id AND at <= NEW.at - {DAY};
    DELETE FROM seen WHERE number IN
        (SELECT number FROM (SELECT number, at FROM seen ORDER BY number LIMIT 2) WHERE at <= NEW.at - {DAY});
    SELECT RAISE(ABORT, '{SEEN}') FROM seen WHERE id = NEW.id;
    INSERT INTO seen (id, at) VALUES (NEW.id, NEW.at);
    INSERT INTO mail (number, origin, at, user, message)
        SELECT last + 1, NEW.origin, NEW.at, NEW.user, NEW.message FROM progress;
END;
CREATE TEMP VIEW partitioning AS SELECT 0 AS at;
CREATE TEMP TRIGGER partition_new INSTEAD OF INSERT ON partitioning BEGIN
    INSERT OR IGNORE INTO users (user, due, turn)
        SELECT user, min(at, NEW.at), number FROM mail WHERE {_NEW} ORDER BY number;
    INSERT INTO queue (user, number) SELECT user, number FROM mail WHERE {_NEW};
    UPDATE state SET sorted = min(sorted + {PARTITIONED_AT_ONCE}, (SELECT last FROM progress));
END;
CREATE TEMP VIEW removing AS
    SELECT 0 AS user, 0 AS token, 0 AS numbers, 0 AS last, 0 AS at, 0 AS reason, 0 AS reply;
CREATE TEMP TRIGGER remove INSTEAD OF INSERT ON removing BEGIN
    SELECT RAISE(ABORT, '{ENDED}') WHERE NOT EXISTS (SELECT 1 FROM users WHERE user = NEW.user AND token = NEW.token);
    INSERT INTO tally (origin, gone, at)
        SELECT origin, count(*), NEW.at FROM mail WHERE origin <> 0 AND number IN {_REMOVED} GROUP BY origin
        ON CONFLICT (origin) DO UPDATE SET gone = gone + excluded.gone, at = excluded.at;
    UPDATE state SET delivered = delivered + (SELECT count(*) FROM {_REMOVED}) WHERE NEW.reason IS NULL;
    UPDATE state SET laid_by = laid_by + (SELECT count(*) FROM {_REMOVED}) WHERE NEW.reason IS NOT NULL;
    INSERT INTO dead (number, user, reason, reply, at, message)
        SELECT number, user, NEW.reason, NEW.reply, NEW.at, message FROM mail
        WHERE NEW.reason IS NOT NULL AND number IN {_REMOVED};
    DELETE FROM mail WHERE number IN {_REMOVED};
    UPDATE users SET attempts = 0, failing_since = NULL
        WHERE user = NEW.user AND attempts > 0 AND (SELECT count(*) FROM {_REMOVED}) > 0;
    DELETE FROM queue WHERE user = NEW.user AND number IN (SELECT value FROM json_each(NEW.numbers));
    DELETE FROM users WHERE user = NEW.user AND NOT EXISTS (SELECT 1 FROM queue WHERE user = NEW.user);
    UPDATE users SET token = NULL, due = NEW.at, turn = (SELECT sorted FROM state)
        WHERE user = NEW.user AND (SELECT min(number) FROM queue WHERE user = NEW.user) > NEW.last;
END;
"""  # noqa: S608 - constants of this module


def as_bytes(text: str) -> bytes:
    """Text as it stands in the file: Python's may hold half a character (a lone surrogate), SQLite's may not."""
    return text.encode("utf-8", "surrogatepass")


def as_text(data: bytes) -> str:
    """The text that ``as_bytes`` wrote."""
    return data.decode("utf-8", "surrogatepass")
