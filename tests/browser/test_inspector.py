"""The sandbox's inspector in a real browser: what it shows, how it is filtered, and that it stays as it is."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from segment_intercom.sandbox import Fault, Workspace, create_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from playwright.sync_api import Error, Locator, Page

pytestmark = pytest.mark.not_in("firefox", "webkit", reason="the inspector is for developers, in one engine")
APP = "abc12345"
HOSTILE = "</script><img src=x onerror=alert(1)>"


class Inspected:
    """A sandbox that is filled from Python, and its inspector in a page."""

    def __init__(self, app: Flask, address: str, page: Page) -> None:
        self.workspace: Workspace = app.extensions["sandbox"].workspaces[APP]
        self.client = app.test_client()
        self.address = f"{address}/inspector"
        self.page = page

    def rest(self, method: str, path: str, body: Any = None, version: str = "2.16") -> Any:
        """Send one request to the REST API; gives its answer."""
        headers = {"Authorization": "Bearer any", "Intercom-Version": version}
        return self.client.open(path, method=method, json=body, headers=headers)

    def contact(self, user_id: str, **fields: Any) -> str:
        """Create a contact; gives Intercom's id."""
        return str(self.rest("POST", "/contacts", {"external_id": user_id, **fields}).json["id"])

    def event(self, name: str, user_id: str, **fields: Any) -> Any:
        """Track an event of a user."""
        body = {"event_name": name, "user_id": user_id, "created_at": 1_700_000_000, **fields}
        return self.rest("POST", "/events", body)

    def boot(self, **settings: Any) -> Any:
        """Boot the Messenger of a page."""
        body = {"app_id": APP, "action": "boot", "visitor_id": "v1", "settings": settings}
        return self.client.post("/messenger/us/ping", json=body).json

    def open(self, fragment: str = "") -> None:
        """Open the inspector and wait until it shows the state."""
        self.page.goto(self.address + fragment)
        expect(self.page.get_by_role("status")).to_have_text("Live")

    def view(self, name: str) -> None:
        """Choose what the records show."""
        self.page.get_by_role("navigation").get_by_role("button", name=name).click()

    @property
    def requests(self) -> Locator:
        """The rows of the requests."""
        return self.page.locator("#requests > li")

    @property
    def people(self) -> Locator:
        """The rows of the people."""
        return self.page.locator("#people > li")


@pytest.fixture
def seen(serve: Callable[[Any], str], page: Page) -> Iterator[Inspected]:
    thrown: list[Error] = []
    page.on("pageerror", lambda error: thrown.append(error))
    app = create_sandbox(Workspace(APP, name="Acme", region="eu"))
    yield Inspected(app, serve(app), page)
    assert thrown == []


# --- requests


def test_requests_are_listed_newest_first(seen: Inspected) -> None:
    """Requests of pages and of the REST API stand together in one list."""
    seen.workspace.region = "us"
    seen.boot(user_id="42", name="Ada")
    seen.rest("GET", "/users?user_id=42", version="1.4")
    seen.open()
    expect(seen.requests.nth(0)).to_contain_text(re.compile(r"GET /users\?user_id=42.*200.*Ada.*REST 1\.4.* ms"))
    expect(seen.requests.nth(1)).to_contain_text(re.compile(r"boot.*200.*Ada.*Page"))


def test_closed_refusal_shows_reason_and_remedy(seen: Inspected) -> None:
    seen.contact("42")
    seen.rest("POST", "/contacts", {"external_id": "43", "custom_attributes": {"plan": "pro"}})
    seen.open()
    reason = seen.requests.first.locator(".reason")
    expect(reason).to_have_text(
        "parameter_invalid Custom attribute 'plan' does not existRemedy: create it first with POST /data_attributes"
    )
    expect(seen.requests.first).to_contain_text("400")


def test_keyboard_opens_request_and_answer(seen: Inspected) -> None:
    seen.contact("42", name="Ada")
    seen.open()
    seen.requests.first.locator("summary").focus()
    seen.page.keyboard.press("Enter")
    sent, answer = (seen.requests.first.locator("pre").nth(place) for place in (0, 1))
    expect(sent.locator(".name").first).to_have_text('"external_id"')
    assert json.loads(sent.inner_text()) == {"external_id": "42", "name": "Ada"}
    assert json.loads(answer.inner_text())["type"] == "contact"
    expect(seen.requests.first).to_contain_text(f"#1 · {APP} · eu · Intercom-Version 2.16")


