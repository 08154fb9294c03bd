"""Gets the one page that the doctor was asked to look at, as a browser would; nothing else here opens a socket."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

from .findings import Finding, ok, problem, shown

_LONGEST = 5_000_000  # bytes
_HTML = ("text/html", "application/xhtml+xml")
_HEADERS = {
    "Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
    "Accept-Encoding": "identity",
    "User-Agent": "Mozilla/5.0 (compatible; segment-intercom doctor)",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A page as it came: where it was found in the end, its headers in small letters, its HTML."""

    url: str
    headers: Mapping[str, str]
    html: str


def fetch(url: str, cookies: Iterable[str] = (), patience: float = 10) -> tuple[Answer | None, list[Finding]]:
    """Get a page with ``name=value`` cookies, and say how that went; without an answer there is a problem.

    Redirects are followed, but cookies are handed to no other host. ``patience`` is in seconds.
    """
    try:
        request = Request(_address(url), headers=_HEADERS)  # noqa: S310 - _address() lets http and https through
    except ValueError as error:
        return None, [problem(f"address: {error}", "Give an address such as https://example.com/.")]
    if cookie := "; ".join(cookies):
        request.add_header("Cookie", cookie)
    try:
        with _opener().open(request, timeout=patience) as response:
            return _read(response, request.full_url, patience)
    except HTTPError as error:
        error.close()
        return None, [_status(error.code)]
    except (OSError, http.client.HTTPException, ValueError) as error:
        return None, [_unreachable(error.reason if isinstance(error, URLError) else error)]


class _Redirects(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage, newurl: str
    ) -> Request | None:
        """Follow as a browser does, which hands cookies to no other host, and to no plain http after https."""
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if following and (old.hostname != new.hostname or (old.scheme, new.scheme) == ("https", "http")):
            following.remove_header("Cookie")
        return following


def _opener() -> OpenerDirector:
    """No files, no ftp: what urllib opens by itself is more than pages."""
    opener = OpenerDirector()
    handlers = (ProxyHandler, HTTPHandler, HTTPSHandler, _Redirects, HTTPDefaultErrorHandler, HTTPErrorProcessor)
    for handler in (*handlers, UnknownHandler):
        opener.add_handler(handler())
    return opener


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must start with http:// or https://, and name a host")
    if "@" in parts.netloc:
        raise ValueError("must hold no user and password; a log-in is a --cookie")
    parts.port  # noqa: B018 - raises ValueError for one that is none
    return quote(parts._replace(fragment="").geturl(), safe="%/:?#[]@!$&'()*+,;=~")


def _read(response: Any, asked: str, patience: float) -> tuple[Answer | None, list[Finding]]:
    findings = [_arrived(asked, response.url)]
    kind, encoding = response.headers.get_content_type(), response.headers.get("Content-Encoding", "identity")
    if kind not in _HTML:
        return None, [*findings, problem(f"Content-Type: {shown(kind)} is no HTML", "Give the address of a page.")]
    if encoding.lower() != "identity":
        remedy = "Honour Accept-Encoding: identity there, or give the address of the application behind the proxy."
        return None, [*findings, problem(f"Content-Encoding: {shown(encoding)}, though plain was asked for", remedy)]
    html = _text(_body(response, patience), response.headers.get_content_charset() or "utf-8")
    headers = {name.lower(): ", ".join(response.headers.get_all(name)) for name in response.headers}
    return Answer(response.url, headers, html), findings


def _body(response: Any, patience: float) -> bytes:
    """The bytes of an answer, if they come in time; a page that is too long is cut."""
    until, body = time.monotonic() + patience, b""
    while len(body) < _LONGEST and (part := response.read1(65536)):
        body += part
        if time.monotonic() > until:
            raise TimeoutError
    return body


def _text(body: bytes, charset: str) -> str:
    try:
        return body.decode(charset, "replace")
    except LookupError:
        return body.decode("utf-8", "replace")


def _arrived(asked: str, final: str) -> Finding:
    if final == asked:
        return ok(f"address: {_plain(asked)} answers with a page")
    return Finding(
        "warning" if urlsplit(final).path != urlsplit(asked).path else "ok",
        f"address: redirected to {_plain(final)}, which is the page that was looked at",
        "If that is a log-in page, give a session: --cookie session=...",
    )


def _plain(url: str) -> str:
    """An address without its query, in which there may be a token."""
    return shown(urlsplit(url)._replace(query="", fragment="").geturl())


def _status(code: int) -> Finding:
    if code in (401, 403):
        remedy = "Give the session of a user who may see the page: --cookie session=..."
    elif code == 404:
        remedy = "Check the path: nothing is there."
    elif code >= 500:
        remedy = "Look into the application's log: the page itself fails."
    elif code < 400:
        remedy = "Follow it in a browser: it leads in a circle, or to no page."
    else:
        remedy = "Open the address in a browser: the application refuses it."
    return problem(f"address: answers with status {code}", remedy)


def _unreachable(reason: object) -> Finding:
    if isinstance(reason, TimeoutError):
        return problem("address: no answer in time", "Look whether the application hangs.")
    if isinstance(reason, ssl.SSLError):
        why = getattr(reason, "verify_message", "") or reason.reason or "TLS fails"
        return problem(
            f"address: no safe connection ({shown(str(why))})",
            "Renew or install the certificate, name the host as it does, or use http:// on the own machine.",
        )
    if isinstance(reason, ConnectionRefusedError):
        return problem("address: nothing listens there", "Start the application, and check host and port.")
    why = getattr(reason, "strerror", None) or type(reason).__name__
    return problem(f"address: cannot be reached ({shown(why)})", "Check the host's name, the port and the scheme.")
