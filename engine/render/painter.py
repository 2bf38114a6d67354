"""Draws the picture of a live view: coarse while something changes, finer when nothing does, and shows it."""

import sys
import time
import traceback
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from engine.draw.drawable import Drawable
from engine.draw.frame import LAYERS, Sprite
from engine.errors import NeurosceneError
from engine.formats.image import enlarged
from engine.gpu.device import device
from engine.gpu.native.apart import apart, awaited, turn
from engine.gpu.passes import View, render_pass
from engine.gpu.shader import compile_seconds
from engine.gpu.texture import Texture
from engine.gpu.timing import PassTime, timing_lack
from engine.kernels.search.progress import Progress
from engine.render.outlook import Outlook
from engine.render.picture import Picture, Report
from engine.render.present import blit, blit_moved, draw_sprites, moved_sprites
from engine.render.refinement import Quality, Refinement
from engine.render.renderer import Renderer, Steps, advanced
from engine.render.shot import Subject, shape, theme_of
from engine.render.tiling import TILE_BYTES
from engine.view.camera import Camera

# Bytes of a tile's layers on a software driver, where events wait for a tile: about 0.1 s, or less if tiles turn out to
# take longer, but at least LEAST_TILE, below which the start of a tile takes most of the time.
SHORT_TILE, LEAST_TILE = 2**24, 2**17
# Seconds of drawing a fine picture after which a window handles its events.
SLICE = 0.05
# Seconds after which a call that is waited for is named.
NAMED = 0.5
# The radius of the ball on which things seem to lie while the camera moves, of the distance of its target.
BALL = 0.2


