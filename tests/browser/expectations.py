"""``expect`` as Playwright's own, for the pages of every engine."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect as expect_of_playwright

from . import webkit


def expect(subject: Any) -> Any:
    """What is said of a locator or a page, and awaited: ``expect(launcher(page)).to_be_visible()``."""
    return webkit.Expectation(subject) if isinstance(subject, webkit.Locator) else expect_of_playwright(subject)
