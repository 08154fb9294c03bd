"""Every path of Intercom's API description is imitated by the sandbox, or says that it is not: none by silence."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from segment_intercom.sandbox.rest.api import TODAY
from segment_intercom.sandbox.rest.not_imitated import PATHS
from tests.contract import DESCRIPTION
from tests.sandbox.test_rest import ADA, Api
from tests.sandbox.test_rest_contract import Described

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "sandbox.md"


@pytest.fixture
def api() -> Api:
    return Described()


def test_every_described_path_is_routed() -> None:
    described = yaml.load(DESCRIPTION.read_text(encoding="utf-8"), yaml.CSafeLoader)["paths"]
    paths = {
        (method.upper(), re.sub("{.*?}", "*", path[1:])) for path, methods in described.items() for method in methods
    }
    assert {(method, pattern) for method, pattern, _ in TODAY} == paths


@pytest.mark.parametrize(("method", "pattern"), PATHS)
def test_unimitated_path_is_501_and_documented(api: Api, method: str, pattern: str) -> None:
    answer = api(method, "/" + pattern.replace("*", "1"))
    error = answer.json["errors"][0]
    assert (answer.status_code, error["code"]) == (501, "not_imitated")
    assert error["message"] == f"This {method} request is not imitated by this sandbox"
    assert f"`{method} /{pattern.replace('*', '{id}')}`" in DOCUMENTATION.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/tags", {"name": "VIP", "companies": [{"company_id": "7"}]}),
        ("GET", "/companies?tag_id=1", None),
        ("GET", "/companies?segment_id=1", None),
        ("GET", "/contacts?include_merge_history=true", None),
        (
            "POST",
            "/data_attributes",
            {"name": "x", "model": "contact", "data_type": "options", "options": [{"value": "1"}, {"value": "2"}]},
        ),
        ("PUT", "/data_attributes/1", {"options": [{"value": "1"}, {"value": "2"}]}),
    ],
)
def test_unimitated_request_changes_nothing(api: Api, method: str, path: str, body: Any) -> None:
    api.contact(**ADA)
    api.company()
    assert api.refusal(method, path, body)[:2] == (501, "not_imitated")
    assert api.state()["attributes"] == []
    assert api.ok("GET", "/tags")["data"] == []
