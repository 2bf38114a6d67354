"""A network's boundaries and regions as a Drawing: a figure for a paper, in layers, a named path for every neuron."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import SettingError, ShapeError
from engine.network.history import Domain
from engine.network.mlp import Mlp
from engine.network.units.bends import passing
from engine.regions.contours import Contours
from engine.regions.linear_regions import Partition
from engine.vector import page
from engine.vector.page import POINT_MM, Drawing, Group, Part, Path, Raster, Words, rectangle, text_width
from engine.vector.region_colours import means, prediction_colours, tints
from engine.vector.ticks import tick_text, ticks

# Colour of lines and words; and below, the page's background, None for a transparent one.
FOREGROUND = {"paper": "#3a4152", "dark": "#c9d1e0", "clear": "#757575"}
BACKGROUND = {"paper": None, "dark": "#12151e", "clear": None}
# Seven points is the smallest type that journals accept.
TYPE_MM, LEGEND_TYPE_MM = 7 * POINT_MM, 8 * POINT_MM
PAD_MM, TICK_MM, GAP_MM, FRAME_MM = 1.5, 1.0, 0.8, 0.2
SAMPLE_MM, ENTRY_GAP_MM, ROW_MM = 9.0, 5.0, 4.4
# The length of axis that a number needs.
TICK_ROOM_MM = 14.0
LEAST_PLOT_MM = 10.0
# PDF and SVG readers show a thin gap between two areas that touch; a line of the area's own colour covers it.
SEAM_MM = 0.1
# The tolerance for thinning out traced curves: a fiftieth of the thinnest line printed.
THINNED_MM = 0.002
# The tolerance for exact curves: half of the last digit in files.
STRAIGHT_MM = 5e-5
FILLS = ("prediction", "tint")


class LineStyle(Protocol):
    """The look of a layer's lines, such as a draw.boundaries.layer_styles.LayerStyle."""

    @property
    def css(self) -> str: ...
    @property
    def dash(self) -> tuple[float, ...]: ...


@dataclass(frozen=True)
class _PageLayout:
    """The place of the plot on the page, mm, and the world rectangle that it shows."""

    page: tuple[float, float]
    left: float
    top: float
    scale: float
    low: np.ndarray
    high: np.ndarray
    legend: tuple[tuple, ...]

    @property
    def size(self):
        return (self.high - self.low) * self.scale

    def place(self, points):
        """(N, 2) mm of world points."""
        points = np.asarray(points, float)
        x = self.left + (points[:, 0] - self.low[0]) * self.scale
        return np.stack([x, self.top + (self.high[1] - points[:, 1]) * self.scale], axis=1)


