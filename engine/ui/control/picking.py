"""Finds what is seen at a place of the picture: under the pointer, or under a pin that a click has set."""

import math
from typing import Any

from engine.scene.view_data import Reading

# A click within so many logical pixels of a pin removes it.
PIN = 8.0
# Logical pixels within which what was found before is under the pointer.
NEAR = 4.0


class Picking:
    """Asks the renderer what is seen at a place, and the scene what to report of it.

    viewer     has scene, clock, painter, pointer, controls, canvas, viewport, query, request
    position   (3,) world: the pinned point, or None
    reading    the scene's Reading of it
    is_stale   True if the picture has changed since the reading was made
    """

    def __init__(self, viewer: Any):
        self.viewer = viewer
        self.position: tuple | None = None
        self.reading: Reading | None = None
        self.is_stale = False
        self._found: tuple | None = None  # the place in the world that was found last
        self._wanted: tuple[float, float] | None = None  # the place of the picture that is still to be looked at

    def find(self, x: float, y: float) -> tuple | None:
        """The (3,) world point seen at (x, y) of the picture, each in [-1, 1], or None.

        A window does not wait for it: it has what was found there last, as under a pointer that has rested. Of places
        that are asked for meanwhile only the last is looked at, and none before there is a picture.
        """
        _, _, width, height = self.viewer.viewport()
        place = (x + 1.0) / 2.0 * width, (1.0 - y) / 2.0 * height
        if self.viewer.worker is None:
            self._pick(*place)
            return self._found
        seen = None if self._found is None else self._seen(self._found)
        if seen is not None and math.dist(seen, place) <= NEAR:
            return self._found
        if self.viewer.painter.picture is not None:
            is_asked, self._wanted = self._wanted is not None, place
            if not is_asked:
                self.viewer.apart(self._look)
        return None

    def _look(self):
        (x, y), self._wanted = self._wanted or (0.0, 0.0), None
        self._pick(x, y)

    def read(self) -> Reading | None:
        """The scene's Reading of the place under the pointer, or None; tells the scene that the pointer rests there."""
        place = self.viewer.pointer.place
        hit = None if place is None else self._pick(*place)
        self._mark(lambda scene: scene.pointed(hit))
        return self._reading(hit)

    def leave(self) -> None:
        """Tells the scene that the pointer has left."""
        self.viewer.apart(lambda: self._mark(lambda scene: scene.pointed(None)))

    def _mark(self, report):
        """Calls a hook of the scene; True if it says that the picture changes, which is then drawn again."""
        viewer = self.viewer
        changes = bool(viewer.query(lambda: report(viewer.scene)))
        if changes:
            viewer.painter.marked()
            viewer.request()
        return changes

    def _reading(self, hit):
        return None if hit is None else self.viewer.query(lambda: self.viewer.scene.read(hit))

    def _pick(self, x, y):
        viewer = self.viewer
        _, _, width, height = viewer.viewport()
        ratio = viewer.canvas.get_pixel_ratio()
        size = round(width * ratio), round(height * ratio)
        pick = viewer.painter.renderer.pick
        hit = viewer.query(lambda: pick(viewer.scene, viewer.clock, size, x * ratio - 0.5, y * ratio - 0.5))
        self._found = None if hit is None else hit.position
        return hit

    def _seen(self, position):
        """(x, y) of a world point in logical pixels, or None if it is not in view."""
        _, _, width, height = self.viewer.viewport()
        found = self.viewer.controls.camera.project(position, width / height)
        if found is None or max(abs(found[0]), abs(found[1])) > 1.0:
            return None
        return (found[0] + 1.0) / 2.0 * width, (1.0 - found[1]) / 2.0 * height

    # The pin.

    def click(self, x: float, y: float) -> None:
        """Pins what is seen at (x, y), logical pixels; a click on the pin removes it."""
        self.viewer.apart(lambda: self._click(x, y))

    def _click(self, x, y):
        place = self.place()
        if place is None or math.hypot(place[0] - x, place[1] - y) > PIN:
            hit = self._pick(x, y)
            if self._take(hit):
                return
            self.reading = self._reading(hit)
            self.position, self.is_stale = None if self.reading is None else hit.position, False
        else:
            self.unpin()
        self.viewer.request()

    def unpin(self) -> bool:
        """Removes the pin; returns False if there was none."""
        was, self.position, self.reading = self.position is not None, None, None
        return was or self._take(None)

    def _take(self, hit):
        """Gives the scene the pinned Hit; True if the scene shows the pin itself."""
        return self._mark(lambda scene: scene.pin(hit))

    def place(self) -> tuple[float, float] | None:
        """(x, y) of the pin in logical pixels, or None if it is not in view; brings its reading up to date."""
        if self.position is None:
            return None
        place = self._seen(self.position)
        if place is not None and self.is_stale and self.viewer.painter.is_done:
            self.is_stale = False
            self.viewer.apart(lambda: self._renew(place))
        return place

    def _renew(self, place):
        self.reading = self._reading(self._pick(*place))
        self.viewer.request()
