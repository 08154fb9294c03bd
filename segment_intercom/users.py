"""A user in any form in which an application has one, as an Identify call."""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType
from typing import Any

from .calls import Identify
from .errors import OptionError
from .traits import fields_of

# What is read from a user that is an object; other attributes are never sent unasked.
FIELDS = ("email", "name", "first_name", "last_name", "phone", "created_at", "avatar")
_IDS = ("user_id", "userId", "id")


def identify_of(user: Any) -> Identify | None:
    """Return the Identify call of a user, or None for a visitor.

    A user is an Identify, a mapping of traits (its id under ``user_id``, ``userId`` or ``id``), an object with ``id``
    or ``get_id()``, or with its own ``intercom_traits()``. Somebody whose ``is_authenticated`` is False is a visitor.
    """
    if type(user) is dict:
        return _from_mapping(user)
    if isinstance(user, NoneType):  # isinstance, since a proxy such as Flask-Login's may stand for None
        return None
    if isinstance(user, Identify):
        return user
    if isinstance(user, Mapping):
        return _from_mapping(user)
    if isinstance(user, str | int | float | bytes | list | tuple):
        raise OptionError("user", f"must be a dict of traits, an object with an id, or None, not {type(user).__name__}")
    return None if getattr(user, "is_authenticated", True) is False else _from_object(user)


def _from_mapping(traits: Mapping[str, Any], user_id: Any = None) -> Identify:
    kept = dict(traits)
    for name in _IDS:
        if name in kept and (found := kept.pop(name)) is not None and user_id is None:
            user_id = found
    return Identify(user_id, kept)


def _from_object(user: Any) -> Identify:
    user_id = _id_of(user)
    if callable(own := getattr(user, "intercom_traits", None)):
        return _from_mapping(own(), user_id)
    traits = fields_of(user, FIELDS)
    if user_id is None and not traits and not hasattr(user, "id"):
        raise OptionError(
            "user", f"a {type(user).__name__} has no id, get_id(), email or intercom_traits(); give it one of them"
        )
    return Identify(user_id, traits)


def _id_of(user: Any) -> Any:
    # `id` goes first: where an application has alternative tokens, Flask-Login's get_id() is a secret of the session.
    user_id = getattr(user, "id", None)
    if user_id is not None and not callable(user_id):
        return user_id
    get_id = getattr(user, "get_id", None)
    return get_id() if callable(get_id) else None
