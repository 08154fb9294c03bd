"""The package's one logger, warnings that are logged once, and what is said about values that cannot be sent."""

from __future__ import annotations

import logging
import threading
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from .errors import TraitError


class _Speaker(logging.LoggerAdapter[logging.Logger]):
    """Begins each line with who speaks: in a log of an application, many do."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Put the name before the message."""
        return f"Intercom: {msg}", kwargs


logger = _Speaker(logging.getLogger("segment_intercom"), {})

_MOST = 1_000  # different warnings of a process: names of traits may come from anywhere
_LONGEST = 300
_SAID_AGAIN = frozenset(10**exponent for exponent in range(1, 19))
_OTHERS = "further warnings about names of traits and properties are only counted"


class WarningLog:
    """Warnings with how often each was given: the first is logged, and then the 10th, the 100th, and so on.

    A warning about a trait would otherwise be a line of the log for every page that is rendered.
    """

    def __init__(self) -> None:
        self._counts: dict[tuple[object, ...], int] = {}
        self._lock = threading.Lock()

    def warn(self, message: str, *values: str) -> None:
        """Log a warning once for a process, as ``logger.warning(message, *values)``, and count it from then on."""
        key = (message, *values) if sum(map(len, values)) <= _LONGEST else (message, *_cut(values))
        count = self._counts.get(key, 0) + 1
        if count > 1 and count not in _SAID_AGAIN:  # nearly always, so without the lock: a count may miss one
            self._counts[key] = count
            return
        with self._lock:
            if key not in self._counts and len(self._counts) >= _MOST:
                message, values, key = _OTHERS, (), (_OTHERS,)
            count = self._counts[key] = self._counts.get(key, 0) + 1
        if count == 1:
            logger.warning(message, *values)
        elif count in _SAID_AGAIN:
            logger.warning(f"{message} (said %d times by now)", *values, count)  # noqa: G004

    def reset(self) -> None:
        """Forget all counts, as a test does that looks for a warning."""
        with self._lock:
            self._counts.clear()


def _cut(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(value[:_LONGEST] for value in values)


# The warnings of a process, whichever of its applications they are about.
WARNINGS = WarningLog()


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """Reports traits that cannot be sent to the developer, by their names and never by their values.

    ``source`` says where they stood: in which call, or in a page.
    """

    strict: bool
    source: str = ""

    def reject(self, name: str, problem: str) -> None:
        """Report a trait that cannot be sent: raise TraitError if strict, else log that it is left out."""
        if self.strict:
            raise TraitError(name, problem)
        self.warn(name, f"{problem}; it is left out")

    def warn(self, name: str, message: str) -> None:
        """Log a warning about a trait, once for a process."""
        if self.source:
            WARNINGS.warn("%s, trait %.200r: %s", self.source, name, message)
        else:
            WARNINGS.warn("trait %.200r: %s", name, message)
