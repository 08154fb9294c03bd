"""CSS selectors, as far as launchers need them: tags, ids, classes, attributes, and what stands in what."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import reduce

from .document import Element

_Test = Callable[[Element], bool]
_NAME = r"[A-Za-z_][\w-]*|--[\w-]+|-[A-Za-z_][\w-]*"
_SIMPLE = re.compile(
    rf"(?P<tag>^(?:[A-Za-z][\w-]*|\*))|#(?P<id>{_NAME})|\.(?P<class>{_NAME})"
    rf"|\[\s*(?P<attribute>[\w-]+)\s*(?P<equals>=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>{_NAME}))\s*)?\]"
)
_BRACKETS = re.compile(r"\[[^\]]*\]")
_PARTS = re.compile(r"\s*>\s*|\s+|(?:\[[^\]]*\]|[^\s>\[])+")


class Unsupported(ValueError):
    """The selector is of a kind that is not read here; a browser may know it well."""


def finds(selector: str, elements: Sequence[Element]) -> bool:
    """Return whether a selector, or one of a list with commas, finds an element; raises Unsupported."""
    if "," in _BRACKETS.sub("", selector):
        matches = [finds(part, elements) for part in selector.split(",")]  # all, so that none unread passes for read
        return any(matches)
    return any(map(_compiled(selector.strip()), elements))


def _compiled(selector: str) -> _Test:
    parts = _PARTS.findall(selector)
    if "".join(parts) != selector or len(parts) % 2 == 0:
        raise Unsupported(selector)
    first, *compounds = map(_compound, parts[::2])
    combinators = [part.strip() == ">" for part in parts[1::2]]
    return reduce(_inside, zip(combinators, compounds, strict=True), first)


def _inside(outer: _Test, step: tuple[bool, _Test]) -> _Test:
    """The test of an element that passes one test and stands in another's, directly or at any depth."""
    directly, inner = step
    if directly:
        return lambda element: inner(element) and element.parent is not None and outer(element.parent)
    return lambda element: inner(element) and any(map(outer, element.ancestors()))


def _compound(text: str) -> _Test:
    tests: list[_Test] = []
    at = 0
    while at < len(text):
        match = _SIMPLE.match(text, at)
        if match is None:
            raise Unsupported(text)
        tests.append(_simple(match))
        at = match.end()
    return lambda element: all(test(element) for test in tests)


def _simple(match: re.Match[str]) -> _Test:
    if name := match["id"]:
        return lambda element: element.attributes.get("id") == name
    if name := match["class"]:
        return lambda element: name in element.attributes.get("class", "").split()
    if name := match["tag"]:
        return lambda element: name in ("*", element.tag) or name.lower() == element.tag
    name = match["attribute"].lower()
    if match["equals"] is None:
        return lambda element: name in element.attributes
    value = next(text for text in (match["double"], match["single"], match["bare"]) if text is not None)
    return lambda element: element.attributes.get(name) == value
