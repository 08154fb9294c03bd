"""What the extension keeps for one application, and how it comes by its settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from flask import Flask, current_app

from ..calls import Call
from ..client import Office
from ..errors import SettingsError
from ..jinja import Helpers
from ..settings import Settings

NAME = "segment_intercom"


@dataclass(frozen=True, slots=True)
class State:
    """What the extension keeps for one application, in ``app.extensions["segment_intercom"]``.

    ``captured`` holds the calls of server code while ``app.testing`` is true, when nothing is delivered.
    """

    settings: Settings
    helpers: Helpers
    office: Office = field(repr=False)
    captured: list[Call] = field(default_factory=list, repr=False)


def state() -> State:
    """The state of the current application; SettingsError where it has none."""
    if NAME not in current_app.extensions:
        raise SettingsError("app", "has no SegmentIntercom; call init_app()")
    return cast("State", current_app.extensions[NAME])


def configuration(app: Flask) -> Mapping[str, Any]:
    """The application's configuration over the environment's."""
    return {**Settings.present(os.environ), **app.config}


def for_the_moment(app: Flask, settings: Settings) -> Callable[[], Settings]:
    """Strict while somebody develops or tests, lenient where customers look; an application may turn either on late."""
    lenient = replace(settings, strict=False)
    return lambda: settings if is_strict(app, settings) else lenient


def is_strict(app: Flask, settings: Settings) -> bool:
    """Whether a bad trait raises at this moment."""
    return (app.debug or app.testing) if settings.strict is None else settings.strict
