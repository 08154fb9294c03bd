"""A call as it waits for delivery: read again, it means what it meant, whatever was handed in."""

from __future__ import annotations

import enum
import json
import logging
from collections import OrderedDict, UserString
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from segment_intercom import CallError, Group, Identify, Settings, Track, TraitError, parse, rest_operations
from segment_intercom.calls import Call
from segment_intercom.diagnostics import Diagnostics
from segment_intercom.serialize import read, whole_text, write

WHEN = 1_500_000_000


class Plan(enum.Enum):
    PRO = "pro"


@dataclass
class Address:
    city: str
    since: date


class Row:
    """What a database's row looks like: attributes, of which a company's are read."""

    def __init__(self, **columns: Any) -> None:
        self.__dict__.update(columns)


def round_trip(call: Call, *, strict: bool = True) -> Call:
    return parse(read(write(call, Diagnostics(strict))))


def sent(call: Call, **settings: Any) -> list[Any]:
    return [
        (operation.method, operation.path, operation.body) for operation in rest_operations(call, Settings(**settings))
    ]


def whole(value: Any) -> Any:
    """Values with all texts whole, as they are once they have waited."""
    if isinstance(value, str):
        return whole_text(value)
    if isinstance(value, dict):
        return {name: whole(item) for name, item in value.items()}
    return [whole(item) for item in value] if isinstance(value, list) else value


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12)
    | st.text(st.characters(exclude_categories=[]), max_size=8)
    | st.datetimes()
    | st.datetimes(timezones=st.just(UTC))
    | st.dates()
    | st.uuids()
    | st.sampled_from(Plan)
    | st.sampled_from(["2014-01-01", "2014-01-01T10:00:00Z", "1363902294", "$1.5"])
    | st.builds(Address, st.text(max_size=4), st.dates()),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.frozensets(st.integers(), max_size=3)
        | st.dictionaries(st.text(max_size=6) | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)
# A date in the place of a text, which no field of that kind takes from the call itself, is read again as a text.
TEXTS = {name: st.text(max_size=5) for name in ("email", "name", "phone", "currency", "avatar")}
TRAITS = st.builds(
    lambda some, texts: {**some, **texts},
    st.dictionaries(
        st.sampled_from(["createdAt", "lastRequestAt", "revenue", "a", "b"]) | st.text(max_size=3), VALUES, max_size=5
    ),
    st.fixed_dictionaries({}, optional=TEXTS),
)
COMPANY = st.fixed_dictionaries(
    {"id": st.integers() | st.uuids() | st.text(max_size=4)},
    optional={"name": st.text(max_size=5), "plan": VALUES, "createdAt": VALUES, "monthlySpend": VALUES, "x": VALUES},
)
CALLS = st.one_of(
    st.builds(Identify, st.just("u"), TRAITS, context=TRAITS),
    st.builds(
        lambda traits, company: Identify("u", {**traits, "company": company}),
        TRAITS,
        COMPANY | st.lists(COMPANY, max_size=2) | st.text(max_size=5) | COMPANY.map(lambda fields: Row(**fields)),
    ),
    st.builds(Track, st.just("Paid"), TRAITS, st.just("u")),
    st.builds(Group, st.just("c"), TRAITS, st.just("u")),
)


@given(call=CALLS, version=st.sampled_from(["1.4", "2.16"]))
@example(call=Track("Paid", {"createdAt": "\ud800"}, "u"), version="2.16")
@example(call=Identify("u", {"company": {"id": -(2**63) - 1}}), version="1.4")
def test_round_trip_keeps_rest_operations(call: Call, version: str) -> None:
    """Only halves of surrogate pairs differ, for they are replaced on the way."""
    call = replace(call, timestamp=WHEN)
    try:
        expected = sent(call, api_version=version)
    except TraitError:
        assume(False)
    operations = sent(round_trip(call), api_version=version)
    assert operations == [(method, path, whole(body)) for method, path, body in expected]


@given(call=CALLS)
def test_written_call_is_plain_json(call: Call) -> None:
    text = write(call, Diagnostics(False))
    assert json.loads(text) == read(text)


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2014, 1, 1, 12, tzinfo=UTC),
        datetime(2014, 1, 1, 12),
        datetime(2014, 1, 1, 14, tzinfo=timezone(timedelta(hours=2))),
        "2014-01-01T12:00:00Z",
    ],
)
def test_a_date_stays_a_date(moment: Any) -> None:
    call = round_trip(Identify("u", {"since": moment, "list": [{"since": moment}]}, timestamp=WHEN))
    (operation,) = rest_operations(call, Settings())
    assert operation.body
    assert operation.body["custom_attributes"] == {"since_at": 1388577600, "list_0_since_at": 1388577600}


@pytest.mark.parametrize(
    "moment",
    [
        datetime.min,
        datetime.max,
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
        datetime(9999, 12, 31, tzinfo=timezone(timedelta(hours=-23, minutes=-59))),
    ],
)
def test_extreme_dates_survive_round_trip(moment: datetime) -> None:
    call = Identify("u", {"since": moment, "list": {1}}, timestamp=WHEN)
    assert sent(round_trip(call)) == sent(call)


