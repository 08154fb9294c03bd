"""axe-core finds nothing on any page of ours: demo, playground, inspector, and the Messenger that is open on one."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.children import ROOT

from .expectations import expect

pytestmark = pytest.mark.not_in("firefox", "webkit", reason="what axe-core looks at is the same in every engine")

AXE = (ROOT / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
PAGES = ("/", "/pricing", "/account", "/playground", "/segment", "/sandbox/inspector", "/no-such-page")


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[1440, 360])
def width(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def opened(browser: Browser, scheme: Any, width: int) -> Any:
    """A page of that width and in that scheme, without movement, which may hold back a colour."""
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 900}, reduced_motion="reduce"
    )
    yield context.new_page()
    context.close()


def violations(page: Page) -> list[str]:
    findings = page.evaluate(f"async () => {{ {AXE}; return (await axe.run()).violations; }}")
    return [
        f"{finding['id']} ({finding['impact']}): {node['html'][:200]}"
        for finding in findings
        for node in finding["nodes"]
    ]


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_found_on_a_page(opened: Page, delivering_demo: str, path: str) -> None:
    opened.goto(f"{delivering_demo}/")
    expect(opened.locator("#received .entry").first).to_be_visible()
    opened.goto(f"{delivering_demo}{path}")
    if path == "/sandbox/inspector":
        expect(opened.get_by_text("Live", exact=True)).to_be_visible()
        for summary in opened.locator("#requests summary").all()[:2]:
            if summary.is_visible():
                summary.click()
    assert violations(opened) == []


def test_open_messenger_has_no_violations(opened: Page, delivering_demo: str) -> None:
    opened.goto(delivering_demo)
    opened.get_by_role("button", name="Open Intercom Messenger").click()
    opened.get_by_role("textbox", name="Message").fill("Hello")
    opened.keyboard.press("Enter")
    expect(opened.get_by_role("log")).to_contain_text("Hello")
    assert violations(opened) == []
    opened.get_by_role("button", name="All messages").click()
    assert violations(opened) == []
