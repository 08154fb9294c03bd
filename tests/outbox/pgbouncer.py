"""A real PgBouncer before a PostgreSQL server: a connection is a client's for one transaction only."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from functools import partial
from pathlib import Path

from segment_intercom.cli.serving import free_port
from tests.children import is_running, wait_for

from .postgres_server import answers, let_in

_SECONDS = 30.0
_CONNECTIONS = 4


class PgBouncer:
    """One pooler, with fewer connections to the server than there are clients; it never runs as root."""

    def __init__(self, folder: Path, server_port: int) -> None:
        self._folder = folder
        self.port = free_port()
        self.address = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self._config = f"""
[databases]
postgres = host=127.0.0.1 port={server_port} user=postgres dbname=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {_CONNECTIONS}
"""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
        assert Path(program).exists(), "PgBouncer is missing: apt-get install pgbouncer"
        config = self._folder / "pgbouncer.ini"
        config.write_text(self._config)
        user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        let_in(self._folder)
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*user, program, str(config)], cwd="/", stdout=log, stderr=log, start_new_session=True
            )
        wait_for(partial(answers, self.address), partial(is_running, self._process), _SECONDS)

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(_SECONDS)
