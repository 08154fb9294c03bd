"""The setting ``outbox``: an address, read into an outbox, which then is one workspace's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from secrets import token_hex
from typing import Any

from ..diagnostics import logger
from ..errors import OutboxError, SettingsError
from ..settings import OUTBOX_ADDRESS
from .base import Outbox
from .sqlite import SqliteOutbox

_SQLITE = "sqlite:///"
_HOLDER = "workspace"
_MARK = "mark"
_A_MOMENT = 60.0
_FOR_EVER = 100 * 365 * 86_400.0
_ACCEPTED = f"must be {OUTBOX_ADDRESS}"


def open_outbox(address: str) -> Outbox:
    """Return the outbox at an address, by its scheme; the store is opened, and made, at its first use.

    Raises SettingsError for an address that no engine takes.
    """
    engine = _ENGINES.get(address.partition("://")[0])
    outbox = engine(address) if engine is not None else None
    if outbox is None:
        raise SettingsError("outbox", _ACCEPTED)
    # A relative path depends on where the process was started.
    logger.info("calls wait for delivery in %s", outbox.location)
    return outbox


def _sqlite(address: str) -> Outbox | None:
    name = address.removeprefix(_SQLITE)
    if name == address or not name.strip() or name.endswith("/") or name == ":memory:" or "?" in name or "\0" in name:
        return None
    return SqliteOutbox(Path(name).resolve())


def _postgres(address: str) -> Outbox | None:
    outbox: Outbox = _extra("postgres").PostgresOutbox(address)
    return outbox


def _jetstream(address: str) -> Outbox | None:
    outbox: Outbox = _extra("jetstream").JetStreamOutbox(address)
    return outbox


def _extra(engine: str) -> Any:
    """The module of an engine whose driver is an extra."""
    try:
        return import_module(f".{engine}", __package__)
    except ImportError as error:
        remedy = f"{error.name} is missing: pip install 'segment-intercom[{engine}]'"
        raise SettingsError("outbox", remedy) from None


# Each engine by its scheme; it returns None for an address that it does not take.
_ENGINES: Mapping[str, Callable[[str], Outbox | None]] = {
    "sqlite": _sqlite,
    "postgresql": _postgres,
    "postgres": _postgres,
    "nats": _jetstream,
    "tls": _jetstream,
}


def is_same(source: Outbox, target: Outbox) -> bool:
    """Return whether two outboxes are one, whatever their addresses are called."""
    mark = token_hex(16)
    target.set(_MARK, mark, _A_MOMENT)
    try:
        return source.get(_MARK) == mark
    finally:
        target.delete(_MARK)


def claimed_by(outbox: Outbox) -> str | None:
    """The app id of the workspace to which an outbox belongs, or None."""
    return outbox.get(_HOLDER)


def claim(outbox: Outbox, app_id: str | None) -> None:
    """Make an outbox that of one workspace; raises OutboxError when it is another's, whose calls must not be mixed in.

    Without an app id nothing is claimed and nothing compared.
    """
    if app_id is None:
        return
    holder = outbox.get(_HOLDER)
    if holder is None:
        outbox.set(_HOLDER, app_id, _FOR_EVER)
    elif holder != app_id:
        raise OutboxError(
            f"{outbox.location} holds calls of the workspace {holder}, and app_id is {app_id}; set outbox "
            "(INTERCOM_OUTBOX) to a place of its own"
        )
