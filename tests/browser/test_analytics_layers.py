"""What the server says in a page, what calls say, and what the browser remembers: which of them counts, and when."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Response
from playwright.sync_api import Page

from segment_intercom import user_hash

from .shop import QUIET, RERUN

ANN = "{{ analytics_snippet({'id': 'ann', 'email': 'new@example.com', 'plan': 'pro'}, company={'id': '2'}) }}"


def test_server_outranks_remembered_traits(open_page: Any, messenger: Any, page: Page) -> None:
    """What an earlier page said may be older than what the server says now, and is not said again."""
    made = open_page(ANN)
    page.evaluate("analytics.identify('ann', {plan: 'free', email: 'old@example.com'}); analytics.group('1')")
    messenger.expect_told(["boot", "update", "update"])
    page.reload()
    page.wait_for_function("window.analytics?.initialized")
    page.evaluate("analytics.page({}, {Intercom: {hideDefaultLauncher: true}})")
    messenger.expect_told(["boot", "update", "update", "boot", "update"])
    last = messenger.calls[-1][1]
    assert (last["email"], last["plan"], last["company"]["company_id"]) == ("new@example.com", "pro", "2")
    assert page.evaluate("analytics.user().traits().plan") == "free"
    assert made.sandbox.refused == []


def test_calls_outrank_the_server(open_page: Any, messenger: Any, page: Page) -> None:
    open_page(ANN)
    page.evaluate("analytics.identify('ann', {plan: 'gold'}); analytics.group('3', {name: 'Three'})")
    page.evaluate("analytics.identify('ann', {Email: 'newest@example.com'})")
    messenger.expect_told(["boot", "update", "update", "update"])
    group, last = (settings for _, settings in messenger.calls[-2:])
    assert (group["plan"], group["email"], group["company"]["company_id"]) == ("gold", "new@example.com", "3")
    assert last["email"] == "newest@example.com"


def test_user_follows_a_lazy_page(open_page: Any, messenger: Any, page: Page) -> None:
    """A page on which nothing boots gives way to one with a user, in the same living page (Turbo, htmx)."""
    made = open_page(QUIET)
    page.evaluate(RERUN, made.rendered(ANN))
    page.evaluate("analytics.track('Paid')")
    made.sandbox.wait_for(lambda sandbox: sandbox.events)
    assert [user for kind, user in made.pings if kind == "boot"] == ["ann"]
    assert page.evaluate("analytics.user().id()") == "ann"


def test_remembered_id_gains_no_traits(open_page: Any, messenger: Any, page: Page) -> None:
    """Where proofs are wanted, a call without an id does not name whom the browser only remembers."""
    made = open_page("{{ analytics_snippet(None) }}")
    page.evaluate("localStorage.setItem('ajs_user_id', '42')")
    page.reload()
    page.wait_for_function("window.analytics?.initialized")
    page.evaluate("analytics.identify({email: 'new@example.com'}); Intercom('trackEvent', 'end')")
    made.sandbox.wait_for(lambda sandbox: sandbox.events)
    assert {user for _, user in made.pings} == {None}
    assert made.sandbox.refused == []


def test_reset_before_consent_forgets(open_page: Any, page: Page) -> None:
    """Before a consent nothing is written, an anonymous id neither, but forgetting is always allowed."""
    open_page("{{ analytics_snippet(None, load='manual') }}")
    page.evaluate("localStorage.ajs_user_id = 'ann'; localStorage.ajs_user_traits = '{\"plan\": \"pro\"}'")
    page.reload()
    page.wait_for_function("window.analytics?.initialized")
    first, second = page.evaluate("[analytics.user().anonymousId(), analytics.user().anonymousId()]")
    assert first == second
    page.evaluate("analytics.reset()")
    assert page.evaluate("[Object.keys(localStorage).filter(key => key.startsWith('ajs')), document.cookie]") == [
        [],
        "",
    ]


def test_anonymous_id_needs_no_runtime(shop: Any, page: Page) -> None:
    shop("{{ analytics_snippet(user) }}", INTERCOM_RUNTIME_URL="/missing")
    ids = page.evaluate("[analytics.user().anonymousId(), analytics.group().anonymousId()]")
    assert ids[0] == ids[1] != ""
    page.evaluate("document.cookie = 'ajs_anonymous_id=%22abc%22;path=/'")
    page.reload()
    assert page.evaluate("analytics.user().anonymousId()") == "abc"


def test_runtime_keeps_the_early_anonymous_id(shop: Any, page: Page) -> None:
    shop("{{ analytics_snippet(user) }}<script>window.early = analytics.user().anonymousId()</script>")
    page.wait_for_function("window.analytics?.initialized")
    assert (
        page.evaluate("[analytics.user().anonymousId(), analytics.group().anonymousId()]")
        == [page.evaluate("early")] * 2
    )


@pytest.mark.parametrize("body", ["", "// Log in first"])
def test_answer_without_runtime_is_a_failure(body: str, shop: Any, page: Page) -> None:
    """A page to log in on, or a blocker's empty script, is answered with 200 as well."""
    made = shop(
        "{{ analytics_snippet(user) }}<script>window.came = 0; analytics.track('x', {}, () => came++)</script>",
        go=False,
        INTERCOM_RUNTIME_URL="/runtime",
    )
    made.app.add_url_rule("/runtime", view_func=lambda: Response(body, mimetype="text/javascript"))
    page.goto(made.address)
    page.wait_for_function("came === 1 && heard.includes('load-failed')")


