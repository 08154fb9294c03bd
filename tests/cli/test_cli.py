"""The command line: what it prints, what it asks for, how it fails."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask, render_template_string
from flask.cli import ScriptInfo

from segment_intercom import SegmentIntercom, user_hash
from segment_intercom.cli import main
from segment_intercom.sandbox import Workspace, create_sandbox
from tests.children import Children
from tests.conftest import APP_ID, SECRET
from tests.web.test_snippet import settings_in

STARTED = [sys.executable, "-u", "-m", "segment_intercom"]
PIPES: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}


def run(*arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(main, arguments, **options)


@pytest.mark.parametrize("command", [[], *([name] for name in main.commands)])
def test_each_command_explains_itself(command: list[str]) -> None:
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_snippet_prints_the_html() -> None:
    result = run("snippet", "--app-id", APP_ID, "--user-id", "u", "--traits", '{"plan": "pro"}', "--nonce", "r4nd0m")
    assert result.output.startswith('<script nonce="r4nd0m">')
    assert settings_in(result.output) == {"app_id": APP_ID, "user_id": "u", "custom_attributes": {"plan": "pro"}}


def test_snippet_reads_settings_from_environment() -> None:
    result = run("snippet", "--user-id", "u", env={"INTERCOM_APP_ID": APP_ID, "INTERCOM_IDENTITY_SECRET": SECRET})
    assert settings_in(result.output)["user_hash"] == user_hash(SECRET, "u")
    assert SECRET not in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["snippet"], "no app id: give --app-id or set INTERCOM_APP_ID"),
        (["snippet", "--app-id", "x"], "app_id: must be 8 or 40"),
        (["snippet", "--app-id", APP_ID, "--traits", "{"], "is not valid JSON"),
        (["snippet", "--app-id", APP_ID, "--traits", "[]"], "must be a JSON object"),
        (["snippet", "--app-id", APP_ID, "--nonce", "a b"], "nonce: must be base64"),
    ],
)
def test_snippet_mistake_is_one_line(arguments: list[str], message: str) -> None:
    """Above it, there is at most how the command is called."""
    result = run(*arguments)
    assert result.exit_code in (1, 2)
    *usage, line = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert message in line
    assert [text.partition(" ")[0] for text in usage] == (["Usage:", "Try", ""] if result.exit_code == 2 else [])
    assert result.stdout == ""


def test_a_wrong_environment_names_the_variable() -> None:
    result = run("snippet", env={"INTERCOM_REGION": "mars"})
    assert "INTERCOM_REGION: must be one of" in result.output


def test_hash_never_prints_the_secret() -> None:
    """The secret is asked for, or read from the environment, and only the hash is printed."""
    asked = run("hash", "user1234", input=f"{SECRET}\n")
    assert asked.stdout == f"{user_hash(SECRET, 'user1234')}\n"
    assert SECRET not in asked.output
    from_environment = run("hash", "user1234", env={"INTERCOM_IDENTITY_SECRET": SECRET})
    assert from_environment.output == f"{user_hash(SECRET, 'user1234')}\n"


@pytest.mark.parametrize(("command", "text"), [("demo", "Intercom"), ("sandbox", "Sandbox")])
def test_server_prints_address_stops_on_interrupt(command: str, text: str, family: Children) -> None:
    process = family.start([*STARTED, command, "--port", "0"], **PIPES)
    assert process.stdout is not None
    line = process.stdout.readline()
    address = re.search(r"http://127\.0\.0\.1:\d+\S*", line)
    assert address is not None, line
    with urllib.request.urlopen(address.group()) as answer:
        assert text in answer.read().decode()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 0


def test_a_taken_port_is_named(family: Children, tmp_path: Path) -> None:
    first = family.start([*STARTED, "sandbox", "--port", "0"], **PIPES)
    assert first.stdout is not None
    port = re.search(r":(\d+)", first.stdout.readline())
    assert port is not None
    command = [*STARTED, "sandbox", "--port", port.group(1)]
    second = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert second.returncode == 1
    assert f"port {port.group(1)} is taken" in second.stderr
    served = {"INTERCOM_WRITE_KEYS": "k", "INTERCOM_ACCESS_TOKEN": "t", "INTERCOM_OUTBOX": f"sqlite:///{tmp_path}/o.db"}
    for arguments in (
        ["collector", "--port", port.group(1)],
        ["collector", "--port", "0", "--metrics-port", port.group(1)],
        ["worker", "--metrics-port", port.group(1)],
    ):
        result = run(*arguments, env=served)
        option = arguments[-2]
        assert (result.exit_code, "Collector on" in result.output) == (1, False)
        assert f"port {port.group(1)} is taken; choose another: {option} " in result.output


@pytest.mark.parametrize("host", ["shop.example", "", "127.0.0.1:80"])
def test_collector_host_must_be_ip_address(host: str) -> None:
    result = run("collector", "--host", host)
    assert result.exit_code == 2
    assert "'--host': must be an IP address, such as 127.0.0.1" in result.output


@pytest.mark.parametrize(
    ("host", "address"), [("127.0.0.1", "127.0.0.1"), ("localhost", "127.0.0.1"), ("0.0.0.0", "0.0.0.0")]
)
def test_collector_listens_on_its_host(
    host: str, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is started is only looked at; the tests of the collector serve it."""
    started: list[dict[str, Any]] = []
    monkeypatch.setattr(
        "segment_intercom.cli.collector.Granian",
        lambda _, **options: started.append(options) or SimpleNamespace(serve=lambda **_: None),
    )
    env = {"INTERCOM_WRITE_KEYS": "k", "INTERCOM_DELIVER": "worker", "INTERCOM_OUTBOX": f"sqlite:///{tmp_path}/o.db"}
    result = run("collector", "--host", host, "--port", "0", env=env)
    assert result.exit_code == 0, result.output
    ((told, port),) = [(options["address"], options["port"]) for options in started]
    assert told == address
    assert f"Collector on http://{address}:{port}/v1 " in result.output


