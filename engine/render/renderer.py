"""Draws pictures of scenes: a first walk uploads and runs kernels; then each tile is cast, drawn and resolved."""

import weakref
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import Any

import numpy as np

from engine.draw.drawable import Aim, Drawable, Hit
from engine.draw.frame import FRAME, LAYERS, Frame, Sprite
from engine.draw.words.key import Key
from engine.draw.words.legend import legend_sprites
from engine.gpu.array import Array, grown
from engine.gpu.device import device, device_changes
from engine.gpu.passes import debug_group
from engine.gpu.texture import ReadBack, Texture
from engine.gpu.timing import PassTimes
from engine.kernels.search.budget import Allowance, Budget
from engine.kernels.search.progress import Progress
from engine.render.encoding import PLAIN, Encoding
from engine.render.picture import Picture, Report
from engine.render.present import draw_sprites
from engine.render.shot import Shot, Subject, shape, theme_of
from engine.render.tile_passes import compose_layers, draw_light, draw_solid, frame_struct, resolve
from engine.render.tiling import Rectangle, overlap, plan

# What `Renderer.steps` gives: it is sent True to end it with what is known.
Steps = Generator[Progress, bool | None, Picture]
# A tile that was handed to the GPU, and the copy of its pixels.
Waiting = tuple[Rectangle, ReadBack]
# What a cast without rays takes of one with rays, as the paths of sparks in a small picture.
OTHER_WORK = 0.15
PICTURE_USAGE = "STORAGE_BINDING|TEXTURE_BINDING|RENDER_ATTACHMENT"


