"""Segment's `analytics` in a page on a bad day: other persons, odd values, other scripts, forms and links."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Response
from playwright.sync_api import Page

from .shop import QUIET, SHELL, USER, Shop


def boots(made: Shop) -> list[tuple[str, str | None, str | None]]:
    """What the sandbox received of persons: each kind with the user id and the e-mail."""
    kinds = ("boot", "update", "shutdown")
    return [
        (each["kind"], each["settings"].get("user_id"), each["settings"].get("email"))
        for each in made.sandbox.requests
        if each["kind"] in kinds
    ]


def test_somebody_named_by_email_alone_is_another_than_who_is_remembered(open_page: Any, page: Page) -> None:
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


def test_two_known_by_email_alone_are_two(open_page: Any, page: Page) -> None:
    made = open_page(QUIET, verified=False)
    page.evaluate("analytics.identify({email: 'ann@example.com', plan: 'pro'})")
    page.evaluate("analytics.identify({email: 'ben@example.com'})")
    made.sandbox.wait_for(lambda sandbox: len(sandbox.people) == 2)
    assert page.evaluate("analytics.user().traits()") == {"email": "ben@example.com"}


def test_who_is_remembered_and_booted_ends_when_another_is_named(open_page: Any, page: Page) -> None:
    made = open_page(QUIET, verified=False)
    page.evaluate("localStorage.setItem('ajs_user_id', '\"ann\"')")
    page.reload()
    page.wait_for_function("window.analytics?.initialized")
    page.evaluate("analytics.page(); analytics.identify('ben')")
    made.sandbox.wait_for(lambda sandbox: "ben" in [each["user_id"] for each in sandbox.people])
    assert [(kind, user) for kind, user, _ in boots(made)] == [("boot", "ann"), ("shutdown", None), ("boot", "ben")]


@pytest.mark.parametrize("text", ["9007199254740993", "1e5", "true", "42", "007"])
def test_an_id_in_a_cookie_or_in_storage_is_text(text: str, open_page: Any, page: Page) -> None:
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


def test_an_anonymous_id_stays_what_it_is(open_page: Any, page: Page) -> None:
    open_page(QUIET, verified=False)
    first, second = page.evaluate("[analytics.user().anonymousId(), analytics.user().anonymousId()]")
    assert first == second
    page.evaluate("analytics.setAnonymousId('12345678901234567890')")
    assert page.evaluate("analytics.user().anonymousId()") == "12345678901234567890"
    assert page.evaluate("document.cookie.match(/ajs_anonymous_id/g).length") == 1


@pytest.mark.not_in("webkit", reason="the driver of these tests has one tab")
def test_other_tabs_hear_a_reset(open_page: Any, page: Page) -> None:
    made = open_page(QUIET, verified=False)
    page.evaluate("analytics.identify('ann')")
    other = page.context.new_page()
    other.goto(made.address)
    other.wait_for_function("window.analytics?.initialized")
    other.evaluate("analytics.reset()")
    page.wait_for_function("analytics.user().id() === undefined")
    page.evaluate("analytics.track('Paid')")
    made.sandbox.wait_for(lambda sandbox: sandbox.events)
    assert page.evaluate("localStorage.ajs_user_id") is None
    other.close()


def test_the_proof_of_an_email_goes_along_with_no_id(open_page: Any, page: Page) -> None:
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


def test_nothing_throws_into_a_page_and_the_rest_arrives(open_page: Any, page: Page) -> None:
    made = open_page(QUIET, verified=False)
    page.evaluate(ODD)
    made.sandbox.wait_for(lambda sandbox: sandbox.events)
    (person,) = made.sandbox.people
    assert (person["user_id"], person["custom_attributes"]) == ("u", {"kept": 1, "more": 2})
    assert [(each["event_name"], each["metadata"]) for each in made.sandbox.events] == [("Paid", {})]
    assert page.evaluate("thrown") == []


VALUES = """() => {
  const frame = document.body.appendChild(document.createElement('iframe')).contentWindow;
  analytics.identify('u', {
    at: new frame.Date(1388534400000), boxed: new String('x'), url: new URL('https://example.com/'),
    moment: {toJSON: () => '2014-01-01'}, list: new Set([1, 2]), map: new Map([['a', 1]]),
    node: document.body, error: new Error('x'), pattern: /x/,
  });
}"""


def test_values_are_what_json_or_python_would_have(open_page: Any, page: Page) -> None:
    made = open_page(QUIET, verified=False)
    page.evaluate(VALUES)
    made.sandbox.wait_for(lambda sandbox: sandbox.people)
    expected = {"at_at": 1388534400, "boxed": "x", "url": "https://example.com/", "moment_at": 1388534400}
    expected |= {"list_0": 1, "list_1": 2, "map_a": 1}
    assert made.sandbox.people[0]["custom_attributes"] == expected


def test_what_is_changed_after_a_call_is_not_sent_changed(shop: Any) -> None:
    calls = "var traits = {n: 1}; analytics.identify('user1234', traits); traits.n = 2;"
    made = shop("{{ analytics_snippet(user) }}<script>" + calls + "</script>")
    made.sandbox.wait_for(lambda sandbox: sandbox.people and "n" in sandbox.people[0]["custom_attributes"])
    assert made.sandbox.people[0]["custom_attributes"]["n"] == 1


def test_page_calls_that_say_nothing_new_leave_room_for_what_matters(open_page: Any, page: Page) -> None:
    made = open_page()
    page.evaluate("for (let n = 0; n < 25; n++) analytics.page(); analytics.identify('user1234', {seats: 3})")
    made.sandbox.wait_for(lambda sandbox: sandbox.people[0]["custom_attributes"].get("seats") == 3)
    assert len(boots(made)) <= 3


def test_before_a_consent_nothing_of_a_person_is_written(open_page: Any, page: Page) -> None:
    made = open_page("{{ analytics_snippet(user, load='manual') }}")
    page.evaluate("analytics.identify('user1234', {plan: 'pro'})")
    assert page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('ajs'))") == []
    page.evaluate("intercomLoad(); analytics.identify('user1234', {plan: 'gold'})")
    made.sandbox.wait_for(lambda sandbox: sandbox.people)
    assert page.evaluate("localStorage.ajs_user_id") == '"user1234"'


def test_functions_that_a_module_kept_reach_the_runtime(shop: Any, page: Page) -> None:
    made = shop("{{ analytics_snippet(user) }}<script>var kept = analytics, track = analytics.track;</script>")
    page.wait_for_function("window.analytics?.initialized")
    page.evaluate("kept.track('one'); track('two')")
    made.sandbox.wait_for(lambda sandbox: len(sandbox.events) == 2)
    assert page.evaluate("kept === analytics")


def test_an_element_of_this_id_is_no_queue(shop: Any, page: Page) -> None:
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


def test_what_is_pushed_is_called_before_and_after_the_runtime(shop: Any, page: Page) -> None:
    before = "<script>window.analytics = []; analytics.push(['track', 'First'])</script>"
    after = "<script>window.kept = analytics; analytics.push(['track', 'Second'], ['nothing'], 5)</script>"
    made = shop(before + "{{ analytics_snippet(user) }}" + after)
    page.wait_for_function("analytics.initialized")
    page.evaluate("kept.push(['track', 'Third', {n: 1}])")
    made.sandbox.wait_for(lambda sandbox: len(sandbox.events) == 3)
    assert {each["event_name"] for each in made.sandbox.events} == {"First", "Second", "Third"}
    assert page.evaluate("[kept === analytics, thrown]") == [True, []]


def test_long_lists_are_bounded(open_page: Any, page: Page) -> None:
    made = open_page(QUIET, verified=False)
    page.evaluate("analytics.identify('ann', {tags: Array.from({length: 300}, (_, n) => n), last: 1})")
    made.sandbox.wait_for(lambda sandbox: sandbox.people)
    (person,) = made.sandbox.people
    assert list(person["custom_attributes"]) == [f"tags_{n}" for n in range(250)]


@pytest.mark.not_in("webkit", reason="WebDriver does not hear the console")
def test_under_trusted_types_the_page_hears_that_nothing_was_loaded(shop: Any, messenger: Any, page: Page) -> None:
    call = "<script nonce='r4nd0m'>window.came = 0; analytics.track('x', {}, () => came++)</script>"
    policy = "script-src 'nonce-r4nd0m'; require-trusted-types-for 'script'"
    made = shop("{{ analytics_snippet(user) }}" + call, policy=policy, go=False)
    lines: list[str] = []
    page.on("console", lambda message: lines.append(message.text))
    page.goto(made.address)
    if not page.evaluate("'trustedTypes' in window"):
        messenger.expect_visible()
        return
    page.wait_for_function("came === 1 && heard.length === 2")
    assert page.evaluate("[heard, thrown]") == [["load-failed", "load-failed"], []]
    assert [line.partition(":")[0] for line in lines if "did not load" in line] == ["Intercom", "analytics"]


@pytest.mark.parametrize("line", ["intercom_snippet(user)", "analytics_snippet(user)", "intercom_snippet(remote=True)"])
def test_a_page_of_xhtml_has_a_messenger(line: str, shop: Any, messenger: Any, page: Page) -> None:
    made = shop("", go=False)
    made.intercom.user_loader(lambda: USER)
    xhtml = "<html xmlns='http://www.w3.org/1999/xhtml'><head><title>Shop</title></head><body>{{ %s }}</body></html>"
    made.app.view_functions["home"] = lambda: Response(made.render(xhtml % line), mimetype="application/xhtml+xml")
    page.goto(made.address)
    messenger.expect_visible()
    assert [each["user_id"] for each in made.sandbox.people] == ["user1234"]


PRIVATE = "<script>Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})</script>"


@pytest.mark.parametrize("respected", [True, False])
@pytest.mark.parametrize("line", ["analytics_snippet()", "analytics_snippet(None, page=False)", "intercom_snippet()"])
def test_global_privacy_control_is_respected_where_it_is_wanted(
    line: str, respected: bool, shop: Any, messenger: Any, page: Page
) -> None:
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
def test_without_the_runtime_callbacks_come_and_the_page_hears_of_it(shop: Any, page: Page) -> None:
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
def test_a_form_that_the_page_handles_later_is_not_sent_again(target: str, open_page: Any, page: Page) -> None:
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
)


def test_only_plain_navigations_of_this_frame_are_held_back(open_page: Any, page: Page) -> None:
    open_page(LINKS + "{{ analytics_snippet(None, page=False) }}", verified=False)
    page.evaluate("""() => {
      analytics.trackLink(document.querySelectorAll('.l'), 'Clicked');
      window.prevented = [];
      window.addEventListener('click', event => setTimeout(() => prevented.push(event.defaultPrevented)));
      document.body.addEventListener('click', event => event.preventDefault());
      for (const id of ['down', 'named', 'svg'])
        document.getElementById(id).dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}));
    }""")
    page.wait_for_function("prevented.length === 3")
    assert page.evaluate("location.pathname") == "/"
