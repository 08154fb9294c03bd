"""Checks of the user that a page names: the form of the values, and that no cache shows them to others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .findings import Finding, ok, problem, shown, warning

_MILLISECONDS = 100_000_000_000  # as seconds, the year 5138
_SAVED = (str, int, float, bool, type(None))


def is_known(values: Mapping[str, Any]) -> bool:
    """Return whether a page names a user; without one Intercom shows a visitor's Messenger."""
    return bool(values.get("user_id") or values.get("email"))


def check_person(values: Mapping[str, Any], route: str | None = None) -> Iterator[Finding]:
    """Check that the page names a user, with values of the kinds that Intercom saves.

    ``route`` is where the page asks who is in session, if it does.
    """
    if not is_known(values) and not values.get("intercom_user_jwt"):
        yield _visitor() if route is None else _remote(route)
        return
    identifiers = [name for name in ("user_id", "email", "intercom_user_jwt") if values.get(name)]
    yield ok(f"user: the page names a user by {' and '.join(identifiers)}")
    yield from _identifiers(values)
    yield from _date("created_at", values.get("created_at"))
    yield from _attributes(values.get("custom_attributes"))


def check_cache(values: Mapping[str, Any], headers: Mapping[str, str]) -> Iterator[Finding]:
    """Hold that no cache shows the page of one person to another; names of headers in small letters."""
    if not is_known(values) and not values.get("intercom_user_jwt"):
        return
    wanted = {part.partition("=")[0].strip().lower() for part in headers.get("cache-control", "").split(",")}
    if not wanted & {"no-store", "private"} or wanted & {"public", "s-maxage"}:
        yield problem(
            "Cache-Control: a cache may keep this page, which names a user, and show it to another user",
            'Send "private, no-store", as the extension does: look for a proxy, a hook or a view that changes it.',
        )
    else:
        yield ok("Cache-Control: no shared cache keeps what the page says of the user")


def _visitor() -> Finding:
    return warning(
        "user: the page names no user, so it shows the Messenger of a visitor",
        'Switch "Visitors on your website" on in Intercom (Settings > Messenger), else visitors see none. If a user '
        "was logged in, check the user_loader or the user in the template: this is the identify call, without which "
        "Intercom knows no user. To look at a user's page: --cookie session=...",
    )


def _remote(route: str) -> Finding:
    return ok(
        f"user: the page names no user and asks {shown(route)} who is in session",
        "If the Messenger shows a visitor there, check the user_loader, and that no proxy keeps that address.",
    )


def _identifiers(values: Mapping[str, Any]) -> Iterator[Finding]:
    for name in ("user_id", "email"):
        value = values.get(name)
        if value is not None and not isinstance(value, str):
            yield problem(
                f"{name}: no string; a number loses digits beyond 2^53 and then fails verification",
                f"Write {name} as a string, as intercom_snippet() does.",
            )


def _date(name: str, value: object) -> Iterator[Finding]:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield problem(f"{name}: no number, so it is not read as a date", f"Give {name} in unix seconds.")
    elif value >= _MILLISECONDS:
        yield problem(
            f"{name}: in milliseconds, far in the future for Intercom", f"Give {name} in unix seconds: divide by 1000."
        )


def _attributes(custom: object) -> Iterator[Finding]:
    if not isinstance(custom, dict):
        return
    nested = [shown(name) for name, value in custom.items() if not isinstance(value, _SAVED)]
    if nested:
        yield warning(
            f"custom_attributes: {', '.join(nested)} hold objects or lists, which the Messenger does not save",
            'Set INTERCOM_NESTED_HANDLING to "flatten" or "stringify", or give text, numbers and booleans.',
        )
    for name, value in custom.items():
        if name.endswith("_at") and isinstance(value, int | float):
            yield from _date(shown(name), value)
