"""The package's one registry of what must be prepared for a fork of the process, such as connections and locks."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forkable(Protocol):
    """What has something to do before and after a fork."""

    def before_fork(self) -> None:
        """Prepare for it, in the parent."""

    def after_fork_in_parent(self) -> None:
        """Go on in the parent."""

    def after_fork_in_child(self) -> None:
        """Begin anew in the child."""


class Forks:
    """Weak references to what a fork concerns; the hooks are registered with the first of them."""

    def __init__(self) -> None:
        self._members: weakref.WeakSet[Forkable] = weakref.WeakSet()
        self._is_registered = False
        # Between the hooks of one fork: what is made meanwhile was not prepared for it.
        self._prepared: list[Forkable] = []

    def add(self, member: Forkable) -> None:
        """Call the member's hooks at every fork, for as long as it lives."""
        self._members.add(member)
        if not self._is_registered and hasattr(os, "register_at_fork"):  # Windows knows no fork
            self._is_registered = True
            os.register_at_fork(
                before=self._before, after_in_parent=self._after_in_parent, after_in_child=self._after_in_child
            )

    def _before(self) -> None:
        self._prepared = list(self._members)
        for member in self._prepared:
            member.before_fork()

    def _after_in_parent(self) -> None:
        prepared, self._prepared = self._prepared, []
        for member in prepared:
            member.after_fork_in_parent()

    def _after_in_child(self) -> None:
        prepared, self._prepared = self._prepared, []
        for member in prepared:
            member.after_fork_in_child()


# Of this process and its children.
FORKS = Forks()
