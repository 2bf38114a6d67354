"""A cache of values that are made again only when what they were made from has changed."""

from collections.abc import Callable
from operator import is_
from typing import Any, TypeVar

# Types of keys that are compared by value; arrays, networks and histories are compared by identity.
BY_VALUE = str | bytes | int | float | tuple
T = TypeVar("T")


class Cache:
    """Holds one value under each name, with the key it was made for."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[tuple, Any]] = {}

    def get(self, name: str, key: tuple, make: Callable[[], T]) -> T:
        """The value stored under this name for the same key; without one, `make` is called and its result stored."""
        made = self._made.get(name)
        if made is None or not _are_same(made[0], key):
            self._made[name] = made = key, make()
        return made[1]


def _are_same(a, b):
    if len(a) == len(b) and all(map(is_, a, b)):  # mostly so, and known without a step of Python
        return True
    return len(a) == len(b) and all(x is y or (isinstance(x, BY_VALUE) and x == y) for x, y in zip(a, b, strict=True))
