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
_LOADER = "intercomLoad"  # only our loader offers it
_INSERTED = re.compile(r'\.src="([^"]+)"')
_ROUTE = re.compile(r'fetch\("([^"]+)",\{credentials:"same-origin"\}')
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
    found = Snippets([], [], [])
    for script in document.scripts:
        if kind := _kind(script):
            getattr(found, kind).append(script)
    return found


def settings_in(text: str) -> dict[str, Any] | None:
    """The object that a script lays on the page as ``window.intercomSettings``; None where it is no JSON."""
    text = text.replace('["__proto__"]:', '"__proto__":')
    for match in _SETTINGS.finditer(text):
        try:
            found = json.JSONDecoder().raw_decode(text, match.end())[0]
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
    return None


def boots_later(script: Script) -> bool:
    """Tell whether our snippet lays no settings on the page, so that its first ``analytics`` call boots."""
    return _LOADER in script.text and "window.intercomSettings=undefined" in script.text


def inserted_by(script: Script) -> list[str]:
    """The addresses of the scripts that our snippet inserts."""
    return _INSERTED.findall(script.text) if _LOADER in script.text else []


def route_of(script: Script) -> str | None:
    """Where our snippet asks who is in session; None where the page says it all."""
    found = _ROUTE.search(script.text) if _LOADER in script.text else None
    return found.group(1) if found else None


def check_snippets(document: Document, found: Snippets, settings: Settings) -> Iterator[Finding]:
    """Hold that the snippet stands in the page once, and nobody else's beside it."""
    if len(found.ours) == 1:
        yield ok("snippet: stands in the page once")
    elif found.ours:
        yield problem(
            f"snippet: stands in the page {len(found.ours)} times",
            f"Keep one {_LINE}: look in the base template, its blocks and its includes.",
        )
    elif not found.intercom:
        yield _absent(document, settings)
    yield from _others(found)


def check_address(script: Script, values: Mapping[str, Any], settings: Settings) -> Iterator[Finding]:
    """Hold that our snippet loads the Messenger from where the settings say."""
    inserted = inserted_by(script)
    if inserted and f"{settings.widget_url}/{values.get('app_id')}" not in inserted:
        yield problem(
            f"widget_url: the page does not load the Messenger from {settings.widget_url}",
            "Set INTERCOM_WIDGET_URL alike here and where the site runs: without it, it is Intercom's own.",
        )


def _kind(script: Script) -> str:
    if _LOADER in script.text and _SETTINGS.search(script.text):
        return "ours"
    if _INTERCOM.search(script.source) or _INTERCOM.search(script.text):
        return "intercom"
    return "segment" if _SEGMENT.search(script.source) or _SEGMENT.search(script.text) else ""


def _others(found: Snippets) -> Iterator[Finding]:
    if found.intercom:
        beside = "besides ours, so that two boot and the last one wins" if found.ours else "instead of ours"
        yield problem(
            f"second snippet: Intercom's own stands in the page {beside}",
            f"Remove the script that names widget.intercom.io, and leave the Messenger to {_LINE}.",
        )
    if found.segment:
        yield problem(
            "second snippet: Segment's own stands in the page, whose Intercom destination boots the Messenger as well",
            "Remove it, or switch its Intercom destination off for this source.",
        )
    if not found.intercom and not found.segment:
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
