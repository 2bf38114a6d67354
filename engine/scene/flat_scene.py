"""A flat scene: a plane looked at from straight above, whose window on it is settings like any other."""

import math

import numpy as np

from engine.scene.scene import Scene
from engine.scene.settings import Number
from engine.view.camera import Camera


def flat_camera(x, y, extent):
    """An orthographic Camera above the plane z = 0, y upwards.

    x, y     of the picture's middle, world units
    extent   world units across the picture's smaller side
    """
    return Camera(eye=(x, y, 10.0), target=(x, y, 0.0), fov=0.0, height=extent, near=0.05, far=20.0)


class FlatScene(Scene):
    """A Scene that is panned and zoomed. The mouse moves the settings, and setting them moves the picture."""

    x = Number(
        0.0, bounds=(-1e9, 1e9), softbounds=(-10, 10), group="camera", doc="of the picture's middle, to the right",
        when=lambda s: s.view == "pan_zoom",
    )  # fmt: skip
    y = Number(
        0.0, bounds=(-1e9, 1e9), softbounds=(-10, 10), group="camera", doc="of the picture's middle, upwards",
        when=lambda s: s.view == "pan_zoom",
    )  # fmt: skip
    extent = Number(
        2.0, bounds=(1e-12, 1e9), softbounds=(0.01, 100), group="camera", doc="what the picture's smaller side shows",
        when=lambda s: s.view == "pan_zoom",
    )  # fmt: skip

    view = "pan_zoom"

    @property
    def home(self):
        kind = type(self)
        return flat_camera(kind.x, kind.y, kind.extent)

    @property
    def camera(self):
        window = self.x, self.y, self.extent
        # The same Camera while nothing moves: who keeps it tells a change by that.
        if getattr(self, "_window", None) != window:
            self._window, self._flat_camera = window, flat_camera(*window)
        return self._flat_camera

    @camera.setter
    def camera(self, camera):
        x, y, _ = camera.target
        # A camera from elsewhere may be a perspective one: what it shows at its target is what counts.
        extent = camera.height if camera.is_orthographic else 2.0 * camera.distance * math.tan(camera.fov / 2.0)
        low, high = self.param.extent.bounds
        window = x, y, float(np.clip(extent, low, high))
        self.param.update(x=x, y=y, extent=window[2])
        self._window, self._flat_camera = window, camera
