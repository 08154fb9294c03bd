"""An endpoint of Intercom's REST API: how an operation on it is built and how it is performed, in one object.

An operation is built by its endpoint, and an endpoint cannot be declared without the function that performs it. So no
operation reaches delivery whose path cannot be completed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..transport import Operation, Reference
from .cache import IntercomCache
from .client import LeasedClient
from .data_attributes import AttributeCreator

# Returns the body that creates the user of a call.
UserPayload = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Api:
    """What performing an operation needs: requests, the requests that create missing attributes, and the cache.

    ``restores_archived``: a contact that is archived is brought back by what is told of it.
    """

    client: LeasedClient
    cache: IntercomCache
    attributes: AttributeCreator
    restores_archived: bool = True


Perform = Callable[[Api, Operation, UserPayload], None]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A method and a path such as ``/contacts/{contact_id}/companies``, and the function that performs an operation.

    Calling it builds an operation: ``SAVE_COMPANY({"company_id": "813"})``.
    """

    method: str
    path: str
    perform: Perform = field(repr=False)

    def __call__(self, body: Mapping[str, Any] | None = None, ids: Mapping[str, Reference] | None = None) -> Operation:
        """Return the operation with this body; ``ids`` names the contact and the company of the path."""
        return Operation(self.method, self.path, body, ids or {})
