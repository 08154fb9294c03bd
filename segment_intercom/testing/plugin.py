"""The plugin, which pytest finds by itself: ``intercom_sandbox``, ``messenger``, ``intercom_captured``.

It loads neither Flask nor Playwright until a test asks for a fixture that needs them.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def _intercom_server() -> Iterator[Any]:
    server = import_module(".sandbox", __package__).SandboxServer()
    yield server
    server.stop()


@pytest.fixture
def intercom_sandbox(_intercom_server: Any, tmp_path: Path) -> Iterator[Any]:
    """An imitation of Intercom on a port of its own, emptied for each test.

    ``app.config.update(intercom_sandbox.config)`` lets an application speak to it, before ``SegmentIntercom(app)``.
    Then ``people``, ``companies``, ``events``, ``requests`` and ``refused`` say what came; ``fault("500=0.1")`` makes
    it difficult, and ``verification = False`` lets users in without a proof.
    """
    yield _intercom_server.emptied(tmp_path)
    _intercom_server.release()


@pytest.fixture
def messenger(intercom_sandbox: Any, request: pytest.FixtureRequest) -> Any:
    """The Messenger on pytest-playwright's ``page``: ``messenger.expect_booted(user_id="42", verified=True)``."""
    return import_module(".messenger", __package__).Messenger(request.getfixturevalue("page"), intercom_sandbox)


@pytest.fixture
def intercom_captured(request: pytest.FixtureRequest) -> list[Any]:
    """The calls that server code of the fixture ``app`` makes, where ``app.testing`` is true; empty at first."""
    app = request.getfixturevalue("app")
    if not app.testing:
        raise pytest.UsageError("intercom_captured: app.testing is off, so that calls are delivered; set TESTING=True")
    captured: list[Any] = app.extensions["segment_intercom"].captured
    captured.clear()
    return captured
