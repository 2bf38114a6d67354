"""Pictures larger than memory: drawn tile by tile, written band by band, continued where they were stopped."""

import hashlib
import json
import math
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, astuple, replace
from itertools import count
from typing import BinaryIO

import numpy as np

import engine
from engine.app import jobs, picture_state
from engine.errors import FileError, NeurosceneError
from engine.kernels.search.progress import Progress
from engine.output.progress import progress_bar, say
from engine.output.resumable import ResumableFile, free_bytes
from engine.output.writers.bands import Bands
from engine.output.writers.formats import bands_class, ending
from engine.output.writers.png_bands import PngBands
from engine.render.encoding import PLAIN, Encoding
from engine.render.picture import Report
from engine.render.shot import shape
from engine.render.tiling import plan
from engine.scene.scene import Scene
from engine.scene.view_data import Clock

# Bands that are compressed, in threads, while the next ones are drawn.
PACKERS = 2
# The facts of a band that count its rays, in the order of Report.counts.
COUNTS = ("rays", "grazes", "undecided", "cut", "hits")


class _Stream:
    """Gives a stream the methods of a ResumableFile."""

    path = "picture"

    def __init__(self, out: BinaryIO):
        self._out = out
        self.found: list[dict[str, int]] = []

    def append(self, data: bytes, facts: dict[str, int]) -> None:
        self._out.write(data)
        self.found.append(facts)


# Where bands go.
Sink = ResumableFile | _Stream


