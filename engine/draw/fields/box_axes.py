"""A box's base and one upright edge with numbers along them, on the sides where they hide nothing."""

import math

import numpy as np

from engine.draw.drawable import Drawable
from engine.draw.lines import Lines
from engine.draw.words import text
from engine.draw.words.label import SIZES, Sprite, tinted
from engine.vector.ticks import tick_text, ticks

X, Y, Z = 0, 1, 2
CORNERS = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
# Pixels in a picture 720 high: between numbers, between a tick's end and its number, and the least an axis needs.
PITCH, GAP, SHORTEST = 52.0, 5.0, 40.0
# Pixels in a picture 720 high that numbers may stand apart from their edge to clear the box.
FARTHEST = 120.0
# Of the box's longest side.
TICK = 0.012


class BoxAxes(Drawable):
    """The base of a box, ticks and numbers along two of its sides and along an upright edge.

    The edges are those at the outline of the box as it is seen; the words stand outside the outline, so that they never
    cover what is in the box.
    """

    def __init__(self, *, width=1.2, name=None):
        super().__init__(name)
        self._lines = self.add(Lines(width=width, name="lines of the axes"))
        self.measure((1.0, 1.0, 1.0), ((-1.0, 1.0, None),) * 3)

    def measure(self, half_size, ranges):
        """Gives the box its size and its numbers.

        half_size   (3,), node units
        ranges      for x, y and z: the numbers at the negative and at the positive end, and a name or None
        """
        self.half_size, self.ranges = np.asarray(half_size, float), tuple(ranges)

    def prepare(self, frame, world):
        half, segments = self.half_size, []
        base = half * [(-1, -1, -1), (1, -1, -1), (1, -1, 1), (-1, -1, 1)]
        segments += [(base[i], base[(i + 1) % 4]) for i in range(4)]
        for edge in _edges(half, frame, world):
            places, _ = self._ticks(edge, frame, world)
            tick = edge.outward * TICK * 2.0 * half.max()
            segments += [(p, p + tick) for p in places]
            if edge.axis == Y:
                segments.append((edge.at(-1.0), edge.at(1.0)))
        ink, background = np.array(frame.theme.ink), np.array(frame.theme.background)
        self._lines.set(np.array(segments), (*(0.5 * ink + 0.5 * background), 1.0))

    def _ticks(self, edge, frame, world):
        """(places (N, 3) in the node's space, texts) of an edge's numbers."""
        start, end, _ = self.ranges[edge.axis]
        a, b = (_place(frame, world, edge.at(s)) for s in (-1.0, 1.0))
        length = math.dist(a, b) / frame.scale if a is not None and b is not None else 0.0
        if length < SHORTEST:
            return np.zeros((0, 3)), []
        pitch = PITCH * (0.7 if edge.axis == Y else 1.0)
        values = ticks(min(start, end), max(start, end), int(np.clip(length / pitch, 2, 9)))
        if len(values) < 2:
            # One number alone measures nothing.
            return np.zeros((0, 3)), []
        along = [(v - start) / (end - start) * 2.0 - 1.0 for v in values]
        return np.array([edge.at(s) for s in along]).reshape(-1, 3), tick_text(values)

    def overlay(self, frame, world):
        outline = _hull([p for c in CORNERS if (p := _place(frame, world, c * self.half_size)) is not None])
        taken = []
        for edge in _edges(self.half_size, frame, world):
            places, texts = self._ticks(edge, frame, world)
            if not len(places):
                continue
            self._write(edge, places, texts, frame, world, outline, taken)

    def _write(self, edge, places, texts, frame, world, outline, taken):
        tick = edge.outward * TICK * 2.0 * self.half_size.max()
        starts = [_place(frame, world, p) for p in places]
        ends = [_place(frame, world, p + tick) for p in places]
        middle, beside = (_place(frame, world, edge.at(0.0) + t) for t in (0.0 * tick, tick))
        if middle is None or beside is None or None in starts or None in ends:
            return
        away = _unit(np.subtract(beside, middle))
        size = max(6.0, SIZES["small"] * frame.scale)
        masks = [text.tabular(t, size) for t in texts]
        # Away from the edge, or from the box's middle where the edge is seen from its end.
        for way in (away, np.array([0.0, np.sign(middle[1] - outline[:, 1].mean()) or 1.0])):
            centres = [_beside(p, way, m, GAP * frame.scale) for p, m in zip(ends, masks, strict=True)]
            # All by the same way, so that they stay in a row.
            clear = max(_clearance(c, m, way, outline) for c, m in zip(centres, masks, strict=True))
            if clear <= FARTHEST * frame.scale:
                away = way
                break
        else:
            return
        name = self.ranges[edge.axis][2]
        if name:
            mask = text.mask(name, max(6.0, SIZES["normal"] * frame.scale))
            widest = max(_reach(m, away) for m in masks)
            centre = np.add(beside, away * (2.0 * widest + clear + 2.0 * GAP * frame.scale))
            if edge.axis == Y:
                top = _place(frame, world, edge.at(1.0))
                centre = np.array([top[0], top[1] - 1.2 * mask.shape[0]])
                _lay(frame, centre, mask, 1.0, taken)
            else:
                _lay(frame, _beside(centre, away, mask, 0.0), mask, 1.0, taken)
        for centre, mask in zip(centres, masks, strict=True):
            _lay(frame, centre + away * clear, mask, 0.85, taken)


