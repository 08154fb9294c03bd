"""A browser's write key is known to everyone: nobody may set another person's data with it."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest

from segment_intercom import Settings, user_hash, user_jwt
from segment_intercom.api import UserRef

from .conftest import BROWSER, SECRET, Received, said

ANN, BOB = "ann@example.com", "bob@example.com"


def hash_of(identifier: str, secret: str = SECRET) -> dict[str, Any]:
    return {"Intercom": {"user_hash": user_hash(secret, identifier)}}


def token_of(secret: str = SECRET, **claims: Any) -> dict[str, Any]:
    # Made when tests are collected, which may be long before they run.
    return {"Intercom": {"intercom_user_jwt": user_jwt(secret, claims, 86_400)}}


def forged(**changes: Any) -> dict[str, Any]:
    """A token of Ann's own making."""
    claims = {"user_id": "bob", "exp": int(time.time()) + 86_400} | changes.pop("claims", {})
    key = changes.pop("key", SECRET.ljust(64, "\0"))
    return {"Intercom": {"intercom_user_jwt": jwt.encode({k: v for k, v in claims.items() if v}, key, **changes)}}


@pytest.mark.parametrize("place", ["context", "integrations"])
@pytest.mark.parametrize("proof", [hash_of("ann"), token_of(user_id="ann")], ids=["hash", "token"])
def test_a_proof_lets_a_user_speak(received: Received, place: str, proof: dict[str, Any]) -> None:
    traits = {"plan": "pro"}
    assert received.post("identify", {"userId": "ann", "traits": traits, place: proof}, BROWSER).status == 200
    assert received.post("track", {"userId": "ann", "event": "Baked", place: proof}, BROWSER).status == 200
    identify, track = received.calls
    assert UserRef.of(identify)[:2] == UserRef.of(track)[:2] == ("ann", None)
    assert identify.traits == traits


def test_a_proof_is_not_stored(received: Received) -> None:
    received.post("track", {"userId": "ann", "event": "Baked", "context": hash_of("ann")}, BROWSER)
    assert user_hash(SECRET, "ann") not in str(received.calls[0].context) + str(received.calls[0].integrations)


OF_BOB: list[dict[str, Any]] = [
    {"userId": "bob"},
    {"userId": "bob", "context": hash_of("ann")},
    {"userId": "bob", "context": hash_of("bob", "another secret")},
    {"userId": "bob", "context": {"Intercom": {"user_hash": ""}}},
    {"userId": "bob", "context": {"Intercom": {"user_hash": user_hash(SECRET, "ann")}}, "integrations": hash_of("ann")},
    {"userId": "bob", "context": token_of(user_id="ann")},
    {"userId": "bob", "context": forged(algorithm="HS256", key="x" * 32)},
    {"userId": "bob", "context": forged(algorithm="HS512")},
    {"userId": "bob", "context": forged(algorithm="none", key=None)},
    {"userId": "bob", "context": forged(algorithm="HS256", claims={"exp": None})},
    {"userId": "bob", "context": forged(algorithm="HS256", claims={"exp": int(time.time()) - 5})},
    {"userId": BOB},
    {"userId": BOB, "context": hash_of("bob")},
    {"userId": f" {BOB} ", "context": hash_of(BOB)},
    {"userId": {"id": "bob"}},
    {"traits": {"email": BOB}},
    {"traits": {"E-Mail": BOB}, "context": hash_of("ann")},
    {"traits": {"email": BOB}, "context": token_of(user_id="ann")},
    {"traits": {"userId": "bob", "traits": {"plan": "x"}}},
    {"traits": {"userId": "bob"}, "properties": {"userId": "bob"}},
    {"userId": None, "context": {"traits": {"email": BOB}}},
    {"properties": {"email": BOB}},
    {"properties": {"e_mail": BOB, "email": "none"}},
    {"context": {"traits": {"email": BOB}, **hash_of("ann")}},
]


@pytest.mark.parametrize("kind", ["identify", "track"])
@pytest.mark.parametrize("message", OF_BOB, ids=str)
def test_nobody_speaks_for_another(received: Received, kind: str, message: dict[str, Any]) -> None:
    answer = received.post("batch", {"batch": [{"type": kind, "event": "Baked", **message}]}, BROWSER)
    assert answer.status in (200, 400, 403)
    assert received.calls == []


def test_email_needs_its_own_proof(received: Received) -> None:
    traits = {"email": BOB, "E-mail": BOB, "plan": "pro"}
    received.post("identify", {"userId": "ann", "traits": traits, "context": hash_of("ann")}, BROWSER)
    event = {"userId": "ann", "event": "Baked", "properties": {"email": BOB}}
    received.post("track", {**event, "context": {**hash_of("ann"), "traits": {"email": BOB}}}, BROWSER)
    assert BOB not in str(received.calls) + str([call.context for call in received.calls])
    signed = token_of(user_id="ann", email=ANN)
    received.post("identify", {"userId": "ann", "traits": {"email": ANN}, "context": signed}, BROWSER)
    received.post("identify", {"traits": {"email": ANN}, "context": hash_of(ANN)}, BROWSER)
    assert [UserRef.of(call)[:2] for call in received.calls[2:]] == [("ann", ANN), (None, ANN)]  # type: ignore[arg-type]


