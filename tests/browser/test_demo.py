"""The demo in Chromium: what is pressed on the workbench, and what comes of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from segment_intercom.demo import create_demo
from tests.children import wait_for

from .sandbox_pages import launcher

pytestmark = pytest.mark.not_in(
    "firefox", "webkit", reason="the demo's own pages; test_every_engine.py goes one way through them in every engine"
)


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
        if not page.locator(f"#{name}-{value}").is_visible():
            page.locator(".seldom > summary").click()
        page.locator(f"#{name}-{value}").click()
        expect(page.locator(f"#{name}-{value}")).to_have_attribute("aria-pressed", "true")


def panel(page: Page) -> Any:
    return page.get_by_role("textbox", name="Message")


def newest(page: Page) -> Any:
    return page.locator("#received .entry").first


def received(page: Page, address: str) -> Any:
    return page.request.get(f"{address}/sandbox/inspector/state.json").json()


def test_verified_login_shows_launcher(demo: Page, address: str) -> None:
    choose(demo, person="mara", company="kornblume")
    expect(launcher(demo)).to_be_visible()
    expect(newest(demo)).to_contain_text("Kornblume Bakery (org_17)")
    state = received(demo, address)
    assert state["requests"][-1]["settings"]["user_hash"] == "present"
    assert [
        (person["user_id"], person["role"], person["custom_attributes"]["ovens_deck"]) for person in state["people"]
    ] == [("usr_2041", "user", 3)]


@pytest.mark.parametrize("person", ["jonas", "ines"])
def test_everybody_is_accepted(demo: Page, person: str) -> None:
    choose(demo, person=person)
    expect(launcher(demo)).to_be_visible()
    expect(newest(demo)).to_contain_text("200 accepted")


def test_a_token_is_accepted(demo: Page) -> None:
    choose(demo, person="mara", proof="token")
    expect(launcher(demo)).to_be_visible()
    expect(newest(demo)).to_contain_text("200 accepted")
    expect(newest(demo)).to_contain_text("intercom_user_jwt")


@pytest.mark.parametrize(("proof", "reason"), [("wrong", "user_hash is wrong"), ("none", "the proof is missing")])
def test_bad_hash_shows_403_without_launcher(demo: Page, proof: str, reason: str) -> None:
    choose(demo, person="mara", proof=proof)
    expect(newest(demo)).to_contain_text("403 refused")
    expect(newest(demo)).to_contain_text(reason)
    expect(demo.locator(".remark")).to_contain_text("Remedy")
    expect(launcher(demo)).to_have_count(0)


def test_the_launcher_hides(demo: Page) -> None:
    choose(demo, person="mara", launcher="hide")
    expect(demo.locator("#intercom-container")).to_be_attached()
    expect(launcher(demo)).to_be_hidden()


def test_own_button_opens_messenger(demo: Page) -> None:
    choose(demo, person="mara", launcher="hide", button="on")
    expect(demo.locator("#intercom-container[data-booted]")).to_be_attached()
    demo.get_by_role("button", name="Ask us").click()
    expect(panel(demo)).to_be_focused()


@pytest.mark.parametrize("width", [390, 1280])
def test_login_and_logout_stay_at_top(demo: Page, address: str, width: int) -> None:
    """Logging in or out on the demo site leads to the site's content, with the page scrolled to its top."""
    demo.set_viewport_size({"width": width, "height": 844})
    demo.goto(f"{address}/account")
    for button in ("Log out", "Ines Duarte", "Log out"):
        demo.get_by_role("button", name=button).click()
        expect(demo).to_have_url(f"{address}/account#content")
        expect(launcher(demo)).to_be_visible()
        assert demo.evaluate("scrollY") == 0


