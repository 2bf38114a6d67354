"""A button for every unit of a scene's layers: a press shows or hides the unit, hovering has the scene mark it."""

import math
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from functools import lru_cache

from imgui_bundle import imgui

from engine.scene.memo import Cache
from engine.scene.view_data import Units
from engine.ui.control.pointer import Hover
from engine.ui.theme import ROUND, SMALL, contrast, packed
from engine.ui.widgets.setting import Widgets
from engine.ui.widgets.unit_layout import Place, Shown, alone, every, laid, numbered, put, toggled

# The greatest height of the buttons' area; higher ones scroll.
HEIGHT = 380.0
# Pixels between the places that are tested along a quick drag: less than a button.
STRIDE = 6.0


def name_of(units: Units, place: Place) -> str:
    """A unit's name, `Layer 2, neuron 7`, and the scene's text about it."""
    layer, unit = units.layers[place[0]], place[1]
    text = f"{layer.title}, neuron {unit + 1}" if len(layer.shown) > 1 else layer.title
    said = layer.docs[unit] if layer.docs else ""
    return f"{text}: {said}" if said else text


class Press:
    """Presses on units, in buttons and diagram: a click toggles, shift or a double click shows one alone, a drag many.

    send    function of the Units and of the new Shown
    """

    def __init__(self, send: Callable[[Units, Shown], None]):
        self.send = send
        self._value: bool | None = None  # the value that a drag sets
        self._last: tuple[Place, Shown] | None = None  # of the last press: its place, and the Shown before it

    def begin(self, units: Units, place: Place) -> None:
        """Handles a press on a unit."""
        if imgui.get_io().key_shift:
            self.send(units, alone(units.shown, place))
        elif imgui.is_mouse_double_clicked(0) and self._last is not None and self._last[0] == place:
            # The first click of the double click has changed the unit already, so the state before that counts.
            self.send(units, alone(self._last[1], place))
            self._last = None
        else:
            self._value = not units.shown[place[0]][place[1]]
            self._last = place, units.shown
            self.send(units, toggled(units.shown, place))

    def drag(self, units: Units, places: Iterable[Place]) -> None:
        """Handles a drag over units."""
        if self._value is not None:
            new = put(units.shown, places, self._value)
            if new != units.shown:
                self.send(units, new)

    def end(self) -> None:
        """Handles the release of the mouse button."""
        self._value = None


