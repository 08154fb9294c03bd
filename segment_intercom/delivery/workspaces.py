"""The workspaces to which one outbox's calls go: each with its own token, its own rate budget, its own notes."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from ..api import IntercomCache
from ..api.errors import RetryableError
from ..errors import SegmentIntercomError
from ..outbox import Outbox
from ..partition import workspace_prefix
from ..settings import Settings
from ..transport import Transport


@dataclass(frozen=True, slots=True)
class Destination:
    """What the calls of one workspace are sent with."""

    settings: Settings
    transport: Transport
    cache: IntercomCache


class Workspaces:
    """The settings' own workspace, and the others that ``settings.workspaces`` names, each opened at its first call."""

    def __init__(self, settings: Settings, outbox: Outbox, transport: Transport) -> None:
        self._outbox = outbox
        # What cannot be sent was refused when the call was accepted; here nothing may stand in the way of the rest.
        self._own = Destination(replace(settings, strict=False), transport, IntercomCache(outbox))
        self._settings = settings
        self._others: dict[str, Destination] = {}
        self._lock = threading.Lock()

    @property
    def own(self) -> Destination:
        """The settings' own workspace."""
        return self._own

    def of(self, app_id: str | None) -> Destination:
        """Return a workspace; raises RetryableError where its token is not known, for it may be given yet."""
        if app_id is None:
            return self._own
        try:
            settings = self._settings.for_workspace(app_id)
        except SegmentIntercomError as error:
            raise RetryableError(str(error)) from None
        except Exception as error:  # the application's own function
            raise RetryableError(f"INTERCOM_WORKSPACES raised {type(error).__name__} for {app_id}") from None
        with self._lock:
            known = self._others.get(app_id)
            if known is None or _key_of(known.settings) != _key_of(settings):  # its token is another one now
                if known is not None and (close := getattr(known.transport, "close", None)) is not None:
                    close()
                known = self._others[app_id] = self._opened(settings)
            return known

    def _opened(self, settings: Settings) -> Destination:
        open_other = getattr(self._own.transport, "for_workspace", None)
        if open_other is None:
            raise RetryableError("the transport has no for_workspace(settings), so it sends to one workspace only")
        cache = IntercomCache(self._outbox, workspace_prefix(settings.app_id))
        return Destination(replace(settings, strict=False), open_other(settings), cache)


def _key_of(settings: Settings) -> tuple[str | None, str]:
    """What a transport to a workspace depends on."""
    return settings.access_token, settings.region
