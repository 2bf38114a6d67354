"""Curves of networks with one input: the outputs over the input, as true as the picture is fine."""

from dataclasses import dataclass

import numpy as np

from engine.draw.drawable import Drawable, Hit
from engine.draw.fields.plot_window import name_width, names_sprite, rules, view, window, words
from engine.draw.fields.sampling import Survey, ready
from engine.draw.frame import FRAME_BINDING, linear
from engine.errors import SettingError, ShapeError
from engine.gpu.array import Array, grown
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import compose
from engine.gpu.pipeline import Draw, Pipeline
from engine.gpu.structs import struct
from engine.kernels.grid import Plane

RULE = struct("Rule", place="vec4f", colour="vec4f")
PLOT = struct(
    "PlotNode",
    colour="vec4f",
    place="vec4f",  # the window: left, top, right, bottom, in samples of the picture
    middle="vec2f",  # where the middle point and the middle value lie, in samples
    high="f32",  # the middle value, and what float32 leaves of it
    low="f32",
    rise="f32",  # samples for one unit of the value
    density="f32",  # points a sample
    half_width="f32",  # of the line, samples
    count="u32",  # points
    stride="u32",  # floats from one point to the next
    output="u32",
)
# Okabe and Ito 2008, told apart by the colour-blind; in an order that each background shows well. Black and the colours
# nearest to the background are left out.
COLOURS = {
    "dark": ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#d55e00"),
    "paper": ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"),
}
# Points a sample for a line 2 samples wide or less: a step is then drawn within a quarter of a sample. Where lines are
# wide, samples are small beside them.
DENSITY, POINTS = 4, 8.0


@dataclass(frozen=True)
class Curve:
    """One output of a network of one input.

    name     stands at its end; None: no name
    colour   linear RGB; None: the next of the theme's
    """

    net: object
    output: int = 0
    name: str | None = None
    colour: tuple | None = None


