"""The collector inside of a Flask application."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from segment_intercom import SegmentIntercom, Track, collector_blueprint
from segment_intercom.calls import Call
from segment_intercom.integrations.signals import call_accepted

EVENT = {"writeKey": "server", "userId": "u1", "event": "Baked"}


@pytest.fixture
def make_app(tmp_path: Path) -> Callable[..., Flask]:
    def make(prefix: str | None = None, **config: Any) -> Flask:
        app = Flask("shop")
        app.config.update(
            INTERCOM_APP_ID="abc12345",
            INTERCOM_WRITE_KEYS=["server"],
            INTERCOM_BROWSER_WRITE_KEYS=["browser"],
            INTERCOM_OUTBOX=f"sqlite:///{tmp_path / 'outbox.db'}",
            INTERCOM_DELIVER="worker",
            **config,
        )
        SegmentIntercom(app)
        app.register_blueprint(collector_blueprint(), url_prefix=prefix)
        return app

    return make


def test_a_call_is_in_the_outbox(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    answer = app.test_client().post("/v1/track", json=EVENT)
    assert (answer.status_code, answer.json) == (200, {"success": True})
    ingest = app.extensions["segment_intercom"].ingest
    assert ingest.flush(0) == 1
    ingest.close()


def test_while_tested_calls_are_captured(make_app: Callable[..., Flask]) -> None:
    app = make_app(TESTING=True)
    app.test_client().post("/v1/batch", json={"writeKey": "server", "batch": [{"type": "track", **EVENT}]})
    (call,) = app.extensions["segment_intercom"].captured
    assert (call.user_id, call.event) == ("u1", "Baked")


def test_it_may_be_mounted_anywhere(make_app: Callable[..., Flask]) -> None:
    client = make_app("/segment").test_client()
    settings = client.get("/segment/v1/projects/browser/settings", base_url="https://shop.example/").json
    assert settings is not None
    assert settings["integrations"]["Segment.io"]["apiHost"] == "shop.example/segment/v1"
    assert client.post("/segment/v1/t", json=EVENT).status_code == 200
    assert client.post("/v1/t", json=EVENT).status_code == 404


def test_a_preflight_is_answered(make_app: Callable[..., Flask]) -> None:
    answer = make_app().test_client().options("/v1/t")
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (204, "*")


@pytest.mark.parametrize(("enabled", "expected"), [(True, [Track]), (False, [])])
def test_an_application_may_listen(make_app: Callable[..., Flask], enabled: bool, expected: list[type]) -> None:
    """While Intercom is switched off, nothing is in the outbox to tell of."""
    app, heard = make_app(INTERCOM_ENABLED=enabled), []

    def listen(_: Flask, call: Call) -> None:
        heard.append(call)

    with call_accepted.connected_to(listen, app):
        app.test_client().post("/v1/track", json=EVENT)
    assert [type(call) for call in heard] == expected
    app.extensions["segment_intercom"].ingest.close()


def test_a_large_body_is_not_read(make_app: Callable[..., Flask]) -> None:
    answer = make_app().test_client().post("/v1/track", data=b"x" * 2_000_000, content_type="application/json")
    assert answer.status_code == 400


def test_key_with_line_break_is_answered() -> None:
    """In JSON as every other path, and not by the application's page for what is missing."""
    app = Flask("shop")
    app.config.update(INTERCOM_APP_ID="abc12345", TESTING=True)
    SegmentIntercom(app)
    app.register_blueprint(collector_blueprint())
    answer = app.test_client().get("/v1/projects/a%0Ab/settings")
    assert (answer.status_code, answer.mimetype) == (404, "application/json")
