"""What every outbox promises, run against each of them: order, leases, duplicates, dead letters, counts."""

from __future__ import annotations

import logging
import os
import random
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from segment_intercom import OutboxError, SettingsError
from segment_intercom.outbox import Counts, Lease, Outbox, SqliteOutbox, open_outbox
from segment_intercom.outbox.database import Database
from segment_intercom.outbox.jetstream import JetStreamOutbox
from tests.children import Children
from tests.outbox.child import start
from tests.outbox.places import Clock, Place

DAY = 86400.0


@pytest.fixture
def box(place: Place) -> Outbox:
    return place.open()


@pytest.fixture
def clock(place: Place) -> Clock:
    return place.clock


def taken(box: Outbox) -> Lease:
    """The lease that must be there."""
    lease, looks = box.lease(), 0
    while lease is None and isinstance(box, JetStreamOutbox) and looks < 100:
        looks += 1  # what another had a moment ago is looked for a moment later
        time.sleep(0.02)
        lease = box.lease()
    assert lease is not None
    return lease


def messages(lease: Lease) -> list[bytes]:
    return [message.body for message in lease.messages]


def deliver_all(
    box: Outbox, clock: Clock | None = None, refuse: float = 0.0, delay: float = 1.0
) -> dict[str, list[bytes]]:
    """Work until nothing waits; ``refuse`` is how often a message fails and is retried later."""
    arrived: dict[str, list[bytes]] = defaultdict(list)
    luck = random.Random(7)
    while (wait := box.next_due()) is not None:
        lease = box.lease()
        if lease is None:
            if clock is not None:
                clock.forward(wait)
            continue
        for message in lease.messages:
            if luck.random() < refuse:
                box.retry(lease, delay)
                break
            arrived[lease.user].append(message.body)
            assert box.done(lease, [message])
    return arrived


def test_delivered_message_is_gone(box: Outbox) -> None:
    assert box.put("ann", b"hello")
    lease = taken(box)
    assert (lease.user, messages(lease), lease.attempts, lease.failing_since) == ("ann", [b"hello"], 0, None)
    assert box.done(lease, lease.messages)
    assert box.lease() is None
    assert box.counts() == Counts(waiting=0, delivered=1, given_up=0)


def test_message_survives_reopening_outbox(place: Place, box: Outbox) -> None:
    box.put("ann", b"hello")
    box.close()
    assert messages(taken(place.open())) == [b"hello"]


@pytest.mark.by_user
def test_messages_of_user_keep_order(box: Outbox) -> None:
    """A user's messages come in the order in which they were put, and their numbers rise."""
    for number in range(10):
        box.put("ann", b"%d" % number)
        box.put("bob", b"other")
    lease = taken(box)
    numbers = [message.number for message in lease.messages]
    assert messages(lease) == [b"%d" % number for number in range(10)]
    assert numbers == sorted(set(numbers))


def test_numbers_rise_after_empty_outbox(place: Place, box: Outbox) -> None:
    """A number is not used again after the outbox was emptied and opened anew."""
    seen = []
    for _ in range(3):
        box.put("ann", b"x")
        lease = taken(box)
        seen.append(lease.messages[0].number)
        box.done(lease, lease.messages)
        box = place.open()
    assert seen == sorted(set(seen))


def test_longest_waiting_user_comes_first(box: Outbox, clock: Clock) -> None:
    for user in ("zoe", "bob", "ann"):
        box.put(user, b"x")
    assert [taken(box).user for _ in range(3)] == ["zoe", "bob", "ann"]
    clock.forward(1)
    box.put("late", b"x")
    clock.forward(30)
    assert [taken(box).user for _ in range(4)] == ["late", "zoe", "bob", "ann"]


def test_busy_user_lets_others_between(box: Outbox, clock: Clock) -> None:
    """A lease holds part of a long queue, and the next lease is of another user who waits."""
    for number in range(120):
        box.put("ann", b"%d" % number)
    box.put("bob", b"x")
    lease = taken(box)
    assert 0 < len(lease.messages) < 120
    clock.forward(1)
    box.done(lease, lease.messages)
    assert [taken(box).user, taken(box).user] == ["bob", "ann"]


