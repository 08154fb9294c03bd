"""What a row of calls says of one person, as Segment's libraries keep it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..calls import Call, Group, Identify
from ..errors import CallError
from ..traits.names import plain_name, text_of

# Options of a call by which it brings its own proof, and the settings that they become.
PROOFS = {"userhash": "user_hash", "intercomuserjwt": "intercom_user_jwt"}


@dataclass(slots=True)
class UserState:
    """The newest of everything that was said: traits are merged, of one group as well as of one user."""

    user_id: str | None = None
    traits: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    group_id: str | None = None
    group: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_calls(cls, calls: Call | Iterable[object]) -> UserState:
        """What one call or several say, in their order."""
        if type(calls) is Identify and not calls.context and not calls.integrations:
            return cls(calls.user_id, calls.traits)  # what nearly every page is: no need to compare and merge
        user = cls()
        for call in (calls,) if isinstance(calls, Call) else calls:
            if not isinstance(call, Call):
                kind = type(call).__name__
                raise CallError(
                    "calls", f"must be Identify, Group, Page, ..., not {kind}; parse() reads Segment's JSON"
                )
            user.apply(call)
        return user

    def apply(self, call: Call) -> bool:
        """Apply one call and return whether it is of another user; they, or another group, start anew.

        Persons are compared by id, else by e-mail: a visitor who gets either is no other person.
        """
        special = call.context or call.integrations
        if special and not call.for_intercom:
            return False
        user_id = getattr(call, "user_id", None)
        is_other = self._is_other(user_id, call)
        if is_other:
            self.traits, self.context, self.group_id, self.group, self.options = {}, {}, None, {}, {}
        if is_other or user_id is not None:
            self.user_id = user_id
        if isinstance(call, Identify):
            self.traits = {**self.traits, **call.traits} if self.traits else call.traits
            self.context = call.context or self.context
        elif isinstance(call, Group):
            earlier = self.group if call.group_id == self.group_id else {}
            self.group_id, self.group = call.group_id, {**earlier, **call.traits}
        if special and (options := call.options):
            self.options = {**self.options, **{plain_name(name): value for name, value in options.items()}}
        return is_other

    def _is_other(self, user_id: str | None, call: Call) -> bool:
        if self.user_id is not None:
            return user_id is not None and user_id != self.user_id
        if not self.traits or not isinstance(call, Identify):
            return False
        said, known = _email(call.traits), _email(self.traits)
        return said is not None and known is not None and said != known


def _email(traits: Mapping[str, Any]) -> str | None:
    emails = (text_of(value) for name, value in traits.items() if isinstance(name, str) and plain_name(name) == "email")
    return next(emails, None)
