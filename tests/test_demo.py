"""The demo's pages without a browser: what they say, and what they must never say."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from segment_intercom.demo import create_demo

PAGES = ("/", "/pricing", "/account")
HOSTILE = "<img src=x onerror"


@pytest.fixture
def app() -> Flask:
    app = create_demo()
    app.testing = True
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def choose(client: FlaskClient, **chosen: str) -> Any:
    return client.post("/choose", data={"page": "home", **chosen})


def snippet(client: FlaskClient, path: str = "/") -> str:
    return re.findall(r"<script nonce=[^>]*>.+?</script>", client.get(path).text)[-1]


def shown(client: FlaskClient) -> list[str]:
    """What stands in the two code panes: the template's line, and the HTML."""
    blocks = re.findall(r"<code[^>]*>(.*?)</code>", client.get("/").text, re.DOTALL)
    return [html.unescape(block) for block in blocks]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_a_strict_policy_whose_nonce_all_scripts_carry(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    policy = answer.headers["Content-Security-Policy"]
    nonce = re.search(r"script-src 'nonce-([\w-]+)' 'strict-dynamic';", policy)[1]
    scripts = re.findall(r"<script[^>]*>", answer.text)
    assert len(scripts) == 3
    assert all(f'nonce="{nonce}"' in script for script in scripts)
    assert "unsafe" not in policy


@pytest.mark.parametrize("person", ["visitor", "mara", "jonas", "ines", "script"])
@pytest.mark.parametrize("path", PAGES)
def test_no_page_holds_the_secret_or_unescaped_text(app: Flask, client: FlaskClient, person: str, path: str) -> None:
    choose(client, person=person, company="kornblume")
    text = client.get(path).text
    assert app.config["INTERCOM_IDENTITY_SECRET"] not in text
    assert HOSTILE not in text


def test_the_shown_html_is_the_snippet_byte_for_byte(client: FlaskClient) -> None:
    choose(client, person="script", company="harbour")
    text = client.get("/").text
    code = re.search(r'<code id="produced">(.*?)</code>', text, re.DOTALL)[1]
    assert html.unescape(code) in text
    assert '"user_hash":"' in html.unescape(code)


def test_the_shown_line_is_what_a_developer_writes(client: FlaskClient) -> None:
    assert shown(client)[0] == "{{ intercom_snippet() }}"
    choose(client, launcher="hide", button="on", side="left", load="idle")
    assert shown(client)[0] == (
        '{{ intercom_snippet(hide_default_launcher=True, launcher_selector="#ask-us", alignment="left", load="idle") }}'
    )
    assert '"alignment":"left"' in snippet(client)


def test_a_wrong_hash_is_sent_as_it_is(client: FlaskClient) -> None:
    choose(client, person="mara", proof="wrong")
    assert f'"user_hash":"{"0" * 64}"' in snippet(client)
    assert shown(client)[0] == "{{ intercom_snippet(user_with_wrong_hash) }}"
    assert "answers 403" in client.get("/").text


def test_without_a_hash_only_the_hash_is_missing(client: FlaskClient) -> None:
    choose(client, person="ines", company="harbour", launcher="show")
    proven = re.sub('nonce="[^"]+"|"user_hash":"[^"]+",', "", snippet(client))
    choose(client, proof="none")
    assert re.sub('nonce="[^"]+"', "", snippet(client)) == proven


def test_a_page_that_names_somebody_is_not_cached(client: FlaskClient) -> None:
    choose(client, person="mara", proof="none")
    assert client.get("/").headers["Cache-Control"] == "private, no-store"


def test_a_large_id_keeps_its_digits(client: FlaskClient) -> None:
    choose(client, person="ines")
    assert '"user_id":"90071992547409937"' in snippet(client)


def test_a_choice_goes_back_to_its_page_and_its_button(client: FlaskClient) -> None:
    answer = client.post("/choose", data={"page": "pricing", "side": "left"})
    assert (answer.status_code, answer.location) == (303, "/pricing#side-left")
    assert choose(client, page="https://example.com", side="right").location == "/#side-right"


def test_an_unknown_option_is_refused_by_name(client: FlaskClient) -> None:
    answer = choose(client, side="top")
    assert answer.status_code == 400
    assert "side must be one of right, left" in answer.text


def test_other_sites_cannot_press_buttons(client: FlaskClient) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert client.post("/choose", data={"person": "mara"}, headers=headers).status_code == 403


def test_log_out_ends_intercoms_session(client: FlaskClient) -> None:
    assert "intercom-session" not in str(choose(client, person="mara").headers)
    expired = choose(client, person="visitor").headers.getlist("Set-Cookie")
    assert any("intercom-session-demo1234=;" in cookie and "Max-Age=0" in cookie for cookie in expired)


def test_a_browsers_choices_are_its_own(app: Flask) -> None:
    one, other = app.test_client(), app.test_client()
    choose(one, person="mara")
    assert "usr_2041" in snippet(one)
    assert "usr_2041" not in snippet(other)


def test_every_demo_has_a_secret_of_its_own() -> None:
    secrets = {create_demo().config["INTERCOM_IDENTITY_SECRET"] for _ in range(2)}
    assert len(secrets) == 2


def test_the_environment_does_not_change_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERCOM_ENABLED", "false")
    monkeypatch.setenv("INTERCOM_REGION", "eu")
    client = create_demo().test_client()
    assert '"app_id":"demo1234"' in snippet(client)
    assert '"api_base":' not in snippet(client)


def test_the_sandbox_is_mounted_beside_the_site(client: FlaskClient) -> None:
    assert client.get("/sandbox/widget/demo1234").mimetype == "application/javascript"
    assert client.get("/sandbox/inspector/state.json").json["requests"] == []
