"""A network as columns of nodes: the weights between them as lines, the units in their layers' colours."""

import numpy as np
from imgui_bundle import imgui

from engine.ui.theme import SMALL, packed
from engine.ui.widgets import numbers
from engine.ui.widgets.diagram_layout import RADIUS, Edges, height_of, nodes
from engine.ui.widgets.unit_buttons import name_of, telling

# A line's thickness and opacity at strength 0 and 1. imgui draws none thinner than a pixel.
THICKNESS, OPACITY = (0.9, 3.2), (0.06, 0.95)
# What is left of a line's opacity beside a marked node, and at a unit that is hidden.
ASIDE, HIDDEN = 0.22, 0.35
# Opacities told apart: lines of one are drawn with one colour each.
SHADES = 48
# Pixels beyond a node that still count as on it.
NEAR = 3.0
# Pixels a name beside the nodes may take.
NAME = 74.0


class DiagramView:
    """Draws a Diagram, with a scene's Units where there are.

    press   engine.ui.widgets.unit_buttons.Press
    hover   engine.ui.control.hover.Hover
    """

    def __init__(self, press, hover):
        self.press, self.hover = press, hover
        self._edges = (None, None)
        self._node = None  # (column, number) under the pointer

    def draw(self, w, diagram, units):
        """Draws at the cursor, downwards.

        units   Units or None
        """
        net = diagram.net
        sizes = [net.inputs, *(layer.bias.size for layer in net.layers)]
        x, y = w.at()
        height = height_of(sizes)
        left = max((min(w.measure(t, SMALL), NAME) + 8.0 for t in diagram.inputs), default=0.0)
        right = max((min(w.measure(t, SMALL), NAME) + 8.0 for t in diagram.outputs), default=0.0)
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
        if self._edges[0] is None or any(a is not b and a != b for a, b in zip(key, self._edges[0], strict=True)):
            edges = Edges(diagram.net, diagram.scale)
            strong = Edges(diagram.net, diagram.scale, of=marked) if marked else None
            self._edges = key, (edges, strong)
        edges, strong = self._edges[1]
        opacity = (ASIDE if strong else 1.0) * max(size, 0.25) ** 0.5
        self._stroke(w, edges, places, size, opacity * self._faded(units, edges, places))
        if strong is not None:
            self._stroke(w, strong, places, size, 1.0)

    def _faded(self, units, edges, places):
        """(E,) what is left of each line's opacity: less where it ends at a hidden unit."""
        seen = []
        for column, nodes_of in enumerate(places):
            layer = self._layer(units, column, len(nodes_of))
            seen.append(np.ones(len(nodes_of), bool) if layer is None else np.array(layer.shown, bool))
        starts = np.cumsum([0, *(len(s) for s in seen)])
        seen = np.concatenate(seen)
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
                # A rim in the ground's colour parts a node from the lines behind it.
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
                    w.pen.add_circle((x, y), size + 1.0, w.colour("ink"), 0, 1.4)

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
        w.hint(self._told(net, units, layer))
        if layer is not None:
            place = column - 1, self._node[1]
            self.hover.offer(("unit", *place), *telling(units, place))
            if pressed:
                self.press.begin(units, place)
                self.press.end()

    def _told(self, net, units, layer):
        column, number = self._node
        if layer is not None:
            text = name_of(units, (column - 1, number))
        else:
            kind = "input" if column == 0 else "output" if column == len(net.layers) else f"layer {column}, neuron"
            text = f"{kind} {number + 1}"
        if column == 0:
            return text
        bias = numbers.shown(float(net.layers[column - 1].bias[number]))
        return f"{text}{';' if ':' in text else ','} bias {bias}"
