"""The half of the doctor that looks at a page: its HTML and its headers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from ..settings import WIDGET_URL, Settings
from .document import read
from .findings import Finding, ok, warning
from .launcher import check_launcher
from .person import check_cache, check_person
from .policy import check_policy
from .proof import check_proof
from .snippets import boots_later, check_address, check_snippets, route_of, settings_in, snippets_of, unreadable
from .workspace import check_workspace


def check_page(html: str, headers: Mapping[str, str], settings: Settings, url: str) -> list[Finding]:
    """Return what a page tells of itself; ``url`` is where it was found, and several headers of a name are one.

    Several policies in one header are separated by commas, as HTTP joins them.
    """
    return list(_findings(html, {name.lower(): value for name, value in headers.items()}, settings, url))


def _findings(html: str, headers: Mapping[str, str], settings: Settings, url: str) -> Iterator[Finding]:
    document = read(html)
    if document.is_cut:
        yield warning(
            "page: it is so broken, or so big, that it was read in part", "Look at it with a validator of HTML first."
        )
    snippets = snippets_of(document)
    yield from check_snippets(document, snippets, settings)
    script = next(iter((*snippets.ours, *snippets.intercom)), None)
    if script is None:
        return
    values = next(filter(None, (settings_in(candidate.text) for candidate in (script, *document.scripts))), None)
    if boots_later(script):
        yield ok("intercomSettings: none yet, the page's first analytics call boots the Messenger")
    elif values is None:
        yield unreadable()
    else:
        yield from check_address(script, values, settings)
        yield from check_workspace(values, settings)
        yield from check_person(values, route_of(script))
        yield from check_proof(values, settings)
        yield from check_launcher(values, document.elements)
        yield from check_cache(values, headers)
    yield from check_policy(script, headers, document.policies, settings, url)
    yield from _domain(settings, url)


def _domain(settings: Settings, url: str) -> Iterator[Finding]:
    if settings.widget_url == WIDGET_URL:
        yield ok(
            f"trusted domains: whether Intercom accepts {urlsplit(url).hostname} cannot be seen from here",
            "If the browser shows 403 though the proof is right, add the domain in Intercom under Settings > Security.",
        )
