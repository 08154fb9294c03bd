"""The end of a session, pages cached in public, and tokens on a page that stays open, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from flask import Flask, make_response, redirect, session
from playwright.sync_api import Page
from werkzeug.wrappers import Response

from segment_intercom import Identify, user_jwt

from .expectations import expect
from .shop import SHELL, Shop

LONG_SECRET = "a secret of at least thirty-two bytes"


def add_accounts(made: Shop, template: str) -> Flask:
    """Pages on which somebody logs in and out; the loader says who it is."""
    app = made.app
    app.secret_key = "not-a-real-key"
    made.intercom.user_loader(lambda: {"id": session["user"], "plan": "pro"} if "user" in session else None)

    @app.get("/login/<user>")
    def login(user: str) -> Response:
        session["user"] = user
        return redirect("/account")

    @app.get("/logout")
    def logout() -> Response:
        session.clear()
        return made.intercom.logout(redirect("/account"))

    @app.get("/account")
    def account() -> Any:
        return make_response(made.render(SHELL % template))

    return app


@pytest.fixture
def accounts(shop: Callable[..., Shop]) -> Callable[..., Shop]:
    def open_it(template: str = "{{ analytics_snippet() }}", **options: Any) -> Shop:
        made = shop(template, go=False, **options)
        add_accounts(made, template)
        return made

    return open_it


def test_logout_redirect_clears_conversation_and_identity(accounts: Any, messenger: Any, page: Page) -> None:
    made = accounts()
    page.goto(f"{made.address}/login/ann")
    messenger.expect_visible()
    page.evaluate("analytics.identify('ann', {seats: 3}); Intercom('showNewMessage', 'only for Ann')")
    page.get_by_role("button", name="Send").click()
    made.sandbox.wait_for(lambda sandbox: len(sandbox.conversations) == 1)
    page.goto(f"{made.address}/logout")
    messenger.expect_visible()
    made.sandbox.wait_for(lambda sandbox: "visitor" in [person["role"] for person in sandbox.people])
    assert page.evaluate("Object.keys(localStorage).filter(key => /^ajs_(user|group)_id/.test(key))") == []
    page.evaluate("Intercom('showMessages')")
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.get_by_text("only for Ann")).to_have_count(0)


def test_login_after_logout_boots_anew(accounts: Any, messenger: Any, page: Page) -> None:
    """The log-out is acted on once: a reload after it is a single boot."""
    made = accounts("{{ intercom_snippet() }}")
    page.goto(f"{made.address}/login/ann")
    messenger.expect_visible()
    page.evaluate("fetch('/logout', {redirect: 'manual'})")
    page.goto(f"{made.address}/login/ben")
    messenger.expect_visible()
    made.sandbox.wait_for(lambda sandbox: "ben" in [person["user_id"] for person in sandbox.people])
    kinds = [request["kind"] for request in made.sandbox.requests]
    page.reload()
    messenger.expect_visible()
    made.sandbox.wait_for(lambda sandbox: len(sandbox.requests) == len(kinds) + 1)
    assert made.sandbox.requests[-1]["kind"] == "boot", "the log-out is acted on once"


def test_remote_snippet_fetches_identity(accounts: Any, messenger: Any, page: Page) -> None:
    """The page itself names nobody, so that it may be cached in public."""
    made = accounts("{{ intercom_snippet(remote=True) }}")
    page.goto(f"{made.address}/login/ann")
    messenger.expect_visible()
    (person,) = made.sandbox.people
    assert (person["user_id"], person["custom_attributes"]) == ("ann", {"plan": "pro"})
    assert [request["kind"] for request in made.sandbox.requests] == ["boot"]
    client = made.app.test_client()
    assert "ann" not in client.get("/login/ann", follow_redirects=True).text


@pytest.mark.parametrize("answer", [("<p>Log in</p>", 200), ("", 500), ("", 404)])
def test_failed_identity_answer_boots_visitor(
    answer: tuple[str, int], accounts: Any, messenger: Any, page: Page
) -> None:
    made = accounts("{{ intercom_snippet(remote=True) }}")
    made.app.view_functions["segment_intercom.settings_json"] = lambda: answer
    page.goto(f"{made.address}/login/ann")
    messenger.expect_visible()
    assert [person["role"] for person in made.sandbox.people] == ["visitor"]


def ann_with_a_token(accounts: Any, page: Page, snippet: str = "intercom_snippet()", **clock: Any) -> Shop:
    """Ann's page with a token that lives for an hour, on a clock that the test moves."""
    config = {"INTERCOM_IDENTITY": "jwt", "INTERCOM_IDENTITY_SECRET": LONG_SECRET, "INTERCOM_IDENTITY_TTL": 3600}
    made: Shop = accounts(f"{{{{ {snippet} }}}}", **config)
    made.sandbox.workspace.identity_secret = LONG_SECRET
    page.clock.install(**clock)
    page.goto(f"{made.address}/login/ann")
    made.sandbox.wait_for(lambda sandbox: len(sandbox.requests) == 1)
    return made


