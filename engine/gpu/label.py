"""Names for what lives on the GPU, as its errors and a frame debugger show them."""

from __future__ import annotations

import sys
from types import FrameType


def maker() -> str:
    """The module outside this package that is at work, as `draw.lines`: it stands in labels that nobody has written."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if not name.startswith("engine.gpu."):
            return name.removeprefix("engine.")
        frame = frame.f_back
    return "engine.gpu"