class _Edge:
    """An edge of a box: the axis it runs along, the signs of the other two, and the way out of the box from it."""

    def __init__(self, half, axis, signs, outward):
        self.half, self.axis, self.signs, self.outward = (
            half,
            axis,
            np.asarray(signs, float),
            np.asarray(outward, float),
        )

    def at(self, s):
        """(3,) the point at -1 to 1 along it."""
        p = self.signs * self.half
        p[self.axis] = s * self.half[self.axis]
        return p


def _edges(half, frame, world):
    """The two edges of the base and the upright one that carry numbers, as the box is seen."""
    eye = _eye(frame.camera, world, half)
    seen = {(axis, s): s * eye[axis] > half[axis] for axis in range(3) for s in (-1, 1)}
    found = []
    for axis, other in ((X, Z), (Z, X)):
        # At the outline one of the two faces that meet there is seen and the other is not; else the nearer edge.
        near = 1 if eye[other] >= 0 else -1
        side = next((s for s in (near, -near) if seen[other, s] != seen[Y, -1]), near)
        signs, outward = [0, -1, 0], [0, 0, 0]
        signs[other] = outward[other] = side
        found.append(_Edge(half, axis, signs, outward))
    corner = found[1].signs[X], found[0].signs[Z]
    uprights = [(x, z) for x in (-1, 1) for z in (-1, 1) if seen[X, x] != seen[Z, z]]
    middle = _place(frame, world, np.zeros(3))
    # Not where the base's numbers meet, if there is a choice; else the one to the left.
    placed = [
        ((x, z) == corner, p[0], x, z)
        for x, z in uprights
        if middle is not None and (p := _place(frame, world, half * (x, 0, z))) is not None
    ]
    if placed:
        _, left, x, z = min(placed)
        out = {}
        for way in ((x, 0, 0), (0, 0, z)):
            p = _place(frame, world, half * (x, 0, z) + 0.1 * half.max() * np.array(way))
            out[way] = -np.inf if p is None else (p[0] - left) * np.sign(left - middle[0])
        found.append(_Edge(half, Y, (x, 0, z), max(out, key=out.get)))
    return found


def _eye(camera, world, half):
    """Where the camera is in the node's space; an orthographic one is far away."""
    inverse = np.linalg.inv(world)
    if camera.is_orthographic:
        return -(inverse[:3, :3] @ camera.forward) * 1e6 * half.max()
    return (inverse @ np.append(camera.eye, 1.0))[:3]


def _place(frame, world, point):
    place = frame.project((world @ np.append(point, 1.0))[:3])
    return None if place is None else place[:2]


def _unit(v):
    length = np.hypot(*v)
    return v / length if length > 1e-6 else np.array([0.0, 1.0])


def _reach(mask, away):
    """From a word's middle to its rim, in a direction."""
    return (abs(away[0]) * mask.shape[1] + abs(away[1]) * mask.shape[0] * 0.7) / 2.0


def _beside(place, away, mask, gap):
    return np.add(place, away * (gap + _reach(mask, away)))


def _clearance(centre, mask, away, outline):
    """How far a word has to go to leave a convex outline (separating axes); infinite where it never does."""
    if len(outline) < 3:
        return 0.0
    half = np.array([mask.shape[1] / 2.0, mask.shape[0] * 0.35])
    edges = np.roll(outline, -1, axis=0) - outline
    normals = np.concatenate([np.stack([edges[:, 1], -edges[:, 0]], axis=1), np.eye(2)])
    normals = np.concatenate([normals, -normals])
    # Along each normal the word's near side has to pass the outline's far side.
    overlap = (outline @ normals.T).max(axis=0) + abs(normals) @ half - normals @ centre
    if overlap.min() <= 0.0:
        return 0.0
    speed = normals @ away
    return float(min(overlap[speed > 1e-9] / speed[speed > 1e-9], default=np.inf))


def _hull(points):
    """(N, 2) the convex outline of points (Andrew 1979)."""
    points = sorted(map(tuple, points))
    if len(points) < 3:
        return np.array(points).reshape(-1, 2)

    def chain(points):
        result = []
        for p in points:
            while len(result) > 1 and _turn(result[-2], result[-1], p) <= 0:
                result.pop()
            result.append(p)
        return result[:-1]

    return np.array(chain(points) + chain(points[::-1]))


def _lay(frame, centre, mask, opacity, taken):
    """Adds a word to the frame unless another one is there."""
    height, width = mask.shape
    x, y = round(centre[0] - width / 2), round(centre[1] - height / 2)
    # A line's height holds air above and below its ink.
    box = (x, y + 0.15 * height, x + width, y + 0.85 * height)
    if any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken):
        return
    taken.append(box)
    frame.sprites.append(Sprite(tinted(mask, frame.theme.ink, opacity), x, y))


def _turn(a, b, c):
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
