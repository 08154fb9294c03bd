"""The sandbox's Messenger: what it refuses, what it saves, whom it remembers."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest
from flask import Flask

from segment_intercom.sandbox import Workspace, create_sandbox

APP = "abc12345"
SECRET = "a-secret-that-is-not-real-but-long-enough"


def proof(value: str, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), value.encode(), hashlib.sha256).hexdigest()


def token(secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    return jwt.encode({"exp": int(time.time()) + 86_400, **claims}, secret.ljust(64, "\0"), algorithm)


def verified(**more: Any) -> dict[str, Any]:
    return {"user_id": "42", "user_hash": proof("42"), **more}


class Browser:
    """A page's widget, reduced to its requests: it keeps the session as the cookie would."""

    def __init__(self, app: Flask, visitor_id: str = "cookie-1") -> None:
        self.client = app.test_client()
        self.visitor_id, self.session, self.region = visitor_id, "", "us"
        self.headers = {"Origin": "https://shop.example.com"}

    def post(self, door: str, **body: Any) -> Any:
        body = {"app_id": APP, "visitor_id": self.visitor_id, "session": self.session, **body}
        answer = self.client.post(f"/messenger/{self.region}/{door}", json=body, headers=self.headers)
        self.session = (answer.json or {}).get("session", self.session)
        return answer

    def boot(self, settings: dict[str, Any] | None = None, action: str = "boot") -> Any:
        return self.post("ping", action=action, settings=settings or {})

    def refusal(self, settings: dict[str, Any]) -> str:
        answer = self.boot(settings)
        assert answer.status_code == 403, answer.json
        return str(answer.json["errors"][0]["code"])

    def state(self) -> Any:
        return self.client.get("/inspector/state.json").json

    def person(self, settings: dict[str, Any]) -> Any:
        assert self.boot(settings).status_code == 200
        return self.state()["people"][-1]

    def not_saved(self, settings: dict[str, Any]) -> dict[str, str]:
        assert self.boot(settings).status_code == 200
        return {left["name"]: left["why"] for left in self.state()["requests"][-1]["not_saved"]}


@pytest.fixture
def workspace() -> Workspace:
    return Workspace(APP, identity_secret=SECRET)


@pytest.fixture
def sandbox(workspace: Workspace) -> Flask:
    return create_sandbox(workspace)


@pytest.fixture
def browser(sandbox: Flask) -> Browser:
    return Browser(sandbox)


@pytest.fixture
def lenient() -> Browser:
    return Browser(create_sandbox(Workspace(APP)))


# --- who is who


def test_right_user_id_hash_is_accepted(browser: Browser) -> None:
    assert browser.person(verified(email="ada@example.com"))["user_id"] == "42"


def test_wrong_hash_is_refused(browser: Browser) -> None:
    assert browser.refusal({"user_id": "42", "user_hash": proof("43")}) == "proof_wrong"
    assert browser.refusal({"user_id": "42", "user_hash": "é" * 64}) == "proof_wrong"


def test_missing_proof_is_refused(browser: Browser) -> None:
    assert browser.refusal({"user_id": "42"}) == "proof_missing"
    assert "set INTERCOM_IDENTITY_SECRET" in browser.state()["requests"][-1]["refused"]
    assert browser.refusal({"email": "ada@example.com"}) == "proof_missing"


def test_email_hash_fails_beside_user_id(browser: Browser) -> None:
    email = {"email": "ada@example.com", "user_hash": proof("ada@example.com")}
    assert browser.boot(email).status_code == 200
    answer = browser.boot({"user_id": "42", **email})
    assert "of the e-mail, but user_id is sent too" in answer.json["errors"][0]["message"]


def test_an_upper_case_hash_is_wrong(browser: Browser) -> None:
    assert browser.refusal({"user_id": "42", "user_hash": proof("42").upper()}) == "proof_wrong"


@pytest.mark.parametrize("user_id", [42, 9007199254740993, True, 1.5, ["42"]])
def test_non_string_user_id_is_refused(browser: Browser, user_id: Any) -> None:
    assert browser.refusal({"user_id": user_id, "user_hash": proof("42")}) == "parameter_invalid"


