"""A plot on a page: its place, its frame with ticks and numbers, and rows of lines with their names below it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import SettingError
from engine.network.history import Domain
from engine.vector.page import POINT_MM, Group, Part, Path, Words, rectangle, text_width
from engine.vector.ticks import tick_text, ticks

# Colour of lines and words; and below, the page's background, None for a transparent one.
FOREGROUND = {"paper": "#3a4152", "dark": "#c9d1e0", "clear": "#757575"}
BACKGROUND = {"paper": None, "dark": "#12151e", "clear": None}
# Seven points is the smallest type that journals accept.
TYPE_MM, LEGEND_TYPE_MM = 7 * POINT_MM, 8 * POINT_MM
PAD_MM, TICK_MM, GAP_MM, FRAME_MM = 1.5, 1.0, 0.8, 0.2
SAMPLE_MM, ENTRY_GAP_MM, ROW_MM, PATCH_MM = 9.0, 5.0, 4.4, 2.6
# The length of axis that a number needs.
TICK_ROOM_MM = 14.0
LEAST_PLOT_MM = 10.0


# The numbers at both ends of an axis; None without numbers.
Range = tuple[float, float] | None


@dataclass(frozen=True)
class PageLayout:
    """The place of the plot on the page, mm, and the world rectangle that it shows."""

    page: tuple[float, float]
    left: float
    top: float
    scale: float
    low: np.ndarray
    high: np.ndarray
    legend: tuple[tuple, ...]
    ranges: tuple[Range, Range]

    @property
    def size(self) -> np.ndarray:
        """(2,) mm of the plot."""
        return (self.high - self.low) * self.scale

    def place(self, points: ArrayLike) -> np.ndarray:
        """(N, 2) mm of world points."""
        points = np.asarray(points, float)
        x = self.left + (points[:, 0] - self.low[0]) * self.scale
        return np.stack([x, self.top + (self.high[1] - points[:, 1]) * self.scale], axis=1)


def axis_inputs(domain: Domain | None) -> tuple[str, str]:
    """The names of a plane's two axes: the input that each runs along, or none."""
    names = []
    for axis in () if domain is None else domain.axes:
        own = np.flatnonzero(axis)
        names.append(f"input {own[0] + 1}" if len(own) == 1 and axis[own[0]] == 1.0 else "")
    return (names[0], names[1]) if all(names) and names else ("", "")


def laid_out(
    width_mm: float, height_mm: float | None, low: np.ndarray, high: np.ndarray, axes: bool,
    axis_names: Sequence[str], entries: Sequence[tuple[str, Path]], ranges: tuple[Range, Range] | None = None,
    *, foot_mm: float = 0.0,
) -> PageLayout:  # fmt: skip
    """The PageLayout of a page; its height None for as high as needed.

    low, high   (2,) world, what the plot shows
    axes        whether there are ticks and numbers; axis_names: of the axes to the right and upwards, or ""
    entries     (name, a Path with its look) of each row of the legend; with a fill, of a patch
    ranges      the numbers at the left and right, and at the lower and upper, end; the world's unless given
    foot_mm     height kept free at the bottom of the page

    Raises SettingError for a page that is too small.
    """
    extent = high - low
    ranges = ranges or ((low[0], high[0]), (low[1], high[1]))
    margins = lambda width: _margins(width, extent, ranges, axes, axis_names, entries, foot_mm)
    left, right, top, below, rows = margins(width_mm)
    scale = (width_mm - left - right) / extent[0]
    if height_mm is not None:
        scale = min(scale, (height_mm - top - below) / extent[1])
    size = extent * scale
    if not _has_room(size, width_mm, rows):
        given = f"{width_mm:g}mm" if height_mm is None else f"{width_mm:g}x{height_mm:g}mm"
        wanted = "{}x{}mm".format(*_least(extent, margins))
        raise SettingError(f"A page of {given} leaves no room for the drawing. Give it {wanted} or more.")
    height = top + size[1] + below if height_mm is None else height_mm
    # The remaining width is divided between both sides.
    left += (width_mm - left - right - size[0]) / 2
    top += (height - top - below - size[1]) / 2
    return PageLayout((width_mm, height), left, top, scale, low, high, rows, ranges)


def _margins(width_mm, extent, ranges, axes, axis_names, entries, foot_mm):
    """(left, right, top, bottom, rows of the legend): the margins round the plot of a page of this width, mm."""
    left = right = top = PAD_MM
    below = PAD_MM + foot_mm
    if axes:
        # The numbers depend on the plot's size, and that on the room for numbers. The numbers of a plot as wide as the
        # page are at least as long as the final ones, so their room is enough.
        most = _most(width_mm), _most(width_mm * extent[1] / extent[0])
        texts = [tick_text(_ticks(ranges[k], most[k])) for k in (0, 1)]
        along, upright = ([text_width(signed(text), TYPE_MM) for text in some] or [0.0] for some in texts)
        left = max(left + TICK_MM + GAP_MM + max(upright) * 1.05, along[0] / 2 + GAP_MM)
        right = max(right, along[-1] / 2 + GAP_MM)
        top = max(top, TYPE_MM / 2)
        below += TICK_MM + GAP_MM + TYPE_MM
        below += TYPE_MM + GAP_MM if axis_names[0] else 0.0
        # The name of the vertical axis stands above it, horizontally.
        top += TYPE_MM + 2 * GAP_MM if axis_names[1] else 0.0
    rows = _rows(entries, width_mm - 2 * PAD_MM)
    return left, right, top, below + len(rows) * ROW_MM + (GAP_MM if rows else 0.0), rows


