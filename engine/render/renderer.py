"""One picture of a scene: a first walk that uploads and runs kernels, then, tile by tile, casts, draws and resolves."""

import weakref
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.codegen.bindings import Binding, declare
from engine.codegen.compose import compose
from engine.draw.drawable import Drawable
from engine.draw.frame import FRAME, FRAME_BINDING, LAYERS, LAYERS_READ, THEMES, Frame
from engine.draw.legend import legend_sprite
from engine.errors import SettingError
from engine.gpu.array import Array, grown
from engine.gpu.device import device
from engine.gpu.kernel import Kernel
from engine.gpu.pipeline import Draw, Pipeline
from engine.gpu.texture import Texture
from engine.render.present import lay_sprites

# Samples a pixel -> samples along its side.
GRIDS = {1: 1, 4: 2, 9: 3, 16: 4}
# A tile's layers stay under 64 MiB: half of what portable devices bind at once.
TILE_BYTES = 2**26
PICTURE_USAGE = "STORAGE_BINDING|TEXTURE_BINDING|RENDER_ATTACHMENT"


@dataclass(frozen=True)
class Report:
    """What the ray casting of a picture came to.

    rays        samples of the picture, those that miss the region included
    grazes      rays that came within rounding of a level without a certain crossing
    undecided   rays whose search ran out of its budget
    cut         rays with more surfaces than are kept
    """

    rays: int = 0
    grazes: int = 0
    undecided: int = 0
    cut: int = 0


class Picture:
    """A finished picture.

    size   (width, height)
    """

    def __init__(self, size, texture, counts, rays, pixels=None):
        self.size, self._rays = size, rays
        self._texture, self._counts, self._pixels = texture, counts, pixels

    @property
    def texture(self):
        """rgba8unorm of the whole picture, sRGB-encoded, opaque. Raises DeviceLimitError if no texture can hold it."""
        if self._texture is None:
            # It was made in tiles, which were read back one by one.
            self._texture = Texture.of(self._pixels)
        return self._texture

    def pixels(self):
        """(H, W, 4) uint8, row 0 on top; waits for the GPU."""
        if self._pixels is None:
            self._pixels = self._texture.read()
        return self._pixels

    @cached_property
    def report(self):
        """The Report; waits for the GPU."""
        return Report(self._rays, *(int(n) for n in self._counts.read()[1:]))


