"""One process's connection to NATS: a thread with an event loop, and what the outbox asks of JetStream.

Source: the NATS documentation, "JetStream wire API reference".
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    KeyValueConfig,
    PubAck,
    RawStreamMsg,
    RetentionPolicy,
    StorageType,
    StreamConfig,
    StreamState,
)
from nats.js.errors import APIError, BadRequestError, KeyNotFoundError, KeyWrongLastSequenceError, NotFoundError
from nats.js.errors import Error as JetStreamError

from ..errors import SettingsError
from .statements import LEASE_SECONDS

_SECONDS = 5.0
_DUPLICATES = 3600.0
# For one message, within 20 ms: of a partition whose message a worker has, the server says nothing before.
_ASKED = b'{"batch": 1, "expires": 20000000}'


class SessionError(Exception):
    """NATS does not answer, or does not do what it is asked; the text says which, and the remedy."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the servers are, and how the streams are called."""

    servers: tuple[str, ...]
    shown: str
    name: str
    replicas: int
    credentials: str | None
    ca: str | None

    @property
    def stream(self) -> str:
        """The stream of what waits."""
        return self.name.upper()

    @property
    def dead_stream(self) -> str:
        """The stream of dead letters."""
        return f"{self.stream}_DEAD"

    @property
    def bucket(self) -> str:
        """The bucket of notes."""
        return f"{self.stream}_NOTES"

    @property
    def dead_subject(self) -> str:
        """Where dead letters are published."""
        return f"{self.name}.dead"

    @property
    def wake_subject(self) -> str:
        """Where workers are told that something came; nothing of it is stored."""
        return f"{self.name}.wake"

    def security(self) -> dict[str, Any]:
        """What the client is told of credentials and of an authority of one's own."""
        options: dict[str, Any] = {}
        if self.credentials is not None:
            options["user_credentials"] = self.credentials
        if self.ca is not None:
            options["tls"] = ssl.create_default_context(cafile=self.ca)
        return options

    def subject(self, partition: int) -> str:
        """Where messages of a partition are published."""
        return f"{self.name}.user.{partition}"


def place_of(address: str) -> Place:
    """Read an address; raises SettingsError for what is none, or has an option that there is not."""
    parts = urlsplit(address)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    unknown = options.keys() - {"replicas", "credentials", "ca", "name"}
    replicas, name = options.get("replicas", "1"), options.get("name", "intercom")
    if unknown or not parts.netloc or replicas not in ("1", "3", "5") or not name.isalnum():
        raise SettingsError(
            "outbox",
            "must be nats://host:4222, with replicas=1, 3 or 5, credentials=FILE, ca=FILE and name=letters in its "
            "query at most",
        )
    return Place(
        servers=tuple(f"{parts.scheme}://{host}" for host in parts.netloc.split(",")),
        shown=",".join(f"{parts.scheme}://{host.rpartition('@')[2]}" for host in parts.netloc.split(",")),
        name=name,
        replicas=int(replicas),
        credentials=options.get("credentials"),
        ca=options.get("ca"),
    )