def test_log_out_leaves_a_visitor(demo: Page, address: str) -> None:
    choose(demo, person="mara")
    expect(newest(demo)).to_contain_text("Mara Lindqvist")
    demo.get_by_role("button", name="Log out").click()
    expect(newest(demo)).to_contain_text("Visitor")
    expect(launcher(demo)).to_be_visible()
    assert sorted(person["role"] for person in received(demo, address)["people"]) == ["user", "visitor"]


def test_next_person_sees_no_earlier_messages(demo: Page) -> None:
    choose(demo, person="mara")
    launcher(demo).click()
    panel(demo).fill("Only for Mara")
    panel(demo).press("Enter")
    expect(newest(demo)).to_contain_text("Only for Mara")
    choose(demo, person="ines")
    launcher(demo).click()
    expect(demo.get_by_role("log").get_by_text("Only for Mara")).to_have_count(0)


def test_visitors_off_hides_launcher(demo: Page) -> None:
    choose(demo, person="visitor", visitors="off")
    expect(newest(demo)).to_contain_text("Visitors are switched off")
    expect(launcher(demo)).to_have_count(0)


def test_a_hostile_name_is_text_everywhere(demo: Page, address: str) -> None:
    choose(demo, person="script")
    demo.goto(f"{address}/account")
    expect(newest(demo)).to_contain_text("</script><img src=x onerror=alert(1)>")
    launcher(demo).click()
    expect(panel(demo)).to_be_visible()
    expect(demo.locator("img")).to_have_count(0)


def test_unsaved_settings_show_their_reason(demo: Page) -> None:
    choose(demo, person="script")
    expect(newest(demo)).to_contain_text("Not saved: custom_attributes, only attributes in line are saved")
    expect(newest(demo)).to_contain_text("hide_default_launcher")
    expect(launcher(demo)).to_be_visible()


def test_pages_log_nothing_on_console(page: Page, address: str) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    for path in ("/", "/pricing", "/account"):
        page.goto(address + path)
        launcher(page).click()
        expect(panel(page)).to_be_visible()
    assert said == []


def test_sandbox_reset_empties_received_list(demo: Page, address: str) -> None:
    expect(newest(demo)).to_contain_text("boot")
    demo.request.post(f"{address}/sandbox/inspector/reset")
    expect(demo.locator("#received-none")).to_have_text("Nothing yet.")
    expect(demo.locator("#received-none")).to_be_visible()
    expect(demo.locator("#received .entry")).to_have_count(0)


def test_manual_waits_for_its_button(demo: Page) -> None:
    choose(demo, load="manual")
    expect(launcher(demo)).to_have_count(0)
    demo.get_by_role("button", name="Load now").press("Enter")
    expect(launcher(demo)).to_be_visible()
    expect(demo.get_by_role("button", name="Load now")).to_have_count(0)
    expect(demo.locator("#load-manual")).to_be_focused()


def test_controls_are_at_least_24_pixels(demo: Page, address: str) -> None:
    demo.set_viewport_size({"width": 390, "height": 844})
    choose(demo, person="mara", button="on")
    for path in ("/", "/playground", "/sandbox/inspector"):
        demo.goto(address + path)
        expect(demo.locator("summary, #agree").first).to_be_visible()
        small = "all => all.filter((one) => one.checkVisibility() && one.offsetHeight < 24).map((one) => one.outerHTML)"
        assert demo.locator("a:not(.skip), button, summary").evaluate_all(small) == []


# How many rows the parts of the header stand in.
ROWS = """() => {
  const parts = [...document.querySelectorAll(".brand, .header-end, .header nav")];
  const boxes = parts.map((part) => part.getBoundingClientRect()).sort((first, next) => first.top - next.top);
  return boxes.filter((box, place) => !place || box.top >= boxes[place - 1].bottom - 2).length;
}"""


def test_narrow_header_has_two_rows(demo: Page) -> None:
    demo.set_viewport_size({"width": 390, "height": 844})
    choose(demo, person="mara", button="on")
    wait_for(lambda: demo.evaluate(ROWS) == 2)


