"""Pictures as jobs, to be spread over the executors of concurrent.futures: threads, processes, a cluster.

A Job is plain data, and names its scene by module and class, or by its file. The pixels of a job are the same bytes
wherever it is run on the same kind of adapter.
"""

import hashlib
import importlib
import json
import math
import os
import sys
import threading
import uuid
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import nullcontext, suppress
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from engine.app.lookup import FILE_MODULE, report_user_errors, scene_in_file
from engine.errors import ExecutorError
from engine.gpu.device import has_device, platform
from engine.gpu.native.apart import turn
from engine.kernels.search.budget import Budget
from engine.render.encoding import PLAIN, Encoding
from engine.render.picture import Report
from engine.render.renderer import Renderer
from engine.scene.scene import Scene
from engine.scene.view_data import Clock

T = TypeVar("T")

# The id of this process in jobs. In its own jobs it finds scenes that no other process can, such as a notebook's.
_HOME = uuid.uuid4().hex
_kinds: weakref.WeakValueDictionary[int, type[Scene]] = weakref.WeakValueDictionary()


class DrawingLock:
    """Held, in a block, by the thread that draws: a process has one renderer and one device, so only one thread may.

    A thread that has its turn with a window's scene, a window as well, gives it away while it waits: the one that draws
    may need it.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            with turn.away() if turn.is_mine else nullcontext():
                self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self._lock.release()


drawing = DrawingLock()
_last: tuple[tuple, Scene] | None = None
_forked = False


@dataclass(frozen=True)
class Job:
    """One picture, or a part of one, to be made anywhere.

    scene         `module:Class`
    file          the path of the scene's own file, None for a scene that comes with neuroscene
    source        SHA-256 of that file
    state         JSON of Scene.state, all weights included
    time, step    of the Clock
    size          (width, height) of the whole picture
    supersample   samples a pixel
    tile          (x, y, width, height) of the part that is made, or None for all
    encoding      (depth, alpha, linear) of its pixels
    budget        (segments, seconds) of its Budget for searching rays
    home, kind    the id of the process it was made in, and the number of the scene's class in that process
    """

    scene: str
    file: str | None
    source: str | None
    state: str
    time: float
    step: float
    size: tuple[int, int]
    supersample: int = 4
    tile: tuple[int, int, int, int] | None = None
    encoding: tuple[int, bool, bool] = astuple(PLAIN)
    budget: tuple[int, float | None] = astuple(Budget())
    home: str = ""
    kind: int = 0


def picture_job(
    scene: Scene,
    clock: Clock,
    size: tuple[int, int],
    supersample: int = 4,
    tile: tuple[int, int, int, int] | None = None,
    encoding: Encoding = PLAIN,
) -> Job:
    """The Job for a picture of a scene at a moment.

    size          (width, height) of the whole picture in pixels
    supersample   samples a pixel: 1, 4, 9 or 16
    tile          (x, y, width, height): only this part of it
    encoding      of its pixels

    The job stores the scene's settings, camera and networks; anything else that was changed in the scene is lost.
    """
    kind = type(scene)
    _kinds[id(kind)] = kind
    file = _file_of(kind)
    return Job(
        scene=f"{kind.__module__}:{kind.__qualname__}",
        file=file,
        source=None if file is None else source_of(file),
        state=json.dumps(scene.state(weights_limit=math.inf), sort_keys=True),
        time=float(clock.time),
        step=float(clock.step),
        size=(int(size[0]), int(size[1])),
        supersample=int(supersample),
        tile=tile,
        encoding=astuple(encoding),
        budget=astuple(renderer().budget),
        home=_HOME,
        kind=id(kind),
    )


def run_job(job: Job) -> np.ndarray:
    """The pixels of a Job: (height, width, channels), row 0 on top, as its encoding has them.

    The renderer and the scene are kept for the next job. Raises ExecutorError for a scene that cannot be found in this
    process, and whatever the scene raises.
    """
    if _forked:
        raise ExecutorError(
            "A process forked from one that has drawn cannot draw. Make the executor with "
            'ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")).'
        )
    with drawing:
        renderer().budget = Budget(*job.budget)
        scene = _scene_of(job)
        with report_user_errors(scene):
            left, top, width, height = job.tile or (0, 0, *job.size)
            encoding = Encoding(*job.encoding)
            result = np.empty((height, width, encoding.channels), encoding.dtype)
            stream = renderer().tiles(
                scene, Clock(job.time, job.step), job.size, job.supersample, within=(left, top, width, height),
                encoding=encoding,
            )  # fmt: skip
            for x, y, w, h, pixels in stream:
                result[y - top : y - top + h, x - left : x - left + w] = pixels[..., : encoding.channels]
    return result


def results(jobs: Iterable[Job], executor: Executor | None = None) -> Iterator[np.ndarray]:
    """The pixels of each job, in the jobs' order; an iterator.

    jobs       an iterable of Jobs, which may be lazy: no more than two for each worker are taken ahead
    executor   of concurrent.futures, or anything with such a `submit`; None runs the jobs here, one by one

    The Reports of jobs done in other processes are added to this process's `renderer().report`. Raises ExecutorError
    when a worker dies, and whatever a job raises; jobs that have not begun are then cancelled.
    """
    if executor is None:
        yield from map(run_job, jobs)
        return
    most = 2 * workers(executor)
    waiting: deque[Future[tuple[np.ndarray, Report]]] = deque()
    try:
        for job in jobs:
            waiting.append(_submitted(executor, _reported, job))
            if len(waiting) >= most:
                yield _noted(waiting.popleft())
        while waiting:
            yield _noted(waiting.popleft())
    finally:
        for future in waiting:
            future.cancel()


def workers(executor: Executor) -> int:
    """How many jobs an executor is assumed to run at a time."""
    for name in ("_max_workers", "num_workers", "max_workers"):
        count = getattr(executor, name, None)
        if isinstance(count, int) and count > 0:
            return count
    return os.cpu_count() or 1


def adapter(executor: Executor | None = None) -> str:
    """The adapter, driver and Python that jobs run on, in one line."""
    return platform() if executor is None else _fetched(_submitted(executor, platform))


@cache
def renderer() -> Renderer:
    """The Renderer of this process, made once: its pipelines and textures take time to make.

    All that is rendered, saved and recorded is drawn by it: with its `budget`, and counted in its `report`.
    """
    return Renderer()


def note(scene: Scene, where: str = "") -> None:
    """Adds a scene's remark on its present picture, if it has one, to this process's `renderer().report`.

    where   the cell or the figure that it is of, where there are several
    """
    remark = scene.remark()
    if remark:
        renderer().report += Report(remarks=(f"{where}: {remark}" if where else remark,))


# Private helpers.


def _reported(job: Job) -> tuple[np.ndarray, Report]:
    """The pixels of a Job, and what its own process has not counted of it: nothing, if it is done at home."""
    with drawing:
        before = renderer().report
        pixels = run_job(job)
        return pixels, Report() if job.home == _HOME else renderer().report - before


def _noted(future: Future[tuple[np.ndarray, Report]]) -> np.ndarray:
    pixels, report = _fetched(future)
    renderer().report += report
    return pixels


def _submitted(executor: Executor, work: Callable[..., T], *args: Any) -> Future[T]:
    try:
        return executor.submit(work, *args)
    except BrokenExecutor as error:
        raise _lost(error) from error
    except RuntimeError as error:
        raise ExecutorError(f"The executor takes no work: {error}. Make a new one.") from error


def _fetched(future: Future[T]) -> T:
    try:
        return future.result()
    except BrokenExecutor as error:
        raise _lost(error) from error


def _lost(error: BrokenExecutor) -> ExecutorError:
    return ExecutorError(
        f"A worker of the executor was lost: {error} Is there memory for each of them, and is the program guarded by "
        '`if __name__ == "__main__":`?'
    )


def _file_of(kind: type) -> str | None:
    """The path of the file a class is from; None for those that come with neuroscene and for notebooks."""
    if kind.__module__.partition(".")[0] in ("engine", "scenes"):
        return None
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    return os.path.realpath(file) if file and os.path.isfile(file) else None


def source_of(file: str) -> str | None:
    """SHA-256 of a file, or None where it cannot be read."""
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()
    except OSError:
        return None


def _scene_of(job: Job) -> Scene:
    """The scene of a job: the last job's, if the two differ only in the time or the part of the picture."""
    global _last
    key = (job.scene, job.file, job.source, job.home, job.kind, job.state)
    if _last is None or _last[0] != key:
        _last = None
        kind = _class_of(job)
        with report_user_errors(kind):
            scene = kind()
            scene.restore(json.loads(job.state))
        _last = key, scene
    return _last[1]


