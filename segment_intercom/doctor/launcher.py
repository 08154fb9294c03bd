"""Whether there is something on a page that opens the Messenger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .document import Element
from .findings import Finding, Level, ok, shown, warning
from .selectors import Unsupported, finds

_OWN = 'Put <button id="help"> (or the like) on the page and set INTERCOM_LAUNCHER_SELECTOR to "#help"'


def check_launcher(values: Mapping[str, Any], elements: Sequence[Element]) -> Iterator[Finding]:
    """Hold that the page's own launcher is there, and that one is there at all."""
    selector = values.get("custom_launcher_selector")
    hidden = values.get("hide_default_launcher") is True
    if selector is not None:
        yield _found(selector, elements, hidden)
    elif hidden:
        yield warning(
            "hide_default_launcher: true without a custom_launcher_selector, so nothing opens the Messenger",
            f"{_OWN}, call Intercom('show'), or set INTERCOM_HIDE_DEFAULT_LAUNCHER to false.",
        )
    else:
        yield ok("custom_launcher_selector: not set, Intercom's own launcher opens the Messenger")


def _found(selector: object, elements: Sequence[Element], hidden: bool) -> Finding:
    what = f"custom_launcher_selector: {shown(selector)}"
    try:
        exists = finds(str(selector), elements)
    except Unsupported:
        return ok(f"{what} cannot be checked here", "Try document.querySelector() in the browser's console.")
    if exists:
        return ok(f"{what} finds an element")
    level: Level = "problem" if hidden else "warning"
    return Finding(
        level,
        f"{what} finds no element" + (", and the default launcher is hidden" if hidden else ""),
        f"{_OWN}, or make the selector that of your button; one that a script adds later is not seen here.",
    )
