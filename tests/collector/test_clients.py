"""Segment's own clients, unmodified and as processes, send to the collector; Intercom hears all of it, once."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask

from segment_intercom.sandbox import Fault, Workspace, create_sandbox
from tests.children import ROOT, Children, wait_for

from .conftest import SERVER
from .served import PATIENCE, Served, delivering, events_of, serve_collector

CLIENTS = Path(__file__).parent / "clients"
USERS, ROUNDS = 8, 12
# Older libraries send their key otherwise: 2.3 in the body alone.
VERSIONS = ("2.2", "2.3", "here")


def python_client(version: str) -> tuple[list[str], dict[str, str]]:
    place = ROOT / ".venv" / f"segment-{version}"
    assert version == "here" or place.is_dir(), f"{place} is missing: make .venv/segment-{version}"
    return [sys.executable, str(CLIENTS / "client.py")], {} if version == "here" else {"PYTHONPATH": str(place)}


def node_client() -> tuple[list[str], dict[str, str]]:
    assert (ROOT / "node_modules/@segment/analytics-node").is_dir(), "node_modules is missing: make assets"
    return ["node", str(CLIENTS / "client.mjs")], {}


def start(
    family: Children, served: Served, client: tuple[list[str], dict[str, str]], *more: str
) -> subprocess.Popen[str]:
    command, environment = client
    arguments = [*command, served.address, SERVER, str(USERS), str(ROUNDS), *more]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return family.start(arguments, env={**os.environ, **environment}, text=True, **pipes)


def finish(process: subprocess.Popen[str]) -> None:
    told, errors = process.communicate(timeout=PATIENCE)
    assert told.startswith("failed 0"), told + errors


def check_all_arrived(sandbox: Flask, served: Served) -> None:
    """Every call once, in each user's order, which these clients keep."""
    expected = {f"u{number}": [f"Round {turn}" for turn in range(ROUNDS)] for number in range(USERS)}
    with closing(served.outbox):
        wait_for(lambda: served.outbox.exists() and served.outbox.counts().waiting == 0)
        counts = served.outbox.counts()
    assert events_of(sandbox) == expected
    state = sandbox.extensions["sandbox"].state()
    assert {person["email"] for person in state["people"]} == {f"u{number}@example.com" for number in range(USERS)}
    assert [company["name"] for company in state["companies"]] == ["Tea"]
    assert (counts.delivered, counts.given_up) == (USERS * (ROUNDS + 1) + 1, 0)


@pytest.fixture
def sandbox() -> Flask:
    faults = (Fault.parse("500=0.1"), Fault.parse("drop=0.03"))
    return create_sandbox(Workspace("abc12345", faults=faults, access_token="t", search_lag=0))


@pytest.fixture
def served(sandbox: Flask, serve: Callable[..., str], family: Children, tmp_path: Path) -> Served:
    return serve_collector(family, tmp_path, **delivering(serve(sandbox)))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("packed", ["plain", "gzip"])
def test_segments_library_for_python(
    sandbox: Flask, served: Served, family: Children, version: str, packed: str
) -> None:
    finish(start(family, served, python_client(version), packed))
    check_all_arrived(sandbox, served)


def test_segments_library_for_node(sandbox: Flask, served: Served, family: Children) -> None:
    finish(start(family, served, node_client()))
    check_all_arrived(sandbox, served)


@pytest.mark.parametrize("client", ["python", "node"])
def test_killed_collector_loses_nothing(
    sandbox: Flask, serve: Callable[..., str], family: Children, tmp_path: Path, client: str
) -> None:
    """The clients send again what was not answered, and what was stored before is known by its message id."""
    settings = delivering(serve(sandbox))
    served = serve_collector(family, tmp_path, **settings)
    process = start(family, served, python_client("here") if client == "python" else node_client(), "plain")
    for number in range(1, 4):
        wait_for(lambda number=number: events_of(sandbox).get("u0", [])[number:] or process.poll() is not None)
        os.killpg(served.process.pid, signal.SIGKILL)
        served.process.wait()
        with closing(sqlite3.connect(served.outbox.path)) as connection, connection:  # as leases are in 30 seconds
            connection.execute("UPDATE users SET due = 0")
        served = serve_collector(family, tmp_path, port=served.port, **settings)
    finish(process)
    check_all_arrived(sandbox, served)