@pytest.mark.not_in("webkit", reason="WebDriver cannot move the clock")
def test_token_is_renewed_before_expiry(accounts: Any, page: Page) -> None:
    made = ann_with_a_token(accounts, page)
    page.clock.fast_forward("58:50")
    with page.expect_response("**/settings.json"):
        page.clock.fast_forward("00:30")
    made.sandbox.wait_for(lambda sandbox: sandbox.requests[-1]["kind"] == "update")
    renewed = page.evaluate("intercomSettings.intercom_user_jwt")
    assert jwt.decode(renewed, LONG_SECRET, algorithms=["HS256"])["user_id"] == "ann"
    assert LONG_SECRET not in page.content()


REPLAY = """html => {
  document.body.innerHTML = html;
  for (const old of document.body.querySelectorAll("script")) {
    const script = document.createElement("script");
    for (const each of old.attributes) script.setAttribute(each.name, each.value);
    script.textContent = old.textContent;
    old.replaceWith(script);
  }
}"""


def told(made: Shop) -> list[tuple[str, str | None]]:
    """All that Intercom received, each with its user id."""
    return [(request["kind"], request["settings"].get("user_id")) for request in made.sandbox.requests]


def test_cached_page_after_logout_names_nobody(accounts: Any, messenger: Any, page: Page) -> None:
    made = accounts("{{ intercom_snippet() }}")
    page.goto(f"{made.address}/login/ann")
    messenger.expect_visible()
    body = page.evaluate("document.body.innerHTML")
    page.evaluate("fetch('/logout', {redirect: 'manual'})")
    page.evaluate(REPLAY, body)
    made.sandbox.wait_for(lambda sandbox: [request["kind"] for request in sandbox.requests].count("boot") == 2)
    page.evaluate(REPLAY, body)
    page.evaluate("Intercom('trackEvent', 'end')")
    made.sandbox.wait_for(lambda sandbox: sandbox.requests[-1]["kind"] == "event")
    assert [user for _, user in told(made)[:2]] == ["ann", None]
    assert "ann" not in [user for _, user in told(made)[1:]]
    assert page.evaluate("intercomSettings") == {"app_id": "sandbox1"}


def test_turbo_visit_after_logout_ends_session(accounts: Any, messenger: Any, page: Page) -> None:
    """Turbo changes pages without a load; the next boot and later calls name the former user no more."""
    made = accounts("{{ analytics_snippet() }}")
    page.goto(f"{made.address}/login/ann")
    messenger.expect_visible()
    page.evaluate("fetch('/logout', {redirect: 'manual'})")
    page.evaluate("document.dispatchEvent(new Event('turbo:load'))")
    made.sandbox.wait_for(lambda sandbox: [request["kind"] for request in sandbox.requests].count("boot") == 2)
    page.evaluate("analytics.page(); analytics.track('end')")
    made.sandbox.wait_for(lambda sandbox: sandbox.requests[-1]["kind"] == "event")
    assert "ann" not in [user for _, user in told(made)[1:]]


