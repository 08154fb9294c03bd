"""Segment's `analytics` in a page: what it keeps, what it tells the Messenger, what it survives."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from playwright.sync_api import Page

from segment_intercom import assets, user_hash

from .expectations import expect
from .shop import QUIET, RERUN


def test_first_boot_carries_the_identity(open_page: Any, messenger: Any) -> None:
    """The snippet alone boots the Messenger with the identity; the page makes no call."""
    made = open_page()
    messenger.expect_visible()
    assert made.pings == [("boot", "user1234")]
    assert made.sandbox.requests[0]["not_saved"] == []


def test_early_calls_are_replayed_in_order(shop: Any) -> None:
    template = (
        "{{ analytics_snippet(user) }}<script>"
        "analytics.track('one'); analytics.identify('user1234', {seats: 3}); analytics.track('two')</script>"
    )
    made = shop(template)
    made.sandbox.wait_for(lambda sandbox: len(sandbox.events) == 2)
    assert [event["event_name"] for event in made.sandbox.events] == ["one", "two"]
    (person,) = made.sandbox.people
    assert person["custom_attributes"] == {"plan": "pro", "seats": 3}


def test_nothing_loads_before_first_call(open_page: Any, messenger: Any, page: Page) -> None:
    made = open_page(QUIET, verified=False)
    assert page.locator("script[src*=widget]").count() == 0
    page.evaluate("analytics.identify('u', {name: 'Ann'})")
    messenger.expect_visible()
    assert made.pings == [("boot", "u")]


LITERAL = """{userId: '019mr8mf4r', traits: {name: 'Michael Bolton', plan: 'Enterprise',
  company: {id: 12345, remove: true}}, integrations: {Intercom: {hideDefaultLauncher: true}}}"""


def test_single_object_is_the_whole_message(open_page: Any, messenger: Any, page: Page) -> None:
    """A sole argument with the fields of a message is the message itself, not its traits."""
    made = open_page(QUIET, verified=False)
    page.evaluate(f"analytics.identify({LITERAL}); analytics.group({{groupId: '7', traits: {{name: 'Seven'}}}})")
    page.evaluate(
        "analytics.track({event: 'Paid', properties: {revenue: 5}, userId: 'x'}); analytics.page({name: 'Home'})"
    )
    made.sandbox.wait_for(lambda sandbox: sandbox.events)
    (person,) = made.sandbox.people
    assert (person["user_id"], person["name"]) == ("019mr8mf4r", "Michael Bolton")
    assert (person["custom_attributes"], [company["company_id"] for company in person["companies"]]) == (
        {"plan": "Enterprise"},
        ["7"],
    )
    assert made.sandbox.events[0]["metadata"] == {"price": {"amount": 500, "currency": "USD"}}
    messenger.expect_hidden()


def test_message_like_traits_stay_traits(open_page: Any, page: Page) -> None:
    made = open_page(QUIET, verified=False)
    page.evaluate("analytics.identify({email: 'ann@example.com', context: 'mobile', event: 'fair'})")
    made.sandbox.wait_for(lambda sandbox: sandbox.people)
    assert made.sandbox.people[0]["custom_attributes"] == {"context": "mobile", "event": "fair"}


@pytest.mark.parametrize("template", [QUIET, "{{ analytics_snippet(None) }}"])
def test_page_settings_match_the_messengers(template: str, open_page: Any, page: Page) -> None:
    """After identify, window.intercomSettings holds what the Messenger was told, and it is told once."""
    made = open_page(template, verified=False)
    page.evaluate("analytics.identify('u', {name: 'Ann', plan: 'pro'})")
    page.wait_for_function("window.intercomSettings && intercomSettings.plan === 'pro'")
    assert page.evaluate("intercomSettings") == {"app_id": "sandbox1", "user_id": "u", "name": "Ann", "plan": "pro"}
    page.evaluate("analytics.track('Paid')")
    made.sandbox.wait_for(lambda sandbox: sandbox.events)
    assert [kind for kind, user in made.pings if user == "u"] == [made.pings[-1][0]], "told once"


def test_debug_reports_ignored_visitor_call(open_page: Any, page: Page) -> None:
    open_page("{{ analytics_snippet(None) }}", verified=False)
    page.evaluate("window.lines = []; console.log = (...words) => lines.push(words.join(' '))")
    page.evaluate("analytics.debug(); analytics.identify({plan: 'pro'})")
    assert any("visitor" in line for line in page.evaluate("lines"))


def test_segments_default_widget_id_opens_messenger(open_page: Any, messenger: Any, page: Page) -> None:
    open_page(QUIET + '<button id="IntercomDefaultWidget" type="button">Chat</button>', verified=False)
    page.evaluate("analytics.identify('u')")
    messenger.expect_visible()
    page.get_by_role("button", name="Chat").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_every_update_carries_the_proof(open_page: Any, page: Page) -> None:
    made = open_page()
    page.evaluate("analytics.group('7', {name: 'Seven'}); analytics.page()")
    made.sandbox.wait_for(lambda sandbox: len(sandbox.requests) >= 2)
    assert all(request["settings"]["user_hash"] == "present" for request in made.sandbox.requests)
    assert [company["name"] for company in made.sandbox.companies] == ["Seven"]


def test_proof_from_page_passes_verification(open_page: Any, messenger: Any, page: Page) -> None:
    """The page may pass the proof itself, with and without the integrations filter."""
    made = open_page(QUIET)
    proof = user_hash(made.secret, "u")
    page.evaluate("proof => analytics.identify('u', {}, {Intercom: {user_hash: proof}})", proof)
    messenger.expect_visible()
    options = {"Intercom": {"user_hash": proof}, "integrations": {"All": False, "Intercom": True}}
    page.evaluate("options => analytics.identify('u', {plan: 'pro'}, options)", options)
    made.sandbox.wait_for(
        lambda sandbox: [person["custom_attributes"] for person in sandbox.people] == [{"plan": "pro"}]
    )


@pytest.mark.parametrize(
    "call",
    [
        "page({}, {Intercom: {hideDefaultLauncher: true}})",
        "identify('teemo', {}, {Intercom: {hideDefaultLauncher: true}})",
    ],
)
def test_call_may_hide_the_launcher(call: str, open_page: Any, messenger: Any, page: Page) -> None:
    open_page(QUIET, verified=False)
    page.evaluate(f"analytics.{call}")
    page.locator("#intercom-container[data-booted=true]").wait_for(state="attached")
    messenger.expect_hidden()


def test_group_call_hides_launcher(open_page: Any, messenger: Any, page: Page) -> None:
    open_page(QUIET, verified=False)
    page.evaluate("analytics.identify('u')")
    messenger.expect_visible()
    page.evaluate("analytics.group('9', {name: 'Nine'}, {Intercom: {hideDefaultLauncher: true}})")
    messenger.expect_hidden()


def test_company_with_remove_is_left(open_page: Any, page: Page) -> None:
    made = open_page(QUIET, verified=False)
    page.evaluate("analytics.identify('u', {company: {id: '813', name: 'Acme'}})")
    made.sandbox.wait_for(lambda sandbox: sandbox.people and sandbox.people[0]["companies"])
    page.evaluate("analytics.group('9', {name: 'Nine'})")
    made.sandbox.wait_for(lambda sandbox: len(sandbox.people[0]["companies"]) == 2)
    page.evaluate("analytics.identify('u', {company: {id: '813', remove: true}})")
    made.sandbox.wait_for(
        lambda sandbox: [company["company_id"] for company in sandbox.people[0]["companies"]] == ["9"]
    )


def test_identity_is_stored_under_segments_keys(open_page: Any, page: Page) -> None:
    open_page(QUIET, verified=False)
    page.evaluate("analytics.identify('u', {plan: 'pro'}); analytics.group('7', {name: 'Seven'})")
    keys = ("ajs_user_id", "ajs_user_traits", "ajs_group_id", "ajs_group_properties")
    stored = page.evaluate("keys => keys.map(key => JSON.parse(localStorage.getItem(key)))", list(keys))
    assert stored == ["u", {"plan": "pro"}, "7", {"name": "Seven"}]
    page.reload()
    page.wait_for_function("window.analytics?.initialized")
    assert page.evaluate("[analytics.user().id(), analytics.group().traits().name]") == ["u", "Seven"]


def test_migrated_site_keeps_its_users(open_page: Any, page: Page) -> None:
    """The user id and the anonymous id that Segment's own library stored are taken over."""
    made = open_page(QUIET, verified=False)
    page.evaluate(
        "localStorage.setItem('ajs_user_id', '\"old\"');"
        "localStorage.setItem('ajs_user_traits', '{\"plan\": \"pro\"}');"
        "document.cookie = 'ajs_anonymous_id=%22abc-1%22'"
    )
    page.reload()
    page.wait_for_function("window.analytics?.initialized")
    assert page.evaluate("analytics.user().anonymousId()") == "abc-1"
    page.evaluate("analytics.page()")
    made.sandbox.wait_for(lambda sandbox: sandbox.people and sandbox.people[-1]["user_id"] == "old")


