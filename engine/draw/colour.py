"""Colours: sRGB and linear light, and perceptual colour maps as tables for shaders, legends and curves."""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from PIL import ImageColor

from engine.draw.catalogue import named
from engine.gpu.array import Array
from engine.kept import kept

RGB = tuple[float, float, float]
WHITE = (1.0, 1.0, 1.0, 1.0)

# Maps for responses, 0 to 8 deviations above the mean, and for probabilities of classes. On the dark theme they begin
# as mist; those of the original program begin with white. On paper the same hues, dark enough for small dots: a
# contrast of at least 4.5 to white (WCAG 2.2, 1.4.3); without a background at least 3 to white and to black (1.4.11).
RAMPS = {
    "responses": {
        "dark": "#77879f #7c8eaa #8197b6 #86a2c4 #8eb2d4 #9cc8e4 #b0e4f0 #c8f4dc #e6f58a #ffe23c #ffb428 #ff7a00",
        "paper": "#55617a #4f5d79 #485a78 #3f5678 #355279 #264e7d #155a86 #0a6b74 #1f7440 #8a6a00 #b84e00 #a31508",
        "clear": "#787e8e #727f91 #6a8197 #5f849c #5387a2 #438ba6 #2590a4 #0f958d #389a52 #a88600 #d06a00 #e0452f",
    },
    "probabilities": {
        "dark": "#77879f #a2a68c #c4bd72 #ddce5a #edda46 #f8e232 #ffe81f",
        "paper": "#55617a #635d62 #70594b #7c5432 #874d18 #8f4405 #983700",
        "clear": "#787e8e #827b7d #8c786b #967459 #a07045 #aa6b2e #b46610",
    },
}
RAMPS["original responses"] = RAMPS["responses"] | {
    "dark": "#ffffff #ffffff #ffffff #ffffff #ffffff #ffffff #c0ffff #88ffff #ccffaa #ffff44 #ffcc22 #ff8800"
}
RAMPS["original probabilities"] = RAMPS["probabilities"] | {
    "dark": "#ffffff #fffff0 #ffffd8 #ffffb4 #fffb84 #fff44f #ffe81f"
}
# The part of each sequential map that is used: the darkest colours cannot be seen on the dark background, nor the
# lightest on paper. An image has no background, and uses the whole map.
TRIMS = {"dark": (0.18, 1.0), "paper": (0.04, 0.93), "clear": (0.18, 0.93), "image": (0.0, 1.0)}
STEPS = 64
# What is seen through a map's transparent colours, which are few.
BEHIND = {"dark": "#12151e", "paper": "#ffffff", "clear": "#757575", "image": "#000000"}
# The share of each linear primary in lightness (Rec. 709).
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


# The type of the binding `palette` in shaders.
PALETTE = f"array<vec4f, {STEPS}>"


def linear(hexadecimal: str) -> RGB:
    """Linear RGB of an sRGB colour written `#rrggbb`."""
    red, green, blue = linear_light(np.array(ImageColor.getrgb(hexadecimal)) / 255.0).tolist()
    return red, green, blue


def linear_light(v: np.ndarray) -> np.ndarray:
    """Linear light of sRGB values from 0 to 1."""
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def srgb(colour: ArrayLike) -> np.ndarray:
    """sRGB in [0, 1] of linear RGB (..., 3)."""
    c = np.clip(np.asarray(colour, float), 0, 1)
    return np.where(c <= 0.0031308, c * 12.92, 1.055 * c ** (1 / 2.4) - 0.055)


@lru_cache(maxsize=64)
def palette(name: str, theme: str = "dark") -> np.ndarray:
    """(STEPS, 3) linear RGB of a map (see draw.catalogue.named) or of one of RAMPS.

    A sequential map is trimmed for the theme; for `image` it is whole. Transparent colours are mixed with the theme's
    background. Raises SettingError for an unknown map.
    """
    places = np.linspace(0.0, 1.0, STEPS)
    if name in RAMPS:
        written = RAMPS[name].get(theme, RAMPS[name]["dark"])
        return _mixed(np.array([linear(c) for c in written.split()]), places)
    found = named(name)
    alpha = found.colours[:, 3:]
    anchors = linear_light(found.colours[:, :3]) * alpha + np.array(linear(BEHIND[theme])) * (1.0 - alpha)
    if found.steps:
        return anchors[np.minimum((places * len(anchors)).astype(int), len(anchors) - 1)]
    low, high = TRIMS[theme] if found.kind == "sequential" else (0.0, 1.0)
    if anchors[0] @ LUMINANCE > anchors[-1] @ LUMINANCE:
        # From light to dark.
        low, high = 1.0 - high, 1.0 - low
    return _mixed(anchors, np.linspace(low, high, STEPS))


def _mixed(anchors, places):
    # Interpolated in (approximate) sRGB, in which the maps are perceptually even.
    return _between(anchors ** (1 / 2.2), places) ** 2.2


def _between(table, place):
    """(..., 3): a table (N, 3), interpolated at places in [0, 1]."""
    at = place * (len(table) - 1)
    return np.stack([np.interp(at, np.arange(len(table)), table[:, c]) for c in range(3)], axis=-1)


def colours(name: str, theme: str, where: ArrayLike) -> np.ndarray:
    """Linear RGB (..., 3) of a map at positions in [0, 1]."""
    return _between(palette(name, theme), np.clip(np.asarray(where, float), 0, 1))


@kept
def palette_array(name: str, theme: str) -> Array:
    """The palette as a uniform Array of STEPS vec4f, to bind as PALETTE."""
    data = np.concatenate([palette(name, theme), np.ones((STEPS, 1))], axis=1).astype(np.float32)
    return Array.of(data, "uniform", label=f"palette {name} {theme}")
