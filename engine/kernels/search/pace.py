"""How much work a submission takes, so that a window can handle its events in between."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

# Seconds of one submission; far below the 2 s after which desktops stop a GPU.
SLICE = 0.05


class Pace:
    """Cuts work into parts that last about SLICE, judged by the parts before.

    size      items of the first part
    least     items that a part has at least, and a multiple of which it has
    seconds   of one item, as last measured; 0 before that
    """

    def __init__(self, size: int, least: int = 64):
        self.least, self.size = least, max(least, size // least * least)
        self.seconds = 0.0

    def parts(self, count: int, most: int) -> Iterator[tuple[int, int]]:
        """(first, last) of parts that cover `count` items, none of more than `most`; each to be done in `timed`."""
        first = 0
        while first < count:
            last = min(first + max(self.least, min(self.size, most)), count)
            yield first, last
            first = last

    @contextmanager
    def timed(self, items: int) -> Iterator[None]:
        """Measures what is done inside, which must wait for the GPU, of so many items."""
        begun = time.perf_counter()
        yield
        took = time.perf_counter() - begun
        self.seconds = took / items
        # Only full parts tell whether more fit; sizes are few, since arrays are made for each.
        if took > SLICE:
            self.size = max(self.least, self.size // 2 // self.least * self.least)
        elif took < 0.4 * SLICE and items >= self.size:
            self.size *= 2