def test_long_queue_arrives_in_order(box: Outbox) -> None:
    for number in range(120):
        box.put("ann", b"%d" % number)
    arrived = deliver_all(box)
    assert arrived["ann"] == [b"%d" % number for number in range(120)]


def test_leased_user_is_hidden_from_others(place: Place, box: Outbox) -> None:
    box.put("ann", b"1")
    lease = taken(box)
    box.put("ann", b"2")
    other_box = place.open()
    assert other_box.lease() is None
    assert box.done(lease, lease.messages)
    assert messages(taken(other_box)) == [b"2"]


def test_lease_after_expiry_has_new_token(box: Outbox, clock: Clock) -> None:
    box.put("ann", b"1")
    first = taken(box)
    clock.forward(29)
    assert box.lease() is None
    clock.forward(1)
    second = taken(box)
    assert second.messages == first.messages
    assert second.token != first.token


def test_expired_lease_changes_nothing(box: Outbox, clock: Clock) -> None:
    box.put("ann", b"1")
    old = taken(box)
    clock.forward(31)
    new = taken(box)
    assert not box.done(old, old.messages)
    assert not box.give_up(old, old.messages[0], "refused")
    assert not box.renew(old)
    box.retry(old, 1000)
    box.release(old)
    assert box.lease() is None
    assert box.counts() == Counts(waiting=1, delivered=0, given_up=0)
    assert box.done(new, new.messages)


@pytest.mark.parametrize("end", [lambda box, lease: box.retry(lease, 0), lambda box, lease: box.release(lease)])
def test_returned_lease_is_over(box: Outbox, end: Callable[[Outbox, Lease], None]) -> None:
    box.put("ann", b"1")
    lease = taken(box)
    end(box, lease)
    assert not box.done(lease, lease.messages)
    assert not box.renew(lease)
    assert messages(taken(box)) == [b"1"]


def test_finished_lease_is_over(box: Outbox) -> None:
    """Once all its messages are struck off, a lease does not reach messages put later."""
    box.put("ann", b"1")
    old = taken(box)
    box.done(old, old.messages)
    box.put("ann", b"2")
    assert not box.renew(old)
    assert not box.done(old, old.messages)
    assert messages(taken(box)) == [b"2"]


def test_renewing_keeps_a_lease(box: Outbox, clock: Clock) -> None:
    box.put("ann", b"1")
    lease = taken(box)
    for _ in range(3):
        clock.forward(20)
        assert box.renew(lease)
        assert box.lease() is None
    assert box.done(lease, lease.messages)


def test_messages_finish_singly_within_lease(box: Outbox, clock: Clock) -> None:
    """Messages of a lease are struck off singly, and one that is struck off twice counts once."""
    for message in (b"1", b"2", b"3"):
        box.put("ann", message)
    lease = taken(box)
    assert box.done(lease, lease.messages[:1])
    assert box.done(lease, lease.messages[1:2])
    assert box.done(lease, lease.messages[:1])  # again: it is counted once
    clock.forward(30)
    assert messages(taken(box)) == [b"3"]
    assert box.counts() == Counts(waiting=1, delivered=2, given_up=0)


def test_put_during_done_loses_nothing(place: Place) -> None:
    """Many times over, with both at the same moment."""
    giver, worker = place.open(), place.open()
    arrived = []
    with ThreadPoolExecutor(1) as pool:
        for number in range(100):
            giver.put("ann", b"%d" % number)
            lease = taken(worker)
            putting = pool.submit(giver.put, "ann", b"+%d" % number)
            arrived += messages(lease)
            assert worker.done(lease, lease.messages)
            putting.result()
            arrived += deliver_all(worker)["ann"]
    assert arrived == [message for number in range(100) for message in (b"%d" % number, b"+%d" % number)]


def test_new_message_keeps_lease_and_pause(box: Outbox, clock: Clock) -> None:
    box.put("ann", b"1")
    lease = taken(box)
    box.put("ann", b"2")
    assert box.lease() is None
    box.retry(lease, 100)
    box.put("ann", b"3")
    clock.forward(99)
    assert box.lease() is None
    clock.forward(1)
    assert messages(taken(box)) == [b"1", b"2", b"3"]


