"""The sandbox's REST API, today's dialect: what it takes, what it refuses, what it answers."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from segment_intercom.sandbox import Workspace, create_sandbox

APP = "abc12345"
ADA = {"external_id": "42", "email": "ada@example.com"}
AT = 1_700_000_000


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = float(AT)

    def __call__(self) -> float:
        return self.at


class Api:
    """A client of a sandbox's REST API, in one version of it."""

    def __init__(self, workspace: Workspace | None = None, version: str | None = None) -> None:
        self.workspace = workspace or Workspace(APP, search_lag=0)
        self.clock = Clock()
        self.app = create_sandbox(self.workspace, clock=self.clock)
        self.store = self.app.extensions["sandbox"]
        self.client = self.app.test_client()
        self.headers = {"Authorization": "Bearer any"} | ({"Intercom-Version": version} if version else {})

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        options = {} if body is None else {"json": body}
        return self.client.open(path, method=method, headers={**self.headers, **fields}, **options)

    def ok(self, method: str, path: str, body: Any = None) -> Any:
        answer = self(method, path, body)
        assert answer.status_code < 300, answer.text
        return answer.json if answer.data else None

    def refusal(self, method: str, path: str, body: Any = None) -> tuple[int, str, str]:
        answer = self(method, path, body)
        assert answer.json["type"] == "error.list", answer.text
        return answer.status_code, answer.json["errors"][0]["code"], answer.json["errors"][0]["message"]

    def contact(self, **fields: Any) -> str:
        return str(self.ok("POST", "/contacts", fields or ADA)["id"])

    def attribute(self, name: str, data_type: str = "string", model: str = "contact") -> Any:
        return self.ok("POST", "/data_attributes", {"name": name, "model": model, "data_type": data_type})

    def company(self, **fields: Any) -> str:
        return str(self.ok("POST", "/companies", {"company_id": "7", "name": "Seven", **fields})["id"])

    def event(self, **fields: Any) -> Any:
        return self("POST", "/events", {"event_name": "Opened", "created_at": AT, "user_id": "42", **fields})

    def state(self) -> Any:
        return self.client.get("/inspector/state.json").json

    def last(self) -> Any:
        return self.state()["requests"][-1]


@pytest.fixture
def api() -> Api:
    return Api()


# --- who may ask


def test_request_without_token_is_unauthorized(api: Api) -> None:
    for header in ("", "Bearer", "Bearer ", "Basic", "Basic !", "Token x"):
        answer = api("GET", "/me", Authorization=header)
        assert (answer.status_code, answer.json["errors"][0]["code"]) == (401, "unauthorized")
    assert "Authorization: Bearer" in api.last()["refused"]


def test_the_token_chooses_the_workspace() -> None:
    app = create_sandbox(Workspace(APP, access_token="one"), Workspace("other123", access_token="two"))
    asked = [
        app.test_client().get("/me", headers={"Authorization": f"Bearer {token}"}) for token in ("one", "two", "no")
    ]
    assert [(answer.json.get("app") or {}).get("id_code") for answer in asked] == [APP, "other123", None]
    assert asked[2].status_code == 401


def test_legacy_key_opens_only_own_workspace() -> None:
    api = Api(Workspace(APP, api_key="key", access_token="token"))
    for pair, status in ((f"{APP}:key", 200), (f"{APP}:no", 401), ("other123:key", 401), (APP, 401), ("é:ü", 401)):
        basic = "Basic " + base64.b64encode(pair.encode()).decode()
        assert api("GET", "/me", Authorization=basic).status_code == status


def test_no_token_is_kept_or_shown() -> None:
    api = Api(Workspace(APP, api_key="k3y-secret", access_token="t0ken-secret"))
    api("GET", "/me", Authorization="Bearer t0ken-secret")
    api("GET", "/me", Authorization="Bearer wr0ng-secret")
    api("POST", "/contacts", {"user_hash": "h4sh-secret"}, Authorization="Bearer t0ken-secret")
    shown = json.dumps(api.state()) + repr(api.workspace)
    assert "-secret" not in shown


