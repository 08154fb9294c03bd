"""The sandbox's widget in a real browser: how it boots, looks, behaves and ends."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from .sandbox_pages import APP, Site, booted, box, launcher, panel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import ConsoleMessage, Error, Page, Route

    from segment_intercom.testing.sandbox import IntercomSandbox

pytestmark = pytest.mark.not_in(
    "webkit", reason="WebDriver has no interception, console and clock; test_every_engine.py writes in the Messenger"
)
BODILESS = pytest.mark.not_in("firefox", reason="WebDriver BiDi hands no bodies of requests to who intercepts them")
SCHEMELESS = pytest.mark.not_in("firefox", reason="Playwright cannot choose the colour scheme of the system's Firefox")
ADA = {"user_id": "42", "name": "Ada Lovelace", "email": "ada@example.com"}


@pytest.fixture
def site(serve: Callable[[Any], str], intercom_sandbox: IntercomSandbox) -> Site:
    return Site(serve, intercom_sandbox)


@pytest.fixture
def console(page: Page) -> Iterator[list[ConsoleMessage]]:
    said: list[ConsoleMessage] = []
    thrown: list[Error] = []
    page.on("console", lambda message: said.append(message))
    page.on("pageerror", lambda error: thrown.append(error))
    yield said
    assert thrown == []


def say(page: Page, text: str) -> None:
    box(page).fill(text)
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text(text)


# --- boot


def test_settings_boot_the_messenger(site: Site, page: Page) -> None:
    """With settings on the page the widget boots by itself, without a call."""
    site.open(page, ADA)
    assert booted(page).get_attribute("data-user-id") == "42"
    expect(launcher(page)).to_be_visible()
    assert site.sandbox.requests[0]["settings"] == ADA


def test_it_drains_the_queue_in_order(site: Site, messenger: Any, page: Page) -> None:
    site.open(page, None, queued="Intercom('boot', {user_id: '7'}); Intercom('trackEvent', 'One', {n: 1});")
    page.evaluate("Intercom('trackEvent', 'Two')")
    messenger.expect_told(["boot", "event", "event"])
    assert site.sandbox.requests[1]["settings"] == {"event_name": "One", "metadata": {"n": 1}}


def test_update_after_boot_leaves_boot_unchanged(site: Site, messenger: Any, page: Page) -> None:
    site.open(page, None, queued="Intercom('boot', {user_id: '7'}); Intercom('update', {user_id: '7', plan: 'pro'});")
    messenger.expect_told(["boot", "update"])
    assert site.sandbox.requests[0]["settings"] == {"user_id": "7"}
    assert site.sandbox.requests[1]["settings"] == {"user_id": "7", "plan": "pro"}


def test_second_script_keeps_first_messenger(site: Site, messenger: Any, page: Page) -> None:
    site.open(page, ADA)
    page.add_script_tag(url=site.widget)
    assert page.locator("#intercom-container").count() == 1
    assert [kind for kind, _ in messenger.calls] == ["boot"]


def test_it_works_without_a_shim(site: Site, page: Page) -> None:
    page.goto(f"{site.sandbox.address}/inspector")
    page.add_script_tag(url=site.widget)
    page.evaluate("Intercom('boot')")
    expect(launcher(page)).to_be_visible()


def test_hostile_names_and_values_arrive_unchanged(site: Site, page: Page, console: list[ConsoleMessage]) -> None:
    hostile = {"__proto__": "p", "constructor": "c", "toString": "</script><img src=x onerror=alert(1)>"}
    site.open(page, {**hostile, "user_id": "42", "name": "<b>Ada</b>"})
    launcher(page).click()
    expect(panel(page)).to_contain_text("Hi <b>Ada</b>")
    assert site.sandbox.people[0]["custom_attributes"] == hostile
    assert console == []


def test_the_region_decides_the_address(site: Site, page: Page) -> None:
    site.workspace.region = "eu"
    site.open(page, {"api_base": "https://api-iam.eu.intercom.io"})
    assert site.sandbox.requests[0]["region"] == "eu"
    site.open(page, {"api_base": f"{site.sandbox.address}/messenger/eu"})


def test_refusal_hides_launcher_and_logs_once(site: Site, page: Page, console: list[ConsoleMessage]) -> None:
    site.workspace.identity_secret = "a-secret-that-is-not-real"
    site.write({**ADA, "user_hash": "wrong"})
    with page.expect_console_message(lambda said: said.text.startswith("Intercom:")):
        page.goto(site.address)
    expect(page.locator("#intercom-container")).to_have_count(0)
    (said,) = [said for said in console if said.text.startswith("Intercom:")]
    assert said.type == "error"
    assert "proof_wrong" in said.text


def test_visitors_switched_off_see_nothing(site: Site, page: Page) -> None:
    site.workspace.visitors = False
    site.open(page, {})
    page.evaluate("Intercom('show')")
    expect(launcher(page)).to_have_count(0)
    expect(panel(page)).to_have_count(0)


def test_widget_works_under_strict_policy(site: Site, page: Page, console: list[ConsoleMessage]) -> None:
    """The widget needs no inline styles, so that a policy without any style source is obeyed."""
    policy = "default-src 'none'; script-src 'nonce-n0nce'; img-src data:; connect-src " + site.sandbox.address
    site.headers = {"Content-Security-Policy": policy}
    site.open(page, {**ADA, "action_color": "#ffd23f"})
    launcher(page).click()
    expect(panel(page)).to_have_css("position", "fixed")
    assert console == []


@BODILESS
def test_widget_from_intercoms_host_pings_intercom(site: Site, page: Page) -> None:
    """A widget that is loaded from Intercom's own address also sends to Intercom's own host."""

    def forward(route: Route) -> None:
        target = re.sub(r"https://api-iam.intercom.io", "/messenger/us", route.request.url)
        target = target.replace("https://widget.intercom.io", "")
        route.fulfill(response=route.fetch(url=f"{site.sandbox.address}{target}"))

    page.route("https://*.intercom.io/**", forward)
    site.write(ADA)
    site.html = site.html.replace(f"{site.sandbox.address}/widget", "https://widget.intercom.io/widget")
    with page.expect_request("https://api-iam.intercom.io/ping"):
        page.goto(site.address)
    booted(page)


# --- launcher and panel


def test_panel_works_by_keyboard_alone(site: Site, page: Page) -> None:
    site.open(page, ADA)
    page.keyboard.press("Tab")
    expect(launcher(page)).to_be_focused()
    page.keyboard.press("Enter")
    expect(panel(page)).to_contain_text("Hi Ada, how can we help?")
    expect(launcher(page)).to_have_attribute("aria-expanded", "true")
    expect(box(page)).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel(page)).to_have_count(0)
    expect(launcher(page)).to_be_focused()


def test_enter_sends_shift_enter_breaks_line(site: Site, page: Page) -> None:
    site.open(page, ADA)
    launcher(page).click()
    page.keyboard.type("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("one two")
    expect(box(page)).to_have_value("")
    assert site.sandbox.requests[-1]["settings"] == {"text": "one\ntwo"}


def test_conversations_survive_reload_until_shutdown(site: Site, messenger: Any, page: Page) -> None:
    site.open(page, ADA)
    launcher(page).click()
    say(page, "Remember me")
    page.reload()
    launcher(page).click()
    expect(page.get_by_role("log")).to_contain_text("Remember me")
    page.evaluate("Intercom('shutdown'); Intercom('boot', {})")
    launcher(page).click()
    expect(panel(page)).to_contain_text("Hi there")
    expect(page.get_by_role("log")).not_to_contain_text("Remember me")
    assert [kind for kind, _ in messenger.calls][-2:] == ["shutdown", "boot"]


def test_unsent_message_stays_in_field(site: Site, page: Page) -> None:
    site.open(page, ADA)
    launcher(page).click()
    site.sandbox.clear()
    page.keyboard.type("Lost?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Not sent. Reload the page and try again.")
    expect(box(page)).to_have_value("Lost?")


def test_lost_connection_shows_remedy_and_cause(site: Site, page: Page, console: list[ConsoleMessage]) -> None:
    """The writer reads a remedy and the console tells the cause; sending again then works."""
    site.open(page, ADA)
    launcher(page).click()
    page.route("**/messages", lambda route: route.abort())
    page.keyboard.type("Lost?")
    page.keyboard.press("Enter")
    status = page.get_by_role("status")
    expect(status).to_have_text("Not sent. Check your connection and press Send again.")
    expect(status).to_have_css("color", "rgb(179, 38, 30)")
    (said,) = [said.text for said in console if said.text.startswith("Intercom:")]
    assert f"unreachable: {site.sandbox.address}/messenger/us/messages cannot be reached" in said
    page.unroute("**/messages")
    page.keyboard.press("Enter")
    expect(status).to_have_text("Sent")
    expect(status).not_to_have_class(re.compile("failed"))


def test_several_conversations_are_listed_and_opened(site: Site, page: Page) -> None:
    site.open(page, ADA)
    launcher(page).click()
    say(page, "First")
    page.evaluate("Intercom('showNewMessage', 'Second')")
    expect(box(page)).to_have_value("Second")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("Second")
    page.get_by_role("button", name="All messages").click()
    page.get_by_role("button", name="First").click()
    expect(page.get_by_role("log")).to_contain_text("First")


@pytest.mark.parametrize(("hidden", "count"), [(True, 0), (False, 1), (None, 1)])
def test_the_launcher_has_three_states(site: Site, page: Page, hidden: bool | None, count: int) -> None:
    site.open(page, {**ADA, "hide_default_launcher": hidden})
    expect(launcher(page)).to_have_count(count)
    page.evaluate("Intercom('show')")
    expect(panel(page)).to_be_visible()


def test_late_custom_launcher_opens_panel(site: Site, page: Page) -> None:
    site.open(page, {"custom_launcher_selector": ".help", "hide_default_launcher": True})
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<a href=\"/x\" class=help><i>Help</i></a>')")
    page.get_by_role("link", name="Help").click()
    expect(panel(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Help")).to_be_focused()
    page.keyboard.press("Enter")
    expect(panel(page)).to_be_visible()


def test_invalid_selector_only_logs_warning(site: Site, page: Page, console: list[ConsoleMessage]) -> None:
    site.open(page, {"custom_launcher_selector": "#["})
    page.mouse.click(5, 5)
    assert [said.type for said in console] == ["warning"]
    expect(launcher(page)).to_be_visible()


def test_launcher_placement_follows_settings(site: Site, page: Page) -> None:
    site.open(page, {"alignment": "left", "horizontal_padding": 40, "vertical_padding": 5, "z_index": 7})
    for name, value in (("left", "40px"), ("bottom", "20px"), ("z-index", "7")):
        expect(launcher(page)).to_have_css(name, value)


@pytest.mark.parametrize(("colour", "text"), [("#ffd23f", "rgb(22, 24, 29)"), ("rgb(20 40 160)", "rgb(255, 255, 255)")])
def test_launcher_text_contrasts_with_its_colour(site: Site, page: Page, colour: str, text: str) -> None:
    site.open(page, {"action_color": colour})
    expect(launcher(page)).to_have_css("color", text)


def luminance(colour: str) -> float:
    shares = [int(channel) / 255 for channel in re.findall(r"\d+", colour)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def icon_colours(site: Site, page: Page, colour: str | None, theme: str) -> tuple[str, str]:
    """The colours of an icon in the open panel, and of what it stands on."""
    site.open(page, {"action_color": colour, "theme_mode": theme})
    launcher(page).click()
    icon = page.locator(".hint .icon").evaluate("icon => getComputedStyle(icon).color")
    return icon, panel(page).evaluate("panel => getComputedStyle(panel).backgroundColor")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("colour", ["#14634a", "#ffd23f", "#000", "#fff", "#808080", None])
def test_icons_contrast_with_the_panel(site: Site, page: Page, colour: str | None, theme: str) -> None:
    """A contrast of at least 4.5, whatever the action colour is."""
    dark, light = sorted(map(luminance, icon_colours(site, page, colour, theme)))
    assert (light + 0.05) / (dark + 0.05) >= 4.5


@pytest.mark.parametrize(
    ("colour", "theme", "shown"),
    [("#14634a", "light", "rgb(20, 99, 74)"), ("#ffd23f", "dark", "rgb(255, 210, 63)")],
)
def test_legible_action_colour_paints_icons(site: Site, page: Page, colour: str, theme: str, shown: str) -> None:
    assert icon_colours(site, page, colour, theme)[0] == shown


def test_own_link_colour_is_used_unchanged(site: Site, page: Page) -> None:
    site.open(page, {"action_color": "#14634a", "link_color": "#aa00aa"})
    launcher(page).click()
    expect(page.locator(".hint .icon")).to_have_css("color", "rgb(170, 0, 170)")


@pytest.mark.parametrize(
    ("theme", "scheme", "dark"),
    [
        ("dark", "light", True),
        pytest.param("system", "dark", True, marks=SCHEMELESS),
        ("system", "light", False),
        (None, "dark", False),
    ],
)
def test_the_theme_is_honoured(site: Site, page: Page, theme: str | None, scheme: Any, dark: bool) -> None:
    page.emulate_media(color_scheme=scheme)
    site.open(page, {"theme_mode": theme})
    launcher(page).click()
    expect(panel(page)).to_have_css("background-color", "rgb(22, 24, 29)" if dark else "rgb(255, 255, 255)")


def test_panel_fills_a_narrow_screen(site: Site, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 700})
    page.emulate_media(reduced_motion="reduce")
    site.open(page, ADA)
    launcher(page).click()
    assert panel(page).bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 700}
    page.get_by_role("button", name="Close").click()
    expect(launcher(page)).to_be_focused()


def test_page_styles_do_not_reach_widget(site: Site, page: Page) -> None:
    site.open(page, ADA, body="<style>* { color: red !important } button { display: none !important }</style>")
    expect(launcher(page)).to_be_visible()
    expect(launcher(page)).to_have_css("color", "rgb(255, 255, 255)")


def test_typing_is_hidden_from_page(site: Site, page: Page) -> None:
    site.open(page, ADA, body="<script nonce=n0nce>heard = 0; document.onkeydown = () => { heard += 1 }</script>")
    launcher(page).click()
    page.keyboard.type("hello")
    assert page.evaluate("heard") == 0


def test_launcher_survives_body_swap(site: Site, page: Page) -> None:
    site.open(page, ADA)
    page.evaluate("document.documentElement.replaceChild(document.createElement('body'), document.body)")
    expect(launcher(page)).to_be_visible()
    page.evaluate("document.body.innerHTML = ''; Intercom('update', {})")
    expect(launcher(page)).to_be_visible()


# --- methods


def test_updates_beyond_twenty_are_throttled(
    site: Site, messenger: Any, page: Page, console: list[ConsoleMessage]
) -> None:
    site.open(page, ADA)
    page.evaluate("for (let n = 0; n < 22; n += 1) Intercom('update', {n}); Intercom('trackEvent', 'Last')")
    messenger.expect_told(["boot", *["update"] * 20, "event"])
    assert len([said for said in console if "throttled" in said.text]) == 2


def test_identical_updates_merge_for_a_minute(site: Site, messenger: Any, page: Page) -> None:
    page.clock.install()
    site.open(page, ADA)
    page.evaluate("for (let n = 0; n < 3; n += 1) Intercom('update', {plan: 'pro'})")
    page.clock.fast_forward(61_000)
    page.evaluate("Intercom('update', {plan: 'pro'}); Intercom('trackEvent', 'Last')")
    messenger.expect_told(["boot", "update", "update", "event"])


def test_callbacks_run_even_if_some_throw(site: Site, page: Page, console: list[ConsoleMessage]) -> None:
    queued = (
        "said = []; Intercom('ready', () => { throw Error('mine') }); Intercom('ready', () => said.push('ready'));"
        "Intercom('onShow', () => said.push('show')); Intercom('onHide', () => said.push('hide'));"
        "Intercom('onUnreadCountChange', (n) => said.push(n));"
    )
    site.open(page, ADA, queued=queued)
    page.evaluate("Intercom('show'); Intercom('show'); Intercom('hide')")
    assert page.evaluate("said") == ["ready", 0, "show", "hide"]
    assert [said.type for said in console] == ["error"]


@pytest.mark.parametrize(
    ("call", "title"),
    [
        ("'showArticle', 12", "Article 12"),
        ("'startTour', 12", "Product tour 12"),
        ("'showSpace', 'help'", "Space help"),
        ("'showConversation', '<i>'", "Conversation <i>"),
    ],
)
def test_content_method_shows_a_placeholder(site: Site, page: Page, call: str, title: str) -> None:
    """A method that needs content of Intercom's shows the heading of what it would open."""
    site.open(page, ADA)
    page.evaluate(f"Intercom({call})")
    expect(panel(page).get_by_role("heading")).to_have_text(title)


