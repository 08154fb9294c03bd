"""A page as data: its elements, its scripts, its comments and the policies in its head."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from ..web.snippet import FACTS

_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
# What stands in these is text, or waits for a script: no browser runs it.
_INERT = frozenset(("template", "noscript", "textarea", "title", "iframe", "xmp"))
# Browsers let no element stand deeper.
_DEEPEST = 512
_PIECE = 16_384  # characters that are read between two looks at the clock
_UNFINISHED = 262_144  # characters of a tag that never ends, after which nothing more is to be had from a page
_FACTS = re.compile(rf"/\*{FACTS}(\{{.*?\}})\*/", re.DOTALL)
_JAVASCRIPT = frozenset(("", "module", "text/javascript", "application/javascript"))


@dataclass(frozen=True, slots=True, eq=False)
class Element:
    """One element: its tag and its attributes in small letters, what it stands in, and whether that only waits."""

    tag: str
    attributes: Mapping[str, str]
    parent: Element | None
    is_inert: bool = False

    def ancestors(self) -> Iterator[Element]:
        """What the element stands in, the nearest first."""
        above = self.parent
        while above is not None:
            yield above
            above = above.parent


@dataclass(frozen=True, slots=True, eq=False)
class Script:
    """A script that a browser runs: the address it comes from, or the text between its tags.

    ``snippet`` is what our own says of itself: the ``scripts`` that it inserts, its ``route``, whether it ``boots``.
    """

    source: str
    nonce: str
    text: str
    snippet: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Document:
    """What a page holds, in its order."""

    html: str
    elements: list[Element] = field(default_factory=list)
    scripts: list[Script] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    is_cut: bool = False

    @property
    def policies(self) -> list[str]:
        """The policies that the page sets itself by ``meta`` elements."""
        return [
            element.attributes.get("content", "")
            for element in self.elements
            if element.tag == "meta" and element.attributes.get("http-equiv", "").lower() == "content-security-policy"
        ]


def read(html: str, patience: float = 10, clock: Callable[[], float] = time.monotonic) -> Document:
    """Read a page; whatever is broken in it is read as well as it can be, as far as ``patience`` seconds reach."""
    document = Document(html.replace("\r\n", "\n").replace("\r", "\n"))  # as browsers do before they hash a script
    until = clock() + patience

    def is_late() -> bool:
        return clock() > until

    reader = _Reader(document, is_late)
    try:
        document.is_cut = not reader.read(document.html)
    except _Late:
        document.is_cut = True
    return document


class _Late(Exception):
    """There is more of a page than there is time."""


class _Reader(HTMLParser):
    def __init__(self, document: Document, is_late: Callable[[], bool]) -> None:
        super().__init__()
        self._document = document
        self._is_late = is_late
        self._open: list[Element] = []
        self._text: list[str] = []

    def read(self, html: str) -> bool:
        """Read what there is time for, and say whether that was all of it."""
        for start in range(0, len(html), _PIECE):
            self.feed(html[start : start + _PIECE])
            if self._is_late():
                return False
        if len(self.rawdata) > _UNFINISHED:
            return False
        self.close()
        return True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in reversed(attrs)}  # of two, browsers take the first
        if self._is_late():
            raise _Late
        parent = self._open[min(len(self._open), _DEEPEST) - 1] if self._open else None
        element = Element(tag, attributes, parent, parent is not None and (parent.is_inert or parent.tag in _INERT))
        if not element.is_inert:
            self._document.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)
        self._text = []

    def handle_endtag(self, tag: str) -> None:
        if tag == "script" and self._open and self._open[-1].tag == tag:
            self._script(self._open[-1])
        for index in reversed(range(len(self._open))):
            if self._open[index].tag == tag:
                del self._open[index:]
                return

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def handle_comment(self, data: str) -> None:
        self._document.comments.append(data)

    def parse_marked_section(self, i: int, diagnostics: bool = True) -> int:
        return self.parse_bogus_comment(i)  # `<![` is a comment in HTML; the base class raises AssertionError

    def _script(self, element: Element) -> None:
        attributes = element.attributes
        if attributes.get("type", "").strip().lower() in _JAVASCRIPT and not element.is_inert:
            text = "".join(self._text)
            script = Script(attributes.get("src", ""), attributes.get("nonce", ""), text, _facts_in(text))
            self._document.scripts.append(script)


def _facts_in(script: str) -> Mapping[str, Any] | None:
    """What our own script says of itself in the comment at its end."""
    comments = _FACTS.findall(script)  # a text before it may look like one
    try:
        facts = json.loads(comments[-1]) if comments else None
    except (ValueError, RecursionError):
        return None
    return facts if isinstance(facts, dict) else None