def site() -> Flask:
    """A site that names somebody on one page, and on another puts the snippet twice."""
    app = Flask("site")
    app.config.update(INTERCOM_APP_ID=APP_ID, INTERCOM_IDENTITY_SECRET=SECRET)
    SegmentIntercom(app)
    app.add_url_rule("/", "good", lambda: render_template_string("{{ intercom_snippet({'id': 42}) }}"))
    app.add_url_rule("/bad", "bad", lambda: render_template_string("{{ intercom_snippet({'id': 42}) }}" * 2))
    return app


KNOWN = {"INTERCOM_APP_ID": APP_ID, "INTERCOM_IDENTITY_SECRET": SECRET}


def test_doctor_finds_a_sound_site_sound(serve: Callable[[Flask], str]) -> None:
    result = run("doctor", f"{serve(site())}/", env=KNOWN)
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "Problems: 0, warnings: 0")
    assert "+ ok       user_hash: is that of the user_id, made with the configured secret" in result.output
    assert SECRET not in result.output
    assert user_hash(SECRET, "42") not in result.output


def test_doctor_problems_have_remedy_and_code(serve: Callable[[Flask], str]) -> None:
    result = run("doctor", f"{serve(site())}/bad", env={**KNOWN, "INTERCOM_IDENTITY_SECRET": "another"})
    assert result.exit_code == 1
    assert "x problem  snippet: stands in the page 2 times\n             Keep one" in result.output
    assert "x problem  user_hash: is not the HMAC-SHA256" in result.output
    assert result.output.endswith("Problems: 2, warnings: 0\n")


def test_doctor_without_page_judges_configuration() -> None:
    assert run("doctor", env=KNOWN).exit_code == 0
    result = run("doctor")
    assert result.exit_code == 1
    assert "x problem  app_id: not set" in result.output
    assert "! warning  identity_secret: not set" in result.output


def test_doctor_says_what_belongs_to_what() -> None:
    lines = run("doctor", env=KNOWN).output.splitlines()
    assert [line for line in lines if line and line[0] not in "+!x "] == [
        "Configuration",
        "Delivery",
        "Problems: 0, warnings: 0",
    ]


