"""What a viewer does when the graphics device is lost: all is made again on a new one, and a person goes on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING

from engine.app.live.reload import remade
from engine.errors import DeviceLimitError, DeviceLostError
from engine.gpu.device import device, device_changes, displaying
from engine.gpu.native.apart import turn
from engine.render.painter import Painter, configured
from engine.render.renderer import Renderer

if TYPE_CHECKING:  # the viewer imports this module, and imgui is loaded where there is a panel
    from engine.app.viewer import Viewer
    from engine.ui.overlay import Overlay

# Seconds within which a second loss is not answered: such a device would be asked for again and again.
LOST_AGAIN = 10.0
WENT_ON = "The graphics device was lost. All is shown on a new one as it was; the space bar goes on."


def made(viewer: Viewer, panel: bool, apart: bool) -> tuple[Painter, Overlay | None, str]:
    """The painter of a viewer, its overlay if a panel is wanted, and the format of its canvas.

    apart   whether pictures are drawn by a thread of its own
    """
    painter = Painter(Renderer(), viewer.notices.show_problem, live=viewer.live, apart=apart)
    with displaying() if apart else nullcontext():
        if not panel:
            return painter, None, configured(viewer.canvas)
        # imgui is large; it is loaded when there is something for it to show.
        from engine.ui.overlay import Overlay

        overlay = Overlay(viewer, device().handle, viewer.canvas)
        return painter, overlay, overlay.surface.format


class Recovery:
    """Draws a viewer's frames, on a new device where that is needed; says where its memory ends.

    viewer   has scene, clock, notices, recording, transport, canvas, painter, overlay, format, request, replace_scene
    """

    def __init__(self, viewer: Viewer):
        self.viewer, self._changes, self._lost = viewer, device_changes(), -math.inf

    def draw(self, draw: Callable[[], object]) -> None:
        """Calls a function that draws a frame; where the device is lost, once more on a new one."""
        for _ in range(2):
            try:
                device()
                if self._changes != device_changes():
                    if self.viewer.worker is not None and not turn.is_mine:
                        # The other thread uses what would be made anew; a frame that gets its turn does it.
                        self.viewer.request()
                        return
                    self._go_on()
                draw()
                return
            except DeviceLostError as error:
                self.viewer.notices.show_problem(str(error))
                now, before = time.perf_counter(), self._lost
                self._lost = now
                if now - before < LOST_AGAIN:
                    return
            except DeviceLimitError as error:  # no memory for what shows a picture: the next frame may have it
                self.viewer.notices.show_problem(str(error))
                return

    def _go_on(self):
        viewer = self.viewer
        viewer.recording.cancel()
        viewer.transport.playing = False
        viewer.canvas.get_wgpu_context().unconfigure()
        if viewer.overlay is not None:
            viewer.overlay.surface.close()
        viewer.painter, viewer.overlay, viewer.format = made(
            viewer, viewer.overlay is not None, viewer.worker is not None
        )
        self._changes = device_changes()
        viewer.replace_scene(remade(type(viewer.scene), viewer.scene, viewer.clock))
        viewer.notices.show_problem(WENT_ON)
