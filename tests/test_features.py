"""The specification's server half, feature by feature: from a call in Python to what a strict Intercom then knows.

Source: Segment's documentation page for Intercom; each test bears the name of the feature as it stands there.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from segment_intercom import Analytics, SegmentIntercom
from segment_intercom.delivery import Worker
from segment_intercom.outbox import SqliteOutbox
from segment_intercom.sandbox.faults import Fault
from tests.delivery.intercom import Fast, Intercom, make_intercom

__all__ = ["make_intercom"]  # a fixture

CONTACTS, CLASSIC = "2.16", "1.4"
AGENT = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_7_5) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/27.0.1453.47 Safari/537.36"
)
Make = Callable[..., Intercom]


@pytest.fixture(params=[CONTACTS, CLASSIC], ids=["contacts", "classic"])
def make(request: pytest.FixtureRequest, make_intercom: Make) -> Make:
    """Either dialect: ``make(collect_context=True)``."""
    return lambda **settings: make_intercom(api_version=request.param, **settings)


def delivered(intercom: Intercom) -> Intercom:
    """Wait until all is delivered, with nothing given up."""
    assert intercom.analytics.flush(20) == 0
    assert intercom.outbox.dead_letters() == []
    return intercom


def is_classic(intercom: Intercom) -> bool:
    return intercom.settings.api_version == CLASSIC


def name_of(intercom: Intercom, *parts: str) -> str:
    """A flattened name: the contacts API takes no dots."""
    return ("." if is_classic(intercom) else "_").join(parts)


def metadata(intercom: Intercom) -> dict[str, Any]:
    """What came with the only event."""
    (event,) = intercom.state["events"]
    return dict(event["metadata"])


def company(intercom: Intercom, company_id: str) -> dict[str, Any]:
    (record,) = (record for record in intercom.state["companies"] if record["company_id"] == company_id)
    return record


def test_identify_sets_the_special_traits(make: Make) -> None:
    intercom = make()
    traits = {"email": "ben@example.com", "firstName": "Ben", "lastName": "Lee", "createdAt": 1363902294011, "a": 1}
    intercom.analytics.identify("u", {**traits, "company": {"id": 813, "name": "Teemo Holding Company"}})
    person = delivered(intercom).person("u")
    assert (person["email"], person["name"], person["signed_up_at"]) == ("ben@example.com", "Ben Lee", 1363902294)
    assert person["custom_attributes"] == {"firstName": "Ben", "lastName": "Lee", "a": 1}
    assert [(record["company_id"], record["name"]) for record in person["companies"]] == [
        ("813", "Teemo Holding Company")
    ]


def test_company_name_hash_becomes_id(make: Make) -> None:
    intercom = make()
    intercom.analytics.identify("u", {"company": "Segment"})
    assert [record["company_id"] for record in delivered(intercom).person("u")["companies"]] == ["2017828326"]
    assert company(intercom, "2017828326")["name"] == "Segment"


@pytest.mark.parametrize("collect", [True, False])
def test_collect_context(make: Make, collect: bool) -> None:
    device = {"type": "ios", "manufacturer": "Apple", "model": "iPhone7,2", "id": "secret"}
    context = {"device": device, "os": {"name": "iOS", "version": "8.1"}, "app": {"name": "Shop", "version": "545"}}
    intercom = make(collect_context=collect)
    intercom.analytics.identify("u", {"a": 1}, context)
    collected = {"device_type": "ios", "device_manufacturer": "Apple", "device_model": "iPhone7,2"}
    collected |= {"os_name": "iOS", "os_version": "8.1", "app_name": "Shop", "app_version": "545"}
    expected = {"a": 1, **(collected if collect else {})}
    assert delivered(intercom).person("u")["custom_attributes"] == expected


@pytest.mark.parametrize(
    ("context", "traits", "seen_at"),
    [
        ({}, {}, 1_400_000_000),
        ({"active": True}, {}, 1_400_000_000),
        ({"active": True}, {"lastRequestAt": 1_500_000_000}, 1_500_000_000),
        ({"active": False}, {}, None),
        ({"active": False}, {"lastRequestAt": 1_500_000_000}, None),
    ],
)
def test_active_and_last_request_at(make: Make, context: Any, traits: Any, seen_at: int | None) -> None:
    intercom = make()
    intercom.analytics.identify("u", traits, context, timestamp=1_400_000_000)
    person = delivered(intercom).person("u")
    assert person.get("last_seen_at") == seen_at
    assert person["custom_attributes"] == {}


def test_inactive_update_keeps_last_seen(make: Make) -> None:
    intercom = make()
    intercom.analytics.identify("u", {"plan": "a"}, timestamp=1_400_000_000)
    intercom.analytics.identify("u", {"plan": "b"}, {"active": False}, timestamp=1_500_000_000)
    person = delivered(intercom).person("u")
    assert (person["last_seen_at"], person["custom_attributes"]["plan"]) == (1_400_000_000, "b")


def test_classic_fields_hold_address_and_agent(make_intercom: Make) -> None:
    intercom = make_intercom(api_version=CLASSIC)
    intercom.analytics.identify("u", context={"ip": "192.168.0.1", "userAgent": AGENT})
    person = delivered(intercom).person("u")
    assert (person["last_seen_ip"], person["last_seen_user_agent"]) == ("192.168.0.1", AGENT)


@pytest.mark.parametrize("collect", [True, False])
def test_collect_address_adds_contact_attributes(make_intercom: Make, collect: bool) -> None:
    """With the contacts API, IP address and user agent become attributes only where that is asked for."""
    intercom = make_intercom(collect_address=collect)
    intercom.analytics.identify("u", context={"ip": "192.168.0.1", "userAgent": AGENT})
    wanted = {"last_seen_ip": "192.168.0.1", "last_seen_user_agent": AGENT} if collect else {}
    assert delivered(intercom).person("u")["custom_attributes"] == wanted


@pytest.mark.parametrize("place", ["context", "integrations"])
def test_unsubscribe_users(make: Make, place: str) -> None:
    intercom = make()
    option = {"Intercom": {"unsubscribedFromEmails": True}}
    intercom.analytics.identify("4832", {"email": "jingleheimer@example.com"}, **{place: option})
    assert delivered(intercom).person("4832")["unsubscribed_from_emails"] is True


@pytest.mark.parametrize("option", [None, {}, {"unsubscribedFromEmails": "no"}, {"unsubscribedFromEmails": None}])
@pytest.mark.parametrize("before", [True, False])
def test_unsubscribed_changes_only_by_boolean(make: Make, before: bool, option: Any) -> None:
    """It stays as it is where nothing is said of it, or something that is neither true nor false."""
    intercom = make()
    intercom.analytics.identify("u", context={"Intercom": {"unsubscribedFromEmails": before}})
    assert delivered(intercom).person("u")["unsubscribed_from_emails"] is before
    intercom.transport.sent.clear()
    intercom.analytics.identify("u", {"name": "Ann"}, context=None if option is None else {"Intercom": option})
    person = delivered(intercom).person("u")
    assert (person["name"], person["unsubscribed_from_emails"]) == ("Ann", before)
    assert not any("unsubscribed_from_emails" in (operation.body or {}) for operation in intercom.transport.sent)


@pytest.mark.parametrize(
    ("properties", "price"),
    [
        ({"revenue": "19.99"}, {"amount": 1999, "currency": "USD"}),
        ({"revenue": 19.99, "currency": "EUR"}, {"amount": 1999, "currency": "EUR"}),
        ({"total": "$1,234.50", "revenue": 0}, {"amount": 123450, "currency": "USD"}),
    ],
)
def test_revenue_and_currency(make: Make, properties: dict[str, Any], price: dict[str, Any]) -> None:
    intercom = make()
    intercom.analytics.track("u", "Order Completed", properties)
    event_metadata = metadata(delivered(intercom))
    assert event_metadata["price"] == price
    assert not {"revenue", "currency"} & event_metadata.keys()


def test_limited_properties(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    intercom = make()
    intercom.analytics.track("u", "Sold", {**{f"p{number}": number for number in range(12)}, "revenue": 5})
    event_metadata = metadata(delivered(intercom))
    assert list(event_metadata) == ["price", *(f"p{number}" for number in range(9))]
    assert "'p9'" in caplog.text


def test_limited_events(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    intercom = make()
    for number in range(123):
        intercom.analytics.track("u", f"event {number}", timestamp=1_500_000_000)
    assert intercom.analytics.flush(20) == 0
    assert [record.levelname for record in caplog.records if "more than 120 names" in record.message] == ["WARNING"]
    assert intercom.events == [f"event {number}" for number in range(120)]
    assert intercom.outbox.counts().given_up == 3
    assert "limit of 120 event names" in intercom.outbox.dead_letters()[0].reason


def test_track_creates_unknown_user(make: Make) -> None:
    intercom = make()
    intercom.analytics.track("u", "Paid", context={"traits": {"email": "ann@example.com", "plan": "pro"}})
    person = delivered(intercom).person("u")
    assert (person["email"], person["custom_attributes"]) == ("ann@example.com", {"plan": "pro"})
    assert intercom.events == ["Paid"]


def test_group_with_monthly_spend_and_plan(make: Make) -> None:
    intercom = make()
    traits = {"name": "Segment", "monthlySpend": 300, "plan": "Pro", "createdAt": "2014-01-01", "tier": "gold"}
    intercom.analytics.group("u", "companyId123", traits)
    saved = company(delivered(intercom), "companyId123")
    assert (saved["name"], saved["monthly_spend"], saved["plan"]) == ("Segment", 300, "Pro")
    assert saved["remote_created_at"] == 1388534400
    assert saved["custom_attributes"] == {"tier": "gold"}
    assert [record["company_id"] for record in intercom.person("u")["companies"]] == ["companyId123"]


def test_multiple_groups(make: Make) -> None:
    intercom = make()
    intercom.analytics.identify("u", {"companies": [{"id": "a", "name": "A"}, {"id": "b", "name": "B"}]})
    intercom.analytics.group("u", "c", {"name": "C"})
    assert [record["company_id"] for record in delivered(intercom).person("u")["companies"]] == ["a", "b", "c"]


def test_disassociating_users_from_a_company(make: Make) -> None:
    intercom = make()
    traits = {"name": "Michael Bolton", "email": "mbolton@initech.com", "plan": "Enterprise"}
    intercom.analytics.identify("019mr8mf4r", {**traits, "company": {"id": 12345, "name": "Initech"}})
    intercom.analytics.group("019mr8mf4r", "other", {"name": "Other"})
    intercom.analytics.identify("019mr8mf4r", {**traits, "company": {"id": 12345, "remove": True}})
    person = delivered(intercom).person("019mr8mf4r")
    assert [record["company_id"] for record in person["companies"]] == ["other"]
    assert (person["name"], person["custom_attributes"]) == ("Michael Bolton", {"plan": "Enterprise"})


NESTED = {"address": {"city": "Rome", "zip": {"code": 5}}, "tags": ["a", "b"], "flat": 1}


def test_nested_traits_are_flattened(make: Make) -> None:
    intercom = make()
    intercom.analytics.identify("u", NESTED)
    flat = {name_of(intercom, "address", "city"): "Rome", name_of(intercom, "address", "zip", "code"): 5}
    tags = {name_of(intercom, "tags", "0"): "a", name_of(intercom, "tags", "1"): "b"}
    assert delivered(intercom).person("u")["custom_attributes"] == {**flat, **tags, "flat": 1}


def test_nested_traits_are_stringified(make: Make) -> None:
    intercom = make(nested_handling="stringify")
    intercom.analytics.identify("u", NESTED)
    attributes = delivered(intercom).person("u")["custom_attributes"]
    assert {name: json.loads(str(value)) for name, value in attributes.items()} == NESTED
    assert attributes["tags"] == '["a","b"]'


def test_nested_traits_are_dropped(make: Make) -> None:
    intercom = make(nested_handling="drop")
    intercom.analytics.identify("u", NESTED)
    assert delivered(intercom).person("u")["custom_attributes"] == {"flat": 1}


def test_specific_nested_trait_and_property_handling(make: Make) -> None:
    intercom = make(nested_handling="drop", nested_handling_for={"tags": "stringify", "address": "flatten"})
    intercom.analytics.identify("u", {**NESTED, "other": [1]})
    intercom.analytics.track("u", "Paid", NESTED)
    flat = {name_of(intercom, "address", "city"): "Rome", name_of(intercom, "address", "zip", "code"): 5}
    assert delivered(intercom).person("u")["custom_attributes"] == {**flat, "tags": '["a","b"]', "flat": 1}
    assert metadata(intercom) == {**flat, "tags": '["a","b"]', "flat": 1}


def test_rich_link_properties(make: Make) -> None:
    intercom = make(rich_links=["order", "bad"])
    link = {"url": "https://example.com/1", "value": "#1"}
    intercom.analytics.track("u", "Paid", {"order": link, "bad": {**link, "more": 1}})
    event_metadata = metadata(delivered(intercom))
    assert event_metadata.pop("order") == link
    values = {"url": link["url"], "value": "#1", "more": 1}
    assert event_metadata == {name_of(intercom, "bad", name): value for name, value in values.items()}


def test_page_screen_alias_send_nothing(make: Make) -> None:
    intercom = make()
    intercom.analytics.page("u", "Docs", "Python", {"url": "https://example.com"})
    intercom.analytics.screen("u", "Docs", "Python")
    intercom.analytics.alias("before", "u")
    assert intercom.analytics.flush(20) == 0
    assert (intercom.transport.sent, intercom.state["people"]) == ([], [])


def test_the_integrations_object_switches_intercom_off(make: Make) -> None:
    intercom = make()
    intercom.analytics.identify("u", integrations={"Intercom": False})
    intercom.analytics.track("u", "Paid", integrations={"All": False})
    intercom.analytics.identify("v", integrations={"All": False, "Intercom": True})
    assert [person["user_id"] for person in delivered(intercom).state["people"]] == ["v"]


def test_segment_python_example_runs(make: Make) -> None:
    """As it stands there, with the comma that it lacks after "McRedmond"."""
    intercom = make(collect_address=True)
    analytics = intercom.analytics
    analytics.identify(
        user_id="some_user_id",
        traits={
            "email": "ben@intercom.io",
            "firstName": "Ben",
            "lastName": "McRedmond",
            "createdAt": 1363902294011,
            "plan": "Premium",
        },
        context={
            "ip": "192.168.0.1",
            "active": False,
            "userAgent": AGENT,
        },
    )
    person = delivered(intercom).person("some_user_id")
    assert (person["email"], person["name"], person["signed_up_at"]) == ("ben@intercom.io", "Ben McRedmond", 1363902294)
    assert person["custom_attributes"]["plan"] == "Premium"
    assert person.get("last_seen_at") is None
    place = person if is_classic(intercom) else person["custom_attributes"]
    assert (place["last_seen_ip"], place["last_seen_user_agent"]) == ("192.168.0.1", AGENT)


def test_calls_of_the_extension_arrive_too(make: Make) -> None:
    intercom = make()
    config = {name: getattr(intercom.settings, name) for name in ("access_token", "api_version", "outbox")}
    app = Flask(__name__)
    app.config.update({f"INTERCOM_{name.upper()}": value for name, value in config.items()}, INTERCOM_DELIVER="worker")
    extension = SegmentIntercom(app)
    with app.app_context():
        extension.identify("u", {"name": "Ann"})
        extension.track("u", "Paid")
    app.extensions["segment_intercom"].ingest.close()
    intercom.deliver()
    assert (intercom.person("u")["name"], intercom.events) == ("Ann", ["Paid"])


FAULTS = (
    Fault(status=500, probability=0.1),
    Fault(drop=True, probability=0.05),
    Fault(status=503, probability=0.05, after_write=True),
)


def test_server_side_race_condition(make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Identify directly followed by track, many users at once, failures, two workers: nothing overtakes anything."""
    caplog.set_level(logging.CRITICAL)
    intercom, clock = make(deliver="worker"), Fast()
    intercom.workspace.faults = FAULTS
    boxes = [SqliteOutbox(tmp_path / "outbox.db", clock=clock) for _ in range(2)]
    workers = [Worker(intercom.settings, box, intercom.transport, threads=4, until_empty=True) for box in boxes]
    _say(intercom.analytics, users=25, rounds=3)
    for worker in workers:
        worker.start()
    assert all(worker.wait(30) for worker in workers)
    for box in boxes:
        box.close()
    arrived = defaultdict(list)
    for event in intercom.state["events"]:
        arrived[event["user_id"]].append(event["created_at"])
    assert arrived == {f"user{number}": [1_500_000_000, 1_500_000_001, 1_500_000_002] for number in range(25)}
    assert {person["custom_attributes"]["round"] for person in intercom.state["people"]} == {2}
    assert not [request for request in intercom.state["requests"] if request["status"] == 404], (
        "no event came before its user"
    )


def _say(analytics: Analytics, users: int, rounds: int) -> None:
    for turn in range(rounds):
        for number in range(users):
            analytics.identify(f"user{number}", {"round": turn})
            analytics.track(f"user{number}", "Visited", timestamp=1_500_000_000 + turn)