class Painter:
    """Draws and shows one scene's picture.

    renderer   engine.render.renderer.Renderer
    say        function that is called with the line of an error
    live       True: pictures are timed, and fine ones are drawn tile by tile
    apart      True: `draw` is called by a thread of its own, and `present` by another
    """

    def __init__(self, renderer: Renderer, say: Callable[[str], None], *, live: bool, apart: bool = False):
        self.renderer, self.say, self.live, self.apart = renderer, say, live, apart
        self.refinement = Refinement(cautious=live and device().is_software)
        # The picture shown, its Quality, and the seconds it took without compiling, if measured.
        self.picture: Picture | None = None
        self.quality = Quality(1.0, 1)
        self.took: float | None = None
        # The picture shown with its Quality, camera, words and size, which change together; its copy on the screen's
        # device.
        self._shown: tuple[Picture, Quality, Camera, list[Sprite], tuple[int, int]] | None = None
        self._on_screen: tuple[Picture, Texture] | None = None
        self._words: list[Sprite] = []
        self._camera: Camera | None = None
        # Whether the scene has changed while the picture was drawn.
        self._has_changed = False
        # The picture being drawn: the generator of its tiles, its Quality, and the seconds spent so far.
        self._steps: Steps | None = None
        self._drawing = Quality(1.0, 1)
        self._spent = 0.0
        # Which picture of the scene's nodes it is: once they have drawn another, they cannot go on with it.
        self._number = 0
        self._progress: Progress | None = None
        self._outlook = Outlook()
        self._size: tuple[int, int] | None = None
        self._reported: str | None = None

    @property
    def is_done(self) -> bool:
        """True when there is nothing left to draw."""
        return self._steps is None and self.refinement.is_done

    def changed(self) -> None:
        """To be called when the scene has changed: drops a picture that is half done, and begins coarsely again."""
        # A draft that was begun while things moved is finished first: else nothing would be seen while they do.
        if not ((self._drawing.draft or self.apart) and self.refinement.is_moving):
            self._steps = None
        self._has_changed = self.apart
        self.refinement.moved()

    def marked(self) -> None:
        """To be called when only a mark has changed: draws again without a coarse picture in between."""
        self.refinement.marked()
        self._steps = None

    def time_passes(self, on: bool) -> None:
        """Begins or ends the timing of passes, and has the present picture drawn again."""
        if on != (self.renderer.times is not None):
            self.renderer.time_passes(on)
            self.marked()

    @property
    def report(self) -> Report | None:
        """The Report of the picture shown; None for a draft."""
        return None if self.picture is None or self.quality.draft else self.picture.report

    @property
    def passes(self) -> tuple[PassTime, ...] | None:
        """The times of the passes of the picture shown, longest first; None if they were not timed."""
        return self.picture.report.passes if self.picture is not None else None

    @property
    def timing_lack(self) -> str | None:
        """Why this adapter cannot time passes, in a sentence; None if it can."""
        return timing_lack()

    @property
    def is_drawing(self) -> bool:
        """True while a picture is begun."""
        return self._steps is not None

    def draw(
        self, scene: Subject, clock: object, size: tuple[int, int], *, patient: bool = False, whole: bool = False
    ) -> None:
        """Draws what is due next: a whole picture, a tile of one, or nothing.

        size      (width, height) in pixels
        patient   True: draws only after a change, no finer pictures
        whole     True: as well, and no picture stays half done, for then the scene is drawn at other moments as well
        """
        if self._size not in (None, size):
            self.changed()
            self._steps = None
        if (whole and not self.refinement.is_moving) or scene.stage.pictures != self._number:
            self._steps = None
        if (patient or whole) and not self.refinement.is_moving:
            return
        if self._steps is None:
            if self.refinement.next() is None or not self._advance(scene, clock, size):
                return
            quality = self.refinement.next()
            if quality is None:
                return
            self._begin(scene, clock, size, quality)
        # A window handles events between two steps; but while things move, pictures are drawn whole, unless they may
        # take long. Drafts are finished though things move on.
        slices = self.live and not whole and (self.refinement.drafts or not self.refinement.is_moving)
        begun = time.perf_counter()
        # Whoever changes the scene meanwhile may drop them.
        while (steps := self._steps) is not None:
            self._step(steps)
            if slices and time.perf_counter() - begun > SLICE:
                return

    def finish(self, scene: Subject, clock: object, size: tuple[int, int], samples: int) -> None:
        """Draws the picture at full size with `samples` a pixel, at once. Raises what the scene raises."""
        shape(scene, size)
        scene.advance(clock)
        self._begin(scene, clock, size, Quality(1.0, samples))
        while (steps := self._steps) is not None:
            self._step(steps, raising=True)
        # The next live picture chooses its quality anew.
        self.refinement.moved()

    def present(self, scene: Subject, view: View, format: str, size: tuple[int, int], camera: Camera) -> None:
        """Copies the picture to a view's top left corner, and fills the rest with the background's colour.

        camera   of the moment: where a thread of its own draws, a picture of an earlier one is shown as from there
        """
        encoder, shown, background = device().encoder(), self._shown, theme_of(scene).background
        if shown is not None:
            picture, quality, old, words, old_size = shown
            texture = self._texture(picture)
            if not self.apart and quality.scale < 1.0:
                words = self.renderer.sprites(scene, size)
            is_moved = (old, old_size) != (camera, size)
            if self.apart and is_moved and old.is_orthographic == camera.is_orthographic:
                radius = 0.0 if camera.is_orthographic else BALL * camera.distance
                words = moved_sprites(words, size, old, camera, radius, old_size)
                blit_moved(encoder, texture, view, format, size, background, old, camera, radius, old_size)
            else:
                blit(encoder, texture, view, format, size, background)
            if quality.scale < 1.0 or self.apart:
                # A coarse picture is enlarged, so words are drawn at full size, to be sharp.
                draw_sprites(encoder, words, view, (0, 0, *size), format)
        else:
            render_pass(encoder, "background", view, clear=(*background, 1.0)).end()
        device().submit(encoder)

    def _texture(self, picture):
        """A picture's texture on the device of this thread."""
        if not (self.apart and device().is_software):
            return picture.texture
        if self._on_screen is None or self._on_screen[0] is not picture:
            pixels = picture.pixels()
            before = self._on_screen
            if before is not None and before[1].size == picture.size:
                before[1].write(pixels)
                self._on_screen = picture, before[1]
            else:
                self._on_screen = picture, Texture.of(pixels)
        return self._on_screen[1]

    def _written(self, scene, size):
        """The words over the picture that is begun, of its camera and moment."""
        try:
            return self.renderer.sprites(scene, size)
        except Exception as error:
            self.failed(error)
            return []

    def failed(self, error: Exception) -> None:
        """Reports an error once: a line for the person, and a traceback on stderr for the scene's author."""
        known = isinstance(error, NeurosceneError)
        text = str(error) if known else f"{type(error).__name__}: {error}"
        if text != self._reported:
            self._reported = text
            if not known:
                traceback.print_exception(error, file=sys.stderr)
            self.say(text)

    def status(self) -> list[str]:
        """Facts about the picture shown, as texts: milliseconds, samples, undecided rays; how far the next one is."""
        what = awaited(NAMED)
        if self.picture is None:
            return [what] if what else []
        parts = [f"{self.took * 1e3:.0f} ms"] if self.took is not None else []
        if self.quality.scale < 1.0:
            parts.append(f"1/{round(1 / self.quality.scale)} size")
        else:
            parts.append(f"{self.quality.samples} sample{'s' * (self.quality.samples > 1)}")
        if self.quality.draft:
            parts.append("draft")
        elif self.picture.report.undecided:
            parts.append(f"{self.picture.report.undecided} undecided")
        found = self._progress
        is_shown = self.refinement.drafts and (self.apart or not self._drawing.draft)
        if found is not None and self._steps is not None and is_shown:
            certain = "certifying" if self.quality.draft else f"{self._drawing.samples} samples"
            kind = "drafting" if self._drawing.draft else certain
            parts.append(f"{kind} {found.share:.0%} ({found.stage}){self._outlook.words(found.share)}")
        return [*parts, what] if what else parts

    def _advance(self, scene, clock, size):
        """Brings the scene to the moment, so that it is known what is to be drawn; False if it fails."""
        shape(scene, size)
        self._has_changed = False
        try:
            scene.advance(clock)
        except Exception as error:
            self.failed(error)
            self.refinement.drew(self._drawing)
            return False
        nodes = [node for node, _ in scene.stage.walk() if isinstance(node, Drawable)]
        self.refinement.coarsest = max((node.coarsest for node in nodes), default=0.0)
        self.refinement.drafts = self.live and any(node.drafts for node in nodes)
        return True

    def _begin(self, scene, clock, size, quality):
        self._size, self._drawing, self._spent, self._camera = size, quality, 0.0, scene.camera
        scaled = tuple(max(1, round(n * quality.scale)) for n in size)
        tile_bytes = None
        self._progress, self._outlook = None, Outlook(self.refinement.expected(quality) or None)
        if self.refinement.drafts:
            # Rays are cast in steps, the more at once the better; what follows takes a while for all of a tile.
            tile_bytes = SHORT_TILE if device().is_software else None
        elif self.live and not self.refinement.is_moving:
            seconds = self.refinement.expected(quality)
            samples = scaled[0] * scaled[1] * quality.samples
            most = SHORT_TILE if device().is_software else TILE_BYTES
            if seconds > SLICE:
                most = min(most, max(LEAST_TILE, int(SLICE / seconds * samples) * LAYERS * 16))
            tile_bytes = most
        # Words stand where they belong, also in a picture that is shown as from another camera.
        words = quality.scale == 1.0 and not self.apart
        self._words = self._written(scene, size) if self.apart else []
        self._number = scene.stage.pictures + 1
        self._steps = self.renderer.steps(
            scene, clock, scaled, quality.samples, tile_bytes=tile_bytes, words=words, draft=quality.draft,
            advances=False,
        )  # fmt: skip

    def _step(self, steps, *, raising=False):
        """Draws one more tile of the picture begun."""
        begun, picture, is_over = time.perf_counter() - compile_seconds(), None, True
        try:
            with turn.droppable(lambda: self._steps is not steps) if self.apart else nullcontext():
                found = advanced(steps)
            if isinstance(found, Progress):
                self._progress, is_over = found, False
            else:
                picture = found
                # Reading the counts waits for the GPU, so that all of its work is measured.
                _ = picture.report
                if self.apart and device().is_software:
                    # The window's own device takes them, at the size that it shows.
                    picture.pixels()
                    if self._drawing.scale < 1.0 and self._size is not None:
                        pixels, size = picture.pixels(), self._size
                        picture = picture.enlarged(apart(lambda: enlarged(pixels, size)))
        except Exception as error:
            if raising:
                self._steps = None
                raise
            self.failed(error)
        self._spent += time.perf_counter() - compile_seconds() - begun
        if self._steps is not steps:
            return
        if is_over:
            self._steps = None
            if picture is not None:
                self.picture, self.quality, self._reported = picture, self._drawing, None
                self._shown = picture, self._drawing, self._camera or Camera(), self._words, self._size or picture.size
            # Off the screen nothing is measured, so that the same calls draw the same pictures.
            self.took = self._spent if self.live else None
            self.refinement.drew(self._drawing, self.took)
            if self._has_changed:
                self.refinement.moved()


def configured(canvas: Any) -> str:
    """The texture format of a canvas; configures it with its preferred format, if that is not done."""
    context = canvas.get_wgpu_context()
    if context.get_configuration() is None:
        handle = device().handle
        context.configure(device=handle, format=context.get_preferred_format(handle.adapter))
    return context.get_configuration()["format"]
