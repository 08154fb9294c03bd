"""The demo's pages without a browser: what they say, and what they must never say."""

from __future__ import annotations

import ast
import html
import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from segment_intercom import Group, Identify, SegmentIntercom, Settings, SettingsError, Track, user_hash
from segment_intercom.demo import create_demo
from segment_intercom.demo.people import PEOPLE
from segment_intercom.doctor import check_page

PAGES = ("/", "/pricing", "/account", "/playground")
KNOWN = {"app_id": "abcd1234", "user_id": "user1234", "email": "teemo@segment.com"}
HOSTILE = "<img src=x onerror"


@pytest.fixture
def app() -> Flask:
    app = create_demo()
    app.testing = True
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def play(client: FlaskClient, text: object, kind: str = "identify", **settings: Any) -> Any:
    """What the playground makes of a message, given as JSON text or as what it holds."""
    typed = text if isinstance(text, str) else json.dumps(text)
    return client.post("/playground", json={"text": typed, "kind": kind, "settings": settings}).json


def choose(client: FlaskClient, **chosen: str) -> Any:
    return client.post("/choose", data={"page": "home", **chosen})


def snippet(client: FlaskClient, path: str = "/") -> str:
    return re.findall(r"<script nonce=[^>]*>.+?</script>", client.get(path).text)[-1]


def shown(client: FlaskClient) -> str:
    """The line of the template, as the workbench shows it."""
    return html.unescape(re.search(r'<code id="line">(.*?)</code>', client.get("/").text, re.DOTALL)[1])


