"""The pytest plugin, used as an application's own tests use it: in a real browser, with a real server."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, render_template_string, request

from segment_intercom import SegmentIntercom
from tests.children import ROOT

from .find_browser import ARGUMENTS

PAGE = "<!doctype html><title>Shop</title><link rel=icon href='data:,'><h1>Shop</h1>"
SNIPPET = "{{ intercom_snippet() }}"


class Shop:
    """An application of somebody's, on a thread."""

    def __init__(
        self, serve: Callable[[Any], str], config: dict[str, Any], template: str = SNIPPET, policy: str = ""
    ) -> None:
        self.app = Flask("shop")
        self.app.config.update(config)
        self.intercom = SegmentIntercom(self.app)
        self.intercom.user_loader(lambda: {**request.args, "plan": "pro"} if request.args else None)
        headers = {"Content-Security-Policy": policy} if policy else {}
        self.app.add_url_rule("/", "home", lambda: (render_template_string(PAGE + template), headers))
        self.app.add_url_rule("/bare", "bare", lambda: PAGE)
        self.app.add_url_rule("/buy", view_func=self.buy)
        self.address = serve(self.app)
        self.ingest = self.app.extensions["segment_intercom"].ingest

    def buy(self) -> str:
        self.intercom.track("Order Completed", {"price": 1999})
        return "bought"


def test_a_verified_user_is_booted(serve: Callable[..., str], intercom_sandbox: Any, messenger: Any, page: Any) -> None:
    shop = Shop(serve, intercom_sandbox.config)
    page.goto(f"{shop.address}/?id=42")
    messenger.expect_booted(user_id="42", verified=True, plan="pro")
    messenger.send("Hi there")
    assert [kind for kind, _ in messenger.calls][-1] == "message"
    assert [person["user_id"] for person in intercom_sandbox.people] == ["42"]


def test_wrong_secret_fails_with_reason(
    serve: Callable[..., str], intercom_sandbox: Any, messenger: Any, page: Any
) -> None:
    shop = Shop(serve, {**intercom_sandbox.config, "INTERCOM_IDENTITY_SECRET": "wrong"})
    page.goto(f"{shop.address}/?id=42")
    messenger.timeout = 2
    with pytest.raises(AssertionError) as failed:
        messenger.expect_booted(user_id="42")
    assert 'expected: boot with {"user_id": "42"}' in str(failed.value)
    assert "Intercom refused:\n  boot: " in str(failed.value)
    assert intercom_sandbox.refused[0]["status"] == 403


@pytest.fixture
def open_shop(serve: Callable[..., str], intercom_sandbox: Any, page: Any) -> Callable[..., Shop]:
    """Open a page of a shop: ``open_shop("?id=42", template, policy=..., INTERCOM_REGION="eu")``."""

    def open_it(path: str = "", template: str = SNIPPET, policy: str = "", **config: Any) -> Shop:
        shop = Shop(serve, {**intercom_sandbox.config, **config}, template, policy)
        page.goto(f"{shop.address}/{path}")
        return shop

    return open_it


@pytest.fixture
def failure(messenger: Any) -> Callable[..., str]:
    """What an expectation says that does not hold: ``failure(messenger.expect_booted, user_id="42")``."""

    def fail(expect: Callable[..., None], *arguments: Any, **expected: Any) -> str:
        messenger.timeout = 0.5
        with pytest.raises(AssertionError) as failed:
            expect(*arguments, **expected)
        messenger.timeout = 10
        return str(failed.value)

    return fail


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
        page.goto(f"{shop.address}/buy?id=42")
        messenger.expect_event("Order Completed", price=1999)
        assert intercom_sandbox.wait_for(lambda sandbox: sandbox.events)[0]["user_id"] == "42"
    assert len(intercom_sandbox.refused) >= 1
    messenger.timeout = 0.5
    with pytest.raises(AssertionError, match=r"""'Order Completed' with \{"price": 1999\}"""):
        messenger.expect_event("Order completed", price=1999)  # what came instead is shown


