"""A network as columns of nodes: the weights between them as lines, the units in their layers' colours."""

import numpy as np
from imgui_bundle import imgui

from engine.scene.view_data import Diagram, Units
from engine.ui.control.pointer import Hover
from engine.ui.theme import SMALL, packed
from engine.ui.widgets import numbers
from engine.ui.widgets.diagram_layout import RADIUS, Edges, height_of, nodes
from engine.ui.widgets.setting import Widgets
from engine.ui.widgets.unit_buttons import Press, name_of, telling
from engine.ui.widgets.unit_layout import Place

# A line's thickness and opacity at strength 0 and 1. imgui draws none thinner than a pixel.
THICKNESS, OPACITY = (0.9, 3.2), (0.06, 0.95)
# What is left of a line's opacity beside a marked node, and at a unit that is hidden.
ASIDE, HIDDEN = 0.22, 0.35
# Steps of opacity: lines of one step are drawn with one colour each.
SHADES = 48
# Pixels beyond a node that still count as on it.
NEAR = 3.0
# Pixels a name beside the nodes may take.
NAME = 74.0


class DiagramView:
    """Draws a Diagram, with a scene's Units where there are.

    press   engine.ui.widgets.unit_buttons.Press
    hover   engine.ui.control.pointer.Hover
    """

    def __init__(self, press: Press, hover: Hover):
        self.press, self.hover = press, hover
        self._edges: tuple[tuple, tuple[Edges, Edges | None]] | None = None  # (made of, lines)
        self._node: Place | None = None  # (column, number) under the pointer

    def draw(self, w: Widgets, diagram: Diagram, units: Units | None) -> None:
        """Draws at the cursor, downwards."""
        net = diagram.net
        sizes = [net.inputs, *(layer.bias.size for layer in net.layers)]
        x, y = w.at()
        height = height_of(sizes)
        left, right = (min(w.widest(names), NAME) + 8.0 * bool(names) for names in (diagram.inputs, diagram.outputs))
        places, radii = nodes(sizes, w.width - left - right, height)
        places = [p + np.array((x + left, y)) for p in places]
        self._handled(w, net, units, places, radii, (x, y, w.width, height))
        if imgui.is_rect_visible((x, y), (x + w.width, y + height)):
            marked = self._node or self._marked(units, sizes)
            self._lines(w, diagram, units, places, marked, min(1.0, min(radii) / RADIUS))
            self._nodes(w, units, places, radii, marked)
            self._names(w, diagram, places, radii)
        w.skip(height + 6.0)
        x, y = w.at()
        w.text(x, y + 8.0, "weights above zero", "plus", SMALL)
        w.text(x + w.width, y + 8.0, "below zero", "minus", SMALL, align=1.0)
        w.skip(26.0)

    # How.

    def _layer(self, units, column, count):
        """The UnitLayer a column of nodes belongs to, or None."""
        if units is None or not 1 <= column <= len(units.layers):
            return None
        layer = units.layers[column - 1]
        return layer if len(layer.shown) == count else None

    def _marked(self, units, sizes):
        """The (column, number) of the unit the scene marks, or None."""
        if units is None or units.hovered is None:
            return None
        column, number = units.hovered[0] + 1, units.hovered[1]
        return (column, number) if column < len(sizes) and self._layer(units, column, sizes[column]) else None

    def _lines(self, w, diagram, units, places, marked, size):
        """The weights, thinner and fainter where nodes are smaller: `size` of a full one."""
        key = diagram.net, diagram.scale, marked
        if self._edges is None or any(a is not b and a != b for a, b in zip(key, self._edges[0], strict=True)):
            of_marked = Edges(diagram.net, diagram.scale, of=marked) if marked else None
            self._edges = key, (Edges(diagram.net, diagram.scale), of_marked)
        edges, strong = self._edges[1]
        opacity = (ASIDE if strong else 1.0) * max(size, 0.25) ** 0.5
        self._stroke(w, edges, places, size, opacity * self._faded(units, edges, places))
        if strong is not None:
            self._stroke(w, strong, places, size, 1.0)

    def _faded(self, units, edges, places):
        """(E,) what is left of each line's opacity: less where it ends at a hidden unit."""
        layers_of = [self._layer(units, column, len(nodes_of)) for column, nodes_of in enumerate(places)]
        seen = np.concatenate([
            np.ones(len(nodes_of), bool) if layer is None else np.array(layer.shown, bool)
            for layer, nodes_of in zip(layers_of, places, strict=True)
        ])  # fmt: skip
        starts = np.cumsum([0, *map(len, places)])
        layers, inputs, outputs = edges.ends.T
        return np.where(seen[starts[layers] + inputs] & seen[starts[layers + 1] + outputs], 1.0, HIDDEN)

    def _stroke(self, w, edges, places, size, opacity):
        if not edges.values.size:
            return
        starts = np.cumsum([0, *(len(p) for p in places)])
        points = np.concatenate(places)
        layers, inputs, outputs = edges.ends.T
        a, b = points[starts[layers] + inputs].tolist(), points[starts[layers + 1] + outputs].tolist()
        part = edges.strengths
        thick = (THICKNESS[0] + (max(THICKNESS[1] * size, 1.0) - THICKNESS[0]) * part).tolist()
        alpha = (OPACITY[0] + (OPACITY[1] - OPACITY[0]) * part) * opacity
        shade = np.rint(alpha * SHADES).astype(int)
        tones = [[w.colour(tone, k / SHADES) for k in range(SHADES + 1)] for tone in ("minus", "plus")]
        above = (edges.values > 0.0).astype(int)
        line = w.pen.add_line
        for p, q, sign, k, width in zip(a, b, above.tolist(), shade.tolist(), thick, strict=True):
            line(p, q, tones[sign][k], width)

    def _nodes(self, w, units, places, radii, marked):
        for column, (nodes_of, radius) in enumerate(zip(places, radii, strict=True)):
            layer = self._layer(units, column, len(nodes_of))
            for number, (x, y) in enumerate(nodes_of.tolist()):
                lit = marked == (column, number)
                size = radius + 1.5 * lit
                # A rim in the background's colour parts a node from the lines behind it.
                w.pen.add_circle_filled((x, y), size + 1.0, w.colour("panel"), 0)
                if layer is None:
                    w.pen.add_circle_filled((x, y), size, w.colour("muted"), 0)
                elif layer.shown[number]:
                    dim = bool(layer.dim) and layer.dim[number]
                    w.pen.add_circle_filled((x, y), size, packed(layer.colour, 0.35 if dim else 1.0), 0)
                else:
                    rim = min(1.3, size)
                    w.pen.add_circle((x, y), size - rim / 2, packed(layer.colour, 0.8), 0, rim)
                if lit:
                    w.pen.add_circle((x, y), size + 1.0, w.colour("text"), 0, 1.4)

    def _names(self, w, diagram, places, radii):
        for names, k, side in ((diagram.inputs, 0, -1), (diagram.outputs, -1, 1)):
            nodes_of, radius = places[k], radii[k]
            for name, (x, y) in zip(names, nodes_of.tolist(), strict=False):
                w.text(x + side * (radius + 6.0), y, name, "muted", SMALL, align=float(side < 0), width=NAME)

    def _handled(self, w, net, units, places, radii, area):
        x, y, width, height = area
        _, hovered, _ = w.press("diagram", x, y, width, height)
        pressed = imgui.is_item_activated()
        for column, (nodes_of, radius) in enumerate(zip(places, radii, strict=True)):
            for number, (a, b) in enumerate(nodes_of.tolist()):
                w.places[f"diagram.{column}.{number}"] = (a - radius, b - radius, 2.0 * radius, 2.0 * radius)
        self._node = None
        if not hovered:
            return
        mouse = imgui.get_io().mouse_pos
        points = np.concatenate(places)
        away = np.hypot(points[:, 0] - mouse.x, points[:, 1] - mouse.y)
        best = int(away.argmin())
        starts = np.cumsum([0, *(len(p) for p in places)])
        column = int(np.searchsorted(starts, best, side="right") - 1)
        if away[best] > radii[column] + NEAR:
            return
        self._node = column, best - int(starts[column])
        layer = self._layer(units, column, len(places[column]))
        w.hint(self._name(net, units, layer, *self._node))
        if layer is not None:
            place = column - 1, self._node[1]
            self.hover.offer(("unit", *place), *telling(units, place))
            if pressed:
                self.press.begin(units, place)
                self.press.end()

    def _name(self, net, units, layer, column, number):
        if layer is not None:
            text = name_of(units, (column - 1, number))
        else:
            kind = "input" if column == 0 else "output" if column == len(net.layers) else f"layer {column}, neuron"
            text = f"{kind} {number + 1}"
        if column == 0:
            return text
        bias = numbers.shown(float(net.layers[column - 1].bias[number]))
        return f"{text}{';' if ':' in text else ','} bias {bias}"
