"""Segment's ``analytics`` for server code: each call is kept in the outbox, and delivered from there.

Source: the methods and arguments are those of Segment's own library for Python.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypedDict

from .calls import Alias, Call, Delete, Group, Identify, Page, Screen, Track
from .ingest import Ingest
from .partition import to_workspace
from .settings import Settings
from .transport import Transport

Traits = Mapping[str, Any] | None
# The arguments of single calls, of which a slip may be one.
_OWN = ("user_id", "traits", "event", "properties", "group_id", "category", "name", "from_request", "connection")


class Analytics:
    """Tells Intercom who a user is, to which company they belong, and what they did.

    ``track()`` returns once the call is in the outbox, where it survives the end of the process. With ``deliver``
    "thread" a background thread of this process delivers, which starts with the first call; with "worker" only
    ``segment-intercom worker`` does; with "now" a call returns when Intercom has answered, or raises DeliveryError.

    ``transport`` takes the place of HTTP: an object with ``send(operation)``, which returns a
    ``segment_intercom.transport.Reply`` or raises TransportError. ``before_send(call)`` returns the call, changed or
    not, or None to drop it. ``workspace_loader()`` returns the app id of one of ``settings.workspaces`` to which a call
    goes, or None for ``settings.app_id``.

    Where the outbox is in PostgreSQL, ``identify``, ``track`` and ``group`` take ``connection``, a SQLAlchemy session
    or connection or one of psycopg to that database: the call is kept exactly when its transaction commits.
    """

    def __init__(
        self,
        settings: Settings,
        transport: Transport | None = None,
        *,
        before_send: Callable[[Any], Any] | None = None,
        workspace_loader: Callable[[], str | None] | None = None,
    ) -> None:
        if before_send is not None:
            settings = replace(settings, before_send=before_send)
        self._ingest = Ingest(settings, transport)
        self._strict = settings.strict is not False
        self._workspace_loader = workspace_loader

    def identify(
        self,
        user_id: Any = None,
        traits: Traits = None,
        context: Traits = None,
        timestamp: Any = None,
        anonymous_id: Any = None,
        integrations: Traits = None,
        message_id: str | None = None,
        connection: Any = None,
    ) -> None:
        """Identify a user: ``identify("user1234", {"email": "teemo@segment.com", "plan": "Premium"})``."""
        common = common_arguments(context, timestamp, anonymous_id, integrations, message_id)
        self._enqueue(Identify(user_id, traits or {}, **common), connection)

    def track(
        self,
        user_id: Any = None,
        event: str = "",
        properties: Traits = None,
        context: Traits = None,
        timestamp: Any = None,
        anonymous_id: Any = None,
        integrations: Traits = None,
        message_id: str | None = None,
        connection: Any = None,
    ) -> None:
        """Record what a user did: ``track("user1234", "Order Completed", {"revenue": "19.99"})``."""
        common = common_arguments(context, timestamp, anonymous_id, integrations, message_id)
        self._enqueue(Track(event, properties or {}, user_id, **common), connection)

    def group(
        self,
        user_id: Any = None,
        group_id: Any = None,
        traits: Traits = None,
        context: Traits = None,
        timestamp: Any = None,
        anonymous_id: Any = None,
        integrations: Traits = None,
        message_id: str | None = None,
        connection: Any = None,
    ) -> None:
        """Record to which company a user belongs: ``group("user1234", "companyId123", {"name": "Segment"})``."""
        common = common_arguments(context, timestamp, anonymous_id, integrations, message_id)
        self._enqueue(Group(group_id, traits or {}, user_id, **common), connection)

    def page(
        self,
        user_id: Any = None,
        category: str | None = None,
        name: str | None = None,
        properties: Traits = None,
        context: Traits = None,
        timestamp: Any = None,
        anonymous_id: Any = None,
        integrations: Traits = None,
        message_id: str | None = None,
    ) -> None:
        """Record which page a user saw; from a server this has no effect at Intercom."""
        common = common_arguments(context, timestamp, anonymous_id, integrations, message_id)
        self._enqueue(Page(name, properties or {}, user_id, category, **common))

    def screen(
        self,
        user_id: Any = None,
        category: str | None = None,
        name: str | None = None,
        properties: Traits = None,
        context: Traits = None,
        timestamp: Any = None,
        anonymous_id: Any = None,
        integrations: Traits = None,
        message_id: str | None = None,
    ) -> None:
        """Record which screen a user saw; from a server this has no effect at Intercom."""
        common = common_arguments(context, timestamp, anonymous_id, integrations, message_id)
        self._enqueue(Screen(name, properties or {}, user_id, category, **common))

    def alias(
        self,
        previous_id: Any = None,
        user_id: Any = None,
        context: Traits = None,
        timestamp: Any = None,
        integrations: Traits = None,
        message_id: str | None = None,
    ) -> None:
        """Say that two ids are one person's; this has no effect at Intercom."""
        self._enqueue(
            Alias(previous_id, user_id, **common_arguments(context, timestamp, None, integrations, message_id))
        )

    def delete(self, user_id: Any = None, email: str | None = None, *, archive: bool = False) -> None:
        """Delete a user at Intercom, after the calls of theirs that wait: ``delete("user1234")``, or by an e-mail.

        Their dead letters and what was remembered of them go, too. ``archive`` archives the contact instead.
        """
        self._enqueue(Delete(user_id=user_id, email=email, archive=archive))

    def flush(self, timeout: float | None = None) -> int:
        """Wait until what this process handed in is delivered or given up, and return how many calls are left.

        ``timeout`` is in seconds. With ``deliver`` "worker" it returns at once, as another process delivers.
        """
        return self._ingest.flush(timeout)

    def close(self) -> None:
        """End delivery in this process without waiting for it; what waits stays in the outbox."""
        self._ingest.close()

    def _enqueue(self, call: Call, connection: Any = None) -> None:
        call = to_workspace(call, self._workspace_loader, strict=self._strict)
        self._ingest.enqueue(call, strict=self._strict, connection=connection)


class CommonArguments(TypedDict, total=False):
    """What all calls take beside their own arguments, as keywords."""

    context: Traits
    timestamp: datetime | str | float | None
    anonymous_id: Any
    integrations: Traits
    message_id: str | None


def checked(method: str, common: Mapping[str, Any]) -> dict[str, Any]:
    """Return keywords as they are; raises TypeError for one that no call takes, with what was probably meant."""
    known = CommonArguments.__annotations__
    for name in common:
        if name not in known:
            close = difflib.get_close_matches(name, [*known, *_OWN], n=1)
            hint = f"; did you mean {close[0]}?" if close else f"; it takes {', '.join(known)}"
            raise TypeError(f"{method}() got an unexpected keyword argument {name!r}{hint}")
    return common_arguments(**common)


def common_arguments(
    context: Traits = None,
    timestamp: Any = None,
    anonymous_id: Any = None,
    integrations: Traits = None,
    message_id: str | None = None,
) -> dict[str, Any]:
    """The arguments that all calls share, without those that were left out."""
    common = {
        "context": context,
        "timestamp": timestamp,
        "anonymous_id": anonymous_id,
        "integrations": integrations,
        "message_id": message_id,
    }
    return {name: value for name, value in common.items() if value is not None}