def test_retry_counts_failures_of_first_message(box: Outbox, clock: Clock) -> None:
    """Failures belong to the first message: once it is delivered, the next one starts without any."""
    box.put("ann", b"1")
    box.put("ann", b"2")
    began = clock.now
    for attempts in range(3):
        lease = taken(box)
        assert (lease.attempts, lease.failing_since) == (attempts, began if attempts else None)
        box.retry(lease, 5)
        clock.forward(5)
    lease = taken(box)
    box.done(lease, lease.messages[:1])
    box.release(lease)
    lease = taken(box)
    assert (messages(lease), lease.attempts, lease.failing_since) == ([b"2"], 0, None)


def test_release_counts_no_failure(box: Outbox, clock: Clock) -> None:
    box.put("ann", b"1")
    box.retry(taken(box), 1)
    clock.forward(1)
    box.release(taken(box), 10)
    clock.forward(9)
    assert box.lease() is None
    clock.forward(1)
    assert taken(box).attempts == 1


def test_give_up_frees_next_message(box: Outbox, clock: Clock) -> None:
    for message in (b"1", b"2"):
        box.put("ann", message)
    box.retry(taken(box), 0)
    lease = taken(box)
    assert box.give_up(lease, lease.messages[0], "400", '{"errors": []}')
    assert box.done(lease, lease.messages[1:])
    [dead] = box.dead_letters()
    assert (dead.number, dead.user, dead.body) == (lease.messages[0].number, "ann", b"1")
    assert (dead.reason, dead.reply, dead.given_up_at) == ("400", '{"errors": []}', clock.now)
    assert box.counts() == Counts(waiting=0, delivered=1, given_up=1)


def give_up_all(box: Outbox) -> None:
    while (lease := box.lease()) is not None:
        for message in lease.messages:
            assert box.give_up(lease, message, "refused")


def test_dead_letters_come_newest_first(box: Outbox) -> None:
    for number in range(5):
        box.put("ann", b"%d" % number)
    give_up_all(box)
    assert [dead.body for dead in box.dead_letters(2)] == [b"4", b"3"]
    assert [dead.body for dead in box.dead_letters()] == [b"4", b"3", b"2", b"1", b"0"]


@pytest.mark.by_user
def test_discarded_dead_letters_never_return(box: Outbox) -> None:
    for number in range(3):
        box.put("u", b"%d" % number)
    lease = box.lease()
    assert lease is not None
    for message in lease.messages[:2]:
        box.give_up(lease, message, "refused")
    assert (box.discard(), box.discard(), box.dead_letters(), box.resend()) == (2, 0, [], 0)
    assert box.counts() == Counts(waiting=1, delivered=0, given_up=0)


def test_replace_drops_waiting_messages_of_user(box: Outbox) -> None:
    for number in range(300):  # more than are moved to the users at once
        box.put("ann", b"%d" % number)
    box.put("bob", b"bob")
    assert box.replace("ann", b"last")
    box.put("ann", b"later")
    bodies: dict[str, list[bytes]] = {}
    while (lease := box.lease()) is not None:
        bodies.setdefault(lease.user, []).extend(message.body for message in lease.messages)
        assert box.done(lease, lease.messages)
    assert bodies == {"ann": [b"last", b"later"], "bob": [b"bob"]}
    assert (box.left(), box.counts().waiting, box.counts().given_up) == (0, 0, 0)


def test_replace_leaves_leased_messages(box: Outbox) -> None:
    box.put("ann", b"first")
    lease = box.lease()
    assert lease is not None
    box.replace("ann", b"last")
    assert box.renew(lease)
    assert box.done(lease, lease.messages)
    after = box.lease()
    assert after is not None
    assert [message.body for message in after.messages] == [b"last"]


def test_known_message_id_replaces_nothing(box: Outbox) -> None:
    assert box.replace("ann", b"gone", "id-1")
    box.put("ann", b"kept")
    assert not box.replace("ann", b"gone", "id-1")
    assert box.counts().waiting == 2


def test_strike_removes_messages_up_to_number(box: Outbox) -> None:
    for body in (b"1", b"2"):
        box.put("ann", body)
    box.put("bob", b"bob")
    number = next(message.number for message in box.browse() if message.user == "bob")
    box.put("ann", b"3")
    assert box.strike("ann", number)
    assert box.strike("nobody", number)
    assert sorted(message.body for message in box.browse()) == [b"3", b"bob"]


