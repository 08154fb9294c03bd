"""Workers as processes on an outbox at an address, killed again and again, and what they have written down."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from segment_intercom.outbox import Outbox
from tests.children import Children, wait_for

_WORK = """
import sys, time
from segment_intercom import OutboxError
from segment_intercom.outbox import open_outbox
box = open_outbox(sys.argv[1])
with open(sys.argv[2], "ab", buffering=0) as log:
    while True:
        try:
            due = box.next_due()
            if due is None:
                break
            lease = box.lease()
            if lease is None:
                time.sleep(min(due, 0.05))
                continue
            for message in lease.messages:
                if box.renew(lease):
                    log.write(f"{lease.user} {message.body.decode()}\\n".encode())
                    box.done(lease, [message])
        except OutboxError:
            time.sleep(0.05)
"""
_PATIENCE = 100.0


class Workers:
    """Three workers on one outbox, and a log of what they delivered."""

    def __init__(self, family: Children, address: str, log: Path) -> None:
        self._family = family
        self._address = address
        self._log = log
        self._running = [self._begin() for _ in range(3)]

    def _begin(self) -> subprocess.Popen[bytes]:
        return self._family.start([sys.executable, "-c", _WORK, self._address, str(self._log)])

    def delivered(self) -> list[bytes]:
        return self._log.read_bytes().splitlines() if self._log.exists() else []

    def wait_until_delivered(self, number: int) -> None:
        wait_for(lambda: len(self.delivered()) >= number, seconds=_PATIENCE)

    def kill_one(self, luck: random.Random, between: Callable[[], None] = lambda: None) -> None:
        """Kill a worker, and start another in its place."""
        number = luck.randrange(len(self._running))
        os.kill(self._running[number].pid, signal.SIGKILL)
        self._running[number].wait()
        between()
        self._running[number] = self._begin()

    def finish(self) -> None:
        for worker in self._running:
            assert worker.wait(_PATIENCE) == 0

    def check(self, users: int, per_user: int, *, server_was_killed: bool = False) -> int:
        """Nothing is missing, and each user's are in their order; return how many came twice.

        A single server of NATS that is killed forgets its last acknowledgements: some come again, in their order.
        """
        arrived: dict[bytes, list[int]] = defaultdict(list)
        for line in self.delivered():
            user, number = line.split()
            arrived[user].append(int(number))
        once = {user: list(dict.fromkeys(numbers)) for user, numbers in arrived.items()}
        assert {user: len(numbers) for user, numbers in once.items()} == {
            b"u%d" % user: per_user for user in range(users)
        }
        assert all(numbers == sorted(numbers) for numbers in once.values())
        # What was in flight when its worker was killed comes again, at once: nothing else came between.
        assert server_was_killed or all(numbers == sorted(numbers) for numbers in arrived.values())
        return sum(map(len, arrived.values())) - users * per_user


def fill(box: Outbox, users: int, per_user: int) -> None:
    box.put_all((f"u{number % users}", b"%d" % number, f"m{number}") for number in range(users * per_user))
