"""The names under which Intercom keeps attributes and event metadata.

Source: Intercom's documentation of data attributes (letters, digits, currency signs, hyphens and underscores) and of
event metadata (neither ``.`` nor ``$``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from ..diagnostics import Diagnostics
from ..memo import Memo

COLLISION = "two traits end up with this name; only one of them is sent"
Label = Callable[[str], str]

_NOT_IN_METADATA = re.compile(r"[.$]")


def attribute_name(name: str) -> str:
    """A name as the contacts API takes it: letters, digits, currency signs, ``-`` and ``_``; others become ``_``."""
    return "".join(
        sign if sign.isalnum() or sign in "-_" or unicodedata.category(sign) == "Sc" else "_" for sign in name
    )


def page_name(name: str) -> str:
    """A custom attribute's name in a page: one with a dot, such as a flattened one, as the contacts API has it."""
    return attribute_name(name) if "." in name else name


def metadata_name(name: str) -> str:
    """The name of an event's property: without ``.`` and ``$``, in a page as on the contacts API."""
    return _NOT_IN_METADATA.sub("_", name)


def labelled(values: Mapping[str, Any], label: Label, diagnostics: Diagnostics) -> Mapping[str, Any]:
    """The values under the names that ``label`` gives; where two meet, the one that has its own name stays.

    Where no name changes, these are the values themselves.
    """
    labels = _LABELS[tuple(values), label]
    if not labels:
        return values
    renamed: dict[str, Any] = {}
    for name, value in values.items():
        new = labels.get(name, name)
        if new in renamed or (new != name and new in values):
            diagnostics.warn(new, COLLISION)
        if new == name or new not in values:
            renamed[new] = value
    return renamed


def _labels(names_and_label: tuple[tuple[str, ...], Label]) -> Mapping[str, str]:
    """The names that change, each with its new one."""
    names, label = names_and_label
    return {name: new for name in names if (new := label(name)) != name}


# An application has few sets of names.
_LABELS = Memo(_labels, most=1_024, longest=4_096)
