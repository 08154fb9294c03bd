"""The half of the doctor about delivery: is the token taken, in this region and version, and do calls wait?"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from ..api import LEGACY
from ..errors import OutboxError, SettingsError, TransportError
from ..outbox import Outbox, open_outbox, worker_seen
from ..settings import Settings
from ..transport import HttpTransport, Operation, Reply, Transport
from .findings import Finding, ok, problem, shown, warning

_SKEW = 60  # seconds; events are filed by their time, and tokens and windows are told by Intercom's clock
_MANY = 10_000


def check_server(settings: Settings, transport: Transport | None = None) -> list[Finding]:
    """Return what delivery depends on: the token, the workspace, its region, the version, the clock, the outbox.

    It asks Intercom one question, ``GET /me``, and writes nothing. Without a token, server code sends nothing, and
    there is nothing to ask.
    """
    if settings.access_token is None and settings.api_key is None and transport is None:
        return [ok("access_token: not set, so this process can deliver no calls of server code; pages need none")]
    return [*_connection(settings, transport), *_outbox(settings)]


def _connection(settings: Settings, transport: Transport | None) -> Iterator[Finding]:
    own = None
    try:
        if transport is None:
            transport = own = HttpTransport(settings, connections=1)
        yield from _answer(settings, transport.send(Operation("GET", "/me")))
    except SettingsError as error:
        yield problem(str(error), f"Set INTERCOM_{error.field.upper()} right.")
    except TransportError as error:
        yield problem(
            f"api_url: Intercom does not answer: {error}",
            "Let this machine reach the address (a proxy is read from HTTPS_PROXY, a certificate authority of your own "
            "from SSL_CERT_FILE); meanwhile calls wait in the outbox.",
        )
    finally:
        if own is not None:
            own.close()


def _answer(settings: Settings, reply: Reply) -> Iterator[Finding]:
    if reply.server_time is not None:
        yield from _clock(reply.server_time - time.time())
    if reply.status == 200:
        yield ok(f"access_token: {settings.rest_url} takes it")
        yield from _workspace(settings, reply.body if isinstance(reply.body, Mapping) else {})
        yield from _version(settings)
    elif reply.status == 401:
        yield problem(
            f"access_token: {settings.rest_url} answers 401, it does not know it",
            "Copy INTERCOM_ACCESS_TOKEN from the Developer Hub again, and check INTERCOM_REGION: a token is known in "
            "its own region only.",
        )
    elif reply.status == 403:
        yield problem(
            "access_token: Intercom answers 403, the token may not do this",
            "Give the app in the Developer Hub the rights to read and write users, companies and events.",
        )
    else:
        yield warning(
            f"api_url: {settings.rest_url} answers {reply.status} to GET /me",
            "Check INTERCOM_API_URL and INTERCOM_API_VERSION, or try again later: trouble at Intercom passes.",
        )


def _workspace(settings: Settings, me: Mapping[str, Any]) -> Iterator[Finding]:
    app = me.get("app")
    app = app if isinstance(app, Mapping) else {}
    app_id, region = app.get("id_code"), str(app.get("region") or "").lower()
    if app_id and settings.app_id and app_id != settings.app_id:
        yield problem(
            f"app_id: the token is of the workspace {shown(app_id)}, the settings name {settings.app_id}",
            "Take INTERCOM_APP_ID and INTERCOM_ACCESS_TOKEN from the same workspace: otherwise pages and server code "
            "tell two of them.",
        )
    if region and region != settings.region:
        yield problem(
            f'region: the workspace is hosted in "{shown(region)}", the settings say "{settings.region}"',
            f'Set INTERCOM_REGION to "{shown(region)}".',
        )


def _version(settings: Settings) -> Iterator[Finding]:
    if settings.api_version == LEGACY:
        yield ok(f'api_version: "{LEGACY}", the classic /users API')
        return
    yield ok(f'api_version: "{settings.api_version}", the contacts API')
    if tuple(map(int, settings.api_version.split("."))) < (2, 13):
        yield warning(
            f"api_version: {settings.api_version} cannot look a contact up by its external id",
            'Leave INTERCOM_API_VERSION out for "2.16".',
        )


def _clock(ahead: float) -> Iterator[Finding]:
    if abs(ahead) > _SKEW:
        behind = "behind" if ahead > 0 else "ahead of"
        yield warning(
            f"clock: this machine is {abs(ahead):.0f} s {behind} Intercom's clock",
            "Let the machine set its clock by the network: calls without a timestamp get the time of this one.",
        )
    else:
        yield ok("clock: agrees with Intercom's")


def _outbox(settings: Settings) -> Iterator[Finding]:
    try:
        outbox = open_outbox(settings.outbox)
    except SettingsError as error:
        yield problem(str(error), "Set INTERCOM_OUTBOX right.")
        return
    try:
        yield from _waiting(settings, outbox)
    except OutboxError as error:
        yield problem(f"outbox: {error}", "Until then no call is accepted.")
    finally:
        outbox.close()


def _waiting(settings: Settings, outbox: Outbox) -> Iterator[Finding]:
    if not outbox.exists():
        if (obstacle := outbox.obstacle()) is None:
            yield ok(f"outbox: {outbox.location} will be made with the first call")
        else:
            yield problem(
                f"outbox: {obstacle}",
                "Make the folder, give the process the right to write there, or set INTERCOM_OUTBOX to another path.",
            )
        return
    counts = outbox.counts()
    yield ok(f"outbox: {outbox.location}, {counts.waiting} waiting, {counts.delivered} delivered")
    is_idle = settings.deliver == "worker" and counts.waiting and worker_seen(outbox) is None
    if counts.waiting >= _MANY or is_idle:
        who = "`segment-intercom worker` must run" if settings.deliver == "worker" else "the process that accepts them"
        idle = ", and no worker was seen within the last minute" if is_idle else ""
        yield warning(
            f"outbox: {counts.waiting} calls wait{idle}", f"See that a worker delivers ({who}), and what its log says."
        )
    if counts.given_up:
        yield warning(
            f"outbox: {counts.given_up} calls were given up",
            "`segment-intercom status` says why; `segment-intercom retry` sends them again.",
        )
