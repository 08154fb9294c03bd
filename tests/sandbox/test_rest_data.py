"""The sandbox's REST API: attributes, companies and events, and the classic dialect."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.test_rest import ADA, APP, AT, Api


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def classic() -> Api:
    return Api(version="1.4")


# --- data attributes


def test_unknown_attribute_is_refused_until_created(api: Api) -> None:
    made = api.contact()
    body = {"custom_attributes": {"plan": "pro"}}
    refused = api.refusal("PUT", f"/contacts/{made}", body)
    assert refused == (400, "parameter_invalid", "Custom attribute 'plan' does not exist")
    assert "POST /data_attributes" in api.last()["refused"]
    api.attribute("plan")
    assert api.ok("PUT", f"/contacts/{made}", body)["custom_attributes"] == {"plan": "pro"}


def test_a_refused_request_changes_nothing(api: Api) -> None:
    api.attribute("plan")
    body = {**ADA, "custom_attributes": {"plan": "pro", "seats": 3}}
    assert api.refusal("POST", "/contacts", body)[0] == 400
    assert api.state()["people"] == []


@pytest.mark.parametrize(
    ("data_type", "right", "wrong"),
    [
        ("string", ["x", "", None], [1, True, 1.5]),
        ("integer", [3, -1, None], ["3", 3.5, True]),
        ("float", [3, 3.5, None], ["3", False]),
        ("boolean", [True, False, None], ["true", 1]),
        ("date", [AT, None], [AT * 1000, "2023-11-14", float(AT)]),
        ("datetime", [AT, None], [AT * 1000, "2023-11-14T00:00:00Z"]),
    ],
)
def test_a_custom_attribute_has_its_type(api: Api, data_type: str, right: list[Any], wrong: list[Any]) -> None:
    api.attribute("it", data_type)
    made = api.contact()
    for values, status in ((right, 200), ([*wrong, {"a": 1}, ["a"]], 400)):
        for value in values:
            assert api("PUT", f"/contacts/{made}", {"custom_attributes": {"it": value}}).status_code == status, value


@pytest.mark.parametrize("name", ["plan.name", "a b", "n@me", "näme!", "a/b", ""])
def test_invalid_attribute_name_is_refused(api: Api, name: str) -> None:
    body = {"name": name, "model": "contact", "data_type": "string"}
    assert api.refusal("POST", "/data_attributes", body)[:2] == (400, "parameter_invalid")


@pytest.mark.parametrize("name", ["plan", "Plan_2-b", "€uro", "größe", "名前"])
def test_valid_attribute_name_is_accepted(api: Api, name: str) -> None:
    """Letters, digits, currency signs, hyphens and underscores make a name."""
    assert api.attribute(name)["full_name"] == f"custom_attributes.{name}"


def test_duplicate_attribute_is_refused_across_models(api: Api) -> None:
    api.attribute("plan")
    for model, noun in (("contact", "people"), ("company", "company")):
        _, code, message = api.refusal(
            "POST", "/data_attributes", {"name": "plan", "model": model, "data_type": "string"}
        )
        assert code == "parameter_invalid"
        assert message == (
            f"You already have 'plan' in your people data. To save this as new {noun} data, use a different name."
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data_type": "mithril"}, "Data Type isn't an option"),
        ({"model": "conversation"}, "The Data Attribute model field must be either contact or company"),
        ({"name": "Email"}, "'Email' is one of our standard attributes for your people data."),
        ({"name": 7}, "name must be a string"),
    ],
)
def test_invalid_attribute_is_refused_with_reason(api: Api, change: dict[str, Any], message: str) -> None:
    body = {"name": "plan", "model": "contact", "data_type": "string", **change}
    assert api.refusal("POST", "/data_attributes", body)[2].startswith(message)


@pytest.mark.parametrize("name", ["name", "model", "data_type"])
def test_incomplete_attribute_names_missing_field(api: Api, name: str) -> None:
    body = {"name": "plan", "model": "contact", "data_type": "string"}
    del body[name]
    assert api.refusal("POST", "/data_attributes", body) == (400, "parameter_not_found", f"{name} not specified")


def test_workspace_allows_250_custom_attributes(api: Api) -> None:
    """Those of contacts and those of companies count together."""
    for number in range(250):
        api.attribute(f"a{number}", model=("contact", "company")[number % 2])
    body = {"name": "one_more", "model": "contact", "data_type": "string"}
    assert "250" in api.refusal("POST", "/data_attributes", body)[2]


def test_attributes_are_listed_by_model(api: Api) -> None:
    api.attribute("plan")
    api.attribute("industry_code", model="company")
    listed = api.ok("GET", "/data_attributes?model=contact")["data"]
    assert {attribute["model"] for attribute in listed} == {"contact"}
    assert [attribute["name"] for attribute in listed if attribute["custom"]] == ["plan"]
    assert {attribute["model"] for attribute in api.ok("GET", "/data_attributes")["data"]} == {"contact", "company"}
    assert api.refusal("GET", "/data_attributes?model=conversation")[0] == 422


@pytest.mark.parametrize(("version", "writable"), [("2.16", False), ("2.11", False), ("2.10", True)])
def test_messenger_writable_depends_on_version(version: str, writable: bool) -> None:
    """It is what the creation says, else false since version 2.11."""
    api = Api(version=version)
    assert api.attribute("plan")["messenger_writable"] is writable
    body = {"name": "seats", "model": "contact", "data_type": "integer", "messenger_writable": not writable}
    assert api.ok("POST", "/data_attributes", body)["messenger_writable"] is not writable


def test_attribute_remembers_what_changed(api: Api) -> None:
    body = {"name": "plan", "model": "contact", "data_type": "string", "description": "What they pay for"}
    made = api.ok("POST", "/data_attributes", body)
    assert made["description"] == "What they pay for"
    api.clock.at += 60
    api.ok("PUT", f"/data_attributes/{made['id']}", {"messenger_writable": True})
    (listed,) = (attribute for attribute in api.ok("GET", "/data_attributes")["data"] if attribute["custom"])
    assert (listed["description"], listed["messenger_writable"]) == ("What they pay for", True)
    assert (listed["created_at"], listed["updated_at"], listed["archived"]) == (AT, AT + 60, False)


def test_archived_attribute_cannot_be_written(api: Api) -> None:
    """It is listed only where archived ones are asked for, keeps its name, and can be unarchived."""
    made, contact = api.attribute("plan"), api.contact()
    path, body = f"/data_attributes/{made['id']}", {"custom_attributes": {"plan": "pro"}}
    assert api.ok("PUT", path, {"archived": True})["archived"] is True
    refused = api.refusal("PUT", f"/contacts/{contact}", body)
    assert refused == (400, "parameter_invalid", "Custom attribute 'plan' is archived")
    again = {"name": "plan", "model": "contact", "data_type": "string"}
    assert "already have 'plan'" in api.refusal("POST", "/data_attributes", again)[2]
    for query, names in (("", []), ("&include_archived=true", ["plan"])):
        listed = api.ok("GET", f"/data_attributes?model=contact{query}")["data"]
        assert [attribute["name"] for attribute in listed if attribute["custom"]] == names
    api.ok("PUT", path, {"archived": False})
    assert api.ok("PUT", f"/contacts/{contact}", body)["custom_attributes"] == {"plan": "pro"}


def test_archived_attribute_makes_room(api: Api) -> None:
    first, *_ = [api.attribute(f"a{number}") for number in range(250)]
    api.ok("PUT", f"/data_attributes/{first['id']}", {"archived": True})
    api.attribute("one_more")
    assert "250" in api.refusal("PUT", f"/data_attributes/{first['id']}", {"archived": False})[2]


# --- companies


def test_company_id_creates_or_updates_company(api: Api) -> None:
    made = api.company(plan="pro", monthly_spend=10, size=3, remote_created_at=AT)
    assert api.company(plan="free") == made
    company = api.ok("GET", f"/companies/{made}")
    assert (company["company_id"], company["name"], company["plan"]["name"]) == ("7", "Seven", "free")
    assert (company["monthly_spend"], company["size"], company["remote_created_at"]) == (10, 3, AT)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("company_id", 7),
        ("monthly_spend", "10"),
        ("monthly_spend", True),
        ("monthly_spend", 2.0**31),
        ("monthly_spend", 2**31),
        ("size", "3"),
        ("plan", {"name": "pro"}),
        ("remote_created_at", AT * 1000),
        ("name", None),
        ("custom_attributes", {"seats": 3}),
    ],
)
def test_invalid_company_field_is_refused(api: Api, name: str, value: Any) -> None:
    assert api.refusal("POST", "/companies", {"company_id": "7", name: value})[:2] == (400, "parameter_invalid")
    assert api.refusal("POST", "/companies", {"name": "Seven"})[:2] == (400, "parameter_not_found")


def test_company_attribute_is_unknown_to_contacts(api: Api) -> None:
    api.attribute("seats", "integer", "company")
    made = api.company(custom_attributes={"seats": 3})
    assert api.ok("GET", f"/companies/{made}")["custom_attributes"] == {"seats": 3}
    assert api.refusal("POST", "/contacts", {**ADA, "custom_attributes": {"seats": 3}})[0] == 400


def test_contact_attaches_by_intercom_company_id(api: Api) -> None:
    """The company_id of a site attaches nothing; attaching again is harmless, detaching again is refused."""
    contact, company = api.contact(), api.company()
    assert api.refusal("POST", f"/contacts/{contact}/companies", {"id": "7"})[:2] == (404, "company_not_found")
    for _ in range(2):
        assert api.ok("POST", f"/contacts/{contact}/companies", {"id": company})["user_count"] == 1
    assert api.ok("GET", f"/contacts/{contact}/companies")["data"][0]["id"] == company
    assert api.ok("GET", f"/contacts/{contact}")["companies"]["data"][0]["id"] == company
    assert api.ok("DELETE", f"/contacts/{contact}/companies/{company}")["user_count"] == 0
    assert api.refusal("DELETE", f"/contacts/{contact}/companies/{company}")[:2] == (404, "company_not_found")


def test_attaching_needs_contact_and_company(api: Api) -> None:
    contact, company = api.contact(), api.company()
    assert api.refusal("POST", "/contacts/nobody/companies", {"id": company})[:2] == (404, "not_found")
    refused = api.refusal("POST", f"/contacts/{contact}/companies", {})
    assert refused == (400, "parameter_not_found", "company not specified")


def test_contact_joins_1000_companies_at_most(api: Api) -> None:
    contact, account = api.contact(), api.store.account(APP)
    for number in range(1000):
        account.write_company(str(number), {}, {})
        account.attach(account.people.get(contact), str(number))
    refused = api.refusal("POST", f"/contacts/{contact}/companies", {"id": api.company(company_id="one more")})
    assert refused[:2] == (400, "contact_company_limit_exceeded")


def test_company_query_matches_id_or_name(api: Api) -> None:
    made = api.company()
    for query in ("company_id=7", "name=Seven", ""):
        assert [company["id"] for company in api.ok("GET", f"/companies?{query}")["data"]] == [made]
    for path in ("/companies?company_id=8", "/companies?name=Eight", "/companies/8"):
        assert api.refusal("GET", path)[:2] == (404, "company_not_found")


def test_spend_is_cut_to_whole_number(api: Api) -> None:
    """155.98 becomes 155, as Intercom's description says; the log says it."""
    assert api.ok("GET", f"/companies/{api.company(monthly_spend=155.98)}")["monthly_spend"] == 155
    assert "monthly_spend" in api.state()["requests"][-2]["notes"][0]


