"""Turning a camera round its target in all directions; beyond a pole it continues upside down."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.view.camera import Camera, unit
from engine.view.pan_zoom import Event, PanZoom, Viewport, share

# Radians that the camera turns for a drag over the picture's whole height.
RADIANS_A_HEIGHT = math.pi
# In steeper views the camera's `up` is its own upward direction, since the pole may be parallel to the view.
STEEP = math.cos(math.radians(80.0))


@dataclass(frozen=True)
class Angles:
    """The place of a camera relative to its target.

    azimuth    round the pole, radians; 0 on the first axis
    altitude   above the equator, radians; past a quarter circle the camera is upside down
    distance   world units
    """

    azimuth: float
    altitude: float
    distance: float


def axes(pole: ArrayLike) -> np.ndarray:
    """(3, 3) rows: the axis of azimuth 0, the pole, the axis of azimuth 90 degrees; x, y, z for the pole y."""
    pole = unit(np.asarray(pole, float))
    # The coordinate axis farthest from the pole's direction; x is preferred to z, so that the pole y gives x, y, z.
    across = np.eye(3)[min((0, 2, 1), key=lambda i: abs(pole[i]))]
    first = unit(across - pole * (across @ pole))
    return np.array([first, pole, np.cross(first, pole)])


def angles(camera: Camera, pole: ArrayLike = (0.0, 1.0, 0.0)) -> Angles:
    """The Angles of a camera.

    The altitude is computed from the view and the upward direction together, so it is well defined at the poles too.
    """
    frame = axes(pole)
    out, up = frame @ -camera.forward, frame @ camera.upward
    altitude = math.atan2(out[1], up[1])
    sine, cosine = math.sin(altitude), math.cos(altitude)
    azimuth = math.atan2(out[2] * cosine - up[2] * sine, out[0] * cosine - up[0] * sine)
    return Angles(azimuth, altitude, camera.distance)


def placed(camera: Camera, at: Angles, pole: ArrayLike = (0.0, 1.0, 0.0)) -> Camera:
    """The camera moved to the Angles `at` round its target."""
    frame = axes(pole)
    sine, cosine = math.sin(at.altitude), math.cos(at.altitude)
    ca, sa = math.cos(at.azimuth), math.sin(at.azimuth)
    out = np.array([ca * cosine, sine, sa * cosine]) @ frame
    up = frame[1] if cosine > STEEP else np.array([-ca * sine, cosine, -sa * sine]) @ frame
    return camera.with_(eye=np.asarray(camera.target) + out * at.distance, up=up)


def shortest(angle: float) -> float:
    """An angle's equivalent in [-pi, pi)."""
    return (angle + math.pi) % (2.0 * math.pi) - math.pi


class Orbit(PanZoom):
    """The control of a view in space: left drag orbits, other drags and shift-left pan, the wheel zooms at the pointer.

    The horizon stays level, and beyond a pole the view continues upside down, so that every view can be reached.
    """

    @property
    def pole(self) -> tuple[float, float, float]:
        """The direction round which it turns: the `up` of the home camera."""
        return self.home.up

    def pans(self, event: Event) -> bool:
        return event["button"] != self.LEFT or "Shift" in event.get("modifiers", ())

    def drag(self, x: float, y: float, event: Event, viewport: Viewport) -> None:
        speed = RADIANS_A_HEIGHT / viewport[3]
        self.orbit((event["x"] - x) * speed, (event["y"] - y) * speed)

    def orbit(self, right: float, down: float) -> None:
        """Turns by two angles in radians, as if the scene were dragged to the right and down."""
        at = angles(self.camera, self.pole)
        # Upside down, the near side would move against the drag without this sign.
        side = 1.0 if math.cos(at.altitude) >= 0.0 else -1.0
        self.put(placed(self.camera, Angles(at.azimuth + side * right, at.altitude + down, at.distance), self.pole))

    def between(self, here: Camera, there: Camera, part: float) -> Camera:
        flat = super().between(here, there, part)
        start, end = angles(here, self.pole), angles(there, self.pole)
        azimuth = start.azimuth + part * shortest(end.azimuth - start.azimuth)
        altitude = start.altitude + part * shortest(end.altitude - start.altitude)
        distance = start.distance + share(here, there, part) * (end.distance - start.distance)
        return placed(flat, Angles(azimuth, altitude, distance), self.pole)
