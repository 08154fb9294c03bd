"""One request to the REST API on its way: what came in, what is noted of it, what goes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..attributes import NotSaved
from ..jsonbody import loads
from ..people import Person
from ..refusal import RefusedError, malformed
from ..workspace import Workspace
from ..workspace_data import WorkspaceData


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came in; ``parts`` are the steps of its path, ``body`` is None where it was too large."""

    method: str
    parts: tuple[str, ...]
    target: str
    query: dict[str, str]
    authorization: str = field(repr=False)
    version: str | None
    content_type: str
    body: bytes | None

    @property
    def line(self) -> str:
        """The method and the path, as faults are aimed by."""
        return f"{self.method} /{'/'.join(self.parts)}"


@dataclass(slots=True)
class ApiReply:
    """What goes out; with ``drop`` nothing does, and the connection is closed."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False


@dataclass(slots=True)
class ApiCall:
    """A request that was let in, with the workspace whose it is and the notes that the log shows."""

    asked: Asked
    workspace: Workspace
    account: WorkspaceData
    version: tuple[int, int]
    at: float
    notes: list[str] = field(default_factory=list)
    not_saved: list[NotSaved] = field(default_factory=list)
    person: Person | None = None

    @property
    def source(self) -> str:
        """Who speaks, as people and events show it."""
        return "classic" if self.version[0] == 1 else "api"

    def body(self) -> dict[str, Any]:
        """The body, which must be a JSON object; anything else is refused."""
        body = sent(self.asked)
        if body is None:
            raise RefusedError("parameter_invalid", "The body is larger than one megabyte.", None, 413)
        if self.asked.content_type != "application/json":
            message = "The Content-Type must be application/json."
            raise RefusedError("unsupported_media_type", message, None, 415)
        if not isinstance(body, dict):
            raise malformed("The body must be a JSON object.")
        return body

    def whole_body(self) -> dict[str, Any]:
        """The body where an empty one is as good as an empty object."""
        return self.body() if self.asked.body else {}


def sent(asked: Asked) -> Any:
    """The body's JSON, None where it was too large, and text where it is not JSON."""
    if asked.body is None:
        return None
    try:
        return loads(asked.body)
    except ValueError:
        return "(no JSON)" if asked.body else ""