def test_launcher_stands_clear_of_workbench(demo: Page) -> None:
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


def test_workbench_needs_neither_mouse_nor_script(browser: Browser, address: str) -> None:
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
        assert demo.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def commands(page: Page) -> list[str]:
    return page.locator("#commands .kind").all_text_contents()


def run(page: Page, typed: str) -> None:
    page.locator("#console-input").fill(typed)
    page.locator("#console-input").press("Control+Enter")


def said(page: Page) -> Any:
    return page.locator("#console-said")


@pytest.mark.parametrize("snippet", ["intercom", "analytics"])
def test_both_snippets_boot_verified_person(demo: Page, address: str, snippet: str) -> None:
    choose(demo, person="mara", snippet=snippet)
    expect(launcher(demo)).to_be_visible()
    assert received(demo, address)["requests"][-1]["settings"]["user_hash"] == "present"


def test_wrong_region_shows_403_and_remedy(demo: Page) -> None:
    choose(demo, person="mara", workspace="eu")
    expect(newest(demo)).to_contain_text("403 refused")
    expect(demo.locator(".remark")).to_contain_text('Remedy: INTERCOM_REGION="eu"')
    expect(launcher(demo)).to_have_count(0)
    choose(demo, region="eu")
    expect(newest(demo)).to_contain_text("200 accepted")
    expect(launcher(demo)).to_be_visible()


def test_rare_setting_stays_in_sight(demo: Page) -> None:
    """The section of seldom used settings is open again after a choice in it."""
    choose(demo, side="left")
    expect(demo.locator("#side-left")).to_be_focused()
    choose(demo, side="right")
    expect(demo.locator("#side-right")).to_be_visible()


def test_another_company_is_told_to_intercom(demo: Page) -> None:
    choose(demo, person="mara", company="kornblume", snippet="analytics")
    choose(demo, company="harbour")
    expect(newest(demo)).to_contain_text("Harbour Street Loaf (org_32)")


@pytest.mark.parametrize("snippet", ["analytics", "intercom"])
def test_in_place_link_updates_intercom(demo: Page, snippet: str) -> None:
    choose(demo, person="mara", snippet=snippet, links="place")
    launcher(demo).click()
    expect(panel(demo)).to_be_visible()
    demo.evaluate("window.same = true")
    demo.get_by_role("navigation", name="Oventide").get_by_role("link", name="Pricing").click()
    expect(demo.get_by_role("heading", name="Priced by the night")).to_be_focused()
    expect(demo.locator("#page-news")).to_have_text("Pricing · Oventide")
    expect(panel(demo)).to_be_visible()
    expect(demo.locator("#commands .kind")).to_have_text(["update", "boot"])
    assert demo.evaluate("window.same")


def test_back_and_forward_restore_pages(demo: Page, address: str) -> None:
    """Pages that were changed in place stand in the browser's history, and the heading gets the focus."""
    choose(demo, links="place")
    demo.get_by_role("link", name="See the prices").click()
    expect(demo).to_have_title("Pricing · Oventide")
    expect(demo.locator('.header a[aria-current="page"]')).to_have_text("Pricing")
    demo.go_back()
    expect(demo.get_by_role("heading", name="settled tonight")).to_be_focused()
    demo.go_forward()
    expect(demo.get_by_role("heading", name="Priced by the night")).to_be_focused()
    expect(demo).to_have_url(f"{address}/pricing")


def test_choice_returns_to_current_page(demo: Page, address: str) -> None:
    """A page that was reached by a change in place is the one that a choice leads back to."""
    choose(demo, links="place")
    demo.get_by_role("link", name="See the prices").click()
    expect(demo).to_have_title("Pricing · Oventide")
    choose(demo, person="mara")
    expect(demo).to_have_url(f"{address}/pricing#person-mara")