def test_an_unknown_method_is_warned_of(site: Site, page: Page, console: list[ConsoleMessage]) -> None:
    site.open(page, ADA)
    page.evaluate("Intercom('constructor'); Intercom('dance'); Intercom()")
    assert [said.type for said in console] == ["warning"] * 3


def test_settings_outside_json_do_not_throw(
    site: Site, messenger: Any, page: Page, console: list[ConsoleMessage]
) -> None:
    site.open(page, ADA)
    page.evaluate("const loop = {}; loop.self = loop; Intercom('update', {loop}); Intercom('update', {n: 1n, f() {}})")
    messenger.expect_told(["boot", "update"])
    assert site.sandbox.requests[-1]["settings"] == {"n": "1"}
    assert [said.type for said in console] == ["error"]


# --- cookies


def test_cookies_match_intercoms_names_and_lifetimes(site: Site, page: Page) -> None:
    site.open(page, ADA)
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    days = {f"intercom-id-{APP}": 271, f"intercom-session-{APP}": 7, f"intercom-device-id-{APP}": 271}
    assert set(cookies) == set(days)
    now = page.evaluate("Date.now() / 1000")
    for name, cookie in cookies.items():
        assert cookie["expires"] - now == pytest.approx(days[name] * 86400, abs=60)
        assert (cookie["sameSite"], cookie["httpOnly"], cookie["path"]) == ("Lax", False, "/")
        assert cookie["domain"] == "127.0.0.1"
    assert page.evaluate("Intercom('getVisitorId')") == cookies[f"intercom-id-{APP}"]["value"]