def test_a_preview_of_turbo_says_nothing(accounts: Any, messenger: Any, page: Page) -> None:
    made = accounts("{{ intercom_snippet() }}")
    page.goto(f"{made.address}/login/ann")
    messenger.expect_visible()
    page.evaluate("document.documentElement.setAttribute('data-turbo-preview', '')")
    page.evaluate(REPLAY, page.evaluate("document.body.innerHTML"))
    page.evaluate("Intercom('trackEvent', 'end')")
    made.sandbox.wait_for(lambda sandbox: sandbox.requests[-1]["kind"] == "event")
    assert told(made)[0] == ("boot", "ann")
    assert [kind for kind, _ in told(made)] == ["boot", "event"]


@pytest.mark.not_in("webkit", reason="WebDriver cannot move the clock")
def test_renewal_boots_newly_logged_in_person(accounts: Any, page: Page) -> None:
    """The former person's Messenger is not updated with another identity: it ends."""
    made = ann_with_a_token(accounts, page)
    page.evaluate("fetch('/login/ben', {redirect: 'manual'})")
    page.clock.fast_forward("59:30")
    made.sandbox.wait_for(lambda sandbox: sandbox.requests[-1]["kind"] == "boot" and len(sandbox.requests) > 1)
    assert [user for kind, user in told(made) if kind == "boot"] == ["ann", "ben"]
    assert "update" not in [kind for kind, _ in told(made)]


@pytest.mark.not_in("webkit", reason="WebDriver cannot move the clock")
def test_failed_renewal_retries_when_online(accounts: Any, page: Page) -> None:
    made = ann_with_a_token(accounts, page)
    answers = made.app.view_functions["segment_intercom.settings_json"]
    made.app.view_functions["segment_intercom.settings_json"] = lambda: ("", 503)
    with page.expect_response("**/settings.json"):
        page.clock.fast_forward("59:30")
    made.app.view_functions["segment_intercom.settings_json"] = answers
    with page.expect_response("**/settings.json"):
        page.evaluate("dispatchEvent(new Event('online'))")
    made.sandbox.wait_for(lambda sandbox: sandbox.requests[-1]["kind"] == "update")
    assert told(made)[-1] == ("update", "ann")


@pytest.mark.parametrize("answer", ["null", "[]", '{"error": "no"}', "<p>", '"text"'])
def test_malformed_identity_answer_is_ignored(answer: str, accounts: Any, messenger: Any, page: Page) -> None:
    made = accounts("{{ intercom_snippet(remote=True) }}")
    made.app.view_functions["segment_intercom.settings_json"] = lambda: Response(answer, mimetype="application/json")
    page.goto(f"{made.address}/login/ann")
    messenger.expect_visible()
    assert page.evaluate("[intercomSettings, thrown]") == [{"app_id": "sandbox1"}, []]


@pytest.mark.not_in("webkit", reason="WebDriver cannot wait for an answer")
def test_identity_route_failure_keeps_session(accounts: Any, messenger: Any, page: Page) -> None:
    made = accounts("{{ intercom_snippet(remote=True) }}")
    page.goto(f"{made.address}/login/ann")
    messenger.expect_visible()
    made.app.view_functions["segment_intercom.settings_json"] = lambda: ("", 503)
    with page.expect_response("**/settings.json"):
        page.evaluate(REPLAY, page.evaluate("document.body.innerHTML"))
    page.evaluate("Intercom('trackEvent', 'end')")
    made.sandbox.wait_for(lambda sandbox: sandbox.requests[-1]["kind"] == "event")
    assert [kind for kind, _ in told(made)] == ["boot", "event"]


def test_early_launcher_click_opens_messenger(accounts: Any, page: Page) -> None:
    """A click that comes before the Messenger is there opens it as soon as it is loaded."""
    made = accounts("{{ intercom_snippet(load='manual', launcher_selector='#help') }}")
    page.goto(f"{made.address}/login/ann")
    page.get_by_role("button", name="Help").click()
    page.evaluate("intercomLoad()")
    expect(page.get_by_role("dialog")).to_be_visible()


