"""Draws sprites over a picture, and a finished picture to a window's surface."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from engine.draw.colour import RGB
from engine.draw.frame import Sprite
from engine.draw.program import Program
from engine.gpu.array import Array
from engine.gpu.bindings import Binding
from engine.gpu.passes import Encoder, View, render_pass
from engine.gpu.structs import struct
from engine.gpu.texture import Sampler, Texture
from engine.kept import kept
from engine.render.tiling import Rectangle, overlap
from engine.view.camera import Camera

# place: of the image; tile: the target's size in pixels, then 1 if the target takes linear values.
PLACE = struct("ImagePlace", place="vec4f", tile="vec4f")
SPRITE_PROGRAM = Program("render/sprite", node=PLACE, image="texture_2d<f32>")
# Of the present camera and the one that a picture was drawn with: eye, half the width in right.w, half the height in
# upward.w, 1 in forward.w if rays are parallel; a ball's middle and radius; the colour of the rest, linear or not.
WARP = struct(
    "Warp", place="vec4f", clear="vec4f", middle="vec4f",
    eye="vec4f", right="vec4f", upward="vec4f", forward="vec4f",
    old_eye="vec4f", old_right="vec4f", old_upward="vec4f", old_forward="vec4f",
)  # fmt: skip
WARP_PROGRAM = Program(
    "render/warp", blend="replace", node=WARP, image="texture_2d<f32>", between=Binding("between", "sampler", "sampler")
)
# Squares along a side of the grid in that file.
GRID = 48
# Steps in which the place of a word in a moved picture is found.
NEWTON = 6
# Half widths of the picture within which that is good enough: under a tenth of a pixel of the widest.
NEAR = 1e-5
BLIT_PROGRAM = Program("render/blit", blend="replace", node=PLACE, image="texture_2d<f32>")
# Sprites of up to so many bytes stay on the GPU, since the next picture usually has the same words.
CACHED_BYTES = 2**20


def draw_sprites(
    encoder: Encoder, sprites: Iterable[Sprite], view: View, tile: Rectangle, format: str = "rgba8unorm"
) -> None:
    """Blends sprites over a picture, or over the tile of one.

    view      of the texture, with the tile's pixels at its top left corner
    tile      (x, y, width, height) in pixels of the whole picture; sprites outside are left out
    format    of that texture; `-srgb` formats blend linear values
    """
    x, y, width, height = tile
    parts = [part for sprite in sprites if (part := _within(sprite, tile)) is not None]
    if not parts:
        return
    step = render_pass(encoder, "words", view)
    # The view may be larger than the tile, as in a window with a panel beside the picture.
    step.set_viewport(0, 0, width, height, 0.0, 1.0)
    for left, top, image in parts:
        h, w = image.shape[:2]
        place = _place((left - x, top - y, w, h), (width, height), format)
        SPRITE_PROGRAM.draw_to(format, step, 4, node=place, image=_sprite_texture(image))
    step.end()


def blit(encoder: Encoder, texture: Texture, view: View, format: str, size: tuple[int, int], clear: RGB) -> None:
    """Draws a finished picture at a surface's top left corner, scaled to `size`.

    texture   rgba8unorm, sRGB-encoded
    view      of the surface's current texture
    format    its format; `-srgb` formats get linear values
    size      (width, height) of the picture on the surface, in the surface's pixels
    clear     linear RGB of the rest of the surface
    """
    step = render_pass(encoder, "blit", view, clear=(*clear, 1.0))
    step.set_viewport(0, 0, *size, 0.0, 1.0)
    step.set_scissor_rect(0, 0, *size)
    BLIT_PROGRAM.draw_to(format, step, 3, node=_place((0, 0, *size), size, format), image=texture)
    step.end()


def blit_moved(
    encoder: Encoder, texture: Texture, view: View, format: str, size: tuple[int, int], clear: RGB,
    old: Camera, now: Camera, radius: float, old_size: tuple[int, int] | None = None,
) -> None:  # fmt: skip
    """`blit` of a picture that a camera `old` has seen, about as the camera `now` sees it.

    What is seen is taken to lie on a ball round the target of `now`, and where a ray passes it, as far away as that.

    radius     of that ball, world units; 0 for a flat scene, where all is right but what was outside of the picture
    old_size   of the picture when it was seen, if that was another
    """
    step = render_pass(encoder, "warp", view, clear=(*clear, 1.0))
    step.set_viewport(0, 0, *size, 0.0, 1.0)
    step.set_scissor_rect(0, 0, *size)
    linear = format.endswith("-srgb")
    cameras: dict[str, tuple[float, ...]] = {}
    for prefix, camera, (wide, high) in (("", now, size), ("old_", old, old_size or size)):
        width, height = camera.half_sizes(wide / high)
        cameras |= {
            f"{prefix}eye": (*camera.eye, 1.0), f"{prefix}right": (*camera.right, width),
            f"{prefix}upward": (*camera.upward, height),
            f"{prefix}forward": (*camera.forward, float(camera.is_orthographic)),
        }  # fmt: skip
    node = WARP.new(place=(0, 0, *size), clear=(*clear, float(linear)), middle=(*now.target, radius), **cameras)
    uniform = Array.of(node, "uniform")
    WARP_PROGRAM.draw_to(format, step, 2 * GRID + 2, GRID, node=uniform, image=texture, between=_sampler())
    step.end()


def moved_sprites(
    sprites: Iterable[Sprite], size: tuple[int, int], old: Camera, now: Camera, radius: float,
    old_size: tuple[int, int] | None = None,
) -> list[Sprite]:  # fmt: skip
    """Words over a picture of `blit_moved`: those of places go where it shows these; the others stay at their edge."""
    sprites, signs, wider = list(sprites), np.array([1.0, -1.0]), np.subtract(size, old_size or size)
    origins = np.array([sprite.origin for sprite in sprites]).reshape(-1, 2)
    before = np.array(old_size or size)
    by = np.where(2.0 * origins > before, wider, 0)
    placed = np.flatnonzero([sprite.is_placed for sprite in sprites])
    if len(placed):
        wanted = (2.0 * origins[placed] / before - 1.0) * signs
        found = _now(wanted, size, old, now, radius, tuple(before))
        by[placed] = np.rint((found * signs + 1.0) / 2.0 * size - origins[placed])
    return [replace(s, x=s.x + int(x), y=s.y + int(y)) for s, (x, y) in zip(sprites, by, strict=True)]


def _now(wanted, *view):
    """(n, 2) where what was seen at (n, 2) places is now, both in [-1, 1]; `view` as for `_before`."""
    at, step = wanted.copy(), 1e-4
    for _ in range(NEWTON):
        off = _before(at, *view) - wanted
        if np.abs(off).max() < NEAR:
            break
        slopes = [(_before(at + by, *view) - wanted - off) / step for by in np.eye(2) * step]
        at -= (np.linalg.pinv(np.stack(slopes, -1)) @ off[..., None])[..., 0].clip(-0.5, 0.5)
    return at


def _before(ndc, size, old, now, radius, old_size):
    """(n, 2) where `old` has seen what `now` sees at (n, 2) places, both in [-1, 1]; as in wgsl/render/warp.wgsl."""
    across = (ndc * now.half_sizes(size[0] / size[1])) @ np.stack([now.right, now.upward])
    eye, ray = np.asarray(now.eye), now.forward + across
    if now.is_orthographic:
        eye, ray = eye + across, np.broadcast_to(now.forward, across.shape)
    ray = ray / np.linalg.norm(ray, axis=-1, keepdims=True)
    middle = now.target - eye
    nearest = (middle * ray).sum(-1, keepdims=True)
    off = ((middle - ray * nearest) ** 2).sum(-1, keepdims=True)
    rel = eye + ray * np.maximum(nearest - np.sqrt(np.maximum(radius**2 - off, 0.0)), 1e-3) - old.eye
    depth = 1.0 if old.is_orthographic else np.maximum(rel @ old.forward, 1e-6)[:, None]
    halves = np.array(old.half_sizes(old_size[0] / old_size[1]))
    return (rel @ np.stack([old.right, old.upward], -1) / (depth * halves)).clip(-2e3, 2e3)


def _within(sprite, tile):
    """(x, y, image) of the part of a sprite that lies within a tile, or None."""
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


@kept
def _cached_texture(shape, data):
    return Texture.of(np.frombuffer(data, np.uint8).reshape(shape))


@kept
def _sampler():
    return Sampler()


# Each place has its own buffer: one buffer must not be rewritten, since several draws may be recorded before a submit.
@kept
def _place(place, size, format):
    return Array.of(PLACE.new(place=place, tile=(*size, float(format.endswith("-srgb")), 0.0)), "uniform")
