"""Where a page gets the snippet by itself, and how it is put there without harm to the answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

from werkzeug.wrappers import Request, Response

_BODY_END = re.compile(r"</body[ \t\r\n\f]*>", re.IGNORECASE)
_WITHOUT_A_PAGE = (204, 205, 206)
# What they say was true of the answer without the snippet.
_OUTDATED = ("Last-Modified", "Content-MD5", "Digest", "Content-Digest", "Repr-Digest")


def asks_for_a_page(request: Request) -> bool:
    """Tell whether a browser would show the answer as a page; one that does not say is believed to."""
    return request.method in ("GET", "POST") and request.headers.get("Sec-Fetch-Dest", "document") == "document"


def is_excluded(endpoint: str | None, path: str, exclude: Sequence[str]) -> bool:
    """Tell whether endpoints or path prefixes name a place; ``/admin`` names what is under it, not ``/administer``."""
    return any(
        path == entry or path.startswith(entry.rstrip("/") + "/") if entry.startswith("/") else endpoint == entry
        for entry in exclude
    )


def is_a_page(response: Response) -> bool:
    """Tell whether an answer is complete and plain HTML that no cache in public was asked to keep."""
    return (
        200 <= response.status_code < 300
        and response.status_code not in _WITHOUT_A_PAGE
        and response.mimetype == "text/html"
        and response.is_sequence
        and not response.direct_passthrough
        and "Content-Range" not in response.headers
        and "Content-Encoding" not in response.headers
        and not response.headers.get("Content-Disposition", "").strip().lower().startswith("attachment")
        and not asks_for_public(response)
    )


def asks_for_public(response: Response) -> bool:
    """Tell whether an answer lets caches that serve many people keep it."""
    return response.cache_control.public or response.cache_control.s_maxage is not None


def include(response: Response, snippet: Callable[[], str]) -> None:
    """Put a snippet before the last ``</body>``; ``snippet`` is asked for one only where there is a place for it.

    Text that its charset does not give back as it was stays alone. An ETag is made anew, weak if it was.
    """
    charset = response.mimetype_params.get("charset", "utf-8")
    text = _decoded(response.get_data(), charset)
    ends = [end.start() for end in _BODY_END.finditer(text)]
    # As plain text: added to the page, Markup would escape the page.
    if not ends or not (script := str(snippet())):
        return
    if charset.lower() not in ("utf-8", "utf8"):
        script = _in_ascii(script)
    response.set_data((text[: ends[-1]] + script + text[ends[-1] :]).encode(charset))
    for name in _OUTDATED:
        response.headers.pop(name, None)
    tag, weak = response.get_etag()
    if tag is not None:
        response.add_etag(overwrite=True, weak=bool(weak))


def _decoded(data: bytes, charset: str) -> str:
    try:
        text = data.decode(charset)
        return text if text.encode(charset) == data else ""
    except (LookupError, ValueError):
        return ""


def _in_ascii(script: str) -> str:
    """The same JavaScript in ASCII: a charset may have no form for a name in it."""
    return re.sub(r"[^\x00-\x7f]", lambda character: json.dumps(character[0])[1:-1], script)
