"""The interface of one view: panel, timeline, cards and their state, drawn on one imgui surface."""

from __future__ import annotations

from typing import Any

from engine.ui import cards
from engine.ui.control.pointer import Hover
from engine.ui.panel import Panel
from engine.ui.surface import Surface
from engine.ui.theme import THEMES, WIDTH
from engine.ui.widgets.setting import Widgets
from engine.ui.widgets.timeline import TimelineStrip

# Logical pixels a picture should have beside an open panel.
SMALLEST = 240.0


class Overlay:
    """What lies on and beside the picture.

    viewer   gives scene, transport, history, recording and the verbs the panel calls
    """

    def __init__(self, viewer: Any, device: Any, canvas: Any):
        self.viewer, self.canvas = viewer, canvas
        self.surface = Surface(device, canvas)
        self.widgets = Widgets(self.surface.fonts)
        self.hover = Hover()
        self.panel = Panel(viewer, self.widgets, self.hover)
        self.strip = TimelineStrip(self.widgets, viewer.transport, viewer.run)
        # Cards have places of their own, and no fields.
        self.over = Widgets(self.surface.fonts)
        self.help_shown = False
        # A small window or widget begins with the picture.
        self.panel.is_open = not viewer.live or canvas.get_logical_size()[0] >= WIDTH + SMALLEST

    @property
    def width(self) -> float:
        """Logical pixels the panel takes from the picture."""
        return min(WIDTH, self.canvas.get_logical_size()[0]) if self.panel.is_open else 0.0

    @property
    def below(self) -> float:
        """Logical pixels the timeline takes from the picture."""
        return self.strip.height(self.canvas.get_logical_size()[1])

    def draw(self, view: Any, size: tuple[float, float], ratio: float, step: float) -> None:
        """Draws everything but the picture over a view; see Surface.draw."""
        self.over.theme = self.widgets.theme = theme = THEMES[self.viewer.scene.theme]
        self.surface.set_theme(theme)
        self.surface.draw(view, size, ratio, step, lambda: self._draw(*size))
        self.surface.awaits_text = self.has_keys

    @property
    def has_keys(self) -> bool:
        """True while something is typed, or about to be."""
        return self.widgets.is_typing or self.surface.has_keys

    def _draw(self, width: float, height: float) -> None:
        viewer, over = self.viewer, self.over
        size = max(width - self.width, 1.0), max(height - self.below, 1.0)
        over.begin_frame()
        self.widgets.begin_frame()
        if self.panel.is_open:
            self.panel.draw(max(width - WIDTH, 0.0), height)
        elif cards.unfold(over, size):
            self.panel.is_open = True
        if self.below:
            if self.strip.draw(size[0], height, covered=self.help_shown):
                self.help_shown = False
        elif viewer.transport.timeline is not None and cards.unfold(over, size, below=True):
            viewer.transport.is_open = True
        cards.status(over, size, viewer.status(), viewer.notices.message)
        pin = viewer.picking.place()
        if self.help_shown:
            parts = (
                (cards.WEIGHTS, viewer.history), (cards.UNITS, viewer.query(viewer.scene.units)),
                (cards.TIMELINE, viewer.transport.timeline),
            )  # fmt: skip
            there = [part for part, thing in parts if thing is not None]
            cards.help_card(over, (size[0], height), viewer.scene.view, viewer.key_actions(), there)
        else:
            if pin is not None and viewer.picking.reading is not None:
                cards.pinned(over, size, pin, viewer.picking.reading)
            if viewer.pointer.reading is not None and viewer.pointer.place is not None:
                cards.reading(over, size, viewer.pointer.place, viewer.pointer.reading, "readout")
        if self.hover.finish():
            viewer.changed()

    def escape(self) -> bool:
        """Closes what is open; returns False if nothing was."""
        if self.help_shown:
            self.help_shown = False
            return True
        if self.panel.chooser is not None:
            self.widgets.stop_typing()
            self.panel.chooser = None
            return True
        return self.surface.has_popup