def boundaries_drawing(
    partition: Partition | Contours, styles: Sequence[LineStyle], *, net: Mlp, domain: Domain | None = None,
    names: Sequence[str] | None = None, shown: ArrayLike | None = None, width_mm: float = 120.0,
    height_mm: float | None = None, regions: bool | str | np.ndarray = False, background: np.ndarray | None = None,
    legend: bool = True, axes: bool = True, axis_names: Sequence[str] | None = None, theme: str = "paper",
    decision: bool = True, line_mm: float = 0.35, task: str = "classes", title: str = "", description: str = "",
) -> Drawing:  # fmt: skip
    """The Drawing of a network's boundaries.

    partition      engine.regions.linear_regions.Partition, or engine.regions.contours.Contours, which has no regions
    styles         a LayerStyle for each hidden layer
    net            the network of the partition
    domain         the plane of the partition, for the names of the axes
    names          of the hidden layers, in the legend; `layer 1` and so on unless given
    shown          a bool for each hidden neuron, counted through the layers: whether it is drawn; all unless given
    width_mm       of the page; the plot keeps its proportions
    height_mm      of the page; as high as needed unless given
    regions        fill of the regions: "prediction", "tint" or (R, 3) uint8 sRGB colours; False for none
    background     (H, W, 3) uint8 image under the lines, row 0 on top
    legend, axes   True draws the layers' lines and names below the plot; ticks and numbers
    axis_names     of the axes to the right and upwards; the domain's inputs unless given
    decision       True draws the boundary between classes
    line_mm        width of a neuron's line; the decision boundary's is twice as wide
    task           "classes" or "values": what the outputs are, for predictions

    Raises SettingError for a page that is too small and for regions that the partition does not have, ShapeError for
    arguments that do not fit one another.
    """
    widths = net.shape.sizes[1:-1]
    names = tuple(names) if names else tuple(f"layer {k + 1}" for k in range(len(widths)))
    shown = np.ones(sum(widths), bool) if shown is None else np.asarray(shown, bool)
    if len(styles) < len(widths) or len(names) < len(widths) or shown.shape != (sum(widths),):
        raise ShapeError(
            f"{net} has {len(widths)} hidden layers of {sum(widths)} neurons; "
            f"{len(styles)} styles, {len(names)} names and {shown.shape} choices were given."
        )
    if theme not in FOREGROUND:
        raise SettingError(f"theme={theme}: a drawing's is one of {', '.join(FOREGROUND)}.")
    foreground = FOREGROUND[theme]
    axis_names = _inputs(domain) if axis_names is None else axis_names
    bends = [int((~some).sum()) for some in passing(net.shape)]
    layers = _layers(partition, widths, bends, names, styles, shown, line_mm)
    border = partition.polylines(sum(widths)) if decision else []
    entries = [(layer.label, layer.children[0]) for layer in layers if layer.children] if legend else []
    if border and legend:
        entries.append(("decision boundary", Path("decision", (), foreground, 2 * line_mm)))
    layout = _layout(width_mm, height_mm, partition.low, partition.high, axes, axis_names, entries)
    parts: list[Part] = []
    if background is not None:
        width, height = layout.size
        image = Raster(layout.left, layout.top, width, height, background)
        parts.append(Group("background", [image], "background"))
    if regions is not False:
        parts.append(_regions(partition, regions, net, task, theme, layout))
    parts += [_placed(layer, layout, partition) for layer in layers]
    if border:
        path = Path("decision-boundary", border, foreground, 2 * line_mm, title="decision boundary")
        parts.append(_placed(Group("decision", [path], "decision boundary"), layout, partition))
    parts.append(_axes(layout, foreground, axes, axis_names))
    if entries:
        parts.append(_legend(layout, foreground))
    description = " ".join([description, _exactness(partition)] if description else [_exactness(partition)])
    page_width, page_height = layout.page
    return Drawing(page_width, page_height, parts, title or f"Boundaries of {net}", description, BACKGROUND[theme])


def _inputs(domain):
    """The names of a plane's two axes: the input that each runs along, or none."""
    names = []
    for axis in () if domain is None else domain.axes:
        own = np.flatnonzero(axis)
        names.append(f"input {own[0] + 1}" if len(own) == 1 and axis[own[0]] == 1.0 else "")
    return tuple(names) if all(names) and names else ("", "")


def _layers(partition, widths, bends, names, styles, shown, line_mm):
    """A Group for each layer, its paths in world coordinates."""
    groups, first = [], 0
    for number, (width, most, name, style) in enumerate(zip(widths, bends, names, styles, strict=False), start=1):
        dash = tuple(length * line_mm for length in style.dash)
        paths = []
        for k in range(width):
            lines = partition.polylines(first + k) if shown[first + k] else []
            if len(lines):
                neuron = f"layer {number}, neuron {k + 1}"
                paths.append(Path(f"layer-{number}-neuron-{k + 1}", lines, style.css, line_mm, dash=dash, title=neuron))
        count = f"{name}: {len(paths)} of {most} neurons are drawn"
        groups.append(Group(f"layer-{number}", paths, name, count))
        first += width
    return groups


def _placed(group, layout, partition):
    """A group of paths, transformed from world coordinates to the page."""
    thin = lambda line: page.thinned(line, STRAIGHT_MM if _is_exact(partition) else THINNED_MM)
    paths = [replace(path, polylines=[thin(layout.place(line)) for line in path.polylines]) for path in group.children]
    return replace(group, children=paths)


def _is_exact(partition):
    return getattr(partition, "is_exact", True)


def _exactness(partition):
    if not _is_exact(partition):
        return (
            "The boundaries are traced, not exact: found on a grid, followed to a millionth of the side, and thinned "
            f"to {THINNED_MM} mm; what is smaller than a cell of the grid may be missing."
        )
    return f"The boundaries are exact, to the rounding of float64; they cut the plane into {partition.count} regions."


