"""The mapping to the Messenger: every case of tests/cases, and what JSON cannot say."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections import deque
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from segment_intercom import CallError, Group, Identify, Settings, TraitError, messenger_settings, parse
from segment_intercom._json import dumps
from segment_intercom.messenger import in_line, messenger_commands

CASES = [
    pytest.param(case, id=f"{path.stem}: {case['name']}")
    for path in sorted(Path(__file__).parents[1].joinpath("cases").glob("*.json"))
    for case in json.loads(path.read_text(encoding="utf-8"))
    if "messenger" in case
]


@pytest.mark.parametrize("case", CASES)
def test_case(case: dict[str, Any]) -> None:
    settings = Settings(app_id="abc12345", **case.get("settings", {}))
    calls = [parse(message) for message in case["calls"]]
    before = json.dumps(case["calls"])
    commands = messenger_commands(calls, settings)
    assert commands == case["messenger"]
    told = [command for command in commands if command[0] in ("boot", "update")]
    assert not told or in_line(messenger_settings(calls, settings)) == told[-1][1]
    assert json.dumps(case["calls"]) == before, "inputs are never changed"


PLAIN_NAMES = st.sampled_from(
    "plan,seats,email,Name,name,first_name,Last Name,createdAt,created,id,phone,z_index,monthlySpend,a.b,avatar,"
    "company,role,custom_attributes,__proto__,user_id".split(",")
)
PLAIN_VALUES = (
    st.sampled_from(["", " ", "pro", "a@b.co", "2014-01-01", "2014-13-01", "12-5", "2014-01-01T10:00:00Z"])
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.none()
    | st.sampled_from([{"a": 1}, ["x"], Decimal("1.5"), datetime(2014, 1, 1)])
)


@given(st.dictionaries(PLAIN_NAMES, PLAIN_VALUES, max_size=8), st.sampled_from(["u", "u@b.co", None]))
def test_fast_path_equals_longer_way(traits: dict[str, Any], user_id: str | None) -> None:
    settings = Settings(app_id="abc12345", identity_secret="s", strict=False, messenger={"alignment": "left"})
    call = Identify(user_id, traits)
    fast = messenger_settings(call, settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("segment_intercom.messenger.settings.plain_profile", lambda *_: None)
        longer = messenger_settings(call, settings)
    assert dumps(fast) == dumps(longer)
    assert list(fast) == list(longer)


class Tier(Enum):
    GOLD = "gold"


@dataclasses.dataclass
class Address:
    city: str
    lines: tuple[str, ...]


class Row:
    """A database row: some attributes, of which only id and name are anybody's business."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


class Lazy:
    """As Flask-Babel's lazy strings: not a str, but answers for one."""

    def __getattr__(self, name: str) -> Any:
        return getattr("Willkommen", name)

    def __str__(self) -> str:
        return "Willkommen"


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (Decimal("12.00"), {"t": 12}),
        (Decimal("12.5"), {"t": 12.5}),
        (2**53, {"t": str(2**53)}),
        (2.0, {"t": 2}),
        (UUID(int=1), {"t": "00000000-0000-0000-0000-000000000001"}),
        (Tier.GOLD, {"t": "gold"}),
        (Lazy(), {"t": "Willkommen"}),
        (datetime(2014, 1, 1), {"t_at": 1388534400}),
        (datetime(2014, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), {"t_at": 1388534400}),
        (datetime(2014, 1, 1, 0, 0, 0, 999_999, tzinfo=UTC), {"t_at": 1388534400}),
        (date(2014, 1, 1), {"t_at": 1388534400}),
        (Address("Bern", ("a", "b")), {"t_city": "Bern", "t_lines_0": "a", "t_lines_1": "b"}),
        (Row(id=7, name="Ann", password="hunter2"), {"t_id": 7, "t_name": "Ann"}),
        ({"b", "a"}, {"t_0": "a", "t_1": "b"}),
        ({1: "one"}, {"t_1": "one"}),
    ],
)
def test_python_value_becomes_plain_value(value: Any, sent: dict[str, Any], unverified: Settings) -> None:
    page_settings = messenger_settings(Identify("u", {"t": value}), unverified)
    assert page_settings["custom_attributes"] == sent
    assert {key: type(item) for key, item in page_settings["custom_attributes"].items()} == {
        k: type(v) for k, v in sent.items()
    }


