"""One way through the demo and the sandbox's Messenger, for every engine; other files hold the details."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from segment_intercom.demo import create_demo

from .expectations import expect
from .sandbox_pages import launcher, panel


@pytest.fixture
def address(serve: Callable[..., str]) -> str:
    return serve(create_demo())


def test_login_and_keyboard_message_reach_sandbox(page: Page, address: str) -> None:
    page.goto(address)
    page.locator("#person-mara").click()
    expect(page.locator("#received .entry").first).to_contain_text("200 accepted")
    launcher(page).click()
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    page.keyboard.type("Can two bakeries share one sheet?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("Can two bakeries share one sheet?")
    expect(page.locator("#received .entry").first).to_contain_text("message")
    page.keyboard.press("Escape")
    expect(panel(page)).to_have_count(0)
    expect(launcher(page)).to_be_focused()


def test_logout_hides_conversation_from_visitor(page: Page, address: str) -> None:
    page.goto(address)
    page.locator("#person-mara").click()
    launcher(page).click()
    page.keyboard.type("Only for Mara")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("Only for Mara")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Log out").click()
    expect(page.locator("#received .entry").first).to_contain_text("Visitor")
    launcher(page).click()
    expect(panel(page)).to_contain_text("Hi there")
    expect(page.get_by_role("log")).not_to_contain_text("Only for Mara")
