"""The picture of a live view: drawn again when something changed, finer when nothing does, shown on a canvas."""

import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from engine.draw.drawable import Drawable
from engine.draw.frame import LAYERS, THEMES
from engine.errors import NeurosceneError
from engine.gpu.device import device
from engine.gpu.passes import View, render_pass
from engine.gpu.timing import PassTime, timing_lack
from engine.render.picture import Picture
from engine.render.present import blit, draw_sprites
from engine.render.refinement import Quality, Refinement
from engine.render.renderer import Renderer, Steps, Subject, advanced
from engine.render.tiling import TILE_BYTES

# Bytes of a tile's layers where a processor draws while somebody may be typing: about 0.1 s of its time, unless it is
# known to take longer. Smaller ones than LEAST_TILE would spend theirs on being begun.
SHORT_TILE, LEAST_TILE = 2**24, 2**17
# Seconds of drawing a fine picture after which a window looks after its events.
SLICE = 0.05


class Painter:
    """Draws and shows one scene's picture.

    renderer   engine.render.renderer.Renderer
    say        function that is called with a line of text: what went wrong
    live       True to measure what pictures take, and to draw fine ones tile by tile
    """

    def __init__(self, renderer: Renderer, say: Callable[[str], None], *, live: bool):
        self.renderer, self.say, self.live = renderer, say, live
        self.refinement = Refinement(cautious=live and device().is_software)
        # The picture shown, how it was drawn, and in how many seconds where that was measured.
        self.picture: Picture | None = None
        self.quality = Quality(1.0, 1)
        self.took: float | None = None
        # The picture being drawn: its tiles to come, how it is drawn, and the seconds spent on it.
        self._steps: Steps | None = None
        self._drawing = Quality(1.0, 1)
        self._spent = 0.0
        self._size: tuple[int, int] | None = None
        self._reported: str | None = None

    @property
    def is_done(self) -> bool:
        """True when there is nothing left to draw."""
        return self._steps is None and self.refinement.is_done

    def changed(self) -> None:
        """The picture is of something else now; a fine one half done is dropped."""
        self.refinement.moved()
        self._steps = None

    def marked(self) -> None:
        """Only a mark on the picture is another now: it is drawn again without a coarse one between."""
        self.refinement.marked()
        self._steps = None

    def time_passes(self, on: bool) -> None:
        """Begins or ends timing the passes of its pictures, and has the present one drawn again."""
        if on != (self.renderer.times is not None):
            self.renderer.time_passes(on)
            self.marked()

    @property
    def passes(self) -> tuple[PassTime, ...] | None:
        """What the passes of the picture shown took, longest first; None where they were not timed."""
        return self.picture.report.passes if self.picture is not None else None

    @property
    def timing_lack(self) -> str | None:
        """Why this adapter cannot time passes, in a sentence; None where it can."""
        return timing_lack()

    def draw(self, scene: Subject, clock: object, size: tuple[int, int], *, patient: bool = False) -> None:
        """Draws what is due: a whole picture, a tile of one, or nothing.

        size      (width, height) in pixels
        patient   True if only what changed is due; finer pictures can wait
        """
        if self._size not in (None, size):
            self.changed()
        if patient and not self.refinement.is_moving:
            return
        if self._steps is None:
            nodes = (node for node, _ in scene.stage.walk() if isinstance(node, Drawable))
            self.refinement.coarsest = max((node.coarsest for node in nodes), default=0.0)
            quality = self.refinement.next()
            if quality is None:
                return
            self._begin(scene, clock, size, quality)
        # A window looks after its events between two tiles; what moves is wanted whole.
        slices = self.live and not self.refinement.is_moving
        begun = time.perf_counter()
        while self._steps is not None:
            self._step(self._steps)
            if slices and time.perf_counter() - begun > SLICE:
                return

    def finish(self, scene: Subject, clock: object, size: tuple[int, int], samples: int) -> None:
        """Draws the picture at full size with so many samples a pixel, at once. Raises what the scene raises."""
        self._begin(scene, clock, size, Quality(1.0, samples))
        while self._steps is not None:
            self._step(self._steps, raising=True)
        # What is shown next has a quality of its own.
        self.refinement.moved()

    def present(self, scene: Subject, view: View, format: str, size: tuple[int, int]) -> None:
        """Draws the picture at a view's left top corner, and the background's colour on the rest."""
        background = THEMES[scene.drawn_theme or scene.theme].background
        encoder = device().encoder()
        if self.picture is not None:
            blit(encoder, self.picture.texture, view, format, size, background)
            if self.quality.scale < 1.0:
                # A coarse picture is enlarged, but words stay sharp.
                draw_sprites(encoder, self.renderer.sprites(scene, size), view, (0, 0, *size), format)
        else:
            render_pass(encoder, "background", view, clear=(*background, 1.0)).end()
        device().submit(encoder)

    def failed(self, error: Exception) -> None:
        """Reports an error: one line, once, and for the scene's author the place where it happened."""
        known = isinstance(error, NeurosceneError)
        text = str(error) if known else f"{type(error).__name__}: {error}"
        if text != self._reported:
            self._reported = text
            if not known:
                traceback.print_exception(error, file=sys.stderr)
            self.say(text)

    def status(self) -> list[str]:
        """What is shown, in words: milliseconds, samples, undecided pixels."""
        if self.picture is None:
            return []
        parts = [f"{self.took * 1e3:.0f} ms"] if self.took is not None else []
        if self.quality.scale < 1.0:
            parts.append(f"1/{round(1 / self.quality.scale)} size")
        else:
            parts.append(f"{self.quality.samples} sample{'s' * (self.quality.samples > 1)}")
        undecided = self.picture.report.undecided
        return [*parts, f"{undecided} undecided"] if undecided else parts

    def _begin(self, scene, clock, size, quality):
        self._size, self._drawing, self._spent = size, quality, 0.0
        scaled = tuple(max(1, round(n * quality.scale)) for n in size)
        tile_bytes = None
        if self.live and not self.refinement.is_moving:
            seconds = self.refinement.expected(quality)
            samples = scaled[0] * scaled[1] * quality.samples
            most = SHORT_TILE if device().is_software else TILE_BYTES
            if seconds > SLICE:
                most = min(most, max(LEAST_TILE, int(SLICE / seconds * samples) * LAYERS * 16))
            tile_bytes = most
        whole = quality.scale == 1.0
        self._steps = self.renderer.steps(scene, clock, scaled, quality.samples, tile_bytes=tile_bytes, words=whole)

    def _step(self, steps, *, raising=False):
        """One tile more of the picture begun."""
        begun, picture, is_over = time.perf_counter(), None, True
        try:
            picture = advanced(steps)
            is_over = picture is not None
            if picture is not None:
                # Reading the counts waits for the picture: what is measured is all of its work.
                _ = picture.report
        except Exception as error:
            if raising:
                self._steps = None
                raise
            self.failed(error)
        self._spent += time.perf_counter() - begun
        if is_over:
            self._steps = None
            if picture is not None:
                self.picture, self.quality, self._reported = picture, self._drawing, None
            # Off the screen nothing is measured: the same calls draw the same pictures.
            self.took = self._spent if self.live else None
            self.refinement.drew(self._drawing, self.took)


def configured(canvas: Any) -> str:
    """The format of a canvas; its preferred one unless somebody has chosen."""
    context = canvas.get_wgpu_context()
    if context.get_configuration() is None:
        handle = device().handle
        context.configure(device=handle, format=context.get_preferred_format(handle.adapter))
    return context.get_configuration()["format"]
