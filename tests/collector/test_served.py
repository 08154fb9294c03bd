"""The collector's own server: slow senders, floods, several processes, signals, ``kill -9``."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from segment_intercom.collector.server import BODY_SECONDS, client_of
from tests.children import Children, wait_for

from .conftest import SERVER
from .served import PATIENCE, Served, serve_collector

EVENT = {"writeKey": SERVER, "userId": "u1", "event": "Baked"}


@pytest.fixture
def served(family: Children, tmp_path: Path) -> Served:
    return serve_collector(family, tmp_path)


def waiting(served: Served) -> int:
    with closing(served.outbox):
        return served.outbox.counts().waiting


def test_what_was_answered_survives_kill_9(family: Children, tmp_path: Path) -> None:
    served = serve_collector(family, tmp_path, "--processes", "2")
    answered: list[str] = []

    def send(name: str) -> None:
        for number in range(1_000_000):
            batch = [{"type": "track", "userId": name, "event": f"{number} {part}"} for part in range(20)]
            try:
                status, _ = served.post("/v1/batch", {"writeKey": SERVER, "batch": batch})
            except (OSError, http.client.HTTPException, ValueError):
                return
            if status == 200:
                answered.append(f"{name} {number}")

    threads = [threading.Thread(target=send, args=(f"t{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(answered) > 40)
    os.killpg(served.process.pid, signal.SIGKILL)
    for thread in threads:
        thread.join(PATIENCE)
    stored: dict[str, int] = {}
    after = 0
    while rows := served.outbox.browse(after):
        for row in rows:
            batch = f"{row.user} {json.loads(row.body)['event'].split()[0]}"
            stored[batch] = stored.get(batch, 0) + 1
        after = rows[-1].number
    served.outbox.close()
    assert set(answered) <= set(stored)
    assert set(stored.values()) == {20}  # a batch is one transaction: none is half stored


def test_sigterm_lets_it_finish(served: Served) -> None:
    assert served.post("/v1/track", EVENT) == (200, {"success": True})
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(PATIENCE) == 0
    assert waiting(served) == 1


def test_slow_senders_block_nobody(served: Served) -> None:
    slow = [socket.create_connection(("127.0.0.1", served.port), PATIENCE) for _ in range(50)]
    for number, connection in enumerate(slow):
        length = "Transfer-Encoding: chunked" if number % 2 else "Content-Length: 100"
        connection.sendall(f"POST /v1/track HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n".encode() + b'{"')
    assert served.post("/v1/track", EVENT)[0] == 200
    assert BODY_SECONDS < PATIENCE
    for connection in slow:
        assert connection.recv(100).startswith(b"HTTP/1.1 4")
        connection.close()


def test_endless_body_is_cut_off(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), PATIENCE) as connection:
        connection.sendall(b"POST /v1/track HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        with pytest.raises((BrokenPipeError, ConnectionResetError)):  # noqa: PT012 - somewhere on the way
            for _ in range(1_000):  # 64 MB
                connection.sendall(piece)
    assert served.post("/v1/track", EVENT)[0] == 200


@pytest.mark.parametrize("size", [10_000_000, 600_000])
def test_large_body_is_refused_unread(served: Served, size: int) -> None:
    with socket.create_connection(("127.0.0.1", served.port), PATIENCE) as connection:
        head = f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 400")


def test_a_bomb_is_refused(served: Served) -> None:
    status, answer = served.post("/v1/batch", gzip.compress(b" " * 50_000_000), **{"Content-Encoding": "gzip"})
    assert (status, answer["message"]) == (400, "the body is larger than 500 KB")
    assert served.is_ready()


def test_what_is_accepted_can_be_captured(family: Children, tmp_path: Path) -> None:
    served = serve_collector(family, tmp_path, "--capture", str(tmp_path / "captured.jsonl"))
    served.post("/v1/track", EVENT)
    served.post("/v1/track", {**EVENT, "integrations": {"All": True}})
    lines = (tmp_path / "captured.jsonl").read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["Baked", "Baked"]
    assert SERVER not in str(lines)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"INTERCOM_WRITE_KEYS": "", "INTERCOM_BROWSER_WRITE_KEYS": ""}, "INTERCOM_WRITE_KEYS"),
        ({"INTERCOM_DELIVER": "worker"}, "--capture"),
        ({}, "access_token"),
    ],
)
def test_wrong_settings_fail_at_start(settings: dict[str, str], problem: str, tmp_path: Path) -> None:
    """The collector does not start where every later call would fail."""
    command = [sys.executable, "-m", "segment_intercom", "collector", "--port", "0"]
    command += ["--capture", str(tmp_path / "no folder" / "captured.jsonl")]
    environment = {**os.environ, "INTERCOM_APP_ID": "abc12345", "INTERCOM_WRITE_KEYS": SERVER, **settings}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 1
    assert problem in done.stderr


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "1.1.1.1", "9.9.9.9"),
        (1, "6.6.6.6, 1.1.1.1", "1.1.1.1"),
        (2, "6.6.6.6, 1.1.1.1, 10.0.0.1", "1.1.1.1"),
        (2, "1.1.1.1", "1.1.1.1"),
        (1, None, "9.9.9.9"),
        (1, " , ", "9.9.9.9"),
    ],
)
def test_only_trusted_proxies_are_believed(proxies: int, forwarded: str | None, expected: str) -> None:
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    assert client_of("9.9.9.9", headers, proxies)[0] == expected
