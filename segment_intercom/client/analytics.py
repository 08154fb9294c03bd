"""Segment's ``analytics`` for server code: each call is kept in the outbox, and delivered from there.

Source: the methods and arguments are those of Segment's own library for Python.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..calls import Alias, Call, Group, Identify, Page, Screen, Track
from ..settings import Settings
from ..transport import Transport
from .office import Office

Traits = Mapping[str, Any] | None


class Analytics:
    """Tells Intercom who somebody is, to which company he belongs, and what he did.

    ``track()`` returns once the call is in the outbox, where it survives the end of the process. With ``deliver``
    "thread" a background thread of this process delivers, which starts with the first call; with "worker" only
    ``segment-intercom worker`` does. ``transport`` takes the place of HTTP: an object with ``send(operation)``, which
    returns a ``segment_intercom.transport.Reply`` or raises TransportError.
    """

    def __init__(self, settings: Settings, transport: Transport | None = None) -> None:
        self._office = Office(settings, transport)
        self._strict = settings.strict is not False

    def identify(
        self,
        user_id: Any = None,
        traits: Traits = None,
        context: Traits = None,
        timestamp: Any = None,
        anonymous_id: Any = None,
        integrations: Traits = None,
        message_id: str | None = None,
    ) -> None:
        """Say who somebody is: ``identify("user1234", {"email": "teemo@segment.com", "plan": "Premium"})``."""
        self._accept(
            Identify(user_id, traits or {}, **given(context, timestamp, anonymous_id, integrations, message_id))
        )

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
    ) -> None:
        """Say what somebody did: ``track("user1234", "Order Completed", {"revenue": "19.99"})``."""
        common = given(context, timestamp, anonymous_id, integrations, message_id)
        self._accept(Track(event, properties or {}, user_id, **common))

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
    ) -> None:
        """Say to which company somebody belongs: ``group("user1234", "companyId123", {"name": "Segment"})``."""
        common = given(context, timestamp, anonymous_id, integrations, message_id)
        self._accept(Group(group_id, traits or {}, user_id, **common))

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
        """Say which page somebody saw; from a server this has no effect at Intercom."""
        common = given(context, timestamp, anonymous_id, integrations, message_id)
        self._accept(Page(name, properties or {}, user_id, category, **common))

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
        """Say which screen somebody saw; from a server this has no effect at Intercom."""
        common = given(context, timestamp, anonymous_id, integrations, message_id)
        self._accept(Screen(name, properties or {}, user_id, category, **common))

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
        self._accept(Alias(previous_id, user_id, **given(context, timestamp, None, integrations, message_id)))

    def flush(self, timeout: float | None = None) -> int:
        """Wait until what this process handed in is delivered or given up, and return how many calls are left.

        ``timeout`` is in seconds. With ``deliver`` "worker" it returns at once, as another process delivers.
        """
        return self._office.flush(timeout)

    def close(self) -> None:
        """End delivery in this process without waiting for it; what waits stays in the outbox."""
        self._office.close()

    def _accept(self, call: Call) -> None:
        self._office.accept(call, strict=self._strict)


def given(
    context: Traits = None,
    timestamp: Any = None,
    anonymous_id: Any = None,
    integrations: Traits = None,
    message_id: str | None = None,
) -> dict[str, Any]:
    """The arguments that all calls share, without those that were left out."""
    found = {
        "context": context,
        "timestamp": timestamp,
        "anonymous_id": anonymous_id,
        "integrations": integrations,
        "message_id": message_id,
    }
    return {name: value for name, value in found.items() if value is not None}
