"""A scene that goes through snapshots of a made-up training, with every part a panel can show; quick to draw."""

import numpy as np

from engine.draw.axes import Axes
from engine.network.mlp import Mlp
from engine.scene.scene import Scene
from engine.scene.settings import Choice, Switch
from engine.scene.view_data import Action, Diagram, Listing, ListingRow, TimeCurve, Timeline, UnitLayer, Units


class Story(Scene):
    """Ten snapshots, a second each, of a network 2-4-3-2."""

    spacing = Choice(["snapshot", "step", "log"], group="time", doc="how far apart snapshots stand")
    powers = Switch(False, group="time", doc="losses by their powers")

    steps = np.array([0, 1, 2, 5, 10, 100, 1000, 2000, 5000, 10000])
    loop = 10.0
    fails = None
    extra = ()

    def __init__(self, **values):
        super().__init__(**values)
        rng = np.random.default_rng(5)
        self.curves = (
            TimeCurve("seed 0", np.geomspace(0.7, 0.03, self.steps.size), "#56b4e9", True),
            TimeCurve("seed 1", np.geomspace(0.7, 0.2, self.steps.size), "#e69f00"),
        )
        matrices = [rng.standard_normal((b, a)) for a, b in ((2, 4), (4, 3), (3, 2))]
        self.net = Mlp(matrices, [np.zeros(n) for n in (4, 3, 2)], ["relu", "relu", "identity"])
        self.shown = ((True,) * 4, (True,) * 3)
        self.growing, self.marked = False, None
        self.reported, self.ran, self.drawn = [], [], []

    def build(self, stage):
        stage.add(Axes(theme=self.theme))

    def update(self, clock):
        self.drawn.append(self.timeline().at(clock.time))

    def timeline(self):
        if self.fails is not None:
            raise self.fails
        return Timeline(
            self.steps, np.arange(float(self.steps.size)), self.curves, marks=((6, "a neuron dies"),),
            spacing=self.spacing, set_spacing=lambda value: setattr(self, "spacing", value),
            log_values=self.powers, set_log_values=lambda value: setattr(self, "powers", value),
            is_growing=self.growing,
        )  # fmt: skip

    def units(self):
        layers = (
            UnitLayer("Layer 1", "#56b4e9", self.shown[0], (False, True, False, False), ("", "dead", "", "")),
            UnitLayer("Layer 2", "#ff7043", self.shown[1]),
        )
        return Units(layers, lambda shown: setattr(self, "shown", shown), self.hover, self.marked)

    def hover(self, place):
        self.reported.append(place)
        self.marked = place

    def diagram(self):
        return Diagram(self.net, ("row", "column"), ("black", "white"))

    def listing(self):
        rows = [
            ListingRow(f"finding {k}", "a neuron does something " * 4, lambda k=k: self.ran.append(k), self._told(k))
            for k in range(40)
        ]
        return Listing("Findings", tuple(rows))

    def _told(self, k):
        return lambda over: self.reported.append((k, over))

    def actions(self):
        return [Action("restart", "train again", lambda: self.ran.append("restart"), key="n"), *self.extra]

    def grow(self, count):
        """Takes so many snapshots more, as a training would make them."""
        self.steps = np.concatenate([self.steps, self.steps[-1] + 1000 * np.arange(1, count + 1)])
        more = lambda values: np.concatenate([values, np.full(count, values[-1])])
        self.curves = tuple(TimeCurve(c.name, more(c.values), c.colour, c.wide) for c in self.curves)
        self.loop = float(self.steps.size)