def test_company_is_updated_by_intercom_id(api: Api) -> None:
    made = api.company(plan="pro")
    updated = api.ok("PUT", f"/companies/{made}", {"name": "Eight", "monthly_spend": 9.9})
    assert (updated["name"], updated["plan"]["name"], updated["monthly_spend"]) == ("Eight", "pro", 9)
    assert (updated["id"], updated["company_id"]) == (made, "7")
    assert api.refusal("PUT", f"/companies/{made}", {"company_id": "8"})[2].startswith("company_id is set once")
    assert api.refusal("PUT", f"/companies/{made}", {"shoe": 1})[0] == 400
    assert api.refusal("PUT", "/companies/7", {"name": "Eight"})[:2] == (404, "company_not_found")


def test_deleted_company_detaches_contacts(api: Api) -> None:
    """The contacts stay, and the company_id makes a new company."""
    contact, company = api.contact(), api.company()
    api.ok("POST", f"/contacts/{contact}/companies", {"id": company})
    assert api.ok("DELETE", f"/companies/{company}") == {"id": company, "object": "company", "deleted": True}
    assert api.ok("GET", f"/contacts/{contact}")["companies"]["data"] == []
    assert api.refusal("DELETE", f"/companies/{company}")[:2] == (404, "company_not_found")
    assert api.company() != company


