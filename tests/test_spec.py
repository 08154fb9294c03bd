"""spec.json: each fact once, and everything follows it; the sandbox has its own, which one test compares."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

import segment_intercom
from segment_intercom import Identify, Settings, messenger_settings, rest_operations
from segment_intercom.sandbox.workspace import API_BASES
from segment_intercom.settings import Region
from segment_intercom.spec import SPEC, Field

PACKAGE = Path(segment_intercom.__file__).parent
# Traits whose values have another form than a text.
SAMPLES: dict[str, Any] = {
    "email": "ann@example.com",
    "created": 1458841605,
    "created_at": 1458841605,
    "remote_created_at": 1458841605,
    "last_request_at": 1458841605,
    "avatar": "https://example.com/a.png",
    "company": {"id": "1"},
    "companies": [{"id": "1"}],
    "phones": ["1"],
    "owner_id": "7",
}
SCRIPT = """
from segment_intercom import Settings, csp, install
from segment_intercom.messenger import runtime_config
from jinja2 import Environment

settings = Settings(app_id="abc12345", region="moon", messenger={"brand_color": "#fff"})
assert settings.rest_url == "https://api.moon.intercom.io"
assert "https://nexus.moon.intercom.io" in csp(settings)["connect-src"]
env = Environment(autoescape=True)
install(env, settings)
page = env.from_string("{{ intercom_snippet({'id': 1, 'nickname': 'Ann'}, brand_color='#000') }}").render()
assert '"brand_color":"#000"' in page and '"api_base":"https://api-iam.moon.intercom.io"' in page
config = runtime_config(settings, {}, booted=False, lazy=False)
assert "nickname" in config["user"].split() and "brand_color" in config["reserved"].split()
assert "brand_color" in page.partition('.split(" ")')[0]
"""


def test_additions_need_only_spec_file(tmp_path: Path) -> None:
    """A region, a Messenger setting and a user trait are added to spec.json alone."""
    facts = json.loads((PACKAGE / "spec.json").read_text())
    facts["regions"]["moon"] = {
        "name": "Moon",
        "host": "moon.",
        "policy": {"connect-src": ["https://nexus.moon.intercom.io"]},
    }
    facts["messenger_settings"]["brand_color"] = {"type": "colour"}
    facts["user_traits"].append({"name": "nickname"})
    for folder in ("segment_intercom", "templates", "static"):
        shutil.copytree(PACKAGE.parent / folder, tmp_path / folder)
    (tmp_path / "segment_intercom" / "spec.json").write_text(json.dumps(facts))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()


# A call names its user itself; of what a trait named id holds, nothing is sent.
SENT = [field for field in SPEC.user_traits if field.name != "id"]


def told(body: Any, field: Field) -> dict[str, Any]:
    """What a body says; of a person's plan and spending, which are fields of a company, the attributes as well."""
    ignored = set() if field.name in ("plan", "monthly_spend") else {"custom_attributes"}
    return {name: value for name, value in body.items() if name not in ignored}


@pytest.mark.parametrize("field", SENT, ids=lambda field: field.name)
def test_every_standard_field_reaches_intercom(field: Field) -> None:
    """As what it is, and not as a custom attribute, which every other trait becomes."""
    traits = {field.name: SAMPLES.get(field.name, "text")}
    if field.name in ("first_name", "last_name"):
        traits = {"first_name": "Ann", "last_name": "Lee"}
    settings = Settings(app_id="abc12345")
    server = [told(operation.body, field) for operation in rest_operations(Identify("u", traits), settings)]
    assert server != [operation.body for operation in rest_operations(Identify("u", {}), settings)]
    if not field.is_server_only:
        page = told(messenger_settings(Identify("u", traits), settings), field)
        assert page != {"app_id": "abc12345", "user_id": "u"}


@pytest.mark.parametrize(("value", "warnings"), [("u", 0), ("another", 2)])
def test_id_trait_is_never_sent(value: str, warnings: int, caplog: pytest.LogCaptureFixture) -> None:
    """It makes no attribute either; one that differs from the user's id is warned of, by the page and the server."""
    assert "id" in {field.name for field in SPEC.user_traits}
    settings = Settings(app_id="abc12345")
    with_id, without = Identify("u", {"id": value}), Identify("u", {})
    assert [*rest_operations(with_id, settings)] == [*rest_operations(without, settings)]
    assert messenger_settings(with_id, settings) == messenger_settings(without, settings)
    remark = "trait 'id': is not the user's id and is no attribute either; give it another name"
    assert [remark in record.getMessage() for record in caplog.records] == [True] * warnings


def test_the_sandbox_knows_the_same_regions() -> None:
    hosts = {code: f"https://api-iam.{region.host}intercom.io" for code, region in SPEC.regions.items()}
    assert hosts == API_BASES
    assert set(get_args(Region)) == set(SPEC.regions)