def test_expect_hidden_passes_without_launcher(
    serve: Callable[..., str], intercom_sandbox: Any, messenger: Any, page: Any
) -> None:
    page.goto(Shop(serve, intercom_sandbox.config, "{{ intercom_snippet(hide_default_launcher=True) }}").address)
    messenger.expect_booted()
    messenger.expect_hidden()


def test_verification_can_be_switched_off(
    serve: Callable[..., str], intercom_sandbox: Any, messenger: Any, page: Any
) -> None:
    intercom_sandbox.verification = False
    page.goto(f"{Shop(serve, {**intercom_sandbox.config, 'INTERCOM_IDENTITY_SECRET': 'wrong'}).address}/?id=42")
    messenger.expect_booted(user_id="42", verified=False)


def test_a_teammate_replies(serve: Callable[..., str], intercom_sandbox: Any, messenger: Any, page: Any) -> None:
    shop = Shop(serve, intercom_sandbox.config)
    with pytest.raises(AssertionError, match="nobody is there to reply to"):
        intercom_sandbox.reply("Hello?")
    page.goto(f"{shop.address}/?id=42")
    messenger.expect_booted(user_id="42")
    messenger.expect_unread(0)
    messenger.send("Do you ship to Oslo?")
    page.keyboard.press("Escape")
    intercom_sandbox.reply("Of course")
    intercom_sandbox.reply("In two days", user_id="42")
    messenger.expect_unread(2)
    messenger.open()
    page.get_by_text("Of course").wait_for()  # the newest is in the list of conversations, too
    messenger.expect_unread(0)


# --- what must not pass


def test_only_newest_boot_counts(open_shop: Any, messenger: Any, failure: Any, page: Any) -> None:
    """Who logged out and is still in the session of a user is no visitor, on no page."""
    shop = open_shop()
    messenger.expect_booted()
    page.goto(f"{shop.address}/?id=42")
    messenger.expect_booted(user_id="42", verified=True)
    page.goto(f"{shop.address}/bare")
    assert "expected: boot of a visitor" in failure(messenger.expect_booted)
    page.goto(shop.address)
    messenger.expect_told(["boot", "boot", "boot"])
    assert 'it is booted for: user "42", unverified' in failure(messenger.expect_booted)
    assert "expected: boot with" in failure(messenger.expect_booted, user_id="42")


def test_an_update_belongs_to_its_boot(open_shop: Any, messenger: Any, failure: Any, page: Any) -> None:
    open_shop("?id=42")
    messenger.expect_booted(user_id="42", plan="pro")
    page.evaluate("Intercom('update', {...intercomSettings, plan: 'gold'})")
    messenger.expect_booted(user_id="42", verified=True, plan="gold")
    assert "expected" in failure(messenger.expect_booted, user_id="42", plan="pro")


def test_a_shutdown_ends_the_boot(open_shop: Any, messenger: Any, failure: Any, page: Any) -> None:
    open_shop("?id=42")
    messenger.expect_booted(user_id="42")
    page.evaluate("Intercom('shutdown')")
    messenger.expect_hidden(booted=False)
    assert "it is booted for: nobody" in failure(messenger.expect_booted, user_id="42")


def test_email_user_is_no_visitor(open_shop: Any, messenger: Any, failure: Any) -> None:
    open_shop("?email=ann@example.com")
    messenger.expect_booted(email="ann@example.com", verified=True)
    assert 'it is booted for: user "ann@example.com"' in failure(messenger.expect_booted)


def test_signed_fields_count_as_settings(open_shop: Any, messenger: Any, failure: Any) -> None:
    open_shop("?id=42&email=ann@example.com", INTERCOM_IDENTITY="jwt", INTERCOM_SIGNED_FIELDS=["email", "plan"])
    messenger.expect_booted(user_id="42", verified=True, email="ann@example.com", plan="pro")
    assert "expected" in failure(messenger.expect_booted, user_id="42", email="ben@example.com")


