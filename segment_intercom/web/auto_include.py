"""Which responses get the snippet by themselves, and how it is put into a page: bytes in, bytes out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from string import printable

from ..diagnostics import WARNINGS
from .cache_headers import Headers, allows_public
from .markup import end_of_body

_XHTML = "application/xhtml+xml"
_WITHOUT_A_PAGE = (204, 205, 206)
# What they say was true of the page without the snippet.
OUTDATED = ("Last-Modified", "Content-MD5", "Digest", "Content-Digest", "Repr-Digest")


def accepts_a_page(method: str, fetch_dest: str | None) -> bool:
    """Return True if a browser would show the response as a page; ``fetch_dest`` is the header Sec-Fetch-Dest."""
    return method in ("GET", "HEAD", "POST") and fetch_dest in (None, "document")


def is_excluded(endpoint: str | None, path: str, exclude: Sequence[str]) -> bool:
    """Return True if an entry names this place; ``/admin`` names what is under it, not ``/administer``."""
    return any(
        path == entry or path.startswith(entry.rstrip("/") + "/") if entry.startswith("/") else endpoint == entry
        for entry in exclude
    )


def is_a_page(status: int, mimetype: str, headers: Headers) -> bool:
    """Return True for plain HTML that no cache in public was asked to store; its body must be complete, too."""
    if mimetype == _XHTML:
        WARNINGS.warn("auto_include: a page of XHTML gets no snippet by itself; put {{ intercom_snippet() }} into it")
    values = {name.lower(): value for name, value in headers}
    return (
        200 <= status < 300
        and status not in _WITHOUT_A_PAGE
        and mimetype == "text/html"
        and "content-range" not in values
        and "content-encoding" not in values
        and not values.get("content-disposition", "").strip().lower().startswith("attachment")
        and not allows_public(headers)
    )


def include(html: bytes, charset: str, snippet: Callable[[], str]) -> bytes | None:
    """Return the page with a snippet before the last ``</body>``, or None where there is no place for it.

    ``snippet`` is called only if there is. None, too, for text that its charset does not give back as it was.
    """
    text = _decoded(html, charset)
    end = end_of_body(text)
    if end is None:
        WARNINGS.warn("auto_include: a page has no </body> tag, so it gets no snippet; render intercom_snippet() in it")
        return None
    # As plain text: added to the page, Markup would escape the page.
    if not (script := str(snippet())):
        return None
    if charset.lower() not in ("utf-8", "utf8"):
        script = _in_ascii(script)
    return (text[:end] + script + text[end:]).encode(charset)


def _decoded(data: bytes, charset: str) -> str:
    try:
        if not charset.lower().startswith("utf-16") and printable.encode(charset) != printable.encode("ascii"):
            return ""  # a backslash, or more, means something else there
        text = data.decode(charset)
        return text if text.encode(charset) == data else ""
    except (LookupError, ValueError):
        return ""


def _in_ascii(script: str) -> str:
    """The same JavaScript in ASCII: a charset may have no form for a name in it."""
    return re.sub(r"[^\x00-\x7f]", lambda character: json.dumps(character[0])[1:-1], script)