def test_company_lists_living_contacts(api: Api) -> None:
    company, members = api.company(), [api.contact(external_id=str(number)) for number in range(3)]
    for member in members:
        api.ok("POST", f"/contacts/{member}/companies", {"id": company})
    api.ok("POST", f"/contacts/{members[0]}/archive")
    api.contact(external_id="elsewhere")
    listed = api.ok("GET", f"/companies/{company}/contacts")
    assert ([contact["id"] for contact in listed["data"]], listed["total_count"]) == (members[:0:-1], 2)
    assert api.refusal("GET", "/companies/none/contacts")[:2] == (404, "company_not_found")


# --- events


def test_event_returns_202_without_body(api: Api) -> None:
    made = api.contact()
    for who in ({"user_id": "42"}, {"id": made}, {"email": "ADA@example.com"}):
        answer = api("POST", "/events", {"event_name": str(who), "created_at": AT, **who})
        assert (answer.status_code, answer.data) == (202, b"")
    assert {event["person_id"] for event in api.state()["events"]} == {made}


def test_lead_event_needs_intercom_id(api: Api) -> None:
    """Neither the e-mail nor the user_id of a lead names it, when events are sent and when they are listed."""
    lead = api.contact(role="lead", **ADA)
    for who in ({"email": ADA["email"]}, {"user_id": "42"}):
        assert api.refusal("POST", "/events", {"event_name": "Opened", "created_at": AT, **who})[:2] == (
            404,
            "not_found",
        )
        (name, value), *_ = who.items()
        assert api.refusal("GET", f"/events?type=user&{name}={value}")[0] == 404
    assert "a lead is named by its id" in api.last()["refused"]
    assert api("POST", "/events", {"event_name": "Opened", "created_at": AT, "id": lead}).status_code == 202
    assert len(api.ok("GET", f"/events?type=user&intercom_user_id={lead}")["events"]) == 1


