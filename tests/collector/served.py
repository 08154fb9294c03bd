"""A collector as its own process, with the outbox and the sandbox behind it, as operators run it."""

from __future__ import annotations

import http.client
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask

from segment_intercom.cli.serving import free_port
from segment_intercom.outbox import SqliteOutbox
from tests.children import Children, wait_for

from .conftest import BROWSER, SECRET, SERVER

# Seconds: far more than anything takes, and less than the limit of a test.
PATIENCE = 60.0


@dataclass
class Served:
    """The address of a collector's process, and what it keeps."""

    port: int
    outbox: SqliteOutbox
    process: Any

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        """Send JSON, and return the status and the JSON of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            text = body if isinstance(body, bytes) else json.dumps(body).encode()
            connection.request("POST", path, text, {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


def serve_collector(family: Children, folder: Path, *options: str, port: int = 0, **settings: str) -> Served:
    """Start ``segment-intercom collector`` and wait until it answers."""
    port = port or free_port()
    path = folder / "collector.db"
    environment = {
        **os.environ,
        "INTERCOM_APP_ID": "abc12345",
        "INTERCOM_WRITE_KEYS": SERVER,
        "INTERCOM_BROWSER_WRITE_KEYS": BROWSER,
        "INTERCOM_IDENTITY_SECRET": SECRET,
        "INTERCOM_OUTBOX": f"sqlite:///{path}",
        "INTERCOM_DELIVER": "worker",
        **settings,
    }
    command = [sys.executable, "-m", "segment_intercom", "collector", "--port", str(port), *options]
    process = family.start(command, env=environment, start_new_session=True)
    served = Served(port, SqliteOutbox(path), process)
    wait_for(served.is_ready, lambda: process.poll() is None)
    return served


def delivering(address: str) -> dict[str, str]:
    """The settings that let a collector deliver to a sandbox."""
    return {"INTERCOM_DELIVER": "thread", "INTERCOM_API_URL": address, "INTERCOM_ACCESS_TOKEN": "t"}


def events_of(sandbox: Flask) -> dict[str, list[str]]:
    """The names of the events that arrived, by user, in the order of their arrival."""
    state = sandbox.extensions["sandbox"].state()
    users = {person["id"]: person["user_id"] for person in state["people"]}
    arrived: dict[str, list[str]] = {}
    for event in state["events"]:
        arrived.setdefault(users[event["person_id"]], []).append(event["event_name"])
    return arrived
