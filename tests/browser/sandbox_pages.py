"""A site with one page that a test writes, which loads the widget of the plugin's sandbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import Flask, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

    from segment_intercom.testing.sandbox import IntercomSandbox

APP = "sandbox1"
PLAIN = (
    "var i = function () { i.q.push(arguments); }; i.q = []; window.Intercom = i;"
    "var s = document.createElement('script'); s.async = true; s.nonce = 'n0nce';"
    "s.src = '%s'; document.head.append(s);"
)


class Site:
    """One page at ``/``: settings, a queue shim with calls already in it, and the widget's script."""

    def __init__(self, serve: Callable[[Any], str], sandbox: IntercomSandbox) -> None:
        self.sandbox = sandbox
        self.workspace = sandbox.workspace
        self.workspace.name = "Acme"
        self.workspace.identity_secret = None
        self.widget = f"{sandbox.address}/widget/{APP}"
        self.html = ""
        self.headers: dict[str, str] = {}
        site = Flask(__name__)
        site.add_url_rule("/", view_func=lambda: Response(self.html, headers=self.headers, mimetype="text/html"))
        self.address = serve(site)

    def write(self, settings: dict[str, Any] | None, body: str = "", queued: str = "") -> None:
        """Write the page: None leaves ``window.intercomSettings`` unset."""
        text = json.dumps(settings).replace("<", "\\u003c")
        first = "" if settings is None else f"window.intercomSettings = JSON.parse({json.dumps(text)});"
        script = f"<script nonce='n0nce'>{first}{PLAIN % self.widget}{queued}</script>"
        head = "<!doctype html><title>Shop</title><link rel=icon href='data:,'>"
        self.html = f"{head}<meta name=viewport content='width=device-width'><body>{body}{script}</body>"

    def open(self, page: Page, settings: dict[str, Any] | None, body: str = "", queued: str = "") -> None:
        """Write the page and wait until the Messenger stands."""
        self.write(settings, body, queued)
        page.goto(self.address)
        booted(page)


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