def test_who_is_leased_is_not_struck(box: Outbox) -> None:
    box.put("ann", b"1")
    lease = box.lease()
    assert lease is not None
    assert not box.strike("ann", 1_000)
    assert box.done(lease, lease.messages)
    assert box.strike("ann", 1_000)


def test_resent_dead_letters_queue_last(box: Outbox) -> None:
    """Dead letters are sent again in their own order, behind what waits for the user already."""
    for message in (b"1", b"2"):
        box.put("ann", message)
    give_up_all(box)
    box.put("ann", b"3")
    assert box.resend() == 2
    assert box.counts() == Counts(waiting=3, delivered=0, given_up=0)
    assert (box.resend(), box.dead_letters()) == (0, [])
    assert deliver_all(box)["ann"] == [b"3", b"1", b"2"]
    assert box.counts() == Counts(waiting=0, delivered=3, given_up=0)


def test_many_dead_letters_resend_in_order(box: Outbox) -> None:
    for number in range(700):
        box.put("ann", b"%d" % number)
    give_up_all(box)
    assert box.resend() == 700
    assert deliver_all(box)["ann"] == [b"%d" % number for number in range(700)]


def test_message_id_counts_once_a_day(box: Outbox, clock: Clock) -> None:
    """An id is refused for a day, for any user and also after its message was delivered."""
    assert box.put("ann", b"1", "id-1")
    assert not box.put("ann", b"1", "id-1")
    deliver_all(box)
    clock.forward(DAY - 1)
    assert not box.put("bob", b"1", "id-1")
    clock.forward(2)
    assert box.put("ann", b"1", "id-1")
    assert box.counts() == Counts(waiting=1, delivered=1, given_up=0)


def test_message_without_id_is_no_duplicate(box: Outbox) -> None:
    assert box.put("ann", b"same")
    assert box.put("ann", b"same")
    assert box.put("ann", b"same", "")  # an id, if an odd one
    assert not box.put("ann", b"same", "")
    assert box.counts().waiting == 3


def test_left_counts_what_this_object_put(place: Place, box: Outbox) -> None:
    other_box = place.open()
    assert box.left() == 0
    box.put("ann", b"1", "id-1")
    box.put("ann", b"1", "id-1")
    other_box.put("ann", b"2")
    box.put("bob", b"3")
    assert (box.left(), other_box.left()) == (2, 1)
    lease = taken(other_box)
    other_box.done(lease, lease.messages[:1])
    assert (box.left(), other_box.left()) == (1, 1)
    give_up_all(other_box)
    other_box.done(lease, lease.messages[1:])
    assert (box.left(), other_box.left()) == (0, 0)


def test_left_ignores_resent_messages(box: Outbox) -> None:
    box.put("ann", b"1")
    give_up_all(box)
    box.resend()
    assert (box.left(), box.counts().waiting) == (0, 1)


def test_left_is_right_after_long_silence(place: Place, box: Outbox, clock: Clock) -> None:
    box.put("ann", b"1")
    box.put("ann", b"2")
    lease = taken(box)
    box.done(lease, lease.messages[:1])
    clock.forward(40 * DAY)
    assert place.open().next_due() == 0
    assert box.left() == 1


def test_next_due_tells_seconds_to_wait(box: Outbox, clock: Clock) -> None:
    assert box.next_due() is None
    box.put("ann", b"1")
    assert box.next_due() == 0
    lease = taken(box)
    assert box.next_due() == 30
    box.put("ann", b"2")  # of somebody who is leased
    assert box.next_due() == 30
    box.put("bob", b"3")
    assert box.next_due() == 0
    box.release(taken(box), 4)
    box.retry(lease, 7)
    clock.forward(1)
    assert box.next_due() == 3
    clock.forward(10)
    assert box.next_due() == 0


@pytest.mark.by_user
def test_queue_of_leased_user_hides_nobody(box: Outbox) -> None:
    box.put("ann", b"x")
    taken(box)
    for _ in range(1000):
        box.put("ann", b"x")
    box.put("bob", b"x")
    assert box.next_due() == 0
    assert taken(box).user == "bob"


