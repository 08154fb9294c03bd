"""What a page says of itself: its console's errors, the requests that failed, the scripts it asks for."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import Any

_LINES = 20
_SCRIPTS = "() => [...document.scripts].map((script) => script.src).filter(Boolean)"


class PageLog:
    """The newest errors of a page from now on, for a failure to show; empty where the page has no events."""

    def __init__(self, page: Any) -> None:
        self._page = page
        self._lines: deque[str] = deque(maxlen=_LINES)
        listen = getattr(page, "on", None)  # of Playwright's pages
        if listen is not None:
            listen("console", self._add_message)
            listen("pageerror", lambda error: self._add(f"uncaught: {error}"))
            listen("requestfailed", lambda request: self._add(f"{request.method} {request.url}: {request.failure}"))

    @property
    def lines(self) -> list[str]:
        """What went wrong, oldest first, the same only once."""
        return list(self._lines)

    def scripts(self) -> list[str]:
        """The addresses of the scripts of the page as it stands."""
        with suppress(Exception):  # a page that is leaving or closed must not hide what the test expected
            return [str(address) for address in self._page.evaluate(_SCRIPTS)]
        return []

    def _add_message(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            address = (message.location or {}).get("url") or ""
            if address.endswith("/favicon.ico"):  # which browsers ask for, not the page
                return
            self._add(message.text if not address or address in message.text else f"{message.text} ({address})")

    def _add(self, line: str) -> None:
        if line not in self._lines:
            self._lines.append(line)
