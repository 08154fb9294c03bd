"""Traits: dates, names, amounts and nested values, beyond what the cases say."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segment_intercom import Identify, Settings, TraitError, messenger_settings
from segment_intercom._json import dumps
from segment_intercom.traits.companies import name_hash
from segment_intercom.traits.dates import seconds
from segment_intercom.traits.names import plain_name
from segment_intercom.traits.numbers import amount

MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))
LENIENT = Settings(app_id="abc12345", strict=False)


def floor(moment: datetime) -> int:
    return (
        (moment - datetime(1970, 1, 1, tzinfo=UTC)).days * 86400
        + moment.hour * 3600
        + moment.minute * 60
        + moment.second
    )


@given(MOMENTS)
def test_all_forms_of_one_moment_agree(moment: datetime) -> None:
    whole = floor(moment)
    assert seconds(moment) == whole
    assert seconds(moment.isoformat()) == whole
    assert seconds(moment.replace(tzinfo=None)) == whole
    assert seconds(moment.strftime("%a %b %d {:04d} %H:%M:%S GMT+0000 (UTC)").format(moment.year)) == whole


@given(st.integers(0, 31_557_600_000 - 1), st.integers(0, 999))
def test_seconds_and_milliseconds_agree(whole: int, milliseconds: int) -> None:
    assert seconds(whole) == whole
    if whole * 1000 >= 31_557_600_000:
        assert seconds(whole * 1000 + milliseconds) == whole
        assert seconds(Decimal(whole * 1000 + milliseconds)) == whole


@given(st.text() | st.floats() | st.integers() | st.binary() | st.none())
def test_anything_is_a_date_or_none(value: Any) -> None:
    assert isinstance(seconds(value), int | None)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("Mar 24, 2016", 1458777600),
        ("24 March 2016 17:46:45 +0100", 1458838005),
        ("24-Mar-2016 17:46", 1458841560),
        ("2016/03/24", 1458777600),
        ("3/24/16", 1458777600),
        ("Thu Mar 24 2016 05:46:45 PM EST", 1458859605),
        ("Thu, 24 Mar 2016 17:46:45 GMT", 1458841605),
        ("20160324T174645Z", 1458841605),
        ("2016-03-24 17:46:45 UTC", 1458841605),
        ("2016-03-24 5:46:45 PM", 1458841605),
        ("2016-3-24", 1458777600),
        ("3-24-2016", 1458777600),
        ("2016-03-24t17:46:45z", 1458841605),
        ("2016-03-24T17:46:45+25:00", None),
        ("Mar 24 2016 13:00 PM", None),
        ("2016-03-24T17:46:45,5+01", 1458838005),
        ("12:00:00 AM Mar 24 2016", 1458777600),
        ("Mar 2016 32", None),
        ("2016-03-24T25:00", None),
        ("Mar 24", None),
        ("17:46:45", None),
        ("March-April", None),
        ("0000-01-01", None),
        ("٢٠١٦-٠٣-٢٤", None),
        ("", None),
    ],
)
def test_what_javascript_parses_is_a_date(text: str, whole: int | None) -> None:
    assert seconds(text) == whole


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(value, id=name)
        for name, value in {
            "the year 10000": 253_402_300_800_000,
            "microseconds": 1_458_841_605_999_000,
            "the year 0": -62_135_596_801,
            "thousands of digits": 10**5000,
            "a year of 20 digits": "Jan 1 99999999999999999999",
            "thousands of digits as text": "1" * 5000,
            "microseconds as text": "1458841605999000",
            "a year of thousands": f"{'9' * 4301}-01-01",
            "a time of thousands": "2014-01-01T" + "0" * 5000,
        }.items()
    ],
)
def test_date_beyond_year_range_is_none(value: object) -> None:
    """What lies before the year 1 or after the year 9999 is no date."""
    assert seconds(value) is None


def test_last_second_of_9999_is_date() -> None:
    assert seconds(253_402_300_799_999) == 253_402_300_799


@pytest.mark.parametrize(("name", "hashed"), [("Segment", 2017828326), ("Acme Inc", 3302265675), ("日本", 6112844)])
def test_company_name_hash_equals_string_hash(name: str, hashed: int) -> None:
    assert name_hash(name) == hashed


@given(st.text())
def test_company_name_hash_has_32_bits(name: str) -> None:
    assert 0 <= name_hash(name) < 2**32


def test_plain_name_ignores_case_and_punctuation() -> None:
    assert {plain_name(name) for name in ("first_name", "First Name", "firstName", "FIRST-NAME")} == {"firstname"}


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("$1,234.50", 1234.5),
        ("19.99", 19.99),
        (20.0, 20),
        ("12", 12),
        ("-3", -3),
        ("1,2", None),
        (True, None),
        ("x", None),
    ],
)
def test_an_amount_is_read_exactly(value: Any, read: float | None) -> None:
    assert amount(value) == read
    assert type(amount(value)) is type(read)


KEYS = st.text(max_size=8) | st.sampled_from(
    ["__proto__", "constructor", "a.b", "a", "email", "company", "created_at", "</script>"]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.decimals()
    | st.datetimes()
    | st.dates()
    | st.uuids()
    | st.binary(max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3) | st.tuples(inner),
    max_leaves=6,
)


@given(st.dictionaries(KEYS, VALUES, max_size=5), st.sampled_from(["flatten", "stringify", "drop"]))
def test_any_traits_give_settings_or_error(traits: dict[str, Any], handling: Any) -> None:
    settings = Settings(app_id="abc12345", nested_handling=handling)
    try:
        page_settings = messenger_settings(Identify("u", traits), settings)
    except TraitError:
        return
    assert json.loads(dumps(page_settings)) == page_settings


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_production_gives_settings_for_any_traits(traits: dict[str, Any]) -> None:
    page_settings = messenger_settings(Identify("u", traits), LENIENT)
    assert page_settings["user_id"] == "u"
    assert json.loads(dumps(page_settings)) == page_settings


UNDOTTED = st.text(st.characters(exclude_characters="."), max_size=8)


@given(st.dictionaries(UNDOTTED, st.text(max_size=8) | st.integers(-(2**53) + 1, 2**53 - 1) | st.booleans()))
def test_unknown_scalar_traits_stay_unchanged(traits: dict[str, Any]) -> None:
    """Scalar traits whose names mean nothing to Intercom arrive as custom attributes, unchanged."""
    custom = {f"x{name}": value for name, value in traits.items()}
    attributes = messenger_settings(Identify("u", custom), LENIENT).get("custom_attributes", {})
    assert attributes == custom


@pytest.mark.parametrize("value", [math.nan, math.inf, {"a": {1, 2}}.keys, lambda: 1])
def test_dumps_refuses_values_outside_json(value: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        dumps({"a": [value]})


def test_attributes_are_bounded_with_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    for traits in ({"tags": list(range(10_000))}, {f"t{number}": number for number in range(300)}):
        caplog.clear()
        page_settings = messenger_settings(Identify("u", traits), LENIENT)
        assert len(page_settings["custom_attributes"]) == 250
        assert [record.message.count("beyond the 250") for record in caplog.records] == [1]


class Row(NamedTuple):
    """As a database's row."""

    id: int
    name: str


def test_company_row_is_one_company() -> None:
    """A named tuple is an object with fields, not a list of companies."""
    page_settings = messenger_settings(Identify("u", {"company": Row(813, "Acme")}), LENIENT)
    assert (page_settings["company"], "companies" in page_settings) == ({"company_id": "813", "name": "Acme"}, False)


@pytest.mark.parametrize("name", [{"a": 1}, ["Acme"], True])
def test_unreadable_company_name_is_warned_of(name: Any, caplog: pytest.LogCaptureFixture) -> None:
    page_settings = messenger_settings(Identify("u", {"company": {"id": 1, "name": name}}), LENIENT)
    assert page_settings["company"] == {"company_id": "1"}
    assert "'company.name': must be text or a number" in caplog.text


def test_companies_are_bounded_with_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    companies = [{"id": number} for number in range(1_500)]
    page_settings = messenger_settings(Identify("u", {"companies": companies}), LENIENT)
    assert len(page_settings["companies"]) == 1_000
    assert [record.message.count("more than 1000") for record in caplog.records] == [1]
