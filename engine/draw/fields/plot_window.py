"""Where a flat plot lies in a picture: its window, the ticks on it, and the numbers beside it."""

from dataclasses import dataclass

import numpy as np

from engine.draw.words import text
from engine.draw.words.label import SIZES, Sprite, tinted
from engine.draw.words.legend import blend, spread, srgb
from engine.errors import SettingError
from engine.vector.ticks import tick_text, ticks

# Pixels in a picture 720 high: round the window without words, and between numbers.
MARGIN, PITCH = 18.0, 64.0
# Between a window's edge and its numbers.
GAP = 7.0
# Of the ink, in linear light: grid lines, the lines of 0, the window's axes. Light on dark shows sooner.
STRENGTHS = {"dark": (0.035, 0.17, 0.3), "paper": (0.13, 0.42, 0.55)}


@dataclass(frozen=True)
class View:
    """How a plot's numbers lie in the picture: pixel = at + rate * number, y downwards."""

    x_at: float
    x_rate: float
    y_at: float
    y_rate: float

    def x(self, number):
        return self.x_at + self.x_rate * number

    def y(self, number):
        return self.y_at + self.y_rate * number

    def number_x(self, pixel):
        return (pixel - self.x_at) / self.x_rate

    def number_y(self, pixel):
        return (pixel - self.y_at) / self.y_rate


def view(frame, world, aspect):
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
class Window:
    """A plot's window in a picture, with its ticks.

    place   (left, top, right, bottom), whole pixels
    view    View
    xs, ys  (numbers, texts) of the ticks
    """

    place: tuple
    view: View
    xs: tuple
    ys: tuple


def window(frame, world, aspect, *, names=(None, None), right=0.0):
    """The Window of a plot in a frame.

    names   of the two axes, or None
    right   pixels kept free beside it for the curves' names
    """
    s, seen, (width, height) = frame.scale, view(frame, world, aspect), frame.size
    size = type_size(frame)
    line = text.mask("0", size).shape[0]
    top = MARGIN * s + (1.3 * line if names[1] else 0.0)
    bottom = height - GAP * s - 1.3 * line - (1.4 * line if names[0] else 0.0) - 0.3 * MARGIN * s
    most = max(2, int((bottom - top) / (0.75 * PITCH * s)))
    ys = _marks(seen.number_y(bottom), seen.number_y(top), most)
    widest = max((text.tabular(t, size).shape[1] for t in ys[1]), default=0)
    # Numbers of up to four characters take the same room, so that the window stands still while it is panned.
    left = max(GAP * s + widest, 40.0 * s) + 0.6 * MARGIN * s
    end = width - max(right, MARGIN * s)
    if end - left < 24 or bottom - top < 24:
        # In a picture of a few pixels there is room for the curves alone.
        return Window((0, 0, width, height), seen, ((), ()), ((), ()))
    place = tuple(round(v) for v in (left, top, end, bottom))
    low, high = seen.number_x(place[0]), seen.number_x(place[2])
    for most in range(max(2, int((place[2] - place[0]) / (PITCH * s))), 0, -1):
        xs = _marks(low, high, most)
        widest = max((text.tabular(t, size).shape[1] for t in xs[1]), default=0)
        if widest * 1.25 * len(xs[0]) <= place[2] - place[0]:
            break
    return Window(place, seen, xs, ys)


def _marks(low, high, most):
    numbers = ticks(low, high, most)
    return tuple(numbers), tuple(tick_text(numbers))


def type_size(frame):
    return max(6.0, SIZES["small"] * frame.scale)


