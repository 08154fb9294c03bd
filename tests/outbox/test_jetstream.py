"""What JetStream promises: partitions in their order, a cluster that loses a server, an error where none answers."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from segment_intercom import CallError, OutboxError, SettingsError
from segment_intercom.outbox import open_outbox
from segment_intercom.outbox.jetstream import JetStreamOutbox
from tests.children import Children, wait_for

from .nats_server import NatsServer, cluster
from .workers import Workers, fill


@pytest.fixture
def box(jetstream: str) -> Iterator[JetStreamOutbox]:
    box = JetStreamOutbox(jetstream)
    yield box
    box.close()


def test_waiting_message_delays_only_its_user(box: JetStreamOutbox) -> None:
    for user in ("ann", "bob"):
        box.put(user, b"1")
        box.put(user, b"2")
    lease = box.lease()
    assert lease is not None
    assert lease.give_up_after == 600
    box.retry(lease, 3600)
    arrived = []
    while len(arrived) < 2:
        next_lease = box.lease()
        if next_lease is not None:
            arrived.append((next_lease.user, next_lease.messages[0].body))
            assert box.done(next_lease, next_lease.messages)
    left = {"ann", "bob"} - {lease.user}
    assert arrived == [(*left, b"1"), (*left, b"2")]


def test_failure_counts_but_release_does_not(box: JetStreamOutbox) -> None:
    def leased() -> tuple[int, bool]:
        end = time.monotonic() + 30
        while (lease := box.lease()) is None:
            assert time.monotonic() < end
        end_it(lease)
        return lease.attempts, lease.failing_since is not None

    box.put("ann", b"1")
    end_it = lambda lease: box.retry(lease, 0)  # noqa: E731
    assert leased() == (0, False)
    end_it = box.release
    assert leased() == (1, True)
    assert leased() == (1, True)


def test_message_ids_count_for_all_processes(jetstream: str, box: JetStreamOutbox) -> None:
    assert box.put("ann", b"1", "id-1")
    other_box = JetStreamOutbox(jetstream)
    with closing(other_box):
        assert not other_box.put("bob", b"1", "id-1")
        assert (box.left(), other_box.left()) == (1, 0)


def test_watch_reports_puts_of_another_outbox(jetstream: str, box: JetStreamOutbox) -> None:
    heard: list[int] = []
    box.watch(lambda: heard.append(1))
    other_box = JetStreamOutbox(jetstream)
    with closing(other_box):
        wait_for(lambda: other_box.put("ann", b"1") and heard)


def test_database_transaction_is_refused(box: JetStreamOutbox) -> None:
    with pytest.raises(CallError, match="needs an outbox in PostgreSQL"):
        box.put_within(object(), "ann", b"1")


@pytest.mark.parametrize("address", ["nats://", "nats://h?replicas=2", "nats://h?name=a.b", "nats://h?other=1"])
def test_a_wrong_address_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="outbox: must be nats://"):
        open_outbox(address)


def test_unreachable_server_fails_in_bounded_time() -> None:
    """The error comes within 30 seconds and tells the server's address without the password."""
    box = JetStreamOutbox("nats://user:s3cret@127.0.0.1:1")
    start = time.monotonic()
    with closing(box), pytest.raises(OutboxError, match="does not answer") as refused:
        box.put("ann", b"1")
    assert time.monotonic() - start < 30
    assert "s3cret" not in str(refused.value) + repr(box)
    assert "nats://127.0.0.1:1" in str(refused.value)


def test_killed_server_restarts_with_everything(tmp_path: Path, family: Children) -> None:
    server = NatsServer(tmp_path)
    server.start()
    box = JetStreamOutbox(server.address)
    try:
        fill(box, 5, 60)
        workers = Workers(family, server.address, tmp_path / "arrived")
        workers.wait_until_delivered(60)
        server.stop(signal.SIGKILL)
        before = len(workers.delivered())
        server.start()
        workers.finish()
        assert workers.check(5, 60, server_was_killed=True) <= before, "what came later came once"
        assert box.counts().waiting == 0
    finally:
        box.close()
        server.stop()


def test_cluster_survives_losing_a_server(tmp_path: Path, family: Children) -> None:
    """With one of three servers gone, delivery goes on and the ids of earlier messages are still known."""
    servers = cluster(tmp_path)
    for server in servers:
        server.start()
    hosts = ",".join(f"127.0.0.1:{server.port}" for server in servers)
    address = f"nats://{hosts}?replicas=3"
    box = JetStreamOutbox(address)
    try:
        _until_it_works(lambda: box.put("u0", b"0", "m0"))
        box.put_all((f"u{number % 4}", b"%d" % number, f"m{number}") for number in range(1, 240))
        workers, luck = Workers(family, address, tmp_path / "arrived"), random.Random(3)
        workers.wait_until_delivered(60)
        servers[luck.randrange(3)].stop(signal.SIGKILL)
        workers.finish()
        assert workers.check(4, 60, server_was_killed=True) <= 24
        _until_it_works(lambda: box.put("u0", b"again", "m0"))  # known, though a server is gone
        assert box.counts().waiting == 0
    finally:
        box.close()
        for server in servers:
            server.stop()


def _until_it_works(put: object) -> None:
    """Servers of a cluster first choose who leads."""
    end = time.monotonic() + 60
    while True:
        try:
            put()  # type: ignore[operator]
        except OutboxError:
            assert time.monotonic() < end
        else:
            return


def test_concurrent_close_raises_only_outbox_errors(jetstream: str) -> None:
    box, raised, stop = JetStreamOutbox(jetstream), list[Exception](), threading.Event()

    def work() -> None:
        while not stop.is_set():
            try:
                box.put("ann", b"1")
                box.next_due()
            except OutboxError:
                pass
            except Exception as error:
                raised.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        box.close()
    stop.set()
    for thread in threads:
        thread.join(60)
    box.close()
    assert raised == []
    assert not any(thread.is_alive() for thread in threads)
