"""Requests to Intercom's REST API and its replies, as plain data, and what delivery needs of a transport."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True)
class Reference:
    """An id that only Intercom knows, such as that of ``Reference("company", "company_id", "813")``.

    A contact is named by ``external_id``, the user id, by ``email``, or as a lead by ``anonymous_id``; a company by
    ``company_id``, a tag by ``name``. The field ``name`` is that of a company that was given by its name alone, so that
    its id may be another than the hash of the name; of a lead, its user's e-mail.
    """

    model: Literal["contact", "company", "tag"]
    key: str
    value: str
    name: str | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Operation:
    """One request: ``Operation("POST", "/events", {...})``.

    Where the path holds ``{contact_id}`` or ``{company_id}``, ``ids`` says whose they are, and a value of the body may
    be a Reference: the sender finds Intercom's ids for all of them before it sends.
    """

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    ids: Mapping[str, Reference] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """What Intercom answered: the status, the body as JSON values or None, the seconds to wait after a 429.

    ``server_time`` is Intercom's clock in Unix seconds, where the answer tells it.
    """

    status: int
    body: Any = field(default=None, repr=False)
    wait: float = 0.0
    server_time: float | None = None


class Transport(Protocol):
    """What the sender needs of a transport; a test passes an object of its own."""

    def send(self, operation: Operation) -> Reply:
        """Send one request whose ids are all resolved; raises TransportError when there is no answer."""
