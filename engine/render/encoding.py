"""How a picture's pixels are encoded: in eight or more bits of sRGB or as linear light; opaque, or with alpha."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engine.draw.colour import linear_light
from engine.draw.frame import Sprite, Theme
from engine.errors import SettingError

DEPTHS = (8, 10, 16, 32)


@dataclass(frozen=True)
class Encoding:
    """The encoding of a picture's pixels.

    depth    bits of a colour in the file, one of DEPTHS
    alpha    True: what is transparent stays so; False: a transparent background shows as a checkerboard
    linear   True: the light of the scene, float32, without tone curve, multiplied by alpha, as OpenEXR has it;
             False: sRGB after the tone curve, not multiplied by alpha

    In eight bits a dither hides the steps; deeper ones need none.
    """

    depth: int = 8
    alpha: bool = False
    linear: bool = False

    def __post_init__(self):
        if self.depth not in DEPTHS:
            raise SettingError(f"depth={self.depth}: a colour has one of {', '.join(map(str, DEPTHS))} bits.")

    @property
    def dtype(self) -> np.dtype:
        """Of its pixels: float32 for light; else uint8, or uint16 for more than eight bits, scaled to all sixteen."""
        return np.dtype(np.float32 if self.linear else np.uint8 if self.depth == 8 else np.uint16)

    @property
    def channels(self) -> int:
        """Red, green, blue, and alpha if it has one."""
        return 4 if self.alpha else 3

    @property
    def pixel_bytes(self) -> int:
        """Bytes of a pixel in a file, before it is packed."""
        return self.channels * (1 if self.depth == 8 else 4 if self.depth == 32 else 2)

    @property
    def format(self) -> str:
        """Of the texture in which a tile is resolved: only plain pictures are finished on the GPU."""
        return "rgba8unorm" if self == PLAIN else "rgba32float"

    def constants(self, theme: Theme, exact: bool) -> dict[str, float]:
        """The constants of render/resolve. `exact`: colours are values, which the tone curve would change."""
        encoded = theme.encoded and not self.linear
        # The shoulder would change the white of paper too.
        return {
            "ENCODE": float(encoded),
            "SHOULDER": float(encoded and theme.name != "paper" and not exact),
            "DITHER": float(self.depth == 8),
            "DECODE": float(self.linear and not theme.encoded),
            "LINEAR": float(self.linear),
            "CLEAR": float(theme.is_clear) * (1.0 + self.alpha),
        }

    def finished(self, pixels: np.ndarray, sprites: Iterable[Sprite], corner: tuple[int, int]) -> np.ndarray:
        """(h, w, 4) of dtype: a part of a picture, as render/resolve leaves it, with its words.

        pixels   (h, w, 4) float32
        corner   its first pixel in the picture, x and y
        """
        height, width = pixels.shape[:2]
        result = pixels.copy()
        for sprite in sprites:
            x, y = sprite.x - corner[0], sprite.y - corner[1]
            rows = slice(max(0, y), max(0, min(height, y + sprite.image.shape[0])))
            columns = slice(max(0, x), max(0, min(width, x + sprite.image.shape[1])))
            part = sprite.image[rows.start - y : rows.stop - y, columns.start - x : columns.stop - x] / np.float32(255)
            if part.size and rows.stop > rows.start and columns.stop > columns.start:
                result[rows, columns] = self._over(part, result[rows, columns])
        if self.linear:
            return result
        most = 255 if self.depth == 8 else 65535
        return np.round(np.clip(result, 0, 1) * most).astype(self.dtype)

    def _over(self, part, under):
        """A part of a sprite, sRGB multiplied by alpha, over pixels."""
        alpha, below = part[..., 3:], under[..., 3:]
        if self.linear:
            light = linear_light(part[..., :3] / np.maximum(alpha, 1e-6)) * alpha
            return np.concatenate([light, alpha], axis=-1) + (1 - alpha) * under
        total = alpha + (1 - alpha) * below
        colour = part[..., :3] + (1 - alpha) * below * under[..., :3]
        # Where nothing of the sprite lies, the colour stays as it was, to the bit.
        mixed = np.where(alpha > 0, colour / np.maximum(total, 1e-6), under[..., :3])
        return np.concatenate([mixed, total], axis=-1)


# What windows show, and most files hold.
PLAIN = Encoding()
