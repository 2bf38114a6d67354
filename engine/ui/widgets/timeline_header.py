"""The timeline's buttons: play, step, speed, what stands how far apart, fold; and a word about where it stands."""

from engine.scene.view_data import SPACINGS
from engine.ui.draw_list import ICONS
from engine.ui.theme import BODY, SMALL

# Logical pixels of the row, and where the buttons that play and step end.
HEADER, BUTTONS = 32.0, 98.0
# Widths of the strip from which on it has more: speed and hint in the header, all spacings, a word about them.
NARROW, WIDE, WIDEST = 460.0, 640.0, 800.0


def number(value):
    """A value as the strip writes it."""
    return f"{value:.4g}".replace("-", "−")


class TimelineHeader:
    """Draws the buttons of a Moments' timeline with Widgets.

    attempt   function of a function: calls what a scene gave, and says what was wrong
    """

    def __init__(self, widgets, moments, attempt):
        self.w, self.moments, self.attempt = widgets, moments, attempt

    def draw(self, width, top):
        """Draws along the strip's top edge, so wide."""
        w, moments = self.w, self.moments
        y, high = top + 6.0, 24.0
        for name, icon, doc, run in (
            ("back", "step_back", "one snapshot back; arrow left", lambda: moments.step(-1)),
            ("play", "pause" if moments.transport.playing else "play", "play or pause; space", moments.toggle),
            ("on", "step_on", "one snapshot on; arrow right", lambda: moments.step(1)),
        ):
            left = 10.0 + {"back": 0.0, "play": 28.0, "on": 64.0}[name]
            on = name == "play" and moments.transport.playing
            wide = 32.0 if name == "play" else 24.0
            if w.button(f"timeline.{name}", left, y, wide, "", icon=icon, doc=doc, on=on, height=high):
                run()
        left = BUTTONS + 8.0
        if width >= NARROW:
            left = self._speed(left, y, high)
        right = self._choices(width, y, high)
        if width >= NARROW:
            w.text(left + 6.0, y + high / 2, self.hint(), "ink", BODY, width=right - left - 16.0)

    def _speed(self, x, y, high):
        w, moments = self.w, self.moments
        w.box(x, y, 78.0, high, "raised")
        for sign, icon, left in ((-1, "minus", x), (1, "plus", x + 54.0)):
            clicked, hovered, _ = w.press(f"timeline.{icon}", left, y, 24.0, high)
            w.hint("play slower; -" if sign < 0 else "play faster; +")
            w.text(left + 12.0, y + high / 2, ICONS[icon], "ink" if hovered else "muted", 9.0, align=0.5)
            if clicked:
                moments.quicken(sign)
        clicked, hovered, _ = w.press("timeline.speed", x + 24.0, y, 30.0, high)
        w.hint("a press plays at the usual speed again")
        speed = f"{moments.transport.speed:.2g}×"
        w.text(x + 39.0, y + high / 2, speed, "ink" if hovered else "muted", SMALL, align=0.5, width=34.0)
        if clicked:
            moments.transport.set_speed(1.0)
        return x + 82.0

    def _choices(self, width, y, high):
        """Spacing, logarithm and fold, from the right; returns where they begin."""
        w, timeline = self.w, self.moments.timeline
        x = width - 34.0
        if w.button("timeline.fold", x, y, 24.0, "", icon="down", doc="fold the timeline; t", height=high):
            self.moments.fold()
        text = f"log {timeline.value_name}" if width >= NARROW else "log"
        wide, log = w.measure(text) + 20.0, timeline.log_values
        if timeline.set_log_values is not None and x - wide - 6.0 >= BUTTONS:
            x -= wide + 6.0
            doc = f"{timeline.value_name} by its powers of ten"
            if w.button("timeline.log", x, y, wide, text, doc=doc, on=log, height=high):
                self.attempt(lambda: timeline.set_log_values(not log))
        if timeline.set_spacing is not None:
            new, names = None, list(SPACINGS)
            if width >= WIDE:
                x -= 176.0
                new = w.segments("timeline.spacing", x, y - 2.0, 170.0, high + 4.0, timeline.spacing, names)
                if width >= WIDEST:
                    x -= w.measure("spaced by", SMALL) + 8.0
                    w.text(x, y + high / 2, "spaced by", "muted", SMALL)
            elif x - (wide := max(w.measure(name) for name in names) + 14.0) - 6.0 >= BUTTONS:
                x -= wide + 6.0
                doc = f"how far apart snapshots stand: all alike, by {timeline.step_name}, or by its logarithm"
                if w.button("timeline.spacing", x, y, wide, timeline.spacing, doc=doc, height=high):
                    new = names[(names.index(timeline.spacing) + 1) % len(names)]
            if new is not None:
                self.attempt(lambda: timeline.set_spacing(new))
        return x

    def hint(self):
        """What is said of the snapshot shown."""
        timeline = self.moments.timeline
        if timeline.hint is not None:
            return timeline.hint
        at = self.moments.index
        text = f"{timeline.step_name} {timeline.steps[at]:,}"
        wide = next((c for c in timeline.curves if c.wide), None)
        if wide is not None and wide.values[at] == wide.values[at]:
            text += f"  ·  {timeline.value_name} {number(wide.values[at])}"
        return text
