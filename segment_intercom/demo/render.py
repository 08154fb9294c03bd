"""What the template's line becomes, rendered by the very helpers that a developer uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import current_app, render_template_string

from . import options
from .session import current_user

_WRONG_HASH = "0" * 64


@dataclass(frozen=True, slots=True)
class Produced:
    """The template's line, the HTML that came of it, and under which settings."""

    line: str
    html: str
    notes: tuple[str, ...] = ()


def produce(picked: Mapping[str, str]) -> Produced:
    """Render the line that the choices make; what they change of the settings is noted, by its key."""
    user, line = current_user(), options.line(picked)
    changes, notes = _as_if(picked, known=user is not None)
    helpers = current_app.extensions["segment_intercom"].helpers
    varied = replace(helpers, settings=lambda: replace(helpers.settings(), **changes))
    names: dict[str, Any] = varied.globals() if changes else {}
    if user is not None and picked["proof"] == "wrong":
        notes.append("user_with_wrong_hash is an Identify call that brings a user_hash of its own, 64 zeros.")
        names["user_with_wrong_hash"] = user.with_hash(_WRONG_HASH)
    return Produced(line, render_template_string(line, **names), tuple(notes))


def _as_if(picked: Mapping[str, str], *, known: bool) -> tuple[dict[str, Any], list[str]]:
    """The settings that differ from the application's, and how each is said."""
    changes: dict[str, Any] = {}
    notes = []
    if known and picked["proof"] == "none":
        changes["identity_secret"] = None
        notes.append("Rendered as if INTERCOM_IDENTITY_SECRET were not set.")
    if known and picked["proof"] == "token":
        changes["identity"] = "jwt"
        notes.append('Rendered as if INTERCOM_IDENTITY were "jwt".')
    if picked["tenant"] != "own":
        notes.append(f'The workspace_loader returns "{options.PARTNER}".')
    if picked["region"] != "us":
        changes["region"] = picked["region"]
        notes.append(f'Rendered as if INTERCOM_REGION were "{picked["region"]}".')
    return changes, notes
