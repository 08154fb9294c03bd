"""The pytest plugin without a browser: it loads nothing unasked, and captures calls."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from flask import Flask

from segment_intercom import SegmentIntercom
from segment_intercom.testing.current_boot import has, is_same
from segment_intercom.testing.sandbox import IntercomSandbox, SandboxServer
from tests.children import wait_for


@pytest.fixture
def app() -> Flask:
    app = Flask("shop")
    app.config.update(INTERCOM_APP_ID="abc12345", TESTING=True)
    app.config["INTERCOM"] = SegmentIntercom(app)
    return app


def test_calls_of_the_application_are_captured(app: Flask, intercom_captured: list[Any]) -> None:
    with app.app_context():
        app.config["INTERCOM"].track("ann", "Paid")
    (call,) = intercom_captured
    assert (call.user_id, call.event) == ("ann", "Paid")


def test_waiting_lets_the_sandbox_answer(intercom_sandbox: Any) -> None:
    """What a test waits for may ask the sandbox itself; what is true at last is returned."""

    def ask(sandbox: Any) -> bytes:
        with urlopen(f"{sandbox.address}/inspector/state.json", timeout=5) as answer:
            return answer.read()

    assert b'"people":[]' in intercom_sandbox.wait_for(ask, timeout=5).replace(b" ", b"")
    with pytest.raises(AssertionError, match="Intercom received"):
        intercom_sandbox.wait_for(lambda sandbox: sandbox.people, timeout=0.1)


def test_sandbox_starts_empty_and_verifying(intercom_sandbox: Any) -> None:
    assert intercom_sandbox.people == intercom_sandbox.requests == intercom_sandbox.refused == []
    assert intercom_sandbox.verification
    assert intercom_sandbox.companies == intercom_sandbox.events == []


def test_the_plugin_loads_no_framework_unasked() -> None:
    script = (
        "import sys, segment_intercom.testing.plugin\n"
        "print(*{'flask', 'werkzeug', 'jinja2', 'playwright'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []


class TestWithoutExtension:
    @pytest.fixture
    def app(self) -> Flask:
        app = Flask("shop")
        app.testing = True
        return app

    def test_captured_names_the_remedy(self, request: pytest.FixtureRequest) -> None:
        with pytest.raises(pytest.UsageError, match=r"app has no SegmentIntercom; call init_app\(app\)"):
            request.getfixturevalue("intercom_captured")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SandboxServer]:
    server = SandboxServer(tmp_path)
    yield server
    server.stop()


def ask(config: dict[str, str], address: str = "") -> Any:
    """The headers of an answer of the REST API."""
    authorization = {"Authorization": f"Bearer {config['INTERCOM_ACCESS_TOKEN']}"}
    with urlopen(Request(f"{address or config['INTERCOM_API_URL']}/me", headers=authorization)) as answer:
        return answer.headers


def test_each_sandbox_has_own_secrets(server: SandboxServer, intercom_sandbox: IntercomSandbox) -> None:
    """What an application of another test still sends is refused, should its address be given out anew."""
    config = server.sandbox.config
    assert {"INTERCOM_ACCESS_TOKEN", "INTERCOM_IDENTITY_SECRET", "INTERCOM_API_URL", "INTERCOM_WIDGET_URL"} <= {
        name for name, value in config.items() if value != intercom_sandbox.config[name]
    }
    with pytest.raises(HTTPError, match="401"):
        ask(config, intercom_sandbox.address)
    assert server.sandbox.requests == []


def test_session_sandbox_is_the_tests(intercom_config: dict[str, str], intercom_sandbox: IntercomSandbox) -> None:
    assert intercom_sandbox.config == intercom_config
    ask(intercom_config)
    assert len(intercom_sandbox.requests) == 1


@pytest.mark.usefixtures("intercom_config")
def test_session_sandbox_starts_empty(intercom_sandbox: IntercomSandbox) -> None:
    assert intercom_sandbox.requests == []


def test_emptying_waits_for_slow_answers(server: SandboxServer) -> None:
    """A request of the test before is answered and forgotten; the workspace is as it was."""
    fault = {"slow": 60.0, "next": 1}
    server.sandbox.fault(**fault)
    (struck,) = server.sandbox.workspace.faults
    client = threading.Thread(target=partial(ask, server.sandbox.config))
    client.start()
    wait_for(lambda: struck.next == 0)
    server.empty()
    client.join()
    assert (server.sandbox.requests, server.sandbox.workspace.faults) == ([], ())


def test_rate_window_lasts_a_second(intercom_sandbox: IntercomSandbox) -> None:
    headers = ask(intercom_sandbox.config)
    assert int(headers["X-RateLimit-Reset"]) <= time.time() + 1
    assert headers["X-RateLimit-Limit"] == "1666", "as many as in Intercom's ten seconds"


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [(1, True, False), (0, False, False), (1, 1.0, True), ([1], (1,), True), ([1], [True], False), ([1], [1, 2], False),
     ({"a": [1]}, {"a": [1]}, True), ({"a": 1}, {"a": True}, False), ({"a": 1}, {}, False), (None, None, True)],
)  # fmt: skip
def test_json_values_are_compared_strictly(left: Any, right: Any, same: bool) -> None:
    assert is_same(left, right) is same


def test_a_missing_value_equals_nothing() -> None:
    assert has({"plan": None}, {"plan": None})
    assert not has({}, {"plan": None})
