"""The end of a person's session with Intercom in this browser, as cookies of an answer."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from werkzeug.wrappers import Response

MARKER = "intercom-logout"
MARKER_SECONDS = 300
_INTERCOM = ("intercom-id", "intercom-session", "intercom-device-id")
_SEGMENT = ("ajs_user_id", "ajs_group_id", "ajs_anonymous_id")
_OF_SOME_APP = re.compile(r"intercom-(?:id|session|device-id)-(?:[A-Za-z0-9]{8}|[A-Za-z0-9]{40})")
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")


def expire_session(
    response: Response, *, host: str, secure: bool, app_ids: Iterable[str], present: Iterable[str]
) -> None:
    """Expire what Intercom and Segment keep about somebody, and leave the marker that the next page acts on.

    ``present`` are the names of the request's cookies: those of further app ids, of tenants, are expired as well.
    """
    named = [f"{cookie}-{app_id}" for app_id in app_ids for cookie in _INTERCOM]
    found = [name for name in present if _OF_SOME_APP.fullmatch(name)]
    for name in dict.fromkeys([*named, *found, *_SEGMENT]):
        for domain in (None, *domains_of(host)):
            response.delete_cookie(name, domain=domain)
    # Not HttpOnly: the next page's loader reads and deletes it.
    response.set_cookie(MARKER, "1", max_age=MARKER_SECONDS, secure=secure, samesite="Lax")
    response.headers["Cache-Control"] = "no-store"


def domains_of(host: str) -> list[str]:
    """The domains on which a page of a host may have set a cookie: its own name and each parent of two labels or more.

    Public suffixes are among them, which browsers ignore; an address, a single name and a malformed host have none.
    """
    labels = re.sub(r":\d*$", "", host).lower().removesuffix(".").split(".")
    if _is_address(".".join(labels)) or not all(map(_LABEL.fullmatch, labels)):
        return []
    return [".".join(labels[start:]) for start in range(len(labels) - 1)]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