def test_me_shows_app_and_region() -> None:
    app = Api(Workspace(APP, region="eu", name="Oventide")).ok("GET", "/me")["app"]
    assert (app["id_code"], app["region"], app["name"]) == (APP, "EU", "Oventide")


@pytest.mark.parametrize("version", ["2.17", "3.0", "1.5", "0.9", "2", "2.016", "latest", "Unstable", "2.²"])
def test_an_unknown_version_is_refused(version: str) -> None:
    status, code, _ = Api(version=version).refusal("GET", "/me")
    assert (status, code) == (400, "intercom_version_invalid")


@pytest.mark.parametrize("version", [None, "2.0", "2.16", "1.0", "1.4"])
def test_a_known_version_is_served(version: str | None) -> None:
    assert Api(version=version)("GET", "/me").status_code == 200


def test_each_dialect_has_its_own_paths(api: Api) -> None:
    assert api.refusal("POST", "/users", {"user_id": "42"})[:2] == (404, "not_found")
    classic = Api(version="1.4")
    assert classic.refusal("POST", "/contacts", ADA)[:2] == (404, "not_found")
    assert "Intercom-Version" in classic.last()["refused"]


def test_wrong_method_lists_allowed_methods(api: Api) -> None:
    answer = api("PATCH", "/contacts/x", {})
    assert (answer.status_code, answer.json["errors"][0]["code"]) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "PUT, GET, DELETE"


def test_unknown_path_without_token_is_unlogged(api: Api) -> None:
    """With a token it is a request to the REST API: answered in its form, and logged."""
    assert api.refusal("GET", "/nowhere")[:2] == (404, "not_found")
    assert api.client.get("/nowhere").json is None
    assert len(api.state()["requests"]) == 1


# --- bodies


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b'{"a": NaN}', b'{"a": 1e999}', b"[" * 100_000, b"\xff"])
def test_body_without_json_object_is_refused(api: Api, body: bytes) -> None:
    headers = {**api.headers, "Content-Type": "application/json"}
    assert api.client.post("/contacts", data=body, headers=headers).status_code == 400
    assert api.client.post("/contacts", data=b"a=1", headers=api.headers).status_code == 415


@pytest.mark.parametrize("depth", [101, 500, 900, 950, 980, 990])
def test_deep_body_is_refused_and_logged(api: Api, depth: int) -> None:
    body = '{"a":' * depth + "1" + "}" * depth
    headers = {**api.headers, "Content-Type": "application/json"}
    assert api.client.post("/contacts", data=body, headers=headers).status_code == 400
    assert api.last()["status"] == 400


def test_body_above_a_megabyte_is_refused(api: Api) -> None:
    assert api("POST", "/contacts", {**ADA, "name": "x" * 1_000_001}).status_code == 413


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/contacts", {**ADA, "user_id": "42"}),
        ("/contacts", {**ADA, "created_at": AT}),
        ("/contacts", {**ADA, "last_seen_ip": "192.0.2.1"}),
        ("/companies", {"company_id": "7", "remove": True}),
        ("/events", {"event_name": "x", "created": AT, "user_id": "42"}),
        ("/data_attributes", {"name": "x", "model": "contact", "data_type": "string", "label": "X"}),
    ],
)
def test_unknown_field_is_refused_by_name(api: Api, path: str, body: dict[str, Any]) -> None:
    status, code, message = api.refusal("POST", path, body)
    assert (status, code) == (400, "parameter_invalid")
    assert message.startswith("Unknown field '")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("role", "visitor"),
        ("external_id", 42),
        ("external_id", ""),
        ("external_id", None),
        ("email", "ada"),
        ("phone", 41),
        ("avatar", "ada.png"),
        ("avatar", {"type": "avatar"}),
        ("signed_up_at", AT * 1000),
        ("signed_up_at", float(AT)),
        ("signed_up_at", "2023-11-14"),
        ("last_seen_at", True),
        ("unsubscribed_from_emails", "yes"),
        ("custom_attributes", [1]),
    ],
)
def test_invalid_contact_field_is_refused(api: Api, name: str, value: Any) -> None:
    answer = api("POST", "/contacts", {"role": "user", name: value})
    assert answer.status_code == 400
    assert answer.json["errors"][0]["field"] == name
    assert api.state()["people"] == []


