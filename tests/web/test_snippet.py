"""The script element: safe against any content, complete, told what to load and when."""

from __future__ import annotations

import html.parser
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from segment_intercom import Identify, OptionError, Settings, TraitError, assets, messenger_settings, render_snippet
from segment_intercom.intercom_keys import RESERVED
from segment_intercom.web.snippet import LOADS
from tests.conftest import APP_ID

PAGE = {"app_id": APP_ID}
SETTINGS = Settings(app_id=APP_ID)


class _Parser(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def parsed(snippet: str) -> _Parser:
    parser = _Parser()
    parser.feed(f"{snippet}<p>after</p>")
    return parser


def settings_in(snippet: str) -> dict[str, Any]:
    """The object that the script lays on the page, read back as JSON."""
    start = re.search(r"window\.intercomSettings=", snippet)
    assert start is not None
    text = str(snippet)[start.end() :].replace('["__proto__"]:', '"__proto__":')
    settings: dict[str, Any] = json.JSONDecoder().raw_decode(text)[0]
    return settings


def test_snippet_is_a_single_script() -> None:
    """It holds the settings and the address of the widget."""
    snippet = render_snippet({**PAGE, "user_id": "u"}, settings=SETTINGS)
    assert isinstance(snippet, Markup)
    assert parsed(snippet).tags == [("script", {}), ("p", {})]
    assert settings_in(snippet) == {"app_id": APP_ID, "user_id": "u"}
    assert f'"https://widget.intercom.io/widget/{APP_ID}"' in snippet


HOSTILE = [
    'a"__proto__',
    '"__proto__":',
    '{"__proto__":1}',
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]>",
    "\u2028\u2029",
    "'\"\\`${x}",
    "&lt;",
    "\x00",
    "\ud800",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_escaped_without_loss(text: str) -> None:
    traits = {text: text, "name": text, "__proto__": text, "nested": {text: [text]}}
    page_settings = messenger_settings(Identify(text, traits), SETTINGS)
    snippet = render_snippet(page_settings, settings=SETTINGS)
    assert parsed(snippet).tags == [("script", {}), ("p", {})]
    assert settings_in(snippet) == page_settings
    literal = str(snippet).partition("intercomSettings=")[2].partition("}}")[0]
    assert not re.search("[<>&\u2028\u2029\x00\ud800-\udfff]", literal)


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none() | st.lists(st.text())))
def test_settings_survive_the_round_trip(attributes: dict[str, Any]) -> None:
    page_settings = {**PAGE, "custom_attributes": attributes}
    snippet = render_snippet(page_settings, settings=SETTINGS)
    assert settings_in(snippet) == page_settings
    assert parsed(snippet).tags == [("script", {}), ("p", {})]
    snippet.encode()


@pytest.mark.parametrize("load", LOADS)
def test_load_strategy_is_in_script(load: str) -> None:
    written = render_snippet(PAGE, settings=SETTINGS, load=load).replace(render_snippet(PAGE, settings=SETTINGS), "")
    assert f'="{load}"' in written or load == "load"


def test_unknown_load_strategy_lists_valid_values() -> None:
    with pytest.raises(OptionError, match='load: must be one of "load", "now", "idle", "interaction", "manual"'):
        render_snippet(PAGE, settings=SETTINGS, load="later")


@pytest.mark.parametrize("nonce", ["r4nd0m+/==", "aZ09-_", lambda: "called"])
def test_a_nonce_goes_on_the_element(nonce: Any) -> None:
    expected = nonce() if callable(nonce) else nonce
    assert parsed(render_snippet(PAGE, settings=SETTINGS, nonce=nonce)).tags[0] == ("script", {"nonce": expected})


@pytest.mark.parametrize("nonce", ['x" onload="alert(1)', "a b", "é", 5, "abc\n"])
def test_a_bad_nonce_is_refused(nonce: Any) -> None:
    with pytest.raises(OptionError, match="nonce: must be base64"):
        render_snippet(PAGE, settings=SETTINGS, nonce=nonce)


@pytest.mark.parametrize("nonce", [None, "", lambda: None, lambda: ""])
def test_empty_nonce_adds_no_attribute(nonce: Any) -> None:
    assert parsed(render_snippet(PAGE, settings=SETTINGS, nonce=nonce)).tags[0] == ("script", {})


def test_missing_app_id_renders_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """A line of the log says which setting is missing."""
    assert render_snippet({}, settings=Settings()) == ""
    assert "INTERCOM_APP_ID" in caplog.text


@pytest.mark.parametrize("app_id", ["../evil12", "abc", 12345678])
def test_wrong_app_id_is_refused(app_id: Any) -> None:
    with pytest.raises(OptionError, match="app_id: must be 8 or 40"):
        render_snippet({"app_id": app_id}, settings=SETTINGS)


def test_switched_off_it_is_a_comment() -> None:
    assert render_snippet(PAGE, settings=Settings(enabled=False)).startswith("<!--")


@pytest.mark.parametrize("value", [float("nan"), object(), [float("inf")], b"x"])
def test_unserializable_value_never_reaches_page(value: Any, caplog: pytest.LogCaptureFixture) -> None:
    """It is an error; where settings are lenient, the value is left out and its name is logged."""
    with pytest.raises(TraitError, match="odd"):
        render_snippet({**PAGE, "odd": value}, settings=SETTINGS)
    lenient = Settings(app_id=APP_ID, strict=False)
    assert settings_in(render_snippet({**PAGE, "odd": value}, settings=lenient)) == PAGE
    assert "'odd'" in caplog.text


def test_the_widget_may_come_from_elsewhere() -> None:
    assert f'"/sandbox/widget/{APP_ID}"' in render_snippet(PAGE, settings=Settings(widget_url="/sandbox/widget/"))


def test_script_contains_reserved_names() -> None:
    html = render_snippet(PAGE, settings=Settings(app_id=APP_ID))
    words = html.partition('.split(" ")')[0].rpartition('"')[0].rpartition('"')[2].split()
    assert frozenset(words) - {"|"} == RESERVED
    assert {"app_id", "alignment", "hide_default_launcher"} <= set(words[: words.index("|")])
    assert {"user_id", "user_hash", "auth_tokens"}.isdisjoint(words[: words.index("|")])


def test_built_loader_has_unique_placeholders() -> None:
    built = assets.read("segment_intercom/loader.min.js")
    assert [built.count(f"INTERCOM_{name}") for name in ("SETTINGS", "LOAD", "WIDGET", "RESERVED")] == [1, 1, 1, 1]
    assert built.isascii()
    assert "</" not in built