def test_striking_nothing_off_changes_nothing(box: Outbox) -> None:
    box.put("ann", b"1")
    box.retry(taken(box), 0)
    lease = taken(box)
    assert box.done(lease, [])
    box.release(lease)
    assert taken(box).attempts == 1


@pytest.mark.parametrize("back", [5.0, 600.0, 40 * DAY])
def test_clock_set_back_strands_nothing(box: Outbox, clock: Clock, back: float) -> None:
    for user in ("ann", "bob", "eve"):
        box.put(user, b"1")
    taken(box)
    box.retry(taken(box), 300)
    box.put("zoe", b"1")
    clock.forward(-back)
    assert {taken(box).user, taken(box).user} == {"eve", "zoe"}
    assert box.lease() is None
    clock.forward(31)
    assert taken(box).user == "ann"
    clock.forward(300)
    assert "bob" in {taken(box).user for _ in range(4)}


def test_clock_set_back_keeps_lease_duration(box: Outbox, clock: Clock) -> None:
    box.put("ann", b"1")
    taken(box)
    clock.forward(-3600)
    assert box.lease() is None
    assert box.next_due() == pytest.approx(30, abs=1)
    clock.forward(28)
    assert box.lease() is None


@pytest.mark.parametrize("user", ["", "\ud800", "a\0b", "ünï😀", "'; DROP TABLE mail; --", "x" * 5000])
def test_any_text_may_be_a_user(box: Outbox, user: str) -> None:
    box.put(user, b"1", user)
    lease = taken(box)
    assert lease.user == user
    assert box.give_up(lease, lease.messages[0], user, user)
    [dead] = box.dead_letters()
    assert (dead.user, dead.reason, dead.reply) == (user, user, user)


@pytest.mark.parametrize("message", [b"", b"\0\xff", b"x" * 1_000_000])
def test_any_bytes_may_be_a_message(box: Outbox, message: bytes) -> None:
    box.put("ann", message)
    assert messages(taken(box)) == [message]


def test_notes_are_shared_until_expiry(place: Place, box: Outbox, clock: Clock) -> None:
    """What an outbox object sets, another object reads until it is deleted or its time is over."""
    other_box = place.open()
    assert other_box.get("contact:ann") is None
    box.set("contact:ann", "5f3b", 60)
    box.set("contact:ann", "6a1c", 60)
    box.set("\ud800", "", 60)
    assert (other_box.get("contact:ann"), other_box.get("\ud800")) == ("6a1c", "")
    other_box.delete("\ud800")
    other_box.delete("never known")
    clock.forward(60)
    assert (box.get("\ud800"), box.get("contact:ann")) == (None, None)


def bursts(box: Outbox, giver: int) -> None:
    """Put bursts for each of a few users, in an order within which each giver's messages can be told."""
    for burst in range(4):
        for user in range(3):
            for number in range(10):
                box.put(f"user{user}", b"%d:%d" % (giver, burst * 10 + number))


def in_order_of_each_giver(arrived: dict[str, list[bytes]]) -> bool:
    """Whether nothing came twice, or before what its giver had put before it."""
    for messages in arrived.values():
        by_giver = defaultdict(list)
        for giver, number in (message.split(b":") for message in messages):
            by_giver[giver].append(int(number))
        if any(numbers != sorted(set(numbers)) for numbers in by_giver.values()):
            return False
    return True


@pytest.mark.parametrize("refuse", [0.0, 0.3])
def test_bursts_of_threads_keep_order(place: Place, refuse: float) -> None:
    box = place.open()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda giver: bursts(box, giver), range(4)))
    arrived = deliver_all(place.open(), place.clock, refuse, place.delay)
    assert sum(map(len, arrived.values())) == 4 * 120
    assert in_order_of_each_giver(arrived)
    assert box.left() == 0


