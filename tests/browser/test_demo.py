"""The demo in Chromium: what is pressed on the workbench, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from segment_intercom.demo import create_demo

HELLO = "Open Intercom Messenger"


@pytest.fixture
def address(serve: Callable[..., str]) -> str:
    return serve(create_demo())


@pytest.fixture
def demo(page: Page, address: str) -> Iterator[Page]:
    """The demo's page, where a dialog or an error that no script caught fails the test."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: (errors.append(dialog.message), dialog.dismiss()))
    page.goto(address)
    yield page
    assert errors == []


def choose(page: Page, **chosen: str) -> None:
    for name, value in chosen.items():
        page.locator(f"#{name}-{value}").click()
        expect(page.locator(f"#{name}-{value}")).to_have_attribute("aria-pressed", "true")


def launcher(page: Page) -> Any:
    return page.get_by_role("button", name=HELLO)


def panel(page: Page) -> Any:
    return page.get_by_role("textbox", name="Message")


def newest(page: Page) -> Any:
    return page.locator("#received .entry").first


def received(page: Page, address: str) -> Any:
    return page.request.get(f"{address}/sandbox/inspector/state.json").json()


def test_log_in_shows_the_launcher_to_a_verified_person(demo: Page, address: str) -> None:
    choose(demo, person="mara", company="kornblume")
    expect(launcher(demo)).to_be_visible()
    expect(newest(demo)).to_contain_text("Kornblume Bakery (org_17)")
    state = received(demo, address)
    assert state["requests"][-1]["settings"]["user_hash"] == "present"
    assert [(one["user_id"], one["role"], one["custom_attributes"]["ovens.deck"]) for one in state["people"]] == [
        ("usr_2041", "user", 3)
    ]


@pytest.mark.parametrize("person", ["jonas", "ines"])
def test_everybody_is_accepted(demo: Page, person: str) -> None:
    choose(demo, person=person)
    expect(launcher(demo)).to_be_visible()
    expect(newest(demo)).to_contain_text("200 accepted")


@pytest.mark.parametrize(("proof", "reason"), [("wrong", "user_hash is wrong"), ("none", "the proof is missing")])
def test_a_missing_or_wrong_hash_shows_the_403_and_no_launcher(demo: Page, proof: str, reason: str) -> None:
    choose(demo, person="mara", proof=proof)
    expect(newest(demo)).to_contain_text("403 refused")
    expect(newest(demo)).to_contain_text(reason)
    expect(demo.locator(".remark")).to_contain_text("Remedy")
    expect(launcher(demo)).to_have_count(0)


def test_the_launcher_hides(demo: Page) -> None:
    choose(demo, person="mara", launcher="hide")
    expect(demo.locator("#intercom-container")).to_be_attached()
    expect(launcher(demo)).to_be_hidden()


def test_the_sites_own_button_opens_the_messenger(demo: Page) -> None:
    choose(demo, person="mara", launcher="hide", button="on")
    expect(demo.locator("#intercom-container[data-booted]")).to_be_attached()
    demo.get_by_role("button", name="Ask us").click()
    expect(panel(demo)).to_be_focused()


def test_log_out_leaves_a_visitor(demo: Page, address: str) -> None:
    choose(demo, person="mara")
    expect(newest(demo)).to_contain_text("Mara Lindqvist")
    demo.get_by_role("button", name="Log out").click()
    expect(newest(demo)).to_contain_text("Visitor")
    expect(launcher(demo)).to_be_visible()
    assert sorted(person["role"] for person in received(demo, address)["people"]) == ["user", "visitor"]


def test_the_next_person_does_not_see_the_last_ones_messages(demo: Page) -> None:
    choose(demo, person="mara")
    launcher(demo).click()
    panel(demo).fill("Only for Mara")
    panel(demo).press("Enter")
    expect(newest(demo)).to_contain_text("Only for Mara")
    choose(demo, person="ines")
    launcher(demo).click()
    expect(demo.get_by_role("log").get_by_text("Only for Mara")).to_have_count(0)


def test_a_visitor_sees_nothing_where_visitors_are_switched_off(demo: Page) -> None:
    choose(demo, visitors="off")
    expect(newest(demo)).to_contain_text("Visitors are switched off")
    expect(launcher(demo)).to_have_count(0)


def test_a_hostile_name_is_text_everywhere(demo: Page, address: str) -> None:
    choose(demo, person="script")
    demo.goto(f"{address}/account")
    expect(newest(demo)).to_contain_text("</script><img src=x onerror=alert(1)>")
    launcher(demo).click()
    expect(panel(demo)).to_be_visible()
    expect(demo.locator("img")).to_have_count(0)


def test_what_is_not_saved_is_shown_with_the_reason(demo: Page) -> None:
    choose(demo, person="script")
    expect(newest(demo)).to_contain_text("Not saved: custom_attributes, only attributes in line are saved")
    expect(newest(demo)).to_contain_text("hide_default_launcher")
    expect(launcher(demo)).to_be_visible()


def test_a_page_has_nothing_to_say_on_the_console(page: Page, address: str) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    for path in ("/", "/pricing", "/account"):
        page.goto(address + path)
        launcher(page).click()
        expect(panel(page)).to_be_visible()
    assert said == []


def test_a_reset_of_the_sandbox_empties_the_list(demo: Page, address: str) -> None:
    expect(newest(demo)).to_contain_text("boot")
    demo.request.post(f"{address}/sandbox/inspector/reset")
    expect(demo.get_by_text("Nothing yet.")).to_be_visible()
    expect(demo.locator("#received .entry")).to_have_count(0)


def test_manual_waits_for_its_button(demo: Page) -> None:
    choose(demo, load="manual")
    expect(launcher(demo)).to_have_count(0)
    demo.get_by_role("button", name="Load now").click()
    expect(launcher(demo)).to_be_visible()


def test_the_messenger_stands_where_the_workbench_is_not(demo: Page) -> None:
    for side in ("left", "right"):
        choose(demo, side=side)
        expect(launcher(demo)).to_be_visible()
        place, bench = launcher(demo).bounding_box(), demo.locator(".workbench").bounding_box()
        assert (place["x"] < bench["x"]) == (side == "left")


def test_copy_copies_the_exact_html(browser: Browser, address: str) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(address)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#produced").text_content()
    context.close()


def test_the_workbench_works_by_keyboard_and_without_script(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    page.locator("#person-jonas").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#person-jonas")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#produced")).to_contain_text("jonas@harbourloaf.example")
    context.close()


@pytest.mark.parametrize("width", [360, 390, 1060, 1280])
def test_no_page_scrolls_sideways(demo: Page, address: str, width: int) -> None:
    demo.set_viewport_size({"width": width, "height": 800})
    choose(demo, person="script", company="kornblume", button="on")
    for path in ("/", "/pricing", "/account"):
        demo.goto(address + path)
        expect(newest(demo)).to_contain_text("accepted")
        assert demo.evaluate("document.documentElement.scrollWidth") == width
