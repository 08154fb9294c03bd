"""What is said about a trait that cannot be sent as it is."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache

from ..errors import TraitError

logger = logging.getLogger("segment_intercom")


@dataclass(frozen=True, slots=True)
class Report:
    """Tells the developer about a trait by its name, never by its value."""

    strict: bool

    @classmethod
    @cache
    def of(cls, strict: bool) -> Report:
        """The report of that strictness; it has no state, so that one of each is enough."""
        return cls(strict)

    def refuse(self, name: str, problem: str) -> None:
        """A trait that cannot be sent: raise TraitError when strict, else log that it is left out."""
        if self.strict:
            raise TraitError(name, problem)
        self.note(name, f"{problem}; it is left out")

    def note(self, name: str, remark: str) -> None:
        """Log a remark about a trait as a warning."""
        logger.warning("trait %.200r: %s", name, remark)