def test_empty_proof_verifies_nobody(open_shop: Any, intercom_sandbox: Any, messenger: Any, failure: Any) -> None:
    script = f"<script src='{intercom_sandbox.address}/widget/sandbox1'></script>"
    open_shop(template="<script>intercomSettings = {app_id: 'sandbox1', user_hash: ''}</script>" + script)
    messenger.expect_booted(verified=False)
    assert "it is booted for: visitor, unverified" in failure(messenger.expect_booted, verified=True)


def test_event_metadata_is_compared_strictly(open_shop: Any, messenger: Any, failure: Any) -> None:
    open_shop(template=SNIPPET + "<script>Intercom('trackEvent', 'Paid', {price: 1})</script>")
    messenger.expect_event("Paid", price=1)
    assert "event 'Paid' with {\"price\": true}" in failure(messenger.expect_event, "Paid", price=True)
    assert "expected" in failure(messenger.expect_event, "Paid", coupon=None)


def test_told_waits_for_what_follows(open_shop: Any, messenger: Any, failure: Any) -> None:
    open_shop(template=SNIPPET + "<script>setTimeout(() => Intercom('trackEvent', 'More'), 700)</script>")
    messenger.expect_booted()
    assert "expected: boot and nothing else" in failure(messenger.expect_told, ["boot"])
    messenger.expect_told(["boot", "event"])


@pytest.mark.parametrize(("path", "secret"), [("bare", "any"), ("?id=42", "wrong")], ids=["no snippet", "refused"])
def test_hidden_wants_a_booted_messenger(path: str, secret: str, open_shop: Any, messenger: Any, failure: Any) -> None:
    open_shop(path, INTERCOM_IDENTITY_SECRET=secret)
    messenger.expect_hidden(booted=False)
    assert "expected: a booted Messenger without a launcher" in failure(messenger.expect_hidden)


@pytest.mark.not_in("webkit", reason="WebDriver looks into one frame at a time")
def test_hidden_looks_into_frames(open_shop: Any, messenger: Any, failure: Any) -> None:
    hiding = "{{ intercom_snippet(hide_default_launcher=not request.args) }}"
    open_shop(
        template=hiding + "{% if not request.args %}<iframe src='/?id=42' width=600 height=600></iframe>{% endif %}"
    )
    messenger.expect_visible()
    assert "expected: a booted Messenger" in failure(messenger.expect_hidden)
    messenger.expect_told(["boot", "boot"])


def test_unread_count_is_exact(open_shop: Any, intercom_sandbox: Any, messenger: Any, failure: Any, page: Any) -> None:
    open_shop("?id=42")
    messenger.expect_booted(user_id="42")
    for _ in range(11):
        intercom_sandbox.reply("Hello?", user_id="42")
    page.reload()
    messenger.expect_unread(11)
    assert "expected: 1 unread messages" in failure(messenger.expect_unread, 1)
    page.goto("about:blank")
    assert "expected: 0 unread messages" in failure(messenger.expect_unread, 0)


def test_own_elements_are_not_messengers(open_shop: Any, messenger: Any, page: Any) -> None:
    """A dialog, a field and a button of the application are none of the Messenger's; open() leaves it open."""
    own = (
        "<div role=dialog aria-label=Cookies>We use cookies</div><button>3 unread</button>"
        "<label>Message <textarea id=own></textarea></label>"
    )
    open_shop("?id=42", own + SNIPPET)
    messenger.expect_visible()
    messenger.expect_unread(0)
    messenger.send("Hi")
    messenger.open()
    messenger.send("Hi")
    assert [kind for kind, _ in messenger.calls] == ["boot", "message", "message"]
    assert page.evaluate("document.querySelector('#own').value") == ""


# --- what a failure says