def _has_room(size, width_mm, rows):
    # The tolerance is for rounding errors on a page of exactly the least size.
    return (size >= LEAST_PLOT_MM - 1e-9).all() and all(_row_width(row) <= width_mm - 2 * PAD_MM for row in rows)


def _least(extent, margins):
    """(width, height) of the smallest page in whole millimetres; the width is minimised first."""
    width = int(LEAST_PLOT_MM * max(1.0, extent[0] / extent[1]))
    while True:
        left, right, top, below, rows = margins(width)
        size = extent / extent[0] * (width - left - right)
        if _has_room(size, width, rows):
            return width, int(np.ceil(top + below + size[1]))
        width += 1


def _ticks(ends, most):
    return [] if ends is None else ticks(min(ends), max(ends), most)


def _along(ends, value):
    """The part of an axis up to a number."""
    return (value - ends[0]) / (ends[1] - ends[0])


def _most(room_mm):
    return max(3, int(room_mm / TICK_ROOM_MM))


def _rows(entries, room_mm):
    """Entries of the legend, (name, Path, width) each, in rows no wider than `room_mm`."""
    rows: list[list[tuple]] = []
    for name, path in entries:
        width = SAMPLE_MM + GAP_MM * 2 + text_width(name, LEGEND_TYPE_MM) * 1.05
        if rows and _row_width(rows[-1]) + ENTRY_GAP_MM + width <= room_mm:
            rows[-1].append((name, path, width))
        else:
            rows.append([(name, path, width)])
    return tuple(map(tuple, rows))


def _row_width(row):
    return sum(width for _, _, width in row) + ENTRY_GAP_MM * (len(row) - 1)


def axes_group(layout: PageLayout, foreground: str, with_numbers: bool, axis_names: Sequence[str]) -> Group:
    """The frame, ticks, numbers and names of the axes."""
    x, y, (width, height) = layout.left, layout.top, layout.size
    parts: list[Part] = [Path("frame", [rectangle(x, y, width, height)], foreground, FRAME_MM, closed=True)]
    if not with_numbers:
        return Group("axes", parts, "axes")
    marks, words = [], []
    xs, ys = (_ticks(layout.ranges[k], _most(layout.size[k])) for k in (0, 1))
    foot, base = y + height, y + height + TICK_MM + GAP_MM + TYPE_MM * 0.72
    for value, text in zip(xs, tick_text(xs), strict=True):
        at = x + _along(layout.ranges[0], value) * width
        marks.append([[at, foot], [at, foot + TICK_MM]])
        words.append(Words(signed(text), at, base, TYPE_MM, "middle", foreground))
    for value, text in zip(ys, tick_text(ys), strict=True):
        at = foot - _along(layout.ranges[1], value) * height
        marks.append([[x - TICK_MM, at], [x, at]])
        # 0.36: half of a digit's height, which is 0.72 of the type's.
        words.append(Words(signed(text), x - TICK_MM - GAP_MM, at + 0.36 * TYPE_MM, TYPE_MM, "end", foreground))
    if axis_names[0]:
        words.append(Words(axis_names[0], x + width / 2, base + TYPE_MM + GAP_MM, TYPE_MM, "middle", foreground))
    if axis_names[1]:
        words.append(Words(axis_names[1], x, y - 2 * GAP_MM, TYPE_MM, "start", foreground))
    return Group("axes", [*parts, Path("ticks", marks, foreground, FRAME_MM), *words], "axes")


def signed(text: str) -> str:
    """A number as it is written, with a minus sign for its hyphen."""
    return text.replace("-", "−")


def legend_group(layout: PageLayout, foreground: str) -> Group:
    """The rows of lines and their names at the bottom of the page."""
    parts: list[Part] = []
    page_width, page_height = layout.page
    middle = layout.left + layout.size[0] / 2
    # The rows stand at the bottom of the page.
    top = page_height - PAD_MM - len(layout.legend) * ROW_MM
    for number, row in enumerate(layout.legend):
        width = _row_width(row)
        x = min(max(middle - width / 2, PAD_MM), max(page_width - PAD_MM - width, PAD_MM))
        y = top + (number + 0.5) * ROW_MM
        for name, path, wide in row:
            if path.fill is None:
                line = [[x, y], [x + SAMPLE_MM, y]]
                parts.append(Path(f"legend-{name}", [line], path.stroke, path.width_mm, dash=path.dash))
            else:
                patch = rectangle(x, y - PATCH_MM / 2, SAMPLE_MM, PATCH_MM)
                parts.append(Path(f"legend-{name}", [patch], foreground, FRAME_MM, fill=path.fill, closed=True))
            words_x = x + SAMPLE_MM + 2 * GAP_MM
            parts.append(Words(name, words_x, y + 0.36 * LEGEND_TYPE_MM, LEGEND_TYPE_MM, "start", foreground))
            x += wide + ENTRY_GAP_MM
    return Group("legend", parts, "legend")
