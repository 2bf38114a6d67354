"""How a cloud fills its frame: the lens of the home camera, and the place and size of the cloud for any direction."""

from dataclasses import dataclass, replace

import numpy as np

import engine

# Half the angle, as a tangent, that the longer side of what is framed spans; the margin at its sides, relative to it;
# and above and below, relative to its height: a line of words.
REACH, MARGIN, LINE = 0.2, 0.03, 0.06
# The shapes of pictures, width over height, that blocks are laid out and framed for. What is shown fills such a frame,
# with room above and below: the part of this room that is above in a wide frame, where the legend and the answers are;
# and the room above that is left in any case, in a wide frame and in others.
FULL_SHAPE = 16 / 9
SHAPES = (FULL_SHAPE, 4 / 3, 1.0, 3 / 4, 9 / 16)
ABOVE, ROOM, TALL_ROOM = 0.7, 0.28, 0.3
STEPS = 24


@dataclass(frozen=True)
class Framing:
    """A view that holds points, at any turn of the camera.

    points     (N, 3) what is to be seen
    distance   of the home camera
    wide, high half the frame's width and height, at distance 1
    room       the least part of its height that is left above
    is_full    whether the frame is that of a wide picture
    """

    points: np.ndarray
    distance: float
    wide: float = REACH
    high: float = REACH
    room: float = MARGIN
    is_full: bool = True

    @classmethod
    def of(cls, points: np.ndarray, home: engine.Camera, room: float, shape: float = FULL_SHAPE) -> "Framing":
        """The Framing that points fill, seen by the home camera; with room above them, relative to the frame.

        shape   the picture's width over height, one of SHAPES
        """
        is_full = shape == FULL_SHAPE
        rough = cls(points, home.distance, high=1e3)
        seen = rough._seen(home)
        scale = rough._largest(seen)
        low, top = rough._bounds(seen, scale, rough._centred(seen, scale))
        high = max((top[1] - low[1]) / 2 / (1 - LINE - room), REACH / shape)
        if high > REACH:  # what is shown is higher than wide
            return cls(points, home.distance, REACH * REACH / high, REACH, room, is_full)
        return cls(points, home.distance, REACH, high, room, is_full)

    @property
    def lens(self) -> tuple[float, float]:
        """(fov, shape) of the camera."""
        return 2.0 * float(np.arctan(min(self.wide, self.high))), self.wide / self.high

    def transform(self, camera: engine.Camera, turned: np.ndarray) -> np.ndarray:
        """(4, 4) from the points' space to the world: turned, and as large as a camera's direction allows.

        camera   it may be nearer or farther than the home camera, which makes no difference
        turned   (4, 4), a rotation
        """
        scale, shift = replace(self, points=self.points @ turned[:3, :3].T)._fit(camera)
        found = np.diag([scale, scale, scale, 1.0])
        found[:3, 3] = shift[0] * camera.right + shift[1] * camera.upward
        return found @ turned

    def _seen(self, camera):
        """The points along the camera's axes: (2, N) to the right and upwards; (N,) towards it, None without depth."""
        x, y, near = (self.points @ np.stack([camera.right, camera.upward, -camera.forward]).T).T
        return np.stack([x, y]), None if camera.is_orthographic else near

    def _bounds(self, seen, scale, shift):
        """(least, greatest) (x, y) of the points in the picture, as tangents of their angles."""
        across, near = seen
        far = self.distance
        away = far if near is None else np.maximum(far - scale * near, 1e-3 * far)
        found = (scale * across + shift[:, None]) / away
        return found.min(axis=1), found.max(axis=1)

    @property
    def _inside(self):
        return np.array([self.wide - MARGIN * REACH, self.high * (1 - LINE - self.room)])

    def _largest(self, seen):
        """The scale of the points at which they just fit into the frame."""
        radius = float(np.linalg.norm(self.points, axis=1).max()) or 1.0
        low, high, inside = 0.0, 0.9 * self.distance / radius, self._inside
        for _ in range(STEPS):
            scale = (low + high) / 2
            least, most = self._bounds(seen, scale, self._centred(seen, scale))
            low, high = (scale, high) if ((most - least) / 2 <= inside).all() else (low, scale)
        return low

    def _fit(self, camera):
        """(scale, shift to the right and upwards): the largest of the points that are inside the frame."""
        seen = self._seen(camera)
        scale = self._largest(seen)
        shift = self._centred(seen, scale)
        least, most = self._bounds(seen, scale, shift)
        # In the frame's height what is left is above rather than below.
        half, room = self.high * (1 - LINE), self.room * self.high
        slack = max(room, half - (most[1] - least[1]) / 2)
        bottom = slack - max((2 * ABOVE - 1) * slack if self.is_full else 0.0, room) - half
        for _ in range(3):
            shift = shift + np.array((0.0, (bottom - self._bounds(seen, scale, shift)[0][1]) * self.distance))
        return scale, shift

    def _centred(self, seen, scale):
        shift = np.zeros(2)
        for _ in range(3):
            least, most = self._bounds(seen, scale, shift)
            shift = shift - (least + most) / 2 * self.distance
        return shift
