"""Moving a camera by the pointer: pan, zoom at the pointer, and smooth movement towards a goal."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from engine.view.camera import Camera, unit

# An event of rendercanvas.
Event = Mapping[str, Any]
# (x, y, width, height) of the picture on the canvas, in the pixels of events.
Viewport = tuple[float, float, float, float]
Pair = tuple[float, float]
# A function that returns the world point (3,) seen at (x, y) of the picture, or None.
Find = Callable[[float, float], ArrayLike | None]

# A notch of the wheel is 100 in an event; eight notches zoom by a factor of three.
ZOOM_A_NOTCH = 1.15
# Time constant of the movement in seconds: after it a third (1 / e) is left.
EASE = 0.07
# A movement is finished when this part of it is left: well under a pixel.
FINISHED = 2e-4


def place(pixel_x: float, pixel_y: float, viewport: Viewport) -> Pair:
    """(x, y) in the picture, each in [-1, 1], right and up, of a pixel of the canvas."""
    x, y, width, height = viewport
    return 2.0 * (pixel_x - x) / width - 1.0, 1.0 - 2.0 * (pixel_y - y) / height


def point_at(camera: Camera, x: float, y: float, aspect: float, depth: float) -> np.ndarray:
    """(3,) the world point seen at (x, y) of the picture, `depth` in front of the camera."""
    origin, direction = camera.ray(x, y, aspect)
    return origin + direction * (depth / (direction @ camera.forward))


def depth_of(camera: Camera, point: ArrayLike) -> float:
    """The distance of a world point from the camera along the view."""
    return float(np.subtract(point, camera.eye) @ camera.forward)


def shifted(camera: Camera, shift: ArrayLike) -> Camera:
    """The camera moved by a world vector, without turning."""
    return camera.with_(eye=np.add(camera.eye, shift), target=np.add(camera.target, shift))


def panned(camera: Camera, start: Pair, end: Pair, aspect: float, depth: float) -> Camera:
    """The camera moved so that a point seen at `start` is then seen at `end`.

    start, end   (x, y) in [-1, 1]
    depth        distance along the view of that point
    """
    return shifted(camera, point_at(camera, *start, aspect, depth) - point_at(camera, *end, aspect, depth))


def zoomed(camera: Camera, anchor: ArrayLike, factor: float) -> Camera:
    """The camera moved towards an anchor (factor < 1) or away from it; the anchor keeps its place in the picture.

    A perspective camera's eye and target are scaled about the anchor; an orthographic one changes its `height`.
    """
    anchor = np.asarray(anchor)
    if camera.is_orthographic:
        shift = (anchor - camera.eye) * (1.0 - factor)
        across = shift - camera.forward * (shift @ camera.forward)
        return shifted(camera, across).with_(height=camera.height * factor)
    eye, target = (anchor + (np.asarray(p) - anchor) * factor for p in (camera.eye, camera.target))
    return camera.with_(eye=eye, target=target)


def reach(camera: Camera) -> float:
    """The scale of the view, world units: the distance of the target, or the height of an orthographic camera."""
    return camera.height if camera.is_orthographic else camera.distance


def share(here: Camera, there: Camera, part: float) -> float:
    """The part of a movement that is done when the logarithm of `reach` has gone a part of its way.

    If positions move by this part, the fixed point of a zoom stays in its place during the movement.
    """
    start, end = reach(here), reach(there)
    return (start * (end / start) ** part - start) / (end - start) if abs(end / start - 1.0) > 1e-9 else part


class Drag(NamedTuple):
    """A held button: the last place of the pointer, whether the drag pans, and the depth of the point dragged."""

    button: int
    x: float
    y: float
    pans: bool
    depth: float


class PanZoom:
    """The control of a flat view: drag pans, the wheel zooms at the pointer, a double click centres.

    camera   the present Camera
    goal     the Camera towards which it moves at each `step`
    home     the Camera to which `reset` goes
    find     a Find; gives the point that a drag holds and at which the wheel zooms
    reach    (least, largest) `reach` of the camera, or None for limits relative to the home camera

    A drag moves the camera at once; wheel, centring and reset move it smoothly, by `step`.
    """

    # rendercanvas' numbers of buttons.
    LEFT, RIGHT, MIDDLE = 1, 2, 3

    def __init__(self, camera: Camera, home: Camera | None = None, find: Find | None = None):
        self.home = home or camera
        self.camera = self.goal = camera
        self.find: Find = find or (lambda x, y: None)
        self.reach: Pair | None = None
        self._drag: Drag | None = None

    @property
    def is_moving(self) -> bool:
        """True while the camera is moving to its goal or dragged."""
        return self._drag is not None or self.camera is not self.goal

    @property
    def is_dragging(self) -> bool:
        """True while a button is held."""
        return self._drag is not None

    def put(self, camera: Camera) -> None:
        """Sets the camera at once."""
        self.camera = self.goal = camera

    def reset(self) -> None:
        """Moves smoothly to `home`."""
        self.goal = self.home

    def centre(self, point: ArrayLike) -> None:
        """Moves smoothly until a world point is in the middle of the picture, without turning."""
        self.goal = shifted(self.goal, np.subtract(point, self.goal.target))

    def zoom(self, x: float, y: float, factor: float, aspect: float) -> None:
        """Moves smoothly towards the point seen at (x, y) (factor < 1), or away from it."""
        size, first = reach(self.goal), reach(self.home)
        # Closer than 1 / 2000 of the home view the depth buffer is too coarse; farther than 50 times all is a dot.
        least, largest = self.reach or (first * 5e-4, first * 50.0)
        # A camera that is beyond a limit already may stay there and come back.
        factor = float(np.clip(factor, min(1.0, least / size), max(1.0, largest / size)))
        self.goal = zoomed(self.goal, point_at(self.goal, x, y, aspect, self._depth(x, y)), factor)

    def step(self, seconds: float) -> bool:
        """Moves the camera towards its goal for `seconds`; returns True until it is there."""
        if self.camera is not self.goal:
            self.camera = self.between(self.camera, self.goal, 1.0 - math.exp(-max(0.0, seconds) / EASE))
            if self._is_there():
                self.camera = self.goal
        return self.camera is not self.goal

    def event(self, event: Event, viewport: Viewport) -> bool:
        """Handles a canvas event; returns True if it was for the camera."""
        kind, drag = event["event_type"], self._drag
        if kind == "pointer_down" and drag is None:
            return self._begin(event, viewport)
        if kind == "pointer_move" and drag is not None:
            if drag.pans:
                start, end = place(drag.x, drag.y, viewport), place(event["x"], event["y"], viewport)
                self.put(panned(self.camera, start, end, viewport[2] / viewport[3], drag.depth))
            else:
                self.drag(drag.x, drag.y, event, viewport)
            self._drag = drag._replace(x=event["x"], y=event["y"])
        elif kind == "pointer_up" and drag is not None and event["button"] == drag.button:
            self._drag = None
        elif kind == "wheel":
            x, y = place(event["x"], event["y"], viewport)
            self.zoom(x, y, ZOOM_A_NOTCH ** (event["dy"] / 100.0), viewport[2] / viewport[3])
        elif kind == "double_click" and event["button"] == self.LEFT:
            point = self.find(*place(event["x"], event["y"], viewport))
            if point is not None:
                self.centre(point)
        else:
            return False
        return True

    # Overridden by Orbit.

    def pans(self, event: Event) -> bool:
        """Whether a drag begun by this press pans."""
        return True

    def drag(self, x: float, y: float, event: Event, viewport: Viewport) -> None:
        """Moves the camera by a drag that does not pan, from pixel (x, y) to the event's."""

    def between(self, here: Camera, there: Camera, part: float) -> Camera:
        """The camera at `part`, 0 to 1, of the way from here to there."""
        done = share(here, there, part)
        middle = np.asarray(here.target) * (1.0 - done) + np.asarray(there.target) * done
        forward = unit(here.forward * (1.0 - part) + there.forward * part)
        distance = here.distance + (there.distance - here.distance) * done
        height = here.height + (there.height - here.height) * done
        return there.with_(eye=middle - forward * distance, target=middle, height=height)

    # Private helpers.

    def _depth(self, x, y):
        found = self.find(x, y)
        # While the camera is moving, the point found now will be seen at the goal's scale.
        if found is not None:
            depth = depth_of(self.camera, found) * reach(self.goal) / reach(self.camera)
            if depth > 0.0:
                return depth
        return self.goal.distance

    def _begin(self, event, viewport):
        if event["button"] not in (self.LEFT, self.RIGHT, self.MIDDLE):
            return False
        self.put(self.camera)
        pans = self.pans(event)
        depth = self._depth(*place(event["x"], event["y"], viewport)) if pans else 0.0
        self._drag = Drag(event["button"], event["x"], event["y"], pans, depth)
        return True

    def _is_there(self):
        here, there = self.camera, self.goal
        apart = np.subtract(here.target, there.target) / reach(there)
        turned = np.concatenate([here.forward - there.forward, here.upward - there.upward])
        return max(math.hypot(*apart), math.hypot(*turned), abs(reach(here) / reach(there) - 1.0)) < FINISHED
