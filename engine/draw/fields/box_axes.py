"""Ticks and numbers along a box's base and one upright edge, on sides where they hide nothing."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from engine.draw.drawable import Drawable
from engine.draw.frame import Frame
from engine.draw.lines import Lines
from engine.draw.node import transformed
from engine.draw.words import text
from engine.draw.words.composite import word
from engine.vector.ticks import tick_text, ticks

X, Y, Z = 0, 1, 2
CORNERS = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
# Pixels in a picture 720 high: between numbers; between a tick's end and its number; the shortest axis with numbers.
PITCH, GAP, SHORTEST = 52.0, 5.0, 40.0
# The most that numbers are moved away from their edge to leave the box's outline, pixels in a picture 720 high.
FARTHEST = 120.0
# Length of a tick relative to the box's longest side.
TICK = 0.012


class BoxAxes(Drawable):
    """The base of a box, ticks and numbers along two of its sides and along an upright edge.

    The edges are at the outline of the box in the picture, and the words outside it, so that they never cover the
    contents.
    """

    def __init__(self, *, width: float = 1.2, name: str | None = None):
        super().__init__(name)
        self._lines = self.add(Lines(width=width, name="lines of the axes"))
        self.measure((1.0, 1.0, 1.0), ((-1.0, 1.0, None),) * 3)

    def measure(self, half_size: ArrayLike, ranges: Sequence[tuple[float, float, str | None]]) -> None:
        """Sets the box's size and numbers.

        half_size   (3,), node units
        ranges      for x, y and z: the numbers at the negative and at the positive end, and a name or None
        """
        self.half_size, self.ranges = np.asarray(half_size, float), tuple(ranges)

    def prepare(self, frame: Frame, world: np.ndarray) -> None:
        base = self.half_size * [(-1, -1, -1), (1, -1, -1), (1, -1, 1), (-1, -1, 1)]
        segments = [(base[i], base[(i + 1) % 4]) for i in range(4)]
        for edge in _edges(self.half_size, frame, world):
            places, _ = self._ticks(edge, frame, world)
            segments += [(p, p + edge.tick) for p in places]
            if edge.axis == Y:
                segments.append((edge.at(-1.0), edge.at(1.0)))
        self._lines.set(np.array(segments), (*frame.theme.faded(0.5), 1.0))

    def _ticks(self, edge, frame, world):
        """(places (N, 3) in the node's space, texts) of an edge's numbers."""
        start, end, _ = self.ranges[edge.axis]
        a, b = (_place(frame, world, edge.at(s)) for s in (-1.0, 1.0))
        length = math.dist(a, b) / frame.type_scale if a is not None and b is not None else 0.0
        pitch = PITCH * (0.7 if edge.axis == Y else 1.0)
        values = ticks(min(start, end), max(start, end), int(np.clip(length / pitch, 2, 9)))
        # A single number would not give a scale.
        if length < SHORTEST or len(values) < 2:
            return np.zeros((0, 3)), []
        along = [(v - start) / (end - start) * 2.0 - 1.0 for v in values]
        return np.array([edge.at(s) for s in along]).reshape(-1, 3), tick_text(values)

    def overlay(self, frame: Frame, world: np.ndarray) -> None:
        outline = np.array([p for c in CORNERS if (p := _place(frame, world, c * self.half_size)) is not None])
        for edge in _edges(self.half_size, frame, world):
            places, texts = self._ticks(edge, frame, world)
            if len(places):
                self._write(edge, places, texts, frame, world, outline)

    def _write(self, edge, places, texts, frame, world, outline):
        starts = [_place(frame, world, p) for p in places]
        ends = [_place(frame, world, p + edge.tick) for p in places]
        middle, beside = _place(frame, world, edge.at(0.0)), _place(frame, world, edge.at(0.0) + edge.tick)
        if middle is None or beside is None or None in starts or None in ends:
            return
        gap, size, colour = GAP * frame.type_scale, text.type_size("small", frame.type_scale), frame.theme.foreground
        images = [word(t, size, colour, 0.85, tabular=True) for t in texts]
        # The words' direction: away from the edge, or from the box's middle if the edge is seen end-on.
        upright = np.array([0.0, np.sign(middle[1] - outline[:, 1].mean()) or 1.0])
        for away in (_unit(np.subtract(beside, middle)), upright):
            centres = [_beside(p, away, image, gap) for p, image in zip(ends, images, strict=True)]
            # All words are moved equally far, so that they stay in a row.
            clear = max(_clearance(c, image, away, outline) for c, image in zip(centres, images, strict=True))
            if clear <= FARTHEST * frame.type_scale:
                break
        else:
            return
        name = self.ranges[edge.axis][2]
        if name:
            image = word(name, text.type_size("normal", frame.type_scale), colour)
            if edge.axis == Y:
                top = _place(frame, world, edge.at(1.0))
                centre = np.array([top[0], top[1] - 1.2 * image.shape[0]])
            else:
                widest = max(_reach(other, away) for other in images)
                centre = _beside(np.add(beside, away * (2.0 * widest + clear + 2.0 * gap)), away, image, 0.0)
            _lay(frame, centre, image)
        for centre, image in zip(centres, images, strict=True):
            _lay(frame, centre + away * clear, image)


class _Edge:
    """An edge of a box: the axis it runs along, the signs of the other two, and the direction out of the box."""

    def __init__(self, half, axis, signs, outward):
        self.half, self.axis, self.signs = half, axis, np.asarray(signs, float)
        self.tick = np.asarray(outward, float) * TICK * 2.0 * half.max()

    def at(self, s):
        """(3,) the point at s, -1 to 1, along the edge."""
        p = self.signs * self.half
        p[self.axis] = s * self.half[self.axis]
        return p


def _edges(half, frame, world):
    """The three edges for numbers, two of the base and an upright one, chosen by the view."""
    eye = _eye(frame.camera, world, half)
    seen = {(axis, s): s * eye[axis] > half[axis] for axis in range(3) for s in (-1, 1)}
    found = []
    for axis, other in ((X, Z), (Z, X)):
        # An edge is on the outline if one of its two faces is visible and the other is not; else the nearer is used.
        near = 1 if eye[other] >= 0 else -1
        side = next((s for s in (near, -near) if seen[other, s] != seen[Y, -1]), near)
        signs, outward = [0, -1, 0], [0, 0, 0]
        signs[other] = outward[other] = side
        found.append(_Edge(half, axis, signs, outward))
    corner = found[1].signs[X], found[0].signs[Z]
    uprights = [(x, z) for x in (-1, 1) for z in (-1, 1) if seen[X, x] != seen[Z, z]]
    middle = _place(frame, world, np.zeros(3))
    # The upright edge: if possible not where the two rows of base numbers meet; else the leftmost.
    placed = [
        ((x, z) == corner, p[0], x, z)
        for x, z in uprights
        if middle is not None and (p := _place(frame, world, half * (x, 0, z))) is not None
    ]
    if placed and middle is not None:
        _, left, x, z = min(placed)

        def outwards(direction):
            # How far a step in this direction leads away from the box's middle in the picture.
            p = _place(frame, world, half * (x, 0, z) + 0.1 * half.max() * np.array(direction))
            return -np.inf if p is None else (p[0] - left) * np.sign(left - middle[0])

        found.append(_Edge(half, Y, (x, 0, z), max(((x, 0, 0), (0, 0, z)), key=outwards)))
    return found


def _eye(camera, world, half):
    """(3,) the camera in the node's space; a far point for an orthographic one."""
    inverse = np.linalg.inv(world)
    if camera.is_orthographic:
        return -(inverse[:3, :3] @ camera.forward) * 1e6 * half.max()
    return transformed(inverse, camera.eye)


def _place(frame, world, point):
    place = frame.project(transformed(world, point))
    return None if place is None else place[:2]


def _unit(v):
    length = np.hypot(*v)
    return v / length if length > 1e-6 else np.array([0.0, 1.0])


def _reach(image, away):
    """The distance from a word's middle to its rim in a direction."""
    return (abs(away[0]) * image.shape[1] + abs(away[1]) * image.shape[0] * 0.7) / 2.0


def _beside(place, away, image, gap):
    return np.add(place, away * (gap + _reach(image, away)))


def _clearance(centre, image, away, outline):
    """How far a word must move in a direction to leave the convex outline of points (N, 2); inf if it never does."""
    half = np.array([image.shape[1] / 2.0, image.shape[0] * 0.35])
    # By separating axes: the normals of the outline's sides are among those of all lines through two of the points.
    i, j = np.triu_indices(len(outline), 1)
    sides = outline[j] - outline[i]
    sides = sides[np.hypot(*sides.T) > 1e-3]
    if len(sides) < 3:
        return 0.0
    normals = np.concatenate([np.stack([sides[:, 1], -sides[:, 0]], axis=1), np.eye(2)])
    normals = np.concatenate([normals, -normals])
    # Along some normal the word's near side must pass the outline's far side.
    overlap = (outline @ normals.T).max(axis=0) + abs(normals) @ half - normals @ centre
    if overlap.min() <= 0.0:
        return 0.0
    speed = normals @ away
    return float(min(overlap[speed > 1e-9] / speed[speed > 1e-9], default=np.inf))


def _lay(frame, centre, image):
    """Writes a word with its middle at a place."""
    height, width = image.shape[:2]
    frame.write(image, round(centre[0] - width / 2), round(centre[1] - height / 2))
