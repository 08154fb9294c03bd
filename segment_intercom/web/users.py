"""A user in any form in which an application has one."""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType
from typing import Any
from uuid import UUID

from ..calls import Identify, user_id_text
from ..errors import OptionError
from ..messenger import UserState
from ..traits import fields_of
from .proxies import called, plain

# What is read from a user that is an object; other attributes are never sent unasked.
FIELDS = ("email", "name", "first_name", "last_name", "phone", "created_at", "avatar")
_IDS = ("user_id", "userId", "id")
_PLAIN_IDS = (str, int, UUID)
_NO_USERS = (str, int, float, bytes, list, tuple)


def user_state_of(user: Any) -> UserState:
    """Return what a user says of itself: the id and the traits; nothing of a visitor.

    A user is an Identify, a mapping of traits (its id under ``user_id``, ``userId`` or ``id``), an object with ``id``
    or ``get_id()``, or with its own ``intercom_traits()``. Who is not ``is_authenticated`` is a visitor.
    """
    if type(user) is dict:
        return _from_mapping(user)
    if isinstance(user, NoneType):  # isinstance, since a proxy such as Flask-Login's may stand for None
        return UserState()
    if isinstance(user, Identify):
        return UserState.from_calls(user)
    if isinstance(user, Mapping):
        return _from_mapping(user)
    if isinstance(user, _NO_USERS) and not hasattr(user, "_fields"):  # a named tuple may be one
        raise OptionError("user", f"must be a dict of traits, an object with an id, or None, not {type(user).__name__}")
    return _from_object(user) if _is_authenticated(user) else UserState()


def _is_authenticated(user: Any) -> bool:
    """Return whether the user is logged in: ``is_authenticated`` must be true, and is called if it is a method."""
    return bool(called(getattr(user, "is_authenticated", True)))


def _from_mapping(traits: Mapping[str, Any], user_id: Any = None) -> UserState:
    if "traits" in traits and user_id is None and isinstance(traits["traits"], Mapping):
        return UserState.from_calls(Identify(traits=traits))  # a whole message in Segment's form
    rest = dict(traits)
    own_id = None
    for name in _IDS:
        if name in rest and (value := plain(rest.pop(name))) is not None and own_id is None:
            own_id = value
    return UserState(user_id_text(user_id if own_id is None else own_id), rest)


def _from_object(user: Any) -> UserState:
    user_id = _id_of(user)
    if callable(own := getattr(user, "intercom_traits", None)):
        if not isinstance(traits := own(), Mapping):
            kind = type(user).__name__
            raise OptionError("user", f"intercom_traits() of {kind} must return a dict, not {type(traits).__name__}")
        return _from_mapping(traits, user_id)
    traits = fields_of(user, FIELDS)
    if user_id is None and not traits and not hasattr(user, "id"):
        raise OptionError(
            "user", f"a {type(user).__name__} has no id, get_id(), email or intercom_traits(); give it one of them"
        )
    return UserState(user_id_text(user_id), traits)


def _id_of(user: Any) -> Any:
    # Attributes go first: with alternative tokens Flask-Login's get_id() is a secret of the session.
    for name in ("id", "user_id"):
        value = plain(getattr(user, name, None))
        if isinstance(value, _PLAIN_IDS):
            return value
        if value is not None and not callable(value):
            return _as_text(user, value)
    get_id = getattr(user, "get_id", None)
    return plain(get_id()) if callable(get_id) else None


def _as_text(user: Any, value: Any) -> Any:
    """An id of a database's own type, such as an ObjectId, as the text that the user itself gives for it."""
    get_id = getattr(user, "get_id", None)
    text = get_id() if callable(get_id) else None
    return text if text is not None and text == str(value) else value
