"""Curves of equal value over an image, or alone, as a Drawing: a plot with axes and a legend."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.network.history import Domain
from engine.vector import page
from engine.vector.page import Drawing, Group, Part, Path, Raster
from engine.vector.plot import BACKGROUND, FOREGROUND, axes_group, axis_inputs, laid_out, legend_group

# The tolerance for thinning out curves: a tenth of a pixel of a picture 5000 wide on a page of 120 mm.
THINNED_MM = 0.002


@dataclass(frozen=True)
class Level:
    """The curves of one value.

    name    in the legend, such as `0.25`
    css     `#rrggbb`
    lines   (n, 2) world arrays
    """

    name: str
    css: str
    lines: Sequence[np.ndarray]


def levels_drawing(
    levels: Sequence[Level], *, low: ArrayLike, high: ArrayLike, domain: Domain | None = None, width_mm: float = 120.0,
    height_mm: float | None = None, background: np.ndarray | None = None, legend: bool = True, theme: str = "paper",
    line_mm: float = 0.25, title: str = "", description: str = "",
) -> Drawing:  # fmt: skip
    """The Drawing of curves of equal value over a rectangle.

    low, high     (2,) world, the rectangle
    domain        the plane, for the names of the axes
    background    (H, W, 3) uint8 image under the curves, row 0 on top
    legend        True names the levels below the plot
    line_mm       width of the curves

    Raises SettingError for a page that is too small.
    """
    names = axis_inputs(domain)
    entries = [(level.name, Path("", (), level.css, 2 * line_mm)) for level in levels if len(level.lines) and legend]
    layout = laid_out(width_mm, height_mm, np.asarray(low, float), np.asarray(high, float), True, names, entries)
    parts: list[Part] = []
    if background is not None:
        across, down = layout.size
        parts.append(Group("picture", [Raster(layout.left, layout.top, across, down, background)], "picture"))
    for number, level in enumerate(levels, start=1):
        lines = [page.thinned(layout.place(line), THINNED_MM) for line in level.lines]
        path = Path(f"level-{number}", lines, level.css, line_mm, title=level.name)
        parts.append(Group(f"levels-{number}", [path] if lines else [], f"level {level.name}"))
    foreground = FOREGROUND[theme]
    parts.append(axes_group(layout, foreground, True, names))
    if entries:
        parts.append(legend_group(layout, foreground))
    return Drawing(*layout.page, parts, title, description, BACKGROUND[theme])
