"""The command line: ``segment-intercom``, and the same commands as ``flask intercom ...``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from dataclasses import replace
from io import StringIO
from typing import Any, TypeVar

import click
from flask.cli import ScriptInfo
from werkzeug.serving import WSGIRequestHandler, make_server

from .calls import Identify
from .demo import create_demo
from .doctor import Finding, check_configuration, check_page, fetch
from .errors import SegmentIntercomError, SettingsError
from .extension import NAME
from .identity import user_hash
from .messenger import messenger_settings
from .sandbox import Workspace, create_sandbox
from .settings import Settings
from .snippet import LOADS, render_snippet

_HOST = "127.0.0.1"
_UNVERIFIED = "no proof is asked for: set INTERCOM_IDENTITY_SECRET here and there to turn verification on"
# An imitation proves nobody's identity to anybody, so its secret may be known.
_SANDBOX_APP_ID = "sandbox1"
# A sign and a word: colours alone tell nothing to many people, and to no log.
_SIGNS = {"ok": ("+ ok     ", "green"), "warning": ("! warning", "yellow"), "problem": ("x problem", "red")}
F = TypeVar("F", bound=Callable[..., Any])


def _port(default: int) -> Callable[[F], F]:
    return click.option(
        "--port", type=click.IntRange(0, 65535), default=default, show_default=True, help="0: the system chooses one."
    )


class _Quiet(WSGIRequestHandler):
    """Says nothing of single requests: the live panes ask every second, and the inspector shows all that matters."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        if type == "error":
            super().log(type, message, *args)


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

    Settings come from INTERCOM_* environment variables.
    """


@main.command()
@_port(5000)
def demo(port: int) -> None:
    """Serve the demo site and a sandbox, without an Intercom account."""
    with _serving(create_demo(), port) as address:
        click.echo(f"Demo on {address}/  (Ctrl+C stops it)")


@main.command()
@_port(5001)
@click.option("--app-id", help=f"The workspace; INTERCOM_APP_ID, else {_SANDBOX_APP_ID}.")
@click.option("--region", type=click.Choice(["us", "eu", "au"]), help="INTERCOM_REGION, else us.")
@click.option("--visitors/--no-visitors", default=True, show_default=True, help='"Visitors on your website".')
@click.option("--enforce/--no-enforce", default=None, help="Refuse users without a valid proof: on with a secret.")
@click.option("--trusted-domain", multiple=True, metavar="HOST", help="Refuse pages of other hosts; repeatable.")
def sandbox(
    port: int,
    app_id: str | None,
    region: Any,
    visitors: bool,
    enforce: bool | None,
    trusted_domain: tuple[str, ...],
) -> None:
    """Serve an imitation of Intercom to develop and test against.

    The identity secret is INTERCOM_IDENTITY_SECRET; without one, users need no proof.
    """
    settings = Settings.from_env()
    settings = replace(settings, app_id=app_id or settings.app_id or _SANDBOX_APP_ID, region=region or settings.region)
    if enforce and not settings.secrets:
        raise click.UsageError("--enforce needs INTERCOM_IDENTITY_SECRET")
    workspace = Workspace(
        app_id=str(settings.app_id),
        identity_secret=settings.secrets[0] if settings.secrets else None,
        enforce_identity=enforce,
        region=settings.region,
        trusted_domains=trusted_domain,
        visitors=visitors,
    )
    with _serving(create_sandbox(workspace), port) as address:
        click.echo(f"Sandbox on {address}/inspector  (Ctrl+C stops it). In the application's configuration:")
        click.echo(f'  INTERCOM_APP_ID = "{workspace.app_id}"')
        click.echo(f'  INTERCOM_WIDGET_URL = "{address}/widget"')
        if workspace.region != "us":
            click.echo(f'  INTERCOM_REGION = "{workspace.region}"')
        click.echo("  " + ("INTERCOM_IDENTITY_SECRET as it is here" if workspace.enforced else _UNVERIFIED))


@main.command()
@click.option("--app-id", help="The app id, where INTERCOM_APP_ID does not name it.")
@click.option("--user-id", help="Who looks at the page; a visitor where it is left out.")
@click.option("--traits", default="{}", metavar="JSON", help='Identify traits, such as {"email": "teemo@segment.com"}.')
@click.option("--nonce", help="The nonce of the page's policy.")
@click.option("--load", type=click.Choice(LOADS), default="load", show_default=True, help="When the Messenger loads.")
def snippet(app_id: str | None, user_id: str | None, traits: str, nonce: str | None, load: str) -> None:
    """Print the HTML that puts the Messenger on a page."""
    settings = _settings()
    found = messenger_settings(Identify(user_id, _json_object(traits)), settings)
    if app_id is not None:
        found = {**found, "app_id": app_id}
    if "app_id" not in found:
        raise click.UsageError("no app id: give --app-id or set INTERCOM_APP_ID")
    click.echo(render_snippet(found, settings=settings, nonce=nonce, load=load))


@main.command("hash")
@click.argument("user_id")
def hash_command(user_id: str) -> None:
    """Print the user_hash of a user id, or of an e-mail.

    The secret is INTERCOM_IDENTITY_SECRET, or is asked for without being shown.
    """
    secrets = _settings().secrets
    secret = secrets[0] if secrets else click.prompt("Identity secret", hide_input=True, err=True)
    click.echo(user_hash(secret, user_id))


def _cookies(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    if not all("=" in cookie and cookie.isascii() and cookie.isprintable() for cookie in given):
        raise click.BadParameter("must be NAME=VALUE, of printable ASCII")
    return given


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
    """Say what is wrong with the configuration, and with the page at URL, and what to do about it.

    The exit code is 1 where there is a problem. A proof is compared, and never shown.
    """
    settings = _settings()
    findings = check_configuration(settings)
    if url is not None:
        answer, reached = fetch(url, cookies)
        findings += reached
        if answer is not None:
            findings += check_page(answer.html, answer.headers, settings, answer.url)
    for finding in findings:
        _say(finding)
    levels = [finding.level for finding in findings]
    click.echo(f"Problems: {levels.count('problem')}, warnings: {levels.count('warning')}")
    click.get_current_context().exit(int("problem" in levels))


def _say(finding: Finding) -> None:
    sign, colour = _SIGNS[finding.level]
    click.echo(f"{click.style(sign, fg=colour)}  {finding.what}")
    if finding.remedy:
        click.echo(f"             {finding.remedy}")


def _json_object(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"is no JSON: {error}", param_hint="--traits") from None
    if not isinstance(found, dict):
        raise click.BadParameter("must be a JSON object", param_hint="--traits")
    return found


def _settings() -> Settings:
    """The settings of the application, under ``flask intercom``, else those of the environment."""
    flask = click.get_current_context().find_object(ScriptInfo)
    if flask is None:
        return Settings.from_env()
    state = flask.load_app().extensions.get(NAME)
    if state is None:
        raise click.ClickException("the application has no SegmentIntercom: call SegmentIntercom(app)")
    settings: Settings = state.settings
    return settings


@contextmanager
def _serving(app: Callable[..., Any], port: int) -> Iterator[str]:
    """Give the address, then serve until interrupted."""
    try:
        with redirect_stderr(StringIO()):  # werkzeug writes of its own, of an option that is not ours
            server = make_server(_HOST, port, app, threaded=True, request_handler=_Quiet)
    except (OSError, SystemExit):
        raise click.ClickException(f"port {port} is taken; choose another: --port {port + 1}") from None
    yield f"http://{_HOST}:{server.server_port}"
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo()
    finally:
        server.server_close()
