"""How the sandbox says no: a status, a code and a sentence that says what is wrong and what Intercom wants."""

from __future__ import annotations

from typing import Any
from uuid import uuid4


class RefusedError(Exception):
    """A request that Intercom would refuse; the message never holds what the caller sent as proof."""

    def __init__(
        self, code: str, message: str, field: str | None = None, status: int = 403, remedy: str | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.status = status
        self.remedy = remedy
        self.headers: dict[str, str] = {}

    @property
    def reason(self) -> str:
        """The message, and the remedy that only the inspector shows, where there is one."""
        return f"{self.message} ({self.remedy})" if self.remedy else self.message

    def as_json(self) -> dict[str, Any]:
        """The body that goes out, in the form of Intercom's error lists."""
        error = {"code": self.code, "message": self.message}
        if self.field:
            error["field"] = self.field
        return {"type": "error.list", "request_id": str(uuid4()), "errors": [error]}


def malformed(message: str, field: str | None = None, remedy: str | None = None) -> RefusedError:
    """The answer to a request that is wrong in itself: 400 instead of 403."""
    return RefusedError("parameter_invalid", message, field, 400, remedy)


def missing(message: str, field: str | None = None, remedy: str | None = None) -> RefusedError:
    """The answer to a request without something that it needs: 400."""
    return RefusedError("parameter_not_found", message, field, 400, remedy)


def not_found(message: str = "User Not Found", code: str = "not_found", remedy: str | None = None) -> RefusedError:
    """The answer where there is no such thing: 404."""
    return RefusedError(code, message, None, 404, remedy)


def not_imitated(what: str) -> RefusedError:
    """The answer to what Intercom's description names and the sandbox does not do: 501."""
    remedy = "docs/sandbox.md lists what is not"
    return RefusedError("not_imitated", f"{what} is not imitated by this sandbox", None, 501, remedy)
