"""README.md: its code runs, its tables hold, and nothing that a reader needs is missing from it."""

from __future__ import annotations

import json
import re
from contextlib import chdir
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

import segment_intercom
from segment_intercom import Identify, Settings, messenger_settings, rest_operations
from segment_intercom.cli import main
from segment_intercom.web.helpers import OPTIONS

ROOT = Path(__file__).parent.parent
PAGES = re.findall(r"^(\w+)$", ROOT.joinpath("docs/index.md").read_text(encoding="utf-8"), re.MULTILINE)
# README.md, and the pages of docs in their order: read, and run, as one.
FILES = [ROOT / "README.md", *(ROOT / f"docs/{page}.md" for page in PAGES)]
README = "\n".join(path.read_text(encoding="utf-8") for path in FILES)
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
ROWS = re.findall(r"^\| `(\{.*?\})` \| `(\{.*?\})` \| `(\{.*\})` \|$", README, re.MULTILINE)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All Python of the README, run from its top to its end as one program, in a folder of its own."""
    found: dict[str, Any] = {"__name__": "app"}
    with chdir(tmp_path_factory.mktemp("readme")):
        for language, code in BLOCKS:
            if language == "python":
                exec(compile(code, "README.md", "exec"), found)
    return found


def test_first_application_renders_shown_html(names: dict[str, Any]) -> None:
    """All Python of the documentation runs as one program, and its first application gives this HTML."""
    app: Flask = names["app"]
    (shown,) = (code for language, code in BLOCKS if language == "js")
    assert shown.strip() in app.test_client().get("/").text


def test_first_application_stays_short() -> None:
    first = next(code for language, code in BLOCKS if language == "python")
    assert len([line for line in first.splitlines() if line.strip()]) <= 20


def test_factory_shows_user_and_company(names: dict[str, Any]) -> None:
    factory: Flask = names["create_app"](INTERCOM_IDENTITY_SECRET="s", TESTING=True)
    visitor = factory.test_client().get("/").text
    assert "window.intercomSettings" in visitor
    assert '"user_id":' not in visitor
    client = factory.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = "42"
    page = client.get("/").text
    assert '"user_id":"42"' in page
    assert '"company":{"company_id":"org_17"' in page


def test_the_templates_render() -> None:
    app = Flask("shop")
    app.config.update(INTERCOM_APP_ID="abc12345", TESTING=True)
    segment_intercom.SegmentIntercom(app)
    user = {"id": 1, "plan": "pro", "team": {"id": 2, "name": "Two"}}
    for code in (code for language, code in BLOCKS if language == "jinja"):
        with app.test_request_context():
            html = app.jinja_env.from_string(code).render(user=user, tenant={"intercom_app_id": "tenant12"})
        assert html.count("window.intercomSettings={") == 4


@pytest.mark.parametrize(("trait", "page", "api"), ROWS)
def test_trait_row_matches_mapping(trait: str, page: str, api: str) -> None:
    call = Identify("u", json.loads(trait))
    found = messenger_settings(call, Settings(app_id="abc12345"))
    assert found == {"app_id": "abc12345", "user_id": "u", **json.loads(page)}
    contact, *others = rest_operations(call, Settings())
    expected = json.loads(api)
    for other in others:
        said = expected.pop(f"{other.method} {other.path}", None)
        assert said == other.body or other.path.endswith("/companies")
    assert contact.body == {"role": "user", "external_id": "u", **expected}


def test_there_are_rows_to_hold() -> None:
    assert len(ROWS) >= 12


@pytest.mark.parametrize("field", fields(Settings), ids=lambda field: field.name)
def test_setting_is_documented_with_default(field: Any) -> None:
    default = {} if field.name in ("messenger", "nested_handling_for", "workspaces") else field.default
    shown = json.dumps(default) if isinstance(default, str) else str(default)
    key = f"INTERCOM_{field.name.upper()}"
    assert re.search(rf"`{key}`(?: \| `|\s+\(`){re.escape(shown)}`", README), f"{key} with {shown}"


@pytest.mark.parametrize("name", [name for name in vars(segment_intercom) if name[0] != "_"])
def test_every_public_name_is_documented(name: str) -> None:
    if isinstance(getattr(segment_intercom, name), type(segment_intercom)):
        return  # a module, which Python adds by itself
    assert re.search(rf"\b{name}\b", README)


@pytest.mark.parametrize("name", [*main.commands, *OPTIONS])
def test_every_command_and_option_is_documented(name: str) -> None:
    assert re.search(rf"(?:segment-intercom |`){name}`?", README)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_is_linked_is_there(path: Path) -> None:
    linked = re.findall(r"\]\(([^):#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    assert [link for link in linked if not path.parent.joinpath(link).exists()] == []


def test_every_documentation_page_is_listed() -> None:
    """A page stands in the table of contents and, except for the reference of the API, in README.md."""
    written = {path.stem for path in ROOT.joinpath("docs").glob("*.md")} - {"index"}
    assert written == {*PAGES}
    assert len(PAGES) == len(written)
    assert {page for page in written if f"docs/{page}.md" not in FILES[0].read_text(encoding="utf-8")} == {"api"}


def test_readme_stays_short_enough() -> None:
    assert len(FILES[0].read_text(encoding="utf-8").splitlines()) <= 200