def _layout(width_mm, height_mm, low, high, axes, axis_names, entries):
    """The _PageLayout of a page."""
    extent = high - low
    margins = lambda width: _margins(width, low, high, axes, axis_names, entries)
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
    return _PageLayout((width_mm, height), left, top, scale, low, high, rows)


def _margins(width_mm, low, high, axes, axis_names, entries):
    """(left, right, top, bottom, rows of the legend): the margins round the plot of a page of this width, mm."""
    left = right = top = below = PAD_MM
    if axes:
        # The numbers depend on the plot's size, and that on the room for numbers. The numbers of a plot as wide as the
        # page are at least as long as the final ones, so their room is enough.
        most = _most(width_mm), _most(width_mm * (high[1] - low[1]) / (high[0] - low[0]))
        texts = [tick_text(ticks(low[k], high[k], most[k])) for k in (0, 1)]
        along, upright = ([text_width(_signed(text), TYPE_MM) for text in some] or [0.0] for some in texts)
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


def _axes(layout, foreground, with_numbers, axis_names):
    """The frame, ticks, numbers and names of the axes."""
    x, y, (width, height) = layout.left, layout.top, layout.size
    parts: list[Part] = [Path("frame", [rectangle(x, y, width, height)], foreground, FRAME_MM, closed=True)]
    if not with_numbers:
        return Group("axes", parts, "axes")
    marks, words = [], []
    xs, ys = (ticks(layout.low[k], layout.high[k], _most(layout.size[k])) for k in (0, 1))
    foot, base = y + height, y + height + TICK_MM + GAP_MM + TYPE_MM * 0.72
    for value, text in zip(xs, tick_text(xs), strict=True):
        at = x + (value - layout.low[0]) * layout.scale
        marks.append([[at, foot], [at, foot + TICK_MM]])
        words.append(Words(_signed(text), at, base, TYPE_MM, "middle", foreground))
    for value, text in zip(ys, tick_text(ys), strict=True):
        at = foot - (value - layout.low[1]) * layout.scale
        marks.append([[x - TICK_MM, at], [x, at]])
        # 0.36: half of a digit's height, which is 0.72 of the type's.
        words.append(Words(_signed(text), x - TICK_MM - GAP_MM, at + 0.36 * TYPE_MM, TYPE_MM, "end", foreground))
    if axis_names[0]:
        words.append(Words(axis_names[0], x + width / 2, base + TYPE_MM + GAP_MM, TYPE_MM, "middle", foreground))
    if axis_names[1]:
        words.append(Words(axis_names[1], x, y - 2 * GAP_MM, TYPE_MM, "start", foreground))
    return Group("axes", [*parts, Path("ticks", marks, foreground, FRAME_MM), *words], "axes")


def _signed(text):
    return text.replace("-", "−")


def _legend(layout, foreground):
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
            line = [[x, y], [x + SAMPLE_MM, y]]
            parts.append(Path(f"legend-{name}", [line], path.stroke, path.width_mm, dash=path.dash))
            words_x = x + SAMPLE_MM + 2 * GAP_MM
            parts.append(Words(name, words_x, y + 0.36 * LEGEND_TYPE_MM, LEGEND_TYPE_MM, "start", foreground))
            x += wide + ENTRY_GAP_MM
    return Group("legend", parts, "legend")


def _regions(partition, fills, net, task, theme, layout):
    if not hasattr(partition, "polygons"):
        raise SettingError(
            f"{net} has no linear regions, since its activations are curved. Draw its boundaries without regions, "
            "or take a network of relu, leaky_relu or identity."
        )
    polygons = partition.polygons()
    if isinstance(fills, str) or fills is True:
        if fills not in (*FILLS, True):
            raise SettingError(f"regions={fills}: they are filled by one of {', '.join(FILLS)}.")
        if fills == "prediction":
            colours = prediction_colours(means(partition, polygons), net, task, theme)
        else:
            colours = tints(len(polygons), theme)
    else:
        colours = np.asarray(fills)
    if np.shape(colours) != (len(polygons), 3):
        raise ShapeError(f"{len(polygons)} regions take ({len(polygons)}, 3) colours, not {np.shape(colours)}.")
    paths = [
        Path(f"region-{k}", [layout.place(polygon)], css, SEAM_MM, fill=css, closed=True, title=f"region {k}")
        for k, (polygon, css) in enumerate(zip(polygons, page.hexadecimal(colours), strict=True), start=1)
    ]
    return Group("regions", paths, "regions")
