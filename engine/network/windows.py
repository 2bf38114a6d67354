"""How a window slides over a map: how many places it takes, which rows or columns it sees there.

One axis at a time: everything here is of rows or of columns alone.
"""

from dataclasses import dataclass

import numpy as np

from engine.errors import ShapeError


@dataclass(frozen=True)
class Window:
    """A window over one axis.

    size       what it takes at once, in elements
    stride     from one place to the next
    before     padding before the first element, and `after` the last
    dilation   distance between the elements it takes
    ceil       True: a last place that is only partly on the map counts, if it starts on the map or before it
    """

    size: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1
    ceil: bool = False

    @property
    def extent(self) -> int:
        """From its first element to behind its last."""
        return (self.size - 1) * self.dilation + 1

    def count(self, length: int) -> int:
        """How many places it takes on a map of this length. Raises ShapeError if it fits nowhere.

        With ceil a last window that would start in the padding after the map is left out, as by PyTorch and ONNX.
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
        """(start, end) on a map of this length of what places first..last see together; end is behind it."""
        start = first * self.stride - self.before
        end = last * self.stride - self.before + self.extent
        return max(start, 0), min(end, length)

    def shares(self, length: int) -> np.ndarray:
        """(count,) int: by what each place's sum is divided where padding counts as zeros.

        It is how much of the padded map it covers; a last window rounded up may go past that (PyTorch's rule).
        """
        start = np.arange(self.count(length)) * self.stride - self.before
        return np.minimum(start + self.size, length + self.after) - start

    def seen(self, length: int) -> np.ndarray:
        """(count,) int: how many elements of the map each place sees."""
        start = np.arange(self.count(length)) * self.stride - self.before
        return np.minimum(start + self.size, length) - np.maximum(start, 0)