def test_failed_fetch_follows_link_as_usual(demo: Page, address: str) -> None:
    choose(demo, links="place")
    demo.route(
        "**/pricing", lambda route: route.abort() if route.request.resource_type == "fetch" else route.continue_()
    )
    demo.get_by_role("link", name="See the prices").click()
    expect(demo).to_have_url(f"{address}/pricing")
    expect(demo.get_by_role("heading", name="Priced by the night")).to_be_visible()


def test_a_typed_call_reaches_the_messenger(demo: Page) -> None:
    choose(demo, person="mara", snippet="analytics")
    expect(launcher(demo)).to_be_visible()
    run(demo, "analytics.track('Baked', {loaves: 12, at: new Date('2026-01-02'),})")
    expect(newest(demo)).to_contain_text('{"loaves":12,"at_at":1767312000}')
    expect(demo.locator("#commands .kind").first).to_have_text("trackEvent")


def test_console_shows_drops_and_results(demo: Page) -> None:
    choose(demo, person="mara", snippet="analytics")
    expect(launcher(demo)).to_be_visible()
    run(demo, 'analytics.identify({createdAt: "some day"})')
    expect(said(demo)).to_contain_text("createdat no date")
    run(demo, "analytics.user().id()")
    expect(said(demo)).to_have_text("usr_2041")


def test_console_needs_analytics_on_page(demo: Page) -> None:
    run(demo, 'analytics.track("Baked")')
    expect(said(demo)).to_contain_text("Choose analytics_snippet under Snippet.")
    expect(launcher(demo)).to_be_visible()
    run(demo, 'Intercom("show")')
    expect(panel(demo)).to_be_visible()


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("analytics.track(window.name)", "Line 1, column 17: window is no value"),
        ("analytics.track(() => 1)", "Line 1, column 17: expected a value"),
        ("analytics.constructor('alert(1)')", "analytics has no method constructor."),
        ("fetch('/')", "Type a call of analytics or Intercom, not of fetch."),
    ],
)
def test_console_runs_only_page_calls(demo: Page, typed: str, reason: str) -> None:
    choose(demo, snippet="analytics")
    expect(launcher(demo)).to_be_visible()
    run(demo, typed)
    expect(said(demo)).to_contain_text(reason)


def test_arrows_recall_typed_calls(demo: Page) -> None:
    for typed in ('Intercom("show")', 'Intercom("hide")'):
        run(demo, typed)
    field = demo.locator("#console-input")
    field.fill("Interc")
    for key, shown in (
        ("Up", 'Intercom("hide")'),
        ("Up", 'Intercom("show")'),
        ("Down", 'Intercom("hide")'),
        ("Down", "Interc"),
    ):
        field.press(f"Arrow{key}")
        expect(field).to_have_value(shown)


def test_commands_wait_for_messenger(demo: Page) -> None:
    choose(demo, load="manual")
    run(demo, 'Intercom("show")')
    expect(demo.locator("#commands .waits")).to_have_count(1)
    demo.get_by_role("button", name="Load now").click()
    expect(panel(demo)).to_be_visible()
    assert commands(demo) == ["show", "boot"]
    expect(demo.locator("#commands .waits")).to_have_count(0)


@pytest.fixture
def playground(demo: Page, address: str) -> Page:
    demo.goto(f"{address}/playground")
    expect(demo.locator("#agree")).to_contain_text("tells it the same")
    return demo


def typed(page: Page) -> Any:
    return page.get_by_role("textbox", name="One call or several")


def told(page: Page) -> Any:
    return page.locator("#commands")


def press(radio: Any) -> None:
    """Choose by keyboard, for what stands above may grow while a pointer is on its way."""
    radio.press("Space")
    expect(radio).to_be_checked()


def test_the_playground_follows_what_is_typed(playground: Page) -> None:
    typed(playground).fill("analytics.identify('user1234', {role: 'Baker', trialEnds: new Date('2026-12-31')})")
    expect(told(playground)).to_contain_text('"trialEnds_at": 1798675200')
    expect(playground.locator("#settings")).to_contain_text('"role": "Baker"')
    expect(playground.locator("#agree")).to_have_text("The browser runtime tells it the same.")


