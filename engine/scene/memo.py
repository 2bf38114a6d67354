"""A cache of things that are made anew only when what they were made from has changed."""

from collections.abc import Callable
from typing import Any, TypeVar

# Compared by value; arrays, networks and histories are compared as objects.
BY_VALUE = str | bytes | int | float | tuple
T = TypeVar("T")


class Cache:
    """Holds one thing under each name, with the key it was made for."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[tuple, Any]] = {}

    def get(self, name: str, key: tuple, make: Callable[[], T]) -> T:
        """What `make` gave under this name for the same key; made if there is none."""
        made = self._made.get(name)
        if made is None or not _are_same(made[0], key):
            self._made[name] = made = key, make()
        return made[1]


def _are_same(a, b):
    return len(a) == len(b) and all(x is y or (isinstance(x, BY_VALUE) and x == y) for x, y in zip(a, b, strict=True))