def test_token_carries_identity_and_attributes(browser: Browser) -> None:
    person = browser.person({"intercom_user_jwt": token(user_id="42", name="Ada", plan="pro", iat=int(time.time()))})
    assert (person["user_id"], person["name"], person["custom_attributes"]) == ("42", "Ada", {"plan": "pro"})


def test_an_expired_token_is_refused(browser: Browser) -> None:
    assert browser.refusal({"intercom_user_jwt": token(user_id="42", exp=1)}) == "token_expired"


@pytest.mark.parametrize(
    "bad",
    [
        token(secret="another", user_id="42"),
        token(algorithm="HS512", user_id="42"),
        jwt.encode({"user_id": "42"}, None, "none"),
        token(email="ada@example.com"),
        token(user_id="43"),
        token(user_id=42),
        "no token",
        7,
    ],
)
def test_invalid_token_is_refused(browser: Browser, bad: Any) -> None:
    code = browser.refusal({"user_id": "42", "intercom_user_jwt": bad})
    assert code in ("proof_wrong", "parameter_invalid")


def test_a_short_secret_signs_as_well(browser: Browser, workspace: Workspace) -> None:
    workspace.identity_secret = "short"
    assert browser.boot({"intercom_user_jwt": token(secret="short", user_id="42")}).status_code == 200


def test_token_with_hash_is_refused(browser: Browser) -> None:
    assert browser.refusal(verified(intercom_user_jwt=token(user_id="42"))) == "token_and_hash"


def test_wrong_proof_is_ignored_when_unenforced(browser: Browser, workspace: Workspace) -> None:
    workspace.enforce_identity = False
    assert browser.person({"user_id": "42", "user_hash": "wrong"})["user_id"] == "42"
    assert "ignored" in browser.state()["requests"][-1]["notes"][0]


def test_verification_is_off_without_a_secret(lenient: Browser) -> None:
    assert lenient.person({"user_id": "42"})["role"] == "user"


def test_nothing_secret_is_kept_or_echoed(browser: Browser, workspace: Workspace) -> None:
    signed = token(user_id="42")
    browser.boot(verified())
    browser.boot({"intercom_user_jwt": signed, "auth_tokens": {"a": "tok-en"}})
    answers = browser.boot({"user_id": "42", "user_hash": "f00ba4"}).text + json.dumps(browser.state())
    for secret in (SECRET, proof("42"), signed, "f00ba4", "tok-en"):
        assert secret not in answers
        assert secret not in repr(workspace)
    assert browser.state()["requests"][0]["settings"]["user_hash"] == "present"


# --- where from


def test_wrong_region_names_right_region(browser: Browser, workspace: Workspace) -> None:
    workspace.region = "eu"
    answer = browser.boot()
    assert answer.status_code == 403
    assert '"https://api-iam.eu.intercom.io" (with' in answer.json["errors"][0]["message"]
    assert answer.json["errors"][0]["message"].endswith('INTERCOM_REGION="eu").')
    browser.region = "eu"
    assert browser.boot().status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://example.com", 200),
        ("https://EXAMPLE.com:8443", 200),
        ("https://shop.example.com", 403),
        ("https://a.b.trusted.test", 200),
        ("https://trusted.test", 403),
        ("https://eviltrusted.test", 403),
        ("null", 403),
        ("https://[", 403),
        (None, 403),
    ],
)
def test_only_trusted_domains_are_served(browser: Browser, workspace: Workspace, origin: str, status: int) -> None:
    workspace.trusted_domains = ("example.com", "*.trusted.test")
    browser.headers = {"Origin": origin} if origin else {}
    assert browser.boot().status_code == status


def test_referer_replaces_missing_origin(browser: Browser, workspace: Workspace) -> None:
    workspace.trusted_domains = ("example.com",)
    browser.headers = {"Referer": "https://example.com/cart?a=1"}
    assert browser.boot().status_code == 200