# --- contacts


def test_created_contact_has_sent_fields(api: Api) -> None:
    sent = {**ADA, "name": "Ada", "phone": "+41 1", "signed_up_at": AT, "last_seen_at": AT + 1, "owner_id": "1"}
    made = api.ok(
        "POST", "/contacts", {**sent, "avatar": "https://example.com/a.png", "unsubscribed_from_emails": True}
    )
    assert {name: made[name] for name in sent} == sent
    assert made["avatar"] == {"type": "avatar", "image_url": "https://example.com/a.png"}
    assert (made["type"], made["role"], made["unsubscribed_from_emails"]) == ("contact", "user", True)


def test_contact_needs_email_id_or_role(api: Api) -> None:
    assert api.refusal("POST", "/contacts", {"name": "Ada"})[0] == 400
    assert api("POST", "/contacts", {"role": "lead"}).status_code == 200


def test_email_verified_needs_an_email(api: Api) -> None:
    assert api.refusal("POST", "/contacts", {"external_id": "42", "email_verified": True})[0] == 400
    assert api("POST", "/contacts", {**ADA, "email_verified": True}).status_code == 200


@pytest.mark.parametrize("again", [{"external_id": "42"}, {"email": "ADA@example.com"}, ADA])
def test_existing_contact_conflict_shows_id(api: Api, again: dict[str, str]) -> None:
    made = api.contact()
    status, code, message = api.refusal("POST", "/contacts", again)
    assert (status, code) == (409, "conflict")
    assert message == f"A contact matching those details already exists with id={made}"


def test_leads_may_share_an_email(api: Api) -> None:
    api.contact()
    for _ in range(2):
        api.ok("POST", "/contacts", {"role": "lead", "email": "ada@example.com"})
    assert len(api.state()["people"]) == 3


def test_update_changes_only_sent_fields(api: Api) -> None:
    """A field that is sent as null is cleared."""
    made = api.contact(**ADA, name="Ada", phone="+41 1")
    updated = api.ok("PUT", f"/contacts/{made}", {"name": "Countess", "phone": None})
    assert (updated["name"], updated["phone"], updated["email"]) == ("Countess", None, "ada@example.com")


def test_update_with_taken_identifier_conflicts(api: Api) -> None:
    made, bob = api.contact(), api.contact(external_id="43", email="bob@example.com")
    assert api.refusal("PUT", f"/contacts/{bob}", {"email": "ada@example.com"})[0] == 409
    assert api.refusal("PUT", f"/contacts/{bob}", {"external_id": "42"})[2].endswith(made)
    assert api("PUT", f"/contacts/{bob}", {"external_id": "43", "email": "BOB@example.com"}).status_code == 200


def test_update_frees_previous_identifiers(api: Api) -> None:
    made = api.contact()
    api.ok("PUT", f"/contacts/{made}", {"external_id": "43", "email": "new@example.com"})
    assert api.refusal("GET", "/contacts/find_by_external_id/42")[0] == 404
    assert api.ok("GET", "/contacts/find_by_external_id/43")["id"] == made
    assert api.contact() != made


def test_an_external_id_may_hold_anything(api: Api) -> None:
    made = api.contact(external_id="//a b/ü?#%2F")
    contact = api.ok("GET", "/contacts/find_by_external_id/%2F%2Fa%20b%2F%C3%BC%3F%23%252F")
    assert contact["id"] == made


