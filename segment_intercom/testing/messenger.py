"""The Messenger in a page, as a test in a browser expects it; it drives pytest-playwright's ``page``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from .current_boot import current_boot, has
from .messenger_elements import MessengerElements
from .page_log import PageLog
from .sandbox import IntercomSandbox

_TOLD = ("boot", "update", "shutdown", "event", "message")
_SETTLE = 1.0  # seconds in which what is expected not to come may still come


class Messenger:
    """What the page told the Messenger, and the Messenger itself. Expectations wait up to ``timeout`` seconds.

    ``captures`` says whether the application captures the calls of its server code, so that none is delivered.
    """

    def __init__(
        self,
        page: Any,
        sandbox: IntercomSandbox,
        timeout: float = 10.0,
        *,
        captures: Callable[[], bool] = lambda: False,
    ) -> None:
        self._page = page
        self._sandbox = sandbox
        self._captures = captures
        self._elements = MessengerElements(page)
        self._log = PageLog(page)
        self.timeout = timeout

    @property
    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        """What the Messenger told Intercom, oldest first: ("boot", {...}), ("event", {...}), ..."""
        return [(call["kind"], call["settings"]) for call in self._sandbox.requests if call["kind"] in _TOLD]

    def expect_booted(self, user_id: str | None = None, *, verified: bool | None = None, **settings: Any) -> None:
        """Expect that the Messenger is booted for a user; for a visitor where no user id and no e-mail is named.

        It is the newest boot that counts, as the updates after it leave it, whichever page it came from; a shutdown
        ends it, and so does a refusal. Who is still in the session of a user is no visitor. ``verified=True`` wants a
        proof that Intercom accepted; further settings are compared by name, and one that was not sent equals nothing.
        """
        __tracebackhide__ = True
        wanted = None if user_id is None else str(user_id)

        def booted() -> bool:
            boot = current_boot(self._sandbox)
            return boot is not None and boot.is_of(wanted, settings) and verified in (None, boot.is_verified)

        shown = settings if wanted is None else {"user_id": wanted, **settings}
        visitor = " of a visitor" if wanted is None and "email" not in settings else ""
        proof = "" if verified is None else f", {'verified' if verified else 'unverified'}"
        self._expect(booted, f"boot{visitor} with {_json(shown)}{proof}")

    def expect_event(self, name: str, **metadata: Any) -> None:
        """Expect an event of this name, of the page or of the server, with at least this metadata."""
        __tracebackhide__ = True

        def tracked() -> bool:
            return any(
                event["event_name"] == name and has(event.get("metadata") or {}, metadata)
                for event in self._sandbox.events
            )

        self._expect(tracked, f"event {name!r} with {_json(metadata)}", remark=self._what_servers_sent)

    def expect_told(self, told: Sequence[str | tuple[str, str | None]]) -> None:
        """Expect that the Messenger was told exactly this, in this order: ``["boot", "update", "event"]``.

        A pair names the user, too, or None for a visitor: ``[("boot", "42"), ("shutdown", None), ("boot", "43")]``.
        It waits a second for what may come besides.
        """
        __tracebackhide__ = True

        def is_told() -> bool:
            calls = self.calls
            return len(calls) == len(told) and all(
                kind == (want if isinstance(want, str) else want[0])
                and (isinstance(want, str) or settings.get("user_id") == want[1])
                for (kind, settings), want in zip(calls, told, strict=True)
            )

        self._expect(is_told, f"{', '.join(map(str, told)) or 'nothing'} and nothing else", settle=_SETTLE)

    def expect_visible(self) -> None:
        """Expect that the launcher is to be seen, in the page or in a frame of it."""
        __tracebackhide__ = True
        self._expect(self._elements.shows_launcher, "the launcher")

    def expect_hidden(self, *, booted: bool = True) -> None:
        """Expect that the page's Messenger is booted and no launcher is to be seen, in its frames neither.

        ``booted=False`` is for a page on which no Messenger may stand: before a consent, where the widget does not
        load, where Intercom refuses. It waits a second for a launcher that comes late.
        """
        __tracebackhide__ = True
        self._page.wait_for_load_state("load")

        def hidden() -> bool:
            return self._elements.has_booted() == booted and not self._elements.shows_launcher()

        wanted = "a booted Messenger without a launcher" if booted else "no Messenger and no launcher"
        self._expect(hidden, wanted, settle=_SETTLE)

    def expect_unread(self, count: int) -> None:
        """Expect exactly so many unread messages on the launcher; 0 stands for none."""
        __tracebackhide__ = True
        self._expect(lambda: self._elements.has_unread(count), f"{count} unread messages")

    def open(self) -> None:
        """Open the Messenger by its launcher, where it is not open."""
        __tracebackhide__ = True
        if not self._elements.panel.is_visible():
            self.expect_visible()
            self._elements.launcher.click()
            self._elements.panel.wait_for()

    def send(self, text: str) -> None:
        """Write a message in the Messenger, and send it; it is opened first."""
        __tracebackhide__ = True
        self.open()
        before = self._sent(text)
        self._elements.message.fill(text)
        self._elements.message.press("Enter")
        self._expect(lambda: self._sent(text) > before, f"message {text!r}")

    def _sent(self, text: str) -> int:
        return sum(kind == "message" and settings.get("text") == text for kind, settings in self.calls)

    def _expect(
        self, holds: Callable[[], bool], wanted: str, *, settle: float = 0.0, remark: Callable[[], str] = str
    ) -> None:
        """Wait until it holds, and goes on to hold for ``settle`` seconds; the remark explains a failure."""
        __tracebackhide__ = True
        end = time.monotonic() + self.timeout
        since: float | None = None
        while since is not None or time.monotonic() < end:
            if not holds():
                since = None
            elif settle <= time.monotonic() - (since := since or time.monotonic()):
                return
            self._page.wait_for_timeout(30)
        raise AssertionError("\n".join(filter(None, [f"expected: {wanted}", *self._what_came(), remark()])))

    def _what_came(self) -> list[str]:
        """What Intercom received instead, what it refused and why, and what the page says."""
        told = [f"{kind} {_json(settings)}" for kind, settings in self.calls]
        events = [
            f"{event['event_name']!r} with {_json(event.get('metadata') or {})}" for event in self._sandbox.events
        ]
        refused = [f"{_name(call)}: {call['refused']}" for call in self._sandbox.refused]
        return [
            *_section("the Messenger was told:", told or ["nothing"]),
            f"it is booted for: {current_boot(self._sandbox) or 'nobody'}",
            *_section("events of pages and servers that came:", events),
            *_section("Intercom refused:", refused or ["nothing"]),
            *([] if self._sandbox.requests else self._where_the_page_went()),
            *_section("the page's console and failed requests:", self._log.lines),
        ]

    def _where_the_page_went(self) -> list[str]:
        """The page's scripts, where none of its requests came; those of other hosts mean other settings."""
        scripts = self._log.scripts()
        remark = "" if scripts else "none: is the snippet in the page, and does its policy let it run?"
        if scripts and not any(address.startswith(f"{self._sandbox.address}/") for address in scripts):
            remark = (
                "an application reads its configuration once: give it intercom_sandbox.config (or intercom_config) "
                "before SegmentIntercom(app) or init_app(app)"
            )
        title = f"no request reached {self._sandbox.address}; the page's scripts:"
        return _section(title, [*scripts, *filter(None, [remark])])

    def _what_servers_sent(self) -> str:
        """Why no call of a server may have come, or nothing."""
        if self._captures():
            return "app has TESTING on: calls of its server code are captured, not delivered; leave it off in this test"
        if any(call["kind"] == "rest" for call in self._sandbox.requests):
            return ""
        return "no call of a server came; an application with TESTING on captures its calls and delivers none"


def _json(value: Any) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)


def _name(call: dict[str, Any]) -> str:
    return f"{call['method']} {call['path']}" if call["kind"] == "rest" else str(call["kind"])


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [title, *(f"  {line}" for line in lines)] if lines else []
