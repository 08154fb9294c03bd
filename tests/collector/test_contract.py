"""The published description of the collector, held against the collector itself with made-up requests."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import schemathesis
import yaml
from flask import Flask
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import negative_data_rejection

from segment_intercom import SegmentIntercom, collector_blueprint
from segment_intercom.collector import TrackingRequest, collector
from tests.children import ROOT

from .conftest import BROWSER, SERVER, Received

PATH = ROOT / "docs/collector.openapi.yaml"
SCHEMA = schemathesis.openapi.from_path(PATH)
DESCRIBED = yaml.safe_load(PATH.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def address(serve_module: Callable[[Flask], str], tmp_path_factory: pytest.TempPathFactory) -> str:
    app = Flask("collector")
    app.config.update(
        INTERCOM_APP_ID="abc12345",
        INTERCOM_WRITE_KEYS=[SERVER],
        INTERCOM_BROWSER_WRITE_KEYS=[BROWSER],
        INTERCOM_OUTBOX=f"sqlite:///{tmp_path_factory.mktemp('contract') / 'outbox.db'}",
        INTERCOM_DELIVER="worker",
    )
    SegmentIntercom(app)
    app.register_blueprint(collector_blueprint())
    return serve_module(app)


@SCHEMA.parametrize()
@settings(max_examples=15, suppress_health_check=list(HealthCheck), deadline=None)
def test_answers_are_as_described(case: schemathesis.Case, address: str) -> None:
    if isinstance(case.body, dict):
        case.body["writeKey"] = SERVER
    answer = case.call(base_url=address)
    # What is of no use is left out, and costs nothing else: not every body that is not as described is refused.
    case.validate_response(answer, excluded_checks=[negative_data_rejection])
    assert answer.status_code < 500


@pytest.mark.parametrize("path", DESCRIBED["paths"])
def test_each_described_path_is_answered(received: Received, path: str) -> None:
    (method,) = DESCRIBED["paths"][path]
    path = path.replace("{writeKey}", BROWSER)
    assert received.collector.answer(TrackingRequest(method.upper(), path)).status != 404


def test_each_path_is_described() -> None:
    paths = {f"/v1/{name}" for name in {*collector._KINDS, *collector._BATCHES, collector._METRICS}}
    assert paths <= set(DESCRIBED["paths"])
