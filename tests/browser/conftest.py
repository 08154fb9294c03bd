"""How the browser tests start Chromium, and with ``--browser`` Firefox and WebKit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from segment_intercom.demo import create_demo

from . import webkit
from .find_browser import ARGUMENTS, found
from .shop import Shop

LEFT_OUT = pytest.StashKey[Counter[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "not_in(engine, ..., reason): leave out where this engine cannot show the rule")
    config.stash[LEFT_OUT] = Counter()


def _left_out(item: pytest.Item) -> str | None:
    """Where and why the test is left out, or None."""
    engine = item.callspec.params.get("browser_name") if hasattr(item, "callspec") else None
    reasons = (mark.kwargs["reason"] for mark in item.iter_markers("not_in") if engine in mark.args)
    return next((f"{item.path.name} in {engine}: {reason}" for reason in reasons), None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    because = {item: why for item in items if (why := _left_out(item))}
    config.stash[LEFT_OUT] = Counter(because.values())
    config.hook.pytest_deselected(items=list(because))
    items[:] = [item for item in items if item not in because]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for why, count in config.stash[LEFT_OUT].items():
        terminalreporter.write_line(f"LEFT OUT [{count}] {why}")


@pytest.fixture(scope="session")
def base_url() -> None:
    """Each test names its own address; this stands in for the plugin's fixture, whose form pytest 9 deprecates."""


@pytest.fixture(scope="session")
def browser_path(browser_name: str) -> str:
    """What starts the engine."""
    try:
        return found(browser_name)
    except SystemExit as missing:
        pytest.exit(str(missing), returncode=1)


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_name: str, browser_path: str, browser_type_launch_args: dict[str, Any]
) -> dict[str, Any]:
    own = {
        "chromium": {"args": list(ARGUMENTS)},
        # Playwright downloads a Firefox of its own making; through this channel it drives the system's.
        "firefox": {"channel": "moz-firefox", "firefox_user_prefs": {"ui.prefersReducedMotion": 1}},
    }
    return {**browser_type_launch_args, "executable_path": browser_path, **own[browser_name]}


@pytest.fixture(scope="session")
def screen() -> Iterator[str]:
    """A screen for WebKit, which has no windowless form."""
    with webkit.screen() as display:
        yield display


@pytest.fixture
def webkit_page(browser_path: str, screen: str) -> Iterator[webkit.Page]:
    """A page in a new WebKit."""
    with webkit.browser(browser_path, screen) as page:
        yield page


@pytest.fixture
def page(browser_name: str, request: pytest.FixtureRequest) -> Any:
    """A page in the engine that the test runs in."""
    if browser_name == "webkit":
        return request.getfixturevalue("webkit_page")
    return request.getfixturevalue("context").new_page()


@pytest.fixture
def shop(serve: Callable[[Any], str], intercom_sandbox: Any, page: Any) -> Callable[..., Shop]:
    """Open a shop's page: ``shop("{{ intercom_snippet(user) }}", INTERCOM_REGION="eu")``."""

    def open_shop(
        template: str = "{{ intercom_snippet(user) }}",
        *,
        policy: str | None = None,
        go: bool = True,
        verified: bool = True,
        **config: Any,
    ) -> Shop:
        if not verified:
            intercom_sandbox.verification = False
            config["INTERCOM_IDENTITY_SECRET"] = None
        made = Shop(serve, intercom_sandbox, template, policy, **config)
        if go:
            page.goto(made.address)
        return made

    return open_shop


@pytest.fixture
def open_page(shop: Callable[..., Shop], page: Any) -> Callable[..., Shop]:
    """Open a page with `analytics`, and wait for the runtime."""

    def open_it(template: str = "{{ analytics_snippet(user) }}", **options: Any) -> Shop:
        made = shop(template, **options)
        page.wait_for_function("window.analytics?.initialized")
        return made

    return open_it


@pytest.fixture
def open_tab(page: Any) -> Iterator[Callable[[str], Any]]:
    """Open an address in another tab, and wait for the runtime there: ``tab = open_tab(made.address)``."""
    tabs: list[Any] = []

    def open_it(address: str) -> Any:
        tabs.append(page.context.new_page())
        tabs[-1].goto(address)
        tabs[-1].wait_for_function("window.analytics?.initialized")
        return tabs[-1]

    yield open_it
    for tab in tabs:
        tab.close()


@pytest.fixture
def delivering_demo(serve: Callable[..., str], tmp_path: Path) -> Iterator[str]:
    """The demo with delivery: it has to know its address, so that it comes after its server."""
    made: list[Flask] = []
    address = serve(lambda environ, start: made[0](environ, start))
    made.append(create_demo(address, tmp_path / "outbox.db"))
    yield address
    ingest = made[0].extensions["segment_intercom"].ingest
    assert ingest.flush(10) == 0
    ingest.close()
