"""What a pure function said before, kept within bounds: names of traits come from an application, or from anywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Memo(dict[K, V], Generic[K, V]):
    """The values of a pure function of one argument: ``memo[argument]``, a plain look-up for one that came before.

    At most ``most`` are kept, then it begins anew; of arguments longer than ``longest`` nothing is kept. The length of
    a tuple of texts is that of all of them.
    """

    def __init__(self, function: Callable[[K], V], *, most: int, longest: int) -> None:
        super().__init__()
        self._function, self._most, self._longest = function, most, longest

    def __missing__(self, argument: K) -> V:
        value = self._function(argument)
        if _length(argument) <= self._longest:
            if len(self) >= self._most:
                self.clear()
            self[argument] = value
        return value


def _length(argument: Any) -> int:
    if isinstance(argument, tuple):
        return sum(_length(item) for item in argument)
    return len(argument) if isinstance(argument, str) else 0
