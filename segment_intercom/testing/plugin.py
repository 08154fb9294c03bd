"""The plugin, which pytest finds by itself: ``intercom_sandbox``, ``intercom_config``, ``messenger``, ...

It loads neither Flask nor Playwright until a test asks for a fixture that needs them.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest


def _server(folder: Path) -> Any:
    return import_module(".sandbox", __package__).SandboxServer(folder)


@pytest.fixture(scope="session")
def _intercom_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    server = _server(tmp_path_factory.mktemp("intercom"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def intercom_config(_intercom_session: Any) -> dict[str, str]:
    """The configuration of a sandbox that lasts all session, for an application that does, too.

    Where a test or one of its fixtures takes it as an argument, ``intercom_sandbox`` is this sandbox, emptied.
    """
    return dict(_intercom_session.sandbox.config)


@pytest.fixture
def intercom_sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """An imitation of Intercom on a port of its own, with secrets of its own, for this test alone.

    ``app.config.update(intercom_sandbox.config)`` lets an application speak to it, before ``SegmentIntercom(app)`` or
    ``init_app(app)``, which read the configuration once. Then ``people``, ``companies``, ``events``, ``requests`` and
    ``refused`` say what came; ``fault("500=0.1")`` makes it difficult, and ``verification = False`` lets users in
    without a proof.
    """
    if "intercom_config" in request.fixturenames:
        server = request.getfixturevalue("_intercom_session")
        server.empty()
        yield server.sandbox
        server.release()
    else:
        server = _server(tmp_path)
        yield server.sandbox
        server.stop()


@pytest.fixture
def messenger(intercom_sandbox: Any, request: pytest.FixtureRequest) -> Any:
    """The Messenger on pytest-playwright's ``page``: ``messenger.expect_booted(user_id="42", verified=True)``."""

    def captures() -> bool:
        """Whether the application of the fixture ``app``, where the test uses it, captures its calls."""
        return "app" in request.fixturenames and bool(getattr(request.getfixturevalue("app"), "testing", False))

    try:
        page = request.getfixturevalue("page")
    except pytest.FixtureLookupError:
        raise pytest.UsageError("messenger: drives the fixture page; pip install pytest-playwright") from None
    return import_module(".messenger", __package__).Messenger(page, intercom_sandbox, captures=captures)


@pytest.fixture
def intercom_captured(request: pytest.FixtureRequest) -> list[Any]:
    """The calls that server code of the fixture ``app`` makes, where ``app.testing`` is true; empty at first."""
    app = request.getfixturevalue("app")
    if "segment_intercom" not in app.extensions:
        raise pytest.UsageError("intercom_captured: app has no SegmentIntercom; call init_app(app) in the fixture app")
    if not app.testing:
        raise pytest.UsageError(
            "intercom_captured: app.testing is off, so that calls are delivered; set TESTING=True in "
            "a test without a browser, and use messenger.expect_event in one with a browser"
        )
    captured: list[Any] = app.extensions["segment_intercom"].captured
    captured.clear()
    return captured
