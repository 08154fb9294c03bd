"""What a row of calls says of one person, as Segment's libraries keep it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..calls import Call, Group, Identify
from ..errors import CallError
from ..traits.names import plain_name

# Options of a call by which it brings its own proof, and the settings that they become.
PROOFS = {"userhash": "user_hash", "intercomuserjwt": "intercom_user_jwt"}


@dataclass(slots=True)
class Person:
    """The newest of everything that was said: traits are merged, of one group as well as of one user."""

    user_id: str | None = None
    traits: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    group_id: str | None = None
    group: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, calls: Call | Iterable[object]) -> Person:
        """What one call or several say, in their order."""
        if type(calls) is Identify and not calls.context and not calls.integrations:
            return cls(calls.user_id, calls.traits)  # what nearly every page is: no need to compare and merge
        person = cls()
        for call in (calls,) if isinstance(calls, Call) else calls:
            if not isinstance(call, Call):
                kind = type(call).__name__
                raise CallError(
                    "calls", f"must be Identify, Group, Page, ..., not {kind}; parse() reads Segment's JSON"
                )
            person.hear(call)
        return person

    def hear(self, call: Call) -> None:
        """Take one call in; another user or another group starts anew, as in Segment's libraries."""
        special = call.context or call.integrations
        if special and not call.for_intercom:
            return
        user_id = getattr(call, "user_id", None)
        if user_id is not None and user_id != self.user_id:
            self._become(user_id)
        if isinstance(call, Identify):
            self.traits = {**self.traits, **call.traits} if self.traits else call.traits
            self.context = call.context or self.context
        elif isinstance(call, Group):
            earlier = self.group if call.group_id == self.group_id else {}
            self.group_id, self.group = call.group_id, {**earlier, **call.traits}
        if special and (options := call.options):
            self.options = {**self.options, **{plain_name(name): value for name, value in options.items()}}

    def _become(self, user_id: str) -> None:
        if self.user_id is not None:
            self.traits, self.context, self.group_id, self.group = {}, {}, None, {}
            self.options = {name: value for name, value in self.options.items() if name not in PROOFS}
        self.user_id = user_id
