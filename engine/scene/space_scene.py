"""A scene in space, seen by a camera on a sphere; the camera's angles and distance are settings."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.scene.scene import Scene
from engine.scene.settings import Choice, Number, in_group
from engine.view.camera import Camera


def orbit_camera(
    azimuth: float, altitude: float, distance: float, target: Sequence[float] = (0.0, 0.0, 0.0), **more: Any
) -> Camera:
    """A Camera on a sphere round its target, y upwards; near and far planes fit the distance.

    azimuth    radians in the plane of x and z, from x towards z
    altitude   radians above that plane
    distance   world units
    """
    offset = (
        distance * math.cos(azimuth) * math.cos(altitude),
        distance * math.sin(altitude),
        distance * math.sin(azimuth) * math.cos(altitude),
    )
    (x, y, z), eye = target, tuple(np.add(target, offset))
    # Proportional to the distance, so that the depth buffer is equally exact at every scale.
    return Camera(eye=eye, target=(x, y, z), near=distance / 200.0, far=distance * 100.0, **more)


class SpaceScene(Scene):
    """A Scene whose camera orbits: the mouse changes the camera's settings, and setting them turns the camera."""

    with in_group("camera", when=lambda s: s.view == "orbit"):
        azimuth = Number(
            math.degrees(2.21), bounds=(-360, 360), unit="deg", doc="angle of the camera round the upright axis"
        )
        altitude = Number(math.degrees(0.21), bounds=(-89.9, 89.9), unit="deg", doc="angle above the horizon")
        distance = Number(12.0, bounds=(1e-3, 1e5), softbounds=(4, 40), doc="from the camera to its target")
        projection = Choice(["perspective", "orthographic"], doc="perspective, or parallel lines for measuring")

    _camera: Camera
    _follows = False  # True while the camera sets the settings, which must then not move the camera

    def __init__(self, **values: Any):
        camera = values.pop("camera", None)
        super().__init__(**values)
        self._from_settings()
        self.on_change(["azimuth", "altitude", "distance", "projection"], "_from_settings")
        if camera is not None:
            self.camera = camera

    @property
    def view(self) -> str:
        return "orbit"

    @property
    def home(self) -> Camera:
        return self.orbit_home()

    def orbit_home(self) -> Camera:
        """The camera for the settings' defaults."""
        kind = type(self)
        angles = math.radians(kind.azimuth), math.radians(kind.altitude), self.home_distance()
        return orbit_camera(*angles, fov=self.lens[0], shape=self.lens[1])

    @property
    def lens(self) -> tuple[float, float]:
        """(fov, shape) of the cameras: see Camera."""
        return Camera.fov, 1.0

    def home_distance(self) -> float:
        """The distance, in world units, from which all that the scene draws is seen."""
        return type(self).distance

    @property
    def camera(self) -> Camera:
        return self._camera

    @camera.setter
    def camera(self, camera: Camera) -> None:
        self.set_orbit(camera)

    def set_orbit(self, camera: Camera) -> None:
        """Takes a camera, and sets the settings to its angles and distance."""
        self._camera = camera
        offset = np.subtract(camera.eye, camera.target)
        distance = float(np.linalg.norm(offset))
        # The settings must not move the camera in return.
        self._follows = True
        try:
            self.param.update(
                azimuth=math.degrees(math.atan2(offset[2], offset[0])),
                altitude=float(np.clip(math.degrees(math.asin(np.clip(offset[1] / distance, -1, 1))), -89.9, 89.9)),
                distance=float(np.clip(distance, 1e-3, 1e5)),
                projection="orthographic" if camera.is_orthographic else "perspective",
            )
        finally:
            self._follows = False

    def _from_settings(self):
        if self._follows:
            return
        angles = math.radians(self.azimuth), math.radians(self.altitude), self.distance
        # Things at the target keep their size in the picture when the projection changes.
        (lens, shape), target = self.lens, self._camera.target
        fov = 0.0 if self.projection == "orthographic" else lens
        height = 2.0 * self.distance * math.tan(lens / 2.0)
        self._camera = orbit_camera(*angles, target=target, fov=fov, height=height, shape=shape)
