"""The Messenger's own elements in a page, by what pytest-playwright's pages offer; none of the application's."""

from __future__ import annotations

from typing import Any

_CONTAINER = "#intercom-container"
_LAUNCHER = "button.launcher"


class MessengerElements:
    """The launcher and the panel, in the page or in one of its frames; looked for anew each time."""

    def __init__(self, page: Any) -> None:
        self._page = page

    @property
    def launcher(self) -> Any:
        """The button that opens the Messenger."""
        return self._element(_LAUNCHER)

    @property
    def panel(self) -> Any:
        """The open Messenger."""
        return self._element("[role=dialog]")

    @property
    def message(self) -> Any:
        """The field in which a message is written."""
        return self._element("textarea")

    def has_booted(self) -> bool:
        """Whether Intercom let the page's Messenger in, its launcher seen or not."""
        return any(frame.locator(f"{_CONTAINER}[data-booted=true]").count() for frame in self._frames())

    def shows_launcher(self) -> bool:
        """Whether a launcher is to be seen, in a frame as well."""
        return any(container.locator(_LAUNCHER).is_visible() for container in self._containers())

    def has_unread(self, count: int) -> bool:
        """Whether the launcher says that exactly so many messages are unread."""
        label = f", {count} unread" if count else "Intercom Messenger"
        launcher = f'{_LAUNCHER}[aria-label$="{label}"]'
        return any(container.locator(launcher).count() for container in self._containers())

    def _element(self, css: str) -> Any:
        containers = self._containers()
        standing = [container for container in containers if container.count()]
        return (standing or containers)[0].locator(css)

    def _containers(self) -> list[Any]:
        return [frame.locator(_CONTAINER) for frame in self._frames()]

    def _frames(self) -> list[Any]:
        """The page first, then its frames where the page knows of them."""
        return getattr(self._page, "frames", None) or [self._page]
