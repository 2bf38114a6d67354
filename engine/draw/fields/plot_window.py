"""The layout of a flat plot in a picture: its window, ticks and numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.draw.colour import RGB, srgb
from engine.draw.frame import Frame, Sprite, Theme
from engine.draw.words import text
from engine.draw.words.composite import Composite, word
from engine.draw.words.legend import spread
from engine.errors import SettingError
from engine.vector.ticks import tick_text, ticks

Names = Sequence[str | None]
# The values of an axis' ticks, and their texts.
Ticks = tuple[tuple[float, ...], tuple[str, ...]]

# Pixels in a picture 720 high: the margin round the window without words; the distance between numbers.
MARGIN, PITCH = 18.0, 64.0
# Between a window's edge and its numbers.
GAP = 7.0
# Opacity of the foreground in linear light: grid lines, the lines of 0, the window's axes. Paper needs more.
STRENGTHS = {"dark": (0.035, 0.17, 0.3), "paper": (0.13, 0.42, 0.55)}


@dataclass(frozen=True)
class View:
    """How a plot's coordinates become pixels: pixel = at + rate * number, y downwards."""

    x_at: float
    x_rate: float
    y_at: float
    y_rate: float

    def x(self, number: float) -> float:
        return self.x_at + self.x_rate * number

    def y(self, number: float) -> float:
        return self.y_at + self.y_rate * number

    def number_x(self, pixel: float) -> float:
        return (pixel - self.x_at) / self.x_rate

    def number_y(self, pixel: float) -> float:
        return (pixel - self.y_at) / self.y_rate


def view(frame: Frame, world: np.ndarray, aspect: float) -> View:
    """The View of a frame's camera. Raises SettingError for a camera that does not look straight at the plane z = 0.

    aspect   world units of y for one of the value
    """
    camera, (width, height) = frame.camera, frame.size
    if not np.allclose([camera.right, camera.upward], np.eye(3)[:2], atol=1e-6):
        raise SettingError(
            "A plot is flat: look at it along z with y upwards, as an orthographic camera at (0, 0, 10) does."
        )
    half = np.array(camera.half_sizes(width / height))
    if not camera.is_orthographic:
        half *= camera.eye[2] - world[2, 3]
    rate = 0.5 * np.array([width, -height]) / half
    middle = 0.5 * np.array([width, height]) + rate * (world[:2, 3] - np.array(camera.eye[:2]))
    return View(middle[0], rate[0] * world[0, 0], middle[1], rate[1] * world[1, 1] * aspect)


@dataclass(frozen=True)
class PlotWindow:
    """A plot's window in a picture, with its ticks.

    place   (left, top, right, bottom), whole pixels
    view    View
    xs, ys  (numbers, texts) of the ticks
    """

    place: tuple[int, int, int, int]
    view: View
    xs: Ticks
    ys: Ticks

    @property
    def has_ticks(self) -> bool:
        """False in a picture of a few pixels, which has room for the curves alone."""
        return bool(self.xs[0] or self.ys[0])


def window(
    frame: Frame, world: np.ndarray, aspect: float, *, names: Names = (None, None), right: float = 0.0
) -> PlotWindow:
    """The PlotWindow of a plot in a frame.

    names   of the two axes, or None
    right   pixels to leave free on the right for the curves' names
    """
    s, seen, (width, height) = frame.type_scale, view(frame, world, aspect), frame.size
    size = text.type_size("small", s)
    line = text.mask("0", size).shape[0]
    top = MARGIN * s + (1.3 * line if names[1] else 0.0)
    bottom = height - GAP * s - 1.3 * line - (1.4 * line if names[0] else 0.0) - 0.3 * MARGIN * s
    most = max(2, int((bottom - top) / (0.75 * PITCH * s)))
    ys = _marks(seen.number_y(bottom), seen.number_y(top), most)
    widest = max((text.mask(t, size, True).shape[1] for t in ys[1]), default=0)
    # Room for at least four characters, so that the window does not move while the plot is panned.
    left = max(GAP * s + widest, 40.0 * s) + 0.6 * MARGIN * s
    end = width - max(right, MARGIN * s)
    if end - left < 24 or bottom - top < 24:
        return PlotWindow((0, 0, width, height), seen, ((), ()), ((), ()))
    place = round(left), round(top), round(end), round(bottom)
    low, high = seen.number_x(place[0]), seen.number_x(place[2])
    for most in range(max(2, int((place[2] - place[0]) / (PITCH * s))), 0, -1):
        xs = _marks(low, high, most)
        widest = max((text.mask(t, size, True).shape[1] for t in xs[1]), default=0)
        if widest * 1.25 * len(xs[0]) <= place[2] - place[0]:
            break
    return PlotWindow(place, seen, xs, ys)