@pytest.mark.parametrize("path", PAGES)
def test_all_scripts_carry_the_policys_nonce(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    policy = answer.headers["Content-Security-Policy"]
    nonce = re.search(r"script-src 'nonce-([\w-]+)' 'strict-dynamic';", policy)[1]
    scripts = re.findall(r"<script[^>]*>", answer.text)
    assert scripts
    assert all(f'nonce="{nonce}"' in script for script in scripts)
    assert "unsafe" not in policy


@pytest.mark.parametrize("person", ["visitor", "mara", "jonas", "ines", "script"])
@pytest.mark.parametrize("path", PAGES)
def test_page_hides_secret_and_escapes_text(app: Flask, client: FlaskClient, person: str, path: str) -> None:
    choose(client, person=person, company="kornblume")
    text = client.get(path).text
    assert app.config["INTERCOM_IDENTITY_SECRET"] not in text
    assert HOSTILE not in text


def test_shown_html_equals_rendered_snippet(client: FlaskClient) -> None:
    choose(client, person="script", company="harbour")
    text = client.get("/").text
    code = re.search(r'<code id="produced">(.*?)</code>', text, re.DOTALL)[1]
    assert html.unescape(code) in text
    assert '"user_hash":"' in html.unescape(code)


def test_shown_line_lists_chosen_options(client: FlaskClient) -> None:
    assert shown(client) == "{{ intercom_snippet() }}"
    choose(client, launcher="hide", button="on", side="left", load="idle")
    assert shown(client) == (
        '{{ intercom_snippet(hide_default_launcher=True, launcher_selector="#ask-us", alignment="left", load="idle") }}'
    )
    assert '"alignment":"left"' in snippet(client)


def test_wrong_hash_is_sent_unchanged(client: FlaskClient) -> None:
    choose(client, person="mara", proof="wrong")
    assert f'"user_hash":"{"0" * 64}"' in snippet(client)
    assert shown(client) == "{{ intercom_snippet(user_with_wrong_hash) }}"
    assert "answers 403" in client.get("/").text


def test_token_replaces_the_hash(client: FlaskClient) -> None:
    """A person without a user id cannot have a token and is proven by the hash."""
    choose(client, person="mara", proof="token", side="left")
    assert '"intercom_user_jwt":"' in snippet(client)
    assert '"alignment":"left"' in snippet(client)
    assert '"user_hash":' not in snippet(client)
    choose(client, person="jonas")
    assert '"user_hash":"' in snippet(client)
    assert "A token needs a user id" in client.get("/").text


def test_missing_hash_changes_nothing_else(client: FlaskClient) -> None:
    choose(client, person="ines", company="harbour", launcher="show")
    proven = re.sub('nonce="[^"]+"|"user_hash":"[^"]+",', "", snippet(client))
    choose(client, proof="none")
    assert re.sub('nonce="[^"]+"', "", snippet(client)) == proven


def test_page_with_user_is_not_cached(client: FlaskClient) -> None:
    choose(client, person="mara", proof="none")
    assert client.get("/").headers["Cache-Control"] == "private, no-store"


def test_a_large_id_keeps_its_digits(client: FlaskClient) -> None:
    choose(client, person="ines")
    assert '"user_id":"90071992547409937"' in snippet(client)


def test_choice_redirects_to_its_button(client: FlaskClient) -> None:
    answer = choose(client, page="pricing", side="left", **{"from": "workbench"})
    assert (answer.status_code, answer.location) == (303, "/pricing#side-left")


def test_login_redirects_to_page_content(client: FlaskClient) -> None:
    """A login on the site returns to the content of its page; an unknown page becomes the home page."""
    assert choose(client, page="account", person="mara").location == "/account#content"
    assert choose(client, page="https://example.com", person="visitor").location == "/#content"


def test_a_visitor_acts_for_no_company(client: FlaskClient) -> None:
    choose(client, company="kornblume", person="visitor")
    for path in PAGES:
        assert "Kornblume Bakery" not in html.unescape(client.get(path).text)
    assert "A visitor acts for no company" in client.get("/").text
    choose(client, person="jonas")
    assert "Kornblume Bakery" in snippet(client)
    assert "A visitor acts for no company" not in client.get("/").text


def test_chosen_option_has_visible_explanation(client: FlaskClient) -> None:
    choose(client, person="ines")
    text = client.get("/").text
    assert 'aria-describedby="about-person"' in text
    assert 'id="about-person">An id beyond 2^53' in text


def test_script_like_name_is_remarked_on(client: FlaskClient) -> None:
    choose(client, person="script")
    assert "This name is text: nothing of it ran." in client.get("/").text


def test_unknown_option_lists_allowed_values(client: FlaskClient) -> None:
    answer = choose(client, side="top")
    assert answer.status_code == 400
    assert "side must be one of right, left" in answer.text


def test_other_sites_cannot_press_buttons(client: FlaskClient) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert client.post("/choose", data={"person": "mara"}, headers=headers).status_code == 403
    assert client.post("/playground", data=b"{}", headers=headers).status_code == 403


@pytest.mark.parametrize("proof", ["right", "token", "wrong"])
def test_both_snippets_bring_the_chosen_proof(client: FlaskClient, proof: str) -> None:
    choose(client, person="mara", proof=proof)
    name = "intercom_user_jwt" if proof == "token" else "user_hash"
    assert f'"{name}":"' in snippet(client)
    choose(client, snippet="analytics")
    assert shown(client).startswith("{{ analytics_snippet(")
    assert f'"{name}":"' in snippet(client)
    assert "runtime.min.js" in snippet(client)


def test_chosen_region_sets_api_base(client: FlaskClient) -> None:
    """A chosen region is rendered as if INTERCOM_REGION were set to it."""
    choose(client, region="eu", workspace="eu")
    text = html.unescape(client.get("/").text)
    assert '"api_base":"https://api-iam.eu.intercom.io"' in snippet(client)
    assert 'Rendered as if INTERCOM_REGION were "eu".' in text
    assert "answers 403" not in text


def test_wrong_region_shows_its_remedy(client: FlaskClient) -> None:
    choose(client, workspace="au")
    assert 'Remedy: INTERCOM_REGION="au".' in html.unescape(client.get("/").text)


def test_the_workspace_is_shared(app: Flask) -> None:
    choose(app.test_client(), workspace="eu", visitors="off")
    other_page = html.unescape(app.test_client().get("/").text)
    assert re.search(r'id="workspace-eu"[^>]*aria-pressed="true"', other_page)
    assert re.search(r'id="visitors-off"[^>]*aria-pressed="true"', other_page)


def test_log_out_ends_intercoms_session(client: FlaskClient) -> None:
    assert "intercom-session" not in str(choose(client, person="mara").headers)
    expired = choose(client, person="visitor").headers.getlist("Set-Cookie")
    assert any("intercom-session-demo1234=;" in cookie and "Max-Age=0" in cookie for cookie in expired)
    assert any(re.match(r"intercom-logout=\d{13};", cookie) for cookie in expired)


def test_a_browsers_choices_are_its_own(app: Flask) -> None:
    first, second = app.test_client(), app.test_client()
    choose(first, person="visitor")
    assert "usr_2041" not in snippet(first)
    assert "usr_2041" in snippet(second), "a demo begins with somebody who is logged in"


def test_two_demos_have_different_secrets() -> None:
    secrets = {create_demo().config["INTERCOM_IDENTITY_SECRET"] for _ in range(2)}
    assert len(secrets) == 2


def test_environment_leaves_demo_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERCOM_ENABLED", "false")
    monkeypatch.setenv("INTERCOM_REGION", "eu")
    client = create_demo().test_client()
    assert '"app_id":"demo1234"' in snippet(client)
    assert '"api_base":' not in snippet(client)


def test_sandbox_is_mounted_beside_site(client: FlaskClient) -> None:
    assert client.get("/sandbox/widget/demo1234").mimetype == "application/javascript"
    assert client.get("/sandbox/inspector/state.json").json["requests"] == []


def test_the_playground_shows_settings_and_commands(client: FlaskClient) -> None:
    message = {"userId": "user1234", "traits": {"email": "teemo@segment.com", "role": "Baker"}}
    result = play(client, message)
    assert result["settings"]["custom_attributes"] == {"role": "Baker"}
    assert result["commands"] == [["boot", {**KNOWN, "role": "Baker"}]]
    assert (result["warnings"], result["error"]) == ([], None)


def test_playground_shows_both_dialects_requests(client: FlaskClient) -> None:
    calls = [{"userId": "user1234", "traits": {"role": "Baker"}}, {"type": "group", "groupId": "org_17"}]
    requests = play(client, calls)["requests"]
    assert [(request["method"], request["path"]) for request in requests["contacts"]] == [
        ("POST", "/contacts"),
        ("POST", "/companies"),
        ("POST", "/contacts/{id of contact user1234}/companies"),
    ]
    assert requests["contacts"][2]["body"] == {"id": "{id of company org_17}"}
    assert requests["classic"][0]["path"] == "/users"
    assert requests["classic"][0]["body"]["custom_attributes"] == {"role": "Baker"}


def test_playground_html_passes_its_policy(client: FlaskClient) -> None:
    """The doctor has nothing to object to in the playground's HTML under the policy beside it."""
    result = play(client, {"userId": "user1234"}, identity="hash")
    headers = {"Content-Security-Policy": result["policy"], "Cache-Control": "private, no-store"}
    settings = Settings(app_id="abcd1234", identity_secret="an-example-secret")
    findings = check_page(f"<body>{result['html']}</body>", headers, settings, "https://shop.example/")
    assert [finding for finding in findings if finding.level != "ok"] == []


def test_playground_python_reproduces_the_calls(app: Flask, client: FlaskClient) -> None:
    """The Python that the playground shows makes, when run, the calls that were typed as JSON."""
    calls = [
        {"userId": "user1234", "traits": {"role": "Baker", "company": {"id": 7, "name": "Tea"}}},
        {"type": "group", "groupId": "org_17", "traits": {"plan": "pro"}},
        {"type": "track", "event": "Baked", "properties": {"loaves": 12}, "context": {"ip": "1.2.3.4"}},
    ]
    own = Flask("own")
    own.config.update(INTERCOM_APP_ID="abcd1234", TESTING=True)
    intercom = SegmentIntercom(own)
    with own.app_context():
        exec(play(client, calls)["python"], {"intercom": intercom})
        captured = own.extensions["segment_intercom"].captured
    assert captured == [
        Identify("user1234", {"role": "Baker", "company": {"id": 7, "name": "Tea"}}),
        Group("org_17", {"plan": "pro"}, "user1234"),
        Track("Baked", {"loaves": 12}, "user1234", context={"ip": "1.2.3.4"}),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('analytics.identify("u", {"plan": "pro"})', {"type": "identify", "userId": "u", "traits": {"plan": "pro"}}),
        (
            'intercom.group(user_id="u", group_id=5, traits=None)',
            {"type": "group", "userId": "u", "groupId": 5},
        ),
        (
            "import datetime\nanalytics.track('u', 'Paid', {'a': (1, -2.5, True, {date(2026, 1, 2)})})",
            {"type": "track", "userId": "u", "event": "Paid", "properties": {"a": [1, -2.5, True, ["2026-01-02"]]}},
        ),
        ("analytics.page('u', None, 'Docs')", {"type": "page", "userId": "u", "name": "Docs"}),
        ("analytics.alias('old', 'new')", {"type": "alias", "previousId": "old", "userId": "new"}),
    ],
)
def test_python_is_read_without_being_run(client: FlaskClient, text: str, message: dict[str, Any]) -> None:
    answer = client.post("/playground", json={"text": text, "form": "python"}).get_json()
    assert (answer["error"], answer["messages"]) == (None, [message])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("hello", 'line 1: type calls such as analytics.identify("user1234"'),
        ("analytics.identify(", "is no Python: line 1"),
        ("", "is empty"),
        ("# nothing", "type calls such as"),
        ("analytics.hello()", "there is no hello(); there are identify"),
        ("analytics.identify(evnt=1)", "takes no keyword evnt; it takes user_id, traits"),
        ("analytics.identify(*[1])", "is no literal"),
        ("analytics.identify(**{})", "takes no keyword None"),
        ("analytics.identify(open('/etc/passwd'))", "is no literal"),
        ("\n\nanalytics.track('u', __import__('os').name)", "is no literal"),
        ("analytics.identify(b'x')", "bytes has no form in JSON"),
        ("analytics.identify(Decimal('x'))", "this is no Decimal"),
        ("analytics.identify(" + "[" * 400 + "]" * 400 + ")", "text"),
        ("(" * 9000, "is no Python"),
        ("analytics.identify('u').page()", "type calls such as"),
    ],
)
def test_unusable_python_is_refused_with_reason(client: FlaskClient, text: str, problem: str) -> None:
    error = client.post("/playground", json={"text": text, "form": "python"}).get_json()["error"]
    assert problem in f"{error['field']} {error['problem']}"