class TiledPicture:
    """One picture that is written band by band.

    scene, clock, size, supersample   as render takes them
    text                              {keyword: text} to store in the file
    encoding                          of its pixels
    """

    def __init__(
        self, scene: Scene, clock: Clock, size: tuple[int, int], supersample: int, text: dict[str, str],
        encoding: Encoding = PLAIN,
    ):  # fmt: skip
        self.scene, self.clock, self.supersample, self.text = scene, clock, supersample, text
        self.encoding = encoding
        shape(scene, size)
        scene.advance(clock)
        self.plan = plan(scene.stage, size, supersample)
        self.size, self.bands = self.plan.size, list(self.plan.bands())

    def save(
        self, path: str, *, executor: Executor | None = None, restart: bool = False, progress: bool | None = None
    ) -> str:
        """Makes the file; see engine.app.make.save."""
        form = bands_class(path)(self.size, self.bands[0][3], self.text, self.encoding)
        asked = f"{type(self.scene).__name__}, {self.size[0]}x{self.size[1]}, {self.supersample} samples a pixel"
        file = ResumableFile(path, self._key(path, executor), asked=asked, head=form.head(), restart=restart)
        try:
            done = len(file.found)
            self._check_room(file.path, done)
            if file.message:
                say(file.message)
            if done:
                say(f"{path} continues after {done} of {len(self.bands)} bands, from {file.folder_given}.")
            self._write(file, form, executor, progress)
            file.finish(*form.tail(file.found))
        except BaseException as error:
            left = self._stop_message(file)
            if isinstance(error, KeyboardInterrupt):
                raise KeyboardInterrupt(left) from None
            if file.is_stored and isinstance(error, NeurosceneError):
                raise type(error)(f"{error} {left}") from error
            if file.is_stored:
                say(left)
            raise
        finally:
            file.stop()
        return path

    def stream(self, out: BinaryIO, *, executor: Executor | None = None, progress: bool | None = None) -> None:
        """Writes the file as PNG to a stream that cannot seek."""
        form, sink = PngBands(self.size, self.bands[0][3], self.text, self.encoding), _Stream(out)
        out.write(form.head())
        self._write(sink, form, executor, progress)
        out.write(form.tail(sink.found)[0])

    # Private helpers.

    def _write(self, sink: Sink, form: Bands, executor: Executor | None, progress: bool | None) -> None:
        """Draws, compresses and appends the bands that `sink` does not have yet."""
        packing: deque[tuple[Future[tuple[bytes, dict[str, int]]], Report]] = deque()
        rest, renderer = self.bands[len(sink.found) :], jobs.renderer()
        # The rays of bands that were drawn before a stop.
        renderer.report += Report.of(sum(facts[name] for facts in sink.found) for name in COUNTS)
        before = renderer.report
        with ThreadPoolExecutor(PACKERS) as packers, self._bar(sink, rest, executor, progress) as tick:
            try:
                for pixels in self.drawn(rest, executor, tick):
                    packing.append((packers.submit(form.band, pixels), renderer.report - before))
                    before = renderer.report
                    if len(packing) > PACKERS:
                        sink.append(*_packed(*packing.popleft()))
            finally:
                # Also after Ctrl-C: bands that have been drawn are stored, so they need not be drawn again.
                while packing:
                    sink.append(*_packed(*packing.popleft()))

    def drawn(
        self, bands: list[tuple[int, int, int, int]], executor: Executor | None, tick: Callable[..., None]
    ) -> Iterator[np.ndarray]:
        """(rows, W, channels) of each of these bands, of which the last ends at the picture's bottom."""
        if not bands:
            return
        if executor is not None:
            job = jobs.picture_job(self.scene, self.clock, self.size, self.supersample, encoding=self.encoding)
            for pixels in jobs.results((replace(job, tile=band) for band in bands), executor):
                tick()
                yield pixels
            return
        with jobs.drawing:
            yield from self._drawn_here(bands, tick)

    def _drawn_here(self, bands: list[tuple[int, int, int, int]], tick: Callable[..., None]) -> Iterator[np.ndarray]:
        width, height = self.size
        top, waiting = bands[0][1], iter(bands)
        y0 = end = top
        stream = jobs.renderer().tiles(
            self.scene, self.clock, self.size, self.supersample, within=(0, top, width, height - top),
            encoding=self.encoding, heed=tick,
        )  # fmt: skip
        for x, y, w, h, part in stream:
            if y == end:
                _, y0, _, rows = next(waiting)
                end = y0 + rows
                pixels = np.empty((rows, width, self.encoding.channels), self.encoding.dtype)
            pixels[y - y0 : y - y0 + h, x : x + w] = part[..., : self.encoding.channels]
            tick()
            if x + w == width and y + h == end:
                yield pixels

    @contextmanager
    def _bar(
        self, sink: Sink, rest: list, executor: Executor | None, progress: bool | None
    ) -> Iterator[Callable[..., None]]:
        """A function to call after each step, and with a Progress within one, which moves a bar on stderr."""
        if executor is None:
            tops = [tile[1] for tile in self.plan.tiles()]
            total, unit = len(tops), "tile"
            first = sum(top < rest[0][1] for top in tops) if rest else total
        else:
            total, unit, first = len(self.bands), "band", len(self.bands) - len(rest)
        steps, done = count(first + 1), first
        with progress_bar(os.path.basename(sink.path), total, unit, progress, initial=first) as move:

            def tick(within: Progress | None = None) -> None:
                nonlocal done
                done = next(steps) if within is None else done
                move(done, note=within and f"{within.stage}, {within.decided:,} rays decided")

            yield tick

    def _check_room(self, path: str, done: int) -> None:
        # Pictures compress to less than half, so the bands and the file made from them both fit.
        left = sum(rows for _, _, _, rows in self.bands[done:])
        need, free = self.size[0] * left * self.encoding.pixel_bytes * 1.01, free_bytes(path)
        if free is not None and need > free:
            raise FileError(
                f"{path} may take {need / 1e9:.2f} GB, and its disk has {free / 1e9:.2f} GB free. "
                "Make room or choose another disk."
            )

    def _stop_message(self, file: ResumableFile) -> str:
        """What to say to a person whose picture was stopped."""
        done = f"Stopped after {len(file.found)} of {len(self.bands)} bands of {file.path}"
        if not file.is_stored:
            return f"{done}: nothing was saved."
        return (
            f"{done}: they are in {file.folder_given}. The same command continues there; --restart (in Python "
            "restart=True) starts again, and so does deleting the folder."
        )

    def _key(self, path: str, executor: Executor | None) -> str:
        """A text that is different for any two pictures whose pixels could differ."""
        sources = {}
        for kind in type(self.scene).__mro__:
            file = getattr(sys.modules.get(kind.__module__), "__file__", None)
            if file and kind.__module__.partition(".")[0] not in ("engine", "param", "builtins"):
                sources[kind.__qualname__] = jobs.source_of(file)
        asked = {
            "state": self.scene.state(self.clock, weights_limit=math.inf),
            "step": self.clock.step,
            "size": self.size,
            "supersample": self.supersample,
            "budget": asdict(jobs.renderer().budget),
            "text": self.text,
            "bands": [band[3] for band in self.bands],
            "counts": COUNTS,
            "format": ending(path),
            "encoding": astuple(self.encoding),
            "adapter": jobs.adapter(executor),
            "version": engine.__version__,
            "sources": sources,
        }
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _packed(band: Future[tuple[bytes, dict[str, int]]], report: Report) -> tuple[bytes, dict[str, int]]:
    """A band's bytes and facts, with the counts of its rays among them."""
    data, facts = band.result()
    return data, facts | dict(zip(COUNTS, report.counts, strict=True))


def text_of(scene: Scene, clock: Clock, size: tuple[int, int], supersample: int) -> dict[str, str]:
    """{keyword: text} of the state that is stored in a picture."""
    return picture_state.text(picture_state.stored(scene, clock, size, supersample))
