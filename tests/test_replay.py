"""History: files of messages come into the outbox once, in order, from wherever they were interrupted."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from segment_intercom import Settings
from segment_intercom.ingest import Ingest
from segment_intercom.outbox import SqliteOutbox
from segment_intercom.replay import CaptureFile, History, Replay, Summary, try_out, waiting_messages


def text_of(*messages: Any) -> bytes:
    return b"".join(
        (message if isinstance(message, bytes) else json.dumps(message).encode()) + b"\n" for message in messages
    )


def track(number: int, **more: Any) -> dict[str, Any]:
    return {"type": "track", "userId": f"u{number % 3}", "event": f"e{number}", **more}


class Place:
    """An outbox in which histories are replayed."""

    def __init__(self, path: Path) -> None:
        self.outbox = SqliteOutbox(path)
        self.ingest = Ingest(Settings(app_id="abc12345", outbox=f"sqlite:///{path}", deliver="worker"))

    def replay(self, stream: BinaryIO, *, restart: bool = False, stop_after: int | None = None) -> Summary:
        """Replay a history; ``stop_after`` so many pieces it is interrupted."""
        summary, pieces = Summary(), itertools.count(1)

        def progress(_: int) -> None:
            if next(pieces) == stop_after:
                raise KeyboardInterrupt

        run = Replay(History(stream), self.outbox, self.ingest.enqueue_all)
        run.run(summary, 0 if restart else run.resumes_after(), progress)
        return summary

    def events(self) -> list[str]:
        return [json.loads(body)["event"] for body in waiting_messages(self.outbox)]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path / "outbox.db")
    yield place
    place.ingest.close()
    place.outbox.close()


@pytest.mark.parametrize("packed", [False, True])
def test_interrupted_replay_resumes_where_it_stopped(place: Place, packed: bool) -> None:
    text = text_of(*(track(number) for number in range(1_700)))
    text = gzip.compress(text) if packed else text
    with pytest.raises(KeyboardInterrupt):
        place.replay(io.BufferedReader(io.BytesIO(text)), stop_after=2)  # type: ignore[arg-type]
    assert len(place.events()) == 1_000
    summary = place.replay(io.BufferedReader(io.BytesIO(text)))  # type: ignore[arg-type]
    assert (summary.lines, summary.accepted, summary.repeated) == (700, 700, 0)
    assert place.events() == [f"e{number}" for number in range(1_700)]


def test_restarted_replay_puts_nothing_twice(place: Place) -> None:
    """Calls that were put before are recognised as repeated, even if the position was not noted."""
    text = text_of(*(track(number) for number in range(700)))
    place.replay(io.BytesIO(text))
    assert place.replay(io.BytesIO(text), restart=True).repeated == 700
    assert len(place.events()) == 700


def test_file_with_same_beginning_is_new(place: Place) -> None:
    """A file that only begins like an earlier file is read whole; a file that has grown is resumed."""
    place.replay(io.BytesIO(text_of(track(0), track(1), track(2))))
    summary = place.replay(io.BytesIO(text_of(track(0), track(3), track(4))))
    assert summary.lines == 3
    assert place.replay(io.BytesIO(text_of(track(0), track(3), track(4), track(5)))).lines == 1
    assert place.events()[-1] == "e5"


def test_pipe_is_read_from_beginning(place: Place) -> None:
    """A pipe with the same lines is read again, and its calls are recognised as repeated."""
    for expected in (3, 0):
        reading, writing = os.pipe()
        with open(writing, "wb") as end:  # noqa: PTH123 - a descriptor
            end.write(text_of(*(track(number) for number in range(3))))
        with open(reading, "rb") as pipe:  # noqa: PTH123
            summary = place.replay(pipe)
        assert (summary.lines, summary.accepted) == (3, expected)


BAD: list[tuple[Any, str]] = [
    (b"no JSON", "message: "),
    (b"[1]", "message: must be a JSON object"),
    ({"type": "track", "userId": "u"}, "event: "),
    ({"type": "other"}, "type: "),
    ({"type": "identify", "userId": ["u"]}, "user_id: "),
    (b'{"type": "track", "event": "' + b"x" * 1_100_000 + b'"}', "is longer than 1024 KB"),
]


@pytest.mark.parametrize("dry", [False, True])
def test_refused_lines_are_reported_and_skipped(place: Place, dry: bool) -> None:
    lines = [track(0), b"", *(message for message, _ in BAD), {"type": "page", "userId": "u"}, track(1)]
    if dry:
        summary = Summary()
        try_out(History(io.BytesIO(text_of(*lines))), Settings(), summary)
        assert summary.requests == {"POST /events": 2}
        assert place.events() == []
    else:
        summary = place.replay(io.BytesIO(text_of(*lines)))
        assert place.events() == ["e0", "e1"]
    assert (summary.accepted, summary.without_effect) == (2, 1)
    assert [number for number, _ in summary.refused] == [3, 4, 5, 6, 7, 8]
    for (_, expected), (_, problem) in zip(BAD, summary.refused, strict=True):
        assert problem.startswith(expected)


@pytest.mark.parametrize(
    "message",
    [
        track(0, integrations={"All": False}),
        track(0, context={"integrations": {"Intercom": False}}),
        {"type": "alias", "previousId": "a", "userId": "b"},
        {"type": "track", "anonymousId": "a", "event": "Seen"},
    ],
)
def test_calls_for_others_have_no_effect(place: Place, message: dict[str, Any]) -> None:
    assert place.replay(io.BytesIO(text_of(message))).without_effect == 1
    assert place.events() == []


def test_truncated_file_is_reported(place: Place) -> None:
    text = gzip.compress(text_of(*(track(number) for number in range(5_000))))[:-100]
    with pytest.raises(Exception, match="file: cannot be read to its end"):
        place.replay(io.BufferedReader(io.BytesIO(text)))  # type: ignore[arg-type]


def test_captured_file_is_private_and_replayable(place: Place, tmp_path: Path) -> None:
    place.replay(io.BytesIO(text_of(track(0, timestamp="2026-01-01T00:00:00Z"), track(1))))
    captured = CaptureFile(tmp_path / "captured.jsonl")
    captured.append(list(waiting_messages(place.outbox)))
    captured.close()
    assert (tmp_path / "captured.jsonl").stat().st_mode & 0o777 == 0o600
    other_place = Place(tmp_path / "other.db")
    with (tmp_path / "captured.jsonl").open("rb") as file:
        assert other_place.replay(file).accepted == 2
    ours, theirs = ([*map(json.loads, waiting_messages(box))] for box in (other_place.outbox, place.outbox))
    assert ours == theirs
    other_place.ingest.close()
    other_place.outbox.close()
