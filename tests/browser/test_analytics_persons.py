"""Segment's `analytics` in a page on a bad day: other persons, odd values, other scripts, forms and links."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Response
from playwright.sync_api import Page

from tests.children import wait_for

from .shop import QUIET, SHELL, USER, Shop


def boots(made: Shop) -> list[tuple[str, str | None, str | None]]:
    """What the sandbox received of persons: each kind with the user id and the e-mail."""
    kinds = ("boot", "update", "shutdown")
    return [
        (request["kind"], request["settings"].get("user_id"), request["settings"].get("email"))
        for request in made.sandbox.requests
        if request["kind"] in kinds
    ]


def test_email_alone_replaces_remembered_user(open_page: Any, page: Page) -> None:
    """An e-mail without an id is somebody else than the user whom the browser remembers."""
    made = open_page("{{ analytics_snippet({'id': 'ann', 'plan': 'pro'}) }}")
    made.app.view_functions["home"] = lambda: made.render(
        SHELL % "{{ analytics_snippet({'email': 'ben@example.com'}) }}"
    )
    page.reload()
    page.wait_for_function("window.analytics?.initialized")
    page.evaluate("analytics.group('7', {name: 'Seven'})")
    made.sandbox.wait_for(lambda sandbox: sandbox.companies)
    after = boots(made)[1:]
    assert {(user, email) for _, user, email in after} <= {(None, "ben@example.com"), (None, None)}
    assert page.evaluate("[analytics.user().id(), analytics.user().traits()]") == [None, {"email": "ben@example.com"}]


def test_two_emails_are_two_persons(open_page: Any, page: Page) -> None:
    made = open_page(QUIET, verified=False)
    page.evaluate("analytics.identify({email: 'ann@example.com', plan: 'pro'})")
    page.evaluate("analytics.identify({email: 'ben@example.com'})")
    made.sandbox.wait_for(lambda sandbox: len(sandbox.people) == 2)
    assert page.evaluate("analytics.user().traits()") == {"email": "ben@example.com"}


def test_new_identify_shuts_down_remembered_user(open_page: Any, page: Page) -> None:
    """The remembered user is shut down before the Messenger boots with another id."""
    made = open_page(QUIET, verified=False)
    page.evaluate("localStorage.setItem('ajs_user_id', '\"ann\"')")
    page.reload()
    page.wait_for_function("window.analytics?.initialized")
    page.evaluate("analytics.page(); analytics.identify('ben')")
    made.sandbox.wait_for(lambda sandbox: "ben" in [person["user_id"] for person in sandbox.people])
    assert [(kind, user) for kind, user, _ in boots(made)] == [("boot", "ann"), ("shutdown", None), ("boot", "ben")]


@pytest.mark.parametrize("text", ["9007199254740993", "1e5", "true", "42", "007"])
def test_stored_id_is_read_as_text(text: str, open_page: Any, page: Page) -> None:
    open_page(QUIET, verified=False)
    for write in (
        f"localStorage.ajs_user_id = '{text}'",
        f"localStorage.clear(); document.cookie = 'ajs_user_id={text}'",
    ):
        page.evaluate(write)
        page.reload()
        page.wait_for_function("window.analytics?.initialized")
        assert page.evaluate("analytics.user().id()") == text
        page.evaluate(f"analytics.identify('{text}')")
        assert page.evaluate("window.thrown") == []


def test_anonymous_id_stays_the_same(open_page: Any, page: Page) -> None:
    open_page(QUIET, verified=False)
    first, second = page.evaluate("[analytics.user().anonymousId(), analytics.user().anonymousId()]")
    assert first == second
    page.evaluate("analytics.setAnonymousId('12345678901234567890')")
    assert page.evaluate("analytics.user().anonymousId()") == "12345678901234567890"
    assert page.evaluate("document.cookie.match(/ajs_anonymous_id/g).length") == 1


@pytest.mark.not_in("webkit", reason="the driver of these tests has one tab")
def test_other_tabs_hear_a_reset(open_page: Any, page: Page, open_tab: Any) -> None:
    made = open_page(QUIET, verified=False)
    page.evaluate("analytics.identify('ann')")
    tab = open_tab(made.address)
    tab.evaluate("analytics.reset()")
    page.wait_for_function("analytics.user().id() === undefined")
    page.evaluate("analytics.track('Paid')")
    made.sandbox.wait_for(lambda sandbox: sandbox.events)
    assert page.evaluate("localStorage.ajs_user_id") is None


def test_email_proof_does_not_cover_id(open_page: Any, page: Page) -> None:
    """The user_hash of an e-mail is dropped once identify names an id, for which there is no proof."""
    made = open_page("{{ analytics_snippet({'email': 'ann@example.com'}) }}")
    page.evaluate("window.lines = []; console.log = (...words) => lines.push(words.join(' '))")
    page.evaluate("analytics.debug(); analytics.identify('42')")
    made.sandbox.wait_for(lambda sandbox: len(sandbox.requests) >= 2)
    assert "user_hash" not in page.evaluate("intercomSettings")
    assert any("no proof of 42" in line for line in page.evaluate("lines"))


ODD = """() => {
  analytics.track(); analytics.track(5); analytics.track(''); analytics.track('  ');
  analytics.on('constructor', () => 0); analytics.on('track', () => { throw new Error('of the page'); });
  analytics.identify('u', {createdAt: Symbol(), big: 10n, kept: 1, get bad() { throw new Error(); }});
  analytics.identify('u', 'pro'); analytics.identify('u', ['x']); analytics.identify(() => 0, {more: 2});
  analytics.track('Paid', 'odd');
}"""


def test_odd_calls_throw_nothing_into_page(open_page: Any, page: Page) -> None:
    """Odd calls and values are dropped, and what can be read of them still arrives."""
    made = open_page(QUIET, verified=False)
    page.evaluate(ODD)
    made.sandbox.wait_for(lambda sandbox: sandbox.events)
    (person,) = made.sandbox.people
    assert (person["user_id"], person["custom_attributes"]) == ("u", {"kept": 1, "more": 2})
    assert [(event["event_name"], event["metadata"]) for event in made.sandbox.events] == [("Paid", {})]
    assert page.evaluate("thrown") == []


VALUES = """() => {
  const frame = document.body.appendChild(document.createElement('iframe')).contentWindow;
  analytics.identify('u', {
    at: new frame.Date(1388534400000), boxed: new String('x'), url: new URL('https://example.com/'),
    moment: {toJSON: () => '2014-01-01'}, list: new Set([1, 2]), map: new Map([['a', 1]]),
    node: document.body, error: new Error('x'), pattern: /x/,
  });
}"""


def test_script_values_become_plain_traits(open_page: Any, page: Page) -> None:
    """Values arrive as JSON or Python would have them; nodes, errors and patterns are left out."""
    made = open_page(QUIET, verified=False)
    page.evaluate(VALUES)
    made.sandbox.wait_for(lambda sandbox: sandbox.people)
    expected = {"at_at": 1388534400, "boxed": "x", "url": "https://example.com/", "moment_at": 1388534400}
    expected |= {"list_0": 1, "list_1": 2, "map_a": 1}
    assert made.sandbox.people[0]["custom_attributes"] == expected


def test_change_after_call_is_not_sent(shop: Any) -> None:
    calls = "var traits = {n: 1}; analytics.identify('user1234', traits); traits.n = 2;"
    made = shop("{{ analytics_snippet(user) }}<script>" + calls + "</script>")
    made.sandbox.wait_for(lambda sandbox: sandbox.people and "n" in sandbox.people[0]["custom_attributes"])
    assert made.sandbox.people[0]["custom_attributes"]["n"] == 1


def test_repeated_page_calls_are_not_sent(open_page: Any, page: Page) -> None:
    """The Messenger limits its updates, so page calls without news must leave room for an identify."""
    made = open_page()
    page.evaluate("for (let n = 0; n < 25; n++) analytics.page(); analytics.identify('user1234', {seats: 3})")
    made.sandbox.wait_for(lambda sandbox: sandbox.people and sandbox.people[0]["custom_attributes"].get("seats") == 3)
    assert len(boots(made)) <= 3


def test_nothing_is_stored_before_consent(open_page: Any, page: Page) -> None:
    made = open_page("{{ analytics_snippet(user, load='manual') }}")
    page.evaluate("analytics.identify('user1234', {plan: 'pro'})")
    assert page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('ajs'))") == []
    page.evaluate("intercomLoad(); analytics.identify('user1234', {plan: 'gold'})")
    made.sandbox.wait_for(lambda sandbox: sandbox.people)
    assert page.evaluate("localStorage.ajs_user_id") == '"user1234"'


def test_early_references_reach_runtime(shop: Any, page: Page) -> None:
    """What a module took from the stub before the runtime loaded still sends its calls."""
    made = shop("{{ analytics_snippet(user) }}<script>var kept = analytics, track = analytics.track;</script>")
    page.wait_for_function("window.analytics?.initialized")
    page.evaluate("kept.track('one'); track('two')")
    made.sandbox.wait_for(lambda sandbox: len(sandbox.events) == 2)
    assert page.evaluate("kept === analytics")


def test_element_with_id_analytics_is_ignored(shop: Any, page: Page) -> None:
    """An element's id makes a global of that name, which must not be taken for a queue of calls."""
    made = shop("<section id=analytics></section>{{ analytics_snippet(user) }}<script>analytics.track('Paid')</script>")
    made.sandbox.wait_for(lambda sandbox: sandbox.events)
    assert page.evaluate("thrown") == []


