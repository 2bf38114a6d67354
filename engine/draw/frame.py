"""The frame given to drawables: theme and size of the picture, and the textures and arrays of the present tile."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from engine.draw.colour import BEHIND, RGB, linear
from engine.gpu.array import Array
from engine.gpu.passes import Encoder
from engine.gpu.structs import struct
from engine.gpu.texture import Texture
from engine.kernels.search.budget import Allowance
from engine.view.camera import Camera

# Words are as large in a picture 720 pixels high as their sizes say, and larger in a larger one. In a smaller one they
# shrink less than the picture: not at all down to LEGIBLE of their size, then to GROWN of what the height would give.
LEGIBLE, GROWN = 0.875, 1.5
# (left, top, right, bottom) in pixels of the whole picture.
Box = tuple[float, float, float, float]

# The most surfaces drawn along a sample's ray, front to back; those behind the eighth are left out.
LAYERS = 8

FRAME = struct(
    "Frame",
    view_projection="mat4x4f",  # world to this tile's clip space
    eye="vec4f",
    right="vec4f",  # half the picture's width as a vector at distance 1; in world units if orthographic
    upward="vec4f",  # half its height, likewise
    forward="vec4f",  # w is 1 for an orthographic camera
    background="vec4f",  # linear colour at the picture's edge
    glow="vec4f",  # linear colour at its centre
    size="vec2f",  # the whole picture, in samples
    offset="vec2f",  # this tile's first sample
    tile="vec2f",  # this tile, in samples
    near="f32",
    far="f32",
    grid="f32",  # samples along a pixel's side
    scale="f32",  # pixels of this picture in one pixel of a picture 720 high
    paper="f32",  # 1 on the paper theme
    lists="u32",  # the number of lists of layers
)

# One layer: distance along the ray as f32 bits; red, green; blue, alpha as halves, premultiplied; 1 if undecided.
LAYERS_TYPE = "array<vec4u>"


@dataclass(frozen=True)
class Theme:
    """Linear RGB colours of a picture's background at the edge and at the centre (glow), and of words and lines.

    encoded   True: colours are linear light, encoded as sRGB at the end; False: values are shown unchanged
    """

    name: str
    background: RGB
    glow: RGB
    foreground: RGB
    encoded: bool = True

    @property
    def is_clear(self) -> bool:
        """Whether there is no background: pictures are transparent where nothing is."""
        return self.name == "clear"

    @property
    def shade(self) -> str:
        """`paper` or `dark`: the set of colours that is visible on this background."""
        return "paper" if self.name in ("paper", "clear", "white") else "dark"

    @property
    def maps(self) -> str:
        """The key of draw.colour.TRIMS for this background."""
        return "clear" if self.is_clear else self.shade

    def faded(self, part: float) -> RGB:
        """A part of the foreground, the rest background; without a background, the foreground."""
        part = 1.0 if self.is_clear else part
        red, green, blue = (part * a + (1.0 - part) * b for a, b in zip(self.foreground, self.background, strict=True))
        return red, green, blue


THEMES = {
    "dark": Theme("dark", linear(BEHIND["dark"]), linear("#232838"), linear("#c9d1e0")),
    "paper": Theme("paper", linear(BEHIND["paper"]), linear("#ffffff"), linear("#3a4152")),
    # Nothing behind: `background` is that of cards. Words and lines are the grey that white and black set off alike, by
    # 4.6 to 1, above the 4.5 that WCAG 2.2, 1.4.3, asks for.
    "clear": Theme("clear", linear("#ffffff"), linear(BEHIND["clear"]), linear(BEHIND["clear"])),
    # The background of the original program of 2016.
    "black": Theme("black", (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), encoded=False),
    # Its picture for print.
    "white": Theme("white", (1.0, 1.0, 1.0), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), encoded=False),
}


@dataclass(frozen=True)
class Sprite:
    """An image laid over the finished picture.

    image       (H, W, 4) uint8, sRGB, premultiplied by alpha
    x, y        its top left corner in pixels of the whole picture
    is_placed   whether it belongs to a place of the scene, and moves with it
    place       (x, y) in pixels of that place; None for the middle of the image
    """

    image: np.ndarray
    x: int
    y: int
    is_placed: bool = False
    place: tuple[float, float] | None = None

    @property
    def origin(self) -> tuple[float, float]:
        """(x, y) in pixels of the place that it moves with."""
        return self.place or (self.x + self.image.shape[1] / 2, self.y + self.image.shape[0] / 2)


def touch(a: Box, b: Box) -> bool:
    """Whether two boxes overlap."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


# Unit vectors, (2,) each, along which `meets` looks for a gap between shapes.
ALONG = np.array([(np.cos(a), np.sin(a)) for a in np.linspace(0.0, np.pi, 12, endpoint=False)])


def meets(box: Box, shapes: np.ndarray) -> bool:
    """Whether a box overlaps one of some convex shapes, (B, N, 2) their corners, but for a gap across none of ALONG."""
    return bool(meeting([box], spans(shapes))[0])


def spans(shapes: np.ndarray) -> np.ndarray:
    """(2, B, K) least and greatest of each shape's corners along each of ALONG."""
    found = shapes @ ALONG.T
    return np.stack([found.min(axis=1), found.max(axis=1)])


def meeting(boxes: Sequence[Box], others: np.ndarray) -> np.ndarray:
    """(K,) bools: which of K boxes `meets` one of the shapes whose `spans` are given."""
    left, top, right, bottom = np.asarray(boxes, float).reshape(-1, 4).T
    middle = np.stack([left + right, top + bottom], axis=1) / 2 @ ALONG.T
    half = np.stack([right - left, bottom - top], axis=1) / 2 @ abs(ALONG).T
    low, high = middle - half, middle + half
    least, most = others
    near = ((least < high.max(axis=0)) & (most > low.min(axis=0))).all(axis=1)
    apart = (least[near] >= high[:, None]) | (most[near] <= low[:, None])
    return (~apart.any(axis=2)).any(axis=1)