def test_external_id_lookup_needs_2_13(api: Api) -> None:
    """Only users are looked up by their external id, never leads, and only since version 2.13."""
    api.contact(external_id="lead", role="lead")
    assert api.refusal("GET", "/contacts/find_by_external_id/lead")[0] == 404
    api.contact()
    assert api("GET", "/contacts/find_by_external_id/42", Intercom_Version="2.12").status_code == 404
    assert "2.13" in api.last()["refused"]
    assert api("GET", "/contacts/find_by_external_id/42", Intercom_Version="2.13").status_code == 200


def test_archived_contact_is_hidden_until_unarchived(api: Api) -> None:
    made = api.contact()
    assert api.ok("POST", f"/contacts/{made}/archive")["archived"] is True
    assert api.refusal("PUT", f"/contacts/{made}", {"name": "Ada"}) == (404, "not_found", "User Not Found")
    assert api.event().status_code == 404
    assert api.refusal("POST", "/contacts", ADA)[2].startswith("An archived contact matching those details already")
    assert api.ok("POST", f"/contacts/{made}/unarchive")["archived"] is False
    assert api("PUT", f"/contacts/{made}", {"name": "Ada"}).status_code == 200


def test_a_deleted_contact_leaves_its_names(api: Api) -> None:
    made = api.contact()
    assert api.ok("DELETE", f"/contacts/{made}") == {
        "type": "contact", "id": made, "external_id": "42", "deleted": True
    }  # fmt: skip
    assert api.refusal("GET", f"/contacts/{made}")[0] == 404
    assert api.contact() != made


def test_merged_contact_points_to_survivor(api: Api) -> None:
    lead, user = api.contact(role="lead", external_id="old", email="ada@example.com"), api.contact()
    assert api("POST", "/events", {"event_name": "Opened", "created_at": AT, "id": lead}).status_code == 202
    assert api.ok("POST", "/contacts/merge", {"from": lead, "into": user})["id"] == user
    for path in (f"/contacts/{lead}", "/contacts/find_by_external_id/old"):
        answer = api("GET", path)
        assert (answer.status_code, answer.json["errors"][0]["code"]) == (410, "contact_merged")
        assert answer.headers["Link"] == f'</contacts/{user}>; rel="canonical"'
    assert api.state()["events"][0]["person_id"] == user


def test_merge_needs_lead_and_duplicate(api: Api) -> None:
    """A lead whose details differ is merged only where the check for duplicates is skipped."""
    lead, user = api.contact(role="lead"), api.contact()
    assert api.refusal("POST", "/contacts/merge", {"from": user, "into": lead})[:2] == (400, "parameter_invalid")
    assert api.refusal("POST", "/contacts/merge", {"from": lead, "into": user})[:2] == (400, "invalid_merge")
    assert len(api.state()["people"]) == 2, "a refusal merges nothing"
    merged = api("POST", "/contacts/merge", {"from": lead, "into": user, "skip_duplicate_validation": True})
    assert (merged.status_code, merged.json["id"], merged.json["role"]) == (200, user, "user")
    assert [person["id"] for person in api.state()["people"]] == [user]


def found(api: Api, field: str, operator: str, value: Any, **more: Any) -> list[str]:
    query = {"field": field, "operator": operator, "value": value}
    data = api.ok("POST", "/contacts/search", {"query": query, **more})["data"]
    return [contact["external_id"] for contact in data]


def test_a_search_finds_by_any_field(api: Api) -> None:
    api.contact(**ADA, name="Ada")
    api.contact(external_id="43", name="Bob", signed_up_at=AT)
    assert found(api, "email", "=", "ADA@example.com") == ["42"]
    assert found(api, "external_id", "IN", ["43", "44"]) == ["43"]
    assert found(api, "name", "~", "bo") == ["43"]
    assert found(api, "signed_up_at", "=", str(AT)) == ["43"]
    both = [{"field": "role", "operator": "=", "value": "user"}, {"field": "name", "operator": "^", "value": "A"}]
    assert api.ok("POST", "/contacts/search", {"query": {"operator": "AND", "value": both}})["total_count"] == 1
    assert api.ok("POST", "/contacts/search", {"query": {"operator": "OR", "value": both}})["total_count"] == 2