def test_remembered_identity_needs_a_proof(open_page: Any, messenger: Any, page: Page) -> None:
    """Where proofs are wanted, a remembered user without a proof boots as a visitor."""
    made = open_page(QUIET)
    page.evaluate("localStorage.setItem('ajs_user_id', '\"u\"')")
    page.reload()
    page.wait_for_function("window.analytics?.initialized")
    page.evaluate("analytics.page()")
    messenger.expect_visible()
    assert made.pings == [("boot", None)]


def test_no_proof_is_ever_stored(open_page: Any, page: Page) -> None:
    made = open_page()
    page.evaluate("analytics.identify('user1234', {seats: 1}, {Intercom: {user_hash: 'b'.repeat(64)}})")
    made.sandbox.wait_for(lambda sandbox: len(sandbox.requests) >= 2)
    stored = page.evaluate("JSON.stringify(localStorage) + document.cookie")
    assert "b" * 64 not in stored
    assert user_hash(made.secret, "user1234") not in stored


def test_another_user_boots_without_old_traits(open_page: Any, messenger: Any, page: Page) -> None:
    made = open_page(QUIET, verified=False)
    page.evaluate("analytics.identify('a', {plan: 'pro'})")
    messenger.expect_visible()
    page.evaluate("analytics.identify('b')")
    messenger.expect_told([("boot", "a"), ("shutdown", None), ("boot", "b")])
    assert "plan" not in made.sandbox.people[-1]["custom_attributes"]