def test_concurrent_workers_keep_order(place: Place) -> None:
    """The workers fail at random; what arrived is written down while the lease is held, so in the order of arrival."""
    box, arrived, all_put = place.open(), defaultdict(list), threading.Event()

    def work(seed: int) -> None:
        mine, luck = place.open(), random.Random(seed)
        while not all_put.is_set() or mine.next_due() is not None:
            lease = mine.lease()
            for message in lease.messages if lease else ():
                if luck.random() < 0.2:
                    mine.retry(lease, 0)
                    break
                arrived[lease.user].append(message.body)
                assert mine.done(lease, [message])

    with ThreadPoolExecutor(5) as pool:
        workers = [pool.submit(work, seed) for seed in range(3)]
        list(pool.map(lambda giver: bursts(box, giver), range(2)))
        all_put.set()
        for worker in workers:
            worker.result()
    assert sum(map(len, arrived.values())) == 2 * 120
    assert in_order_of_each_giver(arrived)
    assert box.counts() == Counts(waiting=0, delivered=240, given_up=0)


def test_bursts_of_processes_keep_order(tmp_path: Path, family: Children) -> None:
    """All start with no file, so they make it together; then two workers share what was put."""
    path, log = tmp_path / "box.db", tmp_path / "arrived"
    for job, arguments in (("put", [(name, 300) for name in range(3)]), ("work", [(log,), (log,)])):
        for process in [start(family, job, path, *more) for more in arguments]:
            process.communicate()
            assert process.returncode == 0
    arrived = defaultdict(list)
    for line in log.read_bytes().splitlines():
        user, message = line.split()
        arrived[user.decode()].append(message)
    assert sum(map(len, arrived.values())) == 900
    assert in_order_of_each_giver(arrived)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_fork_opens_file_for_itself(tmp_path: Path, family: Children) -> None:
    """A child that uses its parent's connection, or has one beside it, loses what it puts once the parent closes."""
    box = SqliteOutbox(tmp_path / "box.db")
    box.put("ann", b"parent")
    closed, told = os.pipe()

    def work() -> bool:
        os.close(told)
        own = box.left() == 0 and box.put("ann", b"child 1")
        os.read(closed, 1)  # nothing comes: the parent closes its end
        return own and box.put("ann", b"child 2") and box.left() == 2

    child = family.fork(work)
    box.put("ann", b"parent 2")
    box.close()
    os.close(told)
    os.close(closed)
    assert os.waitpid(child, 0)[1] == 0
    assert (box.left(), box.counts().waiting) == (2, 4)
    assert set(messages(taken(box))) == {b"parent", b"parent 2", b"child 1", b"child 2"}
    box.close()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_fork_during_put_locks_nobody_out(tmp_path: Path, family: Children) -> None:
    """A child forked while another thread writes can write as well, and so can its parent."""
    box, stop = SqliteOutbox(tmp_path / "box.db"), threading.Event()

    def put() -> None:
        while not stop.is_set():
            box.put("ann", b"1")

    with ThreadPoolExecutor(1) as pool:
        putting = pool.submit(put)
        for _ in range(5):
            child = family.fork(lambda: box.put("bob", b"1") and box.left() == 1)
            assert os.waitpid(child, 0)[1] == 0
        stop.set()
        putting.result()
    assert box.counts().waiting == box.left() + 5
    box.close()


def test_put_all_counts_new_messages(box: Outbox) -> None:
    assert box.put_all([("ann", b"1", "a"), ("bob", b"2", None), ("ann", b"3", "a"), ("ann", b"4", None)]) == 3
    assert (box.counts().waiting, box.left()) == (3, 3)
    assert deliver_all(box) == {"ann": [b"1", b"4"], "bob": [b"2"]}


def half_read() -> Iterator[tuple[str, bytes, str | None]]:
    """Messages that break off after the first."""
    yield "ann", b"1", "a"
    raise ZeroDivisionError


def test_put_all_reads_before_keeping(box: Outbox) -> None:
    """Of messages that cannot all be read, none is kept, and none of their ids."""
    with pytest.raises(ZeroDivisionError):
        box.put_all(half_read())
    with pytest.raises(AttributeError):
        box.put_all([("ann", b"1", "a"), (None, b"2", None)])  # type: ignore[list-item]
    assert (box.counts().waiting, box.left()) == (0, 0)
    assert box.put("ann", b"1", "a")


