"""A scene in space: looked at by a camera on a sphere, whose angles are settings like any other."""

import math

import numpy as np

from engine.scene.scene import Scene
from engine.scene.settings import Choice, Number
from engine.view.camera import Camera


def _orbits(scene):
    return scene.view == "orbit"


def orbit_camera(azimuth, altitude, distance, target=(0.0, 0.0, 0.0), **more):
    """A Camera on a sphere round its target, y upwards.

    azimuth    radians in the plane of x and z, from x towards z
    altitude   radians above that plane
    distance   world units
    """
    offset = (
        distance * math.cos(azimuth) * math.cos(altitude),
        distance * math.sin(altitude),
        distance * math.sin(azimuth) * math.cos(altitude),
    )
    return Camera(eye=tuple(np.add(target, offset)), target=tuple(target), **more)


def planes(distance):
    """Near and far planes for a subject at a distance: the depth buffer then serves a crumb as well as a planet."""
    return {"near": distance / 200.0, "far": distance * 100.0}


class SpaceScene(Scene):
    """A Scene whose camera orbits. Turning it with the mouse moves the settings, and setting them turns it."""

    azimuth = Number(
        math.degrees(2.21),
        bounds=(-360, 360),
        unit="deg",
        group="camera",
        when=_orbits,
        doc="angle of the camera round the upright axis",
    )
    altitude = Number(
        math.degrees(0.21),
        bounds=(-89.9, 89.9),
        unit="deg",
        group="camera",
        when=_orbits,
        doc="angle above the horizon",
    )
    distance = Number(
        12.0, bounds=(1e-3, 1e5), softbounds=(4, 40), group="camera", when=_orbits, doc="from the camera to its target"
    )
    projection = Choice(
        ["perspective", "orthographic"],
        group="camera",
        when=_orbits,
        doc="perspective, or parallel lines for measuring",
    )

    view = "orbit"

    def __init__(self, **values):
        camera = values.pop("camera", None)
        super().__init__(**values)
        self._from_settings()
        self.param.watch(self._from_settings, ["azimuth", "altitude", "distance", "projection"])
        if camera is not None:
            self.camera = camera

    @property
    def home(self):
        kind = type(self)
        distance = self.home_distance()
        return orbit_camera(math.radians(kind.azimuth), math.radians(kind.altitude), distance, **planes(distance))

    def home_distance(self):
        """From which the whole subject is seen."""
        return type(self).distance

    @property
    def camera(self):
        return self._camera

    @camera.setter
    def camera(self, camera):
        self._camera = camera
        offset = np.subtract(camera.eye, camera.target)
        distance = float(np.linalg.norm(offset))
        angles = {
            "azimuth": math.degrees(math.atan2(offset[2], offset[0])),
            "altitude": float(np.clip(math.degrees(math.asin(offset[1] / distance)), -89.9, 89.9)),
            "distance": float(np.clip(distance, 1e-3, 1e5)),
            "projection": "orthographic" if camera.is_orthographic else "perspective",
        }
        # The angles follow the camera; they must not move it in return.
        self._following = True
        try:
            self.param.update(**angles)
        finally:
            self._following = False

    def _from_settings(self, *_):
        if getattr(self, "_following", False):
            return
        old = self._camera
        angles = math.radians(self.azimuth), math.radians(self.altitude), self.distance
        # What stood at the target keeps its size when the projection changes.
        fov = 0.0 if self.projection == "orthographic" else Camera.fov
        height = 2.0 * self.distance * math.tan(Camera.fov / 2.0)
        self._camera = orbit_camera(*angles, target=old.target, fov=fov, height=height, **planes(self.distance))