def test_playground_shows_every_output_of_call(playground: Page) -> None:
    """A call shows its requests in either API version, its Python, its HTML and its policy."""
    typed(playground).fill("analytics.identify('user1234', {role: 'Baker'})")
    requests = playground.locator("#requests")
    expect(requests).to_contain_text("POST /contacts")
    expect(requests).to_contain_text('"external_id": "user1234"')
    press(playground.get_by_role("radio", name="1.4, users"))
    expect(requests).to_contain_text("POST /users")
    expect(playground.locator("#python")).to_have_text('intercom.identify("user1234", {"role": "Baker"})')
    expect(playground.locator("#html")).to_contain_text('"custom_attributes":{"role":"Baker"}')
    expect(playground.locator("#policy")).to_contain_text("script-src 'self' 'sha256-")


@pytest.mark.not_in("webkit", reason="WebDriver grants no permission")
def test_rendered_html_can_be_copied(playground: Page) -> None:
    """Where the clipboard is refused, the text is selected instead."""
    playground.evaluate("void (navigator.clipboard.writeText = async (text) => { window.copied = text; })")
    playground.locator("[data-of=html]").click()
    expect(playground.locator("[data-of=html]")).to_have_text("Copied")
    assert playground.evaluate("copied") == playground.locator("#html").text_content()
    playground.evaluate("void (navigator.clipboard.writeText = async () => { throw new Error('not allowed'); })")
    playground.locator("[data-of=policy]").click()
    expect(playground.locator("[data-of=policy]")).to_have_text("Selected")
    assert playground.evaluate("String(getSelection())").startswith("default-src")


def test_examples_agree_with_browser_runtime(playground: Page) -> None:
    for kind in ("identify", "group", "track", "page", "alias"):
        press(playground.get_by_role("radio", name=kind, exact=True))
        for example in playground.locator(".examples button:visible").all():
            with playground.expect_response("**/playground"):
                example.click()
            expect(playground.locator("#agree")).to_contain_text("tells it the same")
            expect(playground.locator("#error")).to_be_hidden()


@pytest.mark.parametrize("text", ["hello", "hello(1)", "analytics", "analytics.hello()"])
def test_non_call_is_answered_with_example(playground: Page, text: str) -> None:
    typed(playground).fill(text)
    expect(playground.get_by_role("alert")).to_contain_text("analytics.identify(…)")


def test_python_is_read_as_well(playground: Page) -> None:
    typed(playground).fill("analytics.track('Baked', {loaves: 12})")
    expect(playground.locator("#python")).to_contain_text("Baked")
    press(playground.get_by_role("radio", name="Python"))
    expect(typed(playground)).to_have_value('intercom.track(None, "Baked", {"loaves": 12})')
    typed(playground).fill(
        'analytics.track("u", "Baked", {"loaves": Decimal("12.50")}, timestamp=datetime(2026, 3, 1))'
    )
    expect(playground.locator("#requests")).to_contain_text('"created_at": 1772323200')
    press(playground.get_by_role("radio", name="JSON"))
    expect(typed(playground)).to_have_value(re.compile('"loaves": "12.50"'))
    press(playground.get_by_role("radio", name="Python"))
    typed(playground).fill("analytics.track('u', event=Baked)")
    expect(playground.get_by_role("alert")).to_have_text("text: line 1: is no literal: type its value")


def test_page_hides_launcher_but_screen_warns(playground: Page) -> None:
    press(playground.get_by_role("radio", name="page", exact=True))
    expect(told(playground)).to_contain_text('"hide_default_launcher": true')
    expect(playground.locator("#python")).to_contain_text('intercom.page("user1234", "Docs", "Checkout"')
    press(playground.get_by_role("radio", name="screen", exact=True))
    expect(playground.locator("#warnings")).to_contain_text("a screen and an alias have no effect in Intercom")
    expect(playground.locator("#agree")).to_have_text("Not compared with the browser runtime: a page has no such call.")


