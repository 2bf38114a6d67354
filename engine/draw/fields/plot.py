"""Curves of networks with one input: outputs over the input, sampled to the picture's resolution."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.draw.colour import RGB, linear
from engine.draw.drawable import Aim, Drawable, Hit
from engine.draw.fields.plot_window import PlotWindow, name_width, names_sprite, rules, window, write_words
from engine.draw.fields.sampling import ready
from engine.draw.frame import FRAME, Frame
from engine.draw.node import transformed
from engine.draw.program import Program
from engine.errors import SettingError, ShapeError
from engine.gpu.array import Array
from engine.gpu.passes import RenderPass
from engine.gpu.structs import struct
from engine.kernels.grid import Grid, Plane
from engine.network.mlp import Mlp
from engine.reference.field import value_and_gradient

RULE = struct("Rule", place="vec4f", colour="vec4f")
PLOT = struct(
    "PlotNode",
    colour="vec4f",
    place="vec4f",  # the window: left, top, right, bottom, in samples of the picture
    middle="vec2f",  # x of the middle point and y of the middle value, in samples
    high="f32",  # the middle value as float32, and (low) the remainder of its float64
    low="f32",
    rise="f32",  # samples in one unit of the value
    density="f32",  # points of the curve in a sample
    half_width="f32",  # of the line, samples
    count="u32",  # points
    stride="u32",  # floats from one point to the next
    output="u32",
)
RULES_PROGRAM = Program("draw/rules", depth="keep", frame=FRAME, items=[RULE])
PLOT_PROGRAM = Program("draw/plot", depth="keep", frame=FRAME, plot=PLOT, values="array<f32>")
# Okabe and Ito 2008, for the colour-blind, the most visible first on each background; without black and the colours
# that are too close to the background.
COLOURS = {
    "dark": ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#d55e00"),
    "paper": ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"),
}
# DENSITY: points in a sample for lines up to 2 samples wide; a step is then drawn within a quarter of a sample. Wider
# lines need fewer.
DENSITY, POINTS = 4, 8.0


@dataclass(frozen=True)
class Curve:
    """One output of a network of one input.

    name     the text at its end; None: no name
    colour   linear RGB; None: the next of the theme's
    """

    net: Mlp
    output: int = 0
    name: str | None = None
    colour: RGB | None = None


class Plot(Drawable):
    """A plot of curves, for cameras that look straight at the plane z = 0: x is the input, y the output.

    The plot's window fills the picture, except for the margin with the numbers. When the camera pans or zooms, the
    curves are evaluated again over the visible range, at up to four points a sample.

    curves   an Mlp of one input (its outputs, named y1, y2 ... if there are several) or a list of Curve
    aspect   world units of y for one unit of the output
    names    of the two axes, or None
    width    of the curves, pixels in a picture 720 high

    Raises ShapeError for networks with more than one input, and for outputs that they do not have.
    """

    phase = "under"

    def __init__(
        self,
        curves: Mlp | Sequence[Curve],
        *,
        aspect: float = 1.0,
        names: Sequence[str | None] = ("x", None),
        width: float = 2.4,
        name: str | None = None,
    ):
        super().__init__(name)
        self.aspect, self.names, self.width = aspect, names, width
        self._grids: list[Grid] = []
        self._values: dict[int, Array] = {}
        self._plots: list[Array] = []
        self.show(curves)

    def show(self, curves: Mlp | Sequence[Curve]) -> None:
        """Shows other curves; networks of the same shapes compile nothing."""
        if isinstance(curves, Mlp):
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

    def colours(self, theme: str = "dark") -> list[RGB]:
        """The linear RGB of each curve, for legends and words."""
        known = COLOURS["dark" if theme in ("dark", "black") else "paper"]
        return [
            linear(known[i % len(known)]) if curve.colour is None else curve.colour
            for i, curve in enumerate(self.curves)
        ]

    def _find(self, frame: Frame, world: np.ndarray) -> PlotWindow:
        if not (np.isfinite(self.aspect) and self.aspect > 0.0):
            raise SettingError(f"{self.name}: aspect={self.aspect}; it must be a number above 0.")
        right = name_width([c.name for c in self.curves], frame)
        return window(frame, world, self.aspect, names=self.names, right=right)

    # Drawing.

    def prepare(self, frame: Frame, world: np.ndarray) -> None:
        self._window = self._find(frame, world)
        places, colours = rules(self._window, frame.theme)
        self._rule_count = len(places)
        self._rules = self.upload("rules", np.array(list(zip(places, colours, strict=True)), RULE.dtype))
        self._sample(frame)

    def _sample(self, frame):
        """Records the evaluation of each network over the window, and writes the uniform of each curve."""
        (left, top, right, bottom), seen = self._window.place, self._window.view
        grid = frame.grid
        half_width = max(self.width * frame.scale * grid, 1.0) / 2.0
        density = int(np.clip(np.ceil(POINTS / half_width), 1, DENSITY))
        # A little beyond the window's ends, from where a thick line reaches into it.
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
        self._plots += [Array(PLOT.dtype, 1, "uniform") for _ in self.curves[len(self._plots) :]]
        for curve, colour, uniform in zip(self.curves, self.colours(frame.theme.name), self._plots, strict=False):
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

    def draw(self, frame: Frame, step: RenderPass, world: np.ndarray) -> None:
        if self._rule_count:
            RULES_PROGRAM.draw(frame, step, 4, self._rule_count, items=self._rules)
        left, _, right, _ = self._window.place
        # The first curve is drawn last, on top of the others.
        for curve, plot in reversed(list(zip(self.curves, self._plots, strict=False))):
            values = self._values[id(curve.net)]
            PLOT_PROGRAM.draw(frame, step, 4, (right - left) * frame.grid, plot=plot, values=values)

    def overlay(self, frame: Frame, world: np.ndarray) -> None:
        found = self._find(frame, world)
        write_words(found, frame, self.names)
        if found.has_ticks:
            ends = found.view.number_x(found.place[2])
            heights = [found.view.y(c.net([ends])[c.output]) for c in self.curves]
            names = [c.name for c in self.curves]
            sprite = names_sprite(found, frame, names, self.colours(frame.theme.name), heights)
            frame.sprites += [] if sprite is None else [sprite]

    # Picking.

    def nearest(self, x: float, y: float) -> tuple[Curve, float] | tuple[None, None]:
        """(Curve, value) of the curve closest to y at the input x, in float64; (None, None) without curves."""
        values = [(curve, float(curve.net([x])[curve.output])) for curve in self.curves]
        return min(values, key=lambda each: abs(each[1] - y)) if values else (None, None)

    def pick(self, aim: Aim, world: np.ndarray) -> Hit | None:
        """The Hit on the curve nearest, along y, to where the ray meets the plane; the gradient is along x."""
        if aim.direction[2] == 0.0:
            return None
        distance = (world[2, 3] - aim.origin[2]) / aim.direction[2]
        place = np.linalg.solve(world, np.append(aim.origin + distance * aim.direction, 1.0))
        x = float(place[0])
        curve, value = self.nearest(x, place[1] / self.aspect)
        if curve is None or value is None or distance < 0.0:
            return None
        slope = value_and_gradient(curve.net, [[x]])[1][0, curve.output, 0]
        position = transformed(world, (x, value * self.aspect, 0.0))
        return Hit(self, tuple(position), float(distance), value=value, gradient=(float(slope) / world[0, 0], 0.0, 0.0))