def test_snippet_options_persist_in_later_calls(open_page: Any, messenger: Any, page: Page) -> None:
    open_page("{{ analytics_snippet(None, alignment='left') }}")
    page.evaluate("analytics.page()")
    messenger.expect_told(["boot", "update"])
    assert [settings["alignment"] for _, settings in messenger.calls] == ["left", "left"]


def test_default_selector_replaces_configured_one(open_page: Any, messenger: Any, page: Page) -> None:
    """Segment's default id names the default launcher, so that the selector of the application is taken back."""
    default = "launcher_selector='#IntercomDefaultWidget'"
    open_page(f"{{{{ analytics_snippet(None, {default}) }}}}", INTERCOM_LAUNCHER_SELECTOR="#help")
    page.evaluate("analytics.page()")
    messenger.expect_told(["boot", "update"])
    assert "custom_launcher_selector" not in messenger.calls[-1][1]


def test_reset_forgets_and_boots_a_visitor(open_page: Any, page: Page) -> None:
    made = open_page()
    page.evaluate("analytics.identify('user1234', {seats: 3}); analytics.reset()")
    made.sandbox.wait_for(lambda sandbox: "visitor" in [person["role"] for person in sandbox.people])
    assert page.evaluate("Object.keys(localStorage).filter(key => /ajs_(user|group)_id/.test(key))") == []
    assert page.evaluate("analytics.user().id()") is None


def test_callbacks_listeners_and_ready_are_called(open_page: Any, page: Page) -> None:
    open_page(QUIET, verified=False)
    page.evaluate("""() => {
      window.calls = [];
      analytics.on("track", (event, properties) => calls.push(["on", event, properties]));
      analytics.once("track", () => calls.push(["once"]));
      analytics.off("identify");
      analytics.ready(() => calls.push(["ready"]));
      analytics.track("Baked", {loaves: 12}, () => calls.push(["callback"]));
      analytics.track("Baked");
    }""")
    page.wait_for_function("calls.length >= 5")
    assert page.evaluate("calls.slice(0, 3)") == [["on", "Baked", {"loaves": 12}], ["once"], ["on", "Baked", {}]]
    page.wait_for_function("calls.some(call => call[0] === 'ready') && calls.some(call => call[0] === 'callback')")


def test_tracked_link_sends_event_and_navigates(open_page: Any, page: Page) -> None:
    made = open_page("<a id='go' href='/?next'>Go</a>{{ analytics_snippet(user) }}")
    page.evaluate("analytics.trackLink(document.querySelectorAll('#go'), link => 'Went ' + link.id, {to: 'next'})")
    page.locator("#go").click()
    page.wait_for_url("**/?next")
    made.sandbox.wait_for(lambda sandbox: sandbox.events)
    (event,) = made.sandbox.events
    assert (event["event_name"], event["metadata"]) == ("Went go", {"to": "next"})


