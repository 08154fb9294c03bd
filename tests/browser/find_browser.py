"""Which Chromium the browser tests use: the system's, else the one that Playwright has downloaded."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
# Root, containers and closed networks: no sandbox of its own, and no calls home.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def system_chromium() -> str | None:
    """The path of the system's Chromium, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def chromium() -> str | None:
    """The path of a Chromium that can be started, or None."""
    if found := system_chromium():
        return found
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


if __name__ == "__main__":
    if chromium() is None:
        sys.exit("no Chromium: install it with 'apt-get install chromium', or 'playwright install chromium'")
