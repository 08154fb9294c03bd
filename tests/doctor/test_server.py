"""The doctor's look at delivery: the token, the workspace, its region, the version, the clock, and the outbox."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from segment_intercom import Operation, Settings, TransportError
from segment_intercom.doctor import check_server
from segment_intercom.outbox import SqliteOutbox, note_worker
from segment_intercom.sandbox import Workspace, create_sandbox
from segment_intercom.transport import Reply

APP_ID = "abc12345"
TOKEN = "a-token-that-is-secret"
ME = {"type": "admin", "app": {"id_code": APP_ID, "region": "US"}}


class Answering:
    """A transport with one answer."""

    def __init__(self, reply: Reply | TransportError) -> None:
        self.reply = reply

    def send(self, operation: Operation) -> Reply:
        assert (operation.method, operation.path) == ("GET", "/me")
        if isinstance(self.reply, TransportError):
            raise self.reply
        return self.reply


def said(reply: Reply | TransportError, folder: Path, **settings: Any) -> str:
    options = {"app_id": APP_ID, "access_token": TOKEN, "outbox": f"sqlite:///{folder}/outbox.db", **settings}
    findings = check_server(Settings(**options), Answering(reply))
    for finding in findings:
        assert finding.level == "ok" or finding.remedy.endswith("."), finding
        assert TOKEN not in finding.what + finding.remedy
    return "\n".join(f"{finding.level} {finding.what} {finding.remedy}" for finding in findings)


def test_without_token_intercom_is_not_asked() -> None:
    (finding,) = check_server(Settings(app_id=APP_ID))
    assert (finding.level, "access_token: not set" in finding.what) == ("ok", True)


def test_right_settings_pass_without_writing(tmp_path: Path) -> None:
    """All findings are ok, and the outbox's file is not made by looking for it."""
    text = said(Reply(200, ME, server_time=time.time()), tmp_path)
    assert {line.partition(" ")[0] for line in text.splitlines()} == {"ok"}
    assert "outbox.db will be made with the first call" in text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("reply", "settings", "expected"),
    [
        (Reply(401), {}, "problem access_token: https://api.intercom.io answers 401"),
        (Reply(403), {}, "problem access_token: Intercom answers 403"),
        (Reply(500), {}, "warning api_url: https://api.intercom.io answers 500"),
        (Reply(404), {"api_url": "http://127.0.0.1:1"}, "warning api_url: http://127.0.0.1:1 answers 404"),
        (TransportError("api.intercom.io: timed out"), {}, "problem api_url: Intercom does not answer: api.intercom"),
        (Reply(200, ME), {"app_id": "other123"}, "problem app_id: the token is of the workspace abc12345"),
        (Reply(200, ME), {"region": "eu"}, 'problem region: the workspace is hosted in "us", the settings say "eu"'),
        (Reply(200, ["odd"]), {}, "ok access_token"),
        (Reply(200, ME), {"api_version": "1.4"}, 'ok api_version: "1.4", the classic /users API'),
        (Reply(200, ME), {"api_version": "2.9"}, "warning api_version: 2.9 cannot look a contact up"),
        (Reply(200, ME, server_time=1.0), {}, "s ahead of Intercom's clock"),
        (Reply(200, ME, server_time=time.time() + 9999), {}, "s behind Intercom's clock"),
        (Reply(200, ME), {"outbox": "sqlite:////nowhere/at/all.db"}, "problem outbox: /nowhere/at is missing"),
        (Reply(200, ME), {"outbox": "nats://127.0.0.1"}, "problem outbox: "),
    ],
)
def test_what_is_wrong_is_named(
    reply: Reply | TransportError, settings: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    assert expected in said(reply, tmp_path, **settings)


def test_an_outbox_is_counted(tmp_path: Path) -> None:
    outbox = SqliteOutbox(tmp_path / "outbox.db")
    outbox.put_all(("u", b"{}", None) for _ in range(10_001))
    lease = outbox.lease()
    assert lease
    outbox.give_up(lease, lease.messages[0], "refused")
    outbox.close()
    text = said(Reply(200, ME), tmp_path)
    assert "warning outbox: 10000 calls wait" in text
    assert "warning outbox: 1 calls were given up" in text


def test_absent_worker_is_named(tmp_path: Path) -> None:
    """Where only a worker delivers, a single call that waits without one is worth a warning."""
    with closing(SqliteOutbox(tmp_path / "outbox.db")) as outbox:
        outbox.put("u", b"{}")
        expected = "warning outbox: 1 calls wait, and no worker was seen within the last minute"
        assert expected in said(Reply(200, ME), tmp_path, deliver="worker")
        note_worker(outbox)
        assert "calls wait" not in said(Reply(200, ME), tmp_path, deliver="worker")
    assert "calls wait" not in said(Reply(200, ME), tmp_path)


def test_foreign_file_as_outbox_is_reported(tmp_path: Path) -> None:
    (tmp_path / "outbox.db").write_text("something else, long enough to be looked at" * 100)
    assert "problem outbox: " in said(Reply(200, ME), tmp_path)


def test_a_real_answer_is_understood(serve: Callable[[Any], str], tmp_path: Path) -> None:
    address = serve(create_sandbox(Workspace(APP_ID, access_token=TOKEN)))
    outbox = f"sqlite:///{tmp_path}/outbox.db"
    findings = check_server(Settings(app_id=APP_ID, access_token=TOKEN, api_url=address, outbox=outbox))
    assert {finding.level for finding in findings} == {"ok"}
    findings = check_server(Settings(app_id=APP_ID, access_token="another", api_url=address, outbox=outbox))
    assert "problem" in {finding.level for finding in findings}