FORMS = [
    ("track('Paid', {}, () => came++, undefined)", ["Paid"]),
    ("track('Paid', {}, {integrations: {Intercom: false}}, () => came++)", []),
    ("track({event: 'Paid', properties: {n: 1}}, {integrations: {Intercom: false}}, () => came++)", []),
    ("track({event: 'Paid', integrations: {Intercom: true}}, {integrations: {All: false}}, () => came++)", ["Paid"]),
]


@pytest.mark.parametrize(("call", "events"), FORMS)
def test_arguments_are_read_as_segments(call: str, events: list[str], open_page: Any, page: Page) -> None:
    """The first function is the callback, and options may follow a whole message."""
    made = open_page()
    page.evaluate(f"window.came = 0; analytics.{call}; analytics.track('End')")
    page.wait_for_function("came === 1")
    made.sandbox.wait_for(lambda sandbox: "End" in [event["event_name"] for event in sandbox.events])
    assert [event["event_name"] for event in made.sandbox.events] == [*events, "End"]


def test_page_takes_null_for_no_properties(open_page: Any, messenger: Any, page: Page) -> None:
    open_page(QUIET, verified=False)
    page.evaluate("analytics.page('Home', null, {integrations: {Intercom: false}}); analytics.page('Home')")
    messenger.expect_told(["boot"])


def test_segments_snippet_stays_out(shop: Any, page: Page) -> None:
    """Their snippet gives way where `invoked` is set; otherwise its functions would call each other without an end."""
    theirs = (
        "<script>if (!analytics.invoked) analytics.track = (...call) => analytics.push(['track', ...call])</script>"
    )
    made = shop("{{ analytics_snippet(user) }}" + theirs)
    page.wait_for_function("window.analytics?.initialized")
    page.evaluate("analytics.track('Paid')")
    made.sandbox.wait_for(lambda sandbox: sandbox.events)
    assert page.evaluate("thrown") == []


def test_proof_of_a_call_is_used(open_page: Any, messenger: Any, page: Page) -> None:
    """It names whom the browser only remembers, too, and stays when the page is rendered anew without a user."""
    made = open_page("{{ analytics_snippet(None) }}")
    page.evaluate("localStorage.setItem('ajs_user_id', 'ann')")
    page.reload()
    page.wait_for_function("window.analytics?.initialized")
    proof = user_hash(made.secret, "ann")
    page.evaluate("proof => analytics.identify({plan: 'pro'}, {Intercom: {user_hash: proof}})", proof)
    messenger.expect_booted(user_id="ann", verified=True, plan="pro")
    page.evaluate(RERUN, made.rendered("{{ analytics_snippet(None) }}"))
    page.evaluate("analytics.identify({plan: 'gold'})")
    messenger.expect_booted(user_id="ann", verified=True, plan="gold")


REMOTE = "{{ analytics_snippet(remote=True) }}"


def test_calls_before_the_answer_are_told(shop: Any, messenger: Any, page: Page) -> None:
    """What a page says before its own route has named the user goes with the user, and not only into storage."""
    made = shop(REMOTE, go=False)
    made.intercom.user_loader(lambda: {"id": "ann", "plan": "pro"})
    page.goto(made.address)
    page.evaluate("analytics.identify({ref: 'ad1'}); analytics.group('g1', {name: 'G'})")
    page.wait_for_function("window.analytics?.initialized && intercomSettings.user_id")
    page.evaluate("analytics.page()")
    messenger.expect_booted(user_id="ann", verified=True, plan="pro", ref="ad1")
    assert page.evaluate("[analytics.user().id(), analytics.group().id()]") == ["ann", "g1"]


