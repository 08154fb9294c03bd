"""A real PostgreSQL server, from the system's packages, on a port of its own and with a folder of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from functools import partial
from pathlib import Path

import psycopg

from segment_intercom.cli.serving import free_port
from tests.children import is_running, wait_for

_MISSING = "PostgreSQL's server is missing: apt-get install postgresql"
_SECONDS = 60.0


def programs() -> Path:
    """The folder of the newest server that is installed."""
    if (installed := shutil.which("postgres")) is not None:
        return Path(installed).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    assert versions, _MISSING
    return versions[-1].parent


def answers(address: str) -> bool:
    """Return whether a server of PostgreSQL's protocol takes a connection."""
    try:
        psycopg.connect(address, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def let_in(folder: Path) -> None:
    """Let other users into a folder, through those that it lies in."""
    for part in (folder, *folder.parents):
        if not (mode := part.stat().st_mode) & 0o001:
            part.chmod(mode | 0o055)


class PostgresServer:
    """One server; it never runs as root, which it refuses."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.address = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start the server, on a new folder or on its own of before, and wait until it answers; once is enough."""
        if self._process is not None and self._process.poll() is None:
            return
        data = self._folder / "data"
        if not data.exists():
            if self._user:
                let_in(self._folder)
                shutil.chown(self._folder, "postgres")
            self._run("initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8")
        options = ["-c", "listen_addresses=127.0.0.1", "-c", f"port={self.port}", "-c", "max_connections=60"]
        command = [*self._user, str(programs() / "postgres"), "-D", str(data), "-k", str(self._folder), *options]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd="/", stdout=log, stderr=log, start_new_session=True)
        wait_for(partial(answers, self.address), partial(is_running, self._process), _SECONDS)

    def stop(self, number: signal.Signals = signal.SIGQUIT) -> None:
        """Stop the server, as a crash would: what was committed is there when it starts again."""
        if self._process is not None:
            os.killpg(self._process.pid, number)
            self._process.wait(_SECONDS)
            self._process = None
            # The server itself may end a moment after what started it, and holds its folder until then.
            wait_for(lambda: not self._is_alive(), seconds=_SECONDS)

    def _is_alive(self) -> bool:
        try:
            number = int((self._folder / "data/postmaster.pid").read_text().split()[0])
            os.kill(number, 0)
        except (OSError, ValueError, IndexError):
            return False
        return True

    def forget(self) -> None:
        """Drop the outbox, and all connections to it."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            others = "pid <> pg_backend_pid() AND datname = 'postgres'"
            connection.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
            connection.execute("DROP SCHEMA IF EXISTS segment_intercom CASCADE")

    def _run(self, name: str, *arguments: str) -> None:
        command = [*self._user, str(programs() / name), *arguments]
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=_SECONDS, check=False)
        assert done.returncode == 0, done.stderr
