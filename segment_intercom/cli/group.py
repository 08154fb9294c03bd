"""The group of all commands, and where they get their settings from."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from typing import Any

import click
from flask.cli import ScriptInfo

from ..errors import SegmentIntercomError, SettingsError
from ..integrations.flask import NAME
from ..settings import Settings


class _Group(click.Group):
    """A group of commands that says our own errors in one line instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise click.ClickException(f"{error} (from the environment or an option)") from None
        except SegmentIntercomError as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=_Group)
@click.version_option(package_name="segment-intercom")
def main() -> None:
    """Put Intercom's Messenger on a page, the way Segment describes it.

    Settings come from INTERCOM_* environment variables; under "flask intercom" from the application's configuration,
    app.config, and only what is missing there from the environment.
    """
    if os.environ.get("NO_COLOR"):  # https://no-color.org
        click.get_current_context().color = False
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # its attempts; what a command says of them is enough


def log_to_stderr() -> None:
    """Write the log of a process that runs by itself; an application that has set one up keeps its own."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)


def configuration_here() -> Mapping[str, Any]:
    """The keys that ``settings_here`` reads, and all others beside them."""
    flask = click.get_current_context().find_object(ScriptInfo)
    return os.environ if flask is None else {**os.environ, **flask.load_app().config}


def settings_here() -> Settings:
    """The settings of the application, under ``flask intercom``, else those of the environment."""
    flask = click.get_current_context().find_object(ScriptInfo)
    if flask is None:
        return Settings.from_env()
    state = flask.load_app().extensions.get(NAME)
    if state is None:
        raise click.ClickException("the application has no SegmentIntercom: call SegmentIntercom(app)")
    settings: Settings = state.settings
    return settings
