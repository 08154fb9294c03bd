"""Where templates/ and static/ are: at the top of a checkout, inside the package of an installed wheel."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from .errors import SegmentIntercomError

_PACKAGE = Path(__file__).parent


@cache
def templates() -> Path:
    """The folder that holds the packages of templates, one folder each."""
    return _find("templates")


@cache
def static(name: str = "") -> Path:
    """The folder of static files, or of one part of them: ``static("sandbox")``."""
    return _find("static") / name


def read(name: str) -> str:
    """The text of a static file, without the new line at its end: ``read("segment_intercom/loader.min.js")``."""
    return (static() / name).read_text(encoding="utf-8").removesuffix("\n")


@cache
def fingerprint(name: str) -> str:
    """A text that differs with each version of a static file, for addresses that may be kept for ever."""
    return hashlib.sha256(read(name).encode()).hexdigest()[:12]


def _find(folder: str) -> Path:
    for place in (_PACKAGE / folder, _PACKAGE.parent / folder):
        if place.is_dir():
            return place
    raise SegmentIntercomError(f"the folder {folder}/ is missing from this installation: install the package again")