def test_event_of_unknown_user_is_refused(api: Api) -> None:
    assert (api.event().status_code, api.event().json["errors"][0]["code"]) == (404, "not_found")
    assert "create the user first" in api.last()["refused"]


@pytest.mark.parametrize(
    "change",
    [
        {"event_name": ""},
        {"event_name": 7},
        {"created_at": AT * 1000},
        {"created_at": -(10**20)},
        {"created_at": float(AT)},
        {"created_at": None},
        {"user_id": 42},
        {"metadata": []},
        {"metadata": None},
    ],
)
def test_invalid_event_field_is_refused(api: Api, change: dict[str, Any]) -> None:
    api.contact()
    assert api.event(**change).status_code == 400


@pytest.mark.parametrize("name", ["event_name", "created_at", "user_id"])
def test_event_needs_name_time_and_person(api: Api, name: str) -> None:
    api.contact()
    body = {"event_name": "Opened", "created_at": AT, "user_id": "42"}
    del body[name]
    assert api.refusal("POST", "/events", body)[:2] == (400, "parameter_not_found")


def test_duplicate_event_is_stored_once(api: Api) -> None:
    """Two events are the same by name and second; their metadata does not count."""
    api.contact()
    for change in ({}, {}, {"created_at": AT + 1}, {"event_name": "Closed"}, {"metadata": {"a": 1}}):
        assert api.event(**change).status_code == 202
    assert len(api.state()["events"]) == 3
    assert "ignored" in api.last()["notes"][0]