def test_an_unknown_app_is_refused(browser: Browser) -> None:
    answer = browser.post("ping", app_id="unknown", action="boot")
    assert (answer.status_code, answer.json["errors"][0]["code"]) == (403, "app_unknown")


def test_unknown_app_script_answers_404(browser: Browser) -> None:
    """The log says which app id was asked for, from where, and how to put it right."""
    answer = browser.client.get("/widget/unknown", headers={"Referer": "https://shop.example.com/"})
    assert (answer.status_code, answer.mimetype) == (404, "application/javascript")
    (logged,) = browser.state()["requests"]
    assert (logged["kind"], logged["status"], logged["code"]) == ("widget", 404, "app_unknown")
    assert (logged["app_id"], logged["origin"]) == ("unknown", "https://shop.example.com/")
    assert logged["refused"] == (
        "No workspace has this app id; this sandbox has abc12345. "
        "Start it with --app-id unknown, or set INTERCOM_APP_ID=abc12345."
    )


def test_unknown_app_log_stays_bounded(sandbox: Flask) -> None:
    """The log holds the latest 500 requests and cuts long app ids."""
    store = sandbox.extensions["sandbox"]
    for number in range(600):
        assert not store.admits_script(f"{number}" * 1000, None)
    requests = store.state()["requests"]
    assert len(requests) == 500
    assert max(len(request["app_id"]) for request in requests) < 100


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"app_id": NaN}', b"[" * 100_000, b" " * 1_100_000])
def test_non_object_body_is_refused(browser: Browser, body: bytes) -> None:
    assert browser.client.post("/messenger/us/ping", data=body).status_code == 400


def test_every_origin_may_ask_and_preflight(browser: Browser) -> None:
    preflight = browser.client.options("/messenger/us/ping")
    assert preflight.status_code == 204
    for answer in (preflight, browser.boot(), browser.boot({"user_id": "42"})):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Access-Control-Allow-Headers"] == "Content-Type"


# --- what is saved


def test_standard_attributes_are_saved_unchanged(lenient: Browser) -> None:
    settings = {
        "user_id": "42",
        "email": "ada@example.com",
        "name": "Ada",
        "phone": "+41 1",
        "created_at": 1700000000,
        "unsubscribed_from_emails": True,
        "avatar": {"type": "avatar", "image_url": "https://example.com/ada.png"},
    }
    person = lenient.person(settings)
    assert {name: person[name] for name in settings} == settings
    assert lenient.not_saved(settings) == {}


def test_unknown_names_become_custom_attributes(lenient: Browser) -> None:
    custom = {"plan": "pro", "seats": 3, "ratio": 0.5, "vip": True, "trial_at": 1700000000}
    assert lenient.person({"user_id": "42", **custom})["custom_attributes"] == custom


@pytest.mark.parametrize("name", ["__proto__", "constructor", "toString", "id", "", "名前"])
def test_any_name_is_an_ordinary_name(lenient: Browser, name: str) -> None:
    assert lenient.person({"user_id": "42", name: "x"})["custom_attributes"] == {name: "x"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tags", ["a"]),
        ("address", {"city": "Bern"}),
        ("custom_attributes", {"plan": "pro"}),
        ("custom_attributes", ["plan"]),
        ("created_at", 1700000000000),
        ("created_at", "2023-11-14"),
        ("created_at", 1700000000.5),
        ("trial_at", 1700000000000),
        ("name", 7),
        ("unsubscribed_from_emails", "yes"),
        ("avatar", "https://example.com/ada.png"),
        ("last_request_at", 1700000000),
        ("user_count", 2),
        ("utm_source", "mail"),
        ("company", "Analytical"),
        ("company", {"name": "Analytical"}),
        ("company", {"id": "7"}),
        ("companies", {"id": "7", "name": "Analytical"}),
        ("horizontal_padding", 5),
        ("theme_mode", "blue"),
        ("hide_default_launcher", "true"),
    ],
)
def test_unsaved_value_gives_its_reason(lenient: Browser, name: str, value: Any) -> None:
    before = lenient.person({"user_id": "42"})
    assert lenient.not_saved({"user_id": "42", name: value})[name]
    after = lenient.state()["people"][-1]
    assert {**after, "last_seen": 0} == {**before, "last_seen": 0}


