"""Objects and resident memory over many scenes, shapes of networks, frames and views.

    python -m benchmarks.memory             all, TIMES of each
    python -m benchmarks.memory 20          at most 20 of each
    python -m benchmarks.memory 1000 deep   these alone

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

TIMES = {"scenes": 500, "shapes": 60, "deep": 45, "frames": 1000, "views": 1000}
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


def shapes(depths: tuple[int, ...], step: int) -> Callable[[int], None]:
    """Networks of these depths, of widths from 5 on."""
    scene = open_scene("random_networks")[0]

    def one(k: int) -> None:
        scene.depth, scene.width = depths[k % len(depths)], 5 + step * (k // len(depths))
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
    most = int(sys.argv[1]) if sys.argv[1:] else max(TIMES.values())
    works = {
        "scenes": scenes, "shapes": shapes((1, 2, 3), 1), "deep": shapes((3, 9, 20), 4), "frames": frames(),
        "views": views,
    }  # fmt: skip
    for what in sys.argv[2:] or works:
        times = min(most, TIMES[what])
        one, before = works[what], (resident(), alive())
        for k in range(times):
            one(k)
            if k == times // 10:
                early = resident(), alive()
        # A row as soon as there is one: all together take minutes.
        row = {
            "what": what, "times": times, "MB before": before[0], "MB after a tenth": early[0], "MB after": resident(),
            "arrays before": before[1], "arrays after a tenth": early[1], "arrays after": alive(), "kept": len(kept),
        }  # fmt: skip
        store("memory", [row])


if __name__ == "__main__":
    main()