@BODILESS
def test_cookies_cover_the_registrable_domain(site: Site, page: Page) -> None:
    def forward(route: Route) -> None:
        path = route.request.url.removeprefix("http://a.shop.example.co.uk")
        server, path = (site.sandbox.address, path[9:]) if path.startswith("/intercom") else (site.address, path)
        route.fulfill(response=route.fetch(url=server + path))

    page.route("http://a.shop.example.co.uk/**", forward)
    site.widget = f"/intercom/widget/{APP}"
    site.write(ADA)
    page.goto("http://a.shop.example.co.uk/")
    booted(page)
    assert {cookie["domain"] for cookie in page.context.cookies()} == {".example.co.uk"}


def test_the_shutdown_deletes_the_session(site: Site, page: Page) -> None:
    site.open(page, ADA)
    before = page.evaluate("Intercom('getVisitorId')")
    page.evaluate("Intercom('shutdown')")
    assert [cookie["name"] for cookie in page.context.cookies()] == [f"intercom-device-id-{APP}"]
    expect(page.locator("#intercom-container")).to_have_count(0)
    page.evaluate("Intercom('boot', {})")
    booted(page)
    assert page.evaluate("Intercom('getVisitorId')") != before


def test_shutdown_before_boot_ends_last_session(site: Site, page: Page) -> None:
    site.open(page, ADA)
    site.open(page, None, queued="Intercom('shutdown'); Intercom('boot', {});")
    assert booted(page).get_attribute("data-role") == "visitor"