class Renderer:
    """Makes pictures of scenes; reuses its textures and arrays from one picture to the next.

    From a setting to a pixel:

    1. Somebody sets `scene.level = 0.5`, and asks for `frame(scene, clock, size, supersample)`.
    2. `scene.advance(clock)` brings the scene to the moment: it builds its nodes if a setting asks for that, and its
       `update` writes the level to the nodes. Nodes are descriptions: the GPU has heard nothing yet.
    3. `tiling.plan` cuts the picture into tiles. How depends on the size, the samples and the number of nodes that make
       layers, and on no adapter. The tiles are drawn one by one, each by one command encoder in a Frame.
    4. First walk, once a picture: `prepare` of each node uploads what has changed (here the few floats of a uniform; a
       network's weights only if it is another), and `overlay` lays out words in pixels.
    5. Second walk, for each tile: `fill` of each node runs its kernels; each node of surfaces casts a ray a sample and
       writes the surfaces it meets as a list of layers (`cast`), in steps between which other work may be done; solid
       things are drawn with depth into half-float samples (`draw_solid`); the lists are merged front to back over them
       (`compose_layers`); clouds are drawn over that (`draw_cloud`), and light is added where the depth buffer does not
       hide it (`draw_light`).
    6. `resolve` averages the samples of each pixel, in linear light, and encodes the mean as eight bits of sRGB. Words
       and legend are laid over the pixels, and the encoder is submitted.
    7. A picture of one tile stays in its texture, for a window to show; `Picture.pixels` reads it. Tiles of a larger
       one are read while the next is drawn.

    A second picture of the same scene at the same moment composes no shader, makes no pipeline, buffer or bind group
    and uploads nothing.

    times    PassTimes of all pictures since `time_passes`, or None
    budget   the Budget of the pictures that are begun from now on; may be set
    report   the sum of the Reports of all pictures whose pixels, or report, were asked for; may be set
    """

    def __init__(self) -> None:
        self.times: PassTimes | None = None
        self.budget, self.report = Budget(), Report()
        self._changes = device_changes()
        self._forget()

    def _forget(self):
        """Begins with no textures and arrays."""
        # (texture, counts, weak reference to the Picture that was made in them)
        self._outputs: list[tuple[Texture, Array, weakref.ref]] = []
        self._samples: dict[tuple, tuple[Texture, Texture, Texture]] = {}
        self._uniforms: Array | None = None
        self._layers: Array | None = None

    def time_passes(self, on: bool = True) -> PassTimes | None:
        """From now on times each pass of each picture, and waits for each picture; returns the PassTimes.

        Each Picture's report has the times of its own passes. `on=False` ends the timing.
        """
        self.times = PassTimes() if on else None
        return self.times

    def frame(self, scene: Subject, clock: object, size: tuple[int, int], supersample: int = 4, **more: Any) -> Picture:
        """The picture of a scene at a moment.

        size          (width, height) in pixels
        supersample   samples a pixel: 1, 4, 9 or 16
        more          as `steps` takes it

        Raises SettingError for wrong sizes or samples, and whatever the scene raises.
        """
        steps = self.steps(scene, clock, size, supersample, **more)
        while not isinstance(found := advanced(steps), Picture):
            pass
        return found

    def steps(
        self, scene: Subject, clock: object, size: tuple[int, int], supersample: int = 4, *,
        tile_bytes: int | None = None, words: bool = True, draft: bool = False, advances: bool = True,
        encoding: Encoding = PLAIN,
    ) -> Steps:  # fmt: skip
        """`frame` step by step: a generator that yields the Progress of the picture's rays and returns the Picture.

        tile_bytes   the most bytes of a tile's layers, to get smaller tiles than usual
        words        False leaves out labels and legend, for callers that enlarge the picture and draw them afterwards
        draft        True draws nodes that can draft sooner, without certainty
        advances     False for a scene that was brought to the moment
        encoding     of the pixels: Picture.pixels then are of its dtype, and the picture is in no texture

        A window handles its events between two steps. If the scene changed meanwhile, it must drop the generator.
        `cut_short` has the generator end soon, with a picture of what is known.
        """
        self._renewed()
        if advances:
            shape(scene, size)
            scene.advance(clock)
        shot = self._begin(scene, size, supersample, encoding, tile_bytes, draft)
        width, height = size = shot.plan.size
        tiles = list(shot.plan.tiles())
        if not words:
            shot.sprites = []
        if len(tiles) == 1 and encoding == PLAIN:
            # A picture of one tile stays on the GPU, in one texture.
            texture, shot.counts = self._output(size)
            yield from self._draw(shot, tiles[0], texture)
            passes, counts = self._passes(shot), shot.counts
            picture = Picture(size, texture, lambda: self._counted(Report.of(counts.read(), passes)))
            self._outputs.append((texture, shot.counts, weakref.ref(picture)))
            return picture
        pixels = np.empty((height, width, 4), encoding.dtype)
        shot.counts, report, waiting = _counts(), Report(), deque[Waiting]()
        for tile in tiles:
            if shot.drawn:
                shot.heed((yield shot.progress()))
            yield from self._begun(shot, tile, waiting)
            # With `tile_bytes` the caller waits for each tile, so no further tile is handed to the GPU in advance.
            for (x, y, w, h), part, counts in self._read(shot, waiting, int(tile_bytes is None and tile != tiles[-1])):
                pixels[y : y + h, x : x + w] = part
                report += counts
        report = replace(report, passes=self._passes(shot))
        return Picture(size, None, lambda: report, pixels)

    def tiles(
        self,
        scene: Subject,
        clock: object,
        size: tuple[int, int],
        supersample: int = 4,
        *,
        within: Rectangle | None = None,
        encoding: Encoding = PLAIN,
        heed: Callable[[Progress], bool | None] = lambda progress: None,
    ) -> Iterator[tuple[int, int, int, int, np.ndarray]]:
        """The picture as a stream: yields (x, y, width, height, pixels) tile by tile, row by row of tiles.

        within    (x, y, width, height): only this part of the picture; None for all of it
        heed      is called with the Progress of the part's rays; what it returns is True once no more time is to be
                  spent on them
        pixels    (height, width, 4) of that part of the picture, of the encoding's dtype

        No more than two tiles are in memory at a time, whatever the picture's size. The pixels of a part are the same
        as in the whole picture.
        """
        self._renewed()
        shape(scene, size)
        scene.advance(clock)
        shot = self._begin(scene, size, supersample, encoding)
        shot.counts, within = _counts(), within or (0, 0, *shot.plan.size)
        tiles, waiting = list(shot.plan.tiles(within)), deque[Waiting]()
        for place in tiles:
            steps, enough = self._begun(shot, place, waiting), None
            with suppress(StopIteration):
                while True:
                    enough = heed(steps.send(enough))
            for tile, pixels, _ in self._read(shot, waiting, int(place != tiles[-1])):
                x, y, w, h = overlap(tile, within) or tile
                yield x, y, w, h, pixels[y - tile[1] :, x - tile[0] :][:h, :w]
        self._passes(shot)

    def sprites(self, scene: Subject, size: tuple[int, int]) -> list[Sprite]:
        """The labels and the legend of a scene's present moment, for a picture of a size in pixels."""
        return _overlays(_drawables(scene), scene, self.frame_of(scene, size))

    def frame_of(self, scene: Subject, size: tuple[int, int]) -> Frame:
        """The Frame of a picture of a scene's present moment, without what is needed to draw it."""
        return Frame(scene.camera, size, (0, 0, *size), 1, theme_of(scene), min(size) / 720.0)

    def pick(self, scene: Subject, clock: object, size: tuple[int, int], x: float, y: float) -> Hit | None:
        """The first Hit under a pixel, or None.

        x, y   in pixels of a picture of that size, y downwards
        """
        shape(scene, size)
        scene.advance(clock)
        aim = Aim.at(scene.camera, size, x, y)
        hits = [hit for node, world in _drawables(scene) if (hit := node.pick(aim, world)) is not None]
        return min(hits, key=lambda h: h.distance, default=None)

    # Private helpers.

    def _renewed(self):
        """Sees that there is a device; what was made on an earlier one is forgotten."""
        device()
        if self._changes != device_changes():
            self._changes = device_changes()
            self._forget()
            if self.times is not None:
                self.times = PassTimes()

    def _begin(self, scene, size, supersample, encoding, tile_bytes=None, draft=False):
        """The Shot of a scene that is advanced to the moment."""
        cut = plan(scene.stage, size, supersample, tile_bytes)
        scene.stage.pictures += 1
        shot = Shot(scene, cut, theme_of(scene), _drawables(scene), None if self.times is None else PassTimes())
        shot.encoding, shot.draft, shot.allowance = encoding, draft, Allowance(self.budget, shot.rays(cut.size))
        return shot

    def _begun(self, shot, tile, waiting):
        """Draws one tile, as `_draw`, and adds it to those whose pixels are to be read."""
        texture = Texture(tile[2:], shot.encoding.format, PICTURE_USAGE)
        back = ReadBack(texture, shot.counts)
        yield from self._draw(shot, tile, texture, back)
        waiting.append((tile, back))

    def _read(self, shot, waiting, ahead):
        """(tile, its pixels, its Report), which the Renderer's report counts, of tiles that were handed to the GPU,
        until only `ahead` are left to be waited for."""
        while len(waiting) > ahead:
            tile, back = waiting.popleft()
            pixels = back.pixels()
            if shot.encoding != PLAIN:
                pixels = shot.encoding.finished(pixels, shot.sprites, tile[:2])
            yield tile, pixels, self._counted(Report.of(back.values))

    def _counted(self, report):
        """The Report, once it is added to the Renderer's."""
        self.report += report
        return report

    def _draw(self, shot, tile, texture, back=None):
        """Hands one tile to the GPU: draws it to a texture, and copies that to `back`, a ReadBack, if given."""
        with _timed(shot):
            frame = self._frame(shot, tile)
            frame.encoder.clear_buffer(shot.counts.buffer)
            if not shot.is_prepared:
                self._prepare(shot, frame)
            for node, world in shot.drawables:
                with debug_group(frame.encoder, f"fill {node.name}"):
                    node.fill(frame, world)
        yield from self._cast(shot, frame)
        with _timed(shot):
            draw_solid(frame, shot.drawables)
            if shot.lists:
                compose_layers(frame, len(shot.lists))
                frame.canvas = frame.composed
            for node, world in shot.drawables:
                if node.phase == "cloud":
                    node.draw_cloud(frame, world)
            if any(node.phase == "light" for node, _ in shot.drawables):
                draw_light(frame, shot.drawables)
            resolve(frame, texture, shot.encoding)
            draw_sprites(frame.encoder, shot.sprites if shot.encoding == PLAIN else (), texture.view, tile)
            if back is not None:
                back.record(frame.encoder)
            device().submit(frame.encoder)
        shot.drawn += frame.samples[0] * frame.samples[1]

    def _cast(self, shot, frame):
        """Casts the rays of a tile; yields the picture's Progress, and is sent True when it shall take no more time."""
        samples, count, number = frame.samples[0] * frame.samples[1], max(1, len(shot.casting)), 0
        work = [_work(node) for node, _ in shot.drawables]
        for k, (node, world) in enumerate(shot.drawables):
            steps = node.cast(frame, world)
            while True:
                with _timed(shot):
                    found = next(steps, None)
                if found is None:
                    break
                decided = samples * (number + node.casts_rays * found.decided / found.rays) / count
                done = samples * (sum(work[:k]) + work[k] * found.share) / max(OTHER_WORK, sum(work))
                shot.heed((yield shot.progress(decided, found.stage, done)))
            number += node.casts_rays

    def _prepare(self, shot, frame):
        """The first walk of a Shot, with the encoder of its first tile."""
        shot.is_prepared = True
        for node, world in shot.drawables:
            with debug_group(frame.encoder, f"prepare {node.name}"):
                node.prepare(frame, world)
            frame.list_number += node.makes_layers
        if shot.sprites is None:
            shot.sprites = _overlays(shot.drawables, shot.scene, frame)

    def _passes(self, shot):
        """The times of the passes of a finished Shot; None if they are not timed."""
        rows = None if shot.times is None else shot.times.rows()
        if rows is not None and self.times is not None:
            self.times.add(rows)
        return rows

    def _output(self, size):
        """A texture and an Array of counts that no living Picture uses: usually those of the frame before last."""
        free = [output for output in self._outputs if output[2]() is None]
        self._outputs = [output for output in self._outputs if output not in free]
        fitting = [output for output in free if output[0].size == size]
        # One more free pair is kept for the next picture.
        self._outputs += fitting[1:2]
        if fitting:
            return fitting[0][:2]
        texture = Texture(size, "rgba8unorm", PICTURE_USAGE, label="picture")
        return texture, _counts()

    def _frame(self, shot, tile):
        """The Frame of a tile, its encoder open."""
        cut, (x, y, w, h), lists = shot.plan, tile, len(shot.lists)
        frame = Frame(
            shot.scene.camera, cut.size, tile, cut.grid, shot.theme, min(cut.size) / 720.0,
            encoder=device().encoder(f"tile {x},{y} {w}x{h}"), counts=shot.counts, exact=shot.is_exact,
            draft=shot.draft, allowance=shot.allowance,
        )  # fmt: skip
        samples = frame.samples
        # Values that are not encoded need only the eight bits of the result, and blend faster so.
        format = "rgba16float" if shot.theme.encoded else "rgba8unorm"
        frame.colour, frame.depth, frame.composed = self._textures(samples, format)
        self._layers = grown(self._layers, "u4", samples[0] * samples[1] * LAYERS * 4 * lists if lists else 4)
        # One uniform for all tiles: a write takes effect before the commands that are submitted next.
        self._uniforms = self._uniforms or Array(FRAME.dtype, 1, "uniform", label="frame")
        self._uniforms.write(frame_struct(frame, lists))
        frame.layers, frame.uniforms = self._layers, self._uniforms
        return frame

    def _textures(self, samples, colour):
        """The textures of samples that a tile is drawn in: colour (of a format), depth, composed."""
        key = samples, colour
        if key not in self._samples:
            # A picture has tiles of at most four sizes, since those at its right and lower edges are smaller.
            if len(self._samples) >= 4:
                self._samples.pop(next(iter(self._samples)))
            composed = "RENDER_ATTACHMENT|TEXTURE_BINDING|STORAGE_BINDING"
            self._samples[key] = (
                Texture(samples, colour, label="colour"),
                Texture(samples, "depth32float", label="depth"),
                Texture(samples, "rgba16float", composed, label="composed"),
            )
        return self._samples[key]