def _class_of(job: Job) -> type[Scene]:
    here = _kinds.get(job.kind) if job.home == _HOME else None
    if here is not None and f"{here.__module__}:{here.__qualname__}" == job.scene:
        return here
    module, _, name = job.scene.partition(":")
    if "<locals>" in name:
        raise ExecutorError(
            f"{name.split('.')[-1]} is made inside a function, where a worker process cannot find it. "
            "Write the class at the top level of a file."
        )
    return _found(job.file, job.source, module, name)


@cache
def _found(file: str | None, source: str | None, module: str, name: str) -> type[Scene]:
    """The scene class of a job: from the module of that name if it is the same here, else from the job's file."""
    if not module.startswith(FILE_MODULE):
        with suppress(ImportError):
            kind = getattr(importlib.import_module(module), name, None)
            if isinstance(kind, type) and issubclass(kind, Scene) and file in (None, _file_of(kind)):
                return kind
    if file is None:
        raise ExecutorError(
            f"{module}:{name} cannot be found in a worker process. Write the class in a file that can be read there."
        )
    if source_of(file) != source:
        raise ExecutorError(
            f"{file} is missing or another one where a worker of the executor runs. Every worker needs the same file "
            "at the same path, unchanged while they run."
        )
    return scene_in_file(file, name)


def _after_fork() -> None:
    global _forked
    _forked = has_device()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
