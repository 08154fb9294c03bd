"""What does it cost to accept a call durably, against Segment's own library, which keeps it in memory only?

Segment's client is told not to send: it checks, completes and encodes the call, and stops short of its queue; the queue
itself is added, so that both sides hand the call over.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from queue import Queue
from typing import Any

from segment.analytics.client import Client

from segment_intercom import Analytics, Settings
from segment_intercom.outbox import open_outbox

from . import messages
from .measure import Ratio, Result, Variant, interleave, microseconds

BAR = 4.0
_AIM = 2.0
_ROUNDS = 20
# The database moves its log into the file every thousand pages, some 500 calls: each piece holds that several times.
_SECONDS_A_PIECE = 0.08
_TRACK: dict[str, Any] = {"user_id": "user-1234", "event": messages.EVENT, "properties": messages.PROPERTIES}
_IDENTIFY: dict[str, Any] = {"user_id": "user-1234", "traits": messages.TRAITS}


def results() -> list[Result]:
    """Accept an event and a user, and as context write a row of the same length with nothing around it."""
    with tempfile.TemporaryDirectory() as folder, accepting(Path(folder) / "outbox.db") as ours:
        theirs = Client("benchmark-write-key", send=False)
        queue: Queue[Any] = Queue()
        ids = map("message-{}".format, count())
        calls: dict[str, tuple[Variant, Variant]] = {
            "track": (lambda: ours.track(**_TRACK), lambda: queue.put(theirs.track(**_TRACK))),
            "identify": (lambda: ours.identify(**_IDENTIFY), lambda: queue.put(theirs.identify(**_IDENTIFY))),
            "track with a message id": (
                lambda: ours.track(**_TRACK, message_id=next(ids)),
                lambda: queue.put(theirs.track(**_TRACK, message_id=next(ids))),
            ),
        }
        with _bare(Path(folder)) as bare:
            compared = [_compare(name, *pair, bare) for name, pair in calls.items()]
        _check(Path(folder) / "outbox.db")
    return compared


@contextmanager
def accepting(path: Path) -> Iterator[Analytics]:
    """What an application holds that leaves the delivery to a worker's process."""
    analytics = Analytics(Settings(app_id=messages.APP_ID, outbox=f"sqlite:///{path}", deliver="worker"))
    with closing(analytics):
        yield analytics


def _compare(name: str, ours: Variant, theirs: Variant, bare: Variant) -> Result:
    seconds: Mapping[str, list[float]] = interleave(
        {"ours": ours, "theirs": theirs, "bare": bare}, _ROUNDS, _SECONDS_A_PIECE
    )
    row = Ratio.of(seconds["bare"], seconds["theirs"])
    context = f"{microseconds(seconds['ours'])} / {microseconds(seconds['theirs'])}, aim {_AIM:g}; a bare row {row}"
    return Result(f"accept, {name} / Segment's library", Ratio.of(seconds["ours"], seconds["theirs"]), BAR, context)


@contextmanager
def _bare(folder: Path) -> Iterator[Variant]:
    """One committed row in a file of SQLite's, set up as the outbox is: the least that a durable call can cost."""
    with closing(sqlite3.connect(folder / "bare.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("CREATE TABLE mail (number INTEGER PRIMARY KEY, message BLOB)")
        message = bytes(300)
        yield lambda: connection.execute("INSERT INTO mail (message) VALUES (?)", (message,))


def _check(path: Path) -> None:
    """A call that is not in the file was not accepted: another look at it finds them all."""
    outbox = open_outbox(f"sqlite:///{path}")
    with closing(outbox):
        assert outbox.counts().waiting > _ROUNDS, "nothing was kept"
