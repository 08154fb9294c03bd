"""The setting ``outbox``: an address, read into an outbox."""

from __future__ import annotations

import logging
from pathlib import Path

from ..errors import SettingsError
from .sqlite import SqliteOutbox

logger = logging.getLogger("segment_intercom")

_SQLITE = "sqlite:///"
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
