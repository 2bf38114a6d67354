"""What is made from shapes and texts, and can be made again: one store, bounded, for modules, pipelines and kernels.

A software driver keeps some 100 bytes for each letter of a shader, so the letters count as well as the number.
"""

import ctypes
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any, Generic, ParamSpec, Self, TypeVar, overload

P = ParamSpec("P")
T = TypeVar("T")

# Values, and letters of the texts that they are or were made from. The largest included scene has 60 and 0.5 million.
MOST, MOST_LETTERS = 1024, 4_000_000
# Letters dropped after which free memory is given back to the system.
GIVE_BACK = 500_000


class Store:
    """Values by key; those that were not asked for the longest are dropped first.

    most, letters   at most so many values, and letters of them all; the newest value stays whatever its size
    made            (the attribute) how many it has made
    """

    def __init__(self, most: int, letters: int):
        self.most, self.most_letters, self.letters, self.made = most, letters, 0, 0
        self._dropped = 0
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of a key; where there is none, `make` is called and its result is stored."""
        shelf = getattr(_thread, "shelf", None)
        key = key if shelf is None else (shelf, key)
        found = self._values.get(key)
        if found is not None:
            try:
                self._values.move_to_end(key)
            except KeyError:
                pass  # another thread has dropped it meanwhile
            return found[0]
        value = make()
        self.made += 1
        self.drop(key)
        size = _letters(value, key)
        self._values[key] = value, size
        self.letters += size
        while len(self._values) > 1 and (len(self._values) > self.most or self.letters > self.most_letters):
            _, (_, letters) = self._values.popitem(last=False)  # at once: another thread may change them as well
            self.letters -= letters
            self._dropped += letters
        if self._dropped > GIVE_BACK:
            self._dropped = 0
            give_back()
        return value

    def drop(self, key: Hashable) -> None:
        """Forgets the value of a key, if there is one."""
        self.letters -= self._values.pop(key, (None, 0))[1]

    def keys(self) -> list[Hashable]:
        """The keys, the one that was not asked for the longest first."""
        return list(self._values)

    def clear(self) -> None:
        """Forgets everything."""
        self._values.clear()
        self.letters = 0


store = Store(MOST, MOST_LETTERS)
_thread = threading.local()


@contextmanager
def shelf(name: str) -> Iterator[None]:
    """In the block, this thread finds in the store only what it has put there in blocks with this name."""
    before, _thread.shelf = getattr(_thread, "shelf", None), name
    try:
        yield
    finally:
        _thread.shelf = before


def give_back() -> None:
    """Gives memory that is free back to the system, where the C library is glibc, which else keeps it in pieces."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def _letters(*values: Any) -> int:
    """Letters of the texts in values: of themselves, of what they hold in tuples, of their `code`; bytes of arrays."""
    size = 0
    for value in values:
        if isinstance(value, str | bytes):
            size += len(value)
        elif isinstance(value, tuple):
            size += _letters(*value)
        else:
            size += len(getattr(getattr(value, "module", value), "code", "")) + getattr(value, "nbytes", 0)
    return size


class Kept(Generic[P, T]):
    """A function whose results are in the store, by its arguments.

    made   how many it has made
    """

    def __init__(self, function: Callable[P, T]):
        self._function, self.made = function, 0
        wraps(function)(self)

    def __call__(self, *args: P.args, **more: P.kwargs) -> T:
        return store.get((self, args, *sorted(more.items())), lambda: self._make(args, more))

    def _make(self, args: Any, more: Any) -> T:
        self.made += 1
        return self._function(*args, **more)

    def forget(self) -> None:
        """Drops all its results."""
        for key in store.keys():  # noqa: SIM118
            if isinstance(key, tuple) and key and key[0] is self:
                store.drop(key)


def kept(function: Callable[P, T]) -> Kept[P, T]:
    """Decorator: keeps the results of a function of hashable arguments, as long as there is room."""
    return Kept(function)


class Once(Generic[T]):
    """A property that is computed when it is first asked for, and then an attribute of its object.

    functools.cached_property of Python 3.11 holds one lock for all objects while it computes. A thread that waits for
    the driver within, and one that has its turn meanwhile, then wait for each other for ever.
    """

    def __init__(self, function: Callable[[Any], T]):
        self._function, self._name = function, function.__name__
        self.__doc__ = function.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object, owner: type) -> Self | T:
        if instance is None:
            return self
        values = vars(instance)
        if self._name not in values:
            values.setdefault(self._name, self._function(instance))
        return values[self._name]


def once(function: Callable[[Any], T]) -> Once[T]:
    """Decorator: the method becomes a property that is computed once."""
    return Once(function)
