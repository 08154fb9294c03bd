"""The commands that serve: the demo and the sandbox."""

from __future__ import annotations

import errno
import os
import secrets
import shlex
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, redirect_stderr
from dataclasses import replace
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import click
from click.core import ParameterSource
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

from ..demo import create_demo
from ..sandbox import Fault, Workspace, create_sandbox
from ..settings import Settings
from ..spec import SPEC
from .group import main

_HOST = "127.0.0.1"
_UNVERIFIED = "no proof is asked for: set INTERCOM_IDENTITY_SECRET here and there to turn verification on"
# An imitation proves no identity, so its secret may be known.
_SANDBOX_APP_ID = "sandbox1"
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


@main.command()
@_port(5000)
def demo(port: int) -> None:
    """Serve the demo site and a sandbox, without an Intercom account."""
    with _bound(port) as server, TemporaryDirectory(prefix="segment-intercom-demo-") as folder:
        app = create_demo(_address(server), Path(folder) / "outbox.db")
        click.echo(f"Demo on {_address(server)}/  (Ctrl+C stops it)")
        with closing(app.extensions["segment_intercom"].ingest):
            _serve(server, app)


def _faults(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> tuple[Fault, ...]:
    try:
        return tuple(Fault.parse(text) for text in texts)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@main.command(context_settings={"allow_interspersed_args": False})
@_port(5001)
@click.option("--app-id", help=f"The workspace; INTERCOM_APP_ID, else {_SANDBOX_APP_ID}.")
@click.option("--region", type=click.Choice([*SPEC.regions]), help="INTERCOM_REGION, else us.")
@click.option("--visitors/--no-visitors", default=True, show_default=True, help='"Visitors on your website".')
@click.option("--enforce/--no-enforce", default=None, help="Refuse users without a valid proof: on with a secret.")
@click.option("--trusted-domain", multiple=True, metavar="HOST", help="Refuse pages of other hosts; repeatable.")
@click.option("--rate-limit", type=click.IntRange(1), default=10_000, show_default=True, help="REST requests a minute.")
@click.option("--slow", type=click.FloatRange(0, 600), default=0.0, help="Seconds that each REST answer waits.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="WHAT[=SHARE]",
    callback=_faults,
    help="Let REST requests go wrong: a status such as 500=0.1, or drop=0.01; repeatable.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def sandbox(
    context: click.Context,
    port: int,
    app_id: str | None,
    region: Any,
    visitors: bool,
    enforce: bool | None,
    trusted_domain: tuple[str, ...],
    rate_limit: int,
    slow: float,
    faults: tuple[Fault, ...],
    command: tuple[str, ...],
) -> None:
    """Serve an imitation of Intercom to develop and test against.

    With a command behind --, such as segment-intercom sandbox -- flask run, that command gets the sandbox's settings in
    its environment, on a port that the system chooses, and both end together.

    The identity secret is INTERCOM_IDENTITY_SECRET; without one, users need no proof, but a command gets a secret then
    (--no-enforce: none). An application with a secret in its own configuration sets that variable.
    The REST API is opened by INTERCOM_ACCESS_TOKEN or INTERCOM_API_KEY; without a token, by any.
    """
    workspace = _workspace(app_id, region)
    if command and enforce is not False:
        workspace.identity_secret = workspace.identity_secret or secrets.token_hex(32)
    workspace.enforce_identity, workspace.visitors = enforce, visitors
    workspace.trusted_domains, workspace.rate_limit = trusted_domain, rate_limit
    workspace.faults = (*([Fault(slow=slow)] if slow else []), *faults)
    if enforce and not workspace.identity_secret:
        raise click.UsageError("--enforce needs INTERCOM_IDENTITY_SECRET")
    if command and context.get_parameter_source("port") is ParameterSource.DEFAULT:
        port = 0
    with _bound(port) as server:
        if command:
            with TemporaryDirectory(prefix="segment-intercom-sandbox-") as folder:
                context.exit(_run_beside(server, workspace, command, Path(folder)))
        _announce(_address(server), workspace)
        _serve(server, create_sandbox(workspace))


def _workspace(app_id: str | None, region: Any) -> Workspace:
    """The workspace of the environment's settings."""
    settings = Settings.from_env()
    settings = replace(settings, app_id=app_id or settings.app_id or _SANDBOX_APP_ID, region=region or settings.region)
    return Workspace(
        app_id=str(settings.app_id),
        identity_secret=settings.secrets[0] if settings.secrets else None,
        region=settings.region,
        access_token=settings.access_token,
        api_key=settings.api_key,
    )


def _announce(address: str, workspace: Workspace) -> None:
    """Say where a sandbox is, and what an application has to be told."""
    click.echo(f"Sandbox on {address}/inspector  (Ctrl+C stops it). In the application's configuration:")
    click.echo(f'  INTERCOM_APP_ID = "{workspace.app_id}"')
    click.echo(f'  INTERCOM_WIDGET_URL = "{address}/widget"')
    click.echo(f'  INTERCOM_API_URL = "{address}"')
    if workspace.region != "us":
        click.echo(f'  INTERCOM_REGION = "{workspace.region}"')
    click.echo("  " + ("INTERCOM_IDENTITY_SECRET as it is here" if workspace.enforced else _UNVERIFIED))


@contextmanager
def _bound(port: int) -> Iterator[BaseWSGIServer]:
    """A server that has its address and no application yet, which may have to know the address."""
    try:
        with redirect_stderr(StringIO()):  # werkzeug writes of its own, of an option that is not ours
            server = make_server(_HOST, port, Response(status=503), threaded=True, request_handler=_Quiet)
    except (OSError, SystemExit):
        raise _taken(port) from None
    try:
        yield server
    finally:
        server.server_close()


def _settings_of(workspace: Workspace, address: str, folder: Path) -> dict[str, str]:
    """What an application has to be told to reach a sandbox.

    Its calls wait in an outbox of the sandbox's own, unless INTERCOM_OUTBOX names one: those of an imitation must not
    reach Intercom later, and each sandbox begins empty.
    """
    settings = {
        "INTERCOM_APP_ID": workspace.app_id,
        "INTERCOM_ACCESS_TOKEN": workspace.access_token or "sandbox",
        "INTERCOM_REGION": workspace.region,
        "INTERCOM_WIDGET_URL": f"{address}/widget",
        "INTERCOM_API_URL": address,
        "INTERCOM_OUTBOX": os.environ.get("INTERCOM_OUTBOX") or f"sqlite:///{folder / 'outbox.db'}",
    }
    if workspace.identity_secret is not None:
        settings["INTERCOM_IDENTITY_SECRET"] = workspace.identity_secret
    return settings


def _run_beside(server: BaseWSGIServer, workspace: Workspace, command: tuple[str, ...], folder: Path) -> int:
    """Run a command beside a sandbox, and return what it ended with; signals are the command's to hear."""
    settings = _settings_of(workspace, _address(server), folder)
    # Only what was made here, and no secret: whoever needs it elsewhere exports one of their own first.
    made = [
        f"{name}={shlex.quote(value)}"
        for name, value in settings.items()
        if os.environ.get(name) != value and name != "INTERCOM_IDENTITY_SECRET"
    ]
    click.echo(f"Sandbox on {_address(server)}/inspector", err=True)
    click.echo(f"For other commands, in another terminal: export {' '.join(made)}", err=True)
    server.app = create_sandbox(workspace)
    environment = {**os.environ, **settings}
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        process = subprocess.Popen(command, env=environment)  # noqa: S603 - who typed it may run it
    except OSError as error:
        raise click.ClickException(f"{command[0]}: {error.strerror}") from None
    else:
        ignored = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal tells the command as well
        former = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        try:
            code = process.wait()
            return code if code >= 0 else 128 - code  # as a shell says that a signal ended it
        finally:
            signal.signal(signal.SIGINT, ignored)
            signal.signal(signal.SIGTERM, former)
    finally:
        server.shutdown()
        serving.join()


def check_address(host: str, port: int, option: str = "--port") -> None:
    """Raise where a server could not listen on an IP address and a port, which an ``option`` names."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        if os.name == "posix":  # elsewhere this would let two servers listen on one port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise _taken(port, option) from None
            raise click.ClickException(f"cannot listen on {host}, port {port}: {error.strerror}") from None


def _taken(port: int, option: str = "--port") -> click.ClickException:
    return click.ClickException(f"port {port} is taken; choose another: {option} {port + 1}")


def free_port() -> int:
    """A port that nothing listens on, for a server that must be told one."""
    with _bound(0) as server:
        return server.server_port


def _address(server: BaseWSGIServer) -> str:
    return f"http://{_HOST}:{server.server_port}"


def _serve(server: BaseWSGIServer, app: Callable[..., Any]) -> None:
    """Serve an application until interrupted; SIGTERM interrupts as well, so that what is temporary goes."""
    server.app = app
    former = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo()
    finally:
        signal.signal(signal.SIGTERM, former)
