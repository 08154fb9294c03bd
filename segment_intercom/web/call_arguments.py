"""The arguments of server-side calls as views write them: a user in any form, or left out, or one whole message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast
from uuid import UUID

from ..calls import Call, Identify, is_message, user_id_text
from ..errors import CallError
from ..messenger import UserState
from .proxies import plain
from .users import user_state_of

C = TypeVar("C", bound=Call)
_IDS = ("user_id", "userId", "id")


def read_user(user: Any, loader: Callable[[], Any] | None, anonymous_id: Any) -> UserState:
    """Return the user of a call: an id, a user in any form, or, where neither is given, the user_loader's."""
    if plain(user) is None and plain(anonymous_id) is None and loader is not None:
        user = loader()
    try:
        return UserState(user_id_text(user))
    except CallError:
        return user_state_of(user)


def identify_call(user: UserState, traits: Mapping[str, Any] | None, common: Mapping[str, Any]) -> Identify:
    """Return the identify call of a user; ``traits`` come before the user's own."""
    first: Any = traits or {}
    if not isinstance(first, Mapping):
        return Identify(user.user_id, first, **common)  # which says what is wrong
    rest = {name: value for name, value in user.traits.items() if name not in first}
    return Identify(user.user_id, {**first, **rest}, **common)


def whole_message(kind: Callable[[Any], C], user: Any, *first: Any) -> C | None:
    """Return the call of a single object in Segment's form, ``track({"userId": ..., "event": ...})``, else None.

    ``first`` is what stands in the place of the event, the group id or the traits: nothing, in a call of that form.
    """
    if not isinstance(user, Mapping) or any(first) or not is_message(user, cast("type[Call]", kind)):
        return None
    return kind(user)  # in the first place of each, where it unfolds


def moved_up(user: Any, first: Any, second: Any, loader: Callable[[], Any] | None) -> tuple[Any, Any, Any]:
    """Return the arguments of a track or group call where the user was left out: ``track("Paid", {...})``.

    Where the place of the event or the group id holds nothing that can be one, the arguments move up by one, and the
    loader names the user.
    """
    if loader is None:
        return user, first, second
    stands_for_it = isinstance(user, str | int | UUID) and not isinstance(user, bool)
    if not stands_for_it or (first and not isinstance(first, Mapping)) or (first and second):
        return user, first, second
    return None, user, first or second


def without_user(user: Any, traits: Any) -> tuple[Any, Any]:
    """Return the arguments of an identify call where the user was left out: ``identify({"plan": "pro"})``."""
    has_no_id = isinstance(user, Mapping) and not any(plain(user.get(name)) is not None for name in _IDS)
    return (None, user) if has_no_id and not traits else (user, traits)


def with_email(user: UserState, common: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the common arguments with the e-mail of a user without an id in the context."""
    email, context = user.traits.get("email"), common.get("context") or {}
    if user.user_id is not None or not email or not isinstance(context, Mapping):
        return common
    traits = context.get("traits") or {}
    if not isinstance(traits, Mapping):
        return common
    return {**common, "context": {**context, "traits": {"email": email, **traits}}}
