"""random_networks: fields of random deep networks, or of your own, to explore.

After "A Visual Exploration of Random Neural Networks": every point of a plane is the input of a network, whose output
is the point's colour. `neuroscene figures random_networks` makes the article's twenty figures.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

import engine
from engine import RGB, Action, Choice, Figure, Integer, Number, Reading, SettingError, Switch, in_group, parts
from scenes.random_networks.colours import (
    ONE_STEP,
    ColouredField,
    finite_range,
    named_span,
    percent_text,
    without_contrast,
)  # fmt: skip
from scenes.random_networks.figures import FIGURES
from scenes.random_networks.vectors import field_drawing

# Of the relief's box, whose longer side is 7: seen from the home camera, it then fills the picture's smaller side, and
# from that distance it does not leave the picture however it is turned.
HEIGHT = 4.8
# Networks with more weights than this have no matrix in the panel.
MATRIX = 100_000
# Pixels across a picture, for which the closest zoom is computed.
PIXELS = 1000
# Where rounding is looked for to either side of the middle, in extents: pictures may be wider than high, up to 16:9.
ASIDE = 0.9
# The share of values outside the range of colours that is not worth a word where the range was sampled.
USUAL_OUTSIDE = 0.05
# Points a side of the square on which it is looked for; fewer for networks whose weights times points are more.
ROUNDING_SIDE, ROUNDING_WORK = 25, 3e7


class RandomNetworks(ColouredField, engine.SpaceScene, engine.FlatScene):
    """The field of a random deep network, or of yours: an image, a relief or curves."""

    with in_group("shown"):
        show = Choice(
            ["image", "relief", "curves"],
            doc="seen from above, as heights, or along x alone; a network of one input always as curves",
        )  # fmt: skip

    with in_group("how"):
        precision = Choice(
            ["f32", "f16"], when=lambda s: s.kind == "image",
            doc="of weights and arithmetic: half is quick on some GPUs, and errs by some thousandths",
        )  # fmt: skip
        curves = Integer(3, bounds=(1, 16), when=lambda s: s.kind == "curves", doc="neurons drawn as curves")
        with in_group(when=lambda s: s.kind == "relief"):
            rules = Switch(True, doc="a grid of lines on the relief")
            axes = Switch(True, doc="numbers along the edges of the relief")
        legend_shown = Switch(
            True, label="legend", when=lambda s: s.colour != RGB and s.kind != "curves", doc="what the colours mean"
        )

    with in_group("camera", when=lambda s: s.view == "orbit"):
        altitude = Number(32.0, bounds=(-89.9, 89.9), unit="deg", doc="angle of the camera above the relief")
        distance = Number(13.2, bounds=(1e-3, 1e5), softbounds=(4, 40), doc="from the camera to the relief's middle")

    @classmethod
    def figures(cls) -> tuple[Figure, ...]:
        return FIGURES

    _time = 0.0  # seconds, of the picture shown
    _built: str | None = None  # the kind of picture for which `build` made nodes

    def __init__(self, **values: Any):
        self._camera = self.orbit_home()
        super().__init__(**values)
        drawn_from = ["seed", "depth", "width", "activation", "last", "weights", "scale", "inputs"]
        self.on_change(drawn_from, "_draw_again")

    # The part of the network that is shown.

    @property
    def kind(self) -> str:
        """`image`, `relief` or `curves`: the kind that is set, if this network can be shown so."""
        return "curves" if self.network.inputs == 1 else self.show

    def shown(self, net: engine.Mlp) -> tuple[engine.Mlp, tuple[int, ...]]:
        """(the part of a network that is shown, its outputs shown by number): three, one, or one for each curve."""
        part, units = self.part(net, self._count)
        return part, units if len(units) == 3 or self.kind == "curves" else units[:1]

    @property
    def _count(self):
        return self.curves if self.kind == "curves" else 3 if self.colour == RGB else 1

    # The view.

    @property
    def view(self) -> str:
        return "orbit" if self.kind == "relief" else "pan_zoom"

    @property
    def home(self) -> engine.Camera:
        return self.orbit_home() if self.view == "orbit" else self.flat_home()

    @property
    def camera(self) -> engine.Camera:
        return self._camera if self.view == "orbit" else self.flat_view()

    @camera.setter
    def camera(self, camera: engine.Camera) -> None:
        if self.view == "orbit":
            self.set_orbit(camera)
        else:
            self.set_flat_view(camera)

    @property
    def reach(self) -> tuple[float, float] | None:
        if self.view == "orbit":
            return None
        key = (self.network, self.x, self.y, self.x_input, self.y_input, self.rest)
        return self.cached("closest", key, self._closest), 1e9

    def _closest(self):
        """The extent at which, on average, a first neuron's sum changes by one float32 rounding from pixel to pixel."""
        first, plane = self.network.layers[0], self.plane(self.network.inputs)
        weights = first.weights.astype(float)
        sums_here = weights @ plane.inputs((self.x, self.y)) + first.bias
        steps = np.sqrt(np.mean((weights @ plane.axes.T) ** 2))
        return float(PIXELS * 2.0**-23 * np.sqrt(np.mean(sums_here**2)) / steps) if steps else 1e-9

    def remark(self) -> str | None:
        net, plane = self.network_at(self._time), self.plane(self.network.inputs, self._time)
        key = (
            net, plane.origin.tobytes(), plane.axes.tobytes(), self.x, self.y, self.extent, self.kind, self.layer,
            self.unit, self.signal, self.colour, self.precision, self.contrast, self.aspect,
            self.ends(*self.shown(net)),
        )  # fmt: skip
        found, scale, (outside, count), flat = self.cached("rounding", key, lambda: self._rounding(net, plane))
        missing = engine.missing_inputs(self.rest, max(0, self.network.inputs - 2))
        said = [self.misplaced(self._count), missing, self.moved(), self._rounded(found, scale)]
        if outside > (USUAL_OUTSIDE if self.span == "auto" else 0.0):
            share = f"{percent_text(outside)} of {count:,} evenly spread values are outside of the range of colours"
            said.append(f"{share}: {self.cure_of_range} takes them in")
        if flat is not None and self.kind == "image" and self.contrast == "range":
            words, most = flat
            # Rounding that is a good part of the differences would be most of a stretched picture.
            cure = (
                "contrast=data stretches them"
                if found.measured < 0.1 * most
                else "rounding hides the rest; raise scale"
            )
            said.append(f"{words}; {cure}")
        return "; ".join(filter(None, said)) or None

    def _rounded(self, found, scale):
        if self.reach is not None and self.extent <= 1.001 * self.reach[0]:
            return "float32 ends here: closer, neighbouring pixels would differ by rounding alone"
        if found.possible <= ONE_STEP * scale:
            return None
        what = "float32" if self.precision == "f32" else "float16"
        measured, possible = percent_text(found.measured / scale), percent_text(found.possible / scale)
        return f"{what} rounds these colours by about {measured} (at {found.points:,} points), perhaps by {possible}"

    def _rounding(self, net, plane):
        """(the Rounding of values in the picture, their range from dark to light, (the share of values, evenly
        spread in view, that are outside of it, their number), what is to be said where they are nearly one colour)."""
        part, units = self.shown(net)
        # Large networks at fewer points, so that a window does not stand still.
        side = int(np.clip((ROUNDING_WORK / part.weight_count) ** 0.5, 5, ROUNDING_SIDE))
        across = self.extent * np.linspace(-ASIDE, ASIDE, side)
        rows = across if self.kind != "curves" else np.zeros(1)
        at = np.array((self.x, self.y)) + np.stack(np.meshgrid(across, rows), -1)
        points = plane.inputs(at.reshape(-1, 2)).reshape(*at.shape[:2], -1)
        low, high = self.colour_ends(part, units)
        # The middles of equal cells of the view: not the places at which the range was sampled.
        values = part(plane.inputs(self.places((np.arange(side) + 0.5) / side - 0.5)))[:, list(units)]
        outside = float(1.0 - ((values >= low) & (values <= high)).mean())  # what is no number is outside
        if self.kind == "relief" and len(units) == 1 and not self._known_ends(part):
            outside = 0.0  # the colours are for the box
        scale = float(np.min(np.subtract(high, low)))
        return (
            engine.rounding(part, points, self.precision),
            scale,
            (outside, values.size),
            without_contrast(values, low, high),
        )

    # What is drawn.

    def advance(self, clock: engine.Clock) -> None:
        # Another kind of picture needs other nodes, whichever setting has changed it.
        if self._built != self.kind:
            self._mark_stale()
        super().advance(clock)

    def build(self, stage: engine.Node) -> None:
        part, units = self.shown(self.network_at(0.0))
        self._built = self.kind
        if self.kind == "image":
            self._image = stage.add(engine.FieldImage(part, units))
        elif self.kind == "relief":
            self._relief = stage.add(engine.HeightMap(part, height=HEIGHT, names=(None, None, "value")))
        else:
            self._plot = stage.add(engine.Plot([]))

    def update(self, clock: engine.Clock) -> None:
        self._time = clock.time
        part, units = self.shown(self.network_at(clock.time))
        show = {"image": self._show_image, "relief": self._show_relief, "curves": self._show_curves}[self.kind]
        show(part, units, self.plane(part.inputs, clock.time))

    def _show_image(self, part, units, plane):
        self._image.show(part, units, origin=plane.origin, axes=plane.axes, map=self.map_of(units))
        self._image.low, self._image.high = self.colour_ends(part, units)
        self._image.precision = self.precision

    def _show_relief(self, part, units, plane):
        node, (along, up) = self._relief, plane.axes
        node.show(part, units[0])
        node.plane = engine.Plane(plane.inputs((self.x, self.y)), self.extent * along, -self.extent * up)
        low, high = self.ends(part, units)
        fixed = self._known_ends(part)
        node.low, node.high = (low, high) if fixed else (None, None)
        node.colour = units if len(units) == 3 else None
        node.map = "viridis" if len(units) == 3 else self.map_of(units)
        # One range for the box and for one neuron's colours.
        node.span = self.colour_ends(part, units) if fixed or len(units) == 3 else None
        node.rules, node.axes, node.theme = self.rules, self.axes, self.theme

    def _known_ends(self, part):
        return self.span == "fixed" or (named_span(part) is not None and self.contrast == "range")

    def _show_curves(self, part, units, plane):
        start, along = plane.inputs((0.0, self.y)), plane.axes[0]
        net = self.cached("line", (part, start.tobytes(), along.tobytes()), lambda: parts.sliced(part, start, [along]))
        first = self.first_unit(net.outputs, len(units))
        numbered = len(units) > 1
        self._plot.show([engine.Curve(net, k, f"y{first + i + 1}" if numbered else None) for i, k in enumerate(units)])
        low, high = self._rise(net, units)
        # The range of values fills the picture's height, whatever the range of x.
        aspect = self._plot.aspect = 0.7 * self.extent / (high - low)
        self._plot.move(0.0, self.y - 0.5 * (low + high) * aspect, 0.0)

    def _rise(self, net, units):
        """(low, high): the range of values in a picture of curves."""
        if self._known_ends(net):
            return self.ends(net, units)
        at = self.x + 2.0 * self.extent * np.linspace(-0.5, 0.5, 257)
        values = net(at[:, None])[:, list(units)]
        low, high = finite_range(values[np.isfinite(values)])
        return (low, high) if high > low else (low - 0.5, low + 0.5)

    def legend(self) -> engine.Legend | None:
        if self.kind == "curves" or not self.legend_shown:
            return None
        part, units = self.shown(self.network)
        if self.map_of(units) == RGB:
            return None
        if self.kind == "image":
            return engine.Legend("value", self.map_of(units), *self.ends(part, units), card=True)
        low, high = (float(np.min(end)) for end in self._relief.span)
        reach = float(np.linalg.norm(self._relief.half_size))
        return engine.Legend("value", self.map_of(units), low, high, around=((0.0, 0.0, 0.0), reach))

    def drawing(self, clock: engine.Clock, size_mm: tuple[float, float | None] | None = None) -> engine.Drawing:
        if self.kind != "image":
            raise SettingError(f"show={self.kind}: vectors show the image. Take show=image.")
        part, units = self.shown(self.network_at(clock.time))
        map = None if self.map_of(units) == RGB else self.map_of(units)
        return field_drawing(
            part, units, self.plane(part.inputs, clock.time), centre=(self.x, self.y), extent=self.extent,
            span=self.colour_ends(part, units), map=map, theme=self.theme, legend=self.legend_shown,
            title=self.network.name or "random network", size_mm=size_mm, alone=self.without_image,
        )  # fmt: skip

    # Actions and editing.

    def actions(self) -> list[Action]:
        return [
            Action("randomize", "another random network", self.randomize, key="n"),
            Action("deeper", "one hidden layer more", lambda: self._deepen(1), key="ArrowUp"),
            Action("shallower", "one hidden layer less", lambda: self._deepen(-1), key="ArrowDown"),
            Action("next layer", "show the layer after this one", lambda: self._step_layer(1), key="ArrowRight"),
            Action("layer before", "show the layer before this one", lambda: self._step_layer(-1), key="ArrowLeft"),
        ]

    def randomize(self) -> None:
        """Sets a new seed, computed from the present one, and drops the person's own network."""
        self.net = None
        self.seed = int(np.random.default_rng(self.seed).integers(0, 100000))

    def _deepen(self, layers):
        self.depth = int(np.clip(self.depth + layers, 0, 100))

    def _step_layer(self, step):
        # Layer 0 stands for the outputs: it follows the last hidden layer and precedes the first.
        self.layer = (self.layer + step) % len(self.network.layers)

    def read(self, hit: engine.Hit) -> Reading | None:
        if hit.position is None:
            return None
        net, plane = self.network, self.plane(self.network.inputs)
        if self.kind == "relief":
            point = self._relief.inputs_at(np.array(hit.position))
        else:
            point = plane.inputs((hit.position[0], hit.position[1] if self.kind == "image" else 0.0))
        part, units = self.shown(net)
        values = part(point[None])[0][list(units)]
        rows = [("input", _list(point[:4])), ("value", _list(values))]
        active, count = active_units(net, point)
        if count:
            rows.append(("active units", f"{active} of {count}"))
        x, y = plane.axes @ point
        return Reading(f"x {x:.6g}, y {y:.6g}", tuple(rows), hit.position)

    def matrix(self) -> engine.Mlp | None:
        return self.network if self.network.weight_count <= MATRIX else None

    def matrix_changed(self, net: engine.Mlp) -> None:
        # If an undo leads back to the seed's network, the setting is None again.
        self._edit = None if net.equals(self._random(self.seed)) else net
        self.net = self._edit

    def _draw_again(self):
        # Settings of the random network replace one that was edited, not one of a file.
        if self._edit is not None and self.net is self._edit:
            self.net = self._edit = None


def active_units(net: engine.Mlp, point: Sequence[float] | np.ndarray) -> tuple[int, int]:
    """(active, all): how many of the neurons whose activation has kinks have a sum above the first, and their number.

    point   (inputs,)
    """
    h, active, count = np.asarray(point, float)[None], 0, 0
    for layer in net.layers:
        z = h @ layer.weights.T.astype(float) + layer.bias
        kinks = engine.first_kinks(layer.activation, z.shape[1])
        active, count = active + int((z[0] > kinks).sum()), count + int(np.isfinite(kinks).sum())
        h = layer.activation.value(z)
    return active, count


def _list(values):
    return ", ".join(f"{v:.4g}" for v in values)