def test_several_calls_stay_in_order(client: FlaskClient) -> None:
    calls = [{"userId": "user1234"}, {"type": "group", "groupId": "org_17"}, {"type": "track", "event": "Baked"}]
    assert [command[0] for command in play(client, calls)["commands"]] == ["boot", "update", "trackEvent"]


def test_unsendable_traits_are_warned_of(client: FlaskClient) -> None:
    message = {"userId": "user1234", "traits": {"companies": [{"plan": "Street"}], "createdAt": "some day"}}
    warnings = play(client, message)["warnings"]
    assert "trait 'created_at': is no date that can be read; it is not sent" in warnings
    assert "company" in warnings[1]


def test_strict_playground_refuses_unsendable_trait(client: FlaskClient) -> None:
    """The refusal names the field and shows nothing that would go; without strictness it is a warning."""
    message = {"userId": "user1234", "traits": {"company": {"id": 1.5, "name": "Street"}}}
    refused = play(client, message, strict=True)
    problem = "must be a string, a whole number or a UUID"
    assert refused["error"] == {"field": "company.id", "problem": problem}
    assert (refused["settings"], refused["commands"], refused["requests"]) == (None, [], None)
    lenient = play(client, message)
    assert (lenient["error"], lenient["warnings"]) == (None, [f"trait 'company.id': {problem}; it is left out"])


