"""Passes the events of a view's canvas on to the keyboard, the camera's control and the pointer."""

from __future__ import annotations

from typing import Any

from engine.ui.control.pointer import TREMBLE

POINTER = ("pointer_down", "pointer_move", "pointer_up", "double_click", "wheel")
# Seconds for which frames are drawn after the last event, since hints appear after a while.
AWAKE = 0.7
# Frames drawn after an event before a scene's long work goes on: a click's press and release take a frame each.
FRAMES = 3


class Events:
    """Listens on the canvas of a viewer.

    viewer   has canvas, overlay, keyboard, pointer, controls, viewport, request
    """

    def __init__(self, viewer: Any):
        self.viewer = viewer
        self._awake, self._busy = 0.0, 0
        self._pressed: tuple[float, float] | None = None
        listen = viewer.canvas.add_event_handler
        # Every event asks for a frame, so this handler runs before the panel's (order -99), which may stop an event.
        listen(self._stir, *POINTER, "key_down", "key_up", "char", "resize", "pointer_leave", order=-100)
        listen(viewer.keyboard.up, "key_up", order=-100)
        listen(self._pointer, *POINTER)
        listen(self._leave, "pointer_leave")
        listen(self._key, "key_down")

    @property
    def is_awake(self) -> bool:
        """True for a while after an event."""
        return self._awake > 0.0

    def tick(self, seconds: float) -> None:
        """Lets seconds pass."""
        self._awake = max(0.0, self._awake - seconds)

    def frame(self) -> bool:
        """Counts a frame that is drawn; returns True while more frames are due for an event."""
        self._busy = max(0, self._busy - 1)
        return self._busy > 0

    def _is_over(self, event):
        x, y, width, height = self.viewer.viewport()
        return x <= event["x"] < x + width and y <= event["y"] < y + height

    def _stir(self, event):
        self._awake, self._busy = AWAKE, FRAMES
        if event["event_type"] == "pointer_move" and not self._is_over(event):
            self._leave(event)
        self.viewer.request()

    def _pointer(self, event):
        viewer, kind = self.viewer, event["event_type"]
        if not viewer.controls.is_dragging and not self._is_over(event):
            return
        if viewer.overlay is not None and viewer.overlay.help_shown:
            if kind == "pointer_down":
                viewer.overlay.help_shown = False
            return
        place = event["x"], event["y"]
        if kind == "pointer_move":
            viewer.pointer.move(*place)
        elif kind == "pointer_down":
            self._pressed = place if event["button"] == 1 else None
        elif kind == "pointer_up" and event["button"] == 1 and self._pressed is not None:
            # A press and a release at the same place are a click.
            if max(abs(a - b) for a, b in zip(place, self._pressed, strict=True)) <= TREMBLE:
                viewer.picking.click(*place)
            self._pressed = None
        if viewer.controls.event(event, viewer.viewport()):
            viewer.pointer.stir()

    def _leave(self, event):
        if self.viewer.pointer.place is not None:
            self.viewer.pointer.leave()
            self.viewer.picking.leave()

    def _key(self, event):
        # A text field that was just opened gets the keyboard from imgui only in the next frame.
        if self.viewer.overlay is None or not self.viewer.overlay.has_keys:
            self.viewer.keyboard.down(event)