def test_another_library_is_left_alone(shop: Any, messenger: Any, page: Page) -> None:
    own = "<script>window.analytics = {identify() { window.called = 1; }, track() {}}</script>"
    shop(own + "{{ analytics_snippet(user) }}<script>analytics.identify('x')</script>")
    messenger.expect_visible()
    assert page.evaluate("[window.called, thrown]") == [1, []]


def test_a_base_element_sends_nothing_elsewhere(shop: Any, page: Page) -> None:
    base = "<base href='http://127.0.0.1:9/elsewhere/'>"
    made = shop(base + "{{ analytics_snippet(user) }}<script>analytics.track('Paid')</script>")
    made.sandbox.wait_for(lambda sandbox: sandbox.events)
    assert (
        page.evaluate("performance.getEntriesByType('resource').filter(each => each.name.includes('elsewhere'))") == []
    )


def test_pushed_calls_run_around_runtime_load(shop: Any, page: Page) -> None:
    """Calls pushed before the snippet, before the runtime and after it are all sent."""
    before = "<script>window.analytics = []; analytics.push(['track', 'First'])</script>"
    after = "<script>window.kept = analytics; analytics.push(['track', 'Second'], ['nothing'], 5)</script>"
    made = shop(before + "{{ analytics_snippet(user) }}" + after)
    page.wait_for_function("analytics.initialized")
    page.evaluate("kept.push(['track', 'Third', {n: 1}])")
    made.sandbox.wait_for(lambda sandbox: len(sandbox.events) == 3)
    assert {event["event_name"] for event in made.sandbox.events} == {"First", "Second", "Third"}
    assert page.evaluate("[kept === analytics, thrown]") == [True, []]