def test_put_all_takes_all_or_nothing(box: Outbox) -> None:
    """What fails while it is written leaves nothing behind; JetStream keeps the first ones, and knows them again."""
    stored = int(isinstance(box, JetStreamOutbox))
    with pytest.raises((OutboxError, TypeError)):
        box.put_all([("ann", b"1", "a"), ("bob", object(), "b")])  # type: ignore[list-item]
    assert (box.counts().waiting, box.left()) == (stored, stored)
    assert box.put_all([("ann", b"1", "a"), ("bob", b"2", "b")]) == 2 - stored
    assert deliver_all(box) == {"ann": [b"1"], "bob": [b"2"]}


def test_call_needs_only_single_statements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step of a call's way through the outbox is a single statement that takes the lock."""
    clock = Clock()
    box = SqliteOutbox(tmp_path / "box.db", clock=clock)
    assert box.lease() is None  # which notes the time, once a second
    monkeypatch.setattr(Database, "writing", lambda _: pytest.fail("a transaction of several statements"))
    for number in range(4):
        assert box.put("ann", b"1", str(number))
        assert not box.put("ann", b"1", str(number))
    lease = taken(box)
    assert box.renew(lease)
    assert box.done(lease, lease.messages[:1])
    assert box.give_up(lease, lease.messages[1], "no")
    box.retry(lease, 0)
    box.release(taken(box))
    box.set("key", "value", 60)
    box.delete("key")
    box.left_out()
    assert box.next_due() == 0
    assert box.counts() == Counts(2, 1, 1, 1)
    box.close()


def test_old_message_ids_leave_in_steps(tmp_path: Path) -> None:
    """Each put forgets only a few outdated ids, so that no put takes long."""
    clock = Clock()
    box = SqliteOutbox(tmp_path / "box.db", clock=clock)
    box.put_all([("ann", b"1", str(number)) for number in range(100)])
    clock.forward(DAY + 1)
    remembered = []
    for number in range(100, 104):
        box.put("ann", b"1", str(number))
        with box._database.session as connection:
            remembered.append(connection.execute("SELECT count(*) FROM seen").fetchone()[0])
    assert remembered == [99, 98, 97, 96]
    box.close()


def test_expired_notes_leave_in_steps(tmp_path: Path) -> None:
    """A new note clears only a few of those that are over."""
    clock = Clock()
    box = SqliteOutbox(tmp_path / "box.db", clock=clock)
    for number in range(10):
        box.set(str(number), "x", 60)
    clock.forward(61)
    box.set("new", "x", 60)
    with box._database.session as connection:
        assert connection.execute("SELECT count(*) FROM notes").fetchone() == (9,)
    box.close()


def test_repr_shows_path_but_no_content(tmp_path: Path) -> None:
    box = SqliteOutbox(tmp_path / "box.db")
    box.put("ann@example.com", b"secret")
    lease = taken(box)
    assert repr(box) == f"SqliteOutbox('{tmp_path / 'box.db'}')"
    assert "ann" not in repr(lease)
    assert "secret" not in repr(lease)
    box.close()


