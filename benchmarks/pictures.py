"""Frames of marching as an array, a film of its loop; the processor's time of a small frame, and of compiling scenes.

The peer is the original program of 2016 in a browser (Chromium, ANGLE) on two cores and the software driver lavapipe of
Mesa 22.3.6. It does not run here, so its figures are recorded ones and mean nothing on another machine.
"""

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import engine
from benchmarks.results import spread, store
from engine.diagnostics import log
from engine.render.renderer import Renderer
from scenes import SCENES

SIZE = (400, 400)
# So small that what Python does for a frame can be seen beside what the adapter does.
SMALL = (64, 48)
# what -> milliseconds of the original
ORIGINAL = {"classic": 45.0, "classic, surface alone": 18.0}
ORIGINAL_FILM = 6.2  # seconds

VIEWS: dict[str, dict] = {
    "classic": {"look": "classic"},
    "classic, surface alone": {"look": "classic", "sparks": False, "axes": False},
    "studio": {},
}


def frames():
    rows = []
    for what, values in VIEWS.items():
        scene, _ = engine.open_scene("marching", **values)
        renderer, count = Renderer(), [0]

        def frame(scene=scene, renderer=renderer, count=count):
            count[0] += 1
            renderer.frame(scene, engine.Clock(count[0] / 25), SIZE, 1).pixels()

        median, least = spread(frame, 30, 3)
        rows.append({"what": what, "ms": median * 1e3, "least": least * 1e3, "original": ORIGINAL.get(what, "")})
    store("frames", rows)


def film():
    scene, _ = engine.open_scene("marching", look="classic")
    with tempfile.TemporaryDirectory() as folder:

        def record():
            engine.record(
                scene, str(Path(folder) / "a.gif"), seconds=5, fps=10, size=SIZE, supersample=1, progress=False
            )

        median, least = spread(record, 3)
    store("film", [{"what": "50 frames as GIF", "seconds": median, "least": least, "original": ORIGINAL_FILM}])


def processor():
    """The time of this thread alone for a small frame of marching: of another moment each time, and of the same one."""
    rows = []
    for what, speed in (("moving", 1 / 25), ("still", 0.0)):
        scene, _ = engine.open_scene("marching")
        renderer, count = Renderer(), [0]

        def frame(scene=scene, renderer=renderer, count=count, speed=speed):
            count[0] += 1
            renderer.frame(scene, engine.Clock(count[0] * speed), SMALL, 1).pixels()

        median, least = spread(frame, 200, 20, time.thread_time)
        whole, _ = spread(frame, 100, 0)
        rows.append({"what": what, "thread ms": median * 1e3, "least": least * 1e3, "frame ms": whole * 1e3})
    store("processor", rows)


def compiling():
    """Making the pipelines of each scene's first picture, in a process of its own without the driver's disk cache."""
    rows = []
    for name in SCENES:
        words = [sys.executable, "-m", "benchmarks.pictures", name]
        environment = {**os.environ, "MESA_SHADER_CACHE_DISABLE": "true"}
        found = [json.loads(subprocess.check_output(words, env=environment, text=True)) for _ in range(3)]
        rows.append({"scene": name, **min(found, key=lambda row: row["seconds"])})
    store("compiling", rows)


def compile_scene(name):
    """Prints what it took to make a scene's pipelines, and the whole first frame, as JSON."""
    times = []

    class Times(logging.Handler):
        def emit(self, record):
            if isinstance(record.args, tuple) and isinstance(record.args[-1], float):
                times.append(record.args[-1])

    log.setLevel(logging.DEBUG)
    log.addHandler(Times())
    log.propagate = False
    scene, clock = engine.open_scene(name)
    renderer, begun = Renderer(), time.perf_counter()
    renderer.frame(scene, clock, SMALL, 1).pixels()
    first = time.perf_counter() - begun
    print(json.dumps({"pipelines": len(times), "seconds": sum(times) / 1e3, "first frame": first}))


if __name__ == "__main__":
    if sys.argv[1:]:
        compile_scene(sys.argv[1])
    else:
        frames()
        film()
        processor()
        compiling()
