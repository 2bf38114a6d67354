"""What a scene makes once and keeps until something that it was made from is another."""

from engine.scene.scene import Scene

# What is told apart by value; arrays, networks and histories are told apart as objects.
BY_VALUE = str | bytes | int | float | tuple


class Keeping(Scene):
    """A Scene that keeps what it makes, so that nothing is made, or sent to the GPU, twice."""

    def __init__(self, **values):
        self._kept = {}
        super().__init__(**values)

    def _keep(self, what, key, make):
        """What `make` gave under this name for the same key, a tuple; made if there is none."""
        held = self._kept.get(what)
        if held is None or not _are_same(held[0], key):
            self._kept[what] = held = key, make()
        return held[1]


def _are_same(a, b):
    return len(a) == len(b) and all(x is y or (isinstance(x, BY_VALUE) and x == y) for x, y in zip(a, b, strict=True))
