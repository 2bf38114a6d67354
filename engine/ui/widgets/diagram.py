"""A network as columns of nodes: the weights between them as lines, the units in their layers' colours."""

import numpy as np
from imgui_bundle import imgui

from engine.scene.memo import Cache
from engine.scene.view_data import Diagram, UnitLayer, Units
from engine.ui.control.pointer import Hover
from engine.ui.theme import SMALL, packed
from engine.ui.widgets import numbers
from engine.ui.widgets.diagram_layout import RADIUS, Edges, height_of, nodes
from engine.ui.widgets.setting import Widgets
from engine.ui.widgets.unit_buttons import Press, hover_calls, name_of

# A line's thickness and opacity at strength 0 and 1. imgui draws no line thinner than a pixel.
THICKNESS, OPACITY = (0.9, 3.2), (0.06, 0.95)
# Factors of a line's opacity: while another node is marked; at a hidden unit.
ASIDE, HIDDEN = 0.22, 0.35
# Steps of opacity: lines of one step are drawn with one colour each.
SHADES = 48
# Pixels round a node that count as on it.
NEAR = 3.0
# The longest name beside a node, in pixels.
NAME = 74.0

# A node: its column, its number in that column, and the UnitLayer to which it belongs, or None.
Owner = tuple[int, int, UnitLayer | None]


class DiagramView:
    """Draws a Diagram; its nodes act as buttons if the scene has Units.

    press   engine.ui.widgets.unit_buttons.Press
    hover   engine.ui.control.pointer.Hover
    """

    def __init__(self, press: Press, hover: Hover):
        self.press, self.hover = press, hover
        self._cache = Cache()

    def draw(self, w: Widgets, diagram: Diagram, units: Units | None) -> None:
        """Draws at the cursor, downwards."""
        net = diagram.net
        sizes = [net.inputs, *(layer.bias.size for layer in net.layers)]
        owners = _owners(sizes, units)
        height = height_of(sizes)
        x, y = w.take(height + 6.0)
        left, right = (min(w.widest(names), NAME) + 8.0 * bool(names) for names in (diagram.inputs, diagram.outputs))
        points, radii = nodes(sizes, w.width - left - right, height)
        points += (x + left, y)
        marked = self._handled(w, diagram, units, owners, points, radii, (x, y, w.width, height))
        if marked is None and units is not None and units.hovered is not None:
            place = units.hovered[0] + 1, units.hovered[1]
            marked = next(
                (k for k, (*at, layer) in enumerate(owners) if layer is not None and tuple(at) == place), None
            )
        if imgui.is_rect_visible((x, y), (x + w.width, y + height)):
            self._lines(w, diagram, owners, points, marked, min(1.0, min(radii) / RADIUS))
            for k, ((column, number, layer), at, radius) in enumerate(zip(owners, points.tolist(), radii, strict=True)):
                _draw_node(w, at, radius, layer, number, k == marked)
                names, side = (diagram.inputs, -1) if column == 0 else (diagram.outputs, 1)
                if column in (0, len(sizes) - 1) and number < len(names):
                    beside = at[0] + side * (radius + 6.0)
                    w.text(beside, at[1], names[number], "muted", SMALL, align=float(side < 0), width=NAME)
        x, y = w.take(26.0)
        w.text(x, y + 8.0, "weights above zero", "plus", SMALL)
        w.text(x + w.width, y + 8.0, "below zero", "minus", SMALL, align=1.0)

    def _lines(self, w, diagram, owners, points, marked, size):
        """Draws the weights, thinner and fainter if nodes are small: `size` is a node's, relative to the largest."""
        net, scale = diagram.net, diagram.scale
        edges = self._cache.get("all", (net, scale), lambda: Edges(net, scale))
        # A line that ends at a hidden unit is fainter.
        seen = np.array([layer is None or layer.shown[number] for _, number, layer in owners])
        opacity = np.where(seen[edges.ends].all(1), 1.0, HIDDEN) * max(size, 0.25) ** 0.5
        _stroke(w, edges, points, size, opacity * (1.0 if marked is None else ASIDE))
        if marked is not None:
            own = self._cache.get("marked", (net, scale, marked), lambda: Edges(net, scale, of=marked))
            _stroke(w, own, points, size, 1.0)

    def _handled(self, w, diagram, units, owners, points, radii, area):
        """Handles the pointer; returns the node under it, or None."""
        _, hovered, _ = w.press("diagram", *area)
        pressed = imgui.is_item_activated()
        for (column, number, _), (x, y), radius in zip(owners, points.tolist(), radii, strict=True):
            w.places[f"diagram.{column}.{number}"] = (x - radius, y - radius, 2.0 * radius, 2.0 * radius)
        mouse = imgui.get_io().mouse_pos
        away = np.hypot(points[:, 0] - mouse.x, points[:, 1] - mouse.y)
        best = int(away.argmin())
        if not hovered or away[best] > radii[best] + NEAR:
            return None
        column, number, layer = owners[best]
        w.hint(_name(diagram, units, *owners[best]))
        if layer is not None:
            place = column - 1, number
            self.hover.offer(("unit", *place), *hover_calls(units, place))
            if pressed:
                self.press.begin(units, place)
                self.press.end()
        return best


