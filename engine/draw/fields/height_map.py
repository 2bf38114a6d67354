"""One output of a network as a surface over a rectangle of a plane through its inputs."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from engine.draw.catalogue import is_diverging
from engine.draw.colour import PALETTE, palette_array
from engine.draw.drawable import Aim, Drawable, Hit
from engine.draw.fields.box_axes import BoxAxes
from engine.draw.fields.sampling import Samples, Survey, extent
from engine.draw.frame import FRAME, Frame
from engine.draw.node import box_chord, transformed
from engine.draw.program import Program
from engine.errors import SettingError, ShapeError
from engine.gpu.device import device
from engine.gpu.passes import RenderPass
from engine.gpu.structs import struct
from engine.kernels.grid import Plane
from engine.network.mlp import Mlp
from engine.reference.field import value_and_gradient
from engine.vector.ticks import ticks

HEIGHT_MAP = struct(
    "HeightMapNode",
    world="mat4x4f",
    inverse="mat4x4f",
    half_size="vec4f",  # of the box, node units
    grid="vec4f",  # grid lines across x: the place of one, their distance; the same for z; node units
    outputs="vec4u",  # x: the output drawn as height; yzw: those shown as colour: one, or red, green, blue
    columns="u32",
    rows="u32",
    stride="u32",  # floats from a value to its derivative
    low="f32",  # values at the box's bottom (low) and top (high)
    high="f32",
    black="vec4f",  # values at the palette's start and end, or of black and full light in each of three outputs
    white="vec4f",
    bottom="f32",  # heights below and above which nothing is drawn; node units
    top="f32",
    rule="f32",  # width of the grid's lines, pixels in a picture 720 high
    strength="f32",  # of the grid's lines, 0 to 1
)
PROGRAM = Program("draw/height_map", depth="write", frame=FRAME, map=HEIGHT_MAP, samples="array<f32>", palette=PALETTE)
# Values at the two ends of colours.
Span = tuple[ArrayLike, ArrayLike]
# The most vertices a side: enough for a quad for 2 x 2 samples of a picture 3000 samples high; they take 108 MB.
MOST = 1500
# Lines of the grid across the surface, at most.
LINES = 21
# The most multiply-adds of a pick's steps along the ray, about 50 ms in numpy.
PICK_WORK = 1 << 28


class HeightMap(Drawable):
    """A lit surface in a box round the origin: x to the right, y up, z down the plane. Its normals come from the
    network's exact derivatives.

    net          Mlp
    output       which of its outputs is the height
    plane        Plane whose `across` and `down` are the rectangle's sides; None: the first two inputs from -10 to 10,
                 the second upwards
    low, high    values at the box's bottom and top, where the surface is cut off; None: the range of the values
    colour       None: the height through `map`; a number: that output through `map`; three numbers: those outputs as
                 red, green and blue, in sRGB as an image has them
    map          colour map; `diverging` is centred on zero
    span         (low, high): values at the map's ends, or of no light and full light, each a number or one for each of
                 three outputs; None: the range of the values, or for three outputs (0, 1)
    width        of the box's longer side, world units; `height` of the box
    resolution   vertices along the longer side; None: as many as the picture shows
    rules        True draws a fine grid of lines along the rectangle's sides
    axes         True draws the base and numbers; `names`: of the plane's two directions and of the height, or None
    theme        of the colour map: dark, paper or clear; None: the picture's

    Raises ShapeError for outputs or a plane that do not fit the network.
    """

    def __init__(
        self, net: Mlp, *, output: int = 0, plane: Plane | None = None, low: float | None = None,
        high: float | None = None, colour: int | Sequence[int] | None = None, map: str = "viridis",
        span: Span | None = None, width: float = 7.0, height: float = 3.2,
        resolution: int | None = None, rules: bool = True, axes: bool = True, names: Sequence[str | None] | None = None,
        theme: str | None = None, name: str | None = None,
    ):  # fmt: skip
        super().__init__(name)
        self.plane, self.low, self.high, self.colour, self.map = plane, low, high, colour, map
        self.width, self.height, self.resolution = width, height, resolution
        self.rules, self.names, self.theme = rules, names, theme
        self._span = span
        self._mesh, self._survey = Samples(), Survey()
        self._frame = self.add(BoxAxes())
        self.axes = axes
        self.show(net, output)

    def show(self, net: Mlp, output: int = 0) -> None:
        """Shows another network, or the same one edited; only a new shape compiles anything."""
        if not 0 <= output < net.outputs:
            raise ShapeError(f"{net} has outputs 0 to {net.outputs - 1}; output {output} was asked for.")
        self.net, self.output = net, int(output)

    # Quantities of the picture.

    @property
    def rectangle(self) -> Plane:
        """The Plane shown, checked. Raises ShapeError where it does not fit the network's inputs."""
        n = self.net.inputs
        if self.plane is None:
            if n < 2:
                raise ShapeError(f"{self.net} has one input; a height map needs two. Draw it with Plot.")
            return Plane(np.zeros(n), 20.0 * np.eye(n)[0], -20.0 * np.eye(n)[1])
        parts = [np.asarray(p, float) for p in (self.plane.centre, self.plane.across, self.plane.down)]
        if any(p.shape != (n,) for p in parts):
            raise ShapeError(
                f"{self.net} needs a plane of vectors ({n},), not {', '.join(str(p.shape) for p in parts)}."
            )
        if not np.isfinite(parts).all() or min(np.linalg.norm(p) for p in parts[1:]) == 0.0:
            raise ShapeError(f"{self.name}: a plane's sides must be finite and longer than 0.")
        return Plane(*parts)

    @property
    def ends(self) -> tuple[float, float]:
        """(low, high): the values at the box's bottom and top. Raises SettingError where low is not below high."""
        low, high = self.low, self.high
        if low is None or high is None:
            found = self._range(self.output)
            low, high = found[0] if low is None else low, found[1] if high is None else high
            if self.low is None and self.high is None:
                return found
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise SettingError(f"{self.name}: low={low:g}, high={high:g}; low must be below high, both finite.")
        return float(low), float(high)

    @property
    def outputs(self) -> tuple[int, ...]:
        """The outputs shown as colour: one, or red, green and blue. Raises ShapeError for any the network lacks."""
        wanted = self.output if self.colour is None else self.colour
        found = tuple(int(k) for k in np.atleast_1d(wanted))
        if len(found) not in (1, 3) or min(found) < 0 or max(found) >= self.net.outputs:
            raise ShapeError(
                f"{self.name}: colour {self.colour} must be one output or three, from 0 to {self.net.outputs - 1}."
            )
        return found

    @property
    def span(self) -> Span:
        """(low, high): the values at the ends of the colour map, or of no light and full light."""
        if self._span is not None:
            return self._span
        outputs = self.outputs
        if len(outputs) == 3:
            return 0.0, 1.0
        low, high = self.ends if outputs[0] == self.output else self._range(outputs[0])
        if is_diverging(self.map):
            high = max(abs(low), abs(high))
            low = -high
        return low, high

    @span.setter
    def span(self, span: Span | None) -> None:
        self._span = span

    @property
    def axes(self) -> bool:
        """Whether the base and its numbers are drawn."""
        return self._frame.visible

    @axes.setter
    def axes(self, shown: bool) -> None:
        self._frame.visible = bool(shown)

    @property
    def half_size(self) -> np.ndarray:
        """(3,) half the lengths of the box's sides, node units; the base has the rectangle's proportions."""
        plane = self.rectangle
        sides = np.linalg.norm(plane.across), np.linalg.norm(plane.down)
        x, z = (side / max(sides) * self.width / 2.0 for side in sides)
        return np.array([x, self.height / 2.0, z])

    def inputs_at(self, place: ArrayLike) -> np.ndarray:
        """(inputs,) or (N, inputs): the network's inputs at points (3,) or (N, 3) in the node's space."""
        plane, half = self.rectangle, self.half_size
        place = np.asarray(place, float)
        u, v = place[..., 0] / (2.0 * half[0]), place[..., 2] / (2.0 * half[2])
        return plane.centre + u[..., None] * plane.across + v[..., None] * plane.down

    def _range(self, output):
        return self._survey.range(self.net, self.rectangle, output)

    # Drawing.

    def _size(self, frame):
        # A quad for 2 x 2 samples, if the surface fills the picture's smaller side; a fifth more for its slopes.
        wanted = self.resolution or min(MOST, round(0.6 * min(frame.size) * frame.grid))
        groups = -(-self.net.outputs // 4)
        room = min(device().limits["max-storage-buffer-binding-size"], 2**27) // (48 * groups)
        most = max(2, min(int(wanted), math.isqrt(room)))
        half = self.half_size
        return tuple(max(2, round(most * h / max(half[0], half[2]))) for h in (half[0], half[2]))

    def prepare(self, frame: Frame, world: np.ndarray) -> None:
        columns, rows = self._size(frame)
        self._samples = self._mesh.record(frame.encoder, self.net, self.rectangle, (columns, rows))
        half, (low, high) = self.half_size, self.ends
        black, white = (np.append(np.broadcast_to(end, 3), 0.0) for end in self.span)
        (bottom, top), outputs = self._cuts(1e6), self.outputs
        self._columns, self._rows = columns, rows
        self._uniform = self.uniform(
            HEIGHT_MAP,
            world=world.T,
            inverse=np.linalg.inv(world).T,
            half_size=(*half, 0.0),
            grid=self._lines(half),
            outputs=(self.output, *(outputs if len(outputs) == 3 else outputs * 3)),
            columns=columns,
            rows=rows,
            stride=-(-self.net.outputs // 4) * 4,
            low=low,
            high=high,
            black=black,
            white=white,
            bottom=bottom * 1.0001,
            top=top * 1.0001,
            rule=1.0,
            strength=0.4 if self.rules else 0.0,
        )
        self._measure_axes()

    def _cuts(self, beyond):
        # Nothing is drawn beyond the box's bottom or top if the person chose that end; else the limit is far outside.
        reach = self.height / 2.0
        return -reach * (1.0 if self.low is not None else beyond), reach * (1.0 if self.high is not None else beyond)

    def _measure_axes(self):
        plane = self.rectangle
        names = self.names or (None, None, None)
        across, down = extent(plane, plane.across, names[0]), extent(plane, plane.down, names[1])
        upright = (*self.ends, names[2])
        self._frame.measure(self.half_size, (across, upright, down))

    def _lines(self, half):
        # Grid lines at round numbers, so that they meet the axes' ticks.
        plane, found = self.rectangle, []
        for side, reach in ((plane.across, half[0]), (plane.down, half[2])):
            start, end, _ = extent(plane, side)
            at = ticks(min(start, end), max(start, end), LINES)
            step = (at[1] - at[0] if len(at) > 1 else abs(end - start)) / abs(end - start) * 2.0 * reach
            first = ((at[0] if at else start) - start) / (end - start) * 2.0 * reach - reach
            found += [first, step]
        return found

    def draw(self, frame: Frame, step: RenderPass, world: np.ndarray) -> None:
        PROGRAM.draw(
            frame, step, 2 * self._columns, self._rows - 1, constants={"RGB": float(len(self.outputs) == 3)},
            map=self._uniform, samples=self._samples, palette=palette_array(self.map, self.theme or frame.theme.maps),
        )  # fmt: skip

    def overlay(self, frame: Frame, world: np.ndarray) -> None:
        # Needed here too, since `overlay` may be called without `prepare`.
        self._measure_axes()

    # Picking.

    def pick(self, aim: Aim, world: np.ndarray) -> Hit | None:
        """The first Hit: the value that is the height, with its gradient in world units along the base.

        The network is evaluated in float64, without the GPU, at 512 steps along the ray through the box (at fewer for
        very large networks); the first crossing is then refined to rounding.
        """
        inverse = np.linalg.inv(world)
        o, d = transformed(inverse, aim.origin), inverse[:3, :3] @ aim.direction
        half, (low, high) = self.half_size, self.ends
        # A little more than the box, since between the survey's samples the surface may leave it.
        bottom, top = self._cuts(1.02)
        start, end = box_chord(o, d, (-half[0], bottom, -half[2]), (half[0], top, half[2]))
        rise = 2.0 * half[1] / (high - low)

        def above(t):
            p = o + t[:, None] * d
            return p[:, 1] > (self.net(self.inputs_at(p))[:, self.output] - low) * rise - half[1]

        steps = int(np.clip(PICK_WORK // self.net.weight_count, 64, 512))
        t = _crossing(above, start, end, steps) if end > start else None
        return None if t is None else self._hit(o + t * d, t, world, inverse)

    def _hit(self, place, t, world, inverse):
        plane, half = self.rectangle, self.half_size
        values, gradients = value_and_gradient(self.net, self.inputs_at(place)[None])
        along = np.stack([plane.across / (2.0 * half[0]), np.zeros(self.net.inputs), plane.down / (2.0 * half[2])])
        return Hit(
            node=self,
            position=tuple(transformed(world, place)),
            distance=t,
            value=float(values[0, self.output]),
            gradient=tuple(inverse[:3, :3].T @ (along @ gradients[0, self.output])),
        )


def _crossing(above: Callable[[np.ndarray], np.ndarray], start: float, end: float, steps: int) -> float | None:
    """The first t between start and end where `above` changes, sampled at `steps` steps; None if it never does."""
    found = False
    for count in (steps, 64, 64, 64, 64):
        t = np.linspace(start, end, count + 1)
        side = above(t)
        changed = np.flatnonzero(side[1:] != side[:-1])
        if not len(changed):
            break
        start, end, found = t[changed[0]], t[changed[0] + 1], True
    return float(start + end) / 2.0 if found else None
