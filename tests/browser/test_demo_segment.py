"""The page "Point Segment here": its lines are true, and what they send is seen arriving."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from playwright.sync_api import Page, expect

from tests.children import ROOT

pytestmark = pytest.mark.not_in("firefox", "webkit", reason="a page of the demo's; its code is of the simplest")


@pytest.fixture
def shown(page: Page, delivering_demo: str) -> Page:
    page.goto(f"{delivering_demo}/segment")
    expect(page.get_by_text("Nothing yet.")).to_be_visible()
    return page


def code(page: Page, client: str) -> str:
    """The lines for a client, as the page shows them."""
    return page.get_by_role("region", name=re.compile(client)).locator("pre").text_content() or ""


def run(*command: str) -> None:
    subprocess.run(command, cwd=ROOT / "tests", timeout=60, check=True)


def test_a_call_from_the_page_arrives(shown: Page) -> None:
    shown.get_by_role("button", name="Send a call from this page").click()
    expect(shown.locator("#said")).to_have_text("Answered 200: it is stored.")
    expect(shown.locator("#arrivals li")).to_contain_text(["trackButton Pressedusr_2041"])


def test_the_lines_of_each_client_send(shown: Page) -> None:
    run("sh", "-c", code(shown, "A terminal"))
    run(sys.executable, "-c", code(shown, "Python"))
    run("node", "--input-type=module", "-e", code(shown, "Node"))
    expect(shown.locator("#arrivals li")).to_contain_text(
        ["Order Completed" + "user1234" + "@segment/analytics-node", "analytics-python", "Order Completed"]
    )


def test_workbench_links_there_and_back(page: Page, delivering_demo: str) -> None:
    page.goto(delivering_demo)
    page.get_by_role("link", name="Point Segment here").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Point Segment here")
    page.get_by_role("link", name="Back to the workbench").click()
    expect(page.get_by_role("heading", name="Workbench")).to_be_visible()
