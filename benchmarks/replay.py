"""How fast does a file of past calls come into the outbox, against reading its JSON and nothing else?"""

from __future__ import annotations

import io
import tempfile
from contextlib import closing
from itertools import count
from pathlib import Path
from statistics import median

import orjson

from segment_intercom import Settings
from segment_intercom.ingest import Ingest
from segment_intercom.outbox import open_outbox
from segment_intercom.replay import History, Replay, Summary

from . import messages
from .measure import Ratio, Result, interleave

_LINES, _ROUNDS = 2_000, 8
_files = count()


def results() -> list[Result]:
    """Replay files of events, each another, and read as many."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            app_id=messages.APP_ID, outbox=f"sqlite:///{Path(folder) / 'outbox.db'}", deliver="worker", strict=False
        )
        with closing(Ingest(settings)) as ingest, closing(open_outbox(settings.outbox)) as outbox:

            def replay() -> None:
                summary = Summary()
                Replay(History(io.BytesIO(_text())), outbox, ingest.enqueue_all).run(summary)
                assert summary.accepted == _LINES

            seconds = interleave({"replay": replay, "read": _read}, rounds=_ROUNDS, calls=1)
    rate = _LINES / median(seconds["replay"])
    # Intercom takes 166 requests a second of a workspace.
    context = f"{rate:,.0f} lines/s, {rate / 166:,.0f} x what Intercom takes"
    return [Result("replay, a line / reading its JSON", Ratio.of(seconds["replay"], seconds["read"]), None, context)]


def _text() -> bytes:
    name = next(_files)
    lines = (
        orjson.dumps({**messages.track(), "userId": f"u{number % 50}", "messageId": f"{name}-{number}"})
        for number in range(_LINES)
    )
    return b"\n".join(lines)


def _read() -> None:
    for line in io.BytesIO(_text()):
        orjson.loads(line)