def test_tracked_form_sends_event_and_submits(open_page: Any, page: Page) -> None:
    form = "<form id='f' action='/'><input name='q' value='1'><button>Send</button></form>"
    made = open_page(form + "{{ analytics_snippet(user) }}")
    page.evaluate("analytics.trackForm(document.getElementById('f'), 'Sent')")
    page.locator("#f button").click()
    page.wait_for_url("**/?q=1")
    made.sandbox.wait_for(lambda sandbox: sandbox.events)
    assert [event["event_name"] for event in made.sandbox.events] == ["Sent"]


def test_debug_explains_sent_and_dropped_data(open_page: Any, page: Page) -> None:
    open_page(QUIET, verified=False)
    page.evaluate("""() => {
      window.said = [];
      console.log = (...words) => said.push(words.join(" "));
      analytics.debug();
      analytics.track("Early");
      analytics.identify("u", {app_id: "evil", when: NaN, createdAt: "someday"});
      for (let i = 0; i < 16; i++) analytics.identify({n: i});
    }""")
    text = "\n".join(page.evaluate("said"))
    dropped = ("app_id reserved", "when unsendable", "createdat no date")
    for expected in ("Early of a visitor", "trackEvent Early", *dropped, "16 updates of 20"):
        assert expected in text


@pytest.mark.parametrize(
    "spoil",
    [
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('forbidden'); }});",
        "const no = () => { throw new Error(); }; Object.defineProperty(document, 'cookie', {get: no, set: no});",
        "Storage.prototype.setItem = () => { throw new DOMException('full'); };",
    ],
    ids=["no storage", "no cookies", "full storage"],
)
def test_storage_that_throws_is_survived(spoil: str, open_page: Any, page: Page) -> None:
    open_page(f"<script>{spoil}</script>{QUIET}", verified=False)
    page.evaluate("analytics.identify('u', {plan: 'pro'}); analytics.user().anonymousId(); analytics.track('x')")
    page.wait_for_function("heard.length > 0")
    assert page.evaluate("thrown") == []


@pytest.mark.parametrize("missing", ["INTERCOM_RUNTIME_URL", "INTERCOM_WIDGET_URL"])
def test_missing_script_never_throws(missing: str, shop: Any, page: Page) -> None:
    template = "{{ analytics_snippet(user) }}<script>analytics.page(); analytics.track('x')</script>"
    shop(template, **{missing: "/missing"})
    page.evaluate("analytics.identify('u', {a: 1}); analytics.ready(() => 0); Intercom('show')")
    assert page.evaluate("thrown") == []


def test_removed_page_settings_are_survived(open_page: Any, page: Page) -> None:
    open_page()
    page.evaluate("window.intercomSettings = null; analytics.page(); analytics.track('x')")
    assert page.evaluate("thrown") == []


def test_the_runtime_stays_small() -> None:
    built = assets.static("segment_intercom/analytics.min.js").read_bytes()
    assert len(gzip.compress(built, 9)) <= 5_120 - 150


def test_disabled_snippet_sends_nothing(shop: Any, page: Page) -> None:
    """While switched off, the calls of the page are accepted without an error."""
    made = shop("{{ analytics_snippet(user) }}<script>analytics.track('x')</script>", INTERCOM_ENABLED=False)
    assert page.evaluate("thrown") == []
    assert made.sandbox.requests == []


def test_body_swap_keeps_a_single_widget(open_page: Any, messenger: Any, page: Page) -> None:
    """After a body swap the runtime follows the user in the new snippet of the server."""
    made = open_page()
    messenger.expect_visible()
    same = made.rendered("{{ analytics_snippet({'id': 'user1234', 'plan': 'gold'}) }}")
    other_user = made.rendered("{{ analytics_snippet({'id': 'other'}) }}")
    page.evaluate("document.body.replaceWith(document.createElement('body'))")
    page.evaluate(RERUN, same)
    made.sandbox.wait_for(lambda sandbox: sandbox.requests[-1]["kind"] == "update")
    expect(page.locator("#intercom-container")).to_have_count(1)
    page.evaluate(RERUN, other_user)
    made.sandbox.wait_for(lambda sandbox: sandbox.requests[-1]["settings"].get("user_id") == "other")
    assert [kind for kind, _ in made.pings] == ["boot", "update", "shutdown", "boot"]
    page.evaluate("analytics.page()")
    made.sandbox.wait_for(lambda sandbox: sandbox.requests[-1]["kind"] == "update")
    assert made.pings[-1] == ("update", "other")
    expect(page.locator("script[src*=widget]")).to_have_count(1)