def test_requests_show_notes_and_faults(seen: Inspected) -> None:
    """A request shows what was not saved of it, that its event came twice, or which fault struck it."""
    seen.contact("42")
    seen.event("Paid", "42", metadata={f"k{number}": number for number in range(14)})
    seen.event("Paid", "42")
    seen.workspace.faults = (Fault(status=503),)
    seen.event("Paid", "42")
    seen.open()
    expect(seen.requests.nth(0)).to_contain_text("fault: 503")
    expect(seen.requests.nth(2)).to_contain_text("metadata.k10 an event keeps its first 10 keys")
    expect(seen.requests.nth(2)).to_contain_text("and 1 more")
    seen.requests.nth(1).locator("summary").click()
    expect(seen.requests.nth(1)).to_contain_text("The same event of this second is there already")


def test_requests_are_filtered_by_kind(seen: Inspected) -> None:
    seen.workspace.region = "us"
    seen.boot(user_id="42")
    seen.rest("GET", "/me")
    seen.rest("GET", "/nothing")
    seen.open()
    for name, titles in (("Page", ["boot"]), ("REST", ["GET /nothing", "GET /me"]), ("Refused", ["GET /nothing"])):
        seen.page.get_by_role("group", name="Which requests").get_by_role("button", name=name).click()
        expect(seen.requests.locator(".what")).to_have_text(titles)


# --- records


def test_person_shows_all_stored_details(seen: Inspected) -> None:
    seen.rest("POST", "/data_attributes", {"name": "plan", "model": "contact", "data_type": "string"})
    ada = seen.contact("42", name="Ada", email="ada@example.com", custom_attributes={"plan": "pro"})
    company = seen.rest("POST", "/companies", {"company_id": "c1", "name": "Acme Ltd"}).json["id"]
    seen.rest("POST", f"/contacts/{ada}/companies", {"id": company})
    seen.rest("POST", f"/contacts/{ada}/archive")
    seen.open()
    expect(seen.people.locator("summary")).to_contain_text(
        re.compile(r"Ada.*user.*archived.*ada@example.com.*42.*Acme Ltd.*API")
    )
    seen.people.locator("summary").click()
    expect(seen.people.locator("dt")).to_have_text(
        ["id", "external_id", "email", "companies", "source", "first_seen", "last_seen", "plan"]
    )


def test_companies_and_attributes_are_listed(seen: Inspected) -> None:
    """A company shows how many members it has, an attribute its model, its type and what created it."""
    for number in (1, 2):
        company = {"company_id": "c1", "name": "Acme Ltd", "plan": "Pro", "custom_attributes": {"tier": "gold"}}
        seen.rest("POST", "/users", {"user_id": str(number), "companies": [company]}, version="1.4")
    seen.open()
    seen.view("Companies")
    expect(seen.page.locator("#companies > li")).to_contain_text(re.compile("Acme Ltd.*2 members.*c1.*Pro"))
    seen.view("Attributes")
    expect(seen.page.locator("#attributes tr").locator("th, td")).to_have_text(["tier", "company", "string", "API 1.4"])


def test_events_group_by_day_and_minute(seen: Inspected) -> None:
    seen.contact("42", name="Ada")
    seen.event("First", "42", metadata={"price": {"amount": 5, "currency": "eur"}})
    seen.event("Second", "42", created_at=1_700_000_030)
    seen.event("Third", "42", created_at=1_700_090_000)
    seen.open("#view=events&by=happened")
    moments = seen.page.locator("#events").locator(".day, .minute, .moment")
    names = moments.evaluate_all("all => all.map((one) => one.querySelector('.what')?.textContent ?? one.className)")
    assert names == ["day", "minute", "Third", "day", "minute", "Second", "First"]
    expect(seen.page.locator(".moment").last).to_contain_text('price{"amount":5,"currency":"eur"}')
    expect(seen.page.locator(".moment").last).to_contain_text(re.compile("Ada.*API.*received "))
    seen.page.get_by_role("button", name="As received").click()
    expect(seen.page.locator(".moment").last).to_contain_text(re.compile("First.*Ada.*API.*happened "))


def test_chosen_person_filters_requests_and_events(seen: Inspected) -> None:
    """An event that was refused before the person existed belongs to the person's requests too."""
    seen.event("Too Early", "42")
    seen.contact("42", name="Ada")
    seen.event("In Time", "42")
    seen.contact("43", name="Grace")
    seen.open()
    seen.page.get_by_role("button", name="Show only Ada").click()
    expect(seen.page.get_by_role("button", name="Show everybody")).to_be_focused()
    expect(seen.people.locator(".what")).to_have_text(["Ada"])
    expect(seen.requests.locator(".what")).to_have_text(["POST /events", "POST /contacts", "POST /events"])
    expect(seen.page.locator(".moment .what")).to_have_text(["In Time", "POST /contacts"])
    seen.page.evaluate("history.back()")
    expect(seen.people).to_have_count(2)