def test_nested_duplicate_of_inline_attributes_passes(lenient: Browser) -> None:
    """A nested attribute is reported only where the one in line differs or is missing."""
    settings = {"user_id": "42", "plan": "pro", "seats": 3, "custom_attributes": {"plan": "pro", "seats": 3}}
    assert lenient.not_saved(settings) == {}
    settings["custom_attributes"] = {"plan": "pro", "seats": True, "vip": True}
    assert lenient.not_saved(settings)["custom_attributes"].endswith(": seats, vip")


def test_messenger_settings_are_no_attributes(lenient: Browser) -> None:
    settings = {"app_id": APP, "alignment": "left", "z_index": 7, "hide_default_launcher": False, "user_id": "42"}
    assert lenient.not_saved(settings) == {}
    assert lenient.state()["people"][0]["custom_attributes"] == {}


def test_null_clears_attributes_not_identity(lenient: Browser) -> None:
    lenient.boot({"user_id": "42", "name": "Ada", "plan": "pro"})
    person = lenient.person({"user_id": None, "name": None, "plan": None})
    assert (person["user_id"], person["name"], person["custom_attributes"]) == ("42", None, {})


def test_company_saves_inline_attributes(lenient: Browser) -> None:
    company = {"id": 7, "name": "Analytical", "monthly_spend": 10, "seats": 3, "size": "big", "nested": {}}
    left = lenient.not_saved({"user_id": "42", "company": company})
    saved = lenient.state()["companies"][0]
    assert (saved["company_id"], saved["name"], saved["monthly_spend"]) == ("7", "Analytical", 10)
    assert saved["custom_attributes"] == {"seats": 3}
    assert set(left) == {"company.size", "company.nested"}


def test_remove_detaches_person_from_company(lenient: Browser) -> None:
    companies = [{"id": "7", "name": "Seven"}, {"company_id": "8", "name": "Eight"}]
    assert len(lenient.person({"user_id": "42", "companies": companies})["companies"]) == 2
    person = lenient.person({"user_id": "42", "company": {"id": "7", "remove": True}})
    assert [company["name"] for company in person["companies"]] == ["Eight"]


def test_a_workspace_holds_250_custom_attributes(lenient: Browser) -> None:
    left = lenient.not_saved({"user_id": "42", **{f"a{number}": number for number in range(251)}})
    assert list(left) == ["a250"]


def create_attribute(browser: Browser, **fields: Any) -> Any:
    body = {"name": "plan", "model": "contact", "data_type": "string", "messenger_writable": True, **fields}
    headers = {"Authorization": "Bearer any"}
    return browser.client.post("/data_attributes", json=body, headers=headers).json


def test_page_spares_unwritable_attribute(lenient: Browser) -> None:
    """An attribute that the API made is written by pages only where its messenger_writable says so."""
    create_attribute(lenient, messenger_writable=False)
    create_attribute(lenient, name="seats", data_type="integer")
    left = lenient.not_saved({"user_id": "42", "plan": "pro", "seats": 3})
    assert (list(left), "messenger_writable" in left["plan"]) == (["plan"], True)
    assert lenient.state()["people"][-1]["custom_attributes"] == {"seats": 3}


def test_page_spares_archived_attribute(lenient: Browser) -> None:
    made = create_attribute(lenient)
    headers = {"Authorization": "Bearer any"}
    lenient.client.put(f"/data_attributes/{made['id']}", json={"archived": True}, headers=headers)
    assert lenient.not_saved({"user_id": "42", "plan": "pro"}) == {"plan": "is archived"}
    assert lenient.state()["people"][-1]["custom_attributes"] == {}


