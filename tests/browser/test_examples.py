"""The recipes of the documentation, each as it stands there, in a real browser."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flask import Flask

from tests.children import ROOT, Children

pytestmark = pytest.mark.not_in("firefox", "webkit", reason="the plugin drives pytest-playwright's page")
FOLDER = ROOT / "docs/examples"


def example(name: str) -> ModuleType:
    specification = importlib.util.spec_from_file_location(f"examples_{name}", FOLDER / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def opened(serve: Callable[[Any], str], intercom_sandbox: Any, page: Any) -> Callable[..., Flask]:
    """Open a recipe's page, with the sandbox's settings."""

    def open_it(name: str, path: str = "/", **config: Any) -> Flask:
        app: Flask = example(name).create_app(**intercom_sandbox.config, **config)
        page.goto(f"{serve(app)}{path}")
        return app

    return open_it


def test_recipes_are_documented_and_tested() -> None:
    shown = (ROOT / "docs/examples.md").read_text(encoding="utf-8")
    tested = (ROOT / "tests/browser/test_examples.py").read_text(encoding="utf-8")
    names = [path.stem for path in FOLDER.glob("*.py")]
    assert len(names) >= 6
    assert [name for name in names if f"examples/{name}.py" not in shown or f'"{name}' not in tested] == []


@pytest.mark.parametrize("name", ["strict_policy", "cached_page"])
def test_a_recipe_shows_a_verified_messenger(
    opened: Callable[..., Flask], messenger: Any, page: Any, name: str
) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    opened(name)
    messenger.expect_booted(user_id="42", verified=True, email="ann@example.com")
    messenger.open()
    assert [text for text in said if "404" not in text] == [], "but for the icon that a shop would have"


def test_logged_in_user_comes_from_database(
    opened: Callable[..., Flask], messenger: Any, page: Any, intercom_sandbox: Any
) -> None:
    """Who logs in boots the Messenger verified and has an event; the password hash reaches no request."""
    app = opened("login_and_models")
    messenger.expect_booted()
    page.evaluate("fetch('/login', {method: 'POST', body: new URLSearchParams({email: 'ann@example.com'})})")
    page.reload()
    messenger.expect_booted(user_id="42", verified=True, name="Ann")
    messenger.expect_event("Logged In")
    assert "never sent" not in str(intercom_sandbox.requests)
    assert app.extensions["segment_intercom"].ingest.flush(10) == 0
    app.extensions["segment_intercom"].ingest.close()


def test_factory_serves_its_blueprints(opened: Callable[..., Flask], messenger: Any, page: Any) -> None:
    app = opened("factory_and_blueprints", INTERCOM_DELIVER="thread")
    messenger.expect_booted()
    page.evaluate("fetch('/login', {method: 'POST'})")
    messenger.expect_event("Logged In")
    page.reload()
    messenger.expect_booted(user_id="42", verified=True)
    page.goto(f"{page.url}admin/")
    assert page.evaluate("[document.title, typeof Intercom]") == ["Orders", "undefined"]
    app.extensions["segment_intercom"].ingest.close()


def test_gunicorn_stores_and_worker_delivers(
    intercom_sandbox: Any, messenger: Any, page: Any, family: Children
) -> None:
    environment = {**os.environ, **intercom_sandbox.config, "PYTHONDONTWRITEBYTECODE": "1"}
    commands = Path(sys.executable).parent
    web = family.start(
        [commands / "gunicorn", "--workers=2", "--bind=127.0.0.1:0", "gunicorn_and_worker:create_app()"],
        cwd=FOLDER, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    address = next(match[1] for line in web.stderr if (match := re.search(r"Listening at: (\S+)", line)))
    page.goto(address)
    messenger.expect_booted(user_id="42", verified=True)
    statuses = [page.request.post(f"{address}/orders").status for _ in range(20)]
    assert (statuses, intercom_sandbox.events) == ([201] * 20, [])
    worker = family.start(
        [commands / "segment-intercom", "worker", "--until-empty"], env=environment, stderr=subprocess.PIPE, text=True
    )
    assert "Delivered 20, given up 0, waiting 0" in worker.communicate(timeout=60)[1]
    messenger.expect_event("Order Completed", price={"amount": 1999, "currency": "EUR"})


# What each recipe takes from its CDN, by the end of the address.
SCRIPTS = {
    "vue.global.prod.js": "vue/dist/vue.global.prod.js",
    "turbo.es2017-esm.js": "@hotwired/turbo/dist/turbo.es2017-esm.js",
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "react.production.min.js": "react/umd/react.production.min.js",
    "react-dom.production.min.js": "react-dom/umd/react-dom.production.min.js",
}


@pytest.fixture
def cdn(page: Any) -> None:
    """Answer for the CDN of the recipes with the very libraries, as npm has them."""

    def answer(route: Any) -> None:
        script = SCRIPTS[route.request.url.rpartition("/")[2]]
        route.fulfill(path=ROOT / "node_modules" / script, content_type="text/javascript")

    page.route("https://cdn.jsdelivr.net/**", answer)


@pytest.mark.usefixtures("cdn")
def test_routes_of_react_are_pages(opened: Callable[..., Flask], messenger: Any, page: Any) -> None:
    """The first page boots the Messenger with the user; each further one tells it, and events arrive."""
    opened("react")
    messenger.expect_booted(user_id="42", verified=True, email="ann@example.com")
    page.get_by_role("button", name="Prices").click()
    page.get_by_role("heading", name="Prices").wait_for()
    page.get_by_role("button", name="Buy").click()
    messenger.expect_event("Order Completed", price={"amount": 1999, "currency": "USD"})
    messenger.expect_told([("boot", "42"), ("update", "42"), "event"])


@pytest.mark.usefixtures("cdn")
def test_vue_has_its_own_delimiters(opened: Callable[..., Flask], messenger: Any, page: Any) -> None:
    opened("other_delimiters")
    messenger.expect_booted(user_id="42", verified=True, email="ann@example.com")
    page.get_by_text("Hello Ask us").wait_for()
    page.get_by_role("button", name="Ask us").click()
    page.get_by_role("dialog").wait_for()


@pytest.mark.usefixtures("cdn")
@pytest.mark.parametrize("name", ["turbo", "htmx"])
def test_swapped_body_keeps_its_messenger(opened: Callable[..., Flask], messenger: Any, page: Any, name: str) -> None:
    loaded: list[str] = []
    page.on("load", lambda _: loaded.append(page.url))
    opened(name)
    messenger.expect_booted(user_id="42", verified=True)
    messenger.open()
    for title in ("Prices", "Home"):
        page.get_by_role("link", name=title).click()
        page.get_by_role("heading", name=title, exact=True, level=1).wait_for()
        page.get_by_role("dialog").wait_for()
    page.wait_for_function("Intercom('whoami')")
    messenger.expect_told(["boot", "update", "update"])
    assert len(loaded) == 1, "the page itself was never left"


def test_task_returns_after_delivery(intercom_sandbox: Any) -> None:
    module = example("celery_task")
    module.celery.conf.task_always_eager = True
    app: Flask = module.create_app(**intercom_sandbox.config)
    assert app.test_client().post("/pay").status_code == 202
    (event,) = intercom_sandbox.events
    assert (event["user_id"], event["metadata"]) == ("42", {"price": {"amount": 1999, "currency": "EUR"}})


def test_each_tenant_has_their_own_workspace(opened: Callable[..., Flask], page: Any, intercom_sandbox: Any) -> None:
    config = {"INTERCOM_WORKSPACES": {"other123": {"access_token": "t", "identity_secret": "s"}}}
    opened("tenants", "/acme", workspace_of={"acme": "other123"}, INTERCOM_DELIVER="worker", **config)
    assert page.evaluate("intercomSettings.app_id") == "other123"
    page.goto(page.url.replace("acme", "own"))
    assert page.evaluate("intercomSettings.app_id") == intercom_sandbox.config["INTERCOM_APP_ID"]


def test_nothing_loads_before_a_consent(opened: Callable[..., Flask], messenger: Any, page: Any) -> None:
    opened("consent_first")
    page.wait_for_function("window.analytics?.initialized")
    messenger.expect_hidden(booted=False)
    assert (messenger.calls, page.evaluate("localStorage.length"), page.context.cookies()) == ([], 0, [])
    page.get_by_role("button", name="Yes").click()
    messenger.expect_booted(user_id="42", verified=True)
