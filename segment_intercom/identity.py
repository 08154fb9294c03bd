"""Proof of who a user is, as Intercom's identity verification wants it: a hash or a token.

The cryptography is itsdangerous' and PyJWT's. Source: Intercom's developer documentation, "Identity verification".
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from typing import Any

import jwt
from itsdangerous.signer import HMACAlgorithm

from .calls import user_id_text
from .errors import OptionError
from .settings import Settings, logger

_HMAC_SHA256 = HMACAlgorithm(hashlib.sha256)
# A token may carry anything that describes the user, but not how the page reaches Intercom.
_NEVER_SIGNED = frozenset(("app_id", "api_base", "user_id", "user_hash", "intercom_user_jwt", "exp", "iat", "nbf"))


def user_hash(secret: str, user_id: str) -> str:
    """Return Intercom's ``user_hash``: the hex HMAC-SHA256 of the user id, or of the e-mail of somebody without one."""
    if not isinstance(secret, str) or not secret:
        raise OptionError("secret", "must be the identity secret, a string that is not empty")
    identifier = user_id if type(user_id) is str and user_id else user_id_text(user_id)
    if identifier is None:
        raise OptionError("user_id", "must be the id or e-mail of somebody: a visitor has no hash")
    return _HMAC_SHA256.get_signature(secret.encode(), identifier.encode("utf-8", "surrogatepass")).hex()


def user_jwt(secret: str, claims: Mapping[str, Any], ttl: int) -> str:
    """Return Intercom's ``intercom_user_jwt``: the claims, ``user_id`` among them, signed HS256 for ``ttl`` seconds."""
    if not isinstance(secret, str) or not secret:
        raise OptionError("secret", "must be the identity secret, a string that is not empty")
    if not isinstance(claims, Mapping) or not isinstance(claims.get("user_id"), str) or not claims["user_id"]:
        raise OptionError("claims", "must be a dict that holds user_id, a string that is not empty")
    if not isinstance(ttl, int) or isinstance(ttl, bool):
        raise OptionError("ttl", "must be a whole number of seconds")
    try:
        # HMAC itself pads a short key with zeros: the token is the same, and PyJWT warns nobody of a key that Intercom
        # chose.
        return jwt.encode(
            {**claims, "exp": int(time.time()) + ttl}, secret.encode().ljust(32, b"\0"), algorithm="HS256"
        )
    except TypeError:
        raise OptionError("claims", "must hold values that JSON has a form for") from None


def prove(person: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Add the proof to Messenger settings that name somebody; ``signed_fields`` move into a token.

    Somebody known only by an e-mail gets a hash in either mode, since a token needs a user id. A proof that is there
    already stays.
    """
    identifier = person.get("user_id") or person.get("email")
    if not settings.secrets or not identifier or "user_hash" in person or "intercom_user_jwt" in person:
        return _hide_signed(person, settings) if settings.signed_fields and identifier else person
    secret = settings.secrets[0]
    if settings.identity == "hash" or "user_id" not in person:
        return {**_hide_signed(person, settings), "user_hash": user_hash(secret, identifier)}
    signed = _signed(person, settings)
    claims = {"user_id": identifier, **signed}
    return {**_without(person, signed), "intercom_user_jwt": user_jwt(secret, claims, settings.identity_ttl)}


def _hide_signed(person: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Without a token the fields that belong into one are not shown either, but for the e-mail that names somebody."""
    shown = {"email"} if "user_id" not in person else set()
    hidden = {name: value for name, value in _signed(person, settings).items() if name not in shown}
    if not hidden:
        return person
    logger.warning("signed_fields: this user has no token, so that %s is not sent", ", ".join(hidden))
    return _without(person, hidden)


def _signed(person: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    known = {**person.get("custom_attributes", {}), **person}
    return {name: known[name] for name in settings.signed_fields if name in known and name not in _NEVER_SIGNED}


def _without(person: Mapping[str, Any], signed: Mapping[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in person.items() if name not in signed}
    if "custom_attributes" in rest:
        custom = rest["custom_attributes"]
        rest["custom_attributes"] = {name: value for name, value in custom.items() if name not in signed}
    return rest
