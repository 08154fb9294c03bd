"""What the headers of a response allow caches to do, and the headers of a response that names a user.

Headers are pairs of a name and a value, in any order and of any case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

Headers = Iterable[tuple[str, str]]

# The headers that caches of some vendors obey before Cache-Control, as far as they do not end in cdn-cache-control.
_VENDOR_HEADERS = ("surrogate-control", "x-accel-expires", "x-litespeed-cache-control", "edge-control", "expires")
_IN_PRIVATE = re.compile(r"\b(?:private|no-store|no-cache)\b|(?:max-?age|^) ?= ?0\b|^ *0 *$", re.IGNORECASE)
_DIRECTIVE = re.compile(r"""([A-Za-z-]+)(?:\s*=\s*"?([^",\s]*))?""")


def allows_public(headers: Headers) -> bool:
    """Return True if caches that serve many users may store the response, by Cache-Control or a vendor's header."""
    pairs = [(name.lower(), value) for name, value in headers]
    directives = _cache_control(pairs)
    if "public" in directives or "s-maxage" in directives:
        return True
    for name, value in pairs:
        if is_cache_header(name) and name != "expires" and not _IN_PRIVATE.search(value):
            return True
    is_private = not directives.keys().isdisjoint(("private", "no-store", "no-cache"))
    return not is_private and any(_is_future(value) for name, value in pairs if name == "expires")


def allows_any(headers: Headers) -> bool:
    """Return True if any cache may store the response, the browser's too."""
    pairs = [(name.lower(), value) for name, value in headers]
    return _cache_control(pairs).get("max-age", "0") not in ("", "0") or allows_public(pairs)


def is_cache_header(name: str) -> bool:
    """Return True for a header that instructs caches beside Cache-Control."""
    name = name.lower()
    return name in _VENDOR_HEADERS or name.endswith("cdn-cache-control")


def forbid_storing(headers: Any, cache_control: str) -> None:
    """Set Cache-Control, and remove what else caches obey or ask by, in headers such as werkzeug's."""
    headers["Cache-Control"] = cache_control
    for name in {name.lower() for name, _ in headers}:
        if is_cache_header(name) or name in ("etag", "last-modified"):
            del headers[name]


def _cache_control(pairs: Headers) -> dict[str, str]:
    text = ", ".join(value for name, value in pairs if name == "cache-control")
    return {name.lower(): value for name, value in _DIRECTIVE.findall(text)}


def _is_future(date: str) -> bool:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return False
    return moment.replace(tzinfo=moment.tzinfo or UTC) > datetime.now(UTC)