def test_remote_analytics_fetches_identity(accounts: Any, messenger: Any, page: Page) -> None:
    made = accounts("{{ analytics_snippet(remote=True) }}")
    page.goto(f"{made.address}/login/ann")
    messenger.expect_visible()
    page.wait_for_function("window.analytics?.initialized")
    page.evaluate("analytics.identify('ann', {seats: 3})")
    made.sandbox.wait_for(
        lambda sandbox: [person["custom_attributes"].get("seats") for person in sandbox.people] == [3]
    )
    assert "ann" not in made.app.test_client().get("/login/ann", follow_redirects=True).text


def test_prerendered_page_waits_until_shown(accounts: Any, page: Page) -> None:
    hidden = "<script>Object.defineProperty(document, 'prerendering', {value: true, configurable: true})</script>"
    made = accounts(hidden + "{{ analytics_snippet() }}<script>analytics.track('Paid')</script>")
    page.goto(f"{made.address}/login/ann")
    page.wait_for_function("document.readyState === 'complete'")
    assert page.evaluate("[typeof Intercom, !!analytics.initialized]") == ["undefined", False]
    page.evaluate("delete document.prerendering; document.dispatchEvent(new Event('prerenderingchange'))")
    made.sandbox.wait_for(lambda sandbox: sandbox.events)
    assert told(made)[0] == ("boot", "ann")


def test_omitted_setting_returns_to_default(accounts: Any, messenger: Any, page: Page) -> None:
    """A page changed in place is like a full load: what it does not set is not carried over."""
    made = accounts("{{ intercom_snippet(hide_default_launcher=True) if request.args.hide else intercom_snippet() }}")
    page.goto(f"{made.address}/account?hide=1")
    made.sandbox.wait_for(lambda sandbox: len(sandbox.requests) == 1)
    messenger.expect_hidden()
    html = page.evaluate("fetch('/account').then(answer => answer.text())")
    page.evaluate(REPLAY, html.partition("<body")[2].partition(">")[2])
    messenger.expect_visible()


def test_page_from_cache_notices_logout(accounts: Any, messenger: Any, page: Page) -> None:
    made = accounts("{{ analytics_snippet() }}")
    page.goto(f"{made.address}/login/ann")
    messenger.expect_visible()
    page.wait_for_function("window.analytics?.initialized")
    page.evaluate("fetch('/logout', {redirect: 'manual'})")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    page.evaluate("Intercom('trackEvent', 'end')")
    made.sandbox.wait_for(lambda sandbox: sandbox.requests[-1]["kind"] == "event")
    assert told(made) == [("boot", "ann"), ("shutdown", None), ("boot", None), ("event", None)]


@pytest.mark.not_in("webkit", reason="the driver of these tests has one tab")
def test_second_tab_login_is_not_refused(accounts: Any, page: Page) -> None:
    """A page that learns of a log-in in another tab names that user with a proof or not at all."""
    made = accounts()
    page.goto(f"{made.address}/login/ann")
    page.wait_for_function("window.analytics?.initialized")
    tab = page.context.new_page()
    tab.goto(f"{made.address}/login/ben")
    page.wait_for_function("analytics.user().id() === 'ben'")
    page.evaluate("Intercom('trackEvent', 'end')")
    made.sandbox.wait_for(lambda sandbox: sandbox.requests[-1]["kind"] == "event")
    assert [request["refused"] for request in made.sandbox.requests if request["refused"]] == []
    tab.close()


FILL = """() => {
  for (let size = 2 ** 22, n = 0; size >= 1; size /= 2)
    for (;;) {
      try { localStorage["fill" + n++] = "x".repeat(size); } catch { break; }
    }
}"""


@pytest.mark.not_in("firefox", "webkit", reason="how storage is filled differs; that it throws is the same")
def test_full_storage_forgets_at_log_out(accounts: Any, messenger: Any, page: Page) -> None:
    """That a log-out cannot be noted is no reason to keep who it was."""
    made = accounts()
    page.goto(f"{made.address}/login/ann")
    page.wait_for_function("window.analytics?.initialized && localStorage.ajs_user_id")
    page.evaluate(FILL)
    page.evaluate("fetch('/logout', {redirect: 'manual'})")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    messenger.expect_booted()
    assert page.evaluate("[localStorage.ajs_user_id, localStorage['intercom-logout']]") == [None, None]


