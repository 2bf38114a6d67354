"""Frames of marching as an array, and a film of its loop.

The peer is the original program of 2016 in a browser (Chromium, ANGLE) on two cores and the software driver lavapipe of
Mesa 22.3.6. It does not run here, so its figures are recorded ones and mean nothing on another machine.
"""

import tempfile
from pathlib import Path

import engine
from benchmarks.results import keep, spread
from engine.render.renderer import Renderer

SIZE = (400, 400)
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
    keep("frames", rows)


def film():
    scene, _ = engine.open_scene("marching", look="classic")
    with tempfile.TemporaryDirectory() as folder:

        def record():
            engine.record(
                scene, str(Path(folder) / "a.gif"), seconds=5, fps=10, size=SIZE, supersample=1, progress=False
            )

        median, least = spread(record, 3)
    keep("film", [{"what": "50 frames as GIF", "seconds": median, "least": least, "original": ORIGINAL_FILM}])


if __name__ == "__main__":
    frames()
    film()
