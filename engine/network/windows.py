"""Windows that slide over a map: the number of their places, and the rows or columns that they see at each.

Everything here is about a single axis, rows or columns.
"""

from dataclasses import dataclass

import numpy as np

from engine.errors import ShapeError


@dataclass(frozen=True)
class Window:
    """A window over one axis.

    size       number of elements in the window
    stride     from one place to the next
    before     padding before the map's first element; after: behind its last
    dilation   distance between the window's elements
    ceil       True: a last place that is partly beyond the map counts, unless it starts in the padding after the map
    up         of a transposed convolution: so many places for each element, which lie `up` apart in the output; the
               window is then over the output, and `before` what is cut off there
    """

    size: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1
    ceil: bool = False
    up: int = 1

    @property
    def extent(self) -> int:
        """The distance from its first element to the end of its last."""
        return (self.size - 1) * self.dilation + 1

    def count(self, length: int) -> int:
        """The number of places on a map of this length. Raises ShapeError if it fits nowhere.

        With `ceil`, a last window that would start in the padding after the map is left out, as in PyTorch and ONNX.
        """
        spare = length + self.before + self.after - self.extent
        if spare < 0:
            padding = f" and {self.before + self.after} of padding" if self.before + self.after else ""
            raise ShapeError(f"a window of {self.extent} does not fit on {length}{padding}")
        if not self.ceil:
            return spare // self.stride + 1
        count = -(-spare // self.stride) + 1
        return count - 1 if (count - 1) * self.stride >= length + self.before else count

    def span(self, first: int, last: int, length: int) -> tuple[int, int]:
        """(start, end), end exclusive: the elements of a map of this length seen from places first to last."""
        if self.up > 1:
            start, end = -(-(first + self.before - self.extent + 1) // self.up), (last + self.before) // self.up + 1
        else:
            start, end = first * self.stride - self.before, last * self.stride - self.before + self.extent
        return max(start, 0), min(end, length)

    def shares(self, length: int) -> np.ndarray:
        """(count,) int: the divisor of each place's sum if padding counts as zeros.

        It is the size of the window's part on the padded map; with `ceil` the last may extend beyond (PyTorch's rule).
        """
        start = np.arange(self.count(length)) * self.stride - self.before
        return np.minimum(start + self.size, length + self.after) - start

    def seen(self, length: int) -> np.ndarray:
        """(count,) int: the number of elements of the map in the window at each place."""
        start = np.arange(self.count(length)) * self.stride - self.before
        return np.minimum(start + self.size, length) - np.maximum(start, 0)
