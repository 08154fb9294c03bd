"""A site with one page that a test writes, and the sandbox mounted beside it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import Flask, Response
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from segment_intercom.sandbox import Workspace, create_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

APP = "abc12345"
PLAIN = (
    "var i = function () { i.q.push(arguments); }; i.q = []; window.Intercom = i;"
    "var s = document.createElement('script'); s.async = true; s.nonce = 'n0nce';"
    f"s.src = '/intercom/widget/{APP}'; document.head.append(s);"
)


class Site:
    """One page at ``/``: settings, a queue shim with calls already in it, and the widget's script."""

    def __init__(self, serve: Callable[[Any], str], workspace: Workspace) -> None:
        self.workspace = workspace
        self.sandbox = create_sandbox(workspace)
        self.html = ""
        self.headers: dict[str, str] = {}
        site = Flask(__name__)
        site.add_url_rule("/", view_func=lambda: Response(self.html, headers=self.headers, mimetype="text/html"))
        self.address = serve(DispatcherMiddleware(site, {"/intercom": self.sandbox}))

    def write(self, settings: dict[str, Any] | None, body: str = "", queued: str = "") -> None:
        """Write the page: None leaves ``window.intercomSettings`` unset."""
        text = json.dumps(settings).replace("<", "\\u003c")
        first = "" if settings is None else f"window.intercomSettings = JSON.parse({json.dumps(text)});"
        script = f"<script nonce='n0nce'>{first}{PLAIN}{queued}</script>"
        head = "<!doctype html><title>Shop</title><link rel=icon href='data:,'>"
        self.html = f"{head}<meta name=viewport content='width=device-width'><body>{body}{script}</body>"

    def open(self, page: Page, settings: dict[str, Any] | None, body: str = "", queued: str = "") -> None:
        """Write the page and wait until the Messenger stands."""
        self.write(settings, body, queued)
        page.goto(self.address)
        booted(page)

    def requests(self) -> Any:
        """What the sandbox has logged."""
        return self.sandbox.extensions["sandbox"].state()["requests"]

    def kinds(self) -> list[str]:
        """The kinds of all requests, in order."""
        return [request["kind"] for request in self.requests()]

    def expect_kinds(self, page: Page, kinds: list[str]) -> None:
        """Wait until as many requests have come, and see that they are these."""
        for _ in range(1000):
            state = page.request.get(f"{self.address}/intercom/inspector/state.json").json()
            if len(state["requests"]) >= len(kinds):
                break
        assert self.kinds() == kinds


def booted(page: Page) -> Locator:
    """The container of a Messenger that stands; waits for it."""
    container = page.locator("#intercom-container[data-booted=true]")
    container.wait_for(state="attached")
    return container


def launcher(page: Page) -> Locator:
    """The launcher's button."""
    return page.get_by_role("button", name="Intercom Messenger")


def panel(page: Page) -> Locator:
    """The open panel."""
    return page.get_by_role("dialog")


def box(page: Page) -> Locator:
    """The field to write a message in."""
    return page.get_by_label("Message", exact=True)