@pytest.mark.not_in("webkit", reason="the driver of these tests has one tab")
@pytest.mark.parametrize("snippet", ["analytics_snippet()", "intercom_snippet()"])
def test_old_tab_leaves_the_next_user(snippet: str, accounts: Any, messenger: Any, page: Page) -> None:
    """A tab hears of a log-out at once; whoever looks at it later does not end the next user's session in theirs."""
    made = accounts(f"{{{{ {snippet} }}}}")
    page.goto(f"{made.address}/login/ann")
    messenger.expect_booted(user_id="ann")
    tab = page.context.new_page()
    tab.goto(f"{made.address}/logout")
    page.wait_for_function("!intercomSettings.user_id")
    made.sandbox.wait_for(lambda sandbox: [request["kind"] for request in sandbox.requests].count("boot") == 3)
    tab.goto(f"{made.address}/login/ben")
    messenger.expect_booted(user_id="ben")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    tab.evaluate("Intercom('trackEvent', 'Paid')")
    made.sandbox.wait_for(lambda sandbox: sandbox.events)
    (person,) = [person for person in made.sandbox.people if person["id"] == made.sandbox.events[0]["person_id"]]
    assert (person["user_id"], made.sandbox.refused) == ("ben", [])
    tab.close()


@pytest.mark.not_in("webkit", reason="WebDriver cannot move the clock")
@pytest.mark.parametrize("hours", [3, -3])
def test_wrong_clock_makes_no_storm(hours: int, accounts: Any, page: Page) -> None:
    """A token that has just come lasts as long as it says, whatever this browser's clock is."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "settings.json" in request.url else None)
    ann_with_a_token(accounts, page, time=datetime.now(UTC) + timedelta(hours=hours))
    for _ in range(2 if hours > 0 else 1):
        with page.expect_response("**/settings.json"):
            page.clock.fast_forward("59:30")
    page.clock.fast_forward("10:00")
    assert len(asked) == (2 if hours > 0 else 1)


@pytest.mark.not_in("webkit", reason="WebDriver cannot move the clock")
def test_renewal_ends_user_of_a_call(accounts: Any, page: Page) -> None:
    """A token that is renewed for the user in session never updates another one, whom a call has named since."""
    made = ann_with_a_token(accounts, page, "analytics_snippet()")
    page.wait_for_function("window.analytics?.initialized")
    token = user_jwt(LONG_SECRET, {"user_id": "ben"}, 36_000)
    page.evaluate("token => analytics.identify('ben', {}, {Intercom: {intercom_user_jwt: token}})", token)
    made.sandbox.wait_for(lambda sandbox: len(sandbox.requests) == 3)
    with page.expect_response("**/settings.json"):
        page.clock.fast_forward("59:30")
    made.sandbox.wait_for(lambda sandbox: len(sandbox.requests) == 5)
    ends = [("shutdown", None)]
    assert made.pings == [("boot", "ann"), *ends, ("boot", "ben"), *ends, ("boot", "ann")]


@pytest.mark.not_in("webkit", reason="WebDriver cannot move the clock")
def test_token_without_end_is_not_renewed(accounts: Any, page: Page) -> None:
    token = jwt.encode({"user_id": "ann"}, LONG_SECRET, "HS256")
    made = accounts("{{ intercom_snippet() }}", INTERCOM_IDENTITY_SECRET=None)
    made.intercom.user_loader(lambda: Identify("ann", integrations={"Intercom": {"intercom_user_jwt": token}}))
    made.sandbox.workspace.identity_secret = LONG_SECRET
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "settings.json" in request.url else None)
    page.clock.install()
    page.goto(f"{made.address}/account")
    made.sandbox.wait_for(lambda sandbox: sandbox.requests)
    page.clock.fast_forward("30:00")
    assert asked == []
