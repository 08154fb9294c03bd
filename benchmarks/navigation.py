"""How long is it from a navigation to an identified Messenger, against Intercom's plain snippet on the same page?

Both pages talk to the sandbox. The time is taken in the page, from its navigation's start to the moment when the
Messenger's container names the user.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import Any

from flask import Flask, render_template_string
from playwright.sync_api import Browser, Error, Page, Playwright, Request, sync_playwright
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import WSGIRequestHandler, make_server

from segment_intercom import Settings, install
from segment_intercom.sandbox import Workspace, create_sandbox

from . import people
from .measure import MissingError, Ratio, Result, in_turn
from .peers import plain_settings, plain_snippet, proof

BAR = 1.1
_WARM_UP = 4
_NAVIGATIONS = 40
_WIDGET = "/sandbox/widget"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A page</title><link rel="icon" href="data:,"></head>
<body><h1>A page</h1>{% for number in range(40) %}<p>Paragraph {{ number }} of an ordinary page.</p>{% endfor %}
SNIPPET</body></html>"""
_PAGES = {"ours": "{{ intercom_snippet(user) }}", "plain": "{{ plain_snippet(user) }}"}
# Runs in every page before its own scripts.
_CLOCK = """
window.identifiedBoot = new Promise((resolve, reject) => {
  const look = () => document.querySelector("#intercom-container[data-user-id]") && resolve(performance.now());
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributeFilter: ["data-user-id"] });
  setTimeout(reject, 10000, new Error("no identified boot within 10 seconds"));
});
"""


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Say nothing of each request."""


def results() -> list[Result]:
    """Navigate to both pages in turn, in one browser, and compare round by round."""
    with _served() as address, sync_playwright() as playwright, _browser(playwright) as browser:
        milliseconds = _navigate(browser, address)
    ours, plain = milliseconds["ours"], milliseconds["plain"]
    context = f"{median(ours):.0f} ms / {median(plain):.0f} ms"
    return [Result("navigation to identified boot / plain snippet", Ratio.of(ours, plain), BAR, context)]


def _navigate(browser: Browser, address: str) -> dict[str, list[float]]:
    page = browser.new_page()
    page.add_init_script(_CLOCK)
    milliseconds: dict[str, list[float]] = {name: [] for name in _PAGES}
    for number in range(_WARM_UP + _NAVIGATIONS):
        for name in in_turn(list(_PAGES), number):
            taken = _visit(page, f"{address}/{name}")
            if number >= _WARM_UP:
                milliseconds[name].append(taken)
    return milliseconds


def _visit(page: Page, url: str) -> float:
    """Visit as somebody new; return the milliseconds to the identified boot, the first request checked."""
    page.context.clear_cookies()
    with page.expect_request(lambda request: "/sandbox/messenger/" in request.url) as first:
        page.goto(url)
    _check_identity(first.value)
    return float(page.evaluate("window.identifiedBoot"))


def _check_identity(request: Request) -> None:
    """The first thing that the Messenger's back end hears must already say who it is, and prove it."""
    settings = json.loads(request.post_data or "{}")["settings"]
    assert settings["user_id"] == people.USER_ID, "the first boot was not identified"
    assert settings["user_hash"] == proof(people.USER_ID), "the first boot carried no proof"


def _site() -> DispatcherMiddleware:
    site = Flask(__name__)
    settings = Settings(app_id=people.APP_ID, identity_secret=people.SECRET, widget_url=_WIDGET)
    install(site.jinja_env, settings)
    site.jinja_env.globals["plain_snippet"] = lambda user: plain_snippet(
        plain_settings(user), f"{_WIDGET}/{people.APP_ID}"
    )
    for name, snippet in _PAGES.items():
        site.add_url_rule(f"/{name}", name, partial(_view, _PAGE.replace("SNIPPET", snippet)))
    sandbox = create_sandbox(Workspace(people.APP_ID, identity_secret=people.SECRET))
    return DispatcherMiddleware(site, {"/sandbox": sandbox})


def _view(source: str) -> str:
    return render_template_string(source, user=people.dict_user())


@contextmanager
def _served() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, _site(), threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def _browser(playwright: Playwright) -> Iterator[Browser]:
    """The system's Chromium, else Playwright's own."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    try:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
    except Error as error:
        raise MissingError("Chromium", "python -m playwright install --with-deps chromium") from error
    try:
        yield browser
    finally:
        browser.close()
