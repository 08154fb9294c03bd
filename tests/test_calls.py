"""Calls: Segment's messages read, ids as strings, errors that name the field."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segment_intercom import Alias, CallError, Group, Identify, Page, Screen, SegmentIntercomError, Track, parse


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ({"type": "identify", "userId": 7, "traits": {"a": 1}}, Identify("7", {"a": 1})),
        ({"type": "group", "groupId": "c", "userId": "u", "traits": None}, Group("c", user_id="u")),
        ({"type": "track", "event": "Signed Up", "userId": "u"}, Track("Signed Up", user_id="u")),
        ({"type": "page", "name": "Home", "category": "Docs"}, Page("Home", category="Docs")),
        ({"type": "screen", "name": "Home"}, Screen("Home")),
        ({"type": "alias", "previousId": "a", "userId": "b"}, Alias("a", "b")),
        ({"type": "identify", "anonymousId": "x", "messageId": "m"}, Identify(anonymous_id="x", message_id="m")),
    ],
)
def test_a_message_becomes_its_call(message: dict[str, Any], call: object) -> None:
    assert parse(message) == call


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ([], "message"),
        ({}, "type"),
        ({"type": "idenitfy"}, "type"),
        ({"type": ["identify"]}, "type"),
        ({"type": "identify", "userId": True}, "user_id"),
        ({"type": "identify", "userId": 1.5}, "user_id"),
        ({"type": "identify", "userId": ["u"]}, "user_id"),
        ({"type": "identify", "traits": []}, "traits"),
        ({"type": "group", "groupId": {}}, "group_id"),
        ({"type": "track"}, "event"),
        ({"type": "track", "event": " "}, "event"),
        ({"type": "page", "context": "x"}, "context"),
    ],
)
def test_a_malformed_message_names_the_field(message: Any, field: str) -> None:
    with pytest.raises(CallError) as caught:
        parse(message)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("given_id", "user_id"), [(2**70, str(2**70)), (UUID(int=1), str(UUID(int=1))), ("", None), (0, "0")]
)
def test_a_user_id_is_a_string(given_id: Any, user_id: str | None) -> None:
    assert Identify(given_id).user_id == user_id


def test_repr_hides_possible_proofs() -> None:
    call = Identify(
        "u", context={"Intercom": {"user_hash": "proof"}}, integrations={"Intercom": {"user_hash": "proof"}}
    )
    assert "proof" not in repr(call)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        "userId",
        "groupId",
        "anonymousId",
        "traits",
        "properties",
        "event",
        "context",
        "integrations",
        "timestamp",
        "name",
    ]
)


@given(st.dictionaries(FIELDS, JSON), st.sampled_from(["identify", "group", "track", "page", "screen", "alias"]))
def test_any_message_parses_or_is_refused(message: dict[str, Any], kind: str) -> None:
    try:
        call = parse({**message, "type": kind})
    except SegmentIntercomError:
        return
    assert isinstance(call.for_intercom, bool)
    assert isinstance(dict(call.options), dict)


WHOLE = {"userId": "u", "traits": {"plan": "pro"}, "context": {"active": False}, "integrations": {"All": False}}


@pytest.mark.parametrize(
    "call", [Identify(WHOLE), Identify(traits=WHOLE), Identify("", WHOLE), parse({"type": "identify", "traits": WHOLE})]
)
def test_single_object_is_the_whole_message(call: Identify) -> None:
    """An object with the fields of a message is the message itself where no user id stands beside it."""
    assert (call.user_id, call.traits, call.context) == ("u", {"plan": "pro"}, {"active": False})
    assert not call.for_intercom


def test_track_group_page_take_whole_message() -> None:
    track = Track({"event": "Paid", "properties": {"n": 1}, "userId": "u", "coupon": "x"})
    assert (track.event, track.properties, track.user_id) == ("Paid", {"n": 1, "coupon": "x"}, "u")
    group = Group({"groupId": "g", "traits": {"name": "One"}, "userId": "u"})
    assert (group.group_id, group.traits, group.user_id) == ("g", {"name": "One"}, "u")
    page = Page({"name": "Home", "properties": {"path": "/"}, "userId": "u"})
    assert (page.name, page.properties, page.user_id) == ("Home", {"path": "/"}, "u")


@pytest.mark.parametrize("traits", [{"context": "mobile"}, {"traits": 5}, {"event": "fair"}, {"properties": {"a": 1}}])
def test_message_like_traits_stay_traits(traits: dict[str, Any]) -> None:
    assert Identify(None, traits).traits == traits
    assert Identify("u", WHOLE).traits == WHOLE


def test_an_id_of_blanks_is_none() -> None:
    assert Identify(" ", anonymous_id="\n").user_id is None
    assert Group("\t").group_id is None
