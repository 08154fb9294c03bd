"""Which browsers the tests use: the system's, else the Chromium that Playwright has downloaded."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FIREFOX = ("firefox-esr", "firefox")
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
PACKAGES = {"chromium": "chromium", "firefox": "firefox-esr", "webkit": "webkit2gtk-driver xvfb"}


def _installed(names: tuple[str, ...]) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


def system_chromium() -> str | None:
    """The path of the system's Chromium, or None."""
    return _installed(CHROMIUM)


def chromium() -> str | None:
    """The path of a Chromium that can be started, or None."""
    if installed := system_chromium():
        return installed
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def firefox() -> str | None:
    """The path of the system's Firefox, or None."""
    return _installed(FIREFOX)


def webkit() -> str | None:
    """The path of the system's driver for WebKit, or None where it or a screen for it is missing."""
    return shutil.which("WebKitWebDriver") if shutil.which("Xvfb") else None


def found(engine: str) -> str:
    """The path of what starts this engine; ends the program with the remedy where there is none."""
    path = {"chromium": chromium, "firefox": firefox, "webkit": webkit}[engine]()
    return path or sys.exit(f"no {engine}: run 'make browser-{engine}', or 'apt-get install {PACKAGES[engine]}'")


if __name__ == "__main__":
    _, *options, engine = sys.argv
    if options == ["--packages"]:
        sys.stdout.write(PACKAGES[engine])
    else:
        found(engine)