@pytest.mark.parametrize(
    "value",
    ["x", 3, 1.5, True, {"url": "https://example.com", "value": "Order"}, {"amount": 1299, "currency": "eur"}],
)
def test_metadata_holds_scalars_links_and_money(api: Api, value: Any) -> None:
    api.contact()
    assert api.event(metadata={"it": value}).status_code == 202
    assert api.state()["events"][0]["metadata"] == {"it": value}


@pytest.mark.parametrize(
    "metadata",
    [
        {"it": {"a": 1}},
        {"it": ["x"]},
        {"it": None},
        {"it": {"amount": 12.99, "currency": "eur"}},
        {"it": {"amount": 1299}},
        {"it": {"url": "https://example.com"}},
        {"it": {"url": "https://example.com", "value": "x", "more": 1}},
        {"born_date": AT * 1000},
    ],
)
def test_metadata_holds_nothing_else(api: Api, metadata: dict[str, Any]) -> None:
    api.contact()
    assert api.event(metadata=metadata).status_code == 400
    assert api.state()["events"] == []


@pytest.mark.parametrize("metadata", [{"cart.items": 1}, {"$amount": 1}, {"note": "n" * 256}])
def test_metadata_names_and_lengths_are_limited(api: Api, metadata: dict[str, Any]) -> None:
    """Names with a dot or a leading dollar sign and texts of 256 characters are refused."""
    api.contact()
    answer = api.event(metadata=metadata)
    assert answer.status_code == 400
    assert answer.json["errors"][0]["message"].startswith(f"metadata.{next(iter(metadata))} ")


def test_event_by_shared_email_conflicts(api: Api) -> None:
    """An email of two users names neither of them; the id still does."""
    first = api.contact(external_id="1", email="a@b.co")
    settings = {"user_id": "2", "email": "A@b.co"}  # from a page, where nobody asks whose it is
    ping = {"app_id": APP, "visitor_id": "cookie", "action": "boot", "settings": settings}
    assert api.client.post("/messenger/us/ping", json=ping).status_code == 200
    answer = api("POST", "/events", {"event_name": "Opened", "created_at": AT, "email": "a@b.co"})
    assert (answer.status_code, answer.json["errors"][0]["code"]) == (409, "conflict")
    assert api("POST", "/events", {"event_name": "Opened", "created_at": AT, "id": first}).status_code == 202


def test_metadata_stores_first_ten_keys(api: Api) -> None:
    """The order is that of the request, and the rest is reported as not saved."""
    api.contact()
    names = [f"k{number}" for number in range(12, 0, -1)]
    assert api.event(metadata=dict.fromkeys(names, 1)).status_code == 202
    assert list(api.state()["events"][0]["metadata"]) == names[:10]
    assert [left["name"] for left in api.last()["not_saved"]] == ["metadata.k2", "metadata.k1"]


