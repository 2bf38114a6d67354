"""Laying finished pictures on something else: sprites on a picture, a picture on a window's surface."""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from engine.draw.frame import Sprite
from engine.draw.program import Program
from engine.gpu.array import Array
from engine.gpu.passes import Encoder, View, render_pass
from engine.gpu.structs import struct
from engine.gpu.texture import Texture
from engine.render.tiling import Rectangle, overlap

SPRITE = struct("SpritePlace", place="vec4f", tile="vec4f")
BLIT = struct("BlitPlace", place="vec4f", decode="vec4f")
SPRITE_PROGRAM = Program("render/sprite", sprite=SPRITE, image="texture_2d<f32>")
BLIT_PROGRAM = Program("render/blit", blend="replace", blit=BLIT, image="texture_2d<f32>")
# Bytes of a sprite that stays on the GPU: the words of a usual picture, which the next one has too.
CACHED_BYTES = 2**20


def draw_sprites(
    encoder: Encoder,
    sprites: Iterable[Sprite],
    view: View,
    tile: Rectangle,
    format: str = "rgba8unorm",
) -> None:
    """Blends sprites over a picture, or over the tile of one.

    view      of the texture with the tile's pixels at its left top corner
    tile      (x, y, width, height) in pixels of the whole picture; sprites outside are left out
    format    of that texture; `-srgb` formats blend linear values
    """
    x, y, width, height = tile
    parts = [part for sprite in sprites if (part := _within(sprite, tile)) is not None]
    if not parts:
        return
    step = render_pass(encoder, "words", view)
    # A view may be larger than the tile that is laid on it: a window with a panel beside the picture.
    step.set_viewport(0, 0, width, height, 0.0, 1.0)
    decode = float(format.endswith("-srgb"))
    for left, top, image in parts:
        h, w = image.shape[:2]
        place = _sprite_place((left - x, top - y, w, h), (width, height, decode, 0.0))
        SPRITE_PROGRAM.draw_to(format, step, 4, sprite=place, image=_sprite_texture(image))
    step.end()


def blit(
    encoder: Encoder,
    texture: Texture,
    target_view: View,
    target_format: str,
    viewport: Rectangle,
    *,
    clear: tuple[float, float, float] | None = (0.0, 0.0, 0.0),
) -> None:
    """Draws a finished picture into part of a surface, stretched if their sizes differ.

    texture         rgba8unorm, sRGB-encoded
    target_view     of the surface's current texture
    target_format   its format; `-srgb` formats get linear values
    viewport        (x, y, width, height) in the surface's pixels
    clear           linear RGB around it, or None to leave what is there
    """
    place = _blit_place(tuple(viewport), float(target_format.endswith("-srgb")))
    step = render_pass(encoder, "blit", target_view, clear=None if clear is None else (*clear, 1.0))
    step.set_viewport(*viewport, 0.0, 1.0)
    step.set_scissor_rect(*(int(v) for v in viewport))
    BLIT_PROGRAM.draw_to(target_format, step, 3, blit=place, image=texture)
    step.end()


def _within(sprite, tile):
    """(x, y, image) of the part of a sprite that lies on a tile, or None."""
    height, width = sprite.image.shape[:2]
    shared = overlap((sprite.x, sprite.y, width, height), tile)
    if shared is None:
        return None
    x, y, w, h = shared
    return x, y, sprite.image[y - sprite.y :, x - sprite.x :][:h, :w]


def _sprite_texture(image):
    if image.nbytes > CACHED_BYTES:
        return Texture.of(image)
    return _cached_texture(image.shape, image.tobytes())


@lru_cache(maxsize=256)
def _cached_texture(shape, data):
    return Texture.of(np.frombuffer(data, np.uint8).reshape(shape))


# A buffer for each place, not one that is written again: several may be recorded before they are submitted.
@lru_cache(maxsize=256)
def _sprite_place(place, tile):
    return Array.of(SPRITE.new(place=place, tile=tile), "uniform")


@lru_cache(maxsize=16)
def _blit_place(place, decode):
    return Array.of(BLIT.new(place=place, decode=(decode, 0, 0, 0)), "uniform")
