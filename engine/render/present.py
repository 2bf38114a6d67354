"""Laying finished pictures on something else: sprites on a picture, a picture on a window's surface."""

import numpy as np

from engine.gpu.array import Array
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import compose
from engine.gpu.pipeline import Draw, Pipeline
from engine.gpu.structs import struct
from engine.gpu.texture import Texture
from engine.render.tiling import overlap

SPRITE = struct("SpritePlace", place="vec4f", tile="vec4f")
BLIT = struct("BlitPlace", place="vec4f", decode="vec4f")
_masks = {}
# Bytes of a sprite that is kept on the GPU: the words of a usual picture, which the next one has too.
KEPT_BYTES = 2**20


def _within(sprite, tile):
    """(x, y, image) of the part of a sprite that lies on a tile, or None."""
    height, width = sprite.image.shape[:2]
    shared = overlap((sprite.x, sprite.y, width, height), tile)
    if shared is None:
        return None
    x, y, w, h = shared
    return x, y, sprite.image[y - sprite.y :, x - sprite.x :][:h, :w]


def _sprite_texture(image):
    if image.nbytes > KEPT_BYTES:
        return Texture.of(image)
    key = (image.shape, image.tobytes())
    if key not in _masks:
        if len(_masks) > 256:
            _masks.clear()
        _masks[key] = Texture.of(image)
    return _masks[key]


def lay_sprites(encoder, sprites, view, tile, format="rgba8unorm"):
    """Blends sprites over a picture, or over the tile of one.

    view      of the texture with the tile's pixels at its left top corner
    tile      (x, y, width, height) in pixels of the whole picture; sprites outside are left out
    format    of that texture; `-srgb` formats blend linear values
    """
    x, y, width, height = tile
    near = [part for sprite in sprites if (part := _within(sprite, tile)) is not None]
    if not near:
        return
    bindings = (Binding("sprite", "uniform", SPRITE), Binding("image", "texture", "texture_2d<f32>"))
    pipeline = Pipeline(
        compose("render/sprite", {"bindings": declare(bindings)}),
        bindings,
        Draw((format,), topology="triangle-strip"),
    )
    step = encoder.begin_render_pass(color_attachments=[{"view": view, "load_op": "load", "store_op": "store"}])
    # A view may be larger than the tile that is laid on it: a window with a panel beside the picture.
    step.set_viewport(0, 0, width, height, 0.0, 1.0)
    decode = float(format.endswith("-srgb"))
    for left, top, image in near:
        h, w = image.shape[:2]
        place = Array.of(SPRITE.new(place=(left - x, top - y, w, h), tile=(width, height, decode, 0)), "uniform")
        pipeline.draw(step, pipeline.bind(sprite=place, image=_sprite_texture(image)), 4)
    step.end()


def blit(encoder, texture, target_view, target_format, viewport, *, clear=(0.0, 0.0, 0.0)):
    """Draws a finished picture into part of a surface, stretched if their sizes differ.

    texture         rgba8unorm, sRGB-encoded
    target_view     of the surface's current texture
    target_format   its format; `-srgb` formats get linear values
    viewport        (x, y, width, height) in the surface's pixels
    clear           linear RGB around it, or None to keep what is there
    """
    bindings = (Binding("blit", "uniform", BLIT), Binding("image", "texture", "texture_2d<f32>"))
    module = compose("render/blit", {"bindings": declare(bindings)})
    pipeline = Pipeline(module, bindings, Draw((target_format,), blend="replace"))
    attachment = {"view": target_view, "load_op": "load", "store_op": "store"}
    if clear is not None:
        attachment |= {"load_op": "clear", "clear_value": (*clear, 1.0)}
    place = Array.of(
        BLIT.new(place=np.asarray(viewport, float), decode=(float(target_format.endswith("-srgb")), 0, 0, 0)), "uniform"
    )
    step = encoder.begin_render_pass(color_attachments=[attachment])
    step.set_viewport(*viewport, 0.0, 1.0)
    step.set_scissor_rect(*(int(v) for v in viewport))
    pipeline.draw(step, pipeline.bind(blit=place, image=texture), 3)
    step.end()
