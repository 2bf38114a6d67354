"""A canvas without a screen: what a viewer draws can be asked for, and events can be sent to it.

A picture of a scene alone needs no canvas: the renderer has a texture of its own, and an error while drawing is raised.
A canvas logs such errors and shows the frame before; this one raises them again.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from rendercanvas.offscreen import OffscreenRenderCanvas


@contextmanager
def raising() -> Iterator[None]:
    """Raises what rendercanvas would only log: an exception in a draw function or an event handler."""
    # It keeps each such exception in sys.last_value, "for postmortem debugging".
    before = getattr(sys, "last_value", None)
    logger = logging.getLogger("rendercanvas")
    logger.addFilter(_quiet)
    try:
        yield
    finally:
        logger.removeFilter(_quiet)
    error = getattr(sys, "last_value", None)
    if error is not None and error is not before:
        raise error


def _quiet(record: logging.LogRecord) -> bool:
    return record.levelno < logging.ERROR


class OffscreenCanvas(OffscreenRenderCanvas):
    """A canvas off the screen (engine.output.canvas.Canvas) that raises the errors of its handlers."""

    def draw(self) -> np.ndarray:
        """(H, W, 4) uint8: what is drawn now, by the function given to `request_draw`."""
        with raising():
            return super().draw()

    def send(self, *events: dict[str, Any]) -> None:
        """Delivers events, dicts as a window would give them, at once and in order.

        A click is three of them (move, down, up) with a `draw` after each, because panels look at them once a frame.
        """
        with raising():
            for event in events:
                self.submit_event(event)
            self._process_events()


def make_canvas(
    size: tuple[int, int] = (1280, 800), title: str = "neuroscene", *, pixel_ratio: float = 1.0
) -> OffscreenCanvas:
    """An OffscreenCanvas.

    size          (width, height) in logical pixels
    pixel_ratio   physical pixels in a logical one
    """
    return OffscreenCanvas(size=tuple(size), title=title, pixel_ratio=pixel_ratio)