def test_missing_timestamp_becomes_current_time() -> None:
    before = datetime.now(UTC)
    restored = round_trip(Track("Paid", user_id="u"))
    assert isinstance(restored.timestamp, str)
    assert before <= datetime.fromisoformat(restored.timestamp) <= datetime.now(UTC)


@pytest.mark.parametrize("timestamp", [datetime(2014, 1, 1, tzinfo=UTC), 1388534400, "2014-01-01T00:00:00Z"])
def test_timestamp_survives_in_any_form(timestamp: Any) -> None:
    ((_, _, body),) = sent(round_trip(Track("Paid", user_id="u", timestamp=timestamp)))
    assert body["created_at"] == 1388534400


def test_lone_surrogates_are_replaced() -> None:
    """The two halves of a whole pair become the character that they stand for."""
    call = round_trip(Identify("u\ud800", {"a\udfff": "b\ud83d", "n": [{"\udc00": "\ud83d\ude00"}]}))
    assert isinstance(call, Identify)
    assert (call.user_id, call.traits) == ("u\ufffd", {"a\ufffd": "b\ufffd", "n": [{"\ufffd": "\U0001f600"}]})


def test_large_numbers_keep_their_digits() -> None:
    """Whole numbers that JavaScript cannot hold travel as texts."""
    call = Identify("u", {"big": 2**64 + 1, "edge": 2**53 + 1, "cents": Decimal("0.10"), "whole": Decimal("3.0")})
    ((_, _, body),) = sent(round_trip(call))
    assert body["custom_attributes"] == {"big": str(2**64 + 1), "edge": str(2**53 + 1), "cents": 0.1, "whole": 3}


def test_money_is_kept_to_the_cent() -> None:
    ((_, _, body),) = sent(round_trip(Track("Paid", {"revenue": Decimal("19.99")}, "u", timestamp=WHEN)))
    assert body["metadata"]["price"] == {"amount": 1999, "currency": "USD"}


def test_database_row_companies_are_read_immediately() -> None:
    """Only a company's own fields are read of a row, so that a password never waits in the outbox."""
    row = Row(id=813, name="Teemo", plan=Plan.PRO, created_at=date(2014, 1, 1), monthly_spend=Decimal(5), password="p")
    written = write(Identify("u", {"company": row}), Diagnostics(True))
    assert b"password" not in written
    (_, saved, _) = rest_operations(parse(read(written)), Settings())
    expected = {"company_id": "813", "name": "Teemo", "plan": "pro", "monthly_spend": 5}
    assert saved.body == {**expected, "remote_created_at": 1388534400}


def test_special_types_become_plain_values() -> None:
    uuid = UUID(int=5)
    traits = {"a": UserString("lazy"), "b": uuid, "c": Plan.PRO, "d": OrderedDict(x=1), "e": (1, 2), 6: True}
    call = round_trip(Identify("u", traits))
    assert isinstance(call, Identify)
    assert call.traits == {"a": "lazy", "b": str(uuid), "c": "pro", "d": {"x": 1}, "e": [1, 2], "6": True}


@pytest.mark.parametrize("bad", [float("nan"), Decimal("Infinity"), b"bytes", object(), 1j])
def test_unsendable_value_is_refused_by_name(bad: Any, caplog: pytest.LogCaptureFixture) -> None:
    """In strict mode it raises; otherwise its trait is left out with a warning."""
    call = Identify("u", {"good": 1, "bad": {"inner": bad}})
    with pytest.raises(TraitError, match=r"bad\.inner"):
        write(call, Diagnostics(True))
    caplog.set_level(logging.WARNING)
    restored = round_trip(call, strict=False)
    assert isinstance(restored, Identify)
    assert restored.traits == {"good": 1}
    assert "bad.inner" in caplog.text


def test_cyclic_trait_is_left_out() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    restored = round_trip(Identify("u", {"good": 1, "bad": cycle}), strict=False)
    assert isinstance(restored, Identify)
    assert restored.traits == {"good": 1}


def test_writing_leaves_traits_unchanged() -> None:
    traits = {"company": {"id": 1, "createdAt": date(2014, 1, 1)}, "list": [{1, 2}]}
    copy = {"company": {"id": 1, "createdAt": date(2014, 1, 1)}, "list": [{1, 2}]}
    write(Identify("u", traits), Diagnostics(True))
    assert traits == copy


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"nonsense", b"[" * 100_000])
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(CallError, match="message: is not valid JSON"):
        read(text)


def test_careful_writing_leaves_date_text_unchanged() -> None:
    """A key that is no text forces the careful way, in which texts like dates stay texts."""
    call = Identify("2014-01-01", {"name": "2014-01-01", "since": "2014-01-01", "x": {1: "2014-01-01T00:00:00Z"}})
    message = read(write(call, Diagnostics(True)))
    assert message["userId"] == "2014-01-01"
    assert message["traits"] == {"name": "2014-01-01", "since": "2014-01-01", "x": {"1": "2014-01-01T00:00:00Z"}}


@pytest.mark.parametrize("timestamp", [{}, [], "no date", True])
def test_unreadable_timestamp_is_replaced(timestamp: Any) -> None:
    written = json.loads(write(Track("Baked", {}, "u", timestamp=timestamp), Diagnostics(strict=False)))
    assert written["timestamp"].startswith("20")