class Renderer:
    """Makes pictures of scenes. Keeps its textures and arrays from one picture to the next."""

    def __init__(self):
        self._size = None
        self._given = []
        self._layers = self._colour = self._depth = self._composed = None

    def frame(self, scene, clock, size, supersample=4):
        """The picture of a scene at a moment.

        size          (width, height) in pixels
        supersample   samples a pixel: 1, 4, 9 or 16
        returns       Picture

        Raises SettingError for sizes or samples that cannot be, and whatever the scene raises.
        """
        steps = self.steps(scene, clock, size, supersample)
        while True:
            try:
                next(steps)
            except StopIteration as done:
                return done.value

    def steps(self, scene, clock, size, supersample=4, *, tile_bytes=None, words=True):
        """`frame` tile by tile: a generator that yields after each tile but the last and returns the Picture.

        tile_bytes   what a tile's layers may take, for smaller tiles than the memory would allow
        words        False leaves out labels and legend, for who enlarges the picture and lays them over afterwards

        A window looks after its events between two tiles. If the scene changed meanwhile, the rest is to be left.
        """
        width, height = (int(n) for n in size)
        if supersample not in GRIDS:
            raise SettingError(f"supersample={supersample}: it takes 1, 4, 9 or 16 samples a pixel.")
        if not (1 <= width <= 32768 and 1 <= height <= 32768):
            raise SettingError(f"A picture of {width}x{height} was asked for; each side may be 1 to 32768 pixels.")
        scene.advance(clock)
        grid = GRIDS[supersample]
        drawables = [(n, world) for n, world in scene.stage.walk() if isinstance(n, Drawable)]
        lists = [d for d in drawables if d[0].makes_layers]
        if len(lists) > 4:
            raise SettingError(
                f"The scene shows {len(lists)} nodes of surfaces at once; up to 4 can be drawn together."
            )
        theme = _theme(scene)
        counts = Array.of(np.zeros(4, np.uint32))
        tiles = list(_tiles(width, height, grid, max(1, len(lists)), tile_bytes))
        whole = len(tiles) == 1
        result = self._free_texture((width, height)) if whole else None
        pixels = None if whole else np.empty((height, width, 4), np.uint8)
        for number, tile in enumerate(tiles):
            frame = self._tile(scene, (width, height), tile, grid, theme, counts, len(lists))
            if number == 0:
                self._prepare(frame, drawables)
                sprites = _overlays(drawables, scene, frame) if words else []
            texture = result if whole else Texture(tile[2:], "rgba8unorm", PICTURE_USAGE)
            self._draw(frame, drawables, lists, texture)
            lay_sprites(frame.encoder, sprites, texture.view, tile)
            device().submit(frame.encoder)
            if not whole:
                x, y, w, h = tile
                pixels[y : y + h, x : x + w] = texture.read()
            if number < len(tiles) - 1:
                yield number + 1, len(tiles)
        rays = width * height * supersample * sum(node.casts_rays for node, _ in drawables)
        picture = Picture((width, height), result, counts, rays, pixels)
        if whole:
            self._given.append((result, weakref.ref(picture)))
        return picture

    def _free_texture(self, size):
        """A texture that no living Picture holds: most often the one of the frame before last."""
        free = [t for t, picture in self._given if picture() is None and t.size == size]
        self._given = [(t, picture) for t, picture in self._given if picture() is not None]
        self._given += [(t, lambda: None) for t in free[1:]]
        return free[0] if free else Texture(size, "rgba8unorm", PICTURE_USAGE)

    def sprites(self, scene, size):
        """The labels and the legend of a scene's present moment, for a picture of a size in pixels."""
        frame = Frame(
            camera=scene.camera, size=size, tile=(0, 0, *size), grid=1, theme=_theme(scene), scale=min(size) / 720.0
        )
        return _overlays([(n, world) for n, world in scene.stage.walk() if isinstance(n, Drawable)], scene, frame)

    def pick(self, scene, clock, size, x, y):
        """The first Hit under a pixel, or None.

        x, y   in pixels of a picture of that size, y downwards
        """
        width, height = size
        scene.advance(clock)
        origin, direction = scene.camera.ray((x + 0.5) / width * 2 - 1, 1 - (y + 0.5) / height * 2, width / height)
        hits = [
            hit for node, world in scene.stage.walk()
            if isinstance(node, Drawable) and (hit := node.pick(origin, direction, world)) is not None
        ]  # fmt: skip
        return min(hits, key=lambda h: h.distance, default=None)

    def _tile(self, scene, size, tile, grid, theme, counts, lists):
        width, height = size
        _, _, w, h = tile
        samples = (w * grid, h * grid)
        # Values that are shown as they are need no more than the eight bits they end in, and blend faster.
        ground = "rgba16float" if theme.encoded else "rgba8unorm"
        if self._size != samples or self._colour.format != ground:
            self._size = samples
            self._colour = Texture(samples, ground)
            self._depth = Texture(samples, "depth32float")
            self._composed = Texture(samples, "rgba16float", "RENDER_ATTACHMENT|TEXTURE_BINDING|STORAGE_BINDING")
        self._layers = grown(self._layers, "u4", samples[0] * samples[1] * LAYERS * 4 * lists if lists else 4)
        camera = scene.camera
        scale = min(width, height) / 720.0
        frame = Frame(
            encoder=device().encoder(),
            uniforms=Array.of(_frame_struct(camera, size, tile, grid, theme, lists, scale), "uniform"),
            layers=self._layers,
            counts=counts,
            colour=self._colour,
            depth=self._depth,
            composed=self._composed,
            camera=camera,
            size=size,
            tile=tile,
            grid=grid,
            theme=theme,
            scale=scale,
        )
        return frame

    def _prepare(self, frame, drawables):
        number = 0
        for node, world in drawables:
            frame.list_number = number
            node.prepare(frame, world)
            number += node.makes_layers

    def _draw(self, frame, drawables, lists, texture):
        for node, world in drawables:
            node.fill(frame, world)
        self._raster(frame, drawables)
        for node, world in lists:
            node.cast(frame, world)
        composed = frame.colour
        if lists:
            self._compose(frame, len(lists))
            composed = frame.composed
        light = [(n, world) for n, world in drawables if n.phase == "light"]
        if light:
            frame.canvas = composed
            step = frame.encoder.begin_render_pass(
                color_attachments=[{"view": composed.view, "load_op": "load", "store_op": "store"}],
                depth_stencil_attachment={"view": frame.depth.view, "depth_read_only": True},
            )
            for node, world in light:
                node.draw(frame, step, world)
            step.end()
        if frame.grid == 1 and composed.format == texture.format:
            frame.encoder.copy_texture_to_texture(
                {"texture": composed.handle}, {"texture": texture.handle}, (*texture.size, 1)
            )
        else:
            self._resolve(frame, composed, texture)

    def _raster(self, frame, drawables):
        frame.canvas = frame.colour
        step = frame.encoder.begin_render_pass(
            color_attachments=[
                {
                    "view": frame.colour.view,
                    "load_op": "clear",
                    "store_op": "store",
                    "clear_value": (*frame.theme.ground, 1),
                }
            ],
            depth_stencil_attachment={
                "view": frame.depth.view,
                "depth_load_op": "clear",
                "depth_store_op": "store",
                "depth_clear_value": 1.0,
            },
        )
        if frame.theme.encoded:
            bindings = (FRAME_BINDING,)
            pipeline = Pipeline(
                compose("draw/backdrop", {"bindings": declare(bindings)}),
                bindings,
                Draw((frame.canvas.format,), blend="replace", depth="keep"),
            )
            pipeline.draw(step, pipeline.bind(frame=frame.uniforms), 3)
        for phase in ("under", "solid"):
            for node, world in drawables:
                if node.phase == phase:
                    node.draw(frame, step, world)
        step.end()

    def _compose(self, frame, lists):
        bindings = (
            FRAME_BINDING,
            LAYERS_READ,
            Binding("colour", "texture", "texture_2d<f32>"),
            Binding("depth_map", "texture", "texture_depth_2d"),
            Binding("composed", "storage_texture", "texture_storage_2d<rgba16float, write>"),
        )
        kernel = Kernel(
            compose("render/compose", {"bindings": declare(bindings)}), bindings, constants={"LISTS": float(lists)}
        )
        group = kernel.bind(
            frame=frame.uniforms,
            layers=frame.layers,
            colour=frame.colour,
            depth_map=frame.depth,
            composed=frame.composed,
        )
        width, height = frame.samples
        kernel.dispatch(frame.encoder, group, (-(-width // 8), -(-height // 8)))

    def _resolve(self, frame, composed, texture):
        bindings = (
            FRAME_BINDING,
            Binding("composed", "texture", "texture_2d<f32>"),
            Binding("picture", "storage_texture", "texture_storage_2d<rgba8unorm, write>"),
        )
        constants = {
            "GRID": frame.grid,
            "ENCODE": float(frame.theme.encoded),
            "PAPER": float(frame.theme.name == "paper"),
        }
        kernel = Kernel(compose("render/resolve", {"bindings": declare(bindings)}), bindings, constants=constants)
        group = kernel.bind(frame=frame.uniforms, composed=composed, picture=texture)
        kernel.dispatch(frame.encoder, group, (-(-frame.tile[2] // 8), -(-frame.tile[3] // 8)))


def _tiles(width, height, grid, lists, tile_bytes=None):
    """(x, y, width, height) of tiles that cover a picture, each with layers under TILE_BYTES; whole rows first."""
    most = (tile_bytes or TILE_BYTES) // (LAYERS * 16 * lists * grid * grid)
    side = min(device().limits["max-texture-dimension-2d"] // grid, 4096)
    tile_width = min(width, side, most)
    tile_height = max(1, min(height, side, most // tile_width))
    for y in range(0, height, tile_height):
        for x in range(0, width, tile_width):
            yield x, y, min(tile_width, width - x), min(tile_height, height - y)


def _frame_struct(camera, size, tile, grid, theme, lists, scale):
    width, height = size
    x, y, w, h = tile
    aspect = width / height
    # The tile's clip space: the whole picture's, scaled and moved so that the tile fills it.
    crop = np.eye(4)
    crop[0, 0], crop[1, 1] = width / w, height / h
    crop[0, 3] = (width - 2 * x - w) / w
    crop[1, 3] = -(height - 2 * y - h) / h
    half_width, half_height = camera.half_sizes(aspect)
    return FRAME.new(
        view_projection=(crop @ camera.projection(aspect) @ camera.view()).T,
        eye=(*camera.eye, 1.0),
        right=(*(camera.right * half_width), 0.0),
        upward=(*(camera.upward * half_height), 0.0),
        forward=(*camera.forward, float(camera.is_orthographic)),
        ground=(*theme.ground, 1.0),
        glow=(*theme.glow, 1.0),
        ink=(*theme.ink, 1.0),
        size=(width * grid, height * grid),
        offset=(x * grid, y * grid),
        tile=(w * grid, h * grid),
        near=camera.near,
        far=camera.far,
        grid=grid,
        scale=scale,
        paper=float(theme.name == "paper"),
        lists=lists,
    )


def _theme(scene):
    return THEMES[getattr(scene, "ground", None) or scene.theme]


def _overlays(drawables, scene, frame):
    for node, world in drawables:
        node.overlay(frame, world)
    legend = scene.legend()
    if legend is not None:
        frame.sprites.append(legend_sprite(legend, frame))
    return list(frame.sprites)