class Plot(Drawable):
    """Curves over the picture, for cameras that look straight at the plane z = 0: x is the input, y the output.

    The window fills the picture but for room for the numbers; panning and zooming the camera moves what it shows, and
    the curves are evaluated anew over that, at up to four points a sample.

    curves   an Mlp of one input (its outputs, named y1, y2 ... if there are several) or a list of Curve
    aspect   world units of y for one of the output
    names    of the two axes, or None
    width    of the curves, pixels in a picture 720 high

    Raises ShapeError for networks of more inputs, and outputs there are not.
    """

    phase = "under"

    def __init__(self, curves, *, aspect=1.0, names=("x", None), width=2.4, name=None):
        super().__init__(name)
        self.aspect, self.names, self.width = aspect, names, width
        self._grids, self._values, self._rules, self._uniforms = [], {}, None, []
        self._survey, self._window = Survey(), None
        self.show(curves)

    def show(self, curves):
        """Takes other curves; those of networks of the same shapes compile nothing."""
        if not isinstance(curves, list | tuple):
            count = curves.outputs
            curves = [Curve(curves, k, f"y{k + 1}" if count > 1 else None) for k in range(count)]
        for curve in curves:
            if curve.net.inputs != 1:
                raise ShapeError(
                    f"{curve.net} has {curve.net.inputs} inputs; a curve needs one. Draw it as a HeightMap."
                )
            if not 0 <= curve.output < curve.net.outputs:
                raise ShapeError(f"{curve.net} has outputs 0 to {curve.net.outputs - 1}, not {curve.output}.")
        self.curves = tuple(curves)

    def colours(self, theme="dark"):
        """Linear RGB of each curve, for legends and words beside it."""
        known = COLOURS["paper" if theme == "paper" else "dark"]
        return [
            linear(known[i % len(known)]) if curve.colour is None else curve.colour
            for i, curve in enumerate(self.curves)
        ]

    def _find(self, frame, world):
        if not (np.isfinite(self.aspect) and self.aspect > 0.0):
            raise SettingError(f"{self.name}: aspect={self.aspect}; it must be a number above 0.")
        right = name_width([c.name for c in self.curves], frame)
        return window(frame, world, self.aspect, names=self.names, right=right)

    # Drawing.

    def prepare(self, frame, world):
        self._window = self._find(frame, world)
        places, colours = rules(self._window, frame.theme)
        data = np.zeros(len(places), RULE.dtype)
        data["place"], data["colour"] = places, colours
        self._rule_count = len(data)
        self._rules = grown(self._rules, RULE.dtype, len(data))
        self._rules.write(data)
        self._sample(frame)

    def _sample(self, frame):
        """Evaluates each network over the window, and tells each curve where its points are."""
        (left, top, right, bottom), seen = self._window.place, self._window.view
        grid = frame.grid
        half_width = max(self.width * frame.scale * grid, 1.0) / 2.0
        density = int(np.clip(np.ceil(POINTS / half_width), 1, DENSITY))
        # Beyond the window's ends as far as a line there reaches into it.
        count = int((right - left) * grid + 2.0 * half_width + 4.0) * density
        middle = 0.5 * (left + right), 0.5 * (top + bottom)
        step = 1.0 / (seen.x_rate * grid * density)
        plane = Plane(np.array([seen.number_x(middle[0])]), np.array([step]), np.zeros(1))
        nets = list({id(c.net): c.net for c in self.curves}.values())
        self._grids = [ready(old, net) for old, net in zip([*self._grids, *[None] * len(nets)], nets, strict=False)]
        samples = [each.record(frame.encoder, plane, (count, 1)) for each in self._grids]
        self._values = {id(net): array for net, array in zip(nets, samples, strict=True)}

        value = seen.number_y(middle[1])
        high = float(np.float32(value))
        thin = min(self.width * frame.scale * grid, 1.0)
        self._uniforms += [Array(PLOT.dtype, 1, "uniform") for _ in self.curves[len(self._uniforms) :]]
        for curve, colour, uniform in zip(self.curves, self.colours(frame.theme.name), self._uniforms, strict=False):
            uniform.write(
                PLOT.new(
                    colour=(*colour, thin),
                    place=np.array([left, top, right, bottom]) * grid,
                    middle=np.array(middle) * grid,
                    high=high,
                    low=value - high,
                    rise=-seen.y_rate * grid,
                    density=density,
                    half_width=half_width,
                    count=count,
                    stride=-(-curve.net.outputs // 4) * 12,
                    output=curve.output,
                )
            )

    def draw(self, frame, render_pass, world):
        state = Draw((frame.canvas.format,), depth="keep", topology="triangle-strip")
        bindings = (FRAME_BINDING, Binding("rules", "read", ("array", RULE)))
        pipeline = Pipeline(compose("draw/rules", {"bindings": declare(bindings)}), bindings, state)
        if self._rule_count:
            pipeline.draw(render_pass, pipeline.bind(frame=frame.uniforms, rules=self._rules), 4, self._rule_count)
        bindings = (FRAME_BINDING, Binding("plot", "uniform", PLOT), Binding("values", "read", "array<f32>"))
        pipeline = Pipeline(compose("draw/plot", {"bindings": declare(bindings)}), bindings, state)
        left, _, right, _ = self._window.place
        # The first curve lies on top of the others.
        for curve, uniform in reversed(list(zip(self.curves, self._uniforms, strict=False))):
            group = pipeline.bind(frame=frame.uniforms, plot=uniform, values=self._values[id(curve.net)])
            pipeline.draw(render_pass, group, 4, (right - left) * frame.grid)

    def overlay(self, frame, world):
        found = self._find(frame, world)
        frame.sprites += words(found, frame, self.names)
        if found.xs[0] or found.ys[0]:
            ends = found.view.number_x(found.place[2])
            heights = [found.view.y(c.net([ends])[c.output]) for c in self.curves]
            names = [c.name for c in self.curves]
            sprite = names_sprite(found, frame, names, self.colours(frame.theme.name), heights)
            frame.sprites += [] if sprite is None else [sprite]

    # Pointing at it.

    def nearest(self, x, y):
        """(Curve, value) of the curve closest to y at the input x, from float64; (None, None) without curves."""
        values = [(curve, float(curve.net([x])[curve.output])) for curve in self.curves]
        return min(values, key=lambda each: abs(each[1] - y), default=(None, None))

    def pick(self, aim, world):
        """The Hit on the nearest curve above or below where the ray meets the plane; the gradient is along x."""
        if aim.direction[2] == 0.0:
            return None
        distance = (world[2, 3] - aim.origin[2]) / aim.direction[2]
        place = np.linalg.solve(world, np.append(aim.origin + distance * aim.direction, 1.0))
        x = float(place[0])
        curve, value = self.nearest(x, place[1] / self.aspect)
        if curve is None or distance < 0.0:
            return None
        _, slope, _ = self._survey.at(curve.net, Plane(np.array([x]), np.ones(1), np.zeros(1)), curve.output)
        position = (world @ (x, value * self.aspect, 0.0, 1.0))[:3]
        return Hit(self, tuple(position), float(distance), value=value, gradient=(float(slope) / world[0, 0], 0.0, 0.0))

    def range_seen(self, frame, world):
        """((low, high) of the input, (low, high) of the output) in the window of a frame."""
        found, seen = self._find(frame, world), view(frame, world, self.aspect)
        left, top, right, bottom = found.place
        return (seen.number_x(left), seen.number_x(right)), (seen.number_y(bottom), seen.number_y(top))
