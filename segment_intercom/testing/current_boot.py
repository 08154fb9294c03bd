"""Which user the Messenger is booted for, read from what Intercom received."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .sandbox import IntercomSandbox

_PINGS = ("boot", "update", "shutdown")
_JWT = "intercom_user_jwt"
_PROOFS = ("user_hash", _JWT)


def is_same(left: Any, right: Any) -> bool:
    """Whether two JSON values are equal, where 1 is not True and an array may be a list or a tuple."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(is_same(left[name], right[name]) for name in left)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(is_same, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def has(values: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether these values are there and equal; what is missing equals nothing, None included."""
    return all(name in values and is_same(values[name], value) for name, value in wanted.items())


@dataclass(frozen=True, slots=True)
class CurrentBoot:
    """The settings of a boot as the updates after it leave them, and which person Intercom took that for."""

    settings: dict[str, Any]
    person: dict[str, Any]
    enforced: bool

    @property
    def is_visitor(self) -> bool:
        """Whether Intercom knows the person as a visitor, and not from a session of before as a user."""
        return self.person.get("role") == "visitor"

    @property
    def is_verified(self) -> bool:
        """Whether Intercom accepted a proof of who the user is."""
        proven = any(self.settings.get(name) == "present" for name in _PROOFS)
        return self.enforced and proven and self.person.get("role") == "user"

    def is_of(self, user_id: str | None, settings: Mapping[str, Any]) -> bool:
        """Whether it is of this user with these settings; without an id and an e-mail, whether it is a visitor's."""
        if user_id is None and "email" not in settings:
            return self.is_visitor and has(self.settings, settings)
        return has(self._facts(), settings if user_id is None else {"user_id": user_id, **settings})

    def _facts(self) -> dict[str, Any]:
        """The settings, over what the token said, which shows only in what Intercom saved of the person."""
        if _JWT not in self.settings:
            return self.settings
        return {**self.person, **self.person.get("custom_attributes", {}), **self.settings}

    def __str__(self) -> str:
        """The person and the proof: ``user "42", verified``."""
        name = self.person.get("user_id") or self.person.get("email")
        role = f'{self.person.get("role", "nobody")} "{name}"' if name else str(self.person.get("role", "nobody"))
        return f"{role}, {'verified' if self.is_verified else 'unverified'}"


def current_boot(sandbox: IntercomSandbox) -> CurrentBoot | None:
    """The newest boot with the updates after it; None before the first, after a shutdown and after a refusal."""
    settings: dict[str, Any] | None = None
    person_id = None
    for request in sandbox.requests:
        if request["kind"] not in _PINGS:
            continue
        if request["kind"] == "shutdown" or request["refused"]:
            settings = None
        elif request["kind"] == "boot":
            settings = dict(request["settings"])
        elif settings is not None:
            settings.update(request["settings"])
        person_id = request["person_id"]
    if settings is None:
        return None
    person = next((person for person in sandbox.people if person["id"] == person_id), {})
    return CurrentBoot(settings, person, sandbox.verification)
