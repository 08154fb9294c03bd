"""Who a page says the person is, and whether the proof that comes along holds."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import jwt

from .refusal import RefusedError
from .workspace import Workspace

PROOFS = ("user_hash", "intercom_user_jwt")
SECRETS = (*PROOFS, "auth_tokens")
_REGISTERED_CLAIMS = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti"})


def without_secrets(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings with every proof replaced by whether there was one: what may be kept and shown."""
    return {name: _presence(value) if name in SECRETS else value for name, value in settings.items()}


def prove(workspace: Workspace, settings: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The settings without proofs, signed claims in line, and notes on what was ignored; a bad proof is refused."""
    person = {name: value for name, value in settings.items() if name not in PROOFS}
    _check_names(person)
    digest, token = settings.get("user_hash"), settings.get("intercom_user_jwt")
    try:
        return _proven(workspace, person, digest, token)
    except RefusedError as refused:
        if workspace.enforced:
            raise
        return person, [f"Identity verification is off, so this was ignored: {refused.message}"]


def _proven(workspace: Workspace, person: dict[str, Any], digest: Any, token: Any) -> tuple[dict[str, Any], list[str]]:
    if digest and token:
        raise RefusedError("token_and_hash", "intercom_user_jwt and user_hash were both sent: send only one of them.")
    if token:
        return _with_claims(person, _claims(workspace, token))
    if not (person.get("user_id") or person.get("email")):
        notes = ["user_hash came without user_id and email, so it proves nothing: this is a visitor."]
        return person, notes if digest else []
    if digest:
        _check_hash(workspace, person, digest)
    elif workspace.enforced:
        message = (
            "Identity verification is on and the proof is missing: send user_hash or intercom_user_jwt "
            "(with segment-intercom: set INTERCOM_IDENTITY_SECRET)."
        )
        raise RefusedError("proof_missing", message, "user_hash")
    return person, []


def _check_names(person: dict[str, Any]) -> None:
    for name in ("user_id", "email"):
        value = person.get(name)
        if value is not None and not isinstance(value, str):
            message = f"{name} must be a JSON string: a number loses digits beyond 2^53 and then fails verification."
            raise RefusedError("parameter_invalid", message, name)


def _check_hash(workspace: Workspace, person: dict[str, Any], digest: Any) -> None:
    user_id, email = person.get("user_id"), person.get("email")
    if _matches(workspace, user_id or email or "", digest):
        return
    if user_id and email and _matches(workspace, email, digest):
        message = "user_hash is of the e-mail, but user_id is sent too: then it must be of the user_id."
    else:
        message = (
            "user_hash is wrong: Intercom wants the hex HMAC-SHA256 of the "
            f"{'user_id' if user_id else 'e-mail'} exactly as sent, made with this workspace's identity secret."
        )
    raise RefusedError("proof_wrong", message, "user_hash")


def _matches(workspace: Workspace, value: str, digest: Any) -> bool:
    secret = _secret(workspace, "user_hash")
    right = hmac.new(secret, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
    return isinstance(digest, str) and hmac.compare_digest(right.encode(), digest.encode("utf-8", "surrogatepass"))


def _claims(workspace: Workspace, token: Any) -> dict[str, Any]:
    # HMAC pads a short key with zeros by itself: the same signature, and PyJWT does not warn of the key's length.
    key = _secret(workspace, "intercom_user_jwt").ljust(32, b"\0")
    try:
        if not isinstance(token, str):
            raise jwt.DecodeError
        return jwt.decode(token, key, ["HS256"], {"verify_aud": False, "verify_sub": False, "verify_jti": False})
    except jwt.PyJWTError as error:
        raise _token_refusal(error) from None


def _token_refusal(error: jwt.PyJWTError) -> RefusedError:
    code = "proof_wrong"
    if isinstance(error, jwt.ExpiredSignatureError):
        code, why = "token_expired", "has expired: give the page a fresh one."
    elif isinstance(error, jwt.InvalidSignatureError):
        why = "is signed with another secret: use this workspace's identity secret."
    elif isinstance(error, jwt.InvalidAlgorithmError):
        why = "must be signed with HS256 and nothing else."
    elif isinstance(error, jwt.ImmatureSignatureError):
        why = "is not valid yet: compare the clocks, or leave out nbf and iat."
    else:
        why = "cannot be read: it must be a JSON web token signed with HS256."
    return RefusedError(code, f"intercom_user_jwt {why}", "intercom_user_jwt")


def _with_claims(person: dict[str, Any], claims: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    user_id, page_user_id = claims.get("user_id"), person.get("user_id")
    if not isinstance(user_id, str) or not user_id:
        message = "intercom_user_jwt must hold the claim user_id, a string that is not empty."
        raise RefusedError("proof_wrong", message, "intercom_user_jwt")
    if page_user_id and page_user_id != user_id:
        message = "intercom_user_jwt is of another user_id than the page names: they must be equal."
        raise RefusedError("proof_wrong", message, "intercom_user_jwt")
    signed = {name: value for name, value in claims.items() if name not in _REGISTERED_CLAIMS}
    _check_names(signed)
    notes = [] if "exp" in claims else ["intercom_user_jwt has no exp: Intercom recommends one to two hours."]
    return {**person, **signed}, notes


def _secret(workspace: Workspace, field: str) -> bytes:
    if not workspace.identity_secret:
        message = "The workspace has no identity secret, so no proof can be checked: make one in its settings."
        raise RefusedError("proof_wrong", message, field)
    return workspace.identity_secret.encode()


def _presence(value: Any) -> str:
    return "present" if value else "empty"
