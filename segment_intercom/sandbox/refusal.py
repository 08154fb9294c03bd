"""How the sandbox says no: a status, a code and a sentence that says what is wrong and what Intercom wants."""

from __future__ import annotations

import secrets
from typing import Any


class RefusedError(Exception):
    """A request that Intercom would refuse; the message never holds what the caller sent as proof."""

    def __init__(self, code: str, message: str, field: str | None = None, status: int = 403) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.status = status

    def as_json(self) -> dict[str, Any]:
        """The body that goes out, in the form of Intercom's error lists."""
        error = {"code": self.code, "message": self.message}
        if self.field:
            error["field"] = self.field
        return {"type": "error.list", "request_id": secrets.token_hex(10), "errors": [error]}


def malformed(message: str, field: str | None = None) -> RefusedError:
    """The answer to a request that no widget would send: 400 instead of 403."""
    return RefusedError("parameter_invalid", message, field, status=400)
