"""Which pages does the browser visit? The same page with each snippet, served beside the sandbox, and the browser."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, render_template_string
from playwright.sync_api import Browser, Error, Playwright, Request
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import WSGIRequestHandler, make_server

from segment_intercom import Settings, assets, install
from segment_intercom.sandbox import Workspace, create_sandbox

from . import people
from .measure import MissingError
from .peers import plain_settings, plain_snippet, proof

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# The names of the pages, with the snippet of each.
PAGES = {
    "plain": "{{ plain_snippet(user) }}",
    "intercom_snippet": "{{ intercom_snippet(user) }}",
    "analytics_snippet": "{{ analytics_snippet(user) }}",
}
MESSENGER = "/sandbox/messenger/"
# JavaScript; a page without analytics has nothing to wait for.
RUNTIME_IS_THERE = "!window.analytics || analytics.initialized"
_WIDGET = "/sandbox/widget"
_RUNTIME = "/runtime"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A page</title><link rel="icon" href="data:,"></head>
<body><h1>A page</h1>{% for number in range(40) %}<p>Paragraph {{ number }} of an ordinary page.</p>{% endfor %}
SNIPPET</body></html>"""


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept, as they are in front of any site

    def log(self, *_: Any) -> None:
        """Say nothing of each request."""


class _Distant:
    """A server that is so many seconds further away for all that a page asks for, and not for the page itself."""

    def __init__(self, site: WSGIApplication, seconds: float) -> None:
        self._site = site
        self._seconds = seconds

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._seconds and environ["PATH_INFO"].removeprefix("/") not in PAGES:
            threading.Event().wait(self._seconds)
        return self._site(environ, start_response)


@contextmanager
def served(delay: float = 0) -> Iterator[str]:
    """Serve the pages, and give their address; each of their sub-resources takes ``delay`` seconds longer.

    In a process of its own: what drives the browser works at every request, and the server must not wait for it.
    """
    site = _Distant(_site(), delay)
    server = make_server("127.0.0.1", 0, site, threaded=True, request_handler=_Quiet)
    process = get_context("fork").Process(target=server.serve_forever, daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        process.terminate()
        process.join()
        server.server_close()


@contextmanager
def chromium(playwright: Playwright) -> Iterator[Browser]:
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


def check_identity(request: Request) -> None:
    """The first thing that the Messenger's back end hears must already say who it is, and prove it."""
    settings = json.loads(request.post_data or "{}")["settings"]
    assert settings["user_id"] == people.USER_ID, "the first boot was not identified"
    assert settings["user_hash"] == proof(people.USER_ID), "the first boot carried no proof"


def _site() -> WSGIApplication:
    # The runtime comes from a static route, as an application without Flask's extension would have it.
    site = Flask(__name__, static_folder=str(assets.static("segment_intercom")), static_url_path=_RUNTIME)
    site.after_request(_visited_first)
    settings = Settings(
        app_id=people.APP_ID,
        identity_secret=people.SECRET,
        widget_url=_WIDGET,
        runtime_url=f"{_RUNTIME}/analytics.min.js",
    )
    install(site.jinja_env, settings)
    site.jinja_env.globals["plain_snippet"] = lambda user: plain_snippet(
        plain_settings(user), f"{_WIDGET}/{people.APP_ID}"
    )
    for name, snippet in PAGES.items():
        site.add_url_rule(f"/{name}", name, partial(_view, _PAGE.replace("SNIPPET", snippet)))
    sandbox = create_sandbox(Workspace(people.APP_ID, identity_secret=people.SECRET))
    return DispatcherMiddleware(site, {"/sandbox": sandbox})


def _view(source: str) -> str:
    return render_template_string(source, user=people.dict_user())


def _visited_first(response: Response) -> Response:
    """Nothing is in the browser's cache, the runtime no more than the sandbox's widget."""
    response.headers["Cache-Control"] = "no-store"
    return response
