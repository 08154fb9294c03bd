"""Processes that the tests of the outbox start, and some of which they kill: ``python -m tests.outbox.child JOB ...``.

Each says on its standard output which steps it has finished, so that a test knows what was accepted when it died.
"""

from __future__ import annotations

import itertools
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from segment_intercom.outbox import SqliteOutbox
from tests.children import Children


def start(family: Children, job: str, *arguments: object) -> subprocess.Popen[bytes]:
    """Start one of the jobs below."""
    command = [sys.executable, "-m", "tests.outbox.child", job, *map(str, arguments)]
    return family.start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def say(*words: object) -> None:
    """Write a line at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def put(path: str, name: str, count: str) -> None:
    """Put numbered messages, ten in a row for each of three users; say each once it was accepted. 0: without end."""
    box = SqliteOutbox(path)
    for number in range(int(count)) if int(count) else itertools.count():
        user = f"user{number // 10 % 3}"
        box.put(user, f"{name}:{number}".encode())
        say(user, f"{name}:{number}")
    box.close()


def work(path: str, arrived: str) -> None:
    """Deliver what waits to the end of the file ``arrived``, which workers share; say each message once it is done."""
    box = SqliteOutbox(path)
    with Path(arrived).open("ab", buffering=0) as end:
        while box.next_due() is not None:
            lease = box.lease()
            for message in lease.messages if lease else ():
                end.write(f"{lease.user} {message.body.decode()}\n".encode())
                box.done(lease, [message])
                say(lease.user, message.body.decode())
    box.close()


def hold(path: str) -> None:
    """Lock the file until the standard input ends."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    say("locked")
    sys.stdin.read()
    connection.execute("ROLLBACK")
    connection.close()


JOBS: dict[str, Callable[..., None]] = {"put": put, "work": work, "hold": hold}

if __name__ == "__main__":
    JOBS[sys.argv[1]](*sys.argv[2:])
