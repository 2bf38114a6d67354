"""Moving a camera with the pointer: pan, zoom at the pointer, and easing towards a goal."""

import math

import numpy as np

from engine.view.camera import unit

# A wheel's notch is 100 in an event; eight of them bring the subject three times closer.
ZOOM_A_NOTCH = 1.15
# Seconds after which a movement has a third of its way left: quick enough to feel direct, slow enough to be followed.
EASE = 0.07
# What is left of a movement when it is called finished, of its size: well under a pixel.
FINISHED = 2e-4


def place(event, viewport):
    """(x, y) of an event in the picture, each in [-1, 1], right and up.

    viewport   (x, y, width, height) of the picture on the canvas, in the event's pixels
    """
    x, y, width, height = viewport
    return 2.0 * (event["x"] - x) / width - 1.0, 1.0 - 2.0 * (event["y"] - y) / height


def point_at(camera, x, y, aspect, depth):
    """(3,) the world point seen at (x, y) of the picture, `depth` in front of the camera."""
    origin, direction = camera.ray(x, y, aspect)
    return origin + direction * (depth / (direction @ camera.forward))


def depth_of(camera, point):
    """How far in front of the camera a world point lies, along the view."""
    return float(np.subtract(point, camera.eye) @ camera.forward)


def shifted(camera, shift):
    """The camera moved by a world vector, looking the same way."""
    return camera.with_(eye=np.add(camera.eye, shift), target=np.add(camera.target, shift))


def panned(camera, start, end, aspect, depth):
    """The camera moved so that what was seen at `start` is seen at `end`.

    start, end   (x, y) in [-1, 1]
    depth        of the thing that keeps to the pointer
    """
    from_, to = (point_at(camera, x, y, aspect, depth) for x, y in (start, end))
    return shifted(camera, from_ - to)


def zoomed(camera, anchor, factor):
    """The camera closer to an anchor (factor < 1) or farther from it; the anchor stays where it is in the picture.

    A perspective camera is scaled about the anchor, so its proportions stay; an orthographic one keeps its distance.
    """
    anchor = np.asarray(anchor)
    if camera.is_orthographic:
        way = (anchor - camera.eye) * (1.0 - factor)
        across = way - camera.forward * (way @ camera.forward)
        return shifted(camera, across).with_(height=camera.height * factor)
    eye, target = (anchor + (np.asarray(p) - anchor) * factor for p in (camera.eye, camera.target))
    return camera.with_(eye=eye, target=target)


def reach(camera):
    """The size of what is looked at: its distance, or its height for an orthographic camera."""
    return camera.height if camera.is_orthographic else camera.distance


