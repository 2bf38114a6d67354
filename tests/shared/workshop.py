"""Scenes for tests: one with every kind of setting and action, quick to draw; one of given nodes."""

import numpy as np

from engine.draw.axes import Axes
from engine.network.random import random_mlp
from engine.scene.data_settings import Network
from engine.scene.scene import Scene
from engine.scene.settings import Choice, Colours, Integer, Number, Switch, Text
from engine.scene.view_data import Action, Reading
from engine.view.camera import Camera


class Workshop(Scene):
    """Axes that grow, with a control of each kind beside them."""

    net = Network(None, inputs=3, doc="your own network with three inputs")
    seed = Integer(1, bounds=(0, 2**31 - 1), group="shown", rebuild=True, doc="of the random network")
    level = Number(0.25, bounds=(-2, 2), group="shown", doc="value of the surface")
    amount = Number(3.0, group="shown", doc="a number with no ends")
    neurons = Integer(8, bounds=(1, 64), group="shown", doc="in each hidden layer")
    kind = Choice(["all", "single"], group="shown", doc="two names")
    map = Choice(["viridis", "cividis", "plasma", "inferno", "turbo"], group="how", doc="five names")
    tint = Colours("viridis", group="how", doc="a map of colours")
    lit = Switch(True, group="how", doc="a switch")
    strength = Number(1.0, bounds=(0.01, 100), group="how", when=lambda s: s.lit, doc="over four powers of ten")
    caption = Text("seen", group="how", doc="a line of text")
    speed = Number(0.2, bounds=(0, 5), softbounds=(0, 1), unit="levels/s", group="time", doc="how fast")
    angle = Number(40.0, bounds=(-180, 180), unit="deg", group="camera", doc="an angle")

    loop = 4.0
    home = Camera(eye=(6.0, 5.0, 9.0))
    fails = None

    def build(self, stage):
        self._axes = stage.add(Axes(theme=self.theme))
        self.builds = getattr(self, "builds", 0) + 1

    def update(self, clock):
        if self.fails is not None:
            raise self.fails
        self.told = clock
        self._axes.resize(3.0 + self.level)

    def actions(self):
        return [
            Action("randomize", "another random network", self.randomize, key="n"),
            Action("level up", "raise the level", lambda: self._step(0.25), key="ArrowUp"),
            Action("level down", "lower the level", lambda: self._step(-0.25), key="ArrowDown"),
        ]

    def randomize(self):
        self.net = None
        self.seed = int(np.random.default_rng(self.seed).integers(0, 100000))

    def _step(self, change):
        self.level = min(max(self.level + change, -2.0), 2.0)

    def matrix(self):
        if self.net is not None:
            return self.net
        if getattr(self, "_for", None) != self.seed:
            self._for = self.seed
            self._random = random_mlp((3, 8, 1), seed=self.seed, output_bias=False)
        return self._random

    def matrix_changed(self, net):
        self.net = net

    def read(self, hit):
        return Reading(f"level {hit.level:.4g}", (("position", "1.000, 2.000, −3.000"),), hit.position)


# From here a node at the origin is seen along the z axis.
FRONT = Camera(eye=(0.0, 0.0, 12.0))


class Staged(Scene):
    """A scene of given nodes."""

    home = FRONT

    def __init__(self, nodes, *, drawn_theme=None, **more):
        self.nodes, self.drawn_theme = nodes, drawn_theme
        super().__init__(**more)

    def build(self, stage):
        for node in self.nodes:
            stage.add(node)