def test_playground_warnings_are_not_logged(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    """Warnings of the playground stay out of the log, while later warnings still reach it."""
    assert play(client, {"userId": "u", "traits": {"createdAt": "some day"}})["warnings"]
    assert caplog.records == []
    logging.getLogger("segment_intercom").warning("of somebody else")
    assert len(caplog.records) == 1


def test_playground_proof_uses_example_secret(app: Flask, client: FlaskClient) -> None:
    settings = play(client, {"userId": "user1234"}, identity="hash")["settings"]
    assert settings["user_hash"] == user_hash("an-example-secret", "user1234")
    assert settings["user_hash"] != user_hash(app.config["INTERCOM_IDENTITY_SECRET"], "user1234")
    assert "intercom_user_jwt" in play(client, {"userId": "user1234"}, identity="jwt")["settings"]


def test_unsent_call_is_explained(client: FlaskClient) -> None:
    assert "nobody is known" in play(client, {"groupId": "org_17"}, "group")["warnings"][0]
    assert "of a visitor" in play(client, {"event": "Baked"}, "track")["warnings"][0]
    off = {"userId": "user1234", "integrations": {"All": False}}
    assert play(client, off)["warnings"] == [
        "integrations: a call switches Intercom off, so that nothing of it is sent"
    ]


def test_large_json_id_keeps_its_digits(client: FlaskClient) -> None:
    assert play(client, '{"userId": 90071992547409937}')["settings"]["user_id"] == "90071992547409937"


@pytest.mark.parametrize(
    ("text", "field", "problem"),
    [
        ("", "text", "is empty"),
        ('{"userId": 1,', "text", "line 1, column 14"),
        ("[]", "text", "from one to 20 calls"),
        ("[1]", "message", "must be a JSON object"),
        ('{"type": "delete"}', "type", "must be one of identify, group, track, page, screen, alias"),
        ('{"type": ["identify"]}', "type", "must be one of"),
        ('{"userId": true}', "user_id", "must be a string"),
        ('{"traits": {"n": NaN}}', "text", "NaN"),
        ('{"traits": [1]}', "traits", "must be a dict"),
        ("[" * 16000, "text", "nested too deep"),
        ('{"userId":"u","traits":{"a":' + '{"a":' * 2500 + "1" + "}" * 2502, "text", "nested too deep"),
        ('{"userId": ' + "9" * 5000 + "}", "text", "no form in JSON"),
    ],
)
def test_wrong_text_names_its_field(client: FlaskClient, text: str, field: str, problem: str) -> None:
    error = play(client, text)["error"]
    assert error["field"] == field
    assert problem in error["problem"]


@pytest.mark.parametrize(
    ("settings", "field"),
    [({"region": "mars"}, "region"), ({"rich_links": 5}, "rich_links"), ({"widget_url": "x"}, "widget_url")],
)
def test_wrong_setting_names_its_field(client: FlaskClient, settings: Any, field: str) -> None:
    assert play(client, {"userId": "user1234"}, **settings)["error"]["field"] == field


@pytest.mark.parametrize("body", [b"", b"\xff", b"5", b"{", b'{"settings": 5}', b'{"text": 5}', b'{"kind": {}}'])
def test_a_wrong_body_is_refused(client: FlaskClient, body: bytes) -> None:
    answer = client.post("/playground", data=body)
    assert (answer.status_code, answer.mimetype) == (422, "application/json")
    assert answer.json["error"]["problem"]


def test_body_over_32_kilobytes_is_refused(client: FlaskClient) -> None:
    answer = client.post("/playground", data=b" " * (32 * 1024 + 1))
    assert answer.status_code == 413
    assert "32 kilobytes" in answer.json["error"]["problem"]


def test_half_a_surrogate_pair_is_answered(client: FlaskClient) -> None:
    assert play(client, '{"userId": "\\ud800"}', identity="hash")["settings"]["user_id"] == "\ud800"


def test_only_demo_itself_may_frame_runtime(client: FlaskClient) -> None:
    """The runtime's page may be framed by its own origin only, and the playground by nobody."""
    policies = [client.get(path).headers["Content-Security-Policy"] for path in ("/playground", "/playground/runtime")]
    assert ["frame-ancestors 'none'" in policies[0], "frame-ancestors 'self'" in policies[1]] == [True, True]


@pytest.fixture
def delivering(tmp_path: Path) -> Flask:
    """The demo with delivery; as it is under test, its calls are captured."""
    app = create_demo("http://127.0.0.1:5000", tmp_path / "outbox.db")
    app.testing = True
    return app


def say(client: FlaskClient, call: str, **headers: str) -> Any:
    return client.post("/say", data={"call": call}, headers=headers)


def lines(client: FlaskClient) -> dict[str, str]:
    """The lines of Python that the workbench shows, by method."""
    return dict(re.findall(r'<code id="line-(\w+)">(.*?)</code>', html.unescape(client.get("/").text)))


def test_demo_without_address_offers_no_calls(client: FlaskClient) -> None:
    """Without a delivery address the pages offer no calls from the server, and the route is missing."""
    assert "From the server" not in client.get("/").text
    assert say(client, "track").status_code == 404


def test_an_address_needs_an_outbox() -> None:
    with pytest.raises(SettingsError, match="outbox: must be given beside the address"):
        create_demo("http://127.0.0.1:5000")


@pytest.mark.parametrize("method", ["identify", "group", "track"])
def test_call_matches_the_shown_line(delivering: Flask, method: str) -> None:
    """The call holds exactly what the line of Python on the page says, of the logged-in user with their own traits."""
    client = delivering.test_client()
    choose(client, person="mara", company="harbour")
    expression: Any = ast.parse(lines(client)[method], mode="eval").body
    assert (ast.unparse(expression.func), expression.args) == (f"intercom.{method}", [])
    shown = {argument.arg: ast.literal_eval(argument.value) for argument in expression.keywords}
    if method == "identify":
        shown["traits"] |= PEOPLE["mara"].traits
    assert say(client, method).status_code == 200
    calls: dict[str, Any] = {"identify": Identify, "group": Group, "track": Track}
    assert delivering.extensions["segment_intercom"].captured == [calls[method](user_id="usr_2041", **shown)]


@pytest.mark.parametrize(
    ("company", "group_id", "name"),
    [("harbour", "org_32", "Harbour Street Loaf"), ("none", "org_17", "Kornblume Bakery")],
)
def test_group_is_the_chosen_company(delivering: Flask, company: str, group_id: str, name: str) -> None:
    """The line and the call name the company that was chosen, or where none was, the first there is."""
    client = delivering.test_client()
    choose(client, person="mara", company=company)
    assert lines(client)["group"] == f'intercom.group(group_id="{group_id}", traits={{"name": "{name}"}})'
    assert say(client, "group").status_code == 200
    assert delivering.extensions["segment_intercom"].captured == [Group(group_id, {"name": name}, "usr_2041")]


def test_call_about_visitor_is_refused(delivering: Flask) -> None:
    """The refusal says why, in its answer and on the page."""
    client = delivering.test_client()
    choose(client, person="visitor")
    answer = say(client, "track")
    assert (answer.status_code, delivering.extensions["segment_intercom"].captured) == (409, [])
    assert "Nothing can be sent of a visitor" in answer.json["refused"]
    assert answer.json["refused"] in html.unescape(client.get("/").text)


def test_unknown_call_lists_known_calls(delivering: Flask) -> None:
    answer = say(delivering.test_client(), "flush")
    assert answer.status_code == 400
    assert "call must be one of identify, group, track" in answer.text


def test_other_sites_cannot_have_calls_made(delivering: Flask) -> None:
    assert say(delivering.test_client(), "track", **{"Sec-Fetch-Site": "cross-site"}).status_code == 403


@pytest.mark.parametrize("path", PAGES)
def test_no_page_holds_the_access_token(delivering: Flask, path: str) -> None:
    client = delivering.test_client()
    choose(client, person="mara")
    assert delivering.config["INTERCOM_ACCESS_TOKEN"] not in client.get(path).text


def test_sandbox_accepts_only_demos_token(delivering: Flask) -> None:
    client, token = delivering.test_client(), delivering.config["INTERCOM_ACCESS_TOKEN"]
    statuses = [client.get("/sandbox/me", headers={"Authorization": f"Bearer {t}"}).status_code for t in ("x", token)]
    assert statuses == [401, 200]


def test_the_playground_warns_each_time(client: FlaskClient) -> None:
    body = {"text": '{"traits": {"createdAt": "someday"}, "userId": "u"}', "kind": "identify"}
    first, second = (client.post("/playground", json=body).get_json()["warnings"] for _ in range(2))
    assert first == second
    assert any("created" in warning for warning in first)