def test_session_continues_without_shutdown(site: Site, page: Page) -> None:
    site.open(page, ADA)
    site.open(page, {})
    assert booted(page).get_attribute("data-user-id") == "42"


def test_frame_without_cookies_shows_launcher(site: Site, page: Page) -> None:
    site.write(ADA)
    inner = site.html.replace('"', "&quot;")
    page.goto(f"{site.sandbox.address}/static/inspector.css")
    page.set_content(f'<iframe sandbox="allow-scripts" width=600 height=600 srcdoc="{inner}"></iframe>')
    expect(page.frame_locator("iframe").get_by_role("button", name="Intercom Messenger")).to_be_visible()


# --- inspector


def test_inspector_shows_requests_live(site: Site, page: Page) -> None:
    """The inspector follows live what another page sends, and clears everything when asked twice."""
    page.goto(f"{site.sandbox.address}/inspector")
    expect(page.get_by_text("Nobody yet.")).to_be_visible()
    tab = page.context.new_page()
    site.open(tab, {**ADA, "tags": ["a"]})
    expect(page.locator("#people")).to_contain_text("Ada Lovelace")
    expect(page.locator("#requests")).to_contain_text("tags objects and arrays are not saved")
    expect(page.locator("#requests")).to_contain_text("boot200Ada Lovelace")
    page.get_by_role("button", name="Clear everything").click()
    page.get_by_role("button", name="Really clear everything?").click()
    expect(page.locator("#requests li")).to_have_count(0)
    expect(page.get_by_text("Nobody yet.")).to_be_visible()


