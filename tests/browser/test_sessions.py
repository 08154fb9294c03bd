"""The end of a session, pages cached in public, and tokens on a page that stays open, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt
import pytest
from flask import Flask, make_response, redirect, render_template_string, session
from playwright.sync_api import Page
from werkzeug.wrappers import Response

from tests.conftest import SECRET

from .expectations import expect
from .test_snippet import SHELL, Shop, launcher
from .test_snippet import shop as shop

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
        return make_response(render_template_string(SHELL % template, csp_nonce="r4nd0m"))

    return app


@pytest.fixture
def accounts(shop: Callable[..., Shop]) -> Callable[..., Shop]:
    def open_it(template: str = "{{ analytics_snippet() }}", **options: Any) -> Shop:
        made = shop(template, go=False, **options)
        add_accounts(made, template)
        return made

    return open_it


def test_after_a_log_out_on_a_redirect_nobodys_conversation_and_identity_remain(accounts: Any, page: Page) -> None:
    made = accounts()
    page.goto(f"{made.address}/login/ann")
    expect(launcher(page)).to_be_visible()
    page.evaluate("analytics.identify('ann', {seats: 3}); Intercom('showNewMessage', 'only for Ann')")
    page.get_by_role("button", name="Send").click()
    made.wait_for(lambda state: len(state["conversations"]) == 1)
    page.goto(f"{made.address}/logout")
    expect(launcher(page)).to_be_visible()
    made.wait_for(lambda state: "visitor" in [person["role"] for person in state["people"]])
    assert page.evaluate("Object.keys(localStorage).filter(key => /^ajs_(user|group)_id/.test(key))") == []
    assert "intercom-logout" not in page.evaluate("document.cookie")
    page.evaluate("Intercom('showMessages')")
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.get_by_text("only for Ann")).to_have_count(0)


def test_who_logs_in_right_after_a_log_out_is_booted_anew(accounts: Any, page: Page) -> None:
    made = accounts("{{ intercom_snippet() }}")
    page.goto(f"{made.address}/login/ann")
    expect(launcher(page)).to_be_visible()
    page.evaluate("fetch('/logout', {redirect: 'manual'})")
    page.goto(f"{made.address}/login/ben")
    expect(launcher(page)).to_be_visible()
    made.wait_for(lambda state: "ben" in [person["user_id"] for person in state["people"]])
    assert "intercom-logout" not in page.evaluate("document.cookie")


def test_a_page_for_everybody_asks_who_it_is(accounts: Any, page: Page) -> None:
    made = accounts("{{ intercom_snippet(remote=True) }}")
    page.goto(f"{made.address}/login/ann")
    expect(launcher(page)).to_be_visible()
    (person,) = made.state()["people"]
    assert (person["user_id"], person["custom_attributes"]) == ("ann", {"plan": "pro"})
    assert [request["kind"] for request in made.state()["requests"]] == ["boot"]
    client = made.app.test_client()
    assert "ann" not in client.get("/login/ann", follow_redirects=True).text


@pytest.mark.parametrize("answer", [("<p>Log in</p>", 200), ("", 500), ("", 404)])
def test_where_nobody_says_who_it_is_it_is_a_visitor(answer: tuple[str, int], accounts: Any, page: Page) -> None:
    made = accounts("{{ intercom_snippet(remote=True) }}")
    made.app.view_functions["segment_intercom.settings_json"] = lambda: answer
    page.goto(f"{made.address}/login/ann")
    expect(launcher(page)).to_be_visible()
    assert [person["role"] for person in made.state()["people"]] == ["visitor"]


@pytest.mark.not_in("webkit", reason="WebDriver cannot move the clock")
def test_a_token_is_renewed_before_its_end_on_a_page_that_stays_open(accounts: Any, page: Page) -> None:
    config = {"INTERCOM_IDENTITY": "jwt", "INTERCOM_IDENTITY_SECRET": LONG_SECRET, "INTERCOM_IDENTITY_TTL": 3600}
    made = accounts("{{ intercom_snippet() }}", workspace={"identity_secret": LONG_SECRET}, **config)
    page.clock.install()
    page.goto(f"{made.address}/login/ann")
    made.wait_for(lambda state: len(state["requests"]) == 1)
    page.clock.fast_forward("58:50")
    with page.expect_response("**/settings.json"):
        page.clock.fast_forward("00:30")
    made.wait_for(lambda state: state["requests"][-1]["kind"] == "update")
    renewed = page.evaluate("intercomSettings.intercom_user_jwt")
    assert jwt.decode(renewed, LONG_SECRET, algorithms=["HS256"])["user_id"] == "ann"
    assert SECRET not in page.content()