def test_address_path_is_relative_or_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Three slashes lead to a file below the working folder, four to an absolute one; neither is opened."""
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.INFO, "segment_intercom")
    assert open_outbox("sqlite:///sub/box.db").path == tmp_path / "sub/box.db"
    assert open_outbox(f"sqlite:///{tmp_path}/box.db").path == tmp_path / "box.db"
    assert [str(tmp_path) in record.getMessage() for record in caplog.records] == [True, True]
    assert list(tmp_path.iterdir()) == []  # nothing is opened before its first use


ELSEWHERE = "redis://host sqlite: sqlite:// sqlite:///  :memory: sqlite:///:memory: box.db".split(" ")


@pytest.mark.parametrize("address", [*ELSEWHERE, "", "sqlite:///folder/", "sqlite:///a.db?mode=ro", "sqlite:///a\0b"])
def test_unknown_address_is_refused_with_remedy(address: str) -> None:
    with pytest.raises(SettingsError, match=r"outbox: must be .*sqlite:///name\.db") as caught:
        open_outbox(address)
    assert "host" not in str(caught.value)


class Contract(RuleBasedStateMachine):
    """Any sequence of calls, against a model of lists: two objects on one place, one of which works with two leases."""

    users = st.sampled_from(["ann", "bob", "eve"])

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.boxes = [SqliteOutbox(Path(self.folder.name) / "box.db", clock=self.clock) for _ in range(2)]
        self.mail: dict[str, list[bytes]] = defaultdict(list)
        self.held: dict[str, Lease] = {}
        self.until: dict[str, float] = {}
        self.dead: list[tuple[str, bytes]] = []
        self.ids: dict[str, float] = {}
        self.count = self.delivered = 0

    def teardown(self) -> None:
        for box in self.boxes:
            box.close()
        self.folder.cleanup()

    @rule(user=users, which=st.integers(0, 1), number=st.integers(1, 60))
    def put(self, user: str, which: int, number: int) -> None:
        for _ in range(number):
            self.count += 1
            self.mail[user].append(b"%d" % self.count)
            assert self.boxes[which].put(user, b"%d" % self.count)

    @rule(user=users, which=st.integers(0, 1), name=st.sampled_from("abc"))
    def put_with_an_id(self, user: str, which: int, name: str) -> None:
        new = self.clock.now - self.ids.get(name, 0.0) >= DAY
        assert self.boxes[which].put(user, name.encode(), name) is new
        if new:
            self.ids[name] = self.clock.now
            self.mail[user].append(name.encode())

    @rule(which=st.integers(0, 1))
    def lease(self, which: int) -> None:
        lease = self.boxes[which].lease()
        free = {user for user, mail in self.mail.items() if mail and self.until.get(user, 0.0) <= self.clock.now}
        assert (lease is not None) == bool(free)
        if lease is not None:
            assert lease.user in free
            assert messages(lease) == self.mail[lease.user][: len(lease.messages)] != []
            self.held[lease.user] = lease
            self.until[lease.user] = self.clock.now + 30

    def _struck(self, user: str, number: int) -> None:
        """The model after the first messages of a lease are gone."""
        lease = self.held.pop(user)
        self.mail[user] = self.mail[user][number:]
        rest = lease.messages[number:]
        if rest:
            self.held[user] = Lease(user, rest, lease.token)
        else:
            self.until.pop(user, None)

    @precondition(lambda self: self.held)
    @rule(which=st.integers(0, 1), number=st.integers(1, 60), data=st.data())
    def done(self, which: int, number: int, data: st.DataObject) -> None:
        lease = self.held[data.draw(st.sampled_from(sorted(self.held)))]
        messages = lease.messages[:number]
        assert self.boxes[which].done(lease, messages)
        self.delivered += len(messages)
        self._struck(lease.user, len(messages))

    @precondition(lambda self: self.held)
    @rule(which=st.integers(0, 1), data=st.data())
    def give_up(self, which: int, data: st.DataObject) -> None:
        lease = self.held[data.draw(st.sampled_from(sorted(self.held)))]
        assert self.boxes[which].give_up(lease, lease.messages[0], "no")
        self.dead.append((lease.user, lease.messages[0].body))
        self._struck(lease.user, 1)

    @precondition(lambda self: self.held)
    @rule(which=st.integers(0, 1), delay=st.integers(0, 300), failed=st.booleans(), data=st.data())
    def end(self, which: int, delay: int, failed: bool, data: st.DataObject) -> None:
        lease = self.held.pop(data.draw(st.sampled_from(sorted(self.held))))
        (self.boxes[which].retry if failed else self.boxes[which].release)(lease, delay)
        self.until[lease.user] = self.clock.now + delay
        assert not self.boxes[which].done(lease, lease.messages)

    @rule(which=st.integers(0, 1))
    def resend(self, which: int) -> None:
        assert self.boxes[which].resend() == len(self.dead)
        for user, message in self.dead:
            self.mail[user].append(message)
        self.dead = []

    @rule(seconds=st.sampled_from([1.0, 29.0, 31.0, 400.0, DAY]))
    def wait(self, seconds: float) -> None:
        self.clock.forward(seconds)

    @invariant()
    def counts_agree(self) -> None:
        waiting = sum(map(len, self.mail.values()))
        assert self.boxes[0].counts() == Counts(waiting, self.delivered, len(self.dead))
        assert [(dead.user, dead.body) for dead in self.boxes[1].dead_letters(1000)] == self.dead[::-1]


Contract.TestCase.settings = hypothesis_settings(max_examples=40, stateful_step_count=30, deadline=None)
TestContract = Contract.TestCase
