"""A canvas without a screen: a program gets what a viewer draws, and sends it events.

A picture of a scene alone needs no canvas: the renderer draws to a texture of its own, and raises errors. rendercanvas
logs errors of draw functions and shows the frame before; this canvas raises them.
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
    # rendercanvas stores each such exception in sys.last_value, "for postmortem debugging".
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
        """(H, W, 4) uint8: a frame, drawn now by the function given to `request_draw`."""
        with raising():
            return super().draw()

    def send(self, *events: dict[str, Any]) -> None:
        """Delivers events, dicts as a window would give them, at once and in order.

        A click takes three events (move, down, up), and a `draw` after each, because panels read events once a frame.
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
