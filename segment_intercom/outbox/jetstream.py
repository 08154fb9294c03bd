"""The outbox in a NATS JetStream cluster, for many machines: the engine itself keeps each partition's order.

A user's messages are in one of 64 partitions, each with a durable consumer that has one unacknowledged message at most.
So a message that must wait holds up its partition, a lease is of one message, and what several are kept together in a
file or a database is kept one after the other here. The stream drops a message id that it saw within an hour.
"""

from __future__ import annotations

import base64
import hashlib
import os
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from nats.aio.msg import Msg

from ..errors import CallError, OutboxError
from .base import Counts, DeadLetter, Lease, QueuedMessage, WaitingMessage
from .nats_session import NatsSession, SessionError, place_of
from .sqlite import id_digest
from .statements import LEASE_SECONDS, as_bytes, as_text

PARTITIONS = 64
# A message holds up its partition, and so the users in it: it is given up sooner than elsewhere.
_GIVE_UP_AFTER = 600.0
_ANOTHER_LOOK = 0.1
_WAKE_EVERY = 0.05
_LEFT_OUT = "left out"
_LONGEST_NOTE = 1e12
_USER, _REASON, _REPLY, _NUMBER = "Intercom-User", "Intercom-Reason", "Intercom-Reply", "Intercom-Number"
_AT = "Intercom-At"


@dataclass(slots=True)
class _Held:
    """A lease of this process: the message, until when it is surely ours, and its partition."""

    message: Msg
    until: float
    partition: int


