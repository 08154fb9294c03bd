"""Which hosts a server on the loopback answers for: a page elsewhere must not reach it by a name that it points here.

Source: what is known as DNS rebinding; the browser then takes the two for one site, and only the Host header tells.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

_REMEDY = "This is a development server of one machine: open it as http://127.0.0.1 or http://localhost."


def is_own(host: str, hosts: Collection[str] = ()) -> bool:
    """Return whether a Host header names this machine's loopback, Intercom or one of ``hosts``; the port is any.

    The hosts that it imitates may be pointed here; no one else can point those names anywhere.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name in hosts or name == "localhost" or name.endswith((".localhost", ".intercom.io")):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def is_same_origin(headers: Any, origin: str) -> bool:
    """Return whether a request comes from a page of this origin, or from no page at all, as what a program sends."""
    said = headers.get("Origin")
    return headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none") and said in (None, origin)


def only_own(app: Callable[..., Iterable[bytes]], hosts: Collection[str] = ()) -> Callable[..., Iterable[bytes]]:
    """A WSGI application that answers to its own hosts only, others with 403 and the remedy."""

    def guarded(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        # Mounted into a site, the site decides which hosts it answers for.
        if environ.get("SCRIPT_NAME") or is_own(environ.get("HTTP_HOST", ""), hosts):
            return app(environ, start)
        start("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")])
        return [f"{_REMEDY}\n".encode()]

    return guarded
