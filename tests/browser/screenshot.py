"""Makes the picture of the demo for README.md: ``python -m tests.browser.screenshot docs/demo.png``."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from segment_intercom.demo import create_demo
from tests.conftest import serving

from .find_browser import ARGUMENTS, chromium


def main(target: str) -> None:
    """Write the picture: a person logged in, the Messenger open, and what Intercom received beside it."""
    with serving(create_demo()) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        _pose(page, address)
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=target)
        browser.close()


def _pose(page: Page, address: str) -> None:
    page.goto(address)
    page.locator("#person-mara").click()
    page.locator("#company-kornblume").click()
    page.get_by_role("button", name="Open Intercom Messenger").click()
    page.get_by_role("textbox", name="Message").fill("Can two bakeries share one bake sheet?")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".entry").first).to_contain_text("message")
    page.locator("summary", has_text="boot").first.click()
    expect(page.locator(".attributes:visible")).to_have_count(2)


if __name__ == "__main__":
    main(sys.argv[1])