def test_visitor_traits_follow_log_in(shop: Any, messenger: Any, page: Page) -> None:
    made = shop("{{ analytics_snippet({'id': 'ann'} if request.args.user else None) }}")
    page.wait_for_function("window.analytics?.initialized")
    page.evaluate("analytics.identify({ref: 'ad1'})")
    page.goto(f"{made.address}/?user=1")
    page.wait_for_function("window.analytics?.initialized")
    page.evaluate("analytics.page()")
    messenger.expect_booted(user_id="ann", verified=True, ref="ad1")


def test_reset_is_not_undone(shop: Any, messenger: Any, page: Page) -> None:
    """Not by an answer of the route that no call has heard of yet, and not by its renewal."""
    made = shop(REMOTE, go=False)
    made.intercom.user_loader(lambda: {"id": "ann"})
    page.goto(made.address)
    messenger.expect_booted(user_id="ann")
    page.wait_for_function("window.analytics?.initialized")
    page.evaluate("analytics.reset(); analytics.page(); analytics.track('Paid')")
    made.sandbox.wait_for(lambda sandbox: sandbox.events)
    messenger.expect_booted()
    assert page.evaluate("localStorage.ajs_user_id") is None


def test_server_outranks_remembered_group(open_page: Any, messenger: Any, page: Page) -> None:
    open_page("{{ analytics_snippet({'id': 'ann'}, company={'id': 'g1', 'plan': 'pro'}) }}")
    page.evaluate("analytics.group('g1', {name: 'G', plan: 'free'})")
    messenger.expect_told(["boot", "update"])
    page.reload()
    page.wait_for_function("window.analytics?.initialized")
    page.evaluate("analytics.group('g1', {employees: 5})")
    messenger.expect_told(["boot", "update", "boot", "update"])
    company = messenger.calls[-1][1]["company"]
    assert (company["company_id"], company["employees"], company.get("plan")) == ("g1", 5, None)
    assert page.evaluate("analytics.group().traits()") == {"name": "G", "plan": "free", "employees": 5}


def test_early_anonymous_id_is_kept(shop: Any, page: Page) -> None:
    """One that a page asks for before the runtime has come is that of the next visit."""
    shop("{{ analytics_snippet(user) }}<script>window.early = analytics.user().anonymousId()</script>")
    page.wait_for_function("window.analytics?.initialized")
    first = page.evaluate("early")
    page.reload()
    assert page.evaluate("early") == first


def test_consent_keeps_what_was_said(open_page: Any, page: Page) -> None:
    open_page("{{ analytics_snippet(None, load='manual') }}", verified=False)
    page.evaluate("analytics.identify('42', {plan: 'pro'}); analytics.setAnonymousId('mine')")
    assert page.evaluate("[localStorage.ajs_user_id, document.cookie]") == [None, ""]
    page.evaluate("intercomLoad()")
    assert page.evaluate("[localStorage.ajs_user_id, analytics.user().anonymousId()]") == ['"42"', "mine"]
    assert "ajs_anonymous_id=mine" in page.evaluate("document.cookie")


@pytest.mark.not_in("webkit", reason="the driver of these tests has one tab")
def test_visitors_tab_follows_the_browser(open_page: Any, messenger: Any, page: Page, open_tab: Any) -> None:
    """A tab in which nobody was named ends no session of another one; a reset there ends what this one remembers."""
    made = open_page(QUIET, verified=False)
    tab = open_tab(made.address)
    tab.evaluate("analytics.identify('ben')")
    page.wait_for_function("analytics.user().id() === 'ben'")
    page.evaluate("analytics.identify({ref: 'ad'})")
    messenger.expect_booted(user_id="ben", ref="ad")
    assert tab.evaluate("analytics.user().id()") == "ben"
    tab.evaluate("analytics.reset()")
    page.wait_for_function("analytics.user().id() === undefined")
    assert "shutdown" in [kind for kind, _ in messenger.calls]


@pytest.mark.not_in("webkit", reason="the driver of these tests has one tab")
def test_newest_anonymous_id_holds_everywhere(open_page: Any, page: Page, open_tab: Any) -> None:
    made = open_page(QUIET, verified=False)
    first = page.evaluate("analytics.user().anonymousId()")
    tab = open_tab(made.address)
    second = tab.evaluate("(analytics.reset(), analytics.user().anonymousId())")
    assert first != second
    assert page.evaluate("analytics.user().anonymousId()") == second