CYCLE: list[Any] = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize(
    ("value", "field", "remedy"),
    [
        (float("nan"), "t", "finite"),
        (float("-inf"), "t", "finite"),
        (Decimal("NaN"), "t", "finite"),
        (CYCLE, "t.0", "contains itself"),
        (b"secret-bytes", "t", "bytes; accepted are"),
        (object(), "t", "intercom_traits"),
        ({"deep": [1, {2: object()}]}, "t.deep.1.2", "unknown type object"),
        (1j, "t", "complex"),
        ({("a",): 1}, "t", "keys are text"),
        (Row, "t", "class"),
    ],
)
def test_unsendable_trait_error_names_field(value: Any, field: str, remedy: str, unverified: Settings) -> None:
    with pytest.raises(TraitError, match=remedy) as caught:
        messenger_settings(Identify("u", {"t": value}), unverified)
    assert caught.value.field == field


def test_production_drops_and_logs_bad_trait(caplog: pytest.LogCaptureFixture) -> None:
    """Without strictness a bad trait is left out, and the log names it but never shows its value."""
    lenient = Settings(app_id="abc12345", strict=False)
    page_settings = messenger_settings(Identify("u", {"bad": b"secret-bytes", "good": 1}), lenient)
    assert page_settings["custom_attributes"] == {"good": 1}
    assert "'bad'" in caplog.text
    assert "secret-bytes" not in caplog.text


def test_too_deep_nesting_is_refused(unverified: Settings) -> None:
    value: Any = 1
    for _ in range(100):
        value = [value]
    with pytest.raises(TraitError, match="levels deep"):
        messenger_settings(Identify("u", {"t": value}), unverified)


