"""The pytest plugin, used as an application's own tests use it: in a real browser, with a real server."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from flask import Flask, render_template_string, request

from segment_intercom import SegmentIntercom

PAGE = "<!doctype html><title>Shop</title><link rel=icon href='data:,'><h1>Shop</h1>{{ %s }}"


class Shop:
    """An application of somebody's, on a thread."""

    def __init__(
        self, serve: Callable[[Any], str], config: dict[str, str], snippet: str = "intercom_snippet()"
    ) -> None:
        self.app = Flask("shop")
        self.app.config.update(config)
        self.intercom = SegmentIntercom(self.app)
        self.intercom.user_loader(
            lambda: {"id": request.args["user"], "plan": "pro"} if "user" in request.args else None
        )
        self.app.add_url_rule("/", view_func=lambda: render_template_string(PAGE % snippet))
        self.app.add_url_rule("/buy", view_func=self.buy)
        self.address = serve(self.app)
        self.ingest = self.app.extensions["segment_intercom"].ingest

    def buy(self) -> str:
        self.intercom.track("Order Completed", {"price": 1999})
        return "bought"


def test_a_verified_user_is_booted(serve: Callable[..., str], intercom_sandbox: Any, messenger: Any, page: Any) -> None:
    shop = Shop(serve, intercom_sandbox.config)
    page.goto(f"{shop.address}/?user=42")
    messenger.expect_booted(user_id="42", verified=True, plan="pro")
    messenger.send("Hi there")
    assert [kind for kind, _ in messenger.calls][-1] == "message"
    assert [person["user_id"] for person in intercom_sandbox.people] == ["42"]


def test_wrong_secret_fails_with_reason(
    serve: Callable[..., str], intercom_sandbox: Any, messenger: Any, page: Any
) -> None:
    shop = Shop(serve, {**intercom_sandbox.config, "INTERCOM_IDENTITY_SECRET": "wrong"})
    page.goto(f"{shop.address}/?user=42")
    messenger.timeout = 2
    with pytest.raises(AssertionError) as failed:
        messenger.expect_booted(user_id="42")
    assert 'expected: boot with {"user_id": "42"}' in str(failed.value)
    assert "Intercom refused:\n  boot: " in str(failed.value)
    assert intercom_sandbox.refused[0]["status"] == 403


def test_visitor_boots_without_user_id(
    serve: Callable[..., str], intercom_sandbox: Any, messenger: Any, page: Any
) -> None:
    page.goto(Shop(serve, intercom_sandbox.config).address)
    messenger.expect_booted()
    messenger.timeout = 0.5
    with pytest.raises(AssertionError):
        messenger.expect_booted(user_id="42")


def test_server_event_is_seen_after_retry(
    serve: Callable[..., str], intercom_sandbox: Any, messenger: Any, page: Any
) -> None:
    intercom_sandbox.fault(status=500, next=1)
    shop = Shop(serve, intercom_sandbox.config)
    with closing(shop.ingest):
        page.goto(f"{shop.address}/buy?user=42")
        messenger.expect_event("Order Completed", price=1999)
    assert len(intercom_sandbox.refused) >= 1


def test_expect_hidden_passes_without_launcher(
    serve: Callable[..., str], intercom_sandbox: Any, messenger: Any, page: Any
) -> None:
    page.goto(Shop(serve, intercom_sandbox.config, "intercom_snippet(hide_default_launcher=True)").address)
    messenger.expect_booted()
    messenger.expect_hidden()


def test_verification_can_be_switched_off(
    serve: Callable[..., str], intercom_sandbox: Any, messenger: Any, page: Any
) -> None:
    intercom_sandbox.verification = False
    page.goto(f"{Shop(serve, {**intercom_sandbox.config, 'INTERCOM_IDENTITY_SECRET': 'wrong'}).address}/?user=42")
    messenger.expect_booted(user_id="42", verified=False)


def test_a_teammate_replies(serve: Callable[..., str], intercom_sandbox: Any, messenger: Any, page: Any) -> None:
    shop = Shop(serve, intercom_sandbox.config)
    with pytest.raises(AssertionError, match="nobody is there to reply to"):
        intercom_sandbox.reply("Hello?")
    page.goto(f"{shop.address}/?user=42")
    messenger.expect_booted(user_id="42")
    messenger.expect_unread(0)
    messenger.send("Do you ship to Oslo?")
    page.keyboard.press("Escape")
    intercom_sandbox.reply("Of course")
    intercom_sandbox.reply("In two days", user_id="42")
    messenger.expect_unread(2)
    messenger.open()
    page.get_by_text("In two days").wait_for()
    messenger.expect_unread(0)
