"""History: files of Segment messages, a line each, read into calls and brought into the outbox, and written out again.

A file may be interrupted anywhere: how far it came is noted in the outbox after each few hundred lines, and what was
put since then is known by its message ids.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Protocol

from .api import rest_operations
from .calls import Call, parse
from .diagnostics import logger
from .errors import CallError, SegmentIntercomError
from .outbox import Outbox
from .partition import has_effect
from .serialize import read
from .settings import Settings

_AT_ONCE = 500
_LONGEST_LINE = 1_048_576
_NOTE_SECONDS = 365 * 86_400.0
_GZIP = b"\x1f\x8b"
_LOOK = 0.25


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file by its number from 1: the call in it, or why it is refused; it ends at the byte ``end``."""

    number: int
    end: int
    call: Call | None = None
    problem: str | None = None


@dataclass(slots=True)
class Summary:
    """What became of the lines of a file."""

    lines: int = 0
    accepted: int = 0
    repeated: int = 0
    without_effect: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)


class Lines(Protocol):
    """A file that can be brought in line by line, and known again: a history, or a table."""

    name: str

    def lines(self, after: int = 0) -> Iterator[Line]:
        """Each line behind the first ``after`` ones."""

    def digest(self) -> str:
        """A digest of all lines up to the last that was read."""

    def digest_of(self, count: int) -> str | None:
        """A digest of the first lines, or None where they cannot be read twice, or are fewer."""


