"""Policies as a browser reads them: directives, what they fall back to, and which addresses their sources match.

Source: W3C, "Content Security Policy Level 3".
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

Policy = Mapping[str, Sequence[str]]

_FALLBACKS = {
    "script-src-elem": ("script-src", "default-src"),
    "style-src-elem": ("style-src", "default-src"),
    "frame-src": ("child-src", "default-src"),
    "worker-src": ("child-src", "script-src", "default-src"),
    "form-action": (),
}
# What a scheme in a source matches: the safer one of its kind as well.
_SCHEMES = {
    "http": ("http", "https"),
    "https": ("https",),
    "ws": ("ws", "wss", "http", "https"),
    "wss": ("wss", "https"),
}
_NETWORK = ("http", "https", "ws", "wss")
_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_HOST = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://)?(?P<host>\*|(?:\*\.)?[^*/:]+)(?::(?P<port>\d+|\*))?(?P<path>/[^?#]*)?",
    re.IGNORECASE,
)
_TRUST = re.compile(r"'(?:nonce-|sha(?:256|384|512)-)", re.IGNORECASE)


def policies(header: str) -> list[Policy]:
    """Read the policies of a header, or of several that HTTP joined with commas."""
    return [policy for text in header.split(",") if (policy := _read(text))]


def sources(policy: Policy, directive: str) -> Sequence[str] | None:
    """The sources that count for a directive; None where the policy does not restrict it."""
    names = (directive, *_FALLBACKS.get(directive, ("default-src",)))
    return next((policy[name] for name in names if name in policy), None)


def allows(listed: Sequence[str], address: str, page: str) -> bool:
    """Return whether a list of sources matches an address, a host, or a scheme such as ``blob:``, seen from a page."""
    return any(_matches(source, address, page) for source in listed)


def allows_inline(listed: Sequence[str]) -> bool:
    """Return whether 'unsafe-inline' is there and counts: beside a nonce, a hash or 'strict-dynamic' it does not."""
    words = [word.lower() for word in listed]
    return "'unsafe-inline'" in words and "'strict-dynamic'" not in words and not any(map(_TRUST.match, words))


def has_nonces(listed: Sequence[str]) -> bool:
    """Return whether scripts may show a nonce."""
    return any(word.lower().startswith("'nonce-") for word in listed)


def trusts(listed: Sequence[str], nonce: str, text: str) -> bool:
    """Return whether a script is allowed by its nonce or by the hash of its text."""
    return has_nonce(listed, nonce) or any(_plain(word) in _hashes(text) for word in listed if _TRUST.match(word))


def has_nonce(listed: Sequence[str], nonce: str) -> bool:
    """Return whether a nonce is one of those that are listed."""
    return bool(nonce) and f"'nonce-{nonce}'" in listed


def _read(text: str) -> dict[str, list[str]]:
    directives: dict[str, list[str]] = {}
    for directive in text.split(";"):
        if words := directive.split():
            directives.setdefault(words[0].lower(), words[1:])  # of two, browsers take the first
    return directives


def _matches(source: str, address: str, page: str) -> bool:
    scheme, _, rest = address.partition(":")
    if source == "*":
        return scheme in _NETWORK
    if source.lower() == "'self'":
        return _same_origin(address, page)
    if source.endswith(":"):
        return scheme in _SCHEMES.get(source[:-1].lower(), (source[:-1].lower(),))
    host = _HOST.fullmatch(source)
    if host is None or source.startswith("'") or not rest.startswith("//"):
        return False
    wanted = (host["scheme"] or urlsplit(page).scheme).lower()
    # A source without a scheme takes the page's, and browsers let it open a socket, too.
    schemes = _SCHEMES.get(wanted if host["scheme"] else wanted.replace("http", "ws"), ())
    return scheme in schemes and _matches_host(host, address)


def _matches_host(host: re.Match[str], address: str) -> bool:
    parts, name = urlsplit(address), host["host"].lower()
    netloc = (parts.hostname or "").lower()
    if name != "*" and not (netloc.endswith(name[1:]) if name.startswith("*.") else netloc == name):
        return False
    default = _PORTS.get(parts.scheme)
    if host["port"] != "*" and int(host["port"] or default or 0) != (parts.port or default):
        return False
    path = host["path"] or "/"
    # Which files of a host are needed is not known where only its name is.
    return not parts.path or (parts.path.startswith(path) if path.endswith("/") else parts.path == path)


def _same_origin(address: str, page: str) -> bool:
    left, right = urlsplit(address), urlsplit(page)
    ports = [parts.port or _PORTS.get(parts.scheme) for parts in (left, right)]
    return left.hostname == right.hostname and ports[0] == ports[1] and left.scheme in _NETWORK


def _hashes(text: str) -> set[str]:
    digests = {
        name: hashlib.new(name, text.encode("utf-8", "surrogatepass")).digest()
        for name in ("sha256", "sha384", "sha512")
    }
    return {f"'{name}-{base64.b64encode(digest).decode()}'" for name, digest in digests.items()}


def _plain(word: str) -> str:
    """A hash as base64: a policy may write it as base64url."""
    name, _, digest = word.partition("-")
    return f"{name.lower()}-{digest.replace('-', '+').replace('_', '/')}"