@pytest.mark.parametrize(
    ("data_type", "value"),
    [("string", 3), ("integer", "3"), ("integer", 3.5), ("float", True), ("boolean", "yes"), ("date", "soon")],
)
def test_page_value_must_fit_type(lenient: Browser, data_type: str, value: Any) -> None:
    create_attribute(lenient, name="it", data_type=data_type)
    create_attribute(lenient, name="its", model="company", data_type=data_type)
    company = {"id": "7", "name": "Seven", "its": value}
    left = lenient.not_saved({"user_id": "42", "it": value, "company": company})
    assert set(left) == {"it", "its"}
    assert left["it"].endswith(f": its data_type is {data_type}")
    assert lenient.state()["people"][-1]["custom_attributes"] == {}
    assert lenient.state()["companies"][-1]["custom_attributes"] == {}


def test_guessed_integer_becomes_a_float(lenient: Browser) -> None:
    """A page that says 3 and later 3.5 has said nothing wrong; text is no number."""
    assert lenient.not_saved({"user_id": "42", "ratio": 3}) == {}
    assert lenient.not_saved({"user_id": "42", "ratio": 3.5}) == {}
    assert list(lenient.not_saved({"user_id": "42", "ratio": "half"})) == ["ratio"]
    assert lenient.state()["people"][-1]["custom_attributes"] == {"ratio": 3.5}


# --- who is remembered


def test_visitor_is_remembered_by_cookie(browser: Browser) -> None:
    first, second = browser.person({"plan": "pro"}), browser.person({})
    assert first["id"] == second["id"]
    assert second["role"] == "visitor"
    assert second["custom_attributes"] == {"plan": "pro"}


def test_visitor_conversations_pass_to_user(browser: Browser) -> None:
    browser.boot()
    browser.post("messages", text="Hello")
    answer = browser.boot(verified()).json
    assert [part["text"] for part in answer["conversations"][0]["parts"]] == ["Hello"]
    assert [person["role"] for person in browser.state()["people"]] == ["user"]


def test_visitor_merges_into_existing_user(browser: Browser, sandbox: Flask) -> None:
    known = Browser(sandbox, "cookie-0")
    known.boot(verified(name="Ada"))
    browser.boot({"theme": "mint"})
    browser.post("events", event_name="Opened")
    person = browser.person(verified())
    assert (person["name"], person["custom_attributes"]) == ("Ada", {"theme": "mint"})
    assert browser.state()["events"][0]["person_id"] == person["id"]
    assert len(browser.state()["people"]) == 1


def test_known_email_is_same_person(lenient: Browser) -> None:
    """A user id that comes later joins the person whose e-mail is known, in upper or lower case."""
    first = lenient.person({"email": "ada@example.com"})
    second = lenient.person({"user_id": "42", "email": "ADA@example.com"})
    assert first["id"] == second["id"]
    assert (first["user_id"], second["user_id"]) == (None, "42")
    assert len(lenient.state()["people"]) == 1


def test_session_lasts_until_shutdown(browser: Browser) -> None:
    browser.boot(verified(name="Ada"))
    assert browser.boot().json["person"]["name"] == "Ada"
    browser.boot(action="shutdown")
    assert browser.boot().json["person"]["role"] == "visitor"


def test_update_without_proof_saves_nothing(browser: Browser) -> None:
    browser.boot(verified(plan="free"))
    assert browser.boot({"plan": "pro"}, "update").status_code == 200
    assert "without user_id and proof" in browser.state()["requests"][-1]["not_saved"][0]["why"]
    assert browser.person(verified(plan="pro"))["custom_attributes"] == {"plan": "pro"}


def test_visitors_off_admits_only_users(browser: Browser, workspace: Workspace) -> None:
    workspace.visitors = False
    answer = browser.boot({"plan": "pro"})
    assert (answer.status_code, answer.json["launcher"]) == (200, False)
    assert answer.json["reason"]
    assert browser.state()["people"] == []
    assert browser.boot(verified()).json["launcher"] is True


def test_visitors_off_ends_visitor_session(browser: Browser, workspace: Workspace) -> None:
    assert browser.boot().json["launcher"] is True
    workspace.visitors = False
    assert browser.boot().json["launcher"] is False


