"""What a Content-Security-Policy must allow for the Messenger.

Source: Intercom's help page "Using Intercom with Content Security Policy", by region.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from ..diagnostics import WARNINGS
from ..errors import OptionError
from ..settings import WIDGET_URL, Settings
from ..spec import SPEC

P = TypeVar("P", str, Mapping[str, Any])

# Where a browser looks when a directive is missing; form-action falls back to nothing.
_FALLBACKS = {
    "script-src": ("default-src",),
    "connect-src": ("default-src",),
    "frame-src": ("child-src", "default-src"),
    "child-src": ("default-src",),
    "worker-src": ("child-src", "script-src", "default-src"),
    "font-src": ("default-src",),
    "form-action": (),
    "media-src": ("default-src",),
    "img-src": ("default-src",),
    "style-src": ("default-src",),
}
# These override the directive they refine, so that they need its sources too, but only where the policy has them.
_REFINED = {"script-src-elem": "script-src", "style-src-elem": "style-src", "style-src-attr": "style-src"}
_SCRIPT = re.compile(r"<script\b[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)


def csp(settings: Settings) -> dict[str, list[str]]:
    """Return the sources that the Messenger needs, by directive, for the region and the addresses of the settings.

    The regions of all ``workspaces`` count, where these are a dict: one policy serves the pages of each tenant.
    The script that the snippet puts in the page needs a nonce or ``csp_hash()`` besides.
    """
    regional = [SPEC.regions[region].policy for region in _regions(settings)]
    policy = {
        name: _add(sources, [source for hosts in regional for source in hosts.get(name, ())])
        for name, sources in SPEC.policy.items()
    }
    # Our own route gives pages the runtime, unless another host does.
    own = ["'self'"] if settings.runtime_url is None or settings.runtime_url.startswith("/") else []
    policy["script-src"] = _with([*own, *policy["script-src"]], settings.widget_url, settings.runtime_url)
    # An imitation of Intercom has its back end beside its widget.
    imitation = settings.widget_url if settings.widget_url != WIDGET_URL else None
    policy["connect-src"] = _with(["'self'", *policy["connect-src"]], settings.messenger_url, imitation)
    return policy


def _regions(settings: Settings) -> list[str]:
    """The settings' own region, then those of ``workspaces``: one policy serves the pages of all of them."""
    workspaces = {} if callable(settings.workspaces) else settings.workspaces
    regions = [entry.get("region") for entry in workspaces.values() if isinstance(entry, Mapping)]
    return list(dict.fromkeys([settings.region, *filter(None, regions)]))


def merge_csp(policy: P, settings: Settings) -> P:
    """Return a policy with the Messenger's sources added, in the form it came in: a dict or a header's text.

    Nothing that was allowed is forbidden by it: a directive that the policy does not restrict stays unrestricted, and
    one that falls back to another starts from that one's sources. A policy for scripts without ``base-uri`` is warned
    of: a ``base`` element from an injection sends the page's relative addresses to a host of theirs.
    """
    if isinstance(policy, str):
        return _written(_merge(_read(policy), settings))
    if not isinstance(policy, Mapping):
        raise OptionError("policy", "must be a dict of directives, as flask-talisman takes it, or a header's text")
    return cast("P", _merge(policy, settings))


def csp_hash(html: str) -> str:
    """Return the policy source that allows the one inline script of ``html``: ``'sha256-...'``, quotes included."""
    scripts = _SCRIPT.findall(str(html))
    if len(scripts) != 1:
        raise OptionError("html", f"must hold exactly one script element, not {len(scripts)}")
    digest = hashlib.sha256(scripts[0].encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _merge(policy: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    names = {name.strip().lower(): name for name in policy}
    allowed = {name: _sources(name, policy[key]) for name, key in names.items()}
    needed = csp(settings)
    needed |= {refined: needed[name] for refined, name in _REFINED.items() if refined in allowed}
    if "base-uri" not in allowed and not allowed.keys().isdisjoint(("script-src", "default-src")):
        WARNINGS.warn("policy: has no base-uri, to which nothing falls back; add base-uri 'self', or 'none'")
    merged = dict(policy)
    for name, sources in needed.items():
        effective = next(
            (allowed[fallback] for fallback in (name, *_FALLBACKS.get(name, ())) if fallback in allowed), None
        )
        if effective is not None:  # else the policy does not restrict it at all
            merged[names.get(name, name)] = _add(effective, sources)
    return merged


def _sources(name: str, value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str):
        return value.replace(";", " ").split()
    if isinstance(value, list | tuple | set) and all(isinstance(source, str) for source in value):
        return list(value)
    raise OptionError("policy", f"{name:.40} must be a list of sources or a text")


def _add(allowed: Iterable[str], sources: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(source for source in (*allowed, *sources) if source != "'none'"))


def _with(sources: list[str], *addresses: str | None) -> list[str]:
    """Add the origins of addresses that are not Intercom's own; a path is of the page's own origin, 'self'."""
    origins = (f"{parts.scheme}://{parts.netloc}" for parts in map(urlsplit, filter(None, addresses)) if parts.netloc)
    return _add(sources, origins)


def _read(header: str) -> dict[str, str]:
    directives: dict[str, str] = {}
    for directive in header.split(";"):
        if words := directive.split():
            directives.setdefault(words[0].lower(), " ".join(words[1:]))  # of two, browsers take the first
    return directives


def _written(policy: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{name} {value if isinstance(value, str) else ' '.join(value)}".strip() for name, value in policy.items()
    )
