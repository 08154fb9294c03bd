"""Processes that tests start: each with the signals of a fresh process, and none of them outlives its test."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).parent.parent


def wait_for(condition: Callable[[], Any], possible: Callable[[], bool] = lambda: True, seconds: float = 60.0) -> None:
    """Look until a condition holds; fails when it no longer can, or when patience ends. Tests wait in no other way."""
    end = time.monotonic() + seconds
    while not condition():
        assert possible(), "it cannot come true any more"
        assert time.monotonic() < end, "it has not come true"
        time.sleep(0.02)


def is_running(process: subprocess.Popen[Any]) -> bool:
    """Return whether a process has not ended."""
    return process.poll() is None


def is_served(address: str) -> bool:
    """Return whether a web server answers at an address."""
    try:
        urlopen(address).close()
    except URLError:
        return False
    return True


class Children:
    """The processes of one test."""

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[Any]] = []
        self._forked: list[int] = []

    def start(self, command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
        """Start a command, with the signals of a fresh process."""
        with _default_signals():
            process = subprocess.Popen(command, **{"cwd": ROOT, **options})
        self._started.append(process)
        return process

    def fork(self, work: Callable[[], bool]) -> int:
        """Start a fork that ends with 0 if its work gives True, and return its number."""
        child = os.fork()
        if child == 0:
            well = False
            try:
                well = work()
            finally:
                os._exit(0 if well else 1)
        self._forked.append(child)
        return child

    def end(self) -> None:
        """Kill what still runs."""
        for process in self._started:
            with suppress(ProcessLookupError, PermissionError):
                if os.getpgid(process.pid) == process.pid:  # a session of its own: its children end with it
                    os.killpg(process.pid, signal.SIGKILL)
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in filter(None, (process.stdin, process.stdout, process.stderr)):
                with suppress(OSError):  # of what the process never read
                    pipe.close()
        for child in self._forked:
            with suppress(ProcessLookupError, ChildProcessError):  # the test has waited for it
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)


@contextmanager
def children() -> Iterator[Children]:
    """Start processes in here; in whichever way it is left, they end."""
    family = Children()
    try:
        yield family
    finally:
        family.end()


@contextmanager
def _default_signals() -> Iterator[None]:
    """A child inherits what its parent ignores, as Ctrl+C is ignored by what a shell starts in the background."""
    ignored = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)
