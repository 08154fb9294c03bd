"""The recipes of the documentation, each as it stands there, in a real browser."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from flask import Flask

from tests.children import ROOT

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
    assert [name for name in names if f"examples/{name}.py" not in shown or f'"{name}"' not in tested] == []


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


SCRIPTS = {
    "other_delimiters": "vue/dist/vue.global.prod.js",
    "turbo": "@hotwired/turbo/dist/turbo.es2017-esm.js",
    "htmx": "htmx.org/dist/htmx.min.js",
}


@pytest.fixture
def cdn(page: Any) -> Callable[[str], None]:
    """Answer for the CDN of a recipe with the very library, as npm has it."""

    def answer(name: str) -> None:
        script = ROOT / "node_modules" / SCRIPTS[name]
        page.route(
            "https://cdn.jsdelivr.net/**", lambda route: route.fulfill(path=script, content_type="text/javascript")
        )

    return answer


def test_vue_has_its_own_delimiters(
    opened: Callable[..., Flask], messenger: Any, page: Any, cdn: Callable[[str], None]
) -> None:
    cdn("other_delimiters")
    opened("other_delimiters")
    messenger.expect_booted(user_id="42", verified=True, email="ann@example.com")
    page.get_by_text("Hello Ask us").wait_for()
    page.get_by_role("button", name="Ask us").click()
    page.get_by_role("dialog").wait_for()


@pytest.mark.parametrize("name", ["turbo", "htmx"])
def test_swapped_body_keeps_its_messenger(
    opened: Callable[..., Flask], messenger: Any, page: Any, cdn: Callable[[str], None], name: str
) -> None:
    cdn(name)
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
    messenger.expect_hidden()
    assert (messenger.calls, page.evaluate("localStorage.length"), page.context.cookies()) == ([], 0, [])
    page.get_by_role("button", name="Yes").click()
    messenger.expect_booted(user_id="42", verified=True)