def test_search_lags_by_a_minute() -> None:
    api = Api(Workspace(APP))
    api.contact()
    api.clock.at += 59
    assert found(api, "email", "=", "ada@example.com") == []
    api.clock.at += 1
    assert found(api, "email", "=", "ada@example.com") == ["42"]


def test_search_is_sorted_and_paged(api: Api) -> None:
    for number in range(3):
        api.contact(external_id=str(number))
        api.clock.at += 1
    sort = {"field": "created_at", "order": "ascending"}
    query = {"field": "role", "operator": "=", "value": "user"}
    body = {"query": query, "sort": sort, "pagination": {"per_page": 2}}
    first = api.ok("POST", "/contacts/search", body)
    assert (first["total_count"], first["pages"]["next"]) == (3, {"per_page": 2, "starting_after": "2"})
    body["pagination"] = first["pages"]["next"]
    second = api.ok("POST", "/contacts/search", body)
    assert [contact["external_id"] for contact in first["data"] + second["data"]] == ["0", "1", "2"]
    assert "next" not in second["pages"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": {"field": "shoe", "operator": "=", "value": 1}},
        {"query": {"field": "email", "operator": "is", "value": 1}},
        {"query": {"field": "email", "operator": "IN", "value": "x"}},
        {"query": {"field": "created_at", "operator": ">=", "value": 1}},
        {"query": {"operator": "AND", "value": "x"}},
        {"query": {"field": "role", "operator": "=", "value": "user"}, "sort": {"order": "up"}},
        {"query": {"field": "role", "operator": "=", "value": "user"}, "pagination": {"per_page": 0}},
    ],
)
def test_invalid_search_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert api.refusal("POST", "/contacts/search", body)[0] == 400


def test_list_omits_visitors_and_archived_contacts(api: Api) -> None:
    made = [api.contact(external_id=str(number)) for number in range(3)]
    api.ok("POST", f"/contacts/{made[0]}/archive")
    ping = {"app_id": APP, "visitor_id": "cookie", "action": "boot", "settings": {}}
    assert api.client.post("/messenger/us/ping", json=ping).status_code == 200
    listed = api.ok("GET", "/contacts?per_page=1")
    assert (listed["total_count"], [contact["id"] for contact in listed["data"]]) == (2, [made[2]])


# --- the page's people and the API's are the same


def test_page_user_is_api_contact(api: Api) -> None:
    """Whom a page identified is looked up and updated by the external id, and is not created twice."""
    settings = {"user_id": "42", "email": "ada@example.com", "created_at": AT, "plan": "pro"}
    ping = {"app_id": APP, "visitor_id": "cookie", "action": "boot", "settings": settings}
    assert api.client.post("/messenger/us/ping", json=ping).status_code == 200
    contact = api.ok("GET", "/contacts/find_by_external_id/42")
    assert (contact["signed_up_at"], contact["custom_attributes"]) == (AT, {"plan": "pro"})
    assert api.refusal("POST", "/contacts", ADA)[0] == 409
    api.ok("PUT", f"/contacts/{contact['id']}", {"name": "Ada", "custom_attributes": {"plan": "free"}})
    (person,) = api.state()["people"]
    assert (person["name"], person["custom_attributes"], person["source"]) == ("Ada", {"plan": "free"}, "page")


def test_api_contact_boots_on_page(api: Api) -> None:
    made = api.contact()
    ping = {"app_id": APP, "visitor_id": "cookie", "action": "boot", "settings": {"user_id": "42"}}
    assert api.client.post("/messenger/us/ping", json=ping).json["person"]["id"] == made
    assert len(api.state()["people"]) == 1


def test_archived_contact_returns_on_visit(api: Api) -> None:
    made = api.contact()
    api.ok("POST", f"/contacts/{made}/archive")
    ping = {"app_id": APP, "visitor_id": "cookie", "action": "boot", "settings": {"user_id": "42"}}
    assert api.client.post("/messenger/us/ping", json=ping).status_code == 200
    assert api.ok("GET", f"/contacts/{made}")["id"] == made
