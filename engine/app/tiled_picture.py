"""Pictures larger than memory: made tile by tile, written band by band, gone on with where they were stopped."""

import hashlib
import json
import math
import os
import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import count

import numpy as np

import engine
from engine.app import jobs, picture_state
from engine.errors import FileError, NeurosceneError
from engine.output.progress import progress_bar, say
from engine.output.resumable import ResumableFile, free_bytes
from engine.output.writers.formats import bands_class, ending
from engine.output.writers.png_bands import PngBands
from engine.render.tiling import plan

# Bands that are packed while the next are drawn.
PACKERS = 2


class Print:
    """One picture on its way to a file.

    scene, clock, size, supersample   as render takes them
    text                              {keyword: text} to store in the file
    """

    def __init__(self, scene, clock, size, supersample, text):
        self.scene, self.clock, self.supersample, self.text = scene, clock, supersample, text
        scene.advance(clock)
        self.plan = plan(scene.stage, size, supersample)
        self.size, self.bands = self.plan.size, list(self.plan.bands())

    def save(self, path, *, executor=None, restart=False, progress=None):
        """Makes the file; see engine.app.make.save."""
        form = bands_class(path)(self.size, self.bands[0][3], self.text)
        head = form.head()
        asked = f"{type(self.scene).__name__}, {self.size[0]}x{self.size[1]}, {self.supersample} samples a pixel"
        file = ResumableFile(path, self._key(path, executor), asked=asked, head=head, restart=restart)
        try:
            done = len(file.found)
            self._check_room(file, done)
            if file.message:
                say(file.message)
            if done:
                say(f"{path} goes on after {done} of {len(self.bands)} bands, from {file.folder_given}.")
            self._write(file, form, executor, progress)
            file.finish(*form.tail(file.found))
        except BaseException as error:
            left = self._left(file)
            if isinstance(error, KeyboardInterrupt):
                raise KeyboardInterrupt(left) from None
            if isinstance(error, NeurosceneError):
                if file.is_stored:
                    raise type(error)(f"{error} {left}") from error
            elif file.is_stored:
                say(left)
            raise
        finally:
            file.stop()
        return path

    def stream(self, out, *, executor=None, progress=None):
        """Writes the file as PNG to a stream that only goes forward."""
        form = PngBands(self.size, self.bands[0][3], self.text)
        sink = _Sink(out)
        out.write(form.head())
        self._write(sink, form, executor, progress)
        out.write(form.tail(sink.found)[0])

    # Behind them.

    def _write(self, file, form, executor, progress):
        """Draws, packs and appends the bands that `file` has not."""
        packing: deque = deque()
        rest = self.bands[len(file.found) :]
        with ThreadPoolExecutor(PACKERS) as packers, self._bar(file, rest, executor, progress) as tick:
            try:
                for pixels in self._drawn(rest, executor, tick):
                    packing.append(packers.submit(form.band, pixels))
                    if len(packing) > PACKERS:
                        file.append(*packing.popleft().result())
            finally:
                # Also after Ctrl-C: what is drawn is not to be drawn again.
                while packing:
                    file.append(*packing.popleft().result())

    def _drawn(self, rest, executor, tick):
        """(rows, W, 3) of each band."""
        if not rest:
            return
        if executor is not None:
            job = jobs.picture_job(self.scene, self.clock, self.size, self.supersample)
            for pixels in jobs.results((replace(job, tile=band) for band in rest), executor):
                tick()
                yield pixels
            return
        width, height = self.size
        top = rest[0][1]
        waiting = iter(rest)
        _, y0, _, rows = next(waiting)
        pixels = np.empty((rows, width, 3), np.uint8)
        stream = jobs.renderer().tiles(
            self.scene, self.clock, self.size, self.supersample, within=(0, top, width, height - top)
        )
        for x, y, w, h, part in stream:
            pixels[y - y0 : y - y0 + h, x : x + w] = part[..., :3]
            tick()
            if x + w == width and y + h == y0 + rows:
                yield pixels
                if y + h < height:
                    _, y0, _, rows = next(waiting)
                    pixels = np.empty((rows, width, 3), np.uint8)

    @contextmanager
    def _bar(self, file, rest, executor, progress):
        """A function to call after each step, which moves a bar on stderr."""
        if executor is None:
            tops = [tile[1] for tile in self.plan.tiles()]
            total, unit = len(tops), "tile"
            first = sum(top < rest[0][1] for top in tops) if rest else total
        else:
            total, unit, first = len(self.bands), "band", len(self.bands) - len(rest)
        name = os.path.basename(file.path)
        done = count(first + 1)
        with progress_bar(name, total, unit, progress, initial=first) as move:
            yield lambda: move(next(done))

    def _check_room(self, file, done):
        left = sum(rows for _, _, _, rows in self.bands[done:])
        need, free = self.size[0] * left * 3 * 1.01, free_bytes(file.path)
        if free is not None and need > free:
            raise FileError(
                f"{file.path} may take {need / 1e9:.2f} GB, and its disk has {free / 1e9:.2f} GB free. "
                "Make room or choose another disk."
            )

    def _left(self, file):
        """What to tell a person whose picture was stopped."""
        done = f"Stopped after {len(file.found)} of {len(self.bands)} bands of {file.path}"
        if not file.is_stored:
            return f"{done}: nothing was saved."
        return (
            f"{done}: they are kept in {file.folder_given}. The same command goes on there; --restart (in Python "
            "restart=True) starts again, and so does deleting the folder."
        )

    def _key(self, path, executor):
        """A text that is another for every picture that could come out otherwise."""
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
            "text": self.text,
            "bands": len(self.bands),
            "format": ending(path),
            "adapter": jobs.adapter(executor),
            "version": engine.__version__,
            "sources": sources,
        }
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def text_of(scene, clock, size, supersample):
    """{keyword: text} of the state that a picture is stored with."""
    return picture_state.text(picture_state.stored(scene, clock, size, supersample))


class _Sink:
    """A stream as `Print` writes to it."""

    path = "picture"

    def __init__(self, out):
        self._out, self.found = out, []

    def append(self, data, facts):
        self._out.write(data)
        self.found.append(facts)
