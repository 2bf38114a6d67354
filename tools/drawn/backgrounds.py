"""What lies behind and before a drawn object: grounds, clutter, and what a camera adds."""

import math

import numpy as np

from tools.drawn.shapes import Pen, around, polar

GROUNDS = ("plain", "gradient", "glow", "clouds", "stripes", "checks", "dots", "horizon")


def hsv(hue, saturation, value):
    """A colour (3,) from hue, saturation and value in [0, 1] each."""
    k = (np.array([5.0, 3.0, 1.0]) + 6.0 * hue) % 6.0
    return (value * (1.0 - saturation * np.clip(np.minimum(k, 4.0 - k), 0.0, 1.0))).astype(np.float32)


def any_colour(rng):
    return hsv(rng.random(), rng.uniform(0.0, 0.95), rng.uniform(0.15, 1.0))


def beside(colour, rng, by):
    """A colour near another one."""
    return np.clip(colour + rng.uniform(-by, by, 3).astype(np.float32), 0.0, 1.0)


def ground(rng, x, y):
    """A ground of some sort over coordinates x, y (H, W) in [-1, 1]: its image and its colours.

    returns  (H, W, 3) float32, (3, 3): the image, and what must be kept away from to be seen on it
    """
    first = any_colour(rng)
    second = beside(first, rng, rng.uniform(0.1, 0.4))
    sort = GROUNDS[rng.integers(len(GROUNDS))]
    angle = rng.uniform(0.0, 2.0 * math.pi)
    along = x * math.cos(angle) + y * math.sin(angle)
    across = y * math.cos(angle) - x * math.sin(angle)
    period = rng.uniform(0.15, 0.6)
    if sort == "gradient":
        share = 0.5 + 0.4 * along
    elif sort == "glow":
        share = np.hypot(x - rng.uniform(-0.5, 0.5), y - rng.uniform(-0.5, 0.5)) / 1.6
    elif sort == "clouds":
        share = clouds(rng, x.shape, int(rng.integers(3, 9)))
    elif sort == "stripes":
        share = _edge(np.cos(along * (math.pi / period)), period, x)
    elif sort == "checks":
        share = _edge(np.cos(along * (math.pi / period)) * np.cos(across * (math.pi / period)), period, x)
    elif sort == "dots":
        share = _edge(np.cos(along * (math.pi / period)) + np.cos(across * (math.pi / period)) - 1.2, period, x)
    elif sort == "horizon":
        share = _edge(y - rng.uniform(-0.5, 0.2) + rng.uniform(-0.1, 0.1) * x, 1.0, x) + 0.2 * y
    else:
        share = np.zeros_like(x)
    image = first + np.clip(share, 0.0, 1.0)[..., None] * (second - first)
    return image.astype(np.float32), np.stack([first, 0.5 * (first + second), second])


def _edge(wave, period, x):
    """0 where a wave is negative, 1 where it is positive, a pixel's width between."""
    pixel = 2.0 / x.shape[1]
    return np.clip(0.5 + wave * period / (math.pi * pixel), 0.0, 1.0)


def clouds(rng, shape, cells):
    """Smooth noise in [0, 1]: random numbers on a grid of `cells`, linear between, smoothed."""
    grid = rng.random((cells + 1, cells + 1)).astype(np.float32)
    rows, columns = (_between(n, cells) for n in shape)
    smooth = rows @ grid @ columns.T
    return smooth * smooth * (3.0 - 2.0 * smooth)


def _between(n, cells):
    """(n, cells + 1): how much each grid point weighs at each of n pixels."""
    at = (np.arange(n, dtype=np.float32) + 0.5) * (cells / n)
    return np.maximum(0.0, 1.0 - np.abs(at[:, None] - np.arange(cells + 1, dtype=np.float32)))


def scatter(image, x, y, rng, count, largest, ring=None):
    """Paints `count` small shapes: circles, rings, boxes, triangles and strokes.

    largest   the widest one's half width
    ring      (least, most) distance from the middle of the picture; None is anywhere
    """
    pen = Pen(image, x, y, 2.0 / image.shape[1], np.zeros(3, np.float32))
    for _ in range(count):
        if ring is None:
            px, py = rng.uniform(-1.0, 1.0, 2)
        else:
            angle, out = rng.uniform(0.0, 2.0 * math.pi), rng.uniform(*ring)
            px, py = out * math.cos(angle), out * math.sin(angle)
        size, angle, colour = largest * rng.uniform(0.3, 1.0), rng.uniform(0.0, 2.0 * math.pi), any_colour(rng)
        sort = int(rng.integers(5))
        if sort == 0:
            shape = pen.circle(px, py, size)
        elif sort == 1:
            shape = pen.ring(px, py, 0.8 * size, 0.3 * size)
        elif sort == 4:
            ends = [polar(size, direction, px, py) for direction in around(2, angle)]
            shape = pen.stroke(ends, rng.uniform(0.03, 0.1))
        else:
            shape = pen.polygon([polar(size, direction, px, py) for direction in around(6 - sort, angle)])
        pen.paint(shape, colour)


def blurred(image, sigma):
    """A Gaussian blur of `sigma` pixels; the border's pixels go on outside."""
    radius = max(1, math.ceil(2.5 * sigma))
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2).astype(np.float32)
    weights /= weights.sum()
    for axis in (0, 1):
        n = image.shape[axis]
        padded = np.pad(image, [(radius, radius) if a == axis else (0, 0) for a in range(3)], mode="edge")
        parts = [w * padded.take(range(k, k + n), axis) for k, w in enumerate(weights)]
        image = np.add.reduce(parts)
    return image
