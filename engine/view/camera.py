"""Perspective and orthographic cameras."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import SettingError
from engine.kept import once

# The largest of a camera's numbers, and its least height: pictures are drawn in float32, where squares end at 1e38.
LARGEST, LEAST = 1e15, 1e-15
# Radians of the narrowest and the widest view: wider ones have no picture, since half a circle is seen on no plane.
FOV = 1e-6, 3.1


def unit(v: np.ndarray) -> np.ndarray:
    """v scaled to length 1; the zero vector is returned unchanged."""
    length = np.linalg.norm(v)
    return v / length if length > 0 else v


@dataclass(frozen=True)
class Camera:
    """A camera looks from `eye` at `target`. Immutable: moving it gives a new one.

    eye, target    (3,), world units
    up             (3,), the direction that points upwards in the picture
    fov            field of view across the picture's smaller side, radians; 0 for an orthographic camera. A tall
                   picture therefore shows as much from left to right as a wide one from bottom to top
    height         world units that an orthographic camera shows across the smaller side
    shape          width over height of what is framed: `fov` and `height` span its smaller side, and a picture of any
                   shape shows all of it
    near, far      distances along the view where depth begins and ends

    Raises SettingError for numbers that are not finite or out of range, if eye and target coincide, if `up` is parallel
    to the view, and if `near` is not nearer than `far`.
    """

    eye: tuple[float, float, float] = (0.0, 0.0, 12.0)
    target: tuple[float, float, float] = (0.0, 0.0, 0.0)
    up: tuple[float, float, float] = (0.0, 1.0, 0.0)
    fov: float = 2.0 * np.arctan(0.5)
    height: float = 10.0
    near: float = 0.05
    far: float = 1000.0
    shape: float = 1.0

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            is_point = field.name in ("eye", "target", "up")
            try:
                found = tuple(float(x) for x in value) if is_point else float(value)
            except (TypeError, ValueError, OverflowError):
                found = ()
            if np.shape(found) != ((3,) if is_point else ()) or not np.all(np.abs(found) <= LARGEST):  # refuses nan too
                what = f"three numbers up to {LARGEST:g}" if is_point else f"a number up to {LARGEST:g}"
                raise SettingError(f"A camera's {field.name} is {value}; it takes {what}.")
            object.__setattr__(self, field.name, found)
        if self.fov != 0.0 and not FOV[0] <= self.fov <= FOV[1]:
            raise SettingError(
                f"A camera's fov is {self.fov:g}; it takes {FOV[0]:g} to {FOV[1]:g} radians, or 0 for parallel lines."
            )
        if not self.height >= LEAST:
            raise SettingError(f"A camera's height is {self.height:g}; it takes world units from {LEAST:g} on.")
        if not self.shape >= LEAST:
            raise SettingError(f"A camera's shape is {self.shape:g}; it takes width over height, above 0.")
        if not self.near < self.far or (self.fov and self.near < LEAST):
            raise SettingError(
                f"A camera's near is {self.near:g} and its far {self.far:g}; it takes near below far, both above 0."
            )
        if np.linalg.norm(np.cross(self.forward, self.up)) < 1e-9:
            raise SettingError(
                f"A camera at {self.eye} looking at {self.target} with {self.up} upwards has no picture."
            )

    @once
    def forward(self) -> np.ndarray:
        return unit(np.subtract(self.target, self.eye))

    @once
    def right(self) -> np.ndarray:
        return unit(np.cross(self.forward, self.up))

    @once
    def upward(self) -> np.ndarray:
        """(3,) the unit vector upwards in the picture, perpendicular to forward and right."""
        return np.cross(self.right, self.forward)

    @property
    def distance(self) -> float:
        return float(np.linalg.norm(np.subtract(self.target, self.eye)))

    @property
    def is_orthographic(self) -> bool:
        return self.fov == 0.0

    def half_sizes(self, aspect: float) -> tuple[float, float]:
        """Half the picture's width and height at distance 1 (perspective), or in world units (orthographic).

        aspect   width over height
        """
        half = self.height / 2.0 if self.is_orthographic else float(np.tan(self.fov / 2.0))
        if aspect >= self.shape:
            return half / min(self.shape, 1.0) * aspect, half / min(self.shape, 1.0)
        return half * max(self.shape, 1.0), half * max(self.shape, 1.0) / aspect

    def with_(self, **changes: Any) -> Self:
        """A copy with other values of some fields; points may be arrays."""
        return replace(self, **changes)

    def view(self) -> np.ndarray:
        """(4, 4) world to eye space, x right, y up, -z forward; for column vectors: view @ p."""
        return self._view.copy()

    @once
    def _view(self):
        m = np.eye(4)
        m[0, :3], m[1, :3], m[2, :3] = self.right, self.upward, -self.forward
        m[:3, 3] = -m[:3, :3] @ np.asarray(self.eye)
        return m

    def projection(self, aspect: float) -> np.ndarray:
        """(4, 4) eye space to clip space, depth 0 at near and 1 at far as in WebGPU."""
        n, f, (w, h) = self.near, self.far, self.half_sizes(aspect)
        m = np.zeros((4, 4))
        m[0, 0], m[1, 1] = 1.0 / w, 1.0 / h
        if self.is_orthographic:
            m[2, 2], m[2, 3], m[3, 3] = -1.0 / (f - n), -n / (f - n), 1.0
        else:
            m[2, 2], m[2, 3], m[3, 2] = -f / (f - n), -n * f / (f - n), -1.0
        return m

    def ray(self, x: float, y: float, aspect: float) -> tuple[np.ndarray, np.ndarray]:
        """(origin, direction of length 1): the ray through a point of the picture.

        x, y   in [-1, 1], right and up
        """
        w, h = self.half_sizes(aspect)
        offset = self.right * (x * w) + self.upward * (y * h)
        if self.is_orthographic:
            return np.asarray(self.eye) + offset, self.forward
        return np.asarray(self.eye), unit(self.forward + offset)

    def project(self, point: ArrayLike, aspect: float) -> tuple[float, float, float] | None:
        """(x, y, depth along the view), x and y in [-1, 1], right and up; None for a point behind the eye."""
        x, y, _, w = self.projection(aspect) @ self.view() @ np.append(np.asarray(point, float), 1.0)
        return (x / w, y / w, w) if w > 0 else None

    def state(self) -> dict[str, Any]:
        """The fields as plain data for JSON; `Camera(**state)` makes the camera again."""
        return asdict(self)