def test_request_row_shows_page_and_changes(site: Site, page: Page) -> None:
    site.open(page, {**ADA, "plan": "pro"})
    page.evaluate("Intercom('update', {plan: 'free', seats: 3})")
    inspector = page.context.new_page()
    inspector.goto(f"{site.sandbox.address}/inspector")
    rows = inspector.locator("#requests li")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("changed: plan, seats")
    expect(rows.last).to_contain_text("/")
    expect(rows.last).to_contain_text("changed: user_id, name, email, plan")
    expect(inspector.get_by_role("button", name="Show only Ada Lovelace")).to_have_text("Only Ada")


def test_teammate_answer_updates_unread_count(site: Site, page: Page) -> None:
    site.open(page, ADA)
    page.evaluate("void (window.counts = [], Intercom('onUnreadCountChange', (count) => counts.push(count)))")
    launcher(page).click()
    page.keyboard.type("Is anybody there?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("Is anybody there?")
    page.keyboard.press("Escape")
    inspector = page.context.new_page()
    inspector.goto(f"{site.sandbox.address}/inspector#view=conversations")
    inspector.get_by_role("textbox", name="Answer Ada Lovelace as a teammate").fill("Yes, <b>we</b> are.")
    inspector.keyboard.press("Enter")
    expect(inspector.locator("#conversations")).to_contain_text("Yes, <b>we</b> are.")
    page.bring_to_front()
    expect(page.get_by_role("button", name="Open Intercom Messenger, 1 unread")).to_be_visible()
    launcher(page).click()
    expect(page.get_by_role("log")).to_contain_text("Yes, <b>we</b> are.")
    expect(page.get_by_role("button", name="Close Intercom Messenger", exact=True)).to_be_visible()
    page.wait_for_function("counts.at(-1) === 0")
    assert page.evaluate("counts") == [0, 1, 0]
    expect(inspector.locator("#conversations")).not_to_contain_text("unread")


def test_unread_count_survives_reload(site: Site, page: Page) -> None:
    site.open(page, ADA)
    site.sandbox.reply("Welcome!", user_id=str(ADA["user_id"]))
    page.reload()
    expect(page.get_by_role("button", name="Open Intercom Messenger, 1 unread")).to_be_visible()
    launcher(page).click()
    expect(page.get_by_role("log")).to_contain_text("Welcome!")
    expect(page.get_by_role("button", name="Close Intercom Messenger", exact=True)).to_be_visible()


def test_inspector_names_refused_user_and_script(site: Site, page: Page) -> None:
    """A script with an unknown app id is shown with the INTERCOM_APP_ID that should be set."""
    site.workspace.identity_secret = "a-secret-that-is-not-real"
    site.write(ADA)
    page.goto(site.address)
    page.request.get(f"{site.sandbox.address}/widget/another1")
    page.goto(f"{site.sandbox.address}/inspector")
    refused = page.locator("#requests .refused")  # in the order in which they came, which may be either
    expect(refused).to_have_count(2)
    assert any("Ada Lovelace" in text for text in refused.all_text_contents())
    assert any("set INTERCOM_APP_ID=sandbox1" in text for text in refused.all_text_contents())


def test_inspector_visual_order_matches_document(site: Site, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{site.sandbox.address}/inspector")
    expect(page.get_by_text("Nothing yet.")).to_be_visible()
    parts = page.locator("h1, #workspaces, #search, .views, .pane:visible .segments, .empty:visible")
    tops = parts.evaluate_all("all => all.map((one) => one.getBoundingClientRect().y)")
    assert len(tops) == 6
    assert tops == sorted(tops)
