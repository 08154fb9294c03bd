"""What is to be done at Intercom's REST API, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Reference:
    """An id that only Intercom knows, such as that of ``Reference("company", "company_id", "813")``.

    A contact is named by ``external_id``, the user id, or by ``email``; a company by ``company_id``.
    """

    model: Literal["contact", "company"]
    key: str
    value: str


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
