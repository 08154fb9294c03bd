"""The pytest plugin without a browser: it loads nothing unasked, and captures calls."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from flask import Flask

from segment_intercom import SegmentIntercom


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
