"""The commands about delivery: what they do, what they say, and what they never show."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.cli import FlaskGroup, ScriptInfo

from segment_intercom import SegmentIntercom
from segment_intercom.cli import main
from segment_intercom.sandbox import Workspace, create_sandbox
from segment_intercom.transport import Reply
from tests.delivery.intercom import APP_ID, Intercom

TOKEN = "dG9rOnNlY3JldA"
REFUSED = {"type": "error.list", "errors": [{"code": "parameter_invalid", "message": "the name is odd"}]}


@pytest.fixture
def intercom(tmp_path: Path) -> Iterator[Intercom]:
    """An outbox with one call that was given up, one that was delivered and one that waits."""
    with Intercom(tmp_path) as harness:
        harness.call("POST", "/contacts", {"external_id": "u", "role": "user"})
        harness.put(type="track", userId="u", event="Odd", properties={"mail": "ann@example.com"})
        harness.transport.before = lambda _: Reply(422, REFUSED)
        harness.deliver()
        harness.transport.before = lambda _: None
        harness.put(type="track", userId="u", event="Paid")
        harness.deliver()
        harness.put(type="track", userId="u", event="Waits")
        yield harness


@pytest.fixture
def run(intercom: Intercom) -> Callable[..., Result]:
    """A command on that outbox: ``run("status")``; keyword arguments are further environment variables."""

    def run(*arguments: str, **environment: str | None) -> Result:
        variables = {"INTERCOM_OUTBOX": intercom.settings.outbox, "INTERCOM_ACCESS_TOKEN": TOKEN, **environment}
        return CliRunner().invoke(main, arguments, env=variables)

    return run


def lines(result: Result) -> list[list[str]]:
    return [line.split() for line in result.stdout.splitlines()]


def table(result: Result) -> list[list[str]]:
    """The rows of a table in plain text, without their last cell, which is a time."""
    return [re.split(r" {2,}", line.strip())[:-1] for line in result.stdout.splitlines()]


def test_status_shows_counts_and_reasons(run: Callable[..., Result]) -> None:
    """What a user's call holds is not shown."""
    result = run("status")
    assert result.exit_code == 0
    assert lines(result)[:3] == [["Waiting", "1"], ["Delivered", "1"], ["Given", "up", "1"]]
    assert lines(result)[3][0] == "Oldest"
    assert ["1", "track 'Odd'", "Intercom answered 422 parameter_invalid: the name is odd"] in table(result)
    assert "segment-intercom retry" in result.stdout
    assert "ann@example.com" not in result.output, "what a user's call holds is shown only where it is asked for"


def test_retry_discard_drops_faulty_calls(run: Callable[..., Result]) -> None:
    assert run("retry", "--discard").stdout == "1 call dropped\n"
    assert ["Given", "up", "0"] in lines(run("status"))


def test_limit_zero_hides_dead_letters(run: Callable[..., Result]) -> None:
    assert " x " not in run("status", "--limit", "0").stdout


def test_status_groups_equal_dead_letters(run: Callable[..., Result], intercom: Intercom) -> None:
    """Those of the same event and the same reason make one line with their number."""
    for number, reason in enumerate(["odd", "odd", "odd", "even"]):
        intercom.put(type="track", userId=f"g{number}", event="Other")
        while (lease := intercom.outbox.lease()) is not None and lease.user != f"g{number}":
            intercom.outbox.release(lease, 3600)
        assert lease is not None
        intercom.outbox.give_up(lease, lease.messages[0], reason)
    result = run("status", "--limit", "2")
    assert ["3", "track 'Other'", "odd"] in table(result)
    assert "and 1 more reasons (--limit)" in result.stdout


def test_status_reports_worker_and_last_error(
    run: Callable[..., Result], serve: Callable[..., str], intercom: Intercom
) -> None:
    assert "Worker     none was seen within the last minute; the application starts one" in run("status").stdout
    assert "run `segment-intercom worker`" in run("status", INTERCOM_DELIVER="worker").stdout
    url = serve(create_sandbox(Workspace(APP_ID, access_token="another")))
    run("worker", INTERCOM_API_URL=url, INTERCOM_APP_ID=APP_ID)
    shown = run("status").stdout
    assert re.search(r"^Worker     delivers, seen \d+ s ago$", shown, re.MULTILINE)
    assert "Last error Intercom refuses the token (401): check INTERCOM_ACCESS_TOKEN" in shown
    assert f"Workspace  {APP_ID}\n" in shown
    told = json.loads(run("status", "--json").stdout)
    assert told["worker_seen_seconds"] < 60
    assert (told["last_error"]["error"][:15], told["workspace"]) == ("Intercom refuse", APP_ID)


def test_status_counts_left_out_values(run: Callable[..., Result], intercom: Intercom) -> None:
    assert "Left out" not in run("status").stdout
    for _ in range(2):
        intercom.outbox.left_out()
    assert "Left out   2 (values that Intercom refused by name" in run("status").stdout
    assert json.loads(run("status", "--json").stdout)["left_out"] == 2


def test_status_escapes_control_characters(run: Callable[..., Result], intercom: Intercom) -> None:
    intercom.put(type="track", userId="v", event="Odd")
    lease = intercom.outbox.lease()
    while lease is not None and lease.user != "v":
        lease = intercom.outbox.lease()
    assert lease is not None
    intercom.outbox.give_up(lease, lease.messages[0], "red \x1b[31m\r\u202e words", "")
    shown = run("status").stdout
    assert "red \\x1b[31m\\r\\u202e words" in shown
    assert "\x1b" not in shown


