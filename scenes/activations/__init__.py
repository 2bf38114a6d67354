"""activations: every neuron of a convolutional network in space, after "a look inside a neural network".

The picture stands in front; behind it, block after block, stand all neurons, and shine by their response to it.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

import engine
from engine import Figure, cloud_layout
from scenes.activations import unet
from scenes.activations.figures import FIGURES
from scenes.activations.panel import ActivationsPanel

# Seconds for which each block appears, one after the other.
APPEAR = 0.5
# The radius in world units of the ball to which everything is scaled, while the camera is 12 away; and of the ball for
# a single block, which is as high as long.
RADIUS, ALONE = 7.6, 5.2
# The least width of a block shown alone, relative to its depth.
BLOCK = 1.4
# Distances in the cloud's units: from the picture to the first block, from a block to its name.
BEFORE, BELOW = 90.0, 14.0
# The place of the axis round which everything turns, from the back (0) to the front (1), which is nearer the camera.
AXIS = 0.62
# The largest side of the picture, relative to the length of the row of blocks.
MOST_FRONT = 0.27
# The colour of skips' arcs.
SKIP = "#5fb7a5"
# Factor of the opacity of other blocks while a neuron is pinned.
STEPPED_BACK = {"dark": 0.3, "paper": 0.45, "clear": 0.45}
# A network of so many neurons has dots of normal size, smaller ones larger dots; on paper dots are bolder.
MANY, BOLDER = 2.7e6, {"dark": 1.0, "paper": 1.5, "clear": 1.5}


class Activations(ActivationsPanel):
    """Every neuron of a convolutional network that looks at a picture, as a dot that shines as it answers."""

    plays = True
    _time = _revealed = 0.0
    _placed: tuple | None
    _drawn: Mapping[str, np.ndarray] | None

    @classmethod
    def figures(cls) -> tuple[Figure, ...]:
        return FIGURES

    def __init__(self, **values: Any):
        super().__init__(**values)
        self.on_change(["net", "network", "blocks", "alone", "reveal"], "_stay_revealed")

    def _stay_revealed(self):
        """If all blocks have appeared, those of another choice of blocks appear at once."""
        try:
            moment = self.moment
        except engine.NeurosceneError:
            return  # the next picture reports the error
        if self._time >= self._revealed != moment:
            self.go_to(moment + self._time - self._revealed)

    # Time.

    @property
    def moment(self) -> float:
        return APPEAR * len(self.block_names) if self.reveal else 0.0

    @property
    def loop(self) -> float | None:
        return self.moment + 360.0 / abs(self.turn) if self.turn else None

    # What is drawn.

    def build(self, stage: engine.Node) -> None:
        self._root = stage.add(engine.Node("network"))
        self._cloud = self._root.add(engine.NeuronCloud(name="neurons"))
        self._plane = self._root.add(engine.ImagePlane(name="the picture"))
        self._names = self._root.add(engine.Labels(name="blocks' names"))
        self._arcs = self._root.add(engine.Lines(name="skips", width=2.0))
        self._ranking = stage.add(engine.Ranking(name="answers"))
        self._made = self._root.add(engine.ImagePlane(name="the output"))
        self._made_card = stage.add(engine.Inset(name="the output's picture"))
        self._made_card.is_at_top = True
        self._placed = self._drawn = None
        self.build_marks(self._root, stage)

    def update(self, clock: engine.Clock) -> None:
        responses, names = self.responses, self.block_names
        self._time, self._revealed = clock.time, self.moment
        if self._placed != (placed := (self.forward, names, self.is_u)):
            self._placed = placed
            self._lay_out(names)
            self._drawn = responses
        if self._drawn is not responses:
            self._drawn = responses
            self._cloud.changed()
        appeared = self._appeared(clock.time, len(names))
        shown = np.array(self.block_is_shown, float)
        self._cloud.over = self.normalise
        self._cloud.appeared, self._cloud.size = appeared, self.dots * self._dot * BOLDER[self.theme]
        self._cloud.opacity = shown * self._strengths(len(names))
        self._show_picture()
        self._names.visible = self.labels
        self._show_skips(shown * appeared)
        self._ranking.visible = self.answers
        ranks, self._ranking.title = self.ranks
        self._ranking.ranks = ranks if appeared[-1] > 0.0 else ()
        self._show_output(appeared[-1])
        angle = math.radians(self.turn) * (clock.time - self.moment)
        self._root.transform = _turned(angle) @ self._fitted
        self._names.opacity = shown * appeared * ~self._is_hidden(self._names.positions)
        self.update_marks()

    def _appeared(self, time, count):
        """(K,) how far each block has appeared, 0 to 1."""
        if not self.reveal:
            return np.ones(count)
        return np.clip(time / APPEAR - np.arange(count), 0.0, 1.0)

    def _strengths(self, count):
        """(K,) the blocks' opacity, less for other blocks while a neuron is pinned or a block is under the pointer."""
        behind = STEPPED_BACK[self.theme]
        if self._hovered_block is None:
            return np.full(count, behind if self.pinned else 1.0)
        return np.where(np.arange(count) == self._hovered_block[1], 1.0, behind)

    def _lay_out(self, names):
        net, forward = self.convnet, self.forward
        shapes = [self.block_shape(name) for name in names]
        looks = ["classes" if name == net.output.name and self.kind.kind == "classes"
                 else "pooled" if net.shapes[name][1:] == (1, 1) else "features" for name in names]  # fmt: skip
        layouts, length = cloud_layout.lay_out(
            shapes, looks, slender=cloud_layout.SLENDER if self._has_front else BLOCK
        )
        if self.is_u:
            layouts = unet.in_levels(layouts, engine.levels(net, names))
        layouts = self.on_patches(names, layouts)
        self._arc, self._arc_ends = unet.arcs(layouts, self.skips)
        self._cloud.show(
            [
                engine.Block(label, net.shapes[name], layout, look, forward.array(name), forward.first(name))
                for label, name, layout, look in zip(self.block_labels, names, layouts, looks, strict=True)
            ]
        )
        # A network of few neurons has larger dots.
        neurons = sum(math.prod(shape) for shape in shapes)
        self._dot = min(max((MANY / neurons) ** 0.25, 1.0), 2.2)
        self._names.words = self.block_labels
        self._names.positions = np.array(
            [
                (0.0, layout.origin[1] - layout.size[1] - BELOW, layout.origin[2] - layout.size[2] / 2)
                for layout in layouts
            ]
        )
        # The picture is as large as the first block, if that does not hide the row. All together fill the ball.
        self._side = min(max(layouts[0].size[:2]) or length, MOST_FRONT * length) or 1.0
        front = length / 2 + (BEFORE if self._has_front else 0.0)
        self._front, self._end = front, -length / 2 - BEFORE
        self._heights = [layout.origin[1] - layout.size[1] / 2 for layout in (layouts[0], layouts[-1])]
        corners = [
            (
                max(layout.size[0] / 2, abs(layout.origin[1]), abs(layout.origin[1] - layout.size[1])) * 1.2,
                layout.origin[2],
            )
            for layout in layouts
        ]
        corners += [(corners[-1][0], -length / 2)]
        if self._has_front:
            corners.append((self._side / 2 * 1.2 + abs(self._heights[0]), front))
            if self.output_image is not None:
                corners.append((self._side / 2 * 1.2 + abs(self._heights[1]), -length / 2 - BEFORE))
        middle = AXIS * front - (1.0 - AXIS) * length / 2
        radius = max(math.hypot(half, z - middle) for half, z in corners)
        # The lower bound is for a single neuron, whose radius is 0.
        scale = (RADIUS if self._has_front else ALONE) / max(radius, cloud_layout.SPACING)
        self._fitted = np.diag([scale, scale, scale, 1.0])
        self._fitted[2, 3] = -middle * scale

    @property
    def _has_front(self):
        return not self.alone.strip()

    def _show_picture(self):
        self._plane.visible = self.front and self._has_front
        self._stand(self._plane, self.in_front, self._heights[0], self._front)

    def _show_output(self, appeared):
        """The output as a picture, behind the last block and on a card."""
        made = self.output_image if self._has_front and appeared > 0.0 else None
        self._made.visible, self._made_card.visible = made is not None, self.answers
        if made is None:
            self._made_card.show("")
            return
        self._stand(self._made, made[0], self._heights[1], self._end)
        self._made.opacity = appeared
        # The classes of labels are ranked where the card would be.
        name = self.convnet.name if self.kind.kind != "labels" else ""
        self._made_card.show(name, (), self.cached("made", (made[0],), lambda: (engine.InsetImage(*made),)))

    def _show_skips(self, strength):
        """The arcs of skips, as strong as the blocks that they lead to."""
        self._arcs.visible = bool(len(self._arc)) and self._has_front
        colour = np.ones((len(self._arc), 4)) * (*engine.linear_rgb(SKIP), 1.0)
        colour[:, 3] = 0.75 * strength[self._arc_ends]
        self._arcs.set(self._arc, colour)

    def _stand(self, plane, image, y, z):
        """Puts an image upright, its middle at height y, at z."""
        plane.show(image)
        height, width = image.shape[:2]
        w, h = self._side * width / max(width, height), self._side * height / max(width, height)
        plane.corner = (-w / 2, y + h / 2, z)
        plane.right, plane.down = (w, 0.0, 0.0), (0.0, -h, 0.0)

    def _is_hidden(self, positions):
        """(N,) bools: which of (N, 3) places in the cloud's space are hidden by the picture."""
        if not self._plane.visible:
            return np.zeros(len(positions), bool)
        camera, world = self.camera, self._root.transform
        points = positions @ world[:3, :3].T + world[:3, 3]
        eyes = points - 1e4 * camera.forward if camera.is_orthographic else np.broadcast_to(camera.eye, points.shape)
        far = np.linalg.norm(points - eyes, axis=1)
        directions = (points - eyes) / far[:, None]
        aims = [engine.Aim(eye, direction) for eye, direction in zip(eyes, directions, strict=True)]
        hits = [self._plane.pick(aim, world) for aim in aims]
        return np.array([hit is not None and hit.distance < d for hit, d in zip(hits, far, strict=True)])

    def legend(self) -> engine.Legend | None:
        if not self.key:
            return None
        words = "mean, not active", "", "4 deviations, moderate", "", "8 deviations, highly active"
        return engine.Legend("response above the mean", "responses", 0.0, 8.0, (0.0, 2.0, 4.0, 6.0, 8.0), words)


def _turned(angle):
    """(4, 4) a rotation round the vertical axis."""
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, 0, s, 0], [0, 1, 0, 0], [-s, 0, c, 0], [0, 0, 0, 1.0]])
