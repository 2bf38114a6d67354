"""A scene of a few points that is drawn in no time, with settings of each kind and figures, for sheets."""

import numpy as np

from engine.draw.points import Points
from engine.scene.data_settings import Network
from engine.scene.figure import Figure, Step
from engine.scene.scene import Scene
from engine.scene.settings import Choice, Integer, Number, Switch, Text
from engine.view.camera import Camera


class Drawn(Scene):
    """Points where a seed puts them, drawn apart by a number and turned by time."""

    net = Network(None, inputs=2, doc="moves all points by its value at the origin")
    count = Integer(5, bounds=(1, 40), rebuild=True, doc="of points")
    spread = Number(1.0, bounds=(0, 4), unit="m", doc="how far they lie apart")
    width = Number(2.0, bounds=(0, 8), doc="twice the spread, until told otherwise")
    shade = Choice(["red", "green_and_blue", "white"], doc="colour of the points")
    shown = Switch(True, doc="the points")
    words = Text("", doc="are not drawn")
    loop = 2.0
    home = Camera(eye=(0.0, 0.0, 6.0))

    def __init__(self, **values):
        super().__init__(**values)
        self.builds = 0
        self.on_change(["spread"], "_follow")

    def _follow(self):
        self.width = 2.0 * self.spread

    def build(self, stage):
        self.builds += 1
        self._at = np.random.default_rng(self.seed).uniform(-1.0, 1.0, (self.count, 3))
        self._points = stage.add(Points(self._at))

    def update(self, clock):
        colour = {"red": (1, 0, 0, 1), "green_and_blue": (0, 1, 1, 1), "white": (1, 1, 1, 1)}[self.shade]
        sine, cosine = np.sin(np.pi * clock.time), np.cos(np.pi * clock.time)
        turned = self._at @ np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
        moved = 0.0 if self.net is None else float(self.net(np.zeros((1, 2)))[0, 0])
        self._points.set(turned * (self.width / 2.0, self.spread, self.spread) + moved, colour, 60.0)
        self._points.visible = self.shown

    @classmethod
    def figures(cls):
        return (
            Figure(1, "one", "a picture", settings={"seed": 7}, size=(800, 400)),
            Figure(2, "spreads", "a sheet", columns={"spread": (0.5, 1.0)}, rows="seed=1..3", title="Spreads"),
            Figure(3, "turning", "a film", loop=True, fps=2.0, size=(400, 200)),
            Figure(
                3,
                "steps",
                "a wrapped sheet",
                columns=[
                    Step("first", {"seed": 1}),
                    Step("wide", {"seed": 2, "spread": 2.0}),
                    Step("later", time=0.5),
                ],
                wrap=2,
            ),
        )