# Placeholder for fields that the renderer sets before nodes draw; `overlay`, which needs none, may be called before.
NOT_YET: Any = None


@dataclass
class Frame:
    """One tile of one picture, while it is being made.

    encoder     the command encoder of this tile
    uniforms    Array holding the FRAME struct
    layers      Array of vec4u, LAYERS per sample and list
    counts      Array of 5 u32: rays within regions, grazes, undecided, rays with more than LAYERS surfaces, with any
    colour      Texture of samples: background and solid things; rgba16float, rgba8unorm if the theme is not encoded
    depth       Texture depth32float of the solid things' samples
    composed    Texture rgba16float of samples: colour with the surfaces composed over it
    canvas      the Texture that the present pass draws to: colour or composed
    camera      the Camera
    size        (width, height) of the whole picture in pixels
    tile        (x, y, width, height) of this tile in pixels
    grid        samples along a pixel's side
    theme       Theme
    exact       True if colours are values, so that the tone curve's shoulder is not applied
    draft       True for a picture drawn soon, whose rays need not be certain
    allowance   what is left of the picture's Budget for searching rays
    taken       the boxes of words that are placed already
    """

    camera: Camera
    size: tuple[int, int]
    tile: tuple[int, int, int, int]
    grid: int
    theme: Theme
    scale: float
    encoder: Encoder = NOT_YET
    uniforms: Array = NOT_YET
    layers: Array = NOT_YET
    counts: Array = NOT_YET
    colour: Texture = NOT_YET
    depth: Texture = NOT_YET
    composed: Texture = NOT_YET
    canvas: Texture = NOT_YET
    list_number: int = 0
    sprites: list[Sprite] = field(default_factory=list)
    exact: bool = False
    draft: bool = False
    allowance: Allowance = NOT_YET
    taken: list[Box] = field(default_factory=list)

    @property
    def type_scale(self) -> float:
        """Pixels of words in this picture for one in a picture 720 high."""
        return max(self.scale, min(LEGIBLE, GROWN * self.scale))

    def is_free(self, box: Box) -> bool:
        """Whether a box lies in the picture and touches no words."""
        left, top, right, bottom = box
        is_inside = left >= 0 and top >= 0 and right <= self.size[0] and bottom <= self.size[1]
        return is_inside and not any(touch(box, other) for other in self.taken)

    def take(self, image: np.ndarray, x: float, y: float, *, place: tuple[float, float] | None = None) -> None:
        """Lays a card over the picture, where no words will be placed; `place`: what it is about and moves with."""
        height, width = image.shape[:2]
        self.taken.append((x, y, x + width, y + height))
        self.sprites.append(Sprite(image, round(x), round(y), place is not None, place))

    def write(self, image: np.ndarray, x: float, y: float, *, margin: int = 0, air: float = 0.0) -> bool:
        """Lays words over the picture unless they would touch others; moves them into it where they cross its edge.

        image    of one line of words
        x, y     its upper left corner, pixels of the whole picture
        margin   pixels round the words in the image, such as a halo
        air      pixels that are left free round them
        returns  whether they were laid: not where their middle is outside of the picture
        """
        (height, width), (across, down) = image.shape[:2], self.size
        if not (0 <= x + width / 2 <= across and 0 <= y + height / 2 <= down):
            return False
        left, top = max(0, round(min(x, across - width))), max(0, round(min(y, down - height)))
        # A line is higher than its letters, above and below.
        inside = 0.15 * (height - 2 * margin) + margin
        box = left + margin - air, top + inside - air, left + width - margin + air, top + height - inside + air
        if any(touch(box, other) for other in self.taken):
            return False
        self.taken.append((max(0, box[0]), max(0, box[1]), min(across, box[2]), min(down, box[3])))
        self.sprites.append(Sprite(image, left, top, is_placed=True))
        return True

    @property
    def samples(self) -> tuple[int, int]:
        """(width, height) of this tile in samples."""
        return self.tile[2] * self.grid, self.tile[3] * self.grid

    @property
    def size_samples(self) -> tuple[int, int]:
        """(width, height) of the whole picture in samples."""
        return self.size[0] * self.grid, self.size[1] * self.grid

    @property
    def tile_samples(self) -> tuple[int, int, int, int]:
        """(x, y, width, height) of this tile in samples."""
        return self.tile[0] * self.grid, self.tile[1] * self.grid, *self.samples

    def seen(self, bodies: ArrayLike) -> np.ndarray:
        """(B, N, 2) where the corners, (B, N, 3) world, of bodies are in the picture; not of those behind the eye."""
        points = np.reshape(bodies, (-1, max(1, np.shape(bodies)[1] if np.ndim(bodies) == 3 else 1), 3))
        (width, height), camera = self.size, self.camera
        clip = np.insert(points, 3, 1.0, axis=2) @ (camera.projection(width / height) @ camera.view()).T
        clip = clip[(clip[..., 3] > 0.0).all(axis=1)]
        return (clip[..., :2] / clip[..., 3:] * (1, -1) + 1) / 2 * self.size

    def project(self, point: ArrayLike) -> tuple[float, float, float] | None:
        """(x, y, depth along the view) of a world point, x and y in the whole picture's pixels; None behind the eye."""
        width, height = self.size
        found = self.camera.project(point, width / height)
        if found is None:
            return None
        x, y, depth = found
        return (x + 1) / 2 * width, (1 - y) / 2 * height, depth
