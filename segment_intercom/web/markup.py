"""Where the body of an HTML page ends: found in one pass, whatever the page holds."""

from __future__ import annotations

import re

_NAME = re.compile(r"</?([A-Za-z][^\s/>]*)")
# The content of these is text, in which nothing is a tag but their own end.
_TEXTS = frozenset(("script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"))
_ENDS = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in _TEXTS}
_STOPS = re.compile(r"[=>]")
_VALUE = re.compile(r"\s*([\"']?)")


def end_of_body(html: str) -> int | None:
    """The place of the last ``</body>`` that is a tag, and in no comment, text, attribute or template, else None."""
    place, templates = 0, 0
    end: int | None = None
    while (place := html.find("<", place)) >= 0:
        if html.startswith("<!--", place):
            place = html.find("-->", place + 2)  # "<!-->" is a whole comment
            if place < 0:
                break
            continue
        tag = _NAME.match(html, place)
        if tag is None:
            place += 1
            continue
        name, is_end = tag[1].lower(), html.startswith("</", place)
        if name == "body" and is_end and not templates:
            end = place
        after = _end_of_tag(html, tag.end())
        if after is None or name == "plaintext":
            break
        if name == "template":
            templates = max(0, templates + (-1 if is_end else 1))
        if name in _TEXTS and not is_end:
            closing = _ENDS[name].search(html, after)
            if closing is None:
                break
            after = closing.start()
        place = after
    return end


def _end_of_tag(html: str, place: int) -> int | None:
    """The place behind a tag's ``>``, which may stand in a quoted value as well; None where the page ends before it."""
    while (stop := _STOPS.search(html, place)) is not None:
        if stop[0] == ">":
            return stop.end()
        value = _VALUE.match(html, stop.end())
        place = stop.end() if value is None else value.end()
        if value is not None and value[1]:
            place = html.find(value[1], place) + 1
            if place == 0:
                return None
    return None