class History:
    """A file of Segment's messages, plain or gzip; ``name`` knows it again by its first line, wherever it is."""

    def __init__(self, stream: BinaryIO) -> None:
        self._raw = stream
        self._is_gzip = getattr(stream, "peek", lambda _: b"")(2)[:2] == _GZIP
        self._text = self._opened()
        self._first = self._read_line()
        self.name = hashlib.blake2b(self._first, digest_size=8).hexdigest()
        self._digest = hashlib.blake2b(digest_size=16)

    def lines(self, after: int = 0) -> Iterator[Line]:
        """Each line behind the first ``after`` ones; blank ones are numbered and left out."""
        text, number = self._first, 0
        self._digest = hashlib.blake2b(digest_size=16)
        while text:
            number += 1
            self._digest.update(text)
            if number > after and text.strip():
                yield self._line(number, text)
            text = self._read_line()

    def digest(self) -> str:
        """A digest of all lines up to the last that was read."""
        return self._digest.hexdigest()

    def digest_of(self, count: int) -> str | None:
        """A digest of the first lines, or None where they cannot be read twice, or are fewer."""
        if not self._raw.seekable():
            return None
        digest, text, number = hashlib.blake2b(digest_size=16), self._first, 0
        while text and number < count:
            number += 1
            digest.update(text)
            text = self._read_line()
        self._raw.seek(0)
        self._text = self._opened()
        self._read_line()
        return digest.hexdigest() if number == count else None

    def _opened(self) -> BinaryIO | gzip.GzipFile:
        return gzip.GzipFile(fileobj=self._raw) if self._is_gzip else self._raw

    def _line(self, number: int, text: bytes) -> Line:
        end = self.position()
        if len(text) > _LONGEST_LINE:
            return Line(number, end, problem=f"is longer than {_LONGEST_LINE // 1024} KB")
        try:
            call = parse(read(text))
        except CallError as error:
            return Line(number, end, problem=str(error))
        if call.message_id is None:
            call = replace(call, message_id=f"replay {self.name} {number} {short_digest(text)}")
        return Line(number, end, call)

    def position(self) -> int:
        """How many bytes of the file have been read, compressed ones where it is compressed; 0 for a pipe."""
        try:
            return self._raw.tell()
        except (OSError, ValueError):
            return 0

    def _read_line(self) -> bytes:
        """The next line; of one that is too long only so much that this can be seen."""
        try:
            text = self._text.readline(_LONGEST_LINE + 1)
            rest = text
            while len(rest) > _LONGEST_LINE and not rest.endswith(b"\n"):
                rest = self._text.readline(_LONGEST_LINE + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise CallError(
                "file", f"cannot be read to its end ({type(error).__name__}); what came before is kept"
            ) from error
        return text


def short_digest(text: bytes) -> str:
    """What tells a line from that of another file that begins alike."""
    return hashlib.blake2b(text, digest_size=8).hexdigest()


class Replay:
    """Brings a history into an outbox, from where it was interrupted; ``enqueue`` is an Ingest's ``enqueue_all``."""

    def __init__(self, history: Lines, outbox: Outbox, enqueue: Callable[[list[Call]], int]) -> None:
        self._history = history
        self._outbox = outbox
        self._enqueue = enqueue
        self._note = f"replay {history.name}"
        self.last = 0

    def resumes_after(self) -> int:
        """The number of the last line that an earlier replay brought in; 0 where there was none, or in a pipe.

        A file that only begins like the earlier one is another.
        """
        number, _, digest = (self._outbox.get(self._note) or "0").partition(" ")
        return int(number) if digest and self._history.digest_of(int(number)) == digest else 0

    def run(self, summary: Summary, after: int = 0, progress: Callable[[int], None] = lambda _: None) -> None:
        """Put the calls that have an effect, behind the first ``after`` lines, into the outbox.

        ``progress`` hears how many bytes of the file have been read.
        """
        waiting: list[Call] = []
        line = None
        for line in self._history.lines(after):
            _count(line, summary)
            if line.call is not None and has_effect(line.call):
                waiting.append(line.call)
            if summary.lines % _AT_ONCE == 0:
                self._put(waiting, line, summary, progress)
                waiting = []
        if line is not None:
            self._put(waiting, line, summary, progress)

    def _put(self, calls: list[Call], line: Line, summary: Summary, progress: Callable[[int], None]) -> None:
        accepted = self._enqueue(calls)
        summary.accepted += accepted
        summary.repeated += len(calls) - accepted
        self._outbox.set(self._note, f"{line.number} {self._history.digest()}", _NOTE_SECONDS)
        self.last = line.number
        progress(line.end)


def try_out(
    history: Lines, settings: Settings, summary: Summary, progress: Callable[[int], None] = lambda _: None
) -> None:
    """Map every line without sending anything: what would be asked of Intercom, and what would be refused."""
    lenient = replace(settings, strict=False)
    for line in history.lines():
        _count(line, summary)
        if line.call is not None and has_effect(line.call):
            try:
                operations = rest_operations(line.call, lenient)
            except SegmentIntercomError as error:
                summary.refused.append((line.number, str(error)))
                continue
            summary.accepted += bool(operations)
            summary.without_effect += not operations
            summary.requests.update(f"{operation.method} {operation.path}" for operation in operations)
        if summary.lines % _AT_ONCE == 0:
            progress(line.end)


def _count(line: Line, summary: Summary) -> None:
    summary.lines += 1
    if line.problem is not None:
        summary.refused.append((line.number, line.problem))
    elif line.call is not None:
        summary.kinds[type(line.call).__name__.lower()] += 1
        summary.without_effect += not has_effect(line.call)


class CaptureFile:
    """A file to which several processes append messages, a line each; only its owner may read it."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def append(self, bodies: list[bytes]) -> None:
        """Write messages in one piece, so that lines of several processes do not mix."""
        text = b"".join(body + b"\n" for body in bodies)
        try:
            while text:
                text = text[os.write(self._file, text) :]
        except OSError as error:  # the calls are in the outbox all the same
            logger.error("capture: %d calls could not be written to the file: %s", len(bodies), error.strerror)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def waiting_messages(outbox: Outbox) -> Iterator[bytes]:
    """Each message that waits in an outbox, in the order of acceptance."""
    after = 0
    while rows := outbox.browse(after):
        for row in rows:
            yield row.body
        after = rows[-1].number


def move_all(source: Outbox, target: Outbox) -> int:
    """Move everything that waits from one outbox to another, each user's messages in their order; return how many.

    A message that is leased elsewhere, or waits for its next attempt, is waited for. Interrupted between the two, one
    comes again, and is known by its id.
    """
    name, moved = hashlib.blake2b(source.location.encode(), digest_size=8).hexdigest(), 0
    while (due := source.next_due()) is not None:
        lease = source.lease()
        if lease is None:
            time.sleep(min(max(due, 0.01), _LOOK))
            continue
        target.put_all((lease.user, message.body, f"move {name} {message.number}") for message in lease.messages)
        moved += len(lease.messages) if source.done(lease, lease.messages) else 0
    return moved
