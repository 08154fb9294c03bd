"""How the browser tests start Chromium."""

from __future__ import annotations

from typing import Any

import pytest

from .find_browser import ARGUMENTS, chromium


@pytest.fixture(scope="session")
def base_url() -> None:
    """Each test names its own address; this stands in for the plugin's fixture, whose form pytest 9 deprecates."""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    path = chromium()
    if path is None:
        pytest.exit("no Chromium: run 'make browser', or install it with 'apt-get install chromium'", returncode=1)
    return {**browser_type_launch_args, "executable_path": path, "args": list(ARGUMENTS)}
