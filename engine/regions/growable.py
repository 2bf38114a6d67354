"""An array that grows at its end."""

import numpy as np


class Rows:
    """Rows of one kind, to which more are added; room is doubled when it runs out. The array begun with is not copied.

    full   the array with its spare room: right for reading by index
    used   how many rows count
    all    those rows, a view
    """

    def __init__(self, start):
        self.full = np.asarray(start)
        self.used = len(self.full)

    @property
    def all(self) -> np.ndarray:
        return self.full[: self.used]

    def add(self, rows: np.ndarray) -> int:
        """Rows put behind the last one; returns the number of the first."""
        first, self.used = self.used, self.used + len(rows)
        if self.used > len(self.full):
            # empty: the system gives pages only when they are written, so spare room costs nothing.
            more = np.empty((2 * self.used, *self.full.shape[1:]), self.full.dtype)
            more[:first] = self.full[:first]
            self.full = more
        self.full[first : self.used] = rows
        return first