def test_status_json_holds_message_and_reply(run: Callable[..., Result]) -> None:
    status = json.loads(run("status", "--json").stdout)
    (dead,) = status.pop("dead_letters")
    assert status.pop("oldest_seconds") >= 0
    assert [status.pop(name) for name in ("worker_seen_seconds", "last_error", "workspace")] == [None, None, None]
    assert status == {"waiting": 1, "delivered": 1, "given_up": 1, "left_out": 0}
    assert (dead["user"], dead["message"]["event"], dead["reply"]) == ("u", "Odd", REFUSED)
    assert dead["message"]["properties"] == {"mail": "ann@example.com"}


def test_retry_requeues_dead_letters(run: Callable[..., Result], intercom: Intercom) -> None:
    assert run("retry").stdout == "1 call put back\n"
    assert run("retry").stdout == "0 calls put back\n"
    intercom.deliver()
    assert intercom.events == ["Paid", "Waits", "Odd"]


def test_invalid_json_dead_letter_is_shown(run: Callable[..., Result], intercom: Intercom) -> None:
    intercom.outbox.put("v", b"nonsense")
    intercom.deliver()
    assert "?" in run("status", "--limit", "1").stdout
    (dead,) = json.loads(run("status", "--json", "--limit", "1").stdout)["dead_letters"]
    assert (dead["message"], dead["reason"]) == (None, "message: is not valid JSON")


def test_a_worker_delivers_and_says_so(
    run: Callable[..., Result], serve: Callable[..., str], intercom: Intercom
) -> None:
    app = create_sandbox(Workspace(APP_ID, access_token=TOKEN))
    result = run("worker", "--until-empty", INTERCOM_API_URL=serve(app))
    assert result.exit_code == 0
    assert "1 call waiting" in result.stderr
    assert "Delivered 1, given up 0, waiting 0" in result.stderr
    assert [event["event_name"] for event in app.extensions["sandbox"].state()["events"]] == ["Waits"]


def test_refused_token_ends_worker_with_1(run: Callable[..., Result], serve: Callable[..., str]) -> None:
    result = run("worker", INTERCOM_API_URL=serve(create_sandbox(Workspace(APP_ID, access_token="another"))))
    assert result.exit_code == 1
    assert "Intercom refuses the token (401): check INTERCOM_ACCESS_TOKEN and INTERCOM_REGION" in result.output
    assert TOKEN not in result.output


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        (["worker"], {"INTERCOM_ENABLED": "false"}, "INTERCOM_ENABLED is off, so nothing is delivered"),
        (["worker"], {"INTERCOM_ACCESS_TOKEN": None}, "access_token: is needed to send to Intercom"),
        (["worker"], {"INTERCOM_OUTBOX": "sqlite:////nowhere/at/all.db"}, "the folder /nowhere/at is missing"),
        (["status"], {"INTERCOM_OUTBOX": "sqlite:////nowhere/at/all.db"}, "the folder /nowhere/at is missing"),
        (["retry"], {"INTERCOM_OUTBOX": "mysql://root:s3cret@db/x"}, "OUTBOX: must be the address of a SQLite file"),
        (["worker", "--threads", "0"], {}, "--threads"),
    ],
)
def test_mistake_is_explained_without_traceback(
    run: Callable[..., Result], arguments: list[str], environment: dict[str, str | None], message: str
) -> None:
    result = run(*arguments, **environment)
    assert result.exit_code in (1, 2)
    assert message in result.output
    assert isinstance(result.exception, SystemExit), "no traceback"
    assert TOKEN not in result.output
    assert "s3cret" not in result.output


@pytest.mark.parametrize("command", [["status"], ["status", "--json"], ["retry"]])
def test_commands_neither_need_nor_show_token(run: Callable[..., Result], command: list[str]) -> None:
    assert run(*command, INTERCOM_ACCESS_TOKEN=None).exit_code == 0
    assert TOKEN not in run(*command).output


def flask_intercom(app: Flask, *arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, obj=ScriptInfo(create_app=lambda: app))


def test_commands_use_flask_configuration(intercom: Intercom) -> None:
    app = Flask(__name__)
    app.config.update(INTERCOM_OUTBOX=intercom.settings.outbox, INTERCOM_ACCESS_TOKEN=TOKEN)
    SegmentIntercom(app)
    assert lines(flask_intercom(app, "status"))[0] == ["Waiting", "1"]
    assert flask_intercom(app, "retry").stdout == "1 call put back\n"
    assert intercom.outbox.counts().waiting == 2


def test_flask_intercom_runs_our_commands(intercom: Intercom, monkeypatch: pytest.MonkeyPatch) -> None:
    app = Flask(__name__)
    app.config.update(INTERCOM_OUTBOX=intercom.settings.outbox)
    SegmentIntercom(app)
    monkeypatch.setenv("FLASK_RUN_FROM_CLI", "")  # flask sets it, and it is put back after the test
    result = CliRunner().invoke(FlaskGroup(create_app=lambda: app), ["intercom", "status"])
    assert lines(result)[0] == ["Waiting", "1"]


def test_missing_extension_is_explained() -> None:
    result = flask_intercom(Flask(__name__), "status")
    assert result.exit_code == 1
    assert "call SegmentIntercom(app)" in result.output


def test_unused_outbox_status_is_zero(tmp_path: Path) -> None:
    """Looking at an outbox that does not exist creates no file."""
    result = CliRunner().invoke(main, ["status"], env={"INTERCOM_OUTBOX": f"sqlite:///{tmp_path}/new.db"})
    assert [line[-1] for line in lines(result)[:3]] == ["0", "0", "0"]
    assert list(tmp_path.glob("*.db")) == []
