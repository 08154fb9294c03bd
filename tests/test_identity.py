"""Identity: hash or token, the first secret signs, nothing secret leaves."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from segment_intercom import Identify, OptionError, Settings, messenger_settings, user_hash, user_jwt
from tests.conftest import APP_ID, SECRET

# Computed with `printf %s user1234 | openssl dgst -sha256 -hmac not-a-real-secret`.
HASH_OF_USER1234 = "ae364d7885ec1903a137a112633ee447f39b66bcebdfa096e5482a2d5a7563ea"
SIGNING = "a secret of at least thirty-two bytes"


def claims_of(page_settings: dict[str, Any], secret: str = SIGNING) -> dict[str, Any]:
    return jwt.decode(page_settings["intercom_user_jwt"], secret, algorithms=["HS256"], options={"require": ["exp"]})


def test_hash_is_hmac_of_user_id() -> None:
    assert user_hash(SECRET, "user1234") == HASH_OF_USER1234


def test_email_is_hashed_without_user_id(settings: Settings) -> None:
    """Where both are there, the hash is of the user id."""
    both = messenger_settings(Identify("user1234", {"email": "teemo@segment.com"}), settings)
    assert both["user_hash"] == HASH_OF_USER1234
    alone = messenger_settings(Identify(None, {"email": "teemo@segment.com"}), settings)
    assert alone["user_hash"] == user_hash(SECRET, "teemo@segment.com")


def test_the_first_of_several_secrets_signs() -> None:
    page_settings = messenger_settings(Identify("user1234"), Settings(app_id=APP_ID, identity_secret=[SECRET, "older"]))
    assert page_settings["user_hash"] == HASH_OF_USER1234


def test_missing_secret_gives_no_proof(unverified: Settings) -> None:
    assert messenger_settings(Identify("u"), unverified) == {"app_id": APP_ID, "user_id": "u"}


def test_a_visitor_needs_no_proof(settings: Settings) -> None:
    assert messenger_settings([], settings) == {"app_id": APP_ID}


def test_token_holds_user_and_expiry() -> None:
    settings = Settings(app_id=APP_ID, identity_secret=SIGNING, identity="jwt", identity_ttl=60)
    page_settings = messenger_settings(Identify(2**70), settings)
    claims = claims_of(page_settings)
    assert claims["user_id"] == page_settings["user_id"] == str(2**70)
    assert claims.keys() == {"user_id", "iat", "exp"}
    assert claims["exp"] - claims["iat"] == 60
    assert "user_hash" not in page_settings


def test_signed_fields_move_into_token() -> None:
    """They leave the page; the app id alone stays there and out of the token."""
    settings = Settings(
        app_id=APP_ID, identity_secret=SIGNING, identity="jwt", signed_fields=["email", "plan", "app_id", "missing"]
    )
    page_settings = messenger_settings(Identify("u", {"email": "a@example.com", "plan": "pro", "seats": 3}), settings)
    claims = claims_of(page_settings)
    assert claims.keys() == {"user_id", "email", "plan", "iat", "exp"}
    assert (claims["user_id"], claims["email"], claims["plan"]) == ("u", "a@example.com", "pro")
    assert page_settings["custom_attributes"] == {"seats": 3}
    assert "email" not in page_settings
    assert page_settings["app_id"] == APP_ID


def test_email_only_user_gets_hash() -> None:
    """A token needs a user id, so an email alone is proven by a hash even where tokens are chosen."""
    settings = Settings(app_id=APP_ID, identity_secret=SIGNING, identity="jwt")
    page_settings = messenger_settings(Identify(None, {"email": "a@example.com"}), settings)
    assert page_settings["user_hash"] == user_hash(SIGNING, "a@example.com")
    assert "intercom_user_jwt" not in page_settings


@pytest.mark.parametrize("secret", ["", None, 5])
def test_an_empty_secret_signs_nothing(secret: Any) -> None:
    with pytest.raises(OptionError, match="secret: must be"):
        user_hash(secret, "u")
    with pytest.raises(OptionError, match="secret: must be"):
        user_jwt(secret, {"user_id": "u"}, 60)


@pytest.mark.parametrize("claims", [{}, {"user_id": 5}, {"user_id": ""}, None, {"user_id": "u", "x": object()}])
def test_invalid_token_claims_are_refused(claims: Any) -> None:
    """Claims hold a user_id that is a non-empty text, and only values that are JSON."""
    with pytest.raises(OptionError, match="claims"):
        user_jwt(SIGNING, claims, 60)


@pytest.mark.parametrize("nobody", [None, ""])
def test_nobody_has_no_hash(nobody: Any) -> None:
    with pytest.raises(OptionError, match="user_id"):
        user_hash(SECRET, nobody)


def test_short_secret_signs_without_warning() -> None:
    """The secret is padded with zeros, which changes nothing in the signature."""
    claims = {"user_id": "u", "exp": 4_000_000_000}
    signed = user_jwt("short", claims, 60).split(".")
    padded = jwt.encode({**claims}, b"short".ljust(64, b"\0"), algorithm="HS256").split(".")
    assert signed[0] == padded[0]
    assert jwt.decode(".".join(signed), b"short".ljust(32, b"\0"), algorithms=["HS256"])["user_id"] == "u"


@pytest.mark.parametrize("user", [Identify(None, {"email": "a@b.co", "ssn": "x"}), Identify("u", {"ssn": "x"})])
def test_signed_fields_stay_hidden_without_token(user: Identify, caplog: pytest.LogCaptureFixture) -> None:
    """Only the email that identifies somebody without a user id stays on the page."""
    secret = None if user.user_id else SIGNING
    settings = Settings(app_id=APP_ID, identity_secret=secret, identity="jwt", signed_fields=["ssn", "email"])
    page_settings = messenger_settings(user, settings)
    assert "custom_attributes" not in page_settings
    assert page_settings.get("email") == user.traits.get("email")
    assert "signed_fields" in caplog.text


def test_page_settings_hide_secret() -> None:
    for identity in ("hash", "jwt"):
        settings = Settings(app_id=APP_ID, identity_secret=SIGNING, identity=identity)
        assert SIGNING not in str(messenger_settings(Identify("u", {"plan": "pro"}), settings))