class JetStreamOutbox:
    """An ``Outbox`` at ``nats://host:4222``; several hosts with commas, ``tls://``, and in the query of the address:

    ``replicas`` (1, or 3 in a cluster), ``credentials`` and ``ca`` (files), ``name`` (of the streams, "intercom").
    """

    def __init__(self, address: str) -> None:
        self._place = place_of(address)
        self._lock = threading.Lock()
        self._sessions: dict[int, NatsSession] = {}
        self._held: dict[str, _Held] = {}
        self._put: dict[int, list[int]] = {}
        self._busy: dict[int, float] = {}  # partitions whose message another worker has, or that waits: until a look
        self._last_wake = 0.0

    def __repr__(self) -> str:
        return f"JetStreamOutbox({self.location!r})"

    @property
    def location(self) -> str:
        """The hosts and the name of the stream, without credentials."""
        return f"{self._place.shown}, stream {self._place.stream}"

    def exists(self) -> bool:
        """Return True once the streams are there; they are made at the first use."""
        self._session()
        return True

    def obstacle(self) -> str | None:
        """Return why the streams could not be made, or None."""
        try:
            self._session()
        except OutboxError as error:
            return str(error)
        return None

    def migrate(self) -> str:
        """Make the streams and consumers; return what was done."""
        self._session()
        return f"{self.location}: the streams are there"

    def put(self, user: str, body: bytes, message_id: str | None = None) -> bool:
        """Keep a message of a user; False when its id came within the stream's duplicate window, an hour."""
        return self.put_all([(user, body, message_id)]) == 1

    def put_all(self, messages: Iterable[tuple[str, bytes, str | None]]) -> int:
        """Keep several messages, in their order; return how many are new.

        Where it raises, the first ones may have been kept: their ids tell that they come again.
        """
        rows = [(as_bytes(user), body, message_id) for user, body, message_id in messages]
        session = self._session()
        accepted = sum(self._publish(session, *row) is not None for row in rows)
        self._wake_others(session)
        return accepted

    def _publish(self, session: NatsSession, user: bytes, body: bytes, message_id: str | None) -> int | None:
        """Keep a message; return its number, or None where its id came before."""
        partition = _partition_of(user)
        headers = {_USER: base64.b64encode(user).decode()}
        if message_id is not None:
            headers["Nats-Msg-Id"] = id_digest(message_id).hex()
        ack = self._run(session.publish(self._place.subject(partition), body, headers))
        if ack.duplicate:
            return None
        with self._lock:
            self._put.setdefault(partition, []).append(ack.seq)
        number: int = ack.seq
        return number

    def replace(self, user: str, body: bytes, message_id: str | None = None) -> bool:
        """Keep a message, then drop all that waits for its user before it. False as in ``put``."""
        session, key = self._session(), as_bytes(user)
        if (number := self._publish(session, key, body, message_id)) is None:
            return False
        self._strike(session, key, number)
        self._wake_others(session)
        return True

    def strike(self, user: str, before: int) -> bool:
        """Drop what waits for a user with a lower number; False while a worker holds a message of theirs."""
        session, key = self._session(), as_bytes(user)
        held = self._run(session.held(_partition_of(key)))
        if held is not None and _user_of(held) == user:
            return False
        self._strike(session, key, before)
        return True

    def _strike(self, session: NatsSession, user: bytes, before: int) -> None:
        partition = _partition_of(user)
        struck = [
            message.seq or 0
            for message in self._run(session.read_partition(partition, before))
            if _decoded((message.headers or {}).get(_USER, "")) == user
        ]
        for number in struck:
            self._run(session.delete(self._place.stream, number))
        with self._lock:
            self._put[partition] = [number for number in self._put.get(partition, []) if number not in struck]

    def put_within(self, connection: Any, user: str, body: bytes, message_id: str | None = None) -> None:
        """Raise CallError: an application's transaction is one of its database."""
        raise CallError("connection", "needs an outbox in PostgreSQL: set INTERCOM_OUTBOX to that database")

    def waits(self, user: str, before: int) -> bool:
        """Whether a message of a user's partition with a lower number is still to be delivered."""
        partition = _partition_of(as_bytes(user))
        first: int | None = self._run(self._session().first_number(partition))
        return first is not None and first < before

    def lease(self) -> Lease | None:
        """Take the first message of a partition that is free, for 30 seconds; None when there is none."""
        session = self._session()
        partitions = [*self._run(session.filled())]
        random.shuffle(partitions)
        with self._lock:
            now = time.monotonic()
            held = {lease.partition for lease in self._held.values() if lease.until > now}
            held |= {partition for partition, until in self._busy.items() if until > now}
        for partition in partitions:
            if partition in held:
                continue
            asked = time.monotonic()
            if (message := self._run(session.next_message(partition))) is not None:
                return self._lease_of(message, partition, asked)
            self._run(session.tidy(partition))
            with self._lock:
                self._busy[partition] = time.monotonic() + _ANOTHER_LOOK
        return None

    def _lease_of(self, message: Msg, partition: int, asked: float) -> Lease:
        number = message.metadata.sequence.stream
        with self._lock:
            self._held[message.reply] = _Held(message, asked + LEASE_SECONDS, partition)
        attempts, since = self._failures(number) if (message.metadata.num_delivered or 1) > 1 else (0, None)
        queued = QueuedMessage(number, message.data)
        return Lease(_user_of(message), (queued,), message.reply, attempts, since, give_up_after=_GIVE_UP_AFTER)

    def _failures(self, number: int) -> tuple[int, float | None]:
        attempts, _, since = (self.get(f"failing {number}") or "").partition(" ")
        return (int(attempts), float(since)) if since else (0, None)

    def renew(self, lease: Lease) -> bool:
        """Keep a lease for 30 seconds from now; False when it has ended, for then it may be another worker's."""
        held = self._mine(lease)
        if held is None:
            return False
        asked = time.monotonic()
        self._run(self._session().say(held.message.reply, b"+WPI"))
        held.until = asked + LEASE_SECONDS
        return True

    def done(self, lease: Lease, messages: Sequence[QueuedMessage]) -> bool:
        """Remove the message as delivered; False, and nothing is done, when the lease has ended."""
        held = self._mine(lease)
        if held is None:
            return False
        if messages:
            self._run(self._session().acknowledge(held.message.reply))
            self._forget(lease)
        return True

    def give_up(self, lease: Lease, message: QueuedMessage, reason: str, reply: str = "") -> bool:
        """Keep the message as a dead letter; the next one of its partition is free to go. False as in ``done``."""
        if self._mine(lease) is None:
            return False
        values = {_USER: as_bytes(lease.user), _REASON: as_bytes(reason), _REPLY: as_bytes(reply)}
        headers = {name: base64.b64encode(value).decode() for name, value in values.items()}
        headers |= {_NUMBER: str(message.number), _AT: repr(time.time())}
        session = self._session()
        self._run(session.publish(self._place.dead_subject, message.body, headers))
        return self.done(lease, [message])

    def retry(self, lease: Lease, delay: float) -> None:
        """End a lease after a failure; the message, and with it its partition, waits for ``delay`` seconds."""
        if self._mine(lease) is not None:
            since = time.time() if lease.failing_since is None else lease.failing_since
            self.set(f"failing {lease.messages[0].number}", f"{lease.attempts + 1} {since!r}", 2 * 86_400.0)
            self._hand_back(lease, delay)

    def release(self, lease: Lease, delay: float = 0.0) -> None:
        """End a lease without a failure; the message is free after ``delay`` seconds."""
        if self._mine(lease) is not None:
            self._hand_back(lease, delay)

    def _hand_back(self, lease: Lease, delay: float) -> None:
        answer = f'-NAK {{"delay": {int(delay * 1e9)}}}' if delay > 0 else "-NAK"
        self._run(self._session().say(lease.token, answer.encode()))
        with self._lock:
            self._busy.pop(_partition_of(as_bytes(lease.user)), None)
        self._forget(lease)

    def _mine(self, lease: Lease) -> _Held | None:
        with self._lock:
            held = self._held.get(lease.token)
            if held is not None and held.until <= time.monotonic():
                del self._held[lease.token]
                return None
            return held

    def _forget(self, lease: Lease) -> None:
        with self._lock:
            self._held.pop(lease.token, None)

    def browse(self, after: int = 0, limit: int = 500) -> list[WaitingMessage]:
        """Messages that wait, in the order of acceptance, those with a higher number than ``after``."""
        messages = self._run(self._session().read(self._place.stream, after, limit))
        return [WaitingMessage(message.seq, _user_of(message), message.data or b"") for message in messages]

    def next_due(self) -> float | None:
        """The seconds until another look is worth it; None when nothing waits."""
        return _ANOTHER_LOOK if self._run(self._session().filled()) else None

    def watch(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` when another process has put messages."""
        self._run(self._session().subscribe(self._place.wake_subject, wake))

    def _wake_others(self, session: NatsSession) -> None:
        if time.monotonic() - self._last_wake >= _WAKE_EVERY:
            self._last_wake = time.monotonic()
            self._run(session.say(self._place.wake_subject, b""))

    def left(self) -> int:
        """How many of the messages put through this object in this process still wait."""
        with self._lock:
            partitions = [partition for partition, numbers in self._put.items() if numbers]
        for partition in partitions:
            floor = self._run(self._session().acknowledged(partition))
            with self._lock:
                self._put[partition] = [number for number in self._put[partition] if number > floor]
        with self._lock:
            return sum(map(len, self._put.values()))

    def oldest(self) -> float | None:
        """The age in seconds of the message that has waited longest; None when none waits."""
        messages = self._run(self._session().read(self._place.stream, 0, 1))
        return max(0.0, time.time() - messages[0].time.timestamp()) if messages else None

    def left_out(self, number: int = 1) -> None:
        """Count values that Intercom refused by name, and without which the rest of a call was delivered."""
        self._run(self._session().count(_key(_LEFT_OUT), number))

    def counts(self) -> Counts:
        """How many messages wait, were delivered and were given up, since the streams were made."""
        session = self._session()
        main, dead = self._run(session.state(self._place.stream)), self._run(session.state(self._place.dead_stream))
        left_out = int((self.get(_LEFT_OUT)) or 0)
        return Counts(main.messages, main.last_seq - main.messages - dead.last_seq, dead.messages, left_out)

    def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """The newest dead letters, newest first."""
        everything = self._run(self._session().read(self._place.dead_stream, 0, None))
        return [_dead_letter(message) for message in everything[::-1][: max(0, limit)]]

    def resend(self) -> int:
        """Put all dead letters back, oldest first, behind what their users have waiting; return how many."""
        session, count = self._session(), 0
        for message in self._run(session.read(self._place.dead_stream, 0, None)):
            user = (message.headers or {}).get(_USER, "")
            # Interrupted here, the same letter comes again, and is known by this id.
            headers = {_USER: user, "Nats-Msg-Id": f"dead {message.seq}"}
            self._run(session.publish(self._place.subject(_partition_of(_decoded(user))), message.data or b"", headers))
            self._run(session.delete(self._place.dead_stream, message.seq))
            count += 1
        return count

    def discard(self, user: str | None = None) -> int:
        """Drop all dead letters for good, or those of a user; return how many."""
        session = self._session()
        if user is not None:
            dead = self._run(session.read(self._place.dead_stream, 0, None))
            theirs = [message for message in dead if _dead_letter(message).user == user]
            for message in theirs:
                self._run(session.delete(self._place.dead_stream, message.seq))
            return len(theirs)
        count: int = self._run(session.state(self._place.dead_stream)).messages
        self._run(session.purge(self._place.dead_stream))
        return count

    def get(self, key: str) -> str | None:
        """What was remembered under a key, by any worker, while it lasts."""
        stored = self._run(self._session().get(_key(key)))
        if stored is None:
            return None
        until, _, value = stored.partition(b" ")
        return as_text(value) if float(until) > time.time() else None

    def set(self, key: str, value: str, seconds: float) -> None:
        """Keep a value for all workers."""
        until = min(time.time() + seconds, _LONGEST_NOTE)
        self._run(self._session().set(_key(key), repr(until).encode() + b" " + as_bytes(value)))

    def delete(self, key: str) -> None:
        """Drop what was remembered under a key."""
        self._run(self._session().forget(_key(key)))

    def close(self) -> None:
        """Let go of the connection; what waits stays. The next use opens another."""
        with self._lock:
            session = self._sessions.pop(os.getpid(), None)
        if session is not None:
            session.close()

    def _session(self) -> NatsSession:
        """The connection of this process, made at the first use; streams and consumers are made or checked then."""
        with self._lock:
            session = self._sessions.get(os.getpid())
            if session is None:
                if self._sessions:  # a fork's: it has put nothing, and holds nothing
                    self._held, self._put = {}, {}
                session = NatsSession(self._place)
                try:
                    session.open(PARTITIONS)
                except SessionError as error:
                    session.close()
                    raise OutboxError(f"{self.location}: {error}") from error
                self._sessions[os.getpid()] = session
            return session

    def _run(self, work: Any) -> Any:
        with self._lock:
            session = self._sessions.get(os.getpid())
        if session is None:  # closed by another thread meanwhile
            work.close()
            raise OutboxError(f"{self.location}: is closed")
        try:
            return session.run(work)
        except SessionError as error:
            raise OutboxError(f"{self.location}: {error}") from error


def _partition_of(user: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(user, digest_size=4).digest(), "big") % PARTITIONS


def _key(key: str) -> str:
    """A key as the engine takes it, of letters and digits."""
    return hashlib.blake2b(as_bytes(key), digest_size=20).hexdigest()


def _decoded(text: str) -> bytes:
    return base64.b64decode(text)


def _user_of(message: Any) -> str:
    return as_text(_decoded((message.headers or {}).get(_USER, "")))


def _dead_letter(message: Any) -> DeadLetter:
    headers = message.headers or {}
    user, reason, reply = (as_text(_decoded(headers.get(name, ""))) for name in (_USER, _REASON, _REPLY))
    return DeadLetter(int(headers[_NUMBER]), user, message.data or b"", reason, reply, float(headers[_AT]))
