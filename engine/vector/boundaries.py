"""A network's boundaries and regions as a Drawing: a figure for a paper, in layers, a named path for every neuron."""

from collections.abc import Sequence
from dataclasses import replace
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
from engine.vector.page import Drawing, Group, Part, Path, Raster
from engine.vector.plot import BACKGROUND, FOREGROUND, axes_group, axis_inputs, laid_out, legend_group
from engine.vector.region_colours import means, prediction_colours, tints

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


def boundaries_drawing(
    partition: Partition | Contours, styles: Sequence[LineStyle], *, net: Mlp, domain: Domain | None = None,
    names: Sequence[str] | None = None, shown: ArrayLike | None = None, width_mm: float = 120.0,
    height_mm: float | None = None, regions: bool | str | np.ndarray = False, background: np.ndarray | None = None,
    legend: bool = True, axes: bool = True, axis_names: Sequence[str] | None = None, theme: str = "paper",
    ranges: Sequence[tuple[float, float, str] | None] | None = None, patches: Sequence[tuple[str, str]] = (),
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
    ranges         (first, last, name) of both axes, or None for one without numbers; instead of axis_names
    patches        (name, CSS colour) of grounds and dots, in the legend
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
    axis_names = axis_inputs(domain) if axis_names is None else axis_names
    bends = [int((~some).sum()) for some in passing(net.shape)]
    layers = _layers(partition, widths, bends, names, styles, shown, line_mm)
    border = partition.polylines(sum(widths)) if decision else []
    entries = [(layer.label, layer.children[0]) for layer in layers if layer.children] if legend else []
    if border and legend:
        entries.append(("decision boundary", Path("decision", (), foreground, 2 * line_mm)))
    entries += [(name, Path("patch", (), foreground, line_mm, fill=css)) for name, css in patches if legend]
    numbers = None
    if ranges is not None:
        axis_names = [axis[2] if axis else "" for axis in ranges]
        numbers = ranges[0] and ranges[0][:2], ranges[1] and ranges[1][:2]
    layout = laid_out(width_mm, height_mm, partition.low, partition.high, axes, axis_names, entries, numbers)
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
    parts.append(axes_group(layout, foreground, axes, axis_names))
    if entries:
        parts.append(legend_group(layout, foreground))
    description = " ".join([description, _exactness(partition)] if description else [_exactness(partition)])
    page_width, page_height = layout.page
    return Drawing(page_width, page_height, parts, title or f"Boundaries of {net}", description, BACKGROUND[theme])


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
