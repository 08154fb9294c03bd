"""The calls that views make: ``identify``, ``track``, ``group`` and ``page`` with a user in any form, or left out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Unpack

from ..analytics import CommonArguments, checked
from ..calls import Call, Delete, Group, Identify, Page, Track
from .call_arguments import identify_call, moved_up, read_user, whole_message, with_email, without_user

Traits = Mapping[str, Any] | None


class ServerCalls(ABC):
    """What the extension of every web framework offers to views; the framework's file says how a call is accepted."""

    _user_loader: Callable[[], Any] | None = None

    @abstractmethod
    def _accept(self, call: Call, *, from_request: bool = False, connection: Any = None) -> None:
        """Accept a call for the application at hand.

        ``from_request`` adds the current request's address to it; ``connection`` makes it part of a transaction.
        """

    def identify(
        self,
        user_id: Any = None,
        traits: Traits = None,
        *,
        from_request: bool = False,
        connection: Any = None,
        **common: Unpack[CommonArguments],
    ) -> None:
        """Tell Intercom who a user is, from the server.

        ``user_id`` is an id or a user in any form; without it the user_loader names the user. ``from_request`` adds
        the address and the user agent of the current request. ``connection``, a SQLAlchemy session, makes the call a
        part of its transaction where the outbox is in PostgreSQL. ``common`` are ``context``, ``timestamp``,
        ``anonymous_id``, ``integrations`` and ``message_id``.
        """
        call = whole_message(Identify, user_id, traits)
        if call is None:
            if self._user_loader is not None:
                user_id, traits = without_user(user_id, traits)
            user = read_user(user_id, self._user_loader, common.get("anonymous_id"))
            call = identify_call(user, traits, checked("identify", common))
        self._accept(call, from_request=from_request, connection=connection)

    def track(
        self,
        user_id: Any = None,
        event: str | Traits = "",
        properties: Traits = None,
        *,
        from_request: bool = False,
        connection: Any = None,
        **common: Unpack[CommonArguments],
    ) -> None:
        """Tell Intercom what a user did: ``track("Paid", {"revenue": 5})`` for the user of the user_loader.

        For another user it is ``track(user, "Paid", {...})``; the other arguments are those of ``identify``.
        """
        call = whole_message(Track, user_id, event, properties)
        if call is None:
            user_id, name, values = moved_up(user_id, event, properties, self._user_loader)
            user = read_user(user_id, self._user_loader, common.get("anonymous_id"))
            call = Track(name, values or {}, user.user_id, **with_email(user, checked("track", common)))
        self._accept(call, from_request=from_request, connection=connection)

    def group(
        self,
        user_id: Any = None,
        group_id: Any = None,
        traits: Traits = None,
        *,
        from_request: bool = False,
        connection: Any = None,
        **common: Unpack[CommonArguments],
    ) -> None:
        """Tell Intercom to which company a user belongs: ``group("org_17", {"name": "Tea"})``, or with a user first.

        The other arguments are those of ``identify``.
        """
        call = whole_message(Group, user_id, group_id, traits)
        if call is None:
            user_id, group_id, traits = moved_up(user_id, group_id, traits, self._user_loader)
            user = read_user(user_id, self._user_loader, common.get("anonymous_id"))
            call = Group(group_id, traits or {}, user.user_id, **with_email(user, checked("group", common)))
        self._accept(call, from_request=from_request, connection=connection)

    def delete(self, user_id: Any = None, email: str | None = None, *, archive: bool = False) -> None:
        """Delete a user at Intercom, as ``Analytics.delete`` does; no user is taken from the session here."""
        self._accept(Delete(user_id=user_id, email=email, archive=archive))

    def page(
        self,
        user_id: Any = None,
        category: str | None = None,
        name: str | None = None,
        properties: Traits = None,
        **common: Unpack[CommonArguments],
    ) -> None:
        """Accept a page call from the server, where it has no effect at Intercom."""
        user = read_user(user_id, self._user_loader, common.get("anonymous_id"))
        self._accept(Page(name, properties or {}, user.user_id, category, **checked("page", common)))
