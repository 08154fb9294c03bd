"""The Messenger in a page, as a test in a browser expects it; it drives pytest-playwright's ``page``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from .sandbox import IntercomSandbox

_PROOFS = ("user_hash", "intercom_user_jwt")
_TOLD = ("boot", "update", "shutdown", "event", "message")
_LAUNCHER = "Intercom Messenger"  # "Open ...", and while it is open "Close ..."


class Messenger:
    """What the page told the Messenger, and the Messenger itself. Expectations wait up to ``timeout`` seconds."""

    def __init__(self, page: Any, sandbox: IntercomSandbox, timeout: float = 10.0) -> None:
        self._page = page
        self._sandbox = sandbox
        self.timeout = timeout

    @property
    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        """What the Messenger told Intercom, oldest first: ("boot", {...}), ("event", {...}), ..."""
        return [(call["kind"], call["settings"]) for call in self._sandbox.requests if call.get("kind") in _TOLD]

    def expect_booted(self, user_id: str | None = None, *, verified: bool | None = None, **settings: Any) -> None:
        """Expect that the Messenger was booted for a user, or for a visitor where none is named.

        ``verified=True`` wants a proof that Intercom accepted; further settings are compared by name.
        """
        wanted = {**({} if user_id is None else {"user_id": str(user_id)}), **settings}

        def booted() -> bool:
            return any(
                call.get("kind") == "boot"
                and not call.get("refused")
                and (user_id is not None or "user_id" not in call["settings"])
                and all(call["settings"].get(name) == value for name, value in wanted.items())
                and (verified is None or verified == self._is_verified(call["settings"]))
                for call in self._sandbox.requests
            )

        proof = "" if verified is None else f", {'verified' if verified else 'unverified'}"
        self._expect(booted, f"boot with {json.dumps(wanted, default=str)}{proof}")

    def expect_event(self, name: str, **metadata: Any) -> None:
        """Expect an event of this name, of the page or of the server, with at least this metadata."""

        def tracked() -> bool:
            return any(
                event["event_name"] == name
                and all((event.get("metadata") or {}).get(key) == value for key, value in metadata.items())
                for event in self._sandbox.events
            )

        self._expect(tracked, f"event {name!r} with {json.dumps(metadata, default=str)}")

    def expect_told(self, told: Sequence[str | tuple[str, str | None]]) -> None:
        """Expect that the Messenger was told exactly this, in this order: ``["boot", "update", "event"]``.

        A pair names the user, too, or None for a visitor: ``[("boot", "42"), ("shutdown", None), ("boot", "43")]``.
        """

        def is_told() -> bool:
            calls = self.calls
            return len(calls) == len(told) and all(
                kind == (want if isinstance(want, str) else want[0])
                and (isinstance(want, str) or settings.get("user_id") == want[1])
                for (kind, settings), want in zip(calls, told, strict=True)
            )

        self._expect(is_told, f"{', '.join(map(str, told)) or 'nothing'} and nothing else")

    def expect_visible(self) -> None:
        """Expect that the launcher is to be seen."""
        launcher = self._page.get_by_role("button", name=_LAUNCHER)
        self._expect(lambda: launcher.is_visible(), "the launcher")

    def expect_hidden(self) -> None:
        """Expect that no launcher is to be seen, though the page has loaded."""
        self._page.wait_for_load_state("load")
        launcher = self._page.get_by_role("button", name=_LAUNCHER)
        self._expect(lambda: not launcher.is_visible(), "no launcher", settle=0.5)

    def expect_unread(self, count: int) -> None:
        """Expect so many unread messages on the launcher; 0 stands for none."""
        badge = self._page.get_by_role("button", name=f"{count} unread")
        launcher = self._page.get_by_role("button", name="unread")
        self._expect(lambda: bool(badge.count() if count else not launcher.count()), f"{count} unread messages")

    def open(self) -> None:
        """Open the Messenger by its launcher."""
        self._page.get_by_role("button", name=_LAUNCHER).click()
        self._page.get_by_role("dialog").wait_for()

    def send(self, text: str) -> None:
        """Write a message in the open Messenger, and send it."""
        if not self._page.get_by_role("dialog").is_visible():
            self.open()
        self._page.get_by_label("Message", exact=True).fill(text)
        self._page.keyboard.press("Enter")
        self._expect(
            lambda: any(kind == "message" and told.get("text") == text for kind, told in self.calls),
            f"message {text!r}",
        )

    def _is_verified(self, settings: dict[str, Any]) -> bool:
        return self._sandbox.verification and any(settings.get(name) for name in _PROOFS)

    def _expect(self, holds: Callable[[], bool], wanted: str, settle: float = 0.0) -> None:
        end = time.monotonic() + self.timeout
        since: float | None = None
        while time.monotonic() < end:
            if holds():
                since = since or time.monotonic()
                if time.monotonic() - since >= settle:
                    return
            else:
                since = None
            self._page.wait_for_timeout(30)
        raise AssertionError(f"expected: {wanted}\n{self._told()}")

    def _told(self) -> str:
        """What came instead, and what was refused and why."""
        lines = [f"  {kind} {json.dumps(settings, default=str)}" for kind, settings in self.calls]
        refused = [f"  {call.get('kind')}: {call['refused']}" for call in self._sandbox.refused]
        return "\n".join(
            ["the Messenger was told:", *(lines or ["  nothing"]), "Intercom refused:", *(refused or ["  nothing"])]
        )
