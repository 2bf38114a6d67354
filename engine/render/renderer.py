"""One picture of a scene: a first walk that uploads and runs kernels, then, tile by tile, casts, draws and resolves."""

import weakref
from dataclasses import dataclass

import numpy as np

from engine.draw.drawable import Aim, Drawable
from engine.draw.frame import FRAME, FRAME_BINDING, LAYERS, LAYERS_READ, THEMES, Frame, Theme
from engine.draw.words.legend import legend_sprite
from engine.gpu.array import Array, grown
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import compose
from engine.gpu.device import device
from engine.gpu.kernel import Kernel
from engine.gpu.pipeline import Draw, Pipeline
from engine.gpu.texture import ReadBack, Texture
from engine.render.picture import Picture
from engine.render.present import lay_sprites
from engine.render.tiling import Plan, overlap, plan

PICTURE_USAGE = "STORAGE_BINDING|TEXTURE_BINDING|RENDER_ATTACHMENT"


@dataclass
class Shot:
    """One picture of a scene at a moment, while it is being made.

    plan        how it is cut
    drawables   (Drawable, its transform), in the order of the stage
    lists       those of them that make layers
    counts      Array, see draw.frame.Frame
    sprites     words and legend, in pixels of the picture; None until the first tile is begun
    is_prepared  True once the first tile is begun
    """

    scene: object
    plan: Plan
    theme: Theme
    drawables: list
    lists: list
    counts: Array
    sprites: list | None = None
    is_prepared: bool = False

    @property
    def size(self):
        return self.plan.size

    @property
    def grid(self):
        return self.plan.grid

    @property
    def is_exact(self):
        """True where a node's colours are values."""
        return any(node.is_exact for node, _ in self.drawables)

    @property
    def rays(self):
        """Samples that rays are cast for."""
        casting = sum(node.casts_rays for node, _ in self.drawables)
        return self.size[0] * self.size[1] * self.grid**2 * casting


