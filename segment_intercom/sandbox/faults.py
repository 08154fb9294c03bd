"""Faults that are injected on purpose: slow answers, errors, connections that break without an answer."""

from __future__ import annotations

import random
from dataclasses import dataclass, fields
from typing import Any

from .refusal import RefusedError, malformed

CODES = {
    400: "parameter_invalid",
    401: "unauthorized",
    403: "api_plan_restricted",
    404: "not_found",
    408: "request_timeout",
    409: "conflict",
    422: "parameter_invalid",
    429: "rate_limit_exceeded",
    500: "server_error",
    502: "bad_gateway",
    503: "service_unavailable",
    504: "server_timeout",
}


@dataclass(slots=True)
class Fault:
    """One way in which requests to the REST API go wrong; it may be changed while the sandbox runs.

    The answer waits ``slow`` seconds, has the ``status``, or with ``drop`` never comes. It strikes with a
    ``probability``, the ``next`` so many times (None: always), where "METHOD /path" starts with ``only``, and with
    ``after_write`` once the request has done its work, so that only the answer is lost.
    """

    status: int | None = None
    slow: float = 0.0
    drop: bool = False
    probability: float = 1.0
    next: int | None = None
    after_write: bool = False
    only: str = ""

    def __post_init__(self) -> None:
        if self.status is not None and self.status not in CODES:
            raise ValueError(f"status must be one of {', '.join(map(str, CODES))}")
        if not 0 <= self.probability <= 1:
            raise ValueError("probability must be from 0 to 1")
        if not 0 <= self.slow <= 600:
            raise ValueError("slow must be from 0 to 600 seconds")
        if not (self.status or self.slow or self.drop):
            raise ValueError("a fault needs one of status, slow and drop")

    @classmethod
    def parse(cls, text: str) -> Fault:
        """The fault that "500=0.1" or "drop" names; raises ValueError for any other text."""
        what, value, share = text.partition("=")
        try:
            probability = float(share) if value else 1.0
            status = None if what == "drop" else int(what)
        except ValueError:
            raise ValueError("must be drop or a status, with a share from 0 to 1 after =: 500=0.1") from None
        return cls(status=status, drop=what == "drop", probability=probability)

    @property
    def name(self) -> str:
        """What the log calls it, such as "500" or "slow 0.2 s"."""
        parts = ["drop" if self.drop else str(self.status or ""), f"slow {self.slow:g} s" if self.slow else ""]
        return ", ".join(filter(None, parts)) + (" after the write" if self.after_write else "")

    @property
    def breaks(self) -> bool:
        """Whether the right answer is lost, and not only late."""
        return self.drop or self.status is not None

    def strikes(self, request: str) -> bool:
        """Whether the fault hits this request ("POST /events"); one that was to come is then used up."""
        if self.next == 0 or not request.startswith(self.only) or random.random() >= self.probability:  # noqa: S311
            return False
        if self.next is not None:
            self.next -= 1
        return True

    def refusal(self) -> RefusedError:
        """The error that stands for the answer; 502 for a connection that drops."""
        status = 502 if self.drop else self.status or 500
        message = "An injected fault of the sandbox answered"
        return RefusedError(CODES[status], message, None, status, "switch it off under /inspector/faults")

    def as_json(self) -> dict[str, Any]:
        """The fault as it is shown, and as it may be set."""
        return {"name": self.name, **{field.name: getattr(self, field.name) for field in fields(self)}}


_KINDS: dict[str, tuple[type, ...]] = {
    "status": (int, type(None)),
    "slow": (int, float),
    "drop": (bool,),
    "probability": (int, float),
    "next": (int, type(None)),
    "after_write": (bool,),
    "only": (str,),
}


def read(listed: Any) -> tuple[Fault, ...]:
    """The faults that a JSON array describes; raises RefusedError naming what is wrong."""
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise malformed("faults must be an array of objects, an empty one for none.", "faults")
    return tuple(_fault(item) for item in listed)


def _fault(fields: dict[str, Any]) -> Fault:
    options = {name: value for name, value in fields.items() if name != "name"}
    for name, value in options.items():
        if name not in _KINDS:
            raise malformed(f"A fault has no {name[:60]}: it has {', '.join(_KINDS)}.", "faults")
        if not isinstance(value, _KINDS[name]) or (isinstance(value, bool) and bool not in _KINDS[name]):
            raise malformed(f"{name} of a fault has the wrong type.", "faults")
    try:
        return Fault(**options)
    except ValueError as error:
        raise malformed(f"{error}.", "faults") from None