def _owners(sizes: list[int], units: Units | None) -> list[Owner]:
    """The Owner of each node; a layer whose number of units differs from its column's is ignored."""
    layers = (None, *(units.layers if units is not None else ()), *[None] * len(sizes))
    fits = [
        layer if layer is not None and len(layer.shown) == n else None for layer, n in zip(layers, sizes, strict=False)
    ]
    return [(column, number, fits[column]) for column, n in enumerate(sizes) for number in range(n)]


def _stroke(w, edges, points, size, opacity):
    """Draws edges as lines; `opacity` is a factor."""
    if not edges.values.size:
        return
    part = edges.strengths
    thick = THICKNESS[0] + (max(THICKNESS[1] * size, 1.0) - THICKNESS[0]) * part
    shade = np.rint((OPACITY[0] + (OPACITY[1] - OPACITY[0]) * part) * opacity * SHADES).astype(int)
    tones = [[w.colour(tone, k / SHADES) for k in range(SHADES + 1)] for tone in ("minus", "plus")]
    line, above = w.pen.add_line, (edges.values > 0.0).astype(int)
    for (p, q), sign, k, width in zip(
        points[edges.ends].tolist(), above.tolist(), shade.tolist(), thick.tolist(), strict=True
    ):
        line(p, q, tones[sign][k], width)


def _draw_node(w, at, radius, layer, number, lit):
    size = radius + 1.5 * lit
    # A rim in the background's colour separates the node from the lines behind it.
    w.pen.add_circle_filled(at, size + 1.0, w.colour("panel"), 0)
    if layer is None:
        w.pen.add_circle_filled(at, size, w.colour("muted"), 0)
    elif layer.shown[number]:
        dim = bool(layer.dim) and layer.dim[number]
        w.pen.add_circle_filled(at, size, packed(layer.colour, 0.35 if dim else 1.0), 0)
    else:
        rim = min(1.3, size)
        w.pen.add_circle(at, size - rim / 2, packed(layer.colour, 0.8), 0, rim)
    if lit:
        w.pen.add_circle(at, size + 1.0, w.colour("text"), 0, 1.4)


def _name(diagram, units, column, number, layer):
    """A node's name, with its bias."""
    layers = diagram.net.layers
    if layer is not None:
        text = name_of(units, (column - 1, number))
    else:
        kind = "input" if column == 0 else "output" if column == len(layers) else f"layer {column}, neuron"
        text = f"{kind} {number + 1}"
    if column == 0:
        return text
    bias = numbers.shown(float(layers[column - 1].bias[number]))
    return f"{text}{';' if ':' in text else ','} bias {bias}"