def test_the_121st_event_name_is_refused(api: Api) -> None:
    api.contact()
    for number in range(120):
        assert api.event(event_name=f"e{number}").status_code == 202
    assert api.event(event_name="e120").status_code == 400
    assert api.event(event_name="e0", created_at=AT + 1).status_code == 202


def test_page_cannot_add_121st_event_name(api: Api) -> None:
    api.contact()
    for number in range(120):
        api.event(event_name=f"e{number}")
    session = {"app_id": APP, "visitor_id": "cookie"}
    booted = api.client.post("/messenger/us/ping", json={**session, "action": "boot", "settings": {}}).json["session"]
    sent = {**session, "session": booted, "event_name": "e120"}
    assert api.client.post("/messenger/us/events", json=sent).status_code == 200
    assert api.last()["not_saved"][0]["name"] == "event_name"


def test_person_events_list_newest_first(api: Api) -> None:
    made = api.contact()
    api.event()
    api.event(created_at=AT + 1, metadata={"a": 1})
    for query in ("user_id=42", "email=ada@example.com", f"intercom_user_id={made}"):
        events = api.ok("GET", f"/events?type=user&{query}")["events"]
        assert [(event["created_at"], event["metadata"]) for event in events] == [(AT + 1, {"a": 1}), (AT, {})]
    summary = api.ok("GET", "/events?type=user&user_id=42&summary=true")["events"]
    assert [(entry["name"], entry["count"]) for entry in summary] == [("Opened", 2)]
    assert api.refusal("GET", "/events?user_id=42")[0] == 400
    assert api.refusal("GET", "/events?type=user&user_id=43")[0] == 404


# --- the classic dialect


def test_classic_user_matches_id_or_email(classic: Api) -> None:
    """An email matches only a user who has no id yet; another id makes another user."""
    first = classic.ok("POST", "/users", {"email": "ada@example.com", "name": "Ada"})
    second = classic.ok("POST", "/users", {"user_id": "42", "email": "ADA@example.com", "phone": "+41 1"})
    assert (second["id"], second["name"], second["phone"]) == (first["id"], "Ada", "+41 1")
    another_user = classic.ok("POST", "/users", {"user_id": "43", "email": "ada@example.com"})
    assert another_user["id"] != first["id"]
    for query in ("user_id=42", "email=ada@example.com"):
        assert classic.ok("GET", f"/users?{query}")["id"] == first["id"]
    assert classic.refusal("GET", "/users?user_id=44")[:2] == (404, "not_found")
    assert classic.refusal("POST", "/users", {"name": "Ada"})[0] == 400


def test_classic_user_stores_extra_fields(classic: Api) -> None:
    sent = {
        "user_id": "42",
        "signed_up_at": AT,
        "last_request_at": AT + 1,
        "last_seen_ip": "192.0.2.1",
        "last_seen_user_agent": "Netscape",
        "unsubscribed_from_emails": True,
    }
    answer = classic.ok("POST", "/users", sent)
    (person,) = classic.state()["people"]
    for user in (answer, person):
        assert {name: user[name] for name in sent} == sent
    assert person["source"] == "classic"


@pytest.mark.parametrize("name", ["created_at", "remote_created_at", "signed_up_at"])
def test_classic_sign_up_has_three_names(classic: Api, name: str) -> None:
    assert classic.ok("POST", "/users", {"user_id": "42", name: AT})["signed_up_at"] == AT


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("user_id", 42),
        ("email", "ada"),
        ("created_at", AT * 1000),
        ("last_request_at", "now"),
        ("companies", {"company_id": "7"}),
        ("companies", [{"company_id": 7.5}]),
        ("companies", [{"name": "Seven"}]),
        ("companies", [{"company_id": "7", "monthly_spend": "much"}]),
        ("companies", [{"company_id": "7", "shoe": 1}]),
        ("custom_attributes", {"a": {"b": 1}}),
        ("custom_attributes", {"a": []}),
        ("external_id", "42"),
        ("plan", "pro"),
    ],
)
def test_invalid_classic_user_field_is_refused(classic: Api, name: str, value: Any) -> None:
    assert classic("POST", "/users", {"user_id": "42", name: value}).status_code == 400
    assert classic.state()["people"] == []