class NatsSession:
    """A connection with its event loop; every method but ``open``, ``run`` and ``close`` gives work for ``run``."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="segment-intercom-nats", daemon=True)
        self._thread.start()
        self._client = Client()
        self._is_closed = False

    def open(self, partitions: int) -> None:
        """Connect, and make or check the streams and the consumers."""
        self.run(self._open(partitions), 4 * _SECONDS)

    def run(self, work: Coroutine[Any, Any, Any], seconds: float = 2 * _SECONDS) -> Any:
        """Do some work in the loop, within a time; raises SessionError."""
        if self._is_closed:
            work.close()
            raise SessionError("is closed")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(seconds)
        except CancelledError as error:  # by the thread that closes
            raise SessionError("is closed") from error
        except (TimeoutError, OSError) as error:
            future.cancel()
            raise SessionError("does not answer; see that the servers run and that their address is right") from error
        except APIError as error:
            raise SessionError(f"refuses: {error.description or error.code}; look at the server's log") from error
        except (NatsError, JetStreamError) as error:
            raise SessionError(f"{type(error).__name__}; see that JetStream is on and the servers run") from error

    def close(self) -> None:
        """Close the connection and end the thread."""
        with suppress(SessionError):
            self.run(self._client.close())
        self._is_closed = True
        with suppress(RuntimeError, TimeoutError, CancelledError):  # what another thread has begun meanwhile
            asyncio.run_coroutine_threadsafe(self._cancel_all(), self._loop).result(_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()

    async def _cancel_all(self) -> None:
        """End the work of other threads, who hear of it at once."""
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _open(self, partitions: int) -> None:
        connecting = self._client.connect(
            servers=list(self._place.servers),
            name="segment-intercom",
            connect_timeout=3,
            reconnect_time_wait=1,
            max_reconnect_attempts=-1,
            error_cb=_ignore,
            **self._place.security(),
        )
        await asyncio.wait_for(connecting, _SECONDS)
        self._jetstream = self._client.jetstream(timeout=_SECONDS)
        await self._make_stream(
            StreamConfig(
                name=self._place.stream,
                subjects=[f"{self._place.name}.user.*"],
                retention=RetentionPolicy.WORK_QUEUE,
                duplicate_window=_DUPLICATES,
                storage=StorageType.FILE,
                num_replicas=self._place.replicas,
            )
        )
        await self._make_stream(
            StreamConfig(
                name=self._place.dead_stream,
                subjects=[self._place.dead_subject],
                storage=StorageType.FILE,
                num_replicas=self._place.replicas,
            )
        )
        try:
            self._notes = await self._jetstream.key_value(self._place.bucket)
        except NotFoundError:
            self._notes = await self._jetstream.create_key_value(
                KeyValueConfig(bucket=self._place.bucket, history=1, replicas=self._place.replicas)
            )
        await self._make_consumers(partitions)

    async def _make_stream(self, config: StreamConfig) -> None:
        try:
            await self._jetstream.stream_info(str(config.name))
        except NotFoundError:
            with suppress(BadRequestError):  # another process was faster
                await self._jetstream.add_stream(config)

    async def _make_consumers(self, partitions: int) -> None:
        info = await self._jetstream.stream_info(self._place.stream)
        if info.state.consumer_count == partitions:
            return
        for partition in range(partitions):
            config = ConsumerConfig(
                durable_name=str(partition),
                filter_subject=self._place.subject(partition),
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=LEASE_SECONDS,
                max_ack_pending=1,
                max_deliver=-1,
                num_replicas=self._place.replicas,
            )
            await self._jetstream.add_consumer(self._place.stream, config)

    async def _connected(self) -> None:
        """Wait for a connection that is lost to come back: what is sent meanwhile might be sent later, unheard."""
        while not self._client.is_connected:
            await asyncio.sleep(0.02)

    async def publish(self, subject: str, body: bytes, headers: dict[str, str]) -> PubAck:
        """Store a message; it is safe once this returns."""
        await asyncio.wait_for(self._connected(), _SECONDS)
        return await self._jetstream.publish(subject, body, headers=headers, timeout=_SECONDS)

    async def say(self, subject: str, text: bytes) -> None:
        """Send something of which nothing is stored, and see that the server has it."""
        await asyncio.wait_for(self._connected(), _SECONDS)
        await self._client.publish(subject, text)
        await self._client.flush(int(_SECONDS))

    async def acknowledge(self, reply: str) -> None:
        """Acknowledge a message, and wait until that is stored."""
        await asyncio.wait_for(self._connected(), _SECONDS)
        await self._client.request(reply, b"+ACK", timeout=_SECONDS)

    async def filled(self) -> list[int]:
        """The partitions in which messages wait."""
        info = await self._jetstream.stream_info(self._place.stream, subjects_filter=f"{self._place.name}.user.*")
        return [int(subject.rpartition(".")[2]) for subject in (info.state.subjects or {})]

    async def next_message(self, partition: int) -> Msg | None:
        """The next message of a partition, or None where none is free."""
        subject, asked = f"$JS.API.CONSUMER.MSG.NEXT.{self._place.stream}.{partition}", _ASKED
        try:
            # A message comes under its own subject, by which the client's shared inbox would not know it.
            message = await self._client.request(subject, asked, timeout=_SECONDS, old_style=True)
        except NatsTimeoutError:  # it went to another worker meanwhile, or will come again after its time
            return None
        is_status = message.headers is not None and "Status" in message.headers
        return None if is_status else message

    async def tidy(self, partition: int) -> None:
        """Remove what was acknowledged and is there all the same, as a server that was killed finds it in its files."""
        info = await self._jetstream.consumer_info(self._place.stream, str(partition))
        if not info.num_pending and not info.num_ack_pending and info.ack_floor is not None:
            number = info.ack_floor.stream_seq + 1
            await self._jetstream.purge_stream(self._place.stream, seq=number, subject=self._place.subject(partition))

    async def acknowledged(self, partition: int) -> int:
        """The number up to which everything of a partition is acknowledged."""
        info = await self._jetstream.consumer_info(self._place.stream, str(partition))
        return info.ack_floor.stream_seq if info.ack_floor is not None else 0

    async def state(self, stream: str) -> StreamState:
        """How many messages a stream holds, and the number of its last one."""
        return (await self._jetstream.stream_info(stream)).state

    async def read(self, stream: str, after: int, limit: int | None) -> list[RawStreamMsg]:
        """Messages of a stream, in their order, without taking them."""
        messages: list[RawStreamMsg] = []
        while limit is None or len(messages) < limit:
            try:
                message = await self._jetstream.get_msg(stream, seq=after + 1, subject=">", next=True)
            except NotFoundError:
                break
            after = message.seq or after + 1
            messages.append(message)
        return messages

    async def held(self, partition: int) -> RawStreamMsg | None:
        """The message of a partition that a worker holds, or that waits for its next attempt."""
        info = await self._jetstream.consumer_info(self._place.stream, str(partition))
        if not info.num_ack_pending or info.delivered is None:
            return None
        try:
            return await self._jetstream.get_msg(self._place.stream, seq=info.delivered.stream_seq)
        except NotFoundError:
            return None

    async def first_number(self, partition: int) -> int | None:
        """The number of the first message of a partition that is not acknowledged, or None."""
        info = await self._jetstream.consumer_info(self._place.stream, str(partition))
        floor = info.ack_floor.stream_seq if info.ack_floor is not None else 0
        try:
            message = await self._jetstream.get_msg(
                self._place.stream, seq=floor + 1, subject=self._place.subject(partition), next=True
            )
        except NotFoundError:
            return None
        return message.seq

    async def read_partition(self, partition: int, before: int) -> list[RawStreamMsg]:
        """The messages of a partition with a lower number that no worker has had yet, in their order."""
        info = await self._jetstream.consumer_info(self._place.stream, str(partition))
        number, messages = info.delivered.stream_seq if info.delivered is not None else 0, list[RawStreamMsg]()
        while True:
            try:
                message = await self._jetstream.get_msg(
                    self._place.stream, seq=number + 1, subject=self._place.subject(partition), next=True
                )
            except NotFoundError:
                return messages
            number = message.seq or number + 1
            if number >= before:
                return messages
            messages.append(message)

    async def delete(self, stream: str, number: int) -> None:
        """Remove a message of a stream."""
        with suppress(NotFoundError):
            await self._jetstream.delete_msg(stream, number)

    async def purge(self, stream: str) -> None:
        """Remove all messages of a stream."""
        await self._jetstream.purge_stream(stream)

    async def subscribe(self, subject: str, heard: Callable[[], None]) -> None:
        """Call a function for every message of a subject."""

        async def hear(_: Msg) -> None:
            heard()

        await self._client.subscribe(subject, cb=hear)

    async def get(self, key: str) -> bytes | None:
        """The value of a note, or None."""
        try:
            return (await self._notes.get(key)).value
        except KeyNotFoundError:
            return None

    async def set(self, key: str, value: bytes) -> None:
        """Keep a note."""
        await self._notes.put(key, value)

    async def forget(self, key: str) -> None:
        """Drop a note."""
        await self._notes.delete(key)

    async def count(self, key: str, number: int) -> None:
        """Add to a note that is a number and never ends."""
        while True:
            try:
                entry = await self._notes.get(key)
                before, revision = int((entry.value or b"0 0").partition(b" ")[2]), entry.revision
            except KeyNotFoundError:
                before, revision = 0, 0
            with suppress(KeyWrongLastSequenceError, BadRequestError):
                await self._notes.update(key, b"1e12 %d" % (before + number), last=revision)
                return


async def _ignore(_: Exception) -> None:
    """The client goes on by itself, and what is asked of it meanwhile says what is wrong."""