class UnitButtons:
    """Draws Units.

    press   Press
    hover   engine.ui.control.pointer.Hover
    """

    def __init__(self, press: Press, hover: Hover):
        self.press, self.hover = press, hover
        self._cache = Cache()

    def draw(self, w: Widgets, units: Units) -> None:
        """Draws at the cursor, downwards."""
        x, y = w.take(38.0)
        half = (w.width - 8.0) / 2.0
        for text, value, left in (("Show all", True, x), ("Hide all", False, x + half + 8.0)):
            if w.button(f"units.{text}", left, y + 3.0, half, text, icon="eye" if value else "eye_off"):
                self.press.send(units, every(units.shown, value))
        listed, width = tuple(layer.listed for layer in units.layers), w.width
        made = lambda: numbered(laid(tuple(map(len, listed)), width), listed)
        layout = self._cache.get("layout", (listed, width), made)
        with w.scrolled("units", HEIGHT) if layout.height > HEIGHT else nullcontext():
            self._all(w, units, layout)
        w.take(12.0)

    def _all(self, w, units, layout):
        left, top = w.take(layout.height)
        for number, (layer, (x, y, width)) in enumerate(zip(units.layers, layout.titles, strict=True)):
            self._title(w, units, number, layer, layout.columns, (left + x, top + y, width))
        under = self._handled(w, units, layout, left, top)
        for place, (x, y, width, height) in layout.cells.items():
            self._cell(w, units, place, (left + x, top + y, width, height), under)

    def _title(self, w, units, number, layer, columns, place):
        x, y, width = place
        w.pen.add_circle_filled((x + 5.0, y + 9.0), 4.5, packed(layer.colour), 20)
        shown, count = sum(layer.shown[k] for k in layer.listed), len(layer.listed)
        if columns:
            w.text(x + 15.0, y + 9.0, layer.title, "text", SMALL, width=width - 15.0)
            each = (width - 2.0) / 2.0
            places = (x, y + 19.0, each), (x + each + 2.0, y + 19.0, each)
        else:
            w.text(x + 15.0, y + 9.0, layer.title, "text", SMALL, width=width - 130.0)
            w.text(x + width - 60.0, y + 9.0, f"{shown} of {count}", "muted", SMALL, align=1.0)
            places = (x + width - 50.0, y, 24.0), (x + width - 24.0, y, 24.0)
        for (left, top, wide), value in zip(places, (True, False), strict=True):
            icon, doc = ("eye", f"show {layer.title}") if value else ("eye_off", f"hide {layer.title}")
            name = f"units.{number}.{'show' if value else 'hide'}"
            # A button is enabled if it would change something.
            can = shown < count if value else shown > 0
            if w.button(name, left, top, wide, "", icon=icon, doc=doc, height=18.0, enabled=can):
                self.press.send(units, every(units.shown, value, number))

    def _handled(self, w, units, layout, left, top):
        """Handles the pointer over all buttons; returns the (layer, unit) under it, or None."""
        for (layer, unit), (x, y, width, height) in layout.cells.items():
            w.places[f"units.{layer}.{unit}"] = (left + x, top + y, width, height)
        first = min((y for _, y, _, _ in layout.cells.values()), default=0.0)
        # The buttons in the titles lie within this area; they were drawn before, so they get the pointer first.
        _, hovered, held = w.press("units.cells", left, top + first, w.width, max(layout.height - first, 1.0))
        pressed, let_go = imgui.is_item_activated(), imgui.is_item_deactivated()
        io = imgui.get_io()
        x, y = io.mouse_pos.x - left, io.mouse_pos.y - top
        under = _under(layout, x, y) if hovered or held else None
        if under is not None and hovered:
            self.hover.offer(("unit", *under), *hover_calls(units, under))
            w.hint(name_of(units, under))
        if pressed and under is not None:
            self.press.begin(units, under)
        elif held and (io.mouse_delta.x or io.mouse_delta.y):
            count = math.ceil(math.hypot(io.mouse_delta.x, io.mouse_delta.y) / STRIDE)
            path = [(x - io.mouse_delta.x * k / count, y - io.mouse_delta.y * k / count) for k in range(count)]
            self.press.drag(units, {p for p in (_under(layout, *at) for at in path) if p is not None})
        if let_go:
            self.press.end()
        return under

    def _cell(self, w, units, place, area, under):
        (number, unit), (x, y, width, height) = place, area
        layer = units.layers[number]
        shown, dim = layer.shown[unit], bool(layer.dim) and layer.dim[unit]
        lit = place in (under, units.hovered)
        corner = min(ROUND - 1.0, height / 3.0)
        if shown:
            alpha = 0.30 if dim else 1.0
            w.pen.add_rect_filled((x, y), (x + width, y + height), packed(layer.colour, alpha), corner)
            colour = "muted" if dim else readable(layer.colour)
        else:
            if lit:
                w.box(x, y, width, height, "hovered", corner)
            edge = packed(layer.colour, 0.28 if dim else 0.75)
            w.pen.add_rect((x + 0.5, y + 0.5), (x + width - 0.5, y + height - 0.5), edge, corner)
            colour = "faint" if dim else "muted"
        size = SMALL if width >= 21.0 else SMALL - 1.5
        w.text(x + width / 2, y + height / 2, str(unit + 1), colour, size, align=0.5)
        if lit:
            w.pen.add_rect((x - 0.5, y - 0.5), (x + width + 0.5, y + height + 0.5), w.colour("text"), corner, 1.6)


@lru_cache(maxsize=256)
def readable(colour: str) -> str:
    """A dark or a light colour, whichever can be read on the given colour."""
    return max(("#10141c", "#ffffff"), key=lambda text: contrast(text, colour))


def hover_calls(units: Units, place: Place) -> tuple[Callable[[], object], Callable[[], object]]:
    """(enter, leave) for a unit, as Hover.offer takes them."""
    report = units.hover or (lambda place: None)
    return (lambda: report(place)), (lambda: report(None))


def _under(layout, x, y):
    areas = layout.cells.items()
    return next((p for p, (left, top, w, h) in areas if left <= x < left + w and top <= y < top + h), None)
