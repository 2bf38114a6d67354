"""A recorded hand against a real window: how long until a frame shows what it did, whatever is drawn meanwhile.

Each case is a window under Xvfb, in a process of its own. The hand drags, turns the wheel, moves a slider and types; an
input is answered when the first frame that is begun after it is presented. Where no `xvfb-run` is installed nothing is
measured, and said. The bar is a person's eye, 100 ms (Card, Robertson and Mackinlay 1991); the peer, first and last in
the same run, a window with imgui's own demonstration and nothing else, with the same hand, driver and frames a second.
On a busy machine `frame cpu` says more: what a frame takes of the processor of the thread that answers.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any

import numpy as np

from benchmarks.results import store

SIZE, SECONDS, STEP = (1200, 800), 15.0, 0.05
PEER = "imgui alone"
# name -> (scene, settings, what is begun after a second: "record", "train" or nothing)
CASES: dict[str, tuple[str, dict[str, Any], str]] = {
    "marching": ("marching", {}, ""),
    "random_networks": ("random_networks", {}, ""),
    "boundaries": ("boundaries", {}, ""),
    "activations": ("activations", {}, ""),
    "marching 3-32x3": ("marching", {"depth": 3, "hidden": 32}, ""),
    "marching 3-64x3 relu": ("marching", {"depth": 3, "hidden": 64, "activation": "relu"}, ""),
    "marching 3-128x3 sine": ("marching", {"depth": 3, "hidden": 128, "activation": "sine"}, ""),
    "boundaries training": ("boundaries", {}, "train"),
    "marching recorded": ("marching", {}, "record"),
}


def hand(viewer, canvas, pending, seconds):
    """Plays the hand; each input's moment goes into `pending`."""

    from rendercanvas.glfw import loop

    from engine.scene.settings import settings

    def send(kind, **event):
        pending.append(time.perf_counter())
        canvas.submit_event({"event_type": kind, "modifiers": (), "ntouches": 0, "touches": {}, **event})

    ended, x = time.perf_counter() + seconds, 400.0
    while time.perf_counter() < ended:
        send("pointer_down", x=x, y=400.0, button=1, buttons=(1,))
        for k in range(30):
            x += 4.0 if k < 15 else -4.0
            send("pointer_move", x=x, y=400.0, button=0, buttons=(1,))
            time.sleep(STEP)
        send("pointer_up", x=x, y=400.0, button=1, buttons=())
        for k in range(6):
            send("wheel", x=x, y=400.0, dx=0.0, dy=100.0 * (-1) ** k, buttons=())
            time.sleep(STEP)
        for k in range(10):  # what a slider that is moved calls
            pending.append(time.perf_counter())
            canvas.submit_event({"event_type": "pointer_move", "x": 1050.0, "y": 300.0 + k, "button": 0, "buttons": (),
                                 "modifiers": (), "ntouches": 0, "touches": {}})  # fmt: skip
            if viewer is not None and "level" in settings(viewer.scene):
                loop.call_soon_threadsafe(viewer.assign, "level", 0.05 * k)
            time.sleep(STEP)
        send("key_down", key="ArrowUp")
        send("key_up", key="ArrowUp")
        time.sleep(4 * STEP)


def case(name):
    """One case in this process, which needs a display: prints its row as JSON."""
    from engine.gpu.device import device
    from engine.output import window

    canvas = window.make_canvas(SIZE)
    begins, folder = "", tempfile.TemporaryDirectory()
    if name == PEER:
        from imgui_bundle import imgui
        from wgpu.utils.imgui import ImguiRenderer

        viewer: Any = None
        shown = ImguiRenderer(device().handle, canvas)
        shown.set_gui(imgui.show_demo_window)
        draw = shown.render
    else:
        from engine.app.lookup import open_scene
        from engine.app.show import make_viewer

        scene_name, values, begins = CASES[name]
        scene, clock = open_scene(scene_name, **values)
        viewer = make_viewer(scene, canvas, clock=clock, apart=True, folder=folder.name)
        draw = viewer._on_draw
    if device().is_software:
        window.show_slowly(canvas)
    if viewer is None:
        canvas.set_update_mode("continuous")
    pending: list[float] = []
    answers: list[float] = []
    used: list[float] = []
    due, context = 0, canvas.get_wgpu_context()
    present = context._rc_present

    def frame():
        nonlocal due
        due, cpu = len(pending), time.thread_time()
        draw()
        used.append(time.thread_time() - cpu)

    def presented(**more):
        result = present(**more)
        ended = time.perf_counter()
        answers.extend(ended - moment for moment in pending[:due])
        del pending[:due]
        return result

    context._rc_present = presented
    canvas.request_draw(frame)

    def play():
        time.sleep(1.0)
        if begins == "record":
            viewer.record()
        elif begins == "train":
            viewer.run(next(action.run for action in scene.actions() if action.name.startswith("train")))
        hand(viewer, canvas, pending, SECONDS)
        while pending:
            time.sleep(0.1)
        ms = np.array(answers) * 1e3
        row = {
            "case": name, "inputs": len(ms), "median ms": round(float(np.median(ms))),
            "95th ms": round(float(np.percentile(ms, 95))), "longest ms": round(float(ms.max())),
            "frame cpu ms": round(float(np.percentile(np.array(used) * 1e3, 95))),
            "picture": " ".join(viewer.painter.status()[:2]) if viewer else "",
        }  # fmt: skip
        print("ROW", json.dumps(row), flush=True)
        os._exit(0)

    threading.Thread(target=play, daemon=True).start()
    window.run()


def main():
    if len(sys.argv) > 1:
        case(sys.argv[1])
        return
    if shutil.which("xvfb-run") is None:
        print("window: there is no xvfb-run here (`apt-get install xvfb`), so nothing is measured.")
        return
    rows = []
    screen = f"-screen 0 {SIZE[0]}x{SIZE[1]}x24"
    for name in (PEER, *CASES, PEER):
        command = ["xvfb-run", "-a", "-s", screen, sys.executable, "-m", "benchmarks.window", name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        lines = [line[4:] for line in done.stdout.splitlines() if line.startswith("ROW ")]
        if not lines:
            sys.exit(f"window: {name} failed: {done.stderr[-2000:]}")
        rows.append(json.loads(lines[0]))
    store("window", rows)


if __name__ == "__main__":
    main()