def test_long_lists_are_bounded(open_page: Any, page: Page) -> None:
    made = open_page(QUIET, verified=False)
    page.evaluate("analytics.identify('ann', {tags: Array.from({length: 300}, (_, n) => n), last: 1})")
    made.sandbox.wait_for(lambda sandbox: sandbox.people)
    (person,) = made.sandbox.people
    assert list(person["custom_attributes"]) == [f"tags_{n}" for n in range(250)]


@pytest.mark.not_in("webkit", reason="WebDriver does not hear the console")
def test_trusted_types_report_failed_load(shop: Any, messenger: Any, page: Page) -> None:
    call = "<script nonce='r4nd0m'>window.came = 0; analytics.track('x', {}, () => came++)</script>"
    policy = "script-src 'nonce-r4nd0m'; require-trusted-types-for 'script'"
    made = shop("{{ analytics_snippet(user) }}" + call, policy=policy, go=False)
    lines: list[str] = []
    page.on("console", lambda message: lines.append(message.text))
    page.goto(made.address)
    if not page.evaluate("'trustedTypes' in window"):
        messenger.expect_visible()
        return
    wait_for(lambda: page.evaluate("came === 1 && heard.length === 2"))  # where the policy forbids the function
    assert page.evaluate("[heard, thrown]") == [["load-failed", "load-failed"], []]
    assert [line.partition(":")[0] for line in lines if "did not load" in line] == ["Intercom", "analytics"]


@pytest.mark.parametrize("line", ["intercom_snippet(user)", "analytics_snippet(user)", "intercom_snippet(remote=True)"])
def test_xhtml_page_shows_messenger(line: str, shop: Any, messenger: Any, page: Page) -> None:
    made = shop("", go=False)
    made.intercom.user_loader(lambda: USER)
    xhtml = "<html xmlns='http://www.w3.org/1999/xhtml'><head><title>Shop</title></head><body>{{ %s }}</body></html>"
    made.app.view_functions["home"] = lambda: Response(made.render(xhtml % line), mimetype="application/xhtml+xml")
    page.goto(made.address)
    messenger.expect_visible()
    assert [person["user_id"] for person in made.sandbox.people] == ["user1234"]


PRIVATE = "<script>Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})</script>"