def test_copied_link_restores_text_and_choices(playground: Page) -> None:
    typed(playground).fill("analytics.identify('user1234', {role: 'Bäcker & Söhne #1'})")
    press(playground.get_by_role("radio", name="jwt"))
    expect(told(playground)).to_contain_text("intercom_user_jwt")
    playground.evaluate("void (navigator.clipboard.writeText = async (text) => { window.copied = text; })")
    playground.get_by_role("button", name="Copy a link to this").click()
    wait_for(lambda: playground.evaluate("window.copied"))
    link = playground.evaluate("copied")
    assert link == playground.url
    playground.goto("about:blank")
    playground.goto(link)
    expect(typed(playground)).to_have_value("analytics.identify('user1234', {role: 'Bäcker & Söhne #1'})")
    expect(playground.get_by_role("radio", name="jwt")).to_be_checked()
    expect(told(playground)).to_contain_text("intercom_user_jwt")


def test_page_stays_still_while_typing(playground: Page) -> None:
    place = "document.getElementById('settings-title').getBoundingClientRect().top"
    before = playground.evaluate(place)
    playground.evaluate(
        f"void (window.places = new Set(), new MutationObserver(() => places.add({place}))"
        ".observe(document.getElementById('results'), {childList: true, subtree: true, attributes: true}))"
    )
    text = typed(playground).input_value()
    typed(playground).fill(text.replace("Teemo", "Timmo"))
    expect(playground.locator("#settings")).to_contain_text("Timmo")
    expect(playground.locator("#agree")).to_contain_text("tells it the same")
    assert playground.evaluate("[...places]") == [before]


def test_invalid_call_leaves_last_result(playground: Page) -> None:
    """The alert gives line and column of the mistake, and goes away once the call is right."""
    typed(playground).fill('analytics.identify("user1234", {role: Baker})')
    expect(playground.get_by_role("alert")).to_have_text("Line 1, column 39: Baker is no value: put text in quotes")
    expect(told(playground)).to_contain_text("teemo@segment.com")
    typed(playground).fill('analytics.identify("user1234", {role: "Baker"})')
    expect(playground.get_by_role("alert")).to_be_hidden()
    expect(told(playground)).to_contain_text("Baker")


def test_call_converts_to_json_and_back(playground: Page) -> None:
    typed(playground).fill('analytics.track("Baked", {loaves: 12, "rye bread": 3}, {integrations: {All: true}})')
    press(playground.get_by_role("radio", name="JSON"))
    expect(typed(playground)).to_have_value(re.compile('^{\\s+"type": "track",\\s+"event": "Baked"'))
    press(playground.get_by_role("radio", name="JavaScript"))
    expect(typed(playground)).to_have_value(re.compile(r'track\("Baked", {\s+loaves: 12,\s+"rye bread": 3\s+}, {'))
    expect(playground.get_by_role("radio", name="track")).to_be_checked()


def test_invalid_json_and_fields_are_refused(playground: Page) -> None:
    """The alert gives the place of a mistake in JSON and, where calls are strict, the wrong field."""
    press(playground.get_by_role("radio", name="JSON"))
    typed(playground).fill('{"userId": "user1234",')
    expect(playground.get_by_role("alert")).to_contain_text("text: is not valid JSON: line 1, column 23")
    press(playground.get_by_role("radio", name="True"))
    typed(playground).fill('{"userId": true}')
    expect(playground.get_by_role("alert")).to_contain_text("user_id: must be a string")


