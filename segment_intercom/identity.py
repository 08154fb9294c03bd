"""Proof of who a user is, as Intercom's identity verification wants it: a hash or a token.

The cryptography is itsdangerous' and PyJWT's. Source: Intercom's developer documentation, "Identity verification".
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from secrets import compare_digest
from typing import Any

import jwt
from itsdangerous.signer import HMACAlgorithm
from jwt.types import Options

from ._json import holds_nan
from .calls import user_id_text
from .diagnostics import WARNINGS
from .errors import OptionError
from .settings import Settings

_HMAC_SHA256 = HMACAlgorithm(hashlib.sha256)
_CHECKED: Options = {"require": ["exp"], "verify_sub": False, "verify_iat": False}
# A token may carry anything that describes the user, but not how the page reaches Intercom.
_NEVER_SIGNED = frozenset(("app_id", "api_base", "user_id", "user_hash", "intercom_user_jwt", "exp", "iat", "nbf"))


def user_hash(secret: str, user_id: str) -> str:
    """Return Intercom's ``user_hash``: the hex HMAC-SHA256 of the user id, or of the e-mail of a user without one."""
    if not isinstance(secret, str) or not secret:
        raise OptionError("secret", "must be the identity secret, a string that is not empty")
    identifier = user_id if type(user_id) is str and user_id else user_id_text(user_id)
    if identifier is None:
        raise OptionError("user_id", "must be the id or e-mail of a user: a visitor has no hash")
    return (_remembered if len(identifier) <= _LONGEST_REMEMBERED else _signature)(secret, identifier)


def _signature(secret: str, identifier: str) -> str:
    return _HMAC_SHA256.get_signature(secret.encode(), identifier.encode("utf-8", "surrogatepass")).hex()


# A user sees page after page, each with the same proof.
_LONGEST_REMEMBERED = 256
_remembered = lru_cache(maxsize=4096)(_signature)


def is_user_hash(secrets: Sequence[str], identifier: str, proof: str) -> bool:
    """Return whether a proof is the hash of an id or an e-mail by one of the secrets, in a time that tells nothing."""
    written = proof.encode("utf-8", "surrogatepass")
    return sum(compare_digest(written, user_hash(secret, identifier).encode()) for secret in secrets) > 0


def read_user_jwt(secrets: Sequence[str], token: str) -> dict[str, Any] | None:
    """Return the claims of a token that one of the secrets signed HS256 and that has not ended, else None.

    When it was made decides nothing (RFC 7519, 4.1.6): the clock of the server that made it may be a little ahead.
    """
    for secret in secrets:
        try:
            claims: dict[str, Any] = jwt.decode(token, _key(secret), algorithms=["HS256"], options=_CHECKED)
        except jwt.InvalidTokenError:
            continue
        return claims
    return None


def user_jwt(secret: str, claims: Mapping[str, Any], ttl: int) -> str:
    """Return Intercom's ``intercom_user_jwt``: the claims, ``user_id`` among them, signed HS256 for ``ttl`` seconds.

    It says when it was made, ``iat``, unless the claims do: a page whose clock is wrong knows how long it lasts.
    """
    if not isinstance(secret, str) or not secret:
        raise OptionError("secret", "must be the identity secret, a string that is not empty")
    if not isinstance(claims, Mapping) or not isinstance(claims.get("user_id"), str) or not claims["user_id"]:
        raise OptionError("claims", "must be a dict that holds user_id, a string that is not empty")
    if not isinstance(ttl, int) or isinstance(ttl, bool):
        raise OptionError("ttl", "must be a whole number of seconds")
    if holds_nan(claims):
        raise OptionError("claims", "must hold no NaN and no infinity: JSON has no form for them")
    try:
        now = int(time.time())
        return jwt.encode({"iat": now, **claims, "exp": now + ttl}, _key(secret), algorithm="HS256")
    except TypeError:
        raise OptionError("claims", "must hold values that JSON has a form for") from None


def _key(secret: str) -> bytes:
    """A secret as HMAC itself pads it, with zeros: so PyJWT does not warn of a key whose length Intercom chose."""
    return secret.encode().ljust(32, b"\0")


def prove(person: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Add the proof to Messenger settings that name a user; ``signed_fields`` move into a token.

    A user known only by an e-mail gets a hash in either mode, since a token needs a user id. A proof that is there
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
    """Without a token, leave out the fields that belong into one, except an e-mail that is the only identifier."""
    shown = {"email"} if "user_id" not in person else set()
    hidden = {name: value for name, value in _signed(person, settings).items() if name not in shown}
    if not hidden:
        return person
    WARNINGS.warn("signed_fields: this user has no token, so that %s is not sent", ", ".join(hidden))
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