def rules(found, theme):
    """(N, 4) rectangles in pixels and (N, 4) colours: grid lines, the lines of 0, the window's two axes."""
    faint, zero, axis = STRENGTHS["paper" if theme.name == "paper" else "dark"]
    left, top, right, bottom = found.place
    thick = max(1, round((bottom - top) / 600))
    places, strengths = [], []
    for x, number in [(found.view.x(n), n) for n in found.xs[0]]:
        at = int(np.clip(np.floor(x - (thick - 1) / 2), left, right - thick))
        places.append((at, top, at + thick, bottom))
        strengths.append(zero if number == 0 else faint)
    for y, number in [(found.view.y(n), n) for n in found.ys[0]]:
        at = int(np.clip(np.floor(y - (thick - 1) / 2), top, bottom - thick))
        places.append((left, at, right, at + thick))
        strengths.append(zero if number == 0 else faint)
    if found.xs[0] or found.ys[0]:
        places += [(left - thick, top, left, bottom + thick), (left, bottom, right, bottom + thick)]
        strengths += [axis, axis]
    colours = [(*theme.ink, strength) for strength in strengths]
    return np.array(places, np.float32).reshape(-1, 4), np.array(colours, np.float32).reshape(-1, 4)


def words(found, frame, names):
    """Sprites of the numbers and the axes' names."""
    left, top, right, bottom = found.place
    s, size, ink = frame.scale, type_size(frame), frame.theme.ink
    if not (found.xs[0] or found.ys[0]):
        return
    for number, written in zip(*found.xs, strict=True):
        mask = text.tabular(written, size)
        x = round(found.view.x(number) - mask.shape[1] / 2)
        yield Sprite(tinted(mask, ink, 0.85), x, round(bottom + 0.6 * GAP * s))
    for number, written in zip(*found.ys, strict=True):
        mask = text.tabular(written, size)
        y = round(found.view.y(number) - mask.shape[0] / 2)
        yield Sprite(tinted(mask, ink, 0.85), round(left - GAP * s - mask.shape[1]), y)
    line = text.mask("0", size).shape[0]
    name_size = max(6.0, SIZES["normal"] * s)
    if names[0]:
        mask = text.mask(names[0], name_size)
        yield Sprite(tinted(mask, ink), round((left + right - mask.shape[1]) / 2), round(bottom + GAP * s + line))
    if names[1]:
        mask = text.mask(names[1], name_size)
        yield Sprite(tinted(mask, ink), round(left), round(top - 1.15 * mask.shape[0]))


def name_width(names, frame):
    """Pixels that the curves' names take beside a window."""
    size = max(6.0, SIZES["normal"] * frame.scale)
    widest = max((text.mask(n, size).shape[1] for n in names if n), default=0)
    return widest + 2.6 * MARGIN * frame.scale if widest else 0.0


def names_sprite(found, frame, names, colours, heights):
    """The names of curves beside the window, each in its colour, led to from where its curve ends.

    heights   pixels, where the curves end
    """
    _, top, right, bottom = found.place
    s, size = frame.scale, max(6.0, SIZES["normal"] * frame.scale)
    known = [(float(np.clip(h, top, bottom)), n, c) for n, c, h in zip(names, colours, heights, strict=True) if n]
    known = sorted((k for k in known if np.isfinite(k[0])), key=lambda k: k[0])
    if not known:
        return None
    masks = [text.mask(n, size) for _, n, _ in known]
    line = masks[0].shape[0]
    image = np.zeros((bottom - top + 2 * line, round(name_width(names, frame)), 4))
    places = spread([h for h, _, _ in known], 1.05 * line, top, bottom)
    start, end, thick = round(0.25 * MARGIN * s), round(1.3 * MARGIN * s), max(1, round(1.4 * s))
    for (height, _, colour), mask, place in zip(known, masks, places, strict=True):
        if place is None:
            continue
        tint = srgb(colour)
        way = (place - height) / max(1, end - start)
        for x in range(start, end):
            y = height + way * (x - start) - top + line - thick / 2
            # A steep way takes several pixels a column.
            blend(image, np.ones((thick + round(abs(way)), 1)), tint, x, round(y + min(way, 0.0)), 0.75)
        blend(image, mask, tint, end + round(4 * s), round(place - top + line - mask.shape[0] / 2))
    return Sprite(np.round(np.clip(image, 0, 1) * 255).astype(np.uint8), right, top - line)