def test_classic_attributes_are_created_automatically(classic: Api) -> None:
    """Their types follow from the values; a name may hold a dot, and a null creates nothing."""
    custom = {"plan": "pro", "race.finish_at": AT, "seats": 3, "ratio": 0.5, "vip": True, "none": None}
    user = classic.ok("POST", "/users", {"user_id": "42", "custom_attributes": custom})
    assert user["custom_attributes"] == {name: value for name, value in custom.items() if value is not None}
    types = {
        attribute["name"]: (attribute["data_type"], attribute["created_by"])
        for attribute in classic.state()["attributes"]
    }
    assert types["race.finish_at"] == ("date", "classic")
    assert [types[name][0] for name in ("plan", "seats", "ratio", "vip")] == ["string", "integer", "float", "boolean"]
    assert "none" not in types


def test_classic_attribute_keeps_first_type(classic: Api) -> None:
    def sent(value: Any) -> int:
        return int(classic("POST", "/users", {"user_id": "42", "custom_attributes": {"it": value}}).status_code)

    assert [sent(3), sent(3.5), sent(4), sent("four"), sent(True)] == [200, 200, 200, 400, 400]


def test_classic_user_joins_and_leaves_companies(classic: Api) -> None:
    seven = {"company_id": "7", "name": "Seven", "plan": "pro", "monthly_spend": "10.5", "remote_created_at": AT}
    eight = {"company_id": "8", "name": "Eight", "custom_attributes": {"seats": 3}}
    user = classic.ok("POST", "/users", {"user_id": "42", "companies": [seven, eight]})
    assert [company["company_id"] for company in user["companies"]["companies"]] == ["7", "8"]
    leaving = [{"company_id": "7", "remove": True}, {"company_id": "unknown", "remove": True}]
    user = classic.ok("POST", "/users", {"user_id": "42", "companies": leaving})
    assert [company["company_id"] for company in user["companies"]["companies"]] == ["8"]
    (stored_seven, stored_eight) = classic.state()["companies"]
    assert (stored_seven["monthly_spend"], stored_eight["custom_attributes"]) == ("10.5", {"seats": 3})


def test_classic_company_is_created_or_updated(classic: Api) -> None:
    first = classic.ok(
        "POST", "/companies", {"company_id": "7", "monthly_spend": 10.5, "custom_attributes": {"a.b": 1}}
    )
    assert classic.ok("POST", "/companies", {"company_id": "7", "name": "Seven"})["id"] == first["id"]
    assert classic.refusal("POST", "/companies", {"name": "Seven"})[0] == 400
    assert classic.refusal("POST", "/companies", {"company_id": "7", "remove": True})[0] == 400


def test_a_classic_event_may_say_created(classic: Api) -> None:
    classic.ok("POST", "/users", {"user_id": "42", "email": "ada@example.com"})
    for name in ("created_at", "created"):
        body = {"event_name": name, name: AT, "user_id": "42", "email": "ada@example.com"}
        assert classic("POST", "/events", body).status_code == 202
    assert classic("POST", "/events", {"event_name": "x", "created": AT, "user_id": "43"}).status_code == 404
    assert [event["created_at"] for event in classic.ok("GET", "/events?type=user&user_id=42")["events"]] == [AT, AT]


def test_both_dialects_see_the_same_person(api: Api) -> None:
    made = api.contact()
    body = {"user_id": "42", "custom_attributes": {"plan": "pro"}}
    assert api("POST", "/users", body, Intercom_Version="1.4").json["id"] == made
    assert api.ok("GET", f"/contacts/{made}")["custom_attributes"] == {"plan": "pro"}
