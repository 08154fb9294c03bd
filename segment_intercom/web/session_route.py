"""Who may ask for the settings of the person who is logged in, and what protects the answer."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from ..settings import Settings

# Under the extension's own prefix.
PATH = "/segment-intercom/settings.json"
ENDPOINT = "settings_json"
HEADERS = {
    "Cache-Control": "no-store",
    "Vary": "Cookie",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def status_of(settings: Settings, headers: Mapping[str, str], origin: str) -> int:
    """The status of the answer: 200, 403 for a page of another origin, 404 where there is no Messenger.

    ``origin`` is the application's own, such as ``https://example.com``.
    """
    if not settings.enabled or settings.app_id is None:
        return 404
    return 200 if is_same_origin(headers, origin) else 403


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