class Renderer:
    """Makes pictures of scenes. Keeps its textures and arrays from one picture to the next."""

    def __init__(self):
        self._given, self._kept, self._layers = [], {}, None

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
        shot = self._begin(scene, clock, size, supersample, tile_bytes)
        width, height = shot.size
        cut = list(shot.plan.tiles())
        if not words:
            shot.sprites = []
        if len(cut) == 1:
            # A live picture: it stays on the GPU, in one texture.
            result = self._free_texture(shot.size)
            self._paint(shot, cut[0], result)
            picture = Picture(shot.size, result, shot.counts, shot.rays)
            self._given.append((result, weakref.ref(picture)))
            return picture
        pixels = np.empty((height, width, 4), np.uint8)
        # Who asks for smaller tiles is waiting for each of them; nothing more is begun meanwhile.
        for number, ((x, y, w, h), part) in enumerate(self._read(shot, cut, ahead=tile_bytes is None), 1):
            pixels[y : y + h, x : x + w] = part
            if number < len(cut):
                yield number, len(cut)
        return Picture(shot.size, None, shot.counts, shot.rays, pixels)

    def tiles(self, scene, clock, size, supersample=4, *, within=None):
        """The picture as a stream: yields (x, y, width, height, pixels) tile by tile, row by row of tiles.

        within    (x, y, width, height): only these pixels of the picture; all of it unless told
        pixels    (height, width, 4) uint8 of that part of the picture, opaque

        No more than two tiles are held at a time, whatever the picture's size. How it is cut depends only on size,
        samples and how many nodes of surfaces there are; a part has the bytes that it has in the whole.
        """
        shot = self._begin(scene, clock, size, supersample)
        within = within or (0, 0, *shot.size)
        for tile, pixels in self._read(shot, shot.plan.tiles(within), ahead=True):
            x, y, w, h = overlap(tile, within)
            yield x, y, w, h, pixels[y - tile[1] :, x - tile[0] :][:h, :w]

    def _begin(self, scene, clock, size, supersample, tile_bytes=None):
        """The Shot of a scene, which is brought to the moment."""
        scene.advance(clock)
        cut = plan(scene.stage, size, supersample, tile_bytes)
        drawables = [(n, world) for n, world in scene.stage.walk() if isinstance(n, Drawable)]
        lists = [d for d in drawables if d[0].makes_layers]
        counts = Array.of(np.zeros(4, np.uint32))
        return Shot(scene, cut, _theme(scene), drawables, lists, counts)

    def _read(self, shot, cut, *, ahead):
        """(tile, its pixels) of each tile. `ahead` hands the next to the GPU before the one before is waited for."""
        waiting = None
        for tile in cut:
            texture = Texture(tile[2:], "rgba8unorm", PICTURE_USAGE)
            begun = tile, self._paint(shot, tile, texture, ReadBack(texture))
            if not ahead:
                yield tile, begun[1].pixels()
                continue
            if waiting is not None:
                yield waiting[0], waiting[1].pixels()
            waiting = begun
        if waiting is not None:
            yield waiting[0], waiting[1].pixels()

    def _paint(self, shot, tile, texture, back=None):
        """Hands one tile to the GPU, drawn to a texture; returns `back`, a ReadBack that gets a copy of it."""
        frame = self._tile(shot, tile)
        if not shot.is_prepared:
            shot.is_prepared = True
            self._prepare(frame, shot.drawables)
            if shot.sprites is None:
                shot.sprites = _overlays(shot.drawables, shot.scene, frame)
        self._draw(frame, shot.drawables, shot.lists, texture)
        lay_sprites(frame.encoder, shot.sprites, texture.view, tile)
        if back is not None:
            back.record(frame.encoder)
        device().submit(frame.encoder)
        return back

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
        scene.advance(clock)
        aim = Aim.at(scene.camera, size, x, y)
        hits = [
            hit for node, world in scene.stage.walk()
            if isinstance(node, Drawable) and (hit := node.pick(aim, world)) is not None
        ]  # fmt: skip
        return min(hits, key=lambda h: h.distance, default=None)

    def _tile(self, shot, tile):
        """The Frame of a tile, its encoder open."""
        (width, height), grid, theme, lists = shot.size, shot.grid, shot.theme, len(shot.lists)
        _, _, w, h = tile
        samples = (w * grid, h * grid)
        # Values that are shown as they are need no more than the eight bits they end in, and blend faster.
        ground = "rgba16float" if theme.encoded else "rgba8unorm"
        colour, depth, composed = self._surfaces(samples, ground)
        self._layers = grown(self._layers, "u4", samples[0] * samples[1] * LAYERS * 4 * lists if lists else 4)
        camera = shot.scene.camera
        scale = min(width, height) / 720.0
        return Frame(
            encoder=device().encoder(),
            uniforms=Array.of(_frame_struct(camera, shot.size, tile, grid, theme, lists, scale), "uniform"),
            layers=self._layers,
            counts=shot.counts,
            colour=colour,
            depth=depth,
            composed=composed,
            camera=camera,
            size=shot.size,
            tile=tile,
            grid=grid,
            theme=theme,
            scale=scale,
            exact=shot.is_exact,
        )

    def _surfaces(self, samples, ground):
        """The textures of samples that a tile is drawn in: colour, depth, composed."""
        key = samples, ground
        if key not in self._kept:
            # The tiles of a picture have four sizes at most, those at its right and lower edges being smaller.
            if len(self._kept) >= 4:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = (
                Texture(samples, ground),
                Texture(samples, "depth32float"),
                Texture(samples, "rgba16float", "RENDER_ATTACHMENT|TEXTURE_BINDING|STORAGE_BINDING"),
            )
        return self._kept[key]

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
        frame.canvas = composed
        for node, world in drawables:
            if node.phase == "cloud":
                node.lay(frame, world)
        light = [(n, world) for n, world in drawables if n.phase == "light"]
        if light:
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
            # On paper white must stay white, and where colours are values they must stay those.
            "SHOULDER": float(frame.theme.name != "paper" and not frame.exact),
        }
        kernel = Kernel(compose("render/resolve", {"bindings": declare(bindings)}), bindings, constants=constants)
        group = kernel.bind(frame=frame.uniforms, composed=composed, picture=texture)
        kernel.dispatch(frame.encoder, group, (-(-frame.tile[2] // 8), -(-frame.tile[3] // 8)))


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
