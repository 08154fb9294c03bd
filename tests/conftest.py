"""Fixtures for all tests: settings, and servers on ports that the system chooses."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import hypothesis
import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from segment_intercom import Settings
from segment_intercom.diagnostics import WARNINGS
from tests.children import Children, children

# A slow machine is no fault of the code.
hypothesis.settings.register_profile("shared", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("shared")

APP_ID = "abc12345"
SECRET = "not-a-real-secret"


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Requests are asserted on, not printed."""


@contextmanager
def serving(app: Callable[..., Any]) -> Iterator[str]:
    """Serve a WSGI application on the loopback and give its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[..., Any]], str]]:
    """Serve applications until the test ends: ``address = serve(app)``."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(serving(app))


@pytest.fixture(scope="module")
def serve_module() -> Iterator[Callable[[Callable[..., Any]], str]]:
    """Serve applications until the tests of a module end."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(serving(app))


@pytest.fixture
def family() -> Iterator[Children]:
    """Start processes, which end with the test: ``process = family.start([...])``."""
    with children() as family:
        yield family


@pytest.fixture
def settings() -> Settings:
    return Settings(app_id=APP_ID, identity_secret=SECRET)


@pytest.fixture
def unverified() -> Settings:
    return Settings(app_id=APP_ID)


@pytest.fixture(autouse=True)
def _nothing_said_yet() -> None:
    """A remark is made once for a process; each test hears it anew."""
    WARNINGS.reset()


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("INTERCOM_APP_ID", "INTERCOM_IDENTITY_SECRET"):
        monkeypatch.delenv(name, raising=False)
