"""The commands about a page: its snippet, a proof, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from ..calls import Identify
from ..doctor import Finding, check_configuration, check_keys, check_page, check_server, fetch
from ..identity import user_hash
from ..messenger import messenger_settings
from ..web.snippet import LOADS, render_snippet
from .group import configuration_here, main, settings_here

# A sign and a word: colours alone tell nothing to many people, and to no log.
_SIGNS = {"ok": ("+ ok     ", "green"), "warning": ("! warning", "yellow"), "problem": ("x problem", "red")}


@main.command()
@click.option("--app-id", help="The app id, where INTERCOM_APP_ID does not name it.")
@click.option("--user-id", help="Who looks at the page; a visitor where it is left out.")
@click.option("--traits", default="{}", metavar="JSON", help='Identify traits, such as {"email": "teemo@segment.com"}.')
@click.option("--nonce", help="The nonce of the page's policy.")
@click.option("--load", type=click.Choice(LOADS), default="load", show_default=True, help="When the Messenger loads.")
def snippet(app_id: str | None, user_id: str | None, traits: str, nonce: str | None, load: str) -> None:
    """Print the HTML that puts the Messenger on a page."""
    settings = settings_here()
    intercom_settings = messenger_settings(Identify(user_id, _json_object(traits)), settings)
    if app_id is not None:
        intercom_settings = {**intercom_settings, "app_id": app_id}
    if "app_id" not in intercom_settings:
        raise click.UsageError("no app id: give --app-id or set INTERCOM_APP_ID")
    click.echo(render_snippet(intercom_settings, settings=settings, nonce=nonce, load=load))


@main.command("hash")
@click.argument("user_id")
def hash_command(user_id: str) -> None:
    """Print the user_hash of a user id, or of an e-mail.

    The secret is INTERCOM_IDENTITY_SECRET, or is asked for without being shown.
    """
    secrets = settings_here().secrets
    secret = secrets[0] if secrets else click.prompt("Identity secret", hide_input=True, err=True)
    click.echo(user_hash(secret, user_id))


def _cookies(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    if not all("=" in cookie and cookie.isascii() and cookie.isprintable() for cookie in values):
        raise click.BadParameter("must be NAME=VALUE, of printable ASCII")
    return values


@main.command()
@click.argument("url", required=False)
@click.option(
    "--cookie",
    "cookies",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_cookies,
    help="A cookie to look at the page with, such as a session's; repeatable.",
)
def doctor(url: str | None, cookies: tuple[str, ...]) -> None:
    """Say what is wrong with the configuration, delivery, and the page at URL, and what to do about it.

    The exit code is 1 where there is a problem. A proof is compared, and never shown.
    """
    settings = settings_here()
    areas = {
        "Configuration": [*check_keys(configuration_here()), *check_configuration(settings)],
        "Delivery": check_server(settings),
    }
    if url is not None:
        answer, reached = fetch(url, cookies)
        areas["Page"] = list(reached)
        if answer is not None:
            areas["Page"] += check_page(answer.html, answer.headers, settings, answer.url)
    for area, findings in areas.items():
        click.secho(area, bold=True)
        for finding in findings:
            _say(finding)
        click.echo("")
    levels = [finding.level for findings in areas.values() for finding in findings]
    click.echo(f"Problems: {levels.count('problem')}, warnings: {levels.count('warning')}")
    click.get_current_context().exit(int("problem" in levels))


def _say(finding: Finding) -> None:
    sign, colour = _SIGNS[finding.level]
    click.echo(f"{click.style(sign, fg=colour)}  {finding.what}")
    if finding.remedy:
        click.echo(f"             {finding.remedy}")


def _json_object(text: str) -> Mapping[str, Any]:
    try:
        decoded = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"is not valid JSON: {error}", param_hint="--traits") from None
    if not isinstance(decoded, dict):
        raise click.BadParameter("must be a JSON object", param_hint="--traits")
    return decoded
