"""A flat scene: a plane seen from straight above; the part of it that is shown is given by settings."""

import math

import numpy as np

from engine.scene.scene import Scene
from engine.scene.settings import Number, in_group
from engine.view.camera import Camera


def flat_camera(x: float, y: float, extent: float) -> Camera:
    """An orthographic Camera above the plane z = 0, y upwards.

    x, y     of the picture's middle, world units
    extent   world units across the picture's smaller side
    """
    return Camera(eye=(x, y, 10.0), target=(x, y, 0.0), fov=0.0, height=extent, near=0.05, far=20.0)


class FlatScene(Scene):
    """A Scene that is panned and zoomed: the mouse changes the settings x, y and extent, and they move the picture."""

    with in_group("camera", when=lambda s: s.view == "pan_zoom"):
        x = Number(0.0, bounds=(-1e9, 1e9), softbounds=(-10, 10), doc="of the picture's middle, to the right")
        y = Number(0.0, bounds=(-1e9, 1e9), softbounds=(-10, 10), doc="of the picture's middle, upwards")
        extent = Number(2.0, bounds=(1e-12, 1e9), softbounds=(0.01, 100), doc="what the picture's smaller side shows")

    _window: tuple[float, float, float] | None = None

    @property
    def view(self) -> str:
        return "pan_zoom"

    @property
    def home(self) -> Camera:
        return self.flat_home()

    def flat_home(self) -> Camera:
        """The camera for the settings' defaults."""
        kind = type(self)
        return flat_camera(kind.x, kind.y, kind.extent)

    @property
    def camera(self) -> Camera:
        return self.flat_view()

    @camera.setter
    def camera(self, camera: Camera) -> None:
        self.set_flat_view(camera)

    def flat_view(self) -> Camera:
        """The camera for the settings' present values."""
        window = self.x, self.y, self.extent
        # The same object while nothing moves: a viewer recognises a change by another object.
        if self._window != window:
            self._window, self._flat_camera = window, flat_camera(*window)
        return self._flat_camera

    def set_flat_view(self, camera: Camera) -> None:
        """Sets the settings to what a camera shows of the plane through its target."""
        x, y, _ = camera.target
        # A camera that somebody sets may be a perspective one.
        extent = camera.height if camera.is_orthographic else 2.0 * camera.distance * math.tan(camera.fov / 2.0)
        low, high = self.param.extent.bounds
        window = x, y, float(np.clip(extent, low, high))
        self.param.update(x=x, y=y, extent=window[2])
        self._window, self._flat_camera = window, camera
