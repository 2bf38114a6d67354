"""The field as a vector drawing: curves of equal value at the legend's levels, over the picture."""

from collections.abc import Sequence
from typing import Any

import numpy as np

import engine

# Pixels a side of the picture under the curves, which is computed in float64.
RASTER = 360
# Cells of the grid on which curves are sought, a side: fewer for networks whose weights are more.
CELLS, LEAST_CELLS, WORK = 256, 64, 4e8
# A hundredth of a pixel of a picture 1000 wide, as a part of the side.
TOLERANCE = 1e-5
# Lines over the three colours of three neurons: each where its neuron is at the middle of its range.
THREE = (("red", "#ff5a3c"), ("green", "#35c46a"), ("blue", "#4c8dff"))


def field_drawing(
    part: engine.Mlp, units: Sequence[int], plane: engine.Domain, *, centre: tuple[float, float], extent: float,
    span: tuple[Any, Any], map: str | None, theme: str, legend: bool, title: str,
    size_mm: tuple[float, float | None] | None, alone: bool,
) -> engine.Drawing:  # fmt: skip
    """The Drawing of a field: a square round a centre, `extent` wide.

    part, units   the network shown, and the outputs shown
    map           its colour map; None for three outputs as red, green and blue
    span          the values that are darkest and lightest; for three outputs each a number or one for each of them
    alone         True for no picture under the curves
    """
    low, high = np.subtract(centre, extent / 2), np.add(centre, extent / 2)
    cells = int(np.clip((WORK / part.weight_count) ** 0.5, LEAST_CELLS, CELLS))
    where: dict[str, Any] = {"low": low, "high": high, "cells": cells, "tolerance": TOLERANCE}
    lines = lambda unit, values: engine.level_lines(part, plane, unit, values, **where)
    if map is None:
        middles = np.broadcast_to(np.add(*span) / 2, len(units))
        levels = [
            engine.Level(f"{name} at {middle:.6g}", css, lines(unit, [middle])[0])
            for unit, (name, css), middle in zip(units, THREE, middles, strict=True)
        ]
    else:
        values = [v for v in engine.Legend("value", map, *span).numbers if span[0] < v < span[1]]
        places = (np.array(values) - span[0]) / (span[1] - span[0])
        colours = _alone(map, theme, places) if alone else _over(map, places)
        found = lines(units[0], values)
        levels = [engine.Level(f"{v:g}", css, some) for v, css, some in zip(values, colours, found, strict=True)]
    width, height = size_mm or (120.0, None)
    said = (
        f"Curves are found on a grid of {cells} cells a side, followed in float64, and thinned to 0.002 mm; "
        "what is smaller than a cell may be missing."
    )
    return engine.levels_drawing(
        levels, low=low, high=high, domain=plane, width_mm=width, height_mm=height,
        background=None if alone else _picture(part, units, plane, low, high, span, map), legend=legend, theme=theme,
        bar=None if alone or map is None or not legend else _bar(map, span),
        title=title, description=said,
    )  # fmt: skip


def _bar(map, span):
    colours = engine.srgb(engine.map_colours(map, "image", np.linspace(0.0, 1.0, 256)))
    numbers = engine.Legend("value", map, *span).numbers
    return engine.ColourBar(np.round(255 * colours).astype(np.uint8), span[0], span[1], numbers)


def _alone(map, theme, places):
    """A colour of the map for each level, as it is seen on the theme's page."""
    return engine.hexadecimal(np.round(255 * engine.srgb(engine.map_colours(map, engine.THEMES[theme].maps, places))))


def _over(map, places):
    """White or black for each level, whichever is seen on the map's colour there."""
    light = engine.map_colours(map, "image", places) @ (0.2126, 0.7152, 0.0722)
    return ["#ffffff" if there < 0.18 else "#12151e" for there in light]


def _picture(part, units, plane, low, high, span, map):
    """(RASTER, RASTER, 3) uint8: what the scene shows there."""
    x, y = (low[k] + (high[k] - low[k]) * (np.arange(RASTER) + 0.5) / RASTER for k in (0, 1))
    rows = []
    for some in np.array_split(y[::-1], RASTER // 8):
        points = np.stack(np.meshgrid(x, some), -1).reshape(-1, 2)
        values = part(plane.inputs(points))[:, list(units)]
        places = np.clip(np.nan_to_num((values - span[0]) / (span[1] - span[0])), 0.0, 1.0)
        rows.append(places if map is None else engine.srgb(engine.map_colours(map, "image", places[:, 0])))
    return np.round(255 * np.concatenate(rows)).astype(np.uint8).reshape(RASTER, RASTER, 3)
