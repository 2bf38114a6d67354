"""Distances to simple shapes over a grid of pixels, and a pen that paints them: numpy only.

A shape is the array of its signed distances, negative inside, in the object's own units: y goes up and the whole
object lies in the disc of radius 1. What the distances of `ellipse` lose in exactness far away is no matter: only
the sign and the pixels next to the edge are used. Formulas after Inigo Quilez, "2D distance functions".
"""

import math

import numpy as np


class Pen:
    """Paints shapes on an image, each with its outline, and keeps what the object covers.

    image     (H, W, 3) float32, painted in place
    x, y      (H, W) float32, the object's coordinates of each pixel
    pixel     how wide a pixel is in those
    outline   (3,) colour of the outlines, `line` their width; 0 paints none
    shade     how much lighter the top of the object is than its middle
    """

    def __init__(self, image, x, y, pixel, outline, line=0.0, shade=0.0):
        self.image, self.x, self.y, self.pixel = image, x, y, pixel
        self.outline, self.line = outline, line
        self.light = (1.0 + shade * y)[..., None]
        self.cover = np.zeros(image.shape[:2], np.float32)

    def paint(self, shape, colour, line=None):
        """Fills a shape; its outline is half inside and half outside. `line` overrides the pen's."""
        line = self.line if line is None else line
        if line > 0.0:
            self._lay(shape - 0.5 * line, self.outline)
            self._lay(shape + 0.5 * line, colour)
        else:
            self._lay(shape, colour)

    def _lay(self, shape, colour):
        # A pixel's share of the shape, as if the edge were straight across it; only where there is any.
        touched = shape < 0.5 * self.pixel
        rows, columns = (np.flatnonzero(touched.any(axis=axis)) for axis in (1, 0))
        if rows.size == 0:
            return
        at = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        share = np.clip(0.5 - shape[at] / self.pixel, 0.0, 1.0)
        part = self.image[at]
        part += share[..., None] * (np.asarray(colour, np.float32) * self.light[at] - part)
        np.maximum(self.cover[at], share, out=self.cover[at])

    def circle(self, x, y, radius):
        return np.hypot(self.x - x, self.y - y) - radius

    def ring(self, x, y, radius, thickness):
        return np.abs(self.circle(x, y, radius)) - 0.5 * thickness

    def ellipse(self, x, y, rx, ry, angle=0.0):
        """Radii rx and ry, turned by `angle` radians to the left."""
        px, py = self.turned(x, y, angle)
        k = np.hypot(px / rx, py / ry)
        slope = np.hypot(px / rx**2, py / ry**2)
        return k * (k - 1.0) / np.maximum(slope, 1e-6)

    def turned(self, x, y, angle):
        """The pixels' coordinates in a frame at (x, y) that is turned by `angle`."""
        c, s = math.cos(angle), math.sin(angle)
        dx, dy = self.x - x, self.y - y
        return c * dx + s * dy, c * dy - s * dx

    def box(self, left, bottom, right, top, corner=0.0):
        """A rectangle, its corners rounded by `corner`."""
        qx = np.abs(self.x - 0.5 * (left + right)) - 0.5 * (right - left) + corner
        qy = np.abs(self.y - 0.5 * (bottom + top)) - 0.5 * (top - bottom) + corner
        outside = np.hypot(np.maximum(qx, 0.0), np.maximum(qy, 0.0))
        return outside + np.minimum(np.maximum(qx, qy), 0.0) - corner

    def stroke(self, points, thickness):
        """A line through points, with round ends."""
        pieces = [self._segment(*a, *b) for a, b in zip(points, points[1:], strict=False)]
        return np.sqrt(np.minimum.reduce(pieces)) - 0.5 * thickness

    def _segment(self, ax, ay, bx, by):
        """Squared distances to the segment from a to b."""
        ex, ey = bx - ax, by - ay
        px, py = self.x - ax, self.y - ay
        t = np.clip((px * ex + py * ey) / max(ex * ex + ey * ey, 1e-12), 0.0, 1.0)
        return (px - t * ex) ** 2 + (py - t * ey) ** 2

    def polygon(self, points, corner=0.0):
        """A closed polygon, any way round, not crossing itself; swollen by `corner` into round corners."""
        pieces, inside = [], np.zeros(self.x.shape, bool)
        for (ax, ay), (bx, by) in zip(points, [*points[1:], points[0]], strict=True):
            pieces.append(self._segment(ax, ay, bx, by))
            if ay != by:
                # Even-odd: a ray to the left crosses this edge.
                spans = (self.y >= min(ay, by)) & (self.y < max(ay, by))
                inside ^= spans & (self.x > ax + (self.y - ay) * ((bx - ax) / (by - ay)))
        distance = np.sqrt(np.minimum.reduce(pieces))
        return np.where(inside, -distance, distance) - corner

    def below(self, y):
        return self.y - y

    def above(self, y):
        return y - self.y


def union(*shapes):
    return np.minimum.reduce(shapes)


def common(*shapes):
    return np.maximum.reduce(shapes)


def without(shape, hole):
    return np.maximum(shape, -hole)


def around(count, start=0.0):
    """`count` angles, evenly spaced round the circle."""
    return [start + 2.0 * math.pi * k / count for k in range(count)]


def polar(radius, angle, x=0.0, y=0.0):
    return x + radius * math.cos(angle), y + radius * math.sin(angle)