def test_failure_names_scripts_elsewhere(open_shop: Any, messenger: Any, failure: Any, page: Any) -> None:
    """An application that has other settings than the sandbox's asks for another widget."""
    open_shop(INTERCOM_WIDGET_URL="http://127.0.0.1:1/widget")
    page.wait_for_function("document.querySelectorAll('script[src]').length > 0")
    said = failure(messenger.expect_booted)
    assert "http://127.0.0.1:1/widget/sandbox1\n  an application reads its configuration once" in said


@pytest.mark.not_in("webkit", reason="WebDriver has no events of the console")
def test_failure_shows_the_console(open_shop: Any, messenger: Any, failure: Any) -> None:
    open_shop(policy="script-src 'self'")
    said = failure(messenger.expect_booted)
    assert "the page's console and failed requests:" in said
    assert "script-src 'self'" in said
    assert "none: is the snippet in the page, and does its policy let it run?" in said


@pytest.fixture
def app() -> Flask:
    app = Flask("shop")
    app.testing = True
    return app


def test_failure_says_calls_are_captured(app: Flask, open_shop: Any, messenger: Any, failure: Any) -> None:
    open_shop("buy?id=42", TESTING=app.testing)
    assert "calls of its server code are captured, not delivered" in failure(messenger.expect_event, "Order Completed")


def test_failure_explains_missing_calls(open_shop: Any, messenger: Any, failure: Any) -> None:
    open_shop("buy?id=42", TESTING=True)
    assert "an application with TESTING on captures its calls" in failure(messenger.expect_event, "Order Completed")


# --- the documentation, as it is written

LAUNCHING = """import pytest


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {{**browser_type_launch_args, "executable_path": {path!r}, "args": list({arguments!r})}}
"""
ONE_ENGINE = pytest.mark.not_in("firefox", "webkit", reason="one engine is enough to run what is written")
# pytest-flask's, as far as the documentation needs it.
LIVE_SERVER = """
import threading
from types import SimpleNamespace
from werkzeug.serving import make_server


@pytest.fixture(scope="session")
def live_server(app):
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever).start()
    yield SimpleNamespace(url=lambda path: f"http://127.0.0.1:{server.server_port}{path}")
    server.shutdown()
    server.server_close()
"""


def documented(page: str, part: str) -> list[tuple[str, str]]:
    """The files that a part of a page of the documentation shows, by their names."""
    text = ROOT.joinpath("docs", page).read_text(encoding="utf-8").partition(part)[2]
    return re.findall(r"^```py(?:thon)?\n# (\S+\.py)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def run_tests(folder: Path, browser_path: str, files: list[tuple[str, str]]) -> str:
    """Run the tests of a project with these files, and give what pytest says of them."""
    launching = LAUNCHING.format(path=browser_path, arguments=ARGUMENTS)
    for name, code in [*documented("quickstart.md", "## A factory"), ("conftest.py", launching), *files]:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(code, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


@ONE_ENGINE
def test_documented_tests_run_as_written(tmp_path: Path, browser_path: str) -> None:
    files = documented("testing.md", "## Without a browser")[:4]
    tests = ["tests/test_shop.py", "tests/test_log_out.py", "tests/test_in_a_browser.py"]
    assert [name for name, _ in files] == ["tests/conftest.py", *tests]
    assert "3 passed" in run_tests(tmp_path, browser_path, files)


@ONE_ENGINE
def test_session_application_finds_emptied_sandbox(tmp_path: Path, browser_path: str) -> None:
    """The documented fixture of a session, with a second test that must not see what the first caused."""
    (conftest, code), (name, test) = documented("testing.md", "## An application for all tests")
    empty = "\n\ndef test_it_is_empty(app, intercom_sandbox):\n    assert intercom_sandbox.requests == []\n"
    files = [(conftest, code + LIVE_SERVER), (name, test + empty)]
    assert "2 passed" in run_tests(tmp_path, browser_path, files)