@pytest.mark.parametrize("respected", [True, False])
@pytest.mark.parametrize("line", ["analytics_snippet()", "analytics_snippet(None, page=False)", "intercom_snippet()"])
def test_privacy_control_follows_its_setting(line: str, respected: bool, shop: Any, messenger: Any, page: Page) -> None:
    """With INTERCOM_RESPECT_GPC, Global Privacy Control holds all back until intercomLoad is called."""
    call = "<script>window.analytics?.identify('ann', {plan: 'pro'})</script>"
    made = shop(f"{PRIVATE}{{{{ {line} }}}}{call}", INTERCOM_RESPECT_GPC=respected, verified=False)
    page.wait_for_function("!window.analytics || analytics.initialized")
    if respected:
        page.wait_for_function("document.readyState === 'complete'")
        assert page.evaluate("[localStorage.ajs_user_id, document.querySelectorAll('script[src*=widget]').length]") == [
            None,
            0,
        ]
        assert made.sandbox.requests == []
        page.evaluate("intercomLoad()")
    messenger.expect_visible()


@pytest.mark.not_in("webkit", reason="WebDriver cannot block a request")
def test_blocked_runtime_still_runs_callbacks(shop: Any, page: Page) -> None:
    """When the runtime cannot load, callbacks still run and the page hears load-failed."""
    page.route("**/runtime.min.js*", lambda route: route.abort())
    call = "<script>window.came = 0; analytics.track('x', {}, () => came++)</script>"
    shop("{{ analytics_snippet(user) }}" + call)
    page.wait_for_function("came === 1 && heard.includes('load-failed')")
    page.evaluate("analytics.track('y', {}, () => came++)")
    page.wait_for_function("came === 2")
    assert page.evaluate("thrown") == []


def test_switched_off_callbacks_come(shop: Any, page: Page) -> None:
    call = "<script>window.came = 0; analytics.track('x', {}, () => came++)</script>"
    shop("{{ analytics_snippet(user) }}" + call, INTERCOM_ENABLED=False)
    page.wait_for_function("came > 0")
    assert page.evaluate("came") == 1


FORM = '<form id="f" action="/"><button name="pick" value="two" formaction="/?other">Go</button></form>'


def test_a_form_keeps_the_pressed_button(open_page: Any, page: Page) -> None:
    open_page(FORM + "{{ analytics_snippet(None, page=False) }}", verified=False)
    page.evaluate("analytics.trackForm(document.getElementById('f'), 'Sent')")
    page.locator("#f button").click()
    page.wait_for_url("**/?pick=two")
    assert page.evaluate("location.search") == "?pick=two"


NOTE_TIMERS = """() => {
  window.later = [];
  const wait = setTimeout;
  window.setTimeout = (job, delay) => { later.push(delay); return wait(job, delay); };
}"""


@pytest.mark.parametrize("target", ["document", "window"])
def test_form_handled_later_is_not_resent(target: str, open_page: Any, page: Page) -> None:
    """A submit that a later listener prevents is tracked, and the form is not submitted after the wait."""
    made = open_page(FORM + "{{ analytics_snippet(None, page=False) }}", verified=False)
    page.evaluate("analytics.identify('u'); analytics.trackForm(document.getElementById('f'), 'Sent')")
    page.evaluate(
        f"window.sent = 0; {target}.addEventListener('submit', event => {{ sent++; event.preventDefault(); }})"
    )
    page.evaluate(NOTE_TIMERS)
    page.locator("#f button").click()
    made.sandbox.wait_for(lambda sandbox: sandbox.events)
    assert (page.evaluate("[sent, later.filter(delay => delay === 300)]"), page.url.rstrip("/")) == (
        [1, []],
        made.address,
    )


LINKS = (
    '<a class="l" id="down" download href="data:text/plain,x">d</a>'
    '<a class="l" id="named" target="other" href="/x">n</a>'
    '<svg><a class="l" id="svg" href="/y"><text y="20">s</text></a></svg>'
    '<a class="l" id="plain" href="#plain">p</a>'
)
# What trackLink holds back is told apart from what this page does by a listener that comes after it.
CLICK = """() => {
  analytics.trackLink(document.querySelectorAll('.l'), 'Clicked');
  const held = {};
  document.body.addEventListener('click', () => window.addEventListener('click', event => {
    held[event.target.id] = event.defaultPrevented;
    event.preventDefault();
  }, {once: true}));
  for (const link of document.querySelectorAll('.l'))
    link.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}));
  return held;
}"""


def test_only_plain_navigations_are_held_back(open_page: Any, page: Page) -> None:
    """A download, a link to another frame and one in a drawing are the browser's; the plain one follows its event."""
    open_page(LINKS + QUIET, verified=False)
    assert page.evaluate(CLICK) == {"down": False, "named": False, "svg": False, "plain": True}
    page.wait_for_function("location.hash === '#plain'")