def test_no_color_is_heard() -> None:
    coloured = CliRunner().invoke(main, ["doctor"], env=KNOWN, color=True)
    plain = CliRunner().invoke(main, ["doctor"], env={**KNOWN, "NO_COLOR": "1"}, color=True)
    assert "\x1b[" in coloured.output
    assert "\x1b[" not in plain.output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_the_commands(shell: str) -> None:
    environment = {**os.environ, "_SEGMENT_INTERCOM_COMPLETE": f"{shell}_source"}
    program = Path(sys.executable).parent / "segment-intercom"
    done = subprocess.run([program], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert "segment-intercom" in done.stdout


def test_doctor_reads_application_settings() -> None:
    result = run("doctor", obj=ScriptInfo(create_app=site))
    assert result.exit_code == 0
    assert f"app_id: {APP_ID}" in result.output


def test_doctor_reports_unreachable_page() -> None:
    result = run("doctor", "http://127.0.0.1:1/", env=KNOWN)
    assert result.exit_code == 1
    assert "x problem  address: nothing listens there" in result.output


@pytest.mark.parametrize("cookie", ["hidden", "hidden=\r\nHost: x", "hidden=\u00e9"])
def test_doctor_refuses_and_hides_invalid_cookie(cookie: str) -> None:
    result = run("doctor", "http://127.0.0.1:1/", "--cookie", cookie)
    assert "--cookie': must be NAME=VALUE" in result.output
    assert "hidden" not in result.output


BESIDE = """
import json, os, sys, urllib.request
names = ("APP_ID", "API_URL", "ACCESS_TOKEN", "IDENTITY_SECRET", "OUTBOX")
print(json.dumps({f"INTERCOM_{name}": os.environ.get(f"INTERCOM_{name}") for name in names}))
print(urllib.request.urlopen(os.environ["INTERCOM_WIDGET_URL"] + "/abc12345", timeout=30).status)
sys.exit(7)
"""


def test_command_beside_sandbox_gets_its_settings() -> None:
    command = [sys.executable, "-m", "segment_intercom", "sandbox", "--app-id", "abc12345", "--"]
    done = subprocess.run(
        [*command, sys.executable, "-c", BESIDE], capture_output=True, text=True, timeout=60, check=False
    )
    settings, status = done.stdout.splitlines()
    variables = json.loads(settings)
    assert variables["INTERCOM_APP_ID"] == "abc12345"
    assert len(variables["INTERCOM_IDENTITY_SECRET"]) == 64, "so that the first Messenger is a verified one"
    assert variables["INTERCOM_IDENTITY_SECRET"] not in done.stderr
    assert (status, done.returncode) == ("200", 7)
    assert "/inspector" in done.stderr
    assert f"INTERCOM_API_URL={variables['INTERCOM_API_URL']}" in done.stderr, "for other commands"
    assert Path(variables["INTERCOM_OUTBOX"].removeprefix("sqlite:///")).is_absolute()
    assert not Path(variables["INTERCOM_OUTBOX"].removeprefix("sqlite:///")).exists(), "it goes with the sandbox"


@pytest.mark.parametrize(
    ("options", "environment", "secret"),
    [([], {"INTERCOM_IDENTITY_SECRET": "own"}, "own"), (["--no-enforce"], {}, None)],
)
def test_sandbox_invents_no_needless_secret(
    options: list[str], environment: dict[str, str], secret: str | None
) -> None:
    """The command has the secret of its environment, and none where the sandbox does not enforce identity."""
    command = [sys.executable, "-m", "segment_intercom", "sandbox", "--app-id", "abc12345", *options, "--"]
    done = subprocess.run(
        [*command, sys.executable, "-c", BESIDE],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert json.loads(done.stdout.splitlines()[0])["INTERCOM_IDENTITY_SECRET"] == secret


def test_sandbox_reports_missing_command() -> None:
    command = [sys.executable, "-m", "segment_intercom", "sandbox", "--", "no-such-command-anywhere"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "no-such-command-anywhere: No such file" in done.stderr


@pytest.mark.parametrize(("script", "code"), [("raise SystemExit(7)", 7), ("os.kill(os.getpid(), 9)", 137)])
def test_sandbox_exits_with_command_code(script: str, code: int) -> None:
    command = [sys.executable, "-m", "segment_intercom", "sandbox", sys.executable, "-c", f"import os; {script}"]
    assert subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == code


def test_page_of_another_workspace_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A malformed app id is answered with 404 as well, but it is not written into the log."""
    client = create_sandbox(Workspace("sandbox1")).test_client()
    for app_id in ("abc12345", "abc12345", "%0Aabc"):
        assert client.get(f"/widget/{app_id}").status_code == 404
    said = "a page asks for the workspace abc12345, this sandbox has sandbox1: see --app-id"
    assert [record.getMessage() for record in caplog.records] == [said, said]


def test_refused_proof_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """In the sandbox's terminal, where the developer looks first; without the proof itself."""
    client = create_sandbox(Workspace(APP_ID, identity_secret=SECRET)).test_client()
    boot = {"app_id": APP_ID, "action": "boot", "visitor_id": "v", "settings": {"user_id": "42", "user_hash": "f0f0"}}
    assert client.post("/messenger/us/ping", json=boot).status_code == 403
    (record,) = caplog.records
    assert record.getMessage().startswith("a page is refused: user_hash is wrong")
    assert "f0f0" not in record.getMessage()


def terminal(family: Children, *command: str, **environment: str) -> str:
    """Run a command with a terminal as its output, and return what it wrote there."""
    ours, theirs = os.openpty()
    process = family.start(
        [*STARTED, *command],
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100", **environment},
    )
    os.close(theirs)
    written = b""
    with suppress(OSError):  # Linux ends a terminal so
        while block := os.read(ours, 4_096):
            written += block
    os.close(ours)
    assert process.wait(20) == 0
    return written.decode()


@pytest.mark.parametrize(("no_color", "is_styled"), [("", True), ("1", False)])
def test_terminal_gets_a_drawn_table(family: Children, tmp_path: Path, no_color: str, is_styled: bool) -> None:
    """Only there; NO_COLOR takes its colours, and a column's name is shown as it is."""
    file = tmp_path / "people.csv"
    file.write_text("user_id,[red]plan\n1,pro\n")
    shown = terminal(family, "import", "--dry-run", str(file), **{**KNOWN, "NO_COLOR": no_color})
    assert "\u2500\u2500\u2500" in shown
    assert "[red]plan" in shown
    assert ("\x1b[1m" in shown) is is_styled
    piped = CliRunner().invoke(main, ["import", "--dry-run", str(file)], env=KNOWN).stdout
    assert "Column     Becomes" in piped
    assert "\u2500" not in piped
