"""Whether the proof in a page is the one that Intercom will accept. No proof and no secret is ever shown."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import jwt
from jwt.types import Options

from ..identity import user_hash
from ..settings import Settings
from .findings import Finding, ok, problem, warning
from .person import is_known

_SOON = 300  # seconds
# When a token was made says nothing of whether it holds: the clock of the server that made it may be ahead of this one.
_ANY_CLAIMS: Options = {"verify_aud": False, "verify_sub": False, "verify_jti": False, "verify_iat": False}
_FORBIDDEN = "which Intercom answers with 403 where it enforces verification"
_ALIKE = (
    "Set INTERCOM_IDENTITY_SECRET alike here, where the site runs and in Intercom (Settings > Messenger > Security)"
)


def check_proof(values: Mapping[str, Any], settings: Settings) -> Iterator[Finding]:
    """Hold that a known user comes with one proof, made with one of the settings' secrets for that very user."""
    digest, token = values.get("user_hash"), values.get("intercom_user_jwt")
    if digest and token:
        yield problem(
            f"user_hash: sent together with intercom_user_jwt, {_FORBIDDEN}", "Send one of the two: INTERCOM_IDENTITY."
        )
    elif not digest and not token:
        yield from _missing(values, settings)
    elif not settings.secrets:
        yield warning(
            f"{'user_hash' if digest else 'intercom_user_jwt'}: cannot be checked without the secret",
            "Set INTERCOM_IDENTITY_SECRET here as it is where the site runs.",
        )
    elif token:
        yield from _token(token, values, settings)
    else:
        yield from _hash(digest, values, settings)


def _missing(values: Mapping[str, Any], settings: Settings) -> Iterator[Finding]:
    if settings.secrets and is_known(values):
        yield problem(
            f"user_hash: the page names a user without a proof, {_FORBIDDEN}",
            f"{_ALIKE}: the page's application does not know it.",
        )


def _hash(digest: object, values: Mapping[str, Any], settings: Settings) -> Iterator[Finding]:
    if not is_known(values):
        yield warning(
            "user_hash: comes without user_id and email, so it proves nothing",
            "Give the user_id, or leave the hash out of a visitor's page.",
        )
    if settings.identity == "jwt" and values.get("user_id"):
        yield warning(
            "user_hash: the page sends a hash, the settings ask for tokens",
            "Set INTERCOM_IDENTITY alike here and where the site runs.",
        )
    identifier = values.get("user_id") or values.get("email")
    if isinstance(identifier, str):
        yield _compared(digest, identifier, values, settings)


def _compared(digest: object, identifier: str, values: Mapping[str, Any], settings: Settings) -> Finding:
    name = "user_id" if values.get("user_id") else "email"
    right = [user_hash(secret, identifier) for secret in settings.secrets]
    if digest in right:
        return _signed_by("user_hash", right.index(digest), f"is that of the {name}")
    email = values.get("email")
    if isinstance(email, str) and email and digest in [user_hash(secret, email) for secret in settings.secrets]:
        return problem(
            f"user_hash: is that of the email, but user_id is sent too, {_FORBIDDEN}",
            "Make the hash of the user_id, or leave it to intercom_snippet().",
        )
    return problem(
        f"user_hash: is not the HMAC-SHA256 of the page's {name} with the configured secret, {_FORBIDDEN}",
        f"{_ALIKE}; segment-intercom hash USER_ID prints the right one.",
    )


def _signed_by(field: str, index: int, remark: str) -> Finding:
    if index == 0:
        return ok(f"{field}: {remark}, made with the configured secret")
    return warning(
        f"{field}: {remark}, but made with an older secret, number {index + 1} of the settings",
        "Restart the site with the new secret first in INTERCOM_IDENTITY_SECRET before Intercom forgets the old one.",
    )


def _token(token: object, values: Mapping[str, Any], settings: Settings) -> Iterator[Finding]:
    try:
        index, claims = _claims(token, settings)
    except jwt.PyJWTError as error:
        yield _refused(error)
        return
    yield _signed_by("intercom_user_jwt", index, "is valid")
    yield from _end(claims)
    user_id, page_user_id = claims.get("user_id"), values.get("user_id")
    if not isinstance(user_id, str) or not user_id:
        yield problem("intercom_user_jwt: holds no user_id, a string", "Sign the user_id, or use user_jwt().")
    elif page_user_id is not None and page_user_id != user_id:
        yield problem(
            f"intercom_user_jwt: is of another user_id than the page names, {_FORBIDDEN}",
            "Make the token of the user that the page is for: look for a token that is kept longer than a request.",
        )


def _claims(token: object, settings: Settings) -> tuple[int, dict[str, Any]]:
    """The claims, and which of the secrets signed them; raises the PyJWTError of the last one tried."""
    if not isinstance(token, str):
        raise jwt.DecodeError
    for index, secret in enumerate(settings.secrets):
        key = secret.encode().ljust(32, b"\0")  # HMAC itself pads so, and PyJWT warns of no short key
        try:
            return index, jwt.decode(token, key, ["HS256"], _ANY_CLAIMS)
        except jwt.InvalidSignatureError:
            continue
    raise jwt.InvalidSignatureError


def _refused(error: jwt.PyJWTError) -> Finding:
    field = "intercom_user_jwt"
    if isinstance(error, jwt.ExpiredSignatureError):
        return problem(
            f"{field}: has expired, {_FORBIDDEN}",
            "Make it anew for every answer: look for a cache of pages, and for a clock that is wrong.",
        )
    if isinstance(error, jwt.InvalidSignatureError):
        return problem(f"{field}: is signed with another secret, {_FORBIDDEN}", f"{_ALIKE}.")
    if isinstance(error, jwt.InvalidAlgorithmError):
        return problem(f"{field}: is not signed with HS256", "Sign it with HS256, as user_jwt() does.")
    if isinstance(error, jwt.ImmatureSignatureError):
        return problem(f"{field}: is not valid yet", "Compare the clocks, or leave out nbf.")
    return problem(f"{field}: cannot be read as a JSON web token", "Make it with user_jwt(), or intercom_snippet().")


def _end(claims: Mapping[str, Any]) -> Iterator[Finding]:
    if "exp" not in claims:
        yield warning("intercom_user_jwt: has no exp, so it never ends", "Let it end after one or two hours.")
    elif float(claims["exp"]) - time.time() < _SOON:
        yield warning(
            f"intercom_user_jwt: ends in less than {_SOON // 60} minutes",
            "Set INTERCOM_IDENTITY_TTL to one or two hours, and look for a cache that keeps pages.",
        )