def test_conversations_and_workspaces_are_shown(seen: Inspected) -> None:
    seen.workspace.region = "us"
    session = seen.boot(user_id="42", name="Ada")["session"]
    seen.client.post("/messenger/us/messages", json={"app_id": APP, "session": session, "text": "Hello"})
    seen.open("#view=conversations")
    expect(seen.page.locator("#conversations")).to_contain_text(re.compile("Ada.*Hello"))
    expect(seen.page.get_by_role("region", name="Workspaces")).to_contain_text(re.compile(f"Acme.*{APP}.*us"))


def test_the_counts_are_totals(seen: Inspected) -> None:
    for number in range(502):
        seen.contact(f"user-{number}")
    seen.open("#q=user-501")
    expect(seen.page.locator("#people-title .count")).to_have_text("1 of 502")


# --- filter


def test_search_and_filter_survive_reload(seen: Inspected) -> None:
    seen.contact("42", email="ada@example.com")
    seen.contact("43", email="grace@example.com")
    seen.rest("POST", "/contacts", {"email": "ADA@example.com"})
    seen.open()
    seen.page.get_by_role("searchbox").fill("ada@ contacts")
    seen.page.get_by_role("button", name="Refused").click()
    expect(seen.requests.locator(".status")).to_have_text(["409"])
    seen.page.reload()
    expect(seen.requests.locator(".status")).to_have_text(["409"])
    expect(seen.page.get_by_role("searchbox")).to_have_value("ada@ contacts")
    expect(seen.page.get_by_role("button", name="Refused")).to_have_attribute("aria-pressed", "true")


def test_what_fits_nothing_says_so(seen: Inspected) -> None:
    seen.contact("42")
    seen.open("#q=nobody-is-called-so")
    expect(seen.people).to_have_count(0)
    expect(seen.page.get_by_text("Nothing here fits what is chosen.").first).to_be_visible()


# --- live


def test_live_update_keeps_open_rows(seen: Inspected) -> None:
    """New requests and changes appear without a reload; open rows stay open and the focus stays in its place."""
    seen.contact("42", name="Ada")
    seen.open()
    for row in (seen.requests, seen.people):
        row.locator("summary").click()
    seen.people.locator("summary").focus()
    seen.rest("PUT", f"/contacts/{seen.people.get_attribute('data-person')}", {"name": "Ada Lovelace"})
    expect(seen.requests).to_have_count(2)
    expect(seen.people.locator(".what")).to_have_text("Ada Lovelace")
    expect(seen.people.locator("summary")).to_be_focused()
    expect(seen.people.locator("details")).to_have_attribute("open", "")
    expect(seen.requests.nth(1).locator("details")).to_have_attribute("open", "")


def test_new_rows_keep_scroll_position(seen: Inspected) -> None:
    for number in range(40):
        seen.contact(str(number))
    seen.open()
    row = seen.page.locator("#requests > li[data-n='10']")
    row.scroll_into_view_if_needed()
    before = row.bounding_box()
    seen.contact("new")
    expect(seen.requests).to_have_count(41)
    assert row.bounding_box() == pytest.approx(before, abs=1)


def test_a_pause_holds_everything_back(seen: Inspected) -> None:
    seen.open()
    seen.page.get_by_role("button", name="Pause").click()
    expect(seen.page.get_by_role("status")).to_have_text("Paused")
    seen.contact("42")
    seen.page.evaluate("fetch(document.body.dataset.state)")
    expect(seen.requests).to_have_count(0)
    seen.page.get_by_role("button", name="Pause").click()
    expect(seen.requests).to_have_count(1)


def test_confirmed_clear_empties_page(seen: Inspected) -> None:
    seen.contact("42")
    seen.open()
    seen.page.get_by_role("button", name="Clear everything").click()
    expect(seen.people).to_have_count(1)
    seen.page.get_by_role("button", name="Really clear everything?").click()
    expect(seen.page.get_by_text("Nobody yet.")).to_be_visible()
    expect(seen.page.locator("#requests-title .count")).to_have_text("0")


