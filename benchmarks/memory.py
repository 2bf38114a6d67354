"""Objects and resident memory over a thousand scenes, shapes of networks, frames and views.

The peer of each is the same work before: what the first tenth took, after which it should stay as it is.
"""

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.results import store
from engine.app.lookup import open_scene
from engine.app.make import render
from engine.app.show import make_viewer
from engine.gpu.array import Array
from engine.gpu.texture import Texture
from engine.kept import store as kept
from engine.output.offscreen import make_canvas

TIMES = 1000
SMALL: dict[str, Any] = {"size": (32, 24), "supersample": 1, "progress": False}
SCENES = ("marching", "random_networks", "boundaries", "activations")


def resident() -> float:
    """Megabytes of memory that this process has now; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6
    except OSError:
        return 0.0


def alive() -> int:
    """Arrays and textures on the GPU."""
    gc.collect()
    return sum(isinstance(thing, Array | Texture) for thing in gc.get_objects())


def scenes(k: int) -> None:
    render(open_scene(SCENES[k % len(SCENES)])[0], **SMALL)


def shapes() -> Callable[[int], None]:
    scene = open_scene("random_networks")[0]

    def one(k: int) -> None:
        scene.depth, scene.width = 1 + k % 3, 3 + k // 3
        render(scene, **SMALL)

    return one


def frames() -> Callable[[int], None]:
    scene = open_scene("marching")[0]

    def one(k: int) -> None:
        render(scene, time=k / 30.0, **SMALL)

    return one


def views(k: int) -> None:
    canvas = make_canvas((320, 200))
    make_viewer(open_scene(SCENES[k % 2])[0], canvas, panel=k % 10 == 0)
    canvas.draw()
    canvas.close()


def main() -> None:
    asked = sys.argv[1:]
    times = int(asked[0]) if asked else TIMES
    rows = []
    for what, one in {"scenes": scenes, "shapes": shapes(), "frames": frames(), "views": views}.items():
        before = resident(), alive()
        for k in range(times):
            one(k)
            if k == times // 10:
                early = resident(), alive()
        rows.append(
            {"what": what, "times": times, "MB before": before[0], "MB after a tenth": early[0], "MB after": resident(),
             "arrays before": before[1], "arrays after a tenth": early[1], "arrays after": alive(), "kept": len(kept)}
        )  # fmt: skip
    store("memory", rows)


if __name__ == "__main__":
    main()
