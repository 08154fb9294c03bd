"""README.md: its code runs, its tables hold, and nothing that a reader needs is missing from it."""

from __future__ import annotations

import re
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

import segment_intercom
from segment_intercom.cli import main
from segment_intercom.web.helpers import OPTIONS
from tests.tables import TABLES

ROOT = Path(__file__).parent.parent
PAGES = re.findall(r"^(\w+)$", ROOT.joinpath("docs/index.md").read_text(encoding="utf-8"), re.MULTILINE)
# README.md, and the pages of docs in their order: read, and run, as one.
FILES = [ROOT / "README.md", *(ROOT / f"docs/{page}.md" for page in PAGES)]
README = "\n".join(path.read_text(encoding="utf-8") for path in FILES)
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All Python of the README, run from its top to its end as one program, in a folder of its own."""
    namespace: dict[str, Any] = {"__name__": "app"}
    with chdir(tmp_path_factory.mktemp("readme")):
        for language, code in BLOCKS:
            if language == "python":
                exec(compile(code, "README.md", "exec"), namespace)
    return namespace


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


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_made_from_code(name: str) -> None:
    """Every setting has a row with its default, and what becomes of a trait is what the mapping makes of it."""
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert TABLES[name](text) == text, "write it with: make tables"


def test_new_setting_lacks_a_row() -> None:
    text = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="add or remove rows: \\['INTERCOM_REGION'\\]"):
        TABLES["configuration.md"](re.sub(r"\| `INTERCOM_REGION`.*\n", "", text))
    assert text.count("\n| `{") == 0
    assert (ROOT / "docs/traits.md").read_text(encoding="utf-8").count("\n| `{") >= 12


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
