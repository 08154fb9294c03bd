"""Makes the pictures of the documentation: ``python -m tests.browser.screenshot docs``."""

from __future__ import annotations

import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from flask import Flask
from playwright.sync_api import Page, expect, sync_playwright

from segment_intercom.demo import create_demo
from tests.conftest import serving

from .find_browser import ARGUMENTS, chromium

SIZE = {"width": 1280, "height": 800}


def main(folder: str) -> None:
    """Write a picture of each page: the demo with an open Messenger, the playground, the inspector, Segment's page."""
    target, made = Path(folder), list[Flask]()
    target.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as outbox,
        sync_playwright() as playwright,
        serving(lambda environ, start: made[0](environ, start)) as address,
    ):
        made.append(create_demo(address, Path(outbox) / "outbox.db"))
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        page = browser.new_context(viewport=SIZE, reduced_motion="reduce").new_page()  # type: ignore[arg-type]
        for pose in (demo, inspector, playground, segment):
            pose(page, address)
            page.screenshot(path=target / f"{pose.__name__}.png")
        browser.close()
        with closing(made[0].extensions["segment_intercom"].ingest) as ingest:
            ingest.flush(10)


def demo(page: Page, address: str) -> None:
    """A person logged in, the Messenger open, and what Intercom received beside it."""
    page.goto(address)
    page.locator("#company-kornblume").click()
    page.get_by_role("button", name="Open Intercom Messenger").click()
    page.get_by_role("textbox", name="Message").fill("Can two bakeries share one bake sheet?")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".entry").first).to_contain_text("message")
    page.locator("summary", has_text="boot").first.click()
    expect(page.locator(".attributes:visible").first).to_be_visible()


def inspector(page: Page, address: str) -> None:
    """What was received from the page and from the server, and a conversation."""
    for method in ("identify", "group", "track"):
        page.get_by_role("button", name=f"Call {method}").click()
    expect(page.locator("#received")).to_contain_text("/events")
    page.goto(f"{address}/sandbox/inspector#view=conversations")
    answer: Any = page.get_by_role("textbox", name="as a teammate")
    answer.fill("Yes: invite the second one under Settings.")
    answer.press("Enter")
    expect(page.locator("#conversations")).to_contain_text("teammate")
    page.locator("#requests summary").first.click()
    expect(page.locator("#requests .exchange").first).to_be_visible()


def playground(page: Page, address: str) -> None:
    """The first example, and all that becomes of it."""
    page.goto(f"{address}/playground")
    expect(page.locator("#agree")).to_contain_text("tells it the same")


def segment(page: Page, address: str) -> None:
    """Where Segment's clients are pointed."""
    page.goto(f"{address}/segment")
    expect(page.locator("h1")).to_be_visible()


if __name__ == "__main__":
    main(sys.argv[1])
