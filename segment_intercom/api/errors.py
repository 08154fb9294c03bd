"""How the sending of a call may end otherwise than well; each is raised and caught within this package."""

from __future__ import annotations

from collections.abc import Mapping

from .._json import dumps
from ..transport import Reply

_LONGEST_REPLY = 2_000


class PermanentError(Exception):
    """The call is refused, and would be refused again: it becomes a dead letter.

    ``reason`` and ``reply`` are kept with it; the exception's own text is for a log, so it repeats no words of
    Intercom's, which may hold a user's data.
    """

    def __init__(self, problem: str, reply: Reply | None = None) -> None:
        super().__init__(problem)
        words = "" if reply is None else message_in(reply)
        self.reason = f"{problem}: {words}" if words else problem
        self.reply = "" if reply is None else text_of(reply)

    @classmethod
    def by(cls, reply: Reply) -> PermanentError:
        """The refusal that an answer is."""
        return cls(" ".join(["Intercom answered", str(reply.status), *filter(None, [code_in(reply)])]), reply)


class RetryableError(Exception):
    """There was no answer, or one of trouble at Intercom's: the call is sent again later.

    ``tries`` bounds how often, where a day of patience would be too much.
    """

    def __init__(self, problem: str, tries: int | None = None) -> None:
        super().__init__(problem)
        self.tries = tries


class RateLimited(Exception):
    """The rate limit is reached: the call waits for the window's end, which is not a failure."""

    def __init__(self, wait: float) -> None:
        super().__init__(f"the rate limit is reached for {wait:.0f} s")
        self.wait = wait


class Unauthorized(Exception):
    """Intercom refuses the token, the plan or the address: nothing can be sent until it is changed."""

    def __init__(self, problem: str = "", status: int = 401) -> None:
        super().__init__(problem)
        self.status = status


class LeftOut(Exception):
    """The call is not to be told, by a setting; it has been counted and logged, and the next one goes on."""


class LeaseLost(Exception):
    """The lease is another worker's now, or this one is to stop."""


def message_in(reply: Reply) -> str:
    """Intercom's own words in an answer, or nothing."""
    errors = reply.body.get("errors") if isinstance(reply.body, Mapping) else None
    listed = [error for error in errors if isinstance(error, Mapping)] if isinstance(errors, list) else []
    return "; ".join(str(error.get("message") or error.get("code") or "") for error in listed)


def code_in(reply: Reply) -> str | None:
    """The code of the first error in an answer, or None."""
    errors = reply.body.get("errors") if isinstance(reply.body, Mapping) else None
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], Mapping) else {}
    return str(first["code"])[:60].encode("unicode_escape").decode() if first.get("code") else None


def text_of(reply: Reply) -> str:
    """An answer as text to keep, of bounded length."""
    return "" if reply.body is None else dumps(reply.body)[:_LONGEST_REPLY]