def test_large_number_is_rounded_in_javascript(playground: Page) -> None:
    """JSON keeps all digits, so the page says that the browser runtime tells it otherwise."""
    typed(playground).fill("analytics.identify(90071992547409937)")
    expect(playground.locator("#warnings")).to_contain_text("put it in quotes")
    press(playground.get_by_role("radio", name="JSON"))
    typed(playground).fill('{"userId": 90071992547409937}')
    expect(told(playground)).to_contain_text('"90071992547409937"')
    expect(playground.locator("#agree")).to_contain_text("otherwise")


def test_playground_treats_hostile_text_as_text(playground: Page) -> None:
    typed(playground).fill(
        "analytics.identify('u', {'<img src=x onerror=alert(1)>': '</pre><img src=x onerror=alert(1)>'})"
    )
    expect(told(playground)).to_contain_text("</pre><img src=x onerror=alert(1)>")
    expect(playground.locator("img")).to_have_count(0)


def test_tab_leaves_text_for_options(playground: Page) -> None:
    """Arrow keys then choose an option, and the page announces the new result."""
    typed(playground).focus()
    playground.keyboard.press("Tab")
    expect(playground.get_by_role("radio", name="no secret")).to_be_focused()
    playground.keyboard.press("ArrowRight")
    expect(told(playground)).to_contain_text('"user_hash"')
    expect(playground.locator("#news")).to_contain_text("The Messenger is told boot.")


READ = "async (text) => JSON.stringify((await import('/static/literal.js')).parseValue(text))"
WRONG = """async (text) => {
  const { parseValue } = await import('/static/literal.js');
  try { return parseValue(text); } catch (error) { return error.message; }
}"""


@pytest.fixture
def literal(page: Page, address: str) -> Page:
    """A page that may import the parser: the site's own policy lets no test import anything."""
    page.goto(f"{address}/static/icon.svg")
    return page


@pytest.mark.parametrize(
    ("text", "json"),
    [
        ("{a: 1, 'b': [2, 3,], \"c\": {},}", '{"a":1,"b":[2,3],"c":{}}'),
        ("/* one */ -1.5e3 // two", "-1500"),
        ("0xff", "255"),
        ("1_000", "1000"),
        ("[.5, 5., +3]", "[0.5,5,3]"),
        (r"'it\'s \u00e9\x41\u{1f35e}\n'", '"it\'s éA🍞\\n"'),
        ("`a $ b`", '"a $ b"'),
        ("new Date('2026-01-02')", '"2026-01-02T00:00:00.000Z"'),
        ("{a: undefined, b: null, c: true}", '{"b":null,"c":true}'),
        ("{__proto__: 1, 2: 3, $né: 4}", '{"2":3,"__proto__":1,"$né":4}'),
    ],
)
def test_literal_is_read_like_javascript(literal: Page, text: str, json: str) -> None:
    assert literal.evaluate(READ, text) == json


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Line 1, column 1: expected a value, found the end"),
        ("{a: 1 b: 2}", 'Line 1, column 7: expected , or } in an object, found "b"'),
        ("[1,\n 2", "Line 2, column 3: expected , or ] in a list, found the end"),
        ("'open", "Line 1, column 1: this text has no closing quote"),
        ("`${name}`", "Line 1, column 2: ${…} would have to be run: type its value"),
        ("function () {}", "Line 1, column 1: a function cannot be typed here"),
        ("x => 1", "Line 1, column 1: a function cannot be typed here"),
        ("new Date('some day')", "Line 1, column 1: this is no date"),
        ("new Image()", "Line 1, column 1: new is no value: put text in quotes"),
        ("1 2", 'Line 1, column 3: expected the end, found "2"'),
        ("/* open", "Line 1, column 1: this comment has no end"),
        ("12px", 'Line 1, column 1: expected a value, found "1"'),
        ("[" * 61, "Line 1, column 61: nested more than 60 deep"),
    ],
)
def test_invalid_literal_error_gives_position(literal: Page, text: str, message: str) -> None:
    assert literal.evaluate(WRONG, text) == message
