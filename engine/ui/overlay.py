"""The interface of one view: panel, overlays and their state, drawn on one imgui surface."""

from engine.ui import overlays
from engine.ui.control.hover import Hover
from engine.ui.panel import Panel
from engine.ui.surface import Surface
from engine.ui.theme import THEMES, WIDTH
from engine.ui.widgets.setting import Widgets
from engine.ui.widgets.timeline import TimelineStrip

# Logical pixels a picture should have beside an open panel.
SMALLEST = 240.0


class Desk:
    """What lies on and beside the picture.

    viewer   gives scene, transport, history, recording and the verbs the panel calls
    """

    def __init__(self, viewer, device, canvas):
        self.viewer = viewer
        self.canvas = canvas
        self.surface = Surface(device, canvas)
        self.widgets = Widgets(self.surface.fonts)
        self.hover = Hover()
        self.panel = Panel(viewer, self.widgets, self.hover)
        self.strip = TimelineStrip(self.widgets, viewer.moments, viewer.attempt)
        # Overlays have places of their own, and no fields.
        self.over = Widgets(self.surface.fonts)
        self.help_shown = False
        # A small window or widget begins with the picture.
        self.panel.is_open = not viewer.live or canvas.get_logical_size()[0] >= WIDTH + SMALLEST

    @property
    def width(self):
        """Logical pixels the panel takes from the picture."""
        return min(WIDTH, self.canvas.get_logical_size()[0]) if self.panel.is_open else 0.0

    @property
    def below(self):
        """Logical pixels the timeline takes from the picture."""
        return self.strip.height(self.canvas.get_logical_size()[1])

    @property
    def theme(self):
        return THEMES[self.viewer.scene.theme]

    def draw(self, view, size, ratio, step):
        """Draws everything but the picture over a view; see Surface.draw."""
        self.surface.wear(self.theme)
        self.surface.draw(view, size, ratio, step, lambda: self._draw(size))
        self.surface.awaits_text = self.has_keys

    @property
    def has_keys(self):
        """True while something is typed, or about to be."""
        return self.widgets.is_typing or self.surface.has_keys

    def _draw(self, size):
        viewer, theme = self.viewer, self.theme
        width, height = size
        viewport = (0.0, 0.0, max(width - self.width, 1.0), max(height - self.below, 1.0))
        self.over.begin_frame()
        self.widgets.begin_frame()
        if self.panel.is_open:
            self.panel.draw(max(width - WIDTH, 0.0), height, theme)
        elif overlays.unfold(self.over, theme, viewport):
            self.panel.is_open = True
        if self.below:
            if self.strip.draw(viewport[2], height, theme, covered=self.help_shown):
                self.help_shown = False
        elif viewer.moments.timeline is not None and overlays.unfold(self.over, theme, viewport, below=True):
            viewer.moments.is_open = True
        overlays.status(self.over, theme, viewport, viewer.status(), viewer.notices.message)
        place = viewer.sight.place()
        if place is not None and viewer.sight.reading is not None and not self.help_shown:
            overlays.pinned(self.over, theme, viewport, place, viewer.sight.reading)
        if viewer.pointer.reading is not None and viewer.pointer.place is not None and not self.help_shown:
            overlays.readout(self.over, theme, viewport, viewer.pointer.place, viewer.pointer.reading)
        if self.help_shown:
            parts = {
                overlays.WEIGHTS: viewer.history, overlays.UNITS: viewer.ask(viewer.scene.units),
                overlays.TIMELINE: viewer.moments.timeline,
            }  # fmt: skip
            over = (0.0, 0.0, viewport[2], height)
            told = [part for part, thing in parts.items() if thing is not None]
            overlays.help_card(self.over, theme, over, viewer.scene.view, viewer.keyed(), told)
        if self.hover.finish():
            viewer.changed()

    def escape(self):
        """Closes what is open; returns False if nothing was."""
        if self.help_shown:
            self.help_shown = False
            return True
        if self.panel.chooser is not None:
            self.widgets.stop_typing()
            self.panel.chooser = None
            return True
        return self.surface.has_popup
