"""The headers that end a user's session with Intercom in this browser: expired cookies, and a marker for next pages."""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Iterable, Iterator

MARKER = "intercom-logout"
# As long as Intercom's own cookies live. It holds no identity: it is the time of the log-out, in Unix milliseconds.
MARKER_SECONDS = 9 * 30 * 86_400
# Of our lines of cookies: a proxy's buffer for all headers is often no more than twice as large.
LARGEST = 2_048
_MOST_APPS = 3
_LINE = len("Set-Cookie: \r\n")
_INTERCOM = ("intercom-id", "intercom-session", "intercom-device-id")
_SEGMENT = ("ajs_user_id", "ajs_group_id", "ajs_anonymous_id")
_OF_SOME_APP = re.compile(r"intercom-(?:id|session|device-id)-([A-Za-z0-9]{8}|[A-Za-z0-9]{40})")
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")


def log_out_headers(
    *, host: str, secure: bool, app_ids: Iterable[str], present: Iterable[str], clear_storage: bool = False
) -> list[tuple[str, str]]:
    """Return the headers ``Set-Cookie`` and ``Clear-Site-Data`` that expire what Intercom and Segment keep of a user.

    ``present`` are the names of the request's cookies, of which those of ``app_ids`` and of further app ids, three in
    all, are expired first; then, as far as there is room, those of ``app_ids`` that did not come. All lines together
    stay under 2 KB. ``clear_storage`` also asks the browser to drop all that pages of this origin have stored.
    """
    domains = domains_of(host)
    lines = list(_marker(domains, secure=secure))
    room = LARGEST - sum(_LINE + len(line) for line in lines)
    for names in _known(present, list(app_ids)):
        for domain in (None, *reversed(domains)):  # first where the Messenger and Segment's library set theirs
            for name in names:
                line = f"{name}=;{_on(domain)} Max-Age=0; Path=/"
                room -= _LINE + len(line)
                if room >= 0:
                    lines.append(line)
    headers = [("Set-Cookie", line) for line in lines]
    return [*headers, ("Clear-Site-Data", '"storage"')] if clear_storage else headers


def _marker(domains: list[str], *, secure: bool) -> Iterator[str]:
    """The marker, on the domains above the host of two to four labels: that which the Messenger uses is one of them.

    Not HttpOnly: the next pages' loader reads it.
    """
    now = time.time_ns() // 1_000_000
    places: list[str | None] = [*reversed(domains[-3:])]
    for domain in places or [None]:
        flags = " Secure;" if secure else ""
        yield f"{MARKER}={now};{_on(domain)} Max-Age={MARKER_SECONDS};{flags} Path=/; SameSite=Lax"


def _on(domain: str | None) -> str:
    return f" Domain={domain};" if domain is not None else ""


def _known(present: Iterable[str], app_ids: list[str]) -> tuple[list[str], list[str]]:
    """The request's cookies that are Intercom's, of three app ids at most, or Segment's; then what is missing."""
    names = list(dict.fromkeys(present))
    apps = {name: match[1] for name in names if (match := _OF_SOME_APP.fullmatch(name))}
    chosen = list(dict.fromkeys([*app_ids, *apps.values()]))[:_MOST_APPS]
    brought = [name for app_id in chosen for name in names if apps.get(name) == app_id]
    brought += [name for name in names if name in _SEGMENT]
    own = [f"{kind}-{app_id}" for app_id in app_ids for kind in _INTERCOM]
    return brought, [name for name in dict.fromkeys([*own, *_SEGMENT]) if name not in brought]


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
