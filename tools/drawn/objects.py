"""Pictures of sixteen kinds of objects, drawn by formula: what the small network in scenes/data was trained on.

A seed chooses everything: the object's proportions, colours, place, size, tilt and outline, the ground and the
clutter behind it, light, blur and noise. Colours say nothing of the kind. The same kind, seed and size give the same
picture; another size gives the same one in more or fewer pixels, its noise apart.
"""

import math
from dataclasses import dataclass

import numpy as np

from engine import NeurosceneError, near
from tools.drawn import kinds
from tools.drawn.backgrounds import any_colour, blurred, ground, scatter
from tools.drawn.shapes import Pen

_DRAWERS = {
    "boat": kinds.boat,
    "bottle": kinds.bottle,
    "butterfly": kinds.butterfly,
    "car": kinds.car,
    "cat": kinds.cat,
    "cup": kinds.cup,
    "fish": kinds.fish,
    "flower": kinds.flower,
    "house": kinds.house,
    "key": kinds.key,
    "mushroom": kinds.mushroom,
    "snowman": kinds.snowman,
    "star": kinds.star,
    "sun": kinds.sun,
    "tree": kinds.tree,
    "umbrella": kinds.umbrella,
}
# In the order of the small network's classes.
KINDS = tuple(_DRAWERS)

# The small network's input: no window of its layers hangs over the border, 97 -> 47 -> 23 -> 11 -> 5.
SIZE = 97
LARGEST = 4096

# ITU-R BT.601: what each channel gives to the grey of a photo without colours.
LUMA = np.array([0.299, 0.587, 0.114], np.float32)

# Coloured with outlines or without; lines alone on the ground's colour; one colour.
STYLES, SHARES = ("outlined", "coloured", "sketch", "silhouette"), (0.5, 0.32, 0.12, 0.06)

# Where an object stands that does not reach down to -0.9.
FEET = {"boat": -0.76, "car": -0.56, "cat": -0.7, "cup": -0.66, "fish": -0.7, "house": -0.7, "mushroom": -0.84}


@dataclass(frozen=True)
class Drawing:
    """image (size, size, 3) uint8, row 0 on top; cover (size, size) float32, the object's share of each pixel."""

    kind: str
    seed: int
    image: np.ndarray
    cover: np.ndarray


def draw(kind, seed, size=SIZE):
    """A picture of an object of a kind: (size, size, 3) uint8 RGB, row 0 on top.

    kind   one of KINDS
    seed   any integer of at least 0
    Raises NeurosceneError for an unknown kind, a negative seed or a size out of 1..4096.
    """
    return drawing(kind, seed, size).image


def drawing(kind, seed, size=SIZE):
    """As `draw`, with which pixels the object covers."""
    if kind not in _DRAWERS:
        raise NeurosceneError(near(kind, KINDS, noun="kind"))
    if not 1 <= size <= LARGEST:
        raise NeurosceneError(f"A drawing of {size} pixels cannot be made; give 1 to {LARGEST}.")
    if seed < 0:
        raise NeurosceneError(f"Seed {seed} is negative; give 0 or more.")
    rng = np.random.default_rng([KINDS.index(kind), int(seed)])
    steps = (np.arange(size, dtype=np.float32) + np.float32(0.5)) * np.float32(2.0 / size) - 1.0
    x, y = np.meshgrid(steps, -steps)
    image, behind = ground(rng, x, y)
    scatter(image, x, y, rng, int(rng.integers(0, 7)), 0.22)
    cover = _object(kind, rng, image, x, y, behind)
    # A little before the object, near the picture's border: an object is recognised by more than one of its parts.
    scatter(image, x, y, rng, int(rng.integers(0, 3)), 0.12, ring=(0.7, 1.2))
    return Drawing(kind, int(seed), _taken(image, rng), cover)


def _object(kind, rng, image, x, y, behind):
    """Paints the object on the image; gives the share of each pixel that it covers."""
    scale = rng.uniform(0.45, 0.92)
    # The object lies in the disc of radius 1, outlines apart; so it stays in the frame.
    room = 0.99 - scale * 1.04
    px, py = rng.uniform(-1.0, 1.0, 2) * max(room, 0.0)
    tilt = rng.normal(0.0, 0.12)
    side = 1 if rng.random() < 0.5 else -1
    c, s = math.cos(tilt) / scale, math.sin(tilt) / scale
    u, v = c * (x - px) + s * (y - py), c * (y - py) - s * (x - px)
    ink = _ink(rng, behind)
    style = STYLES[np.searchsorted(np.cumsum(SHARES), rng.random(), side="right")]
    line = rng.uniform(0.02, 0.06) if style == "outlined" else 0.0
    outline = _outline(rng, ink[0])
    if style == "sketch":
        outline, line, ink = ink[0], rng.uniform(0.045, 0.08), [behind[1]] * 4
    elif style == "silhouette":
        outline, ink = ink[0], ink[:1] * 4
    pixel = 2.0 / (image.shape[0] * scale)
    if rng.random() < 0.35:
        _shadow(rng, image, u, v, FEET.get(kind, -0.9))
    pen = Pen(image, u, v, pixel, outline, line, rng.uniform(0.0, 0.18))
    _DRAWERS[kind](pen, ink, rng, side)
    return pen.cover


def _shadow(rng, image, u, v, foot):
    """Darkens the ground under the object's foot, softly, as if light came from above."""
    middle, wide, tall = rng.uniform(-0.15, 0.15), rng.uniform(0.6, 1.0), rng.uniform(0.12, 0.22)
    fall = np.clip(1.1 - np.hypot((u - middle) / wide, (v - foot) / tall), 0.0, 1.0)
    image *= (1.0 - 0.5 * fall)[..., None]


def _ink(rng, behind):
    """Four colours, the first two far from the ground's; all of them apart from each other."""
    chosen: list[np.ndarray] = []
    for k in range(4):
        best, furthest = np.zeros(3, np.float32), -1.0
        for _ in range(12):
            colour = any_colour(rng)
            others = [float(np.abs(colour - other).sum()) for other in chosen]
            from_ground = float(np.abs(behind - colour).sum(axis=1).min())
            apart = min([*others, from_ground] if k < 2 else others)
            if apart > furthest:
                best, furthest = colour, apart
            if apart > 0.6:
                break
        chosen.append(best)
    return chosen


def _outline(rng, main):
    """A dark line, or a light one about a dark object."""
    if main.mean() < 0.3:
        return np.full(3, rng.uniform(0.85, 1.0), np.float32)
    return (main * 0.15 + rng.uniform(0.0, 0.08)).astype(np.float32)


def _taken(image, rng):
    """The picture as a camera takes it: light, contrast, blur, noise; uint8."""
    size = image.shape[0]
    contrast, light = rng.uniform(0.7, 1.1), rng.uniform(-0.12, 0.12)
    sigma = rng.uniform(0.0, 1.1) * size / SIZE
    strength = rng.uniform(0.0, 0.05) if rng.random() < 0.7 else 0.0
    if rng.random() < 0.08:
        image = np.repeat((image @ LUMA)[..., None], 3, axis=2)
    image = 0.5 + light + contrast * (image - 0.5)
    if sigma > 0.35:
        image = blurred(image, sigma)
    if strength > 0.0:
        image = image + strength * rng.standard_normal(image.shape, dtype=np.float32)
    return (np.clip(image, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