def advanced(steps: Steps) -> Picture | Progress:
    """Does one more step of a picture that `Renderer.steps` has begun; returns the Picture after the last one."""
    try:
        return next(steps)
    except StopIteration as done:
        return done.value


def cut_short(steps: Steps) -> Picture:
    """The Picture of a generator of `Renderer.steps`, without spending more time on rays: those that are still open are
    undecided."""
    try:
        # A generator that has not begun takes no message.
        next(steps)
        while True:
            steps.send(True)
    except StopIteration as done:
        return done.value


def _work(node):
    """About what a node's `cast` takes, of what one takes that casts rays."""
    return 1.0 if node.casts_rays else OTHER_WORK if type(node).cast is not Drawable.cast else 0.0


def _timed(shot):
    return nullcontext() if shot.times is None else shot.times.recording()


def _counts():
    return Array("u4", 5, label="counts of rays")


def _drawables(scene):
    return [(node, world) for node, world in scene.stage.walk() if isinstance(node, Drawable)]


def _overlays(drawables, scene, frame):
    # Words leave the legend and the cards free.
    if scene.shared is None and (legend := scene.legend()) is not None:
        frame.sprites += legend_sprites(legend, frame)
    for node, world in sorted(drawables, key=lambda placed: placed[0].precedence):
        if not (scene.key_outside and isinstance(node, Key)):
            node.overlay(frame, world)
    return list(frame.sprites)
