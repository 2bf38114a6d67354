"""Curves of equal value over an image, or alone, as a Drawing: a plot with axes and a legend."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.network.history import Domain
from engine.vector import page
from engine.vector.page import Drawing, Group, Part, Path, Raster, Words
from engine.vector.plot import (
    BACKGROUND,
    FOREGROUND,
    FRAME_MM,
    GAP_MM,
    PAD_MM,
    TICK_MM,
    TYPE_MM,
    axes_group,
    axis_inputs,
    laid_out,
    legend_group,
    signed,
)
from engine.vector.ticks import tick_text

# The tolerance for thinning out curves: a tenth of a pixel of a picture 5000 wide on a page of 120 mm.
THINNED_MM = 0.002
# Of a bar of colours with its numbers; of the bar alone.
BAR_MM, STRIP_MM = 8.0, 2.4


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


@dataclass(frozen=True, eq=False)
class ColourBar:
    """What the colours of an image mean.

    colours     (n, 3) uint8, from the lowest value to the highest
    low, high   the values at its ends
    numbers     values named below it, ascending
    """

    colours: np.ndarray
    low: float
    high: float
    numbers: Sequence[float]


def levels_drawing(
    levels: Sequence[Level], *, low: ArrayLike, high: ArrayLike, domain: Domain | None = None, width_mm: float = 120.0,
    height_mm: float | None = None, background: np.ndarray | None = None, legend: bool = True, theme: str = "paper",
    line_mm: float = 0.25, title: str = "", description: str = "",
    bar: ColourBar | None = None,
) -> Drawing:  # fmt: skip
    """The Drawing of curves of equal value over a rectangle.

    low, high     (2,) world, the rectangle
    domain        the plane, for the names of the axes
    background    (H, W, 3) uint8 image under the curves, row 0 on top
    legend        True names the levels below the plot
    line_mm       width of the curves
    bar           drawn below the plot instead of the names of levels

    Raises SettingError for a page that is too small.
    """
    names = axis_inputs(domain)
    entries = [
        (level.name, Path("", (), level.css, 2 * line_mm))
        for level in levels
        if len(level.lines) and legend and bar is None
    ]
    layout = laid_out(
        width_mm,
        height_mm,
        np.asarray(low, float),
        np.asarray(high, float),
        True,
        names,
        entries,
        foot_mm=BAR_MM if bar else 0.0,
    )
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
    if bar is not None:
        parts.append(_bar_group(layout, bar, foreground))
    if entries:
        parts.append(legend_group(layout, foreground))
    return Drawing(*layout.page, parts, title, description, BACKGROUND[theme])


def _bar_group(layout, bar, foreground):
    """The bar at the bottom of the page, as wide as the plot, with a tick and a number for each value."""
    left, width, top = layout.left, layout.size[0], layout.page[1] - PAD_MM - BAR_MM + GAP_MM
    foot = top + STRIP_MM
    strip = Raster(left, top, width, STRIP_MM, np.repeat(bar.colours[None], 8, axis=0))
    ticks = [left + (value - bar.low) / (bar.high - bar.low) * width for value in bar.numbers]
    marks = Path("bar-ticks", [[[at, foot], [at, foot + TICK_MM]] for at in ticks], foreground, FRAME_MM)
    base = foot + TICK_MM + GAP_MM + TYPE_MM * 0.72
    numbers = zip(tick_text(bar.numbers), ticks, strict=True)
    words = [Words(signed(text), at, base, TYPE_MM, "middle", foreground) for text, at in numbers]
    return Group("legend", [strip, marks, *words], "legend")
