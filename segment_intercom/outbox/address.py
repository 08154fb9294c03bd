"""The setting ``outbox``: an address, read into an outbox, which then is one workspace's."""

from __future__ import annotations

import logging
from pathlib import Path

from ..errors import OutboxError, SettingsError
from .base import Outbox
from .sqlite import SqliteOutbox

logger = logging.getLogger("segment_intercom")

_SQLITE = "sqlite:///"
_HOLDER = "workspace"
_FOR_EVER = 100 * 365 * 86_400.0
_ACCEPTED = (
    "must be the address of a SQLite file, sqlite:///name.db (in the working folder) or sqlite:////absolute/name.db"
)


def open_outbox(address: str) -> SqliteOutbox:
    """The outbox at an address; the file is opened, and made, at its first use. Raises SettingsError.

    The resolved path is logged once: a relative one depends on where the process was started.
    """
    name = address.removeprefix(_SQLITE)
    if name == address or not name.strip() or name.endswith("/") or name == ":memory:" or "?" in name or "\0" in name:
        raise SettingsError("outbox", _ACCEPTED)
    path = Path(name).resolve()
    logger.info("calls wait for delivery in %s", path)
    return SqliteOutbox(path)


def claim(outbox: Outbox, app_id: str | None) -> None:
    """Make an outbox that of one workspace; raises OutboxError when it is another's, whose calls must not be mixed in.

    Without an app id nothing is claimed and nothing compared.
    """
    if app_id is None:
        return
    holder = outbox.recall(_HOLDER)
    if holder is None:
        outbox.remember(_HOLDER, app_id, _FOR_EVER)
    elif holder != app_id:
        raise OutboxError(
            f"the outbox holds calls of the workspace {holder}, and app_id is {app_id}; set outbox to a file of its own"
        )
