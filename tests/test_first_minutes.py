"""The first ten minutes: the quickstart as it is written, and slips that are said with their remedy."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from click.testing import CliRunner
from flask import Flask, render_template_string
from flask.cli import ScriptInfo

from segment_intercom import SegmentIntercom, Settings, SettingsError, messenger_settings
from segment_intercom.calls import Identify
from segment_intercom.cli import main
from segment_intercom.cli.serving import free_port
from segment_intercom.intercom_keys import warn_of_selector
from tests.children import Children, is_running, is_served, wait_for
from tests.test_readme import README, ROOT

SECONDS = 60.0
SLIP = "INTERCOM_SECRET: is not a setting of segment-intercom; did you mean INTERCOM_IDENTITY_SECRET?"


def quickstart(page: str) -> tuple[str, list[str]]:
    """The first application of a page, and the commands that run it."""
    text = ROOT.joinpath(page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    code = next(code for language, code in blocks if language == "python")
    console = next(code for language, code in blocks if language == "console" and "sandbox" in code)
    return code, [line.removeprefix("$ ") for line in console.splitlines() if line.startswith("$ ")]


@pytest.mark.parametrize("page", ["README.md", "docs/quickstart.md"])
def test_quickstart_runs_as_written(page: str, tmp_path: Path, family: Children) -> None:
    code, commands = quickstart(page)
    (tmp_path / "app.py").write_text(code)
    port = free_port()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "FLASK_RUN_PORT": str(port)}
    process = family.start(
        ["bash", "-c", "\n".join(commands)],
        cwd=tmp_path,
        env=environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}/"
    wait_for(partial(is_served, address), partial(is_running, process), SECONDS)
    with urlopen(address) as answer:
        html = answer.read().decode()
    proof = re.search(r'"user_hash":"(\w+)"', html)
    assert proof is not None
    assert proof[0] in README or page != "README.md"
    widget = re.search(r"http://127\.0\.0\.1:\d+/widget", html)
    assert widget is not None
    app_id = re.search(r'"app_id":"(\w+)"', html)
    assert app_id is not None
    with urlopen(f"{widget[0]}/{app_id[1]}") as answer:
        assert answer.status == 200
    # The imitation accepts the proof, as a page's script would bring it.
    ping: dict[str, Any] = {"app_id": app_id[1], "action": "boot", "visitor_id": "v"}
    ping["settings"] = {"app_id": app_id[1], "user_id": "42", "user_hash": proof[1]}
    body = json.dumps(ping).encode()
    with urlopen(Request(widget[0].replace("/widget", "/messenger/us/ping"), body)) as answer:
        assert json.load(answer)["person"]["user_id"] == "42"


@pytest.mark.parametrize("selector", ["##", "#", "#ask us#", ".", "#1st", "[data-x", "a..b", "5"])
def test_invalid_selector_logs_warning(selector: str, caplog: pytest.LogCaptureFixture) -> None:
    warn_of_selector.cache_clear()
    messenger_settings(Identify("u"), Settings(app_id="abc12345", launcher_selector=selector))
    assert 'is not a CSS selector, so nothing opens the Messenger; write "#ask-us"' in caplog.text


def test_bare_selector_suggests_id_sign(caplog: pytest.LogCaptureFixture) -> None:
    warn_of_selector.cache_clear()
    app = Flask("shop")
    app.config.update(INTERCOM_APP_ID="abc12345", TESTING=True)
    SegmentIntercom(app)
    with app.test_request_context():
        render_template_string("{{ intercom_snippet(None, launcher_selector='ask-us') }}")
    assert "launcher_selector: 'ask-us' names a tag; an element of that id is '#ask-us'" in caplog.text


@pytest.mark.parametrize("selector", ["#ask-us", ".help > a", "button", "[data-x='##']", "#a, #b", "a.b:hover", "#ä"])
def test_valid_selector_logs_no_warning(selector: str, caplog: pytest.LogCaptureFixture) -> None:
    warn_of_selector.cache_clear()
    messenger_settings(Identify("u"), Settings(app_id="abc12345", launcher_selector=selector))
    assert "launcher_selector" not in caplog.text


@pytest.mark.parametrize("email", ["ann", "ann@", "@example.com", "ann at example.com"])
def test_invalid_email_warns_at_rendering(email: str, caplog: pytest.LogCaptureFixture) -> None:
    settings = messenger_settings(Identify("u", {"email": email, "plan": "pro"}), Settings(app_id="abc12345"))
    assert settings["email"] == email
    assert "trait 'email': is not an e-mail address, such as ann@example.com" in caplog.text


def test_unreadable_date_warns_at_rendering(caplog: pytest.LogCaptureFixture) -> None:
    messenger_settings(Identify("u", {"createdAt": "some day"}), Settings(app_id="abc12345"))
    assert "'created_at': is no date that can be read" in caplog.text


def shop(**config: Any) -> Flask:
    app = Flask("shop")
    app.config.update(INTERCOM_APP_ID="abc12345", **config)
    SegmentIntercom(app)
    return app


def test_unknown_setting_warns_in_development(caplog: pytest.LogCaptureFixture) -> None:
    """A near slip is told which setting is meant, and no log shows the value."""
    shop(INTERCOM_SECRET="s3cret", INTERCOM_ZZZ=1, TESTING=True)
    assert SLIP in caplog.text
    assert "INTERCOM_ZZZ: is not a setting of segment-intercom; it has no effect" in caplog.text
    assert "s3cret" not in caplog.text


def test_production_warns_only_of_near_slip(caplog: pytest.LogCaptureFixture) -> None:
    shop(INTERCOM_ZZZ=1, INTERCOM_IDENTITY_SECRETS="s3cret")
    assert "INTERCOM_ZZZ" not in caplog.text
    assert "INTERCOM_IDENTITY_SECRETS" in caplog.text


def test_the_doctor_names_it_too() -> None:
    result = CliRunner().invoke(main, ["doctor"], env={"INTERCOM_APP_ID": "abc12345", "INTERCOM_SECRET": "x"})
    assert SLIP in result.output
    loaded = CliRunner().invoke(main, ["doctor"], obj=ScriptInfo(create_app=lambda: shop(INTERCOM_TOKEN="x")))
    assert "INTERCOM_TOKEN: is not a setting" in loaded.output


@pytest.mark.parametrize("helper", ["intercom_snippet()", "analytics_snippet()", "intercom_settings() | tojson"])
def test_snippet_without_init_app_raises(helper: str) -> None:
    """A call says what is missing; a template may ask first, as the helpers are undefined there."""
    SegmentIntercom()
    app = Flask("shop")
    with app.test_request_context(), pytest.raises(SettingsError, match="has no SegmentIntercom; call init_app"):
        render_template_string("{{ " + helper + " }}")
    with app.test_request_context():
        assert render_template_string("Hello {{ intercom_snippet is defined }}") == "Hello False"


def test_help_says_where_settings_come_from() -> None:
    shown = " ".join(CliRunner().invoke(main, ["--help"]).output.split())
    assert 'under "flask intercom" from the application\'s configuration, app.config' in shown


WITHOUT = """
import os, signal, sys
for name in ("register_at_fork", "fork", "mknod", "killpg", "getuid", "geteuid", "setsid", "uname"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGKILL", "SIGHUP", "SIGUSR1", "SIGQUIT"):
    if hasattr(signal, name):
        delattr(signal, name)
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
from segment_intercom import Analytics, Settings
from segment_intercom.transport import Reply
sent = []
class Transport:
    def send(self, operation):
        sent.append(operation.path)
        return Reply(202)
analytics = Analytics(Settings(app_id="abc12345", outbox="sqlite:///calls.db"), Transport())
analytics.track("ann", "Paid")
assert analytics.flush(30) == 0 and sent == ["/events"], sent
analytics.close()
from flask import Flask
from segment_intercom import SegmentIntercom
app = Flask("shop")
app.config.update(INTERCOM_APP_ID="abc12345", INTERCOM_OUTBOX="sqlite:///more.db", INTERCOM_DELIVER="worker")
intercom = SegmentIntercom(app)
with app.app_context():
    intercom.track("ann", "Paid")
import segment_intercom.cli
"""


def test_what_windows_lacks_is_not_needed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
