"""Colours: sRGB and linear light, and perceptual colour maps as tables for shaders, legends and curves."""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike
from PIL import ImageColor

from engine.errors import SettingError, near
from engine.gpu.array import Array
from engine.kept import kept

RGB = tuple[float, float, float]
WHITE = (1.0, 1.0, 1.0, 1.0)

# Ten evenly spaced colours of each map. viridis, magma, cividis: van der Walt and Smith 2015; Nunez et al. 2018 (CC0).
# The diverging map is Crameri's vik, 2018, in eleven colours.
ANCHORS = {
    "viridis": "#440154 #482878 #3e4989 #31688e #26828e #1f9e89 #35b779 #6ece58 #b5de2b #fde725",
    "magma": "#000004 #180f3e #451077 #721f81 #9f2f7f #cd4071 #f1605d #fd9567 #feca8d #fcfdbf",
    "cividis": "#00224e #123570 #3b496c #575d6d #707173 #8a8678 #a59c74 #c3b369 #e1cc55 #fee838",
    "grey": "#000000 #1c1c1c #393939 #555555 #717171 #8e8e8e #aaaaaa #c6c6c6 #e3e3e3 #ffffff",
    "diverging": "#001261 #033e7d #1e6f9d #71a8c4 #c9dde7 #eceae8 #ead0bf #d29773 #ba6029 #8b2500 #590007",
}
# Maps for responses, 0 to 8 deviations above the mean, and for probabilities of classes. On the dark theme they are the
# original program's; on paper the same hues, dark enough for small dots: a contrast of at least 4.5 to white (WCAG 2.2,
# 1.4.3).
RAMPS = {
    "responses": {
        "dark": "#ffffff #ffffff #ffffff #ffffff #ffffff #ffffff #c0ffff #88ffff #ccffaa #ffff44 #ffcc22 #ff8800",
        "paper": "#55617a #4f5d79 #485a78 #3f5678 #355279 #264e7d #155a86 #0a6b74 #1f7440 #8a6a00 #b84e00 #a31508",
    },
    "probabilities": {
        "dark": "#ffffff #fffff0 #ffffd8 #ffffb4 #fffb84 #fff44f #ffe81f",
        "paper": "#55617a #635d62 #70594b #7c5432 #874d18 #8f4405 #983700",
    },
}
# The part of each map that is used: the darkest colours cannot be seen on the dark background, nor the lightest on
# paper. An image has no background, and uses the whole map.
TRIMS = {"dark": (0.18, 1.0), "paper": (0.04, 0.93), "image": (0.0, 1.0)}
STEPS = 64


# The type of the binding `palette` in shaders.
PALETTE = f"array<vec4f, {STEPS}>"


def linear(hexadecimal: str) -> RGB:
    """Linear RGB of an sRGB colour written `#rrggbb`."""
    v = np.array(ImageColor.getrgb(hexadecimal)) / 255.0
    red, green, blue = np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4).tolist()
    return red, green, blue


def srgb(colour: ArrayLike) -> np.ndarray:
    """sRGB in [0, 1] of linear RGB (..., 3)."""
    c = np.clip(np.asarray(colour, float), 0, 1)
    return np.where(c <= 0.0031308, c * 12.92, 1.055 * c ** (1 / 2.4) - 0.055)


def names() -> list[str]:
    """The names of all maps."""
    return list(ANCHORS)


@cache
def palette(name: str, theme: str = "dark") -> np.ndarray:
    """(STEPS, 3) linear RGB of a map or of one of RAMPS; a map is trimmed for the theme, or whole for `image`.

    Raises SettingError for an unknown map.
    """
    if name in RAMPS:
        written, (low, high) = RAMPS[name]["paper" if theme == "paper" else "dark"], (0.0, 1.0)
    elif name in ANCHORS:
        written, (low, high) = ANCHORS[name], TRIMS[theme] if name != "diverging" else (0.0, 1.0)
    else:
        raise SettingError(near(name, ANCHORS, noun="colour map"))
    anchors = np.array([linear(c) for c in written.split()])
    # Interpolated in (approximate) sRGB, in which the maps are perceptually even.
    return _between(anchors ** (1 / 2.2), np.linspace(low, high, STEPS)) ** 2.2


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