def test_browser_cannot_set_server_fields(received: Received) -> None:
    """Companies, subscriptions and the address are for the site's servers to say."""
    message = {
        "userId": "ann",
        "traits": {"company": {"id": "c1"}, "Companies": [], "unsubscribedFromEmails": True, "plan": "pro"},
        "context": {"ip": "1.1.1.1", "Intercom": {**hash_of("ann")["Intercom"], "unsubscribedFromEmails": True}},
    }
    received.post("identify", message, BROWSER, user_agent="Firefox")
    (call,) = received.calls
    assert call.traits == {"plan": "pro"}
    assert call.context == {"ip": "203.0.113.7", "userAgent": "Firefox"}
    assert call.options == {"createAttributes": False}


def test_browser_cannot_set_company(received: Received) -> None:
    answer = received.post("group", {"userId": "ann", "groupId": "g", "context": hash_of("ann")}, BROWSER)
    assert (answer.status, received.calls) == (403, [])


def test_visitor_calls_have_no_effect(received: Received) -> None:
    for path in ("page", "screen", "alias", "identify", "track"):
        message = {"anonymousId": "a", "event": "Seen", "properties": {"email": 5}}
        assert received.post(path, message, BROWSER).status == 200
    assert received.calls == []
    assert received.collector.counts == {"without effect": 5}


def test_batch_skips_refused_messages(received: Received) -> None:
    """The batch as a whole is refused only where each of its messages is."""
    good = {"type": "track", "event": "Baked", "userId": "ann", "context": hash_of("ann")}
    bad = {"type": "track", "event": "Baked", "userId": "bob", "context": hash_of("ann")}
    answer = received.post("batch", {"batch": [bad, good]}, BROWSER)
    assert (answer.status, said(answer)["refused"]) == (200, 1)
    assert [call.user_id for call in received.calls] == ["ann"]  # type: ignore[attr-defined]
    assert received.post("batch", {"batch": [bad, bad]}, BROWSER).status == 403
    assert "bob" not in said(answer)["reasons"][0]["message"]


def test_missing_secret_admits_only_visitors() -> None:
    received = Received(Settings(app_id="abc12345", browser_write_keys=[BROWSER]))
    answer = received.post("track", {"userId": "ann", "event": "Baked", "context": hash_of("ann")}, BROWSER)
    assert answer.status == 403
    assert "INTERCOM_IDENTITY_SECRET" in said(answer)["message"]
    assert received.post("track", {"anonymousId": "a", "event": "Baked"}, BROWSER).status == 200


def test_each_secret_proves() -> None:
    received = Received(
        Settings(app_id="abc12345", browser_write_keys=[BROWSER], identity_secret=["new secret", "old secret"])
    )
    for secret in ("new secret", "old secret"):
        for proof in (hash_of("ann", secret), token_of(secret, user_id="ann")):
            assert received.post("track", {"userId": "ann", "event": "e", "context": proof}, BROWSER).status == 200


def test_browser_message_ids_are_separate(received: Received) -> None:
    """A browser's call cannot suppress a server's call of the same message id."""
    message = {"userId": "ann", "event": "Baked", "messageId": "order-17", "context": hash_of("ann")}
    received.post("track", message, BROWSER)
    received.post("track", message)
    assert [call.message_id for call in received.calls] == ["browser order-17", "order-17"]


def test_classic_api_drops_browser_attributes(caplog: pytest.LogCaptureFixture) -> None:
    """The classic API would create an attribute for every unknown trait that a browser sends."""
    received = Received(
        Settings(app_id="abc12345", browser_write_keys=[BROWSER], identity_secret=SECRET, api_version="1.4")
    )
    traits = {"name": "Ann", "colour": "red"}
    received.post("identify", {"userId": "ann", "traits": traits, "context": hash_of("ann")}, BROWSER)
    assert received.calls[0].traits == {"name": "Ann"}  # type: ignore[attr-defined]
    assert "custom attributes are left out" in caplog.text


def test_a_browser_takes_nobodys_lead() -> None:
    settings = Settings(identity_secret=SECRET, browser_write_keys=[BROWSER], leads=True)
    received = Received(settings)
    received.post("identify", {"userId": "ann", "anonymousId": "bobs", "context": hash_of("ann")}, BROWSER)
    received.post("identify", {"anonymousId": "bobs", "traits": {"email": ANN}, "context": hash_of(ANN)}, BROWSER)
    assert [call.anonymous_id for call in received.calls] == [None, None]


def test_a_browser_names_no_other_workspace() -> None:
    settings = Settings(
        app_id="abc12345", identity_secret=SECRET, browser_write_keys=[BROWSER], workspaces={"other123": "t"}
    )
    received = Received(settings)
    for place in ("context", "integrations"):
        options = {"Intercom": {"appId": "other123", **hash_of("ann")["Intercom"]}}
        received.post("identify", {"userId": "ann", "traits": {"plan": "pro"}, place: options}, BROWSER)
    assert [call.app_id for call in received.calls] == [None, None]
