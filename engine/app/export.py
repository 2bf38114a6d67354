"""Scenes as drawings in vectors: SVG and PDF."""

import math
import os
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from engine.app import jobs
from engine.app.make import is_clear
from engine.draw.lines import Lines
from engine.draw.words.vectors import line_paths, sprite_parts
from engine.errors import SceneError, SettingError
from engine.formats.atomic import AtomicTarget
from engine.output.streams import standard_output
from engine.output.writers.formats import encode_drawing, save_drawing, vector_ending
from engine.render.encoding import Encoding
from engine.scene.scene import Scene
from engine.scene.view_data import Clock
from engine.vector.page import POINT_MM, Drawing, Group, OwnPicture, Part, Raster

UNITS_MM = {"mm": 1.0, "cm": 10.0, "in": 25.4, "pt": POINT_MM}
# Sides of a page in mm: PDF readers take at most 14400 points (5080 mm); in less than 5 mm nothing can be seen.
LEAST_MM, MOST_MM = 5.0, 5000.0
NUMBER = r"(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})"
PageSize = str | float | tuple[float, float | None] | None
SIZE = re.compile(rf"^\s*{NUMBER}\s*([a-z]+)?\s*(?:[x×*,]\s*{NUMBER}\s*([a-z]+)?\s*)?$")


def export(
    scene: Scene, path: str | os.PathLike, *, size: PageSize = None, time: float | None = None, alone: bool = False
) -> str:
    """Draws a scene at a moment in vectors; returns the path.

    path    ending in .svg or .pdf; `-` for SVG on standard output
    size    of the page: (width, height) in mm, the height None for as high as needed, or a text that `read_size`
            reads; None for the scene's own
    time    seconds; None for the scene's own moment
    alone   True for vectors alone, without any image

    Only a scene's own picture needs a GPU. Raises SceneError for a scene that draws no vectors, and FileError, before
    anything is drawn, for a path that cannot be written.
    """
    path = os.fspath(path)
    if path != "-":
        vector_ending(path)
        AtomicTarget(path)
    drawing = drawing_of(scene, size=size, time=time, alone=alone)
    if path == "-":
        standard_output().write(encode_drawing(drawing, ".svg"))
        return path
    save_drawing(drawing, path)
    return path


def drawing_of(scene: Scene, *, size: PageSize = None, time: float | None = None, alone: bool = False) -> Drawing:
    """The engine.vector.page.Drawing of a scene at a moment; the arguments are export's."""
    size_mm = None if size is None else read_size(size) if isinstance(size, str) else _checked(size)
    clock = Clock(float(scene.moment if time is None else time))
    scene.advance(clock)
    scene.without_image = alone
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
    parts: list[Part] = []
    over: list[Part] = []
    for part in drawing.children:
        if isinstance(part, OwnPicture):
            image, lines, words = _pictured(scene, clock, part, drawing.width_mm / part.size[0], alone)
            parts, over = parts + image, over + lines + words
        else:
            parts.append(part)
    parts += over
    return replace(drawing, children=without_images(parts) if alone else parts)


def without_images(parts: Iterable[Part]) -> list[Part]:
    """The parts of a drawing that are no images, in their groups."""
    found = [part for part in parts if not isinstance(part, Raster)]
    return [replace(p, children=without_images(p.children)) if isinstance(p, Group) else p for p in found]


def _pictured(
    scene: Scene, clock: Clock, part: OwnPicture, mm: float, alone: bool
) -> tuple[list[Part], list[Part], list[Part]]:
    """(the image, the lines, the words) of a scene's picture, `mm` a pixel, each a layer or nothing."""
    size, renderer = part.size, jobs.renderer()
    placed = [(node, world) for node, world in scene.stage.walk() if isinstance(node, Lines) and node in part.lines]
    lines = line_paths(placed, renderer.frame_of(scene, size), mm)
    words = sprite_parts(renderer.sprites(scene, size), mm)
    images: list[Part] = []
    if not alone:
        for node, _ in placed:
            node.visible = False
        try:
            images.append(Raster(0.0, 0.0, size[0] * mm, size[1] * mm, _pixels(scene, clock, size), "picture"))
        finally:
            for node, _ in placed:
                node.visible = True
    return _layer("picture", images), _layer("lines", lines), _layer("words", words)


def _pixels(scene: Scene, clock: Clock, size: tuple[int, int]) -> np.ndarray:
    """(H, W, 3 or 4) uint8: a scene's picture without words, without the dither that would make the file large."""
    encoding = Encoding(16, is_clear(scene))
    with jobs.drawing:
        found = jobs.renderer().frame(scene, clock, size, words=False, advances=False, encoding=encoding)
        return np.round(found.pixels()[..., : encoding.channels] / 257.0).astype(np.uint8)


def _layer(name: str, parts: list[Part]) -> list[Part]:
    return [Group(name, parts, name)] if parts else []


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