def test_new_user_in_session_is_noted(browser: Browser) -> None:
    browser.boot(verified())
    browser.boot({"user_id": "43", "user_hash": proof("43")})
    assert "shutdown" in browser.state()["requests"][-1]["notes"][0]
    assert len(browser.state()["people"]) == 2


# --- events, messages, inspector


def test_event_saves_supported_metadata(browser: Browser) -> None:
    browser.boot(verified())
    money, link = {"amount": 1299, "currency": "eur"}, {"url": "https://example.com", "value": "Order"}
    metadata = {"seats": 3, "price": money, "order": link, "nested": {"a": 1}, "none": None}
    assert browser.post("events", event_name="Ordered", metadata=metadata).status_code == 200
    assert browser.state()["events"][0]["metadata"] == {"seats": 3, "price": money, "order": link}
    assert [left["name"] for left in browser.state()["requests"][-1]["not_saved"]] == ["nested"]


def test_event_saves_first_ten_keys(browser: Browser) -> None:
    browser.boot()
    browser.post("events", event_name="Big", metadata={f"k{number}": number for number in range(12)})
    assert len(browser.state()["events"][0]["metadata"]) == 10
    assert len(browser.state()["requests"][-1]["not_saved"]) == 2


def test_events_and_messages_need_a_session(browser: Browser) -> None:
    for answer in (browser.post("events", event_name="Opened"), browser.post("messages", text="Hello")):
        assert answer.status_code == 403
        assert answer.json["errors"][0]["code"] == "session_unknown"


def test_nobody_writes_into_another_persons_conversation(browser: Browser, sandbox: Flask) -> None:
    browser.boot(verified())
    theirs = browser.post("messages", text="Mine").json["conversation"]["id"]
    other_browser = Browser(sandbox, "cookie-2")
    other_browser.boot()
    assert other_browser.post("messages", text="Hi", conversation_id=theirs).json["conversation"]["id"] != theirs


@pytest.mark.parametrize("body", [{}, {"text": " "}, {"text": 7}])
def test_an_empty_message_is_refused(browser: Browser, body: dict[str, Any]) -> None:
    browser.boot()
    assert browser.post("messages", **body).status_code == 400


def test_the_state_gives_only_later_requests(browser: Browser) -> None:
    browser.boot()
    browser.boot({"user_id": "42"})
    state = browser.client.get("/inspector/state.json?after=1").json
    assert [(request["n"], request["status"], request["kind"]) for request in state["requests"]] == [(2, 403, "boot")]
    assert "proof is missing" in state["requests"][0]["refused"]


def test_reset_forgets_all_but_workspaces(browser: Browser) -> None:
    browser.boot(verified(company={"id": "7", "name": "Seven"}))
    assert browser.client.post("/inspector/reset").status_code == 204
    state = browser.state()
    assert not any(state[name] for name in ("people", "companies", "events", "conversations", "requests"))
    assert state["workspaces"][0]["app_id"] == APP
    assert browser.boot(verified()).status_code == 200


def test_many_threads_may_ask_at_once(sandbox: Flask) -> None:
    def visit(number: int) -> int:
        browser = Browser(sandbox, f"cookie-{number}")
        browser.state()
        return int(browser.boot({f"a{number}": number}).status_code)

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(visit, range(200))) == {200}
    state = Browser(sandbox).state()
    assert len(state["people"]) == 200
    assert [request["n"] for request in state["requests"]] == list(range(1, 201))


def test_two_sandboxes_share_nothing(browser: Browser, lenient: Browser) -> None:
    browser.boot(verified())
    assert lenient.state()["people"] == []


def test_inspector_page_honours_url_prefix(sandbox: Flask) -> None:
    page = sandbox.test_client().get("/inspector", environ_overrides={"SCRIPT_NAME": "/intercom"})
    assert page.status_code == 200
    assert 'data-state="/intercom/inspector/state.json"' in page.text
    for name in ("inspector.js", "inspector.css"):
        assert sandbox.test_client().get(f"/static/{name}", buffered=True).status_code == 200