def test_unconfirmed_clear_expires_without_effect(seen: Inspected) -> None:
    seen.page.clock.install()
    seen.contact("42")
    seen.open()
    seen.page.get_by_role("button", name="Clear everything").click()
    seen.page.clock.run_for(5_000)
    expect(seen.page.get_by_role("button", name="Clear everything", exact=True)).to_be_visible()
    expect(seen.people).to_have_count(1)


def test_refusal_mended_by_sender_says_so(seen: Inspected) -> None:
    person = seen.contact("42")
    body = {"external_id": "42", "role": "user"}
    seen.rest("POST", "/contacts", body)  # 409
    seen.rest("PUT", f"/contacts/{person}", {"name": "Ann"})
    seen.rest("POST", "/contacts", {"external_id": "43", "custom_attributes": {"plan": "pro"}})  # 400
    seen.rest("POST", "/events", {"event_name": "Baked", "created_at": 1, "user_id": "44"})  # 404
    seen.rest("POST", "/data_attributes", {"name": "plan", "model": "contact", "data_type": "string"})
    seen.rest("POST", "/contacts", {"external_id": "43", "custom_attributes": {"plan": "pro"}})
    seen.open()
    refused = seen.page.locator("#requests .refused")
    expect(refused).to_have_count(3)
    expect(refused.filter(has_text="already exists")).to_contain_text("The sender mended it by itself: request 3")
    expect(refused.filter(has_text="does not exist")).to_contain_text("The sender mended it by itself")
    expect(refused.filter(has_text="User Not Found")).not_to_contain_text("mended")


# --- the rate limit and faults


def test_a_spent_rate_limit_is_shown(seen: Inspected) -> None:
    seen.workspace.rate_limit, seen.workspace.rate_window = 1, 3600.0
    seen.open()
    expect(seen.page.locator(".rate")).to_contain_text("60 of 60 left")
    for _ in range(61):
        seen.rest("GET", "/me")
    expect(seen.page.locator(".rate")).to_contain_text("Rate limit used up (60)")
    expect(seen.requests.first).to_contain_text("rate_limit_exceeded")


def test_fault_set_on_page_is_answered(seen: Inspected) -> None:
    seen.open()
    faults = seen.page.locator(".faults")
    faults.locator("summary").click()
    faults.get_by_label("Fault").select_option("500 server error")
    faults.get_by_role("button", name="Set").click()
    expect(faults.locator("summary")).to_have_text("Fault: 500")
    expect(faults.locator("li")).to_have_text("500 every request")
    assert seen.rest("GET", "/me").status_code == 500
    faults.get_by_label("Fault").select_option("No fault")
    faults.get_by_role("button", name="Set").click()
    expect(faults.locator("summary")).to_have_text("No faults")
    assert seen.rest("GET", "/me").status_code == 200


# --- safety and looks


def test_hostile_text_is_shown_as_text(seen: Inspected) -> None:
    seen.workspace.region = "us"
    seen.boot(user_id=HOSTILE, name=HOSTILE, **{HOSTILE: HOSTILE, "__proto__": "p", "created_at": 10**30})
    seen.contact("42", name=HOSTILE)
    seen.event(HOSTILE, "42", metadata={HOSTILE: HOSTILE})
    seen.open(f"#view=events&person={HOSTILE}&q=%00")
    seen.open("#view=events")
    expect(seen.page.locator(".moment .what")).to_have_text(HOSTILE)
    for summary in seen.page.locator("#requests summary").all():
        summary.click()
    expect(seen.page.locator("#requests pre").first).to_contain_text(HOSTILE)
    assert seen.page.locator("main img").count() == 0


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_is_wider_than_the_page(seen: Inspected, width: int) -> None:
    seen.workspace.region = "us"
    seen.boot(user_id="u" * 200, name="n" * 200, **{"k" * 120: "v" * 200, "tags": []})
    seen.rest("GET", "/contacts/" + "c" * 200)
    seen.page.set_viewport_size({"width": width, "height": 800})
    for view in ("requests", "people", "events", "companies", "attributes", "conversations"):
        seen.open(f"#view={view}")
        expect(seen.page.locator(f"[data-pane={view}] :is(li, tr, .empty):visible").first).to_be_visible()
        assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_strict_policy_suffices(seen: Inspected) -> None:
    def strict(route: Any) -> None:
        answer = route.fetch()
        policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:"
        route.fulfill(response=answer, headers={**answer.headers, "Content-Security-Policy": policy})

    said: list[str] = []
    seen.page.on("console", lambda message: said.append(message.text))
    seen.page.route("**/inspector", strict)
    seen.contact("42")
    seen.open()
    expect(seen.people).to_have_count(1)
    assert said == []
