"""What is sent in one go: a call's operations, or those of several identify calls that waited together."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..calls import parse
from ..errors import SegmentIntercomError
from ..message import read
from ..outbox import Letter
from ..rest import Introduction, Operation, introduction, rest_operations
from ..settings import Settings

logger = logging.getLogger("segment_intercom")
_PEOPLE = {"/contacts": "external_id", "/users": "user_id"}


@dataclass(frozen=True, slots=True)
class Parcel:
    """Letters and what they ask of Intercom; ``problem`` says why nothing can be made of a letter."""

    letters: tuple[Letter, ...]
    operations: tuple[Operation, ...] = ()
    introduction: Introduction = dict
    problem: str | None = None

    @classmethod
    def of(cls, letter: Letter, settings: Settings) -> Parcel:
        """What one letter asks for."""
        try:
            call = parse(read(letter.message))
            operations = tuple(rest_operations(call, settings))
        except SegmentIntercomError as error:
            return cls((letter,), problem=str(error))
        except Exception as error:  # a fault of ours: this letter is laid by, to be sent again, and the next ones go on
            logger.exception("a call could not be mapped; it is kept as a dead letter")
            return cls((letter,), problem=f"could not be mapped: {type(error).__name__}")
        return cls((letter,), operations, partial(introduction, call, settings))

    def joined(self, later: Parcel) -> Parcel | None:
        """This parcel and a later one as one, or None: identify calls of one user, and no company in them.

        A request sets fields, and the last to set one counts; so both requests in one leave the same behind.
        """
        if len(self.operations) != 1 or len(later.operations) != 1:
            return None
        operation = _merged(self.operations[0], later.operations[0])
        if operation is None:
            return None
        return replace(later, letters=(*self.letters, *later.letters), operations=(operation,))


def first_parcel(letters: Sequence[Letter], settings: Settings) -> Parcel:
    """As many of the first letters as can be sent in one go."""
    parcel = Parcel.of(letters[0], settings)
    for letter in letters[1:]:
        joined = parcel.joined(Parcel.of(letter, settings))
        if joined is None:
            break
        parcel = joined
    return parcel


def _merged(first: Operation, then: Operation) -> Operation | None:
    key = _PEOPLE.get(first.path)
    one, other = first.body or {}, then.body or {}
    if key is None or then.path != first.path or first.method != "POST" or not _is_same(one, other, key):
        return None
    body = {**one, **other}
    if custom := {**one.get("custom_attributes", {}), **other.get("custom_attributes", {})}:
        body["custom_attributes"] = custom
    return replace(then, body=body)


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any], key: str) -> bool:
    if "companies" in one or "companies" in other or one.get(key) != other.get(key):
        return False
    return key in one or one.get("email") == other.get("email")
