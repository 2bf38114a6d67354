"""boundaries: a classifier's neurons over its training, after GINN (Darlow and Storkey 2018).

A small network learns an image: its input is the place of a pixel, its output the class black or white. Each neuron has
a boundary, where its weighted sum is zero. All boundaries are drawn exactly, at every recorded step of the training.
"""

from engine import Action, Figure
from scenes.boundaries.figures import FIGURES
from scenes.boundaries.panel import BoundariesPanel
from scenes.boundaries.reading import BoundariesReading


class Boundaries(BoundariesReading, BoundariesPanel):
    """Where the neurons of a network that learns an image are zero, at every moment of its training."""

    @classmethod
    def figures(cls) -> tuple[Figure, ...]:
        return FIGURES

    def actions(self) -> list[Action]:
        name = "train again" if self.trains else "train"
        begin = Action(name, "learn the image now, from the first weights", self.restart_training, key="n")
        pause = Action("pause", "let the training rest, or go on", self._toggle_pause, key="p")
        step = Action("one step", "one training step, then rest", self.step_training, key=".")
        return [begin, pause, step] if self.trains else [begin]

    def _toggle_pause(self):
        self.pause = not self.pause
