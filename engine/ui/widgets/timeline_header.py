"""The timeline's buttons (play, step, speed, spacing, fold) and a text about the snapshot shown."""

from __future__ import annotations

from collections.abc import Callable

from engine.scene.view_data import SPACINGS
from engine.ui.control.transport import Transport
from engine.ui.draw_list import Area
from engine.ui.theme import BODY, SMALL
from engine.ui.widgets.setting import Widgets

# The row's height in logical pixels, and x of the right end of the buttons that play and step.
HEADER, BUTTONS = 32.0, 98.0
# Widths of the strip from which on the header shows: speed and hint; all spacings; a label beside the spacings.
NARROW, WIDE, WIDEST = 460.0, 640.0, 800.0


def number(value: float) -> str:
    """A value as text, as the strip shows it."""
    return f"{value:.4g}".replace("-", "−")


class TimelineHeader:
    """Draws the buttons of a Transport's timeline with Widgets.

    run   function that is given a function of the scene, calls it, and shows its error
    """

    def __init__(self, widgets: Widgets, state: Transport, run: Callable[[Callable], None]):
        self.w, self.state, self.run = widgets, state, run

    def draw(self, width: float, top: float) -> None:
        """Draws along the strip's top edge, `width` wide."""
        w, state = self.w, self.state
        y, high = top + 6.0, 24.0
        playing = state.playing
        for name, left, wide, icon, doc, run in (
            ("back", 10.0, 24.0, "step_back", "one snapshot back; arrow left", lambda: state.step(-1)),
            ("play", 38.0, 32.0, "pause" if playing else "play", "play or pause; space", state.toggle),
            ("on", 74.0, 24.0, "step_on", "one snapshot on; arrow right", lambda: state.step(1)),
        ):
            on = name == "play" and playing
            if w.button(f"timeline.{name}", left, y, wide, "", icon=icon, doc=doc, on=on, height=high):
                run()
        left = BUTTONS + 8.0
        if width >= NARROW:
            left = self._speed(left, y, high)
        right = self._choices(width, y, high)
        if width >= NARROW:
            w.text(left + 6.0, y + high / 2, self.hint(), "text", BODY, width=right - left - 16.0)

    def _speed(self, x, y, high):
        w, state = self.w, self.state
        w.box(x, y, 78.0, high, "raised")
        for sign, icon, left, doc in ((-1, "minus", x, "play slower; -"), (1, "plus", x + 54.0, "play faster; +")):
            if w.sign(f"timeline.{icon}", left, y, 24.0, high, icon, doc):
                state.quicken(sign)
        doc = "a press plays at the usual speed again"
        clicked, hovered, _ = w.press("timeline.speed", x + 24.0, y, 30.0, high, doc)
        speed = f"{state.speed:.2g}×"
        w.text(x + 39.0, y + high / 2, speed, "text" if hovered else "muted", SMALL, align=0.5, width=34.0)
        if clicked:
            state.set_speed(1.0)
        return x + 82.0

    def _choices(self, width, y, high):
        """Draws spacing, logarithm and fold at the right end; returns x of their left end."""
        w, timeline = self.w, self.state.shown
        x = width - 34.0
        if w.button("timeline.fold", x, y, 24.0, "", icon="down", doc="fold the timeline; t", height=high):
            self.state.fold()
        text = f"log {timeline.value_name}" if width >= NARROW else "log"
        wide, log = w.measure(text) + 20.0, timeline.log_values
        set_log, set_spacing = timeline.set_log_values, timeline.set_spacing
        if set_log is not None and x - wide - 6.0 >= BUTTONS:
            x -= wide + 6.0
            doc = f"{timeline.value_name} by its powers of ten"
            if w.button("timeline.log", x, y, wide, text, doc=doc, on=log, height=high):
                self.run(lambda: set_log(not log))
        if set_spacing is not None:
            new, names = None, list(SPACINGS)
            if width >= WIDE:
                x -= 176.0
                new = w.segments("timeline.spacing", Area(x, y - 2.0, 170.0, high + 4.0), timeline.spacing, names)
                if width >= WIDEST:
                    x -= w.measure("spaced by", SMALL) + 8.0
                    w.text(x, y + high / 2, "spaced by", "muted", SMALL)
            elif x - (wide := max(w.measure(name) for name in names) + 14.0) - 6.0 >= BUTTONS:
                x -= wide + 6.0
                doc = f"how far apart snapshots stand: all alike, by {timeline.step_name}, or by its logarithm"
                if w.button("timeline.spacing", x, y, wide, timeline.spacing, doc=doc, height=high):
                    new = names[(names.index(timeline.spacing) + 1) % len(names)]
            if new is not None:
                self.run(lambda: set_spacing(new))
        return x

    def hint(self) -> str:
        """The text about the snapshot shown."""
        timeline = self.state.shown
        if timeline.hint is not None:
            return timeline.hint
        at = self.state.index
        text = f"{timeline.step_name} {timeline.steps[at]:,}"
        wide = next((c for c in timeline.curves if c.wide), None)
        if wide is not None and wide.values[at] == wide.values[at]:
            text += f"  ·  {timeline.value_name} {number(wide.values[at])}"
        return text
