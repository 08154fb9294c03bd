"""A page as data: its elements, its scripts, its comments and the policies in its head."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
# What stands in these is text, or waits for a script: no browser runs it.
_INERT = frozenset(("template", "noscript", "textarea", "title", "iframe", "xmp"))
_JAVASCRIPT = frozenset(("", "module", "text/javascript", "application/javascript"))


@dataclass(frozen=True, slots=True, eq=False)
class Element:
    """One element: its tag and its attributes in small letters, and what it stands in."""

    tag: str
    attributes: Mapping[str, str]
    parent: Element | None

    def ancestors(self) -> Iterator[Element]:
        """What the element stands in, the nearest first."""
        above = self.parent
        while above is not None:
            yield above
            above = above.parent


@dataclass(frozen=True, slots=True, eq=False)
class Script:
    """A script that a browser runs: the address it comes from, or the text between its tags."""

    source: str
    nonce: str
    text: str


@dataclass(slots=True)
class Document:
    """What a page holds, in its order."""

    html: str
    elements: list[Element] = field(default_factory=list)
    scripts: list[Script] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    @property
    def policies(self) -> list[str]:
        """The policies that the page sets itself by ``meta`` elements."""
        return [
            element.attributes.get("content", "")
            for element in self.elements
            if element.tag == "meta" and element.attributes.get("http-equiv", "").lower() == "content-security-policy"
        ]


def read(html: str) -> Document:
    """Read a page; whatever is broken in it is read as well as it can be."""
    document = Document(html.replace("\r\n", "\n").replace("\r", "\n"))  # as browsers do before they hash a script
    reader = _Reader(document)
    reader.feed(document.html)
    reader.close()
    return document


class _Reader(HTMLParser):
    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document
        self._open: list[Element] = []
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in reversed(attrs)}  # of two, browsers take the first
        element = Element(tag, attributes, self._open[-1] if self._open else None)
        if not _is_inert(element):
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

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        return self.parse_bogus_comment(i)  # `<![` is a comment in HTML; the base class raises AssertionError

    def _script(self, element: Element) -> None:
        given = element.attributes
        if given.get("type", "").strip().lower() in _JAVASCRIPT and not _is_inert(element):
            self._document.scripts.append(Script(given.get("src", ""), given.get("nonce", ""), "".join(self._text)))


def _is_inert(element: Element) -> bool:
    return any(above.tag in _INERT for above in element.ancestors())
