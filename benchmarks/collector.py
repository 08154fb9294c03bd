"""How many calls does the collector keep a second, durably, against a Flask view that only parses the JSON?

Both are served by granian with one process. The collector checks, reads and stores what it is sent before it answers.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from statistics import quantiles

import orjson

from segment_intercom.cli.serving import free_port

from . import messages
from .intercom import answering
from .measure import Ratio, Result, in_turn

_BAR = 4.0
_KEY = "benchmark-write-key"
_CONNECTIONS = 4
_ROUNDS = 8
_A_BATCH = 100
_BATCHES, _SINGLES = 80, 400
_ID = b"________"
# Ids as analytics-node writes them, with the time, and as segment-analytics-python does, at random.
_TIMED = f"node-next-17642{_ID.decode()}-0b6f2a34-5d1c-4f0e-9a77-{{:012}}"
_RANDOM = f"{_ID.decode()}-5d1c-4f0e-9a77-{{:012}}"
_VIEW = """
from flask import Flask, request
app = Flask(__name__)
@app.post("/v1/<path:name>")
def view(name):
    request.get_json(force=True)
    return {"success": True}
"""


def results() -> list[Result]:
    """Send batches and single calls to both, in turn; then single calls to a collector that delivers."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        view = stack.enter_context(_view(Path(folder)))
        ours = stack.enter_context(_collector(Path(folder) / "outbox.db", INTERCOM_DELIVER="worker"))
        address = stack.enter_context(answering())
        delivering = stack.enter_context(
            _collector(Path(folder) / "delivered.db", INTERCOM_API_URL=address, INTERCOM_ACCESS_TOKEN="benchmark")
        )
        batches = _compare(view, ours, "/v1/batch", lambda: _batch(_TIMED), _BATCHES)
        random = _compare(view, ours, "/v1/batch", lambda: _batch(_RANDOM), _BATCHES)
        singles = _compare(view, ours, "/v1/track", _single, _SINGLES)
        latencies = _latencies(delivering)
    return [
        _result(f"collector, Node's batches of {_A_BATCH} / an empty Flask view", batches, _BATCHES * _A_BATCH),
        _result(f"collector, Python's batches of {_A_BATCH} / an empty Flask view", random, _BATCHES * _A_BATCH),
        _result("collector, single calls / an empty Flask view", singles, _SINGLES),
        Result("collector, one call while it delivers", context=latencies),
    ]


def _result(question: str, seconds: tuple[Sequence[float], Sequence[float]], calls: int) -> Result:
    ours, theirs = seconds
    rate = f"{calls / min(ours):,.0f} calls/s of {calls / min(theirs):,.0f}, aim 2"
    return Result(question, Ratio.of(ours, theirs), _BAR, rate)


_numbers = count()


def _call(number: int, message_id: str) -> dict[str, object]:
    moment = "2026-11-27T12:00:00.000Z"
    ids = {"messageId": message_id.format(number), "timestamp": moment, "userId": f"user-{number % 20}"}
    library = {"library": {"name": "analytics-python", "version": "2.3.4"}}
    return {"type": "track", "event": messages.EVENT, "properties": messages.PROPERTIES, "context": library, **ids}


def _batch(message_id: str) -> bytes:
    calls = [_call(number, message_id) for number in range(_A_BATCH)]
    return orjson.dumps({"sentAt": "2026-11-27T12:00:00.000Z", "writeKey": _KEY, "batch": calls})


def _single() -> bytes:
    return orjson.dumps({"writeKey": _KEY, **_call(0, _TIMED)})


def _compare(
    view: int, ours: int, path: str, make: Callable[[], bytes], requests: int
) -> tuple[Sequence[float], Sequence[float]]:
    body, seconds = make(), {view: [0.0] * 0, ours: [0.0] * 0}
    for number in range(-1, _ROUNDS):
        for port in in_turn([view, ours], number):
            took = _send(port, path, body, requests)
            if number >= 0:  # the first round warms up
                seconds[port].append(took)
    return seconds[ours], seconds[view]


def _send(port: int, path: str, body: bytes, requests: int) -> float:
    bodies = [body.replace(_ID, f"{next(_numbers):08}".encode()) for _ in range(requests)]

    def send(part: Sequence[bytes]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for text in part:
            _post(connection, path, text)
        connection.close()

    start = time.perf_counter()
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        list(pool.map(send, [bodies[number::_CONNECTIONS] for number in range(_CONNECTIONS)]))
    return time.perf_counter() - start


def _post(connection: http.client.HTTPConnection, path: str, body: bytes) -> None:
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status == 200, text


def _latencies(port: int) -> str:
    body, seconds = _single(), []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for _ in range(1_000):
        text = body.replace(_ID, f"{next(_numbers):08}".encode())
        start = time.perf_counter()
        _post(connection, "/v1/track", text)
        seconds.append(time.perf_counter() - start)
    cuts = quantiles(seconds, n=100)
    return f"p50 {cuts[49] * 1e3:.1f} ms, p99 {cuts[98] * 1e3:.1f} ms"


@contextmanager
def _view(folder: Path) -> Iterator[int]:
    (folder / "empty_view.py").write_text(_VIEW)
    port = free_port()
    options = ["--interface", "wsgi", "--blocking-threads", str(_CONNECTIONS), "--log-level", "error"]
    command = [sys.executable, "-m", "granian", *options, "--port", str(port), "empty_view:app"]
    with _running(command, port, "/v1/track", folder):
        yield port


@contextmanager
def _collector(path: Path, **settings: str) -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "segment_intercom", "collector", "--port", str(port)]
    fixed = {"INTERCOM_APP_ID": messages.APP_ID, "INTERCOM_WRITE_KEYS": _KEY, "INTERCOM_OUTBOX": f"sqlite:///{path}"}
    with _running(command, port, "/v1/track", path.parent, **fixed, **settings):
        yield port


@contextmanager
def _running(command: Sequence[str], port: int, path: str, folder: Path, **variables: str) -> Iterator[None]:
    environment = {**os.environ, **variables}
    with (folder / f"{port}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            _wait(port, path, process)
            yield
        finally:
            process.terminate()
            process.wait(30)


def _wait(port: int, path: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 30
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            return _post(connection, path, _single().replace(_ID, f"{next(_numbers):08}".encode()))
        except OSError:
            assert process.poll() is None, "the server does not start"
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.05)
        finally:
            connection.close()
