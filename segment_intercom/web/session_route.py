"""Who may ask for the settings of the person who is logged in, and what protects the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

# Under the extension's own prefix.
PATH = "/segment-intercom/settings.json"
ENDPOINT = "settings_json"
HEADERS = {
    "Cache-Control": "no-store",
    "Vary": "Cookie",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def answer(
    session_settings: Callable[[], Mapping[str, Any]], headers: Mapping[str, str], origin: str
) -> tuple[int, Mapping[str, Any]]:
    """Return the status and the body: 200, 403 for a page of another origin, 404 where this request has no Messenger.

    ``session_settings`` is called for a page of the same origin alone, once; it returns nothing where there is no
    Messenger. ``origin`` is the application's own, such as ``https://example.com``.
    """
    if not is_same_origin(headers, origin):
        return 403, {}
    intercom_settings = session_settings()
    return (200 if intercom_settings else 404), intercom_settings


def is_same_origin(headers: Mapping[str, str], origin: str) -> bool:
    """Return whether a page of this origin asks; a browser that does not send ``Sec-Fetch-Site`` must name the page."""
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return _origin_of(headers.get("Origin") or headers.get("Referer") or "") == origin.lower()


def _origin_of(address: str) -> str | None:
    try:
        parts = urlsplit(address)
    except ValueError:  # a malformed address in brackets
        return None
    return f"{parts.scheme}://{parts.netloc}".lower()