class PanZoom:
    """A flat view's control: drag pans, the wheel zooms at the pointer, double click centres.

    camera   where the camera is now
    goal     where it is going; `step` brings it closer
    home     where `reset` goes
    find     function (x, y) in the picture -> the (3,) world point seen there, or None; what is grabbed and zoomed at

    Its `reach` may be set to the (least, largest) size of what is looked at; None is what depth buffers of space allow.
    Dragging moves at once; wheel, centring and reset are eased by `step`, by its seconds alone.
    """

    # Buttons as rendercanvas numbers them.
    LEFT, RIGHT, MIDDLE = 1, 2, 3

    def __init__(self, camera, home=None, find=None):
        self.home = home or camera
        self.camera = self.goal = camera
        self.find = find or (lambda x, y: None)
        self.reach = None
        self._drag = None

    @property
    def is_moving(self):
        """True while the camera is on its way or held by the pointer."""
        return self._drag is not None or self.camera is not self.goal

    @property
    def is_dragging(self):
        return self._drag is not None

    def put(self, camera):
        """Sets the camera without a way to it."""
        self.camera = self.goal = camera

    def go(self, camera):
        """Sets the goal."""
        self.goal = camera

    def reset(self):
        """Goes home."""
        self.go(self.home)

    def centre(self, point):
        """Goes to where a world point is in the middle of the picture, seen from the same side."""
        self.go(shifted(self.goal, np.subtract(point, self.goal.target)))

    def zoom(self, x, y, factor, aspect):
        """Goes closer (factor < 1) to what is seen at (x, y), or away from it."""
        size, first = reach(self.goal), reach(self.home)
        # Closer than a two-thousandth the depth buffer has no steps left; farther than 50 times there is only a dot.
        least, largest = self.reach or (first * 5e-4, first * 50.0)
        # Who is beyond already may stay there, and come back.
        factor = float(np.clip(factor, min(1.0, least / size), max(1.0, largest / size)))
        self.go(zoomed(self.goal, point_at(self.goal, x, y, aspect, self._depth(x, y)), factor))

    def step(self, seconds):
        """Brings the camera closer to its goal; returns True while there is way left."""
        if self.camera is not self.goal:
            self.camera = self.between(self.camera, self.goal, 1.0 - math.exp(-max(0.0, seconds) / EASE))
            if self._is_there():
                self.camera = self.goal
        return self.camera is not self.goal

    def event(self, event, viewport):
        """Takes a canvas event; returns True if it was one for the camera.

        viewport   (x, y, width, height) of the picture on the canvas
        """
        kind = event["event_type"]
        if kind == "pointer_down" and self._drag is None:
            return self._begin(event, viewport)
        if kind == "pointer_move" and self._drag is not None:
            self._move(event, viewport)
            return True
        if kind == "pointer_up" and self._drag is not None and event["button"] == self._drag["button"]:
            self._drag = None
            return True
        if kind == "wheel":
            x, y = place(event, viewport)
            self.zoom(x, y, ZOOM_A_NOTCH ** (event["dy"] / 100.0), viewport[2] / viewport[3])
            return True
        if kind == "double_click" and event["button"] == self.LEFT:
            point = self.find(*place(event, viewport))
            if point is not None:
                self.centre(point)
            return True
        return False

    # What a view that turns does in another way.

    def pans(self, event):
        """Whether a press of this button pans."""
        return event["button"] in (self.LEFT, self.RIGHT, self.MIDDLE)

    def turn(self, before, event, viewport):
        """Moves the camera by a drag that does not pan."""

    def between(self, here, there, part):
        """The camera a part of the way from here to there, 0 to 1."""
        sizes = reach(here), reach(there)
        size = sizes[0] * (sizes[1] / sizes[0]) ** part
        # The middle moves as the size does: then what is zoomed at stays under the pointer all the way.
        way = (size - sizes[0]) / (sizes[1] - sizes[0]) if abs(sizes[1] / sizes[0] - 1.0) > 1e-9 else part
        middle = np.asarray(here.target) * (1.0 - way) + np.asarray(there.target) * way
        forward = unit(here.forward * (1.0 - part) + there.forward * part)
        distance = here.distance + (there.distance - here.distance) * way
        height = here.height + (there.height - here.height) * way
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
        x, y = place(event, viewport)
        self._drag = {"button": event["button"], "x": event["x"], "y": event["y"], "pans": self.pans(event)}
        self._drag["depth"] = self._depth(x, y) if self._drag["pans"] else 0.0
        return True

    def _move(self, event, viewport):
        drag = self._drag
        if drag["pans"]:
            start, end = place(drag, viewport), place(event, viewport)
            self.put(panned(self.camera, start, end, viewport[2] / viewport[3], drag["depth"]))
        else:
            self.turn(drag, event, viewport)
        drag["x"], drag["y"] = event["x"], event["y"]

    def _is_there(self):
        here, there = self.camera, self.goal
        size = reach(there)
        way = max(
            np.linalg.norm(np.subtract(here.target, there.target)) / size,
            np.linalg.norm(here.forward - there.forward),
            np.linalg.norm(here.upward - there.upward),
            abs(reach(here) / size - 1.0),
        )
        return way < FINISHED
