"""The demo's calls from the server in Chromium: what is pressed, and what Intercom's API received of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.children import Children

pytestmark = pytest.mark.not_in(
    "firefox", "webkit", reason="the demo's own pages; test_every_engine.py goes one way through them in every engine"
)


@pytest.fixture
def address(delivering_demo: str) -> str:
    return delivering_demo


@pytest.fixture
def demo(page: Page, address: str) -> Iterator[Page]:
    """The demo's page, where a dialog or an error that no script caught fails the test."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: (errors.append(dialog.message), dialog.dismiss()))
    page.goto(address)
    yield page
    assert errors == []


def log_in(page: Page, person: str = "mara") -> None:
    page.locator(f"#person-{person}").click()
    expect(page.locator(f"#person-{person}")).to_have_attribute("aria-pressed", "true")
    expect(newest(page)).to_contain_text("boot")


def call(page: Page, *methods: str) -> None:
    for method in methods:
        page.get_by_role("button", name=f"Call {method}").click()


def test_tenants_use_separate_workspaces(demo: Page, address: str) -> None:
    log_in(demo)
    call(demo, "identify")
    expect(newest(demo)).to_contain_text("/contacts")
    demo.locator("details.seldom summary").click()
    demo.locator("#tenant-partner").click()
    expect(demo.locator("#tenant-partner")).to_have_attribute("aria-pressed", "true")
    expect(newest(demo)).to_contain_text("boot")
    call(demo, "track")
    expect(newest(demo)).to_contain_text("/events")
    state = demo.request.get(f"{address}/sandbox/inspector/state.json").json()
    assert {person["app_id"]: person["user_id"] for person in state["people"]} == dict.fromkeys(
        ("demo1234", "mill5678"), "usr_2041"
    )
    assert [(event["app_id"], event["user_id"]) for event in state["events"]] == [("mill5678", "usr_2041")]
    demo.goto(f"{address}/sandbox/inspector")
    expect(demo.locator("#people")).to_contain_text("Mill & Co")
    expect(demo.locator("#people")).to_contain_text("Oventide")


def newest(page: Page) -> Any:
    return page.locator("#received .entry").first


def said(page: Page) -> Any:
    return page.locator("#server-said")


def requests(page: Page, address: str) -> list[Any]:
    """What came through the REST API, without what was refused."""
    state = page.request.get(f"{address}/sandbox/inspector/state.json").json()
    return [request for request in state["requests"] if request["kind"] == "rest" and not request["refused"]]


def test_calls_arrive_in_order_without_reload(demo: Page, address: str) -> None:
    log_in(demo)
    demo.evaluate("window.same = true")
    call(demo, "identify", "track")
    expect(newest(demo)).to_contain_text("POST /events")
    expect(newest(demo)).to_contain_text("Order Completed")
    expect(said(demo)).to_have_text("track() is in the outbox; its requests appear below.")
    sent = [(request["method"], request["path"].split("/")[1]) for request in requests(demo, address)]
    assert (sent[-2:], demo.evaluate("window.same")) == ([("PUT", "contacts"), ("POST", "events")], True)


def test_server_identify_updates_page_person(demo: Page, address: str) -> None:
    log_in(demo)
    call(demo, "identify")
    expect(newest(demo)).to_contain_text('"shift":"Night"')
    expect(newest(demo)).to_contain_text("200 accepted")
    state = demo.request.get(f"{address}/sandbox/inspector/state.json").json()
    [mara] = state["people"]
    assert (mara["user_id"], mara["custom_attributes"]["shift"]) == ("usr_2041", "Night")


@pytest.mark.parametrize("person", ["jonas", "ines", "script"])
def test_calls_reach_intercom_for_any_person(demo: Page, person: str) -> None:
    log_in(demo, person)
    call(demo, "group", "track")
    expect(newest(demo)).to_contain_text("POST /events")
    expect(newest(demo)).to_contain_text("202 accepted")


def test_refused_request_explains_next_step(demo: Page) -> None:
    log_in(demo, "ines")
    call(demo, "identify")
    refused = demo.locator("#received .entry", has_text="409 refused")
    expect(refused).to_contain_text("the sender goes on with an update")
    expect(newest(demo)).to_contain_text("PUT /contacts/…")
    expect(newest(demo)).to_contain_text("200 accepted")


def test_visitor_cannot_send_calls(demo: Page) -> None:
    demo.locator("#person-visitor").click()
    expect(demo.locator(".remark")).to_contain_text("Nothing can be sent of a visitor")
    for method in ("identify", "group", "track"):
        expect(demo.get_by_role("button", name=f"Call {method}")).to_be_disabled()


def test_logout_in_another_tab_refuses_calls(demo: Page) -> None:
    log_in(demo)
    demo.request.post(f"{demo.url.partition('#')[0]}choose", form={"person": "visitor"})
    call(demo, "track")
    expect(said(demo)).to_contain_text("Nothing can be sent of a visitor")
    expect(said(demo)).to_have_class(re.compile("refused"))


def test_unreachable_site_is_reported(demo: Page) -> None:
    log_in(demo)
    demo.route("**/say", lambda route: route.abort())
    call(demo, "track")
    expect(said(demo)).to_contain_text("track() was not made: the site does not answer.")


def test_keyboard_call_is_announced(demo: Page) -> None:
    """A call made with Enter leaves the focus on its button and is announced as a status."""
    log_in(demo)
    button = demo.get_by_role("button", name="Call track")
    expect(button).to_have_accessible_description(re.compile(r'^intercom\.track\(event="Order Completed"'))
    button.press("Enter")
    expect(demo.get_by_role("status").filter(has_text="track() is in the outbox")).to_have_count(1)
    expect(button).to_be_focused()
    expect(newest(demo)).to_contain_text("POST /events")


def test_the_section_fits_a_narrow_screen(demo: Page) -> None:
    demo.set_viewport_size({"width": 360, "height": 740})
    log_in(demo)
    call(demo, "identify", "group", "track")
    expect(newest(demo)).to_contain_text("POST /events")
    assert demo.evaluate("document.documentElement.scrollWidth") <= 360
    assert min(demo.locator("#server button").evaluate_all("all => all.map((one) => one.offsetHeight)")) >= 24


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_command_delivers_and_removes_its_files(
    page: Page, tmp_path: Path, family: Children, end: signal.Signals
) -> None:
    """The demo command, ended by a signal, has delivered its calls and leaves no temporary file."""
    started = [sys.executable, "-u", "-m", "segment_intercom", "demo", "--port", "0"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    process = family.start(started, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    page.goto(process.stdout.readline().split()[2])
    log_in(page)
    call(page, "track")
    expect(newest(page)).to_contain_text("202 accepted")
    process.send_signal(end)
    assert process.wait(timeout=20) == 0
    assert list(tmp_path.iterdir()) == []
