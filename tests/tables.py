"""The tables of the documentation that are made from the code: ``make tables`` writes them, and a test holds them.

A row of docs/configuration.md has its key and its default from the settings; its meaning is written by hand, and so is
the order. A row of docs/traits.md has what becomes of its trait from the mapping.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import MISSING, fields

from segment_intercom import Identify, Settings, messenger_settings, rest_operations
from tests.children import ROOT

_ATTACHING = "POST /contacts/{contact_id}/companies"  # which follows every company, and says nothing of its own


def configuration(text: str) -> str:
    """The page with the defaults of the settings; raises where a setting is missing or a row stands for none."""
    defaults = {f"INTERCOM_{field.name.upper()}": _default(field) for field in fields(Settings)}
    shown = re.findall(r"^\| `(INTERCOM_\w+)` \|", text, re.MULTILINE)
    if sorted(shown) != sorted(defaults):
        raise ValueError(f"docs/configuration.md: add or remove rows: {sorted({*shown} ^ {*defaults})}")
    return re.sub(
        r"^\| `(INTERCOM_\w+)` \| `.*?` \|",
        lambda row: f"| `{row[1]}` | `{defaults[row[1]]}` |",
        text,
        flags=re.MULTILINE,
    )


def traits(text: str) -> str:
    """The page with what becomes of each trait of its table, in the page and at Intercom's API."""
    return re.sub(
        r"^\| `(\{.*?\})` \| `\{.*?\}` \| `\{.*\}` \|$", lambda row: _trait_row(row[1]), text, flags=re.MULTILINE
    )


TABLES: dict[str, Callable[[str], str]] = {"configuration.md": configuration, "traits.md": traits}


def _default(field: object) -> str:
    default = getattr(field, "default", MISSING)
    if default is MISSING:
        return "{}"
    return json.dumps(default) if isinstance(default, str) else str(default)


def _trait_row(trait: str) -> str:
    call = Identify("u", json.loads(trait))
    page = messenger_settings(call, Settings(app_id="abc12345"))
    contact, *others = rest_operations(call, Settings())
    api = {name: value for name, value in (contact.body or {}).items() if name not in ("role", "external_id")}
    api |= {
        name: operation.body for operation in others if (name := f"{operation.method} {operation.path}") != _ATTACHING
    }
    cells = [{name: value for name, value in page.items() if name not in ("app_id", "user_id")}, api]
    return " | ".join([f"| `{trait}`", *(f"`{json.dumps(cell)}`" for cell in cells)]) + " |"


if __name__ == "__main__":
    for name, made in TABLES.items():
        path = ROOT / "docs" / name
        path.write_text(made(path.read_text(encoding="utf-8")), encoding="utf-8")