def _marks(low, high, most):
    numbers = ticks(low, high, most)
    return tuple(numbers), tuple(tick_text(numbers))


def rules(found: PlotWindow, theme: Theme) -> tuple[np.ndarray, np.ndarray]:
    """(N, 4) rectangles in pixels and (N, 4) colours: grid lines, the lines of 0, the window's two axes."""
    faint, zero, axis = STRENGTHS[theme.shade]
    left, top, right, bottom = found.place
    thick = max(1, round((bottom - top) / 600))
    # The first pixel of the line at a place, within the window.
    first = lambda at, low, high: int(np.clip(np.floor(at - (thick - 1) / 2), low, high - thick))
    columns = [first(found.view.x(n), left, right) for n in found.xs[0]]
    rows = [first(found.view.y(n), top, bottom) for n in found.ys[0]]
    places = [(x, top, x + thick, bottom) for x in columns] + [(left, y, right, y + thick) for y in rows]
    strengths = [zero if number == 0 else faint for number in (*found.xs[0], *found.ys[0])]
    if found.has_ticks:
        places += [(left - thick, top, left, bottom + thick), (left, bottom, right, bottom + thick)]
        strengths += [axis, axis]
    colours = [(*theme.foreground, strength) for strength in strengths]
    return np.array(places, np.float32).reshape(-1, 4), np.array(colours, np.float32).reshape(-1, 4)


def write_words(found: PlotWindow, frame: Frame, names: Names) -> None:
    """Writes the numbers and the axes' names."""
    if not found.has_ticks:
        return
    left, top, right, bottom = found.place
    s, colour = frame.type_scale, frame.theme.foreground
    small, normal = (text.type_size(kind, s) for kind in ("small", "normal"))
    for number, written in zip(*found.xs, strict=True):
        image = word(written, small, colour, 0.85, tabular=True)
        frame.write(image, round(found.view.x(number) - image.shape[1] / 2), round(bottom + 0.6 * GAP * s))
    for number, written in zip(*found.ys, strict=True):
        image = word(written, small, colour, 0.85, tabular=True)
        y = round(found.view.y(number) - image.shape[0] / 2)
        frame.write(image, round(left - GAP * s - image.shape[1]), y)
    if names[0]:
        image = word(names[0], normal, colour)
        line = text.mask("0", small).shape[0]
        frame.write(image, round((left + right - image.shape[1]) / 2), round(bottom + GAP * s + line))
    if names[1]:
        image = word(names[1], normal, colour)
        frame.write(image, round(left), round(top - 1.15 * image.shape[0]))


def name_width(names: Names, frame: Frame) -> float:
    """Pixels needed by the curves' names beside a window."""
    widest = max((text.line(n, "normal", frame.type_scale).shape[1] for n in names if n), default=0)
    return widest + 2.6 * MARGIN * frame.type_scale if widest else 0.0


def names_sprite(
    found: PlotWindow, frame: Frame, names: Names, colours: Sequence[RGB], heights: Sequence[float]
) -> Sprite | None:
    """The names of curves beside the window, each in its colour, with a line from the end of its curve.

    heights   y of the curves' ends, pixels
    """
    _, top, right, bottom = found.place
    s = frame.type_scale
    known = [(float(np.clip(h, top, bottom)), n, c) for n, c, h in zip(names, colours, heights, strict=True) if n]
    known = sorted((k for k in known if np.isfinite(k[0])), key=lambda k: k[0])
    if not known:
        return None
    masks = [text.line(n, "normal", s) for _, n, _ in known]
    line = masks[0].shape[0]
    composite = Composite(round(name_width(names, frame)), bottom - top + 2 * line)
    places = spread([h for h, _, _ in known], 1.05 * line, top, bottom)
    start, end, thick = round(0.25 * MARGIN * s), round(1.3 * MARGIN * s), max(1, round(1.4 * s))
    for (height, _, colour), mask, place in zip(known, masks, places, strict=True):
        if place is None:
            continue
        slope = (place - height) / max(1, end - start)
        # A steep line covers several pixels in each column.
        column = np.ones((thick + round(abs(slope)), 1))
        for x in range(start, end):
            y = height + slope * (x - start) - top + line - thick / 2
            composite.add(column, srgb(colour), x, round(y + min(slope, 0.0)), 0.75)
        composite.add(mask, srgb(colour), end + round(4 * s), round(place - top + line - mask.shape[0] / 2))
    return Sprite(composite.image(), right, top - line, is_placed=True)
