"""The snippets of a page: ours, Intercom's own, Segment's own, and why there may be none."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..settings import Settings
from .document import Document, Script
from .findings import Finding, ok, problem, warning

_SETTINGS = re.compile(r"window\.intercomSettings\s*=(?!=)\s*")
_INTERCOM = re.compile(r"widget\.intercom\.io|reattach_activator|static\.intercomcdn\.com/intercom\.v1")
_SEGMENT = re.compile(r"cdn\.segment\.(?:com|io)|d2dq2ahtl5zl1z\.cloudfront\.net|\banalytics\.load\(")
_LINE = "{{ intercom_snippet(user) }}"


@dataclass(frozen=True, slots=True)
class Snippets:
    """The scripts of a page that have to do with Intercom or Segment, by what they are."""

    ours: Sequence[Script]
    intercom: Sequence[Script]
    segment: Sequence[Script]


def snippets_of(document: Document) -> Snippets:
    """Sort the scripts of a page; what belongs to none of the kinds is left out."""
    snippets = Snippets([], [], [])
    for script in document.scripts:
        if kind := _kind(script):
            getattr(snippets, kind).append(script)
    return snippets


def settings_in(text: str) -> dict[str, Any] | None:
    """The object that a script lays on the page as ``window.intercomSettings``; None where it is not JSON."""
    text = text.replace('["__proto__"]:', '"__proto__":')
    for match in _SETTINGS.finditer(text):
        try:
            decoded = json.JSONDecoder().raw_decode(text, match.end())[0]
        except (ValueError, RecursionError):
            continue
        if isinstance(decoded, dict):
            return decoded
    return None


def boots_later(script: Script) -> bool:
    """Return True if our snippet lays no settings on the page, so that its first ``analytics`` call boots."""
    return script.snippet is not None and script.snippet.get("boots") is False


def inserted_by(script: Script) -> list[str]:
    """Return the addresses of the scripts that our snippet inserts."""
    addresses = script.snippet.get("scripts") if script.snippet is not None else None
    return [address for address in addresses if isinstance(address, str)] if isinstance(addresses, list) else []


def route_of(script: Script) -> str | None:
    """Return where our snippet asks who is in session, or None where the page says it all."""
    route = script.snippet.get("route") if script.snippet is not None else None
    return route if isinstance(route, str) else None


def check_snippets(document: Document, snippets: Snippets, settings: Settings) -> Iterator[Finding]:
    """Hold that the snippet stands in the page once, and no other snippet beside it."""
    if len(snippets.ours) == 1:
        yield ok("snippet: stands in the page once")
    elif snippets.ours:
        yield problem(
            f"snippet: stands in the page {len(snippets.ours)} times",
            f"Keep one {_LINE}: look in the base template, its blocks and its includes.",
        )
    elif not snippets.intercom:
        yield _absent(document, settings)
    yield from _others(snippets)


def check_address(script: Script, values: Mapping[str, Any], settings: Settings) -> Iterator[Finding]:
    """Hold that our snippet loads the Messenger from where the settings say."""
    inserted = inserted_by(script)
    if inserted and f"{settings.widget_url}/{values.get('app_id')}" not in inserted:
        yield problem(
            f"widget_url: the page does not load the Messenger from {settings.widget_url}",
            "Set INTERCOM_WIDGET_URL alike here and where the site runs: without it, it is Intercom's own.",
        )


def _kind(script: Script) -> str:
    if script.snippet is not None:
        return "ours"
    if _INTERCOM.search(script.source) or _INTERCOM.search(script.text):
        return "intercom"
    return "segment" if _SEGMENT.search(script.source) or _SEGMENT.search(script.text) else ""


def _others(snippets: Snippets) -> Iterator[Finding]:
    if snippets.intercom:
        beside = "besides ours, so that two boot and the last one wins" if snippets.ours else "instead of ours"
        yield problem(
            f"second snippet: Intercom's own stands in the page {beside}",
            f"Remove the script that names widget.intercom.io, and leave the Messenger to {_LINE}.",
        )
    if snippets.segment:
        yield problem(
            "second snippet: Segment's own stands in the page, whose Intercom destination boots the Messenger as well",
            "Remove it, or switch its Intercom destination off for this source.",
        )
    if not snippets.intercom and not snippets.segment:
        yield ok("second snippet: neither Intercom's own nor Segment's")


def _absent(document: Document, settings: Settings) -> Finding:
    html = document.html
    if any("Intercom is switched off" in comment for comment in document.comments):
        return problem("snippet: switched off where the site runs", "Set INTERCOM_ENABLED to true there.")
    if re.search(r"(?:intercom|analytics)_snippet\(", html):
        return problem(
            "snippet: the template's line stands in the page as it was written",
            "Write it between the delimiters of this environment, such as << intercom_snippet(user) >> beside Vue, "
            "outside of a raw block, in a file that is rendered as a template.",
        )
    if "&lt;script" in html and "intercomSettings" in html:
        return problem(
            "snippet: stands in the page as escaped text",
            "Print what intercom_snippet() returns as it is: joined to plain text it is no longer marked as safe "
            "(Markup), and autoescape escapes it; mark it with |safe only where it is alone.",
        )
    if any("intercomSettings" in comment for comment in document.comments):
        return problem("snippet: stands in an HTML comment", "Move it out of the comment.")
    return _never_rendered(settings)


def _never_rendered(settings: Settings) -> Finding:
    if settings.app_id is None:
        return problem(
            "snippet: not in the page, and app_id is not set, without which nothing is rendered",
            "Set INTERCOM_APP_ID where the site runs.",
        )
    return problem(
        "snippet: not in the page",
        f"Put {_LINE} before </body> in the template of this page, and check that INTERCOM_APP_ID is set where the "
        "site runs: its log says so when it is not.",
    )


def unreadable() -> Finding:
    """The finding for a page whose settings are JavaScript rather than JSON."""
    return warning(
        "intercomSettings: written as JavaScript, so that what the page says cannot be checked",
        f"Let {_LINE} write them.",
    )
