"""What a message with a browser's write key may say: anyone can read such a key, so it proves nothing.

Every id and e-mail that the mapping would read needs a proof of its own, in ``context.Intercom`` or
``integrations.Intercom``: a token or a hash, as in a page. What is a site's to say, a browser may not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..api import UserRef
from ..calls import Call, Delete, Group, Identify, Track
from ..diagnostics import WARNINGS, Diagnostics
from ..identity import is_user_hash, read_user_jwt
from ..settings import Settings
from ..traits import split
from ..traits.names import plain_name
from ..traits.standard import email_of
from .request import Rejection

_HASHES, _TOKENS = ("user_hash", "userHash"), ("intercom_user_jwt", "intercomUserJwt")
# A site's to say of a person, not the person's.
_SITES_OWN = frozenset(("company", "companies", "unsubscribedfromemails"))
_EMAIL = "email"
_LEFT_OUT = "collector: %s is not a browser's to set without a proof; it is left out"
_CLASSIC = "collector: on the classic API a browser's custom attributes are left out, for it would create new ones"


def admit(call: Call, settings: Settings, address: str | None, user_agent: str | None) -> Call | None:
    """Return what may be kept of a browser's call, or None where it has no effect at Intercom: it is a visitor's.

    Raises Rejection (403) for a group, and for an id or an e-mail that is not proven.
    """
    if isinstance(call, Delete):
        raise Rejection(403, "delete: a deletion is not a browser's to ask for; send it from a server")
    if not isinstance(call, Identify | Track | Group) or not call.for_intercom:
        return None
    if isinstance(call, Group):
        raise Rejection(403, "group: a company is not a browser's to set; send it from a server")
    proof = _Proof(call, settings)
    if call.user_id is not None and not proof.of_id(call.user_id):
        raise Rejection(403, f"userId: {proof.problem}")
    context = _context(call, proof, address, user_agent)
    # An attribute that Intercom lacks is not made for a browser.
    integrations = {"Intercom": {"createAttributes": False}}
    message_id = None if call.message_id is None else f"browser {call.message_id}"
    admitted: Identify | Track
    if isinstance(call, Identify):
        traits = _without_the_sites(_with_proven_email(call.traits, proof))
        admitted = replace(call, traits=_for_dialect(traits, settings))
        was_named = _names_an_email(call.traits)
    else:
        admitted = replace(call, properties=_with_proven_email(call.properties, proof))
        was_named = _names_an_email(call.properties) or _names_an_email(call.context.get("traits"))
    admitted = replace(admitted, context=context, integrations=integrations, message_id=message_id)
    if settings.leads:  # a page that knows another's anonymous id could take their lead, and its conversations
        admitted = replace(admitted, anonymous_id=None)
    user = UserRef.of(admitted)
    if not user.is_known:
        if was_named:
            raise Rejection(403, f"email: {proof.problem}")
        return None
    return admitted


class _Proof:
    """The proof that came with a call: a token that holds claims, or a hash of an id or an e-mail."""

    def __init__(self, call: Call, settings: Settings) -> None:
        options = call.options
        self._secrets = settings.secrets
        self._hash = next((options[name] for name in _HASHES if isinstance(options.get(name), str)), None)
        token = next((options[name] for name in _TOKENS if isinstance(options.get(name), str)), None)
        self._claims: Mapping[str, Any] = {} if token is None else read_user_jwt(self._secrets, token) or {}
        self._is_there = self._hash is not None or token is not None

    @property
    def problem(self) -> str:
        """Why an identity is not proven, in words for the site's developer."""
        if not self._secrets:
            return "needs a proof, which needs INTERCOM_IDENTITY_SECRET at the collector; only visitors are accepted"
        if self._is_there:
            return "the user_hash or intercom_user_jwt that came with it is another identity's, or has ended"
        return "needs a user_hash or an intercom_user_jwt in context.Intercom: a browser's write key proves nothing"

    def of_id(self, user_id: str) -> bool:
        """Return whether a user id is proven."""
        return self._claims.get("user_id") == user_id or self._by_hash(user_id)

    def of_email(self, email: str) -> bool:
        """Return whether an e-mail is proven."""
        return self._claims.get("email") == email or self._by_hash(email)

    def _by_hash(self, identifier: str) -> bool:
        return self._hash is not None and is_user_hash(self._secrets, identifier, self._hash)


def _is_email(name: object) -> bool:
    return isinstance(name, str) and plain_name(name) == _EMAIL


def _names_an_email(values: Any) -> bool:
    return isinstance(values, Mapping) and any(
        _is_email(name) and email_of(value) is not None for name, value in values.items()
    )


def _with_proven_email(values: Mapping[str, Any], proof: _Proof) -> dict[str, Any]:
    """Values without an e-mail that is not proven, under whichever spelling of the name."""
    admitted: dict[str, Any] = {}
    for name, value in values.items():
        if _is_email(name) and ((email := email_of(value)) is None or not proof.of_email(email)):
            WARNINGS.warn(_LEFT_OUT, "an e-mail")
        else:
            admitted[name] = value
    return admitted


def _without_the_sites(traits: Mapping[str, Any]) -> dict[str, Any]:
    """Traits without the companies and what else is the site's to say."""
    admitted: dict[str, Any] = {}
    for name, value in traits.items():
        if isinstance(name, str) and plain_name(name) in _SITES_OWN:
            WARNINGS.warn(_LEFT_OUT, plain_name(name))
        else:
            admitted[name] = value
    return admitted


def _for_dialect(traits: Mapping[str, Any], settings: Settings) -> Mapping[str, Any]:
    """The traits that may go to the dialect of the settings: the classic API makes every attribute that it lacks."""
    if settings.api_version != "1.4":
        return traits
    custom = split(traits, Diagnostics(strict=False), server=True)[1]
    if custom:
        WARNINGS.warn(_CLASSIC)
    return {name: value for name, value in traits.items() if name not in custom}


def _context(call: Call, proof: _Proof, address: str | None, user_agent: str | None) -> dict[str, Any]:
    """A call's context without the options and the proof, with the address of the connection."""
    context = {
        name: value
        for name, value in call.context.items()
        if name not in ("ip", "traits", "integrations", "direct") and name.lower() != "intercom"
    }
    traits = call.context.get("traits")
    if isinstance(traits, Mapping) and (proven := _with_proven_email(traits, proof)):
        context["traits"] = proven
    if address is not None:
        context["ip"] = address
    if user_agent is not None:
        context.setdefault("userAgent", user_agent)
    return context
