"""A scene that can be made to wait, and a window of one, for tests of what frames show meanwhile."""

import threading
import time

import numpy as np
from workshop import Workshop

from engine.app.viewer import Viewer
from engine.gpu.native.apart import apart
from engine.output.offscreen import make_canvas

SIZE = (160, 110)


class Slow(Workshop):
    """A scene whose update waits, as one that computes for long; `compiles`: as one that a driver compiles for."""

    def __init__(self, **values):
        self.hold, self.there = threading.Event(), threading.Event()
        self.hold.set()
        self.compiles = False
        super().__init__(**values)

    def update(self, clock):
        if not self.hold.is_set():
            self.there.set()
            if self.compiles:
                apart(self.hold.wait, "compiling a shader")
            else:
                self.hold.wait()
        super().update(clock)


class Window:
    """A viewer that draws in a thread of its own, on a canvas off the screen."""

    def __init__(self, kind=Slow, *, size=SIZE, panel=False, **more):
        self.scene, self.canvas = kind(), make_canvas(size)
        self.viewer = Viewer(self.scene, self.canvas, panel=panel, live=True, apart=True, **more)

    def until(self, condition):
        """Frames until something is so; the last frame."""
        ends = time.monotonic() + 200.0  # for a test that fails
        while time.monotonic() < ends:
            frame = np.array(self.canvas.draw())
            if condition():
                return frame
            time.sleep(0.005)
        raise AssertionError("it never is")

    def settled(self):
        viewer = self.viewer
        self.until(lambda: viewer.painter.picture is not None and viewer.painter.is_done)
        return np.array(self.canvas.draw())

    def stuck(self, *, compiles):
        """Has the next picture wait."""
        self.scene.there.clear()
        self.scene.compiles = compiles
        self.scene.hold.clear()
        self.viewer.changed()
        self.until(self.scene.there.is_set)

    def drag(self, *places):
        """Presses at the first place, and moves over the others."""
        kinds = ["pointer_down"] + ["pointer_move"] * (len(places) - 1)
        for kind, (x, y) in zip(kinds, places, strict=True):
            self.canvas.send(
                {"event_type": kind, "x": x, "y": y, "button": 1, "buttons": (1,), "modifiers": (), "ntouches": 0}
            )
