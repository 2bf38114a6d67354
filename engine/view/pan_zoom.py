"""Moving a camera with the pointer: pan, zoom at the pointer, and easing towards a goal."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from engine.view.camera import Camera, unit

# As rendercanvas sends them.
Event = Mapping[str, Any]
# (x, y, width, height) of the picture on the canvas, in the events' pixels.
Viewport = tuple[float, float, float, float]
Pair = tuple[float, float]
# What is seen at (x, y) of the picture: a world point (3,), or None.
Find = Callable[[float, float], ArrayLike | None]

# A wheel's notch is 100 in an event; eight of them bring the subject three times closer.
ZOOM_A_NOTCH = 1.15
# Seconds after which a third of a movement is left: quick enough to feel direct, slow enough to be followed.
EASE = 0.07
# What is left of a movement when it is called finished, of its size: well under a pixel.
FINISHED = 2e-4


def place(pixel_x: float, pixel_y: float, viewport: Viewport) -> Pair:
    """(x, y) of a canvas's pixel in the picture, each in [-1, 1], right and up."""
    x, y, width, height = viewport
    return 2.0 * (pixel_x - x) / width - 1.0, 1.0 - 2.0 * (pixel_y - y) / height


def point_at(camera: Camera, x: float, y: float, aspect: float, depth: float) -> np.ndarray:
    """(3,) the world point seen at (x, y) of the picture, `depth` in front of the camera."""
    origin, direction = camera.ray(x, y, aspect)
    return origin + direction * (depth / (direction @ camera.forward))


def depth_of(camera: Camera, point: ArrayLike) -> float:
    """How far in front of the camera a world point lies, along the view."""
    return float(np.subtract(point, camera.eye) @ camera.forward)


def shifted(camera: Camera, shift: ArrayLike) -> Camera:
    """The camera moved by a world vector, looking the same way."""
    return camera.with_(eye=np.add(camera.eye, shift), target=np.add(camera.target, shift))


def panned(camera: Camera, start: Pair, end: Pair, aspect: float, depth: float) -> Camera:
    """The camera moved so that what was seen at `start` is seen at `end`.

    start, end   (x, y) in [-1, 1]
    depth        of what stays under the pointer
    """
    return shifted(camera, point_at(camera, *start, aspect, depth) - point_at(camera, *end, aspect, depth))


def zoomed(camera: Camera, anchor: ArrayLike, factor: float) -> Camera:
    """The camera closer to an anchor (factor < 1) or farther from it; the anchor stays where it is in the picture.

    A perspective camera is scaled about the anchor, so its proportions stay; an orthographic one keeps its distance.
    """
    anchor = np.asarray(anchor)
    if camera.is_orthographic:
        shift = (anchor - camera.eye) * (1.0 - factor)
        across = shift - camera.forward * (shift @ camera.forward)
        return shifted(camera, across).with_(height=camera.height * factor)
    eye, target = (anchor + (np.asarray(p) - anchor) * factor for p in (camera.eye, camera.target))
    return camera.with_(eye=eye, target=target)


def reach(camera: Camera) -> float:
    """The size of what is looked at: its distance, or its height for an orthographic camera."""
    return camera.height if camera.is_orthographic else camera.distance


def share(here: Camera, there: Camera, part: float) -> float:
    """How much of a movement is done when the size of what is looked at has gone a part of its way, in its logarithm.

    What moves by this share stays where it is in the picture while that is zoomed.
    """
    start, end = reach(here), reach(there)
    return (start * (end / start) ** part - start) / (end - start) if abs(end / start - 1.0) > 1e-9 else part


class Drag(NamedTuple):
    """A button that is held: where it was last seen, whether it pans, and at what depth."""

    button: int
    x: float
    y: float
    pans: bool
    depth: float


class PanZoom:
    """A flat view's control: drag pans, the wheel zooms at the pointer, double click centres.

    camera   where the camera is now
    goal     where it is going; `step` brings it closer
    home     where `reset` goes
    find     function (x, y) in the picture -> the (3,) world point seen there, or None; what is grabbed and zoomed at
    reach    may be set to the (least, largest) size of what is looked at; None is what depth buffers of space allow

    Dragging moves at once; wheel, centring and reset are eased by `step`, by its seconds alone.
    """

    # Buttons as rendercanvas numbers them.
    LEFT, RIGHT, MIDDLE = 1, 2, 3

    def __init__(self, camera: Camera, home: Camera | None = None, find: Find | None = None):
        self.home = home or camera
        self.camera = self.goal = camera
        self.find: Find = find or (lambda x, y: None)
        self.reach: Pair | None = None
        self._drag: Drag | None = None

    @property
    def is_moving(self) -> bool:
        """True while the camera is on its way or held by the pointer."""
        return self._drag is not None or self.camera is not self.goal

    @property
    def is_dragging(self) -> bool:
        """True while a button is held."""
        return self._drag is not None

    def put(self, camera: Camera) -> None:
        """Sets the camera at once."""
        self.camera = self.goal = camera

    def reset(self) -> None:
        """Goes home."""
        self.goal = self.home

    def centre(self, point: ArrayLike) -> None:
        """Goes to where a world point is in the middle of the picture, seen from the same side."""
        self.goal = shifted(self.goal, np.subtract(point, self.goal.target))

    def zoom(self, x: float, y: float, factor: float, aspect: float) -> None:
        """Goes closer (factor < 1) to what is seen at (x, y), or away from it."""
        size, first = reach(self.goal), reach(self.home)
        # Closer than a two-thousandth the depth buffer has no steps left; farther than 50 times there is only a dot.
        least, largest = self.reach or (first * 5e-4, first * 50.0)
        # Who is beyond already may stay there, and come back.
        factor = float(np.clip(factor, min(1.0, least / size), max(1.0, largest / size)))
        self.goal = zoomed(self.goal, point_at(self.goal, x, y, aspect, self._depth(x, y)), factor)

    def step(self, seconds: float) -> bool:
        """Brings the camera closer to its goal; returns True while it is not there."""
        if self.camera is not self.goal:
            self.camera = self.between(self.camera, self.goal, 1.0 - math.exp(-max(0.0, seconds) / EASE))
            if self._is_there():
                self.camera = self.goal
        return self.camera is not self.goal

    def event(self, event: Event, viewport: Viewport) -> bool:
        """Takes a canvas event; returns True if it was one for the camera."""
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

    # What a view that turns does differently.

    def pans(self, event: Event) -> bool:
        """Whether a press of this button pans."""
        return True

    def drag(self, x: float, y: float, event: Event, viewport: Viewport) -> None:
        """Moves the camera by a drag that does not pan, from pixel x, y to where the event is."""

    def between(self, here: Camera, there: Camera, part: float) -> Camera:
        """The camera a part of the way from here to there, 0 to 1."""
        done = share(here, there, part)
        middle = np.asarray(here.target) * (1.0 - done) + np.asarray(there.target) * done
        forward = unit(here.forward * (1.0 - part) + there.forward * part)
        distance = here.distance + (there.distance - here.distance) * done
        height = here.height + (there.height - here.height) * done
        return there.with_(eye=middle - forward * distance, target=middle, height=height)

    # How.

    def _depth(self, x, y):
        found = self.find(x, y)
        # While the camera is on its way, what is found now will be seen at the goal's scale.
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
