"""Calls of server code within an application: of whom, from which request, and whether they are only captured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from flask import current_app, has_request_context, request

from ..calls import Call, Identify, user_id_text
from ..errors import CallError
from ..messenger import Person
from ..users import person_of
from .state import is_strict, state


def person(user: Any, loader: Callable[[], Any] | None, anonymous_id: Any) -> Person:
    """Of whom a call is: an id, a user in any form, or, where neither is given, whom the user_loader names."""
    if user is None and anonymous_id is None and loader is not None:
        user = loader()
    try:
        return Person(user_id_text(user))
    except CallError:
        return person_of(user)


def accept(call: Call, *, from_request: bool = False) -> None:
    """Accept a call for the current application; while it is tested, capture it instead."""
    current = state()
    if from_request:
        call = replace(call, context={**_of_request(), **call.context})
    strict = is_strict(current_app, current.settings)
    if current_app.testing:
        current.office.prepare(call, strict=strict)
        current.captured.append(call)
    else:
        current.office.accept(call, strict=strict)


def identify(somebody: Person, traits: Mapping[str, Any] | None, common: Mapping[str, Any]) -> Identify:
    """An identify call of somebody, what is given beside the user before what the user says of itself."""
    given: Any = traits or {}
    if not isinstance(given, Mapping):
        return Identify(somebody.user_id, given, **common)  # which says what is wrong
    rest = {name: value for name, value in somebody.traits.items() if name not in given}
    return Identify(somebody.user_id, {**given, **rest}, **common)


def known_by(somebody: Person, common: Mapping[str, Any]) -> Mapping[str, Any]:
    """What all calls share, with the e-mail of somebody who has no id in the context."""
    email, context = somebody.traits.get("email"), common.get("context") or {}
    if somebody.user_id is not None or not email or not isinstance(context, Mapping):
        return common
    traits = context.get("traits") or {}
    if not isinstance(traits, Mapping):
        return common
    return {**common, "context": {**context, "traits": {"email": email, **traits}}}


def _of_request() -> dict[str, str]:
    """The address and the user agent of who sent the current request."""
    if not has_request_context():
        raise CallError("from_request", "needs a request: leave it out here, or give a context with ip and userAgent")
    found = {"ip": request.remote_addr, "userAgent": request.headers.get("User-Agent")}
    return {name: value for name, value in found.items() if value}
