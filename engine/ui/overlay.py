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

# A view with less room for the picture than this, in logical pixels, begins with the panel folded.
SMALLEST = 240.0
# Seconds for which a panel that nobody uses is shown as it was: half of a frame goes into it.
ANEW = 0.2


class Overlay:
    """What is drawn over the picture and beside it.

    viewer   has scene, transport, history, recording and the methods that the panel calls
    """

    def __init__(self, viewer: Any, device: Any, canvas: Any):
        self.viewer, self.canvas = viewer, canvas
        self.surface = Surface(device, canvas)
        self.widgets = Widgets(self.surface.fonts)
        self.hover = Hover()
        self.panel = Panel(viewer, self.widgets, self.hover)
        self.strip = TimelineStrip(self.widgets, viewer.transport, viewer.run)
        # Cards have a Widgets of their own: they stand elsewhere and have no text fields.
        self.over = Widgets(self.surface.fonts)
        self.help_shown = False
        self._since = 0.0  # seconds since it was drawn anew
        # In a small window or widget the panel is folded at first.
        self.panel.is_open = not viewer.live or canvas.get_logical_size()[0] >= WIDTH + SMALLEST

    @property
    def width(self) -> float:
        """Logical pixels the panel takes from the picture."""
        return min(WIDTH, self.canvas.get_logical_size()[0]) if self.panel.is_open else 0.0

    @property
    def below(self) -> float:
        """Logical pixels the status line and the timeline take from the picture."""
        height = self.canvas.get_logical_size()[1]
        return self.strip.height(height) + cards.STATUS * (height >= cards.LOW)

    def draw(self, view: Any, size: tuple[float, float], ratio: float, step: float, *, rests: bool = False) -> None:
        """Draws panel, timeline and cards over a view; the arguments are those of Surface.draw.

        rests   True while a person's hand is elsewhere: then all is drawn as before, and anew every ANEW seconds
        """
        self._since += step
        if rests and self._since < ANEW and self.surface.draws_again(view, size, ratio):
            return
        step, self._since = self._since, 0.0
        self.over.theme = self.widgets.theme = theme = THEMES["dark" if self.viewer.scene.theme == "dark" else "paper"]
        self.surface.set_theme(theme)
        self.surface.draw(view, size, ratio, step, lambda: self._draw(*size))
        self.surface.awaits_text = self.has_keys

    @property
    def has_keys(self) -> bool:
        """True while a text field has the keyboard, or is about to get it."""
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
        if self.strip.height(height):
            if self.strip.draw(size[0], height, covered=self.help_shown):
                self.help_shown = False
        elif viewer.transport.timeline is not None and cards.unfold(over, size, below=True):
            viewer.transport.is_open = True
        top = height - self.strip.height(height) - cards.STATUS
        cards.status(over, top, size[0], viewer.status(), viewer.notices.message)
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
        """Closes the help, a chooser or a text field; returns False if none was open."""
        if self.help_shown:
            self.help_shown = False
            return True
        if self.panel.chooser is not None:
            self.widgets.stop_typing()
            self.panel.chooser = None
            return True
        return self.surface.has_popup
