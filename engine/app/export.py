"""Scenes as drawings in vectors: SVG and PDF."""

import math
import os
import re
from typing import Any

from engine.errors import SceneError, SettingError
from engine.formats.atomic import AtomicTarget
from engine.output.streams import standard_output
from engine.output.writers.formats import encode_drawing, save_drawing, vector_ending
from engine.scene.scene import Scene
from engine.scene.view_data import Clock
from engine.vector.page import POINT_MM, Drawing

UNITS_MM = {"mm": 1.0, "cm": 10.0, "in": 25.4, "pt": POINT_MM}
# Sides of a page in mm: PDF readers take at most 14400 points (5080 mm); in less than 5 mm nothing can be seen.
LEAST_MM, MOST_MM = 5.0, 5000.0
NUMBER = r"(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})"
PageSize = str | float | tuple[float, float | None] | None
SIZE = re.compile(rf"^\s*{NUMBER}\s*([a-z]+)?\s*(?:[x×*,]\s*{NUMBER}\s*([a-z]+)?\s*)?$")


def export(scene: Scene, path: str | os.PathLike, *, size: PageSize = None, time: float | None = None) -> str:
    """Draws a scene at a moment in vectors; returns the path.

    path    ending in .svg or .pdf; `-` for SVG on standard output
    size    of the page: (width, height) in mm, the height None for as high as needed, or a text that `read_size`
            reads; None for the scene's own
    time    seconds; None for the scene's own moment

    Needs no GPU. Raises SceneError for a scene that draws no vectors, and FileError, before anything is drawn, for a
    path that cannot be written.
    """
    path = os.fspath(path)
    if path != "-":
        vector_ending(path)
        AtomicTarget(path)
    drawing = drawing_of(scene, size=size, time=time)
    if path == "-":
        standard_output().write(encode_drawing(drawing, ".svg"))
        return path
    save_drawing(drawing, path)
    return path


def drawing_of(scene: Scene, *, size: PageSize = None, time: float | None = None) -> Drawing:
    """The engine.vector.page.Drawing of a scene at a moment; the arguments are export's."""
    size_mm = None if size is None else read_size(size) if isinstance(size, str) else _checked(size)
    clock = Clock(float(scene.moment if time is None else time))
    scene.advance(clock)
    drawing = scene.drawing(clock, size_mm)
    if drawing is None:
        name = type(scene).__name__
        raise SceneError(
            f"{name} draws no vectors. Render it as PNG or TIFF: neuroscene render ... -o {name.lower()}.png."
        )
    if not isinstance(drawing, Drawing):
        raise SceneError(
            f"{type(scene).__name__}.drawing gave a {type(drawing).__name__}; "
            "it must give an engine.vector.page.Drawing."
        )
    return drawing


def read_size(text: str) -> tuple[float, float | None]:
    """(width, height) in mm of `120mmx90mm`, `12x9cm`, `4.7in` (without a height: None, as high as needed).

    Raises SettingError for any other text.
    """
    match = SIZE.match(text.lower())
    width, unit, height, other = match.groups() if match else ("",) * 4
    units = [unit or other, other or unit]
    if not any(units):
        hint = " A number of pixels is no size on paper." if match else ""
        raise SettingError(
            f"--size {text}: it takes width x height with a unit ({', '.join(UNITS_MM)}), as in --size 120mmx90mm, "
            f"or a width alone.{hint}"
        )
    for one in units:
        if one not in UNITS_MM:
            raise SettingError(f"--size {text}: `{one}` is no unit it takes. It may be: {', '.join(UNITS_MM)}.")
    sides = [side and float(side) * UNITS_MM[one] for side, one in zip((width, height), units, strict=True)]
    return _checked(tuple(sides), text)


def _checked(size: Any, text: str | None = None) -> tuple[float, float | None]:
    """(width, height or None) in mm."""
    given = f"--size {text}" if text else f"size={size!r}"
    try:
        width, height = size if isinstance(size, tuple | list) else (size, None)
        size = float(width), None if height is None else float(height)
    except (TypeError, ValueError):
        raise SettingError(f"{given}: it takes (width, height) in mm, or a text such as 120mmx90mm.") from None
    for side in size:
        if side is not None and not (math.isfinite(side) and LEAST_MM <= side <= MOST_MM):
            raise SettingError(f"{given}: each side must be from {LEAST_MM:g} to {MOST_MM:g} mm.")
    return size