@pytest.mark.parametrize("created", [b"x", object(), float("nan"), "someday", [2014]])
def test_invalid_date_is_dropped_with_warning(
    created: Any, unverified: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    assert "created_at" not in messenger_settings(Identify("u", {"createdAt": created}), unverified)
    assert len(caplog.records) == 1


def test_reserved_trait_stays_custom_with_warning(unverified: Settings, caplog: pytest.LogCaptureFixture) -> None:
    """A trait named like a key of the Messenger stays a custom attribute and overrides nothing."""
    page_settings = messenger_settings(Identify("u", {"app_id": "evil"}), unverified)
    assert page_settings == {"app_id": "abc12345", "user_id": "u", "custom_attributes": {"app_id": "evil"}}
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_visitor_sends_no_traits_or_proof(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    assert messenger_settings(Identify(None, {"plan": "pro"}), settings) == {"app_id": "abc12345"}
    assert "visitor" in caplog.text


def test_next_user_inherits_nothing(unverified: Settings) -> None:
    first = Identify("a", {"plan": "pro"}, integrations={"Intercom": {"user_hash": "abc"}})
    company = Group("1", {"name": "One"}, user_id="a")
    page_settings = messenger_settings([first, company, Identify("b", {})], unverified)
    assert page_settings == {"app_id": "abc12345", "user_id": "b"}


@pytest.mark.parametrize("company", [5, b"x", 1.5, [["nested"]]])
def test_invalid_company_is_refused(company: Any, unverified: Settings) -> None:
    with pytest.raises(TraitError, match="company"):
        messenger_settings(Identify("u", {"company": company}), unverified)


@pytest.mark.parametrize("identifier", [1.5, float("nan"), Decimal("sNaN"), object(), {}, True])
def test_company_with_unreadable_id_is_refused(identifier: Any) -> None:
    """A company is not taken for another by its name; without strictness it is left out."""
    call = Identify("u", {"company": {"id": identifier, "name": "Acme"}})
    with pytest.raises(TraitError, match=r"company\.id: must be a string, a whole number or a UUID"):
        messenger_settings(call, Settings(app_id="abc12345"))
    assert "company" not in messenger_settings(call, Settings(app_id="abc12345", strict=False))


@pytest.mark.parametrize(
    ("identifier", "sent"),
    [
        (Decimal(12345678901234567890123456789012), "12345678901234567890123456789012"),
        (7.0, "7"),
        (Tier.GOLD, "gold"),
    ],
)
def test_company_id_is_sent_as_text(identifier: Any, sent: str, unverified: Settings) -> None:
    page_settings = messenger_settings(Identify("u", {"company": {"id": identifier}}), unverified)
    assert page_settings["company"] == {"company_id": sent}


@pytest.mark.parametrize(
    "traits", [{"company": "", "companies": ["A", "B"]}, {"company": {"A", "B"}}, {"company": deque(["A", "B"])}]
)
def test_several_companies_all_arrive(traits: dict[str, Any], unverified: Settings) -> None:
    page_settings = messenger_settings(Identify("u", traits), unverified)
    assert sorted(company["name"] for company in page_settings["companies"]) == ["A", "B"]


@pytest.mark.parametrize("avatar", ["https://example.com/a.png", "http://[oops"])
def test_avatar_address_becomes_an_image(avatar: str, unverified: Settings) -> None:
    """What begins as a web address is one, as far as anybody can tell from outside."""
    page_settings = messenger_settings(Identify("u", {"avatar": avatar}), unverified)
    assert page_settings["avatar"] == {"type": "avatar", "image_url": avatar}
    assert "custom_attributes" not in page_settings


@pytest.mark.parametrize("avatar", ["javascript:alert(1)", "/a.png", 5])
def test_avatar_without_address_stays_custom_attribute(avatar: Any, unverified: Settings) -> None:
    page_settings = messenger_settings(Identify("u", {"avatar": avatar}), unverified)
    assert page_settings["custom_attributes"] == {"avatar": avatar}
    assert "avatar" not in page_settings


def test_rich_link_is_sent_unchanged() -> None:
    """A rich link stays as it is even where its value looks like a date."""
    link = {"url": "https://example.com", "value": "2014 in numbers"}
    page_settings = messenger_settings(Identify("u", {"l": link}), Settings(app_id="abc12345", rich_links=["l"]))
    assert page_settings["custom_attributes"] == {"l": link}


def test_returned_auth_tokens_are_copied() -> None:
    """What a caller adds to the tokens of one result does not reach the results of others."""
    settings = Settings(app_id="abc12345", messenger={"auth_tokens": {"a": "b"}})
    messenger_settings([], settings)["auth_tokens"]["ann"] = "hers"
    assert messenger_settings([], settings)["auth_tokens"] == {"a": "b"}


@pytest.mark.parametrize("calls", [[{"type": "page"}], {"type": "page"}, ["page"]])
def test_what_is_no_call_is_refused(calls: Any, unverified: Settings) -> None:
    with pytest.raises(CallError, match=r"parse\(\) reads"):
        messenger_settings(calls, unverified)


def test_company_row_sends_only_known_fields(unverified: Settings) -> None:
    row = Row(id=UUID(int=1), name="One", plan="gold", api_token="hunter2", created_at=datetime(2014, 1, 1))
    page_settings = messenger_settings(Identify("u", {"company": row}), unverified)
    assert page_settings["company"] == {
        "company_id": "00000000-0000-0000-0000-000000000001",
        "name": "One",
        "created_at": 1388534400,
        "plan": "gold",
    }


def test_proxy_is_read_as_its_value(unverified: Settings) -> None:
    from werkzeug.local import LocalProxy

    with Flask("proxy").app_context():
        proxied = {"text": LocalProxy(lambda: "x"), "day": LocalProxy(lambda: date(2014, 1, 1))}
        page_settings = messenger_settings(Identify("u", proxied), unverified)
    assert page_settings["custom_attributes"] == {"text": "x", "day_at": 1388534400}
