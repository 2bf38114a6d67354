"""The three axes from the origin, with their names."""

from collections.abc import Sequence

import numpy as np

from engine.draw.colour import linear
from engine.draw.lines import Lines
from engine.draw.node import Node
from engine.draw.words.label import Label

# Each axis' colours at its start and its end, which differ in hue and lightness; darker ones for paper.
COLOURS = {
    "dark": (("#d55e5e", "#ffb08a"), ("#3f9d6b", "#a5e3a1"), ("#4a7fd6", "#9cc4ff")),
    "clear": (("#d55e5e", "#d1603d"), ("#3f9d6b", "#3f9d5b"), ("#4a7fd6", "#3f7bd0")),
    "paper": (("#a32d2d", "#d1603d"), ("#1f6b41", "#3f9d5b"), ("#274f9e", "#3f7bd0")),
}


class Axes(Node):
    """Lines from the origin along x, y and z, with correct depth, and a name at each end.

    length   world units
    names    the words at the ends
    theme    dark, paper or clear
    width    of the lines, pixels in a picture 720 high
    """

    def __init__(
        self, length: float = 5.0, *, names: Sequence[str] = ("x", "y", "z"), theme: str = "dark", width: float = 2.0
    ):
        super().__init__("axes")
        colours = [[(*linear(c), 1.0) for c in pair] for pair in COLOURS[theme]]
        self._colours = np.array(colours)
        self._lines = self.add(Lines(width=width, name="axes lines"))
        self._labels = [
            self.add(Label(name, colour=end[:3], beyond=-np.eye(3)[k]))
            for k, (name, (_, end)) in enumerate(zip(names, colours, strict=True))
        ]
        self.resize(length)

    def resize(self, length: float) -> None:
        """Sets the length of the axes, world units."""
        self.length = length
        ends = np.eye(3) * length
        self._lines.set(np.stack([np.zeros((3, 3)), ends], axis=1), self._colours)
        for label, end in zip(self._labels, ends, strict=True):
            label.move(*end)
