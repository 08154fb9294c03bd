"""The filters of a contact search, by the sentences of Intercom's API description."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from segment_intercom.sandbox import Workspace
from tests.contract import DESCRIPTION
from tests.sandbox.test_rest import ADA, APP, Api, found
from tests.sandbox.test_rest_contract import Described

MIDNIGHT = 1_577_836_800  # the day of the description's own example
NINE = MIDNIGHT + 9 * 3600
DAY = 86_400


@pytest.fixture
def api() -> Api:
    """A client that holds what is taken, and what is answered, against the description."""
    return Described(Workspace(APP, search_lag=0))


def one(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def group(operator: str, *parts: Any) -> dict[str, Any]:
    return {"operator": operator, "value": list(parts)}


def status(api: Api, query: dict[str, Any]) -> int:
    return int(api("POST", "/contacts/search", {"query": query}).status_code)


@pytest.mark.parametrize("field", ["signed_up_at", "custom_attributes.trial"])
@pytest.mark.parametrize(
    ("operator", "matching"),
    [("=", ["day", "evening"]), (">", ["next"]), ("<", ["before"])],
)
def test_dates_are_matched_by_day(api: Api, field: str, operator: str, matching: list[str]) -> None:
    api.attribute("trial", "date")
    for name, at in (("before", MIDNIGHT - 1), ("day", MIDNIGHT), ("evening", NINE + 1), ("next", MIDNIGHT + DAY)):
        api.contact(external_id=name, signed_up_at=at, custom_attributes={"trial": at})
    api.contact(external_id="never")
    for value in (NINE, str(NINE)):
        assert sorted(found(api, field, operator, value)) == matching


@pytest.mark.parametrize(
    ("field", "value", "operators"),
    [
        ("email", "a@b.co", "= != IN NIN ~ !~ ^ $"),
        ("location.country", "Ireland", "= != IN NIN ~ !~ ^ $"),
        ("custom_attributes.plan", "pro", "= != IN NIN ~ !~ ^ $"),
        ("unsubscribed_from_emails", "true", "= != IN NIN"),
        ("custom_attributes.vip", "true", "= != IN NIN"),
        ("custom_attributes.seats", 3, "= != IN NIN < > <= >="),
        ("custom_attributes.ratio", "1.5", "= != IN NIN < > <= >="),
        ("created_at", NINE, "= < >"),
        ("last_contacted_at", NINE, "= < >"),
        ("custom_attributes.trial", NINE, "= < >"),
        ("tag_id", "1", "= !="),
    ],
)
def test_operators_depend_on_the_type(api: Api, field: str, value: Any, operators: str) -> None:
    types = {"plan": "string", "vip": "boolean", "seats": "integer", "ratio": "float", "trial": "datetime"}
    for name, data_type in types.items():
        api.attribute(name, data_type)
    api.contact()
    for operator in "= != IN NIN < <= > >= ~ !~ ^ $".split():
        query = one(field, operator, [value] if operator in ("IN", "NIN") else value)
        assert status(api, query) == (200 if operator in operators.split() else 400), operator


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("created_at", "foobar"),
        ("created_at", None),
        ("external_id", 42),
        ("role", "visitor"),
        ("unsubscribed_from_emails", 1),
        ("tag_id", None),
        ("custom_attributes.seats", "many"),
        ("custom_attributes.seats", 1.5),
        ("custom_attributes.unknown", "x"),
    ],
)
def test_value_must_fit_the_type(api: Api, field: str, value: Any) -> None:
    api.attribute("seats", "integer")
    operator = ">" if field == "created_at" else "="
    assert api.refusal("POST", "/contacts/search", {"query": one(field, operator, value)})[:2] == (
        400,
        "parameter_invalid",
    )


def test_null_finds_what_is_missing() -> None:
    """The description says nullable of a filter's value, in a way that validators do not read."""
    api = Api()
    api.contact(**ADA, phone="+41 1")
    api.contact(external_id="43")
    assert (found(api, "phone", "=", None), found(api, "phone", "!=", None)) == (["43"], ["42"])


def test_numbers_and_booleans_are_compared(api: Api) -> None:
    api.attribute("seats", "integer")
    api.contact(external_id="few", custom_attributes={"seats": 9}, unsubscribed_from_emails=True)
    api.contact(external_id="many", custom_attributes={"seats": 10})
    api.contact(external_id="none")
    assert found(api, "custom_attributes.seats", ">=", "10") == ["many"]
    assert found(api, "custom_attributes.seats", "<", 10) == ["few"]
    assert found(api, "unsubscribed_from_emails", "=", True) == ["few"]
    assert found(api, "unsubscribed_from_emails", "IN", ["true"]) == ["few"]


def test_contacts_are_found_by_tag(api: Api) -> None:
    tagged, _ = api.contact(external_id="tagged"), api.contact(external_id="other")
    tag = api.ok("POST", "/tags", {"name": "VIP"})["id"]
    api.ok("POST", f"/contacts/{tagged}/tags", {"id": tag})
    assert (found(api, "tag_id", "=", tag), found(api, "tag_id", "!=", tag)) == (["tagged"], ["other"])


def test_groups_nest_two_deep(api: Api) -> None:
    """As (1 OR 2) AND (3 OR 4), and no deeper; a group holds groups or single filters, never both."""
    name, role = one("name", "=", "Ada"), one("role", "=", "user")
    either = group("OR", name, role)
    assert status(api, group("AND", either, either)) == 200
    for query in (group("AND", group("OR", either)), group("AND", either, role), group("AND"), group("AND", 7)):
        assert status(api, query) == 400


@pytest.mark.parametrize("operator", ["AND", "OR"])
def test_a_group_holds_15_filters(api: Api, operator: str) -> None:
    filters = [one("name", "=", str(number)) for number in range(16)]
    assert status(api, group(operator, *filters[:15])) == 200
    assert "at most 15" in api.refusal("POST", "/contacts/search", {"query": group(operator, *filters)})[2]


def test_archived_attribute_is_not_searched(api: Api) -> None:
    made = api.attribute("plan")
    assert status(api, one("custom_attributes.plan", "=", "pro")) == 200
    api.ok("PUT", f"/data_attributes/{made['id']}", {"archived": True})
    assert status(api, one("custom_attributes.plan", "=", "pro")) == 400


@pytest.mark.parametrize("field", ["segment_id", "formatted_phone"])
def test_unkept_search_field_is_501(api: Api, field: str) -> None:
    assert status(api, one(field, "=", "x")) == 501


def test_every_described_search_field_is_known() -> None:
    """The fields stand in a table of the description."""
    api = Api()
    paths = yaml.load(DESCRIPTION.read_text(encoding="utf-8"), yaml.CSafeLoader)["paths"]
    table = paths["/contacts/search"]["post"]["description"].split("### Accepted Fields")[1]
    table = table.split("### Accepted Operators")[0]
    fields = re.findall(r"\| ([a-z_.]+) +\|", table)
    assert len(fields) > 40
    for field in fields:
        answer = api("POST", "/contacts/search", {"query": one(field, "=", None)})
        assert "Unknown search field" not in answer.text, field
