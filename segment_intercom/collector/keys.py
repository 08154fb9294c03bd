"""Write keys: who a request is from, a server of the site or anyone's browser.

Source: Segment's HTTP API: Basic authentication with the key as the user, or ``writeKey`` in the body.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterable, Mapping
from secrets import compare_digest
from typing import Any, Literal

from ..settings import Settings
from .request import Rejection

Source = Literal["server", "browser"]


def source_of(settings: Settings, headers: Mapping[str, str], body: Mapping[str, Any]) -> Source:
    """Return whose key a request has; raises Rejection (401) where it has none that the settings name."""
    key = _basic(headers.get("authorization", "")) or body.get("writeKey")
    if not isinstance(key, str) or not key:
        raise Rejection(401, "writeKey: is missing; give it as the user of Basic authentication, or in the body")
    if _is_among(key, settings.write_keys):
        return "server"
    if _is_among(key, settings.browser_write_keys):
        return "browser"
    raise Rejection(401, "writeKey: is none of INTERCOM_WRITE_KEYS and INTERCOM_BROWSER_WRITE_KEYS")


def is_browser_key(settings: Settings, key: str) -> bool:
    """Return whether a key is one that pages may hold."""
    return _is_among(key, settings.browser_write_keys)


def _is_among(key: str, keys: Iterable[str]) -> bool:
    # All are compared, each in a time that does not tell how much of it is right.
    written = key.encode("utf-8", "surrogatepass")
    return sum(compare_digest(written, known.encode("utf-8", "surrogatepass")) for known in keys) > 0


def _basic(header: str) -> str | None:
    """The user of Basic authentication, or None."""
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return b64decode(credentials.strip(), validate=True).decode("utf-8").partition(":")[0] or None
    except (binascii.Error, ValueError):
        return None
