"""The strip below the picture: curves over a scene's snapshots, a slider, and buttons to play and step."""

from __future__ import annotations

from collections.abc import Callable

from imgui_bundle import imgui

from engine.scene.memo import Cache
from engine.ui.control.transport import Transport
from engine.ui.draw_list import FIXED
from engine.ui.theme import BODY, SMALL, packed
from engine.ui.widgets.setting import Widgets
from engine.ui.widgets.timeline_header import HEADER, NARROW, TimelineHeader, number
from engine.ui.widgets.timeline_layout import heights, nearest, positions, span, step_ticks, strokes, value_ticks

# The strip's usual and least height in logical pixels, and the largest part of the window's height that it takes.
HEIGHT, LEAST, PART = 138.0, 88.0, 0.25
# Windows lower than this have no strip.
LOWEST = 150.0
# Heights below the curves: of the slider, and of the numbers of steps.
TRACK, STEPS = 14.0, 17.0
# Least pixels between the middles of two numbers of steps.
APART = 70.0
# Pixels round a mark that count as on it.
CLOSE = 5.0
# The most points of all curves together; above it the curves are thinned out to columns wider than a pixel.
BUDGET = 24000
# The most curves listed one by one on hover.
LISTED = 8


class TimelineStrip:
    """Draws a Transport's timeline with Widgets.

    state   engine.ui.control.transport.Transport
    run     function that is given a function of the scene, calls it, and shows its error
    """

    def __init__(self, widgets: Widgets, state: Transport, run: Callable[[Callable], None]):
        self.w, self.state = widgets, state
        self.header = TimelineHeader(widgets, state, run)
        self._cache = Cache()
        self._wheel = 0.0

    def height(self, window: float) -> float:
        """Logical pixels of the strip in a window of this height."""
        if self.state.timeline is None or not self.state.is_open or window < LOWEST:
            return 0.0
        return round(min(HEIGHT, max(LEAST, PART * window)))

    def draw(self, width: float, window: float, *, covered: bool = False) -> bool:
        """Draws at the window's bottom left, `width` wide; returns True if it was pressed while covered.

        covered   True if something lies over the strip, which then ignores the pointer
        """
        tall = self.height(window)
        top = window - tall
        w = self.w
        with w.window("timeline", 0.0, top, width, tall, FIXED | imgui.WindowFlags_.no_scroll_with_mouse):
            pressed = covered and imgui.is_window_hovered() and imgui.is_mouse_clicked(0)
            imgui.begin_disabled(covered)
            w.pen.add_line((0.0, top + 0.5), (width, top + 0.5), w.colour("line"), 1.0)
            self.header.draw(width, top)
            self._plot(width, top, tall)
            imgui.end_disabled()
        return pressed

    # The curves and the slider.

    def _plot(self, width, top, tall):
        w, timeline = self.w, self.state.shown
        bottom = top + tall - TRACK - STEPS
        up = top + HEADER + 4.0
        made_of = (timeline.log_values, *(c.values for c in timeline.curves))
        low, high = self._cache.get("span", made_of, lambda: span(timeline.curves, timeline.log_values))
        ticks = (
            value_ticks(low, high, timeline.log_values, max(2, int((bottom - up) / 20.0))) if timeline.curves else []
        )
        texts = [f"{v:.6g}".replace("-", "−") for v in ticks]
        left = 14.0 + w.widest(texts) + 6.0 * bool(texts)
        right = max(width - 18.0, left + 10.0)
        area = left, up, right, bottom
        places = positions(timeline.steps, timeline.spacing)
        at = self._handled(area, tall + top, places)
        self._axes(area, places, zip(heights(ticks, low, high, timeline.log_values).tolist(), texts, strict=True))
        self._curves(area, places, (low, high))
        self._slider(area, places)
        if at is not None:
            x = left + places[at] * (right - left)
            w.pen.add_line((x, up), (x, bottom), w.colour("muted", 0.6), 1.0)
        if width < NARROW:
            # The hint, if the header has no room for it.
            text = w.fitted(self.header.hint(), right - left - 12.0, SMALL)
            wide = w.measure(text, SMALL)
            w.box(right - wide - 8.0, up - 1.0, wide + 8.0, 17.0, "card", 4.0)
            w.text(right - 4.0, up + 7.5, text, "text", SMALL, align=1.0)

    def _axes(self, area, places, ticks):
        w, timeline = self.w, self.state.shown
        left, up, right, bottom = area
        for part, text in ticks:
            y = bottom - part * (bottom - up)
            w.pen.add_line((left, round(y) + 0.5), (right, round(y) + 0.5), w.colour("line"), 1.0)
            w.text(left - 7.0, y, text, "muted", SMALL, align=1.0)
        y = bottom + TRACK + STEPS / 2 - 1.0
        for part, step in step_ticks(timeline.steps, places, timeline.spacing, right - left, APART):
            x, text = left + part * (right - left), f"{step:,}"
            wide = w.measure(text, SMALL)
            # The last number must stay within the strip.
            align = min(max((x + wide / 2 - right - 12.0) / max(wide, 1.0) + 0.5, 0.5), 1.0)
            w.pen.add_line((round(x) + 0.5, bottom), (round(x) + 0.5, bottom + 3.0), w.colour("faint"), 1.0)
            w.text(x, y, text, "muted", SMALL, align=align)

    def _curves(self, area, places, low_high):
        w, timeline = self.w, self.state.shown
        key = (area, timeline.steps, timeline.spacing, timeline.log_values, *(c.values for c in timeline.curves))
        paths = self._cache.get("paths", key, lambda: self._made_paths(area, places, low_high))
        order = sorted(range(len(timeline.curves)), key=lambda k: timeline.curves[k].wide)
        others = any(c.wide for c in timeline.curves)
        for k in order:
            curve = timeline.curves[k]
            strong = curve.wide or not others
            colour = packed(curve.colour, 1.0 if strong else 0.45)
            for path in paths[k]:
                if len(path) == 1:
                    w.pen.add_circle_filled(path[0], 3.0 if strong else 2.0, colour, 12)
                else:
                    w.pen.add_polyline(path, colour, 2.0 if curve.wide else 1.2, 0)

    def _made_paths(self, area, places, low_high):
        timeline = self.state.shown
        left, up, right, bottom = area
        x = left + places * (right - left)
        column = max(1.0, 4.0 * len(timeline.curves) * (right - left) / BUDGET)
        log, (low, high) = timeline.log_values, low_high
        rows = [bottom - heights(curve.values, low, high, log) * (bottom - up) for curve in timeline.curves]
        return [[[imgui.ImVec2(*p) for p in path.tolist()] for path in strokes(x, y, column)] for y in rows]

    def _slider(self, area, places):
        w, state = self.w, self.state
        left, up, right, bottom = area
        middle = bottom + TRACK / 2
        here = left + places[state.index] * (right - left)
        w.box(left, middle - 1.5, right - left, 3.0, "hovered", 1.5)
        if here > left and len(places) > 1:
            w.box(left, middle - 1.5, here - left, 3.0, "low", 1.5)
        for snapshot, _ in state.shown.marks:
            x = round(left + places[min(max(snapshot, 0), len(places) - 1)] * (right - left))
            w.box(x - 1.0, middle - 6.0, 2.0, 12.0, "warn", 1.0)
        w.pen.add_line((here, up), (here, middle), w.colour("accent", 0.9), 1.0)
        w.pen.add_circle_filled((here, middle), 8.0, w.colour("panel"), 24)
        w.pen.add_circle_filled((here, middle), 6.0, w.colour("accent"), 24)

    # The pointer.

    def _handled(self, area, end, places):
        """Handles the pointer; returns the snapshot under it, or None."""
        w, state = self.w, self.state
        left, up, right, _ = area
        _, hovered, held = w.press("timeline.track", left - 8.0, up, right - left + 16.0, end - up)
        pressed = imgui.is_item_activated()
        io = imgui.get_io()
        if not hovered and not held:
            self._wheel = 0.0
            return None
        x = io.mouse_pos.x
        mark = None if held and not pressed else self._mark(x, area, places)
        at = nearest(places, (x - left) / (right - left)) if mark is None else mark[0]
        if held and (pressed or io.mouse_delta.x) and at != state.index:
            state.go(at)
        # Turning the wheel up goes forward, as it raises a weight; touch pads send parts of a notch.
        self._wheel += io.mouse_wheel - io.mouse_wheel_h
        if abs(self._wheel) >= 1.0 - 1e-6:
            notches = round(self._wheel)
            self._wheel -= notches
            state.step(notches)
        if held:
            return None
        self._card(at, mark, (io.mouse_pos.x, up - HEADER - 10.0))
        return at

    def _mark(self, x, area, places):
        """The (snapshot, text) of the mark under the pointer, or None."""
        left, _, right, _ = area
        found = [(abs(left + places[min(max(s, 0), len(places) - 1)] * (right - left) - x), s, text)
                 for s, text in self.state.shown.marks]  # fmt: skip
        best = min(found, default=None, key=lambda f: f[0])
        return None if best is None or best[0] > CLOSE else (min(max(best[1], 0), len(places) - 1), best[2])

    def _card(self, at, mark, place):
        """A card above the strip: the step under the pointer, its mark and the curves' values there."""
        w, timeline = self.w, self.state.shown
        known = [c for c in timeline.curves if c.values[at] == c.values[at]]
        known.sort(key=lambda c: not c.wide)
        rows = [(c.colour, c.name, number(c.values[at])) for c in known[:LISTED]]
        title = f"{timeline.step_name} {timeline.steps[at]:,}"
        more = f"and {len(known) - LISTED} more" if len(known) > LISTED else None
        words = w.lines(mark[1], SMALL, 230.0) if mark else []
        columns = 16.0 + w.widest(n for _, n, _ in rows) + 14.0 + w.widest(v for _, _, v in rows)
        wide = max(w.measure(title, BODY, True), columns, w.widest(words))
        tall = 22.0 + 17.0 * (len(rows) + len(words) + bool(more))
        imgui.push_style_var(imgui.StyleVar_.window_padding, (11.0, 8.0))
        room = imgui.get_io().display_size.x - wide / 2 - 16.0
        imgui.set_next_window_pos((min(max(place[0], wide / 2 + 16.0), room), place[1]), 0, (0.5, 1.0))
        if imgui.begin_tooltip():
            with w.inner():
                p = imgui.get_cursor_screen_pos()
                x, y = p.x, p.y
                w.text(x, y + 9.0, title, "text", BODY, bold=True)
                y += 28.0
                for text in words:
                    w.text(x, y, text, "warn", SMALL)
                    y += 17.0
                for colour, name, value in rows:
                    w.pen.add_circle_filled((x + 5.0, y), 4.0, packed(colour), 16)
                    w.text(x + 16.0, y, name, "muted", SMALL)
                    w.text(x + wide, y, value, "text", SMALL, align=1.0)
                    y += 17.0
                if more:
                    w.text(x, y, more, "faint", SMALL)
                imgui.dummy((wide, tall))
            imgui.end_tooltip()
        imgui.pop_style_var()
