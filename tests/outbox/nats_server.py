"""Real NATS servers, from the system's packages: one, or a cluster of several, each a process with a folder."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from functools import partial
from pathlib import Path

from segment_intercom.cli.serving import free_port
from tests.children import is_running, wait_for

_SECONDS = 60.0


class NatsServer:
    """One server with JetStream; ``routes`` are the cluster addresses of all, its own among them."""

    def __init__(
        self, folder: Path, name: str = "n1", route: int | None = None, routes: tuple[int, ...] = (), config: str = ""
    ) -> None:
        """Prepare a server; ``config`` is the text of a configuration file besides."""
        self._folder = folder / name
        self._name = name
        self._route = route
        self._routes = routes
        self._config = config
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.address = f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server, on its own folder, and wait until it listens."""
        program = shutil.which("nats-server")
        assert program, "nats-server is missing: apt-get install nats-server"
        command = [program, "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(self._folder), "-n", self._name]
        if self._route is not None:
            routes = ",".join(f"nats://127.0.0.1:{port}" for port in self._routes)
            command += ["--cluster_name", "test", "--cluster", f"nats://127.0.0.1:{self._route}", "--routes", routes]
        self._folder.mkdir(exist_ok=True)
        if self._config:
            (self._folder / "nats.conf").write_text(self._config)
            command += ["-c", str(self._folder / "nats.conf")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        wait_for(self._answers, partial(is_running, self._process), _SECONDS)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def stop(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Kill the server: what was acknowledged is there when it starts again."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(_SECONDS)
            self._process = None


def cluster(folder: Path, size: int = 3) -> list[NatsServer]:
    """Servers of one cluster, not started yet."""
    routes = tuple(free_port() for _ in range(size))
    return [NatsServer(folder, f"n{number}", route, routes) for number, route in enumerate(routes, 1)]
