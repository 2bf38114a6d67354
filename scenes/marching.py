"""Level surfaces of a network in three inputs, marching through its values.

After Alex Rogozhnikov's Marching neural network, 2016.
"""

import math
from functools import partial
from typing import Any

import numpy as np

import engine
from engine import Action, Choice, HeldInputs, Integer, Number, Reading, SettingError, Switch, in_group, parts

# The original's sparks start at integers -4 .. 3 in a ball of radius 5.
SPARK_GRID = np.stack(np.meshgrid(*[np.arange(-4.0, 4.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
SPARK_BALL = 5.0
# The twelve edges of the box from -1 to 1: corners that differ in one coordinate.
CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
BOX_EDGES = [(a, b) for i, a in enumerate(CORNERS) for b in CORNERS[i + 1 :] if np.abs(a - b).sum() == 2]


# Those that rays can be cast through.
TAME = [n for n, rule in engine.ACTIVATIONS.items() if rule.tame and rule.elementwise]
ACTIVATIONS = ["tanh", *(n for n in TAME if n not in ("tanh", "identity") and not engine.Activation(n).unbounded)]


class Marching(engine.SpaceScene):
    """Animated level surfaces of a network with three inputs, none of them missed."""

    with in_group("shown"):
        net = engine.Network(
            None, least=3, label="network", doc="your own network with three inputs or more, in place of a random one"
        )
        with in_group(when=lambda s: s.net is None or s.net is s._edit):
            seed = Integer(11, bounds=(0, 2**31 - 1), softbounds=(0, 99), doc="of the random network")
            hidden = Integer(8, bounds=(1, 256), softbounds=(1, 32), doc="neurons in a hidden layer")
            depth = Integer(1, bounds=(1, 16), softbounds=(1, 6), doc="hidden layers")
            activation = Choice(ACTIVATIONS, doc="of the random network's hidden layers")
            weights = Choice(list(engine.DISTRIBUTIONS), doc="how the random weights are drawn")
            scale = Number(1.0, bounds=(0.01, 100), softbounds=(0.1, 10), doc="multiplies the random weights")
        output = Integer(
            0, bounds=(0, 4095), softbounds=(0, 9), when=lambda s: s.network.outputs > 1,
            doc="which of the network's outputs is shown",
        )  # fmt: skip
        with in_group(when=lambda s: s.network.inputs > 3):
            x_input = Integer(0, bounds=(0, 65535), label="input along x", doc="which input is x, counted from 0")
            y_input = Integer(1, bounds=(0, 65535), label="input along y", doc="which input is y")
            z_input = Integer(2, bounds=(0, 65535), label="input along z", doc="which input is z")
            rest = HeldInputs()
        levels = Choice(["all", "single"], doc="every level a spacing apart, or one alone")
        level = Number(0.0, bounds=(-1e6, 1e6), softbounds=(-2, 2), step=0.05, doc="value of the surface")
        spacing = Number(
            1.0, bounds=(1e-6, 1e6), softbounds=(0.05, 4), when=lambda s: s.levels == "all",
            doc="between one level and the next",
        )  # fmt: skip
        region = Choice(["ball", "box"], doc="where the network is shown")
        size = Number(5.0, bounds=(1e-3, 1e4), softbounds=(0.5, 20), doc="radius of the ball, half the box's side")

    with in_group("how"):
        look = Choice(
            ["studio", "classic"],
            doc="studio: layered, lit, in correct depth; classic: the original's, on black, on white with theme=paper",
        )
        surfaces = Switch(True, doc="the level surfaces")
        sparks = Switch(True, doc="short paths along the gradient, lit as a level passes")
        axes = Switch(True, doc="x, y and z")
        with in_group(when=lambda s: s.look == "studio"):
            legend_shown = Switch(True, label="legend", doc="what the colours mean")
            map = engine.Colours(
                [n for n in engine.map_names() if n != "magma"] + ["magma"], doc="colours of the levels"
            )
            opacity = Number(0.5, bounds=(0, 1), doc="of a sheet seen straight on")
            layers = Integer(8, bounds=(1, 8), doc="surfaces kept along a line of sight")
        undecided = Switch(
            False, label="show undecided",
            doc="magenta where the search ran out of its budget, orange where it cannot tell a touch from a miss",
        )  # fmt: skip
        debug = Choice(
            ["none", "segments", "depth", "normals", "overdraw", "tree"], label="debug view",
            when=lambda s: s.look == "studio",
            doc="in place of the surfaces: segments of each ray, distance or normal of its first surface, their count, "
            "part of it that proven boxes leave to search",
        )  # fmt: skip

    with in_group("time"):
        speed = Number(0.2, bounds=(0, 5), softbounds=(0, 1), unit="levels/s", doc="how fast the levels move")
        sweep = Number(
            0.0, bounds=(0, 1e6), softbounds=(0, 2), when=lambda s: s.levels == "single",
            doc="how far a single level swings to either side",
        )  # fmt: skip

    @property
    def loop(self) -> float | None:
        moves = self.speed > 0 and (self.levels == "all" or self.sweep > 0)
        return 1.0 / self.speed if moves else None

    @property
    def drawn_theme(self) -> str | None:
        if self.look != "classic":
            return None
        return "white" if self.theme == "paper" else "black"

    @property
    def shares(self) -> bool:
        return self.debug == "none"

    @property
    def network(self) -> engine.Mlp:
        """The Mlp shown: the person's own, or the random one of the seed."""
        return self.random_network() if self.net is None else self.net

    @property
    def in_space(self) -> engine.Mlp:
        """The Mlp of three inputs whose levels are drawn: of a network with more, the others are held fixed."""
        net = self.network
        if net.inputs == 3:
            return net
        key = (net, self.x_input, self.y_input, self.z_input, self.rest)
        return self.cached("in space", key, self._sliced)

    def _sliced(self):
        net, axes = self.network, [self.x_input, self.y_input, self.z_input]
        if len(set(axes)) < 3 or max(axes) >= net.inputs:
            given = ", ".join(f"{name}_input={axis}" for name, axis in zip("xyz", axes, strict=True))
            raise SettingError(f"{given}: x, y and z are three of the inputs 0 to {net.inputs - 1} of {net}.")
        origin, others = np.zeros(net.inputs), np.setdiff1d(np.arange(net.inputs), axes)
        origin[others] = engine.held_inputs(self.rest, len(others))
        return parts.sliced(net, origin, np.eye(net.inputs)[axes])

    def remark(self) -> str | None:
        net, said = self.network, []
        if self.output >= net.outputs:
            said.append(f"output={self.output}: the network has {net.outputs}, counted from 0, and the last is shown")
        if net.inputs > 3:
            shown = f"x, y, z are inputs {self.x_input}, {self.y_input}, {self.z_input} of {net.inputs}"
            rest = engine.missing_inputs(self.rest, net.inputs - 3) or f"the others are {self.rest.strip() or 0} (rest)"
            said.append(f"{shown} (x_input, y_input, z_input); {rest}")
        if self.net is not None and self._fits:
            trained = "if the network was trained on -1 .. 1, size=1 shows it"
            fitted = f"chosen since level {self.level:g} was found only inside, up to size={SPARK_BALL:g}"
            said.append(
                f"size={self.size:g}: {trained}" if self.size == SPARK_BALL else f"size={self.size:g} was {fitted}"
            )
        return "; ".join(said) or None

    def random_network(self) -> engine.Mlp:
        """The Mlp of the seed and the settings beside it."""
        key = (self.seed, self.hidden, self.depth, self.activation, self.weights, self.scale)
        sizes = [3, *[self.hidden] * self.depth, 1]
        draw = partial(engine.random_mlp, sizes, self.activation, distribution=self.weights, output_bias=False)
        return self.cached("random", key, lambda: draw(scale=self.scale, seed=self.seed))

    def __init__(self, **values: Any):
        super().__init__(**values)
        if "distance" not in values and "camera" not in values:
            self.distance = self.home_distance()
        self._framing = self.home_distance()
        self.on_change(["size", "region"], "_keep_framing")
        self.on_change(["seed", "hidden", "depth", "activation", "weights", "scale"], "_draw_again")
        self.on_change(["net", "x_input", "y_input", "z_input", "rest", "output"], "_fit")
        self._fit()

    _edit: engine.Mlp | None = None  # the random network with weights edited in the panel
    _fits = True  # whether the region is fitted to the person's own network: until its size is set

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "size":
            self._fits = False
        super().__setattr__(name, value)

    def _fit(self):
        """Shows a network's shape as large as it is, where its level lies in -1 .. 1 alone; else the usual ball."""
        if not self._fits:
            return
        try:
            net = None if self.net is None else self.in_space
            size = SPARK_BALL if net is None else fitted_size(net, min(self.output, net.outputs - 1), self.level)
        except SettingError:
            return  # The settings that say which inputs are shown are not all set yet.
        if size != self.size:
            self.size = size
            self._fits = True

    def home_distance(self) -> float:
        # 12 for the ball of radius 5, as in the original; more for a box, because of its corners.
        return 2.4 * self.size if self.region == "ball" else 3.9 * self.size

    def _keep_framing(self):
        # If the person has not moved the camera, it is placed to show the whole region; else it is left alone.
        framing = self.home_distance()
        if abs(self.distance - self._framing) < 1e-6 * self.distance:
            self.distance = framing
        self._framing = framing

    _shown: tuple[int, int] | None  # (id of the network, output) that the nodes show

    def build(self, stage: engine.Node) -> None:
        net = self.in_space
        self._sheets = stage.add(engine.LevelSurfaces(net))
        self._light = stage.add(engine.Sparks(net, SPARK_GRID))
        self._classic_light = stage.add(engine.ClassicSparks(net, SPARK_GRID))
        self._axes = stage.add(engine.Axes(theme=self.theme))
        self._classic_axes = stage.add(engine.ClassicAxes())
        # Added after the lines, since the original draws its surface over them.
        self._classic_sheet = stage.add(engine.ClassicSurfaces(net))
        between = engine.THEMES[self.theme].faded(0.45)
        self._edges = stage.add(engine.Lines(BOX_EDGES, (*between, 1.0), width=1.0, name="edges of the box"))
        self._shown = None

    def update(self, clock: engine.Clock) -> None:
        classic = self.look == "classic"
        output = min(self.output, self.network.outputs - 1)
        if self._shown != (id(self.in_space), output):
            self._shown = (id(self.in_space), output)
            for node in (self._sheets, self._light, self._classic_sheet, self._classic_light):
                node.show(self.in_space, output)
        region = engine.Region(self.region, self.size)
        level, single = self.level_at(clock.time), self.levels == "single"

        for node in (self._sheets, self._light, self._classic_sheet, self._classic_light):
            node.level, node.spacing, node.single, node.region = level, self.spacing, single, region
        for node in (self._light, self._classic_light):
            node.spread = self.size / SPARK_BALL
        for node in (self._sheets, self._classic_sheet):
            node.debug = "undecided" if self.undecided else "none"
        s = self._sheets
        s.debug = self.debug if self.debug != "none" else s.debug
        s.span = self.shared
        s.map, s.theme, s.opacity, s.surfaces = self.map, self.theme, self.opacity, self.layers
        self._light.map, self._light.theme, self._light.span = self.map, self.theme, s.span

        self._sheets.visible, self._classic_sheet.visible = self.surfaces and not classic, self.surfaces and classic
        self._light.visible = self.sparks and not classic and self.debug == "none"
        self._classic_light.visible = self.sparks and classic
        self._axes.visible, self._classic_axes.visible = self.axes and not classic, self.axes and classic
        self._edges.visible = self.region == "box" and self.axes and not classic
        self._edges.transform = np.diag([self.size] * 3 + [1.0])
        if self._axes.length != self.size:
            self._axes.resize(self.size)

    def level_at(self, time: float) -> float:
        """The level at a time: it rises by one spacing and begins again; a single level swings up and down."""
        if self.levels == "all":
            return self.level + self.spacing * math.fmod(time * self.speed, 1.0)
        return self.level + self.sweep * math.sin(2.0 * math.pi * time * self.speed)

    def actions(self) -> list[Action]:
        return [
            Action("randomize", "another random network", self.randomize, key="n"),
            Action("level up", "raise the level", lambda: self._step(1), key="ArrowUp"),
            Action("level down", "lower the level", lambda: self._step(-1), key="ArrowDown"),
            Action(
                "level up a little", "raise the level by a fifth of a step", lambda: self._step(0.2), key="ArrowRight"
            ),
            Action(
                "level down a little", "lower the level by a fifth of a step", lambda: self._step(-0.2), key="ArrowLeft"
            ),
        ]

    def randomize(self) -> None:
        """Sets a new seed, computed from the present one, and drops the person's own network."""
        self.net = None
        self.seed = int(np.random.default_rng(self.seed).integers(0, 100000))

    def _step(self, steps):
        self.level = float(np.clip(self.level + 0.05 * steps * self.spacing, -1e6, 1e6))

    def legend(self) -> engine.Legend | None:
        if self.look == "classic" or not self.legend_shown or not self.surfaces:
            return None
        if self.debug != "none":
            return self._sheets.debug_legend(self.camera, np.eye(4))
        low, high = self._sheets.span
        reach = engine.Region(self.region, self.size).reach
        return engine.Legend("value", self.map, low, high, self._shown_levels(), around=((0.0, 0.0, 0.0), reach))

    def _shown_levels(self):
        (low, high), level = self._sheets.span, self._sheets.level
        if self.levels == "single":
            return (level,)
        first, last = math.ceil((low - level) / self.spacing), math.floor((high - level) / self.spacing)
        return tuple(level + k * self.spacing for k in range(first, min(last, first + 400) + 1))

    def drawing(self, clock: engine.Clock, size_mm: tuple[float, float | None] | None = None) -> engine.Drawing:
        if self.look == "classic" or self.debug != "none":
            raise SettingError(f"look={self.look}, debug={self.debug}: vectors show look=studio with debug=none.")
        marks = self._shown_levels() if self.surfaces else ()
        output = min(self.output, self.network.outputs - 1)
        region, size = engine.Region(self.region, self.size), engine.picture_size(size_mm)
        curves = engine.surface_curves(self.in_space, output, self.camera, region, size, marks) if marks else []
        theme = engine.THEMES[self.theme]
        low, high = self._sheets.span
        places = [(mark - low) / (high - low) for mark in marks]
        # Lines are set off from their surfaces: lighter on dark, darker on paper.
        colours = 0.65 * engine.srgb(engine.map_colours(self.map, theme.maps, places)) + 0.35 * (self.theme == "dark")
        names = engine.hexadecimal(np.round(255 * colours))
        said = (
            "Silhouettes and rims are found on a grid, and followed in float64 to a twentieth of a pixel; what is "
            "smaller than a cell of the grid may be missing."
        )
        return engine.pictured(
            size_mm, curves=list(zip(curves, names, strict=True)), theme=self.theme, title=self.network.name,
            description=said,
        )  # fmt: skip

    def read(self, hit: engine.Hit) -> Reading | None:
        if hit.value is None:
            return None
        if not hit.certain or hit.gradient is None:
            return Reading("undecided here", (("near", _triple(hit.position)),), hit.position)
        rows = (
            ("position", _triple(hit.position)),
            ("value", f"{hit.value:.6g}"),
            ("gradient", f"{math.hypot(*hit.gradient):.4g}"),
        )
        return Reading(f"level {hit.level:.4g}", rows, hit.position)

    def matrix(self) -> engine.Mlp:
        return self.network

    def matrix_changed(self, net: engine.Mlp) -> None:
        # A network that is edited stays where it is looked at.
        self._fits = False
        # If an undo leads back to the seed's network, the setting is None again.
        self._edit = None if net.equals(self.random_network()) else net
        self.net = self._edit

    def _draw_again(self):
        # Settings of the random network replace one that was edited, not one of a file.
        if self._edit is not None and self.net is self._edit:
            self.net = self._edit = None


def fitted_size(net: engine.Mlp, output: int, level: float) -> float:
    """The radius of a ball that shows a level, where it lies in the cube -1 .. 1 alone as far as samples tell; else 5.

    Networks of shapes are trained on that cube, and what they are beyond it is of no interest.
    """
    inside, around = engine.Region("box", 1.0).points(17), engine.Region("ball", SPARK_BALL).points(20)
    around = around[np.abs(around).max(axis=1) > 1.0]
    above, beyond = (net(points)[:, output] > level for points in (inside, around))
    shape = np.linalg.norm(inside[above != beyond[0]], axis=1)
    if beyond.any() != beyond.all() or not len(shape):
        return SPARK_BALL
    # A cell beyond the outermost place inside.
    return max(1.0, math.ceil(10 * (shape.max() + 1 / 8)) / 10)


def _triple(p):
    return ", ".join(f"{x:.3f}" for x in p)
