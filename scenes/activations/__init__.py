"""activations: every neuron of a convolutional network in space, after "a look inside a neural network".

The picture stands in front; behind it, block after block, stand all neurons, and shine by their response to it.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

import engine
from engine import Figure, cloud_layout
from scenes.activations import places, unet
from scenes.activations.exposure import exposure, opacities
from scenes.activations.figures import FIGURES
from scenes.activations.framing import FULL_SHAPE, MARGIN, ROOM, SHAPES, TALL_ROOM, Framing
from scenes.activations.marks import Neuron
from scenes.activations.panel import ActivationsPanel

# Seconds for which each block appears, one after the other.
APPEAR = 0.5
# The colour of skips' arcs.
SKIP = "#5fb7a5"
# Factor of the opacity of other blocks while a neuron is pinned.
STEPPED_BACK = {"dark": 0.3, "paper": 0.45, "clear": 0.45}
# Pixels of the shorter side of a picture, as a sheet's cell, below which the card of answers would cover what it is of.
LEAST_CARD = 200
# How far dots take the background's colour at the back of their block; on paper the original's dots are bolder.
SHADE, BOLDER = {"dark": 0.6, "paper": 0.35, "clear": 0.0}, {"dark": 1.0, "paper": 1.5, "clear": 1.5}


class Activations(ActivationsPanel):
    """Every neuron of a convolutional network that looks at a picture, as a dot that shines as it answers."""

    plays = True
    _time = _revealed = 0.0
    _placed: tuple | None
    _framing: Framing | None = None
    _fitted: tuple | None
    _drawn: Mapping[str, np.ndarray] | None
    aspect = FULL_SHAPE  # before a picture is made

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
        self._frames = self._root.add(engine.Lines(name="blocks' frames", width=1.2, under=True))
        self._cloud = self._root.add(engine.NeuronCloud(name="neurons"))
        self._plane = self._root.add(engine.ImagePlane(name="the picture"))
        self._arcs = self._root.add(engine.Lines(name="skips", width=2.0))
        self._ranking = stage.add(engine.Ranking(name="answers", least=LEAST_CARD))
        self._made = self._root.add(engine.ImagePlane(name="the output"))
        self._answer = self._root.add(engine.Callout(name="the answer"))
        self._placed = self._drawn = None
        self.build_marks(self._root, stage)
        self._card.least = LEAST_CARD
        # The last, since names give way to all other words.
        self._names = stage.add(engine.Labels(name="blocks' names"))

    def update(self, clock: engine.Clock) -> None:
        responses, names = self.responses, self.block_names
        self._time, self._revealed = clock.time, self.moment
        if self._placed != (placed := (self.forward, names, self.kind, self.is_u, self.look, self.shape)):
            self._placed, self._fitted = placed, None
            self._lay_out(names)
            self._drawn = responses
        if self._drawn is not responses:
            self._drawn = responses
            self._cloud.changed()
        appeared, shown = self._appeared(clock.time, len(names)), np.array(self.block_is_shown, float)
        is_framed, bolder = self.look == "framed", BOLDER[self.theme]
        self._cloud.over = self.normalise
        self._cloud.appeared, self._cloud.size = appeared, self.dots * self._places.dot * (1.0 if is_framed else bolder)
        self._cloud.opacity, self._cloud.exposure = shown * self._strengths(len(names)), self.exposed
        self._cloud.shade = SHADE[self.theme] if is_framed else 0.0
        self._cloud.palette = None if is_framed else self._original_palette()
        self._show_picture()
        self._frames.set(*self._places.frames(shown * appeared * self._strengths(len(names)) * is_framed, self.theme))
        self._names.visible = self.labels
        self._show_skips(shown * appeared)
        self._ranking.visible = self.answers
        ranks, self._ranking.title = self.ranks
        self._ranking.ranks = ranks if appeared[-1] > 0.0 else ()
        self._show_output(appeared[-1])
        turned = _turned(math.radians(self.turn) * (clock.time - self.moment))
        self._root.transform = world = self._fit().transform(self.camera, turned)
        bodies = self._places.bodies(front=self._plane.visible, end=self._made.visible) @ world[:3, :3].T + world[:3, 3]
        for words in (self._ranking, self._answer, self._pin, self._ring, self._card, self._names):
            words.bodies = bodies
        self._names.transform = self._root.transform
        self._names.opacity = shown * appeared * ~self._is_hidden(self._names.positions)
        self.update_marks()
        self._show_answer(appeared[-1] > 0.0 and shown[-1] > 0.0)

    def _show_answer(self, is_there):
        """Names the likeliest class, with its probability, at its dot; not while another class is named."""
        ranks, marks = self._ranking.ranks, [mark for mark in (self.pinned, self.marked) if mark is not None]
        named = any(mark.node == self.convnet.output.name for mark in marks)
        is_shown = self.block_names[-1] == self.convnet.output.name
        self._answer.visible = bool(
            is_there
            and is_shown
            and self.answers
            and self.kind.kind == "classes"
            and ranks
            and not named
            and not np.isnan(self.answer).any()
        )
        if self._answer.visible:
            self._answer.words = ranks[0].name, f"{100 * ranks[0].part:.1f}%"
            winner = Neuron(self.convnet.output.name, int(self.responses[self.convnet.output.name].argmax()), 0, 0)
            self._answer.move(*self.where(winner))
            self._answer.around = self.class_plane

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

    def _original_palette(self):
        steps = np.linspace(0.0, 1.0, 64)
        responses, classes = (
            engine.map_colours(f"original {name}", self.theme, steps) for name in ("responses", "probabilities")
        )
        return responses, classes

    @property
    def exposed(self) -> float:
        """The factor of all dots' opacity."""
        if self.look == "original":
            return 1.0
        return self.exposure or self.cached(
            "exposure", (self.responses, self.block_names, self.normalise), self._exposure
        )

    def _exposure(self):
        found = []
        for block, name, (_, deviations) in zip(
            self._cloud.blocks, self.block_names, self._cloud.statistics(), strict=True
        ):
            if block.look == "features":
                layout, (channels, height, width) = block.layout, block.shape
                area = math.prod(side + layout.step for side in layout.size[:2])
                dot = math.pi * (1.5 * layout.dot * cloud_layout.RADIUS) ** 2
                layers = channels * height * width * dot / area
                found.append((opacities(self.responses[name], deviations), layers))
        return exposure(found)

    # Where things stand.

    def _lay_out(self, names):
        net, forward = self.convnet, self.forward
        shapes = [self.block_shape(name) for name in names]
        looks = ["classes" if name == net.output.name and self.kind.kind == "classes"
                 else "pooled" if net.shapes[name][1:] == (1, 1) else "features" for name in names]  # fmt: skip
        put = self._put_blocks(shapes, looks, engine.levels(net, names) if self.is_u else None)
        layouts = self.on_patches(names, put.layouts)
        self._places = replace(put, layouts=tuple(layouts))
        self._arc, self._arc_ends = unet.arcs(layouts, self.skips)
        self._cloud.show(
            [
                engine.Block(label, net.shapes[name], layout, look, forward.array(name), forward.first(name))
                for label, name, layout, look in zip(self.block_labels, names, layouts, looks, strict=True)
            ]
        )
        self._names.words = self.block_labels
        self._names.positions = self._places.names

    @property
    def shape(self) -> float:
        """The width over height that blocks are laid out for: of some, the nearest to the picture's."""
        return min(SHAPES, key=lambda shape: abs(math.log(shape / max(self.aspect, 1e-9))))

    @property
    def class_plane(self) -> np.ndarray:
        """(8, 3) the corners of the last block with its dots, in the cloud's space."""
        layout = self._places.layouts[-1]
        return layout.corners(layout.jitter, layout.dot)

    def _put_blocks(self, shapes, looks, levels):
        if self.look == "original":
            return places.as_the_original(shapes, looks, self._has_front, levels)
        kind = type(self)
        azimuth, altitude = math.radians(kind.azimuth), math.radians(kind.altitude)
        flat = math.cos(altitude)
        towards = np.array((math.cos(azimuth) * flat, math.sin(altitude), math.sin(azimuth) * flat))
        return places.framed(shapes, looks, towards, self._has_front, levels, self.shape)

    def _fit(self):
        """The Framing of what is shown now; the camera takes its lens."""
        cards, end = bool(self.key or self.answers), self._has_front and self.output_image is not None
        if self._fitted != (cards, end):
            self._fitted = cards, end
            room = self.headroom if cards else MARGIN
            bodies = self._places.bodies(front=self._has_front, end=end)
            points = np.concatenate([*bodies, self._places.names, self._arc.reshape(-1, 3)])
            self._framing = Framing.of(points, engine.SpaceScene.orbit_home(self), room, self.shape)
        self._take_lens()
        return self._framing

    @property
    def headroom(self) -> float:
        """The part of the picture's height above what is shown, where the legend and the answers are."""
        return ROOM if self.shape == FULL_SHAPE else TALL_ROOM

    @property
    def lens(self) -> tuple[float, float]:
        return self._framing.lens if self._framing else super().lens

    def _take_lens(self):
        """Gives the camera the lens of what is shown now."""
        camera, (fov, shape) = self.camera, self.lens
        if camera.is_orthographic:
            wanted = camera.with_(shape=shape, height=camera.distance * 2.0 * math.tan(fov / 2.0))
        else:
            wanted = camera.with_(shape=shape, fov=fov)
        if wanted != camera:
            self.camera = wanted

    @property
    def _has_front(self):
        return not self.alone.strip()

    def _show_picture(self):
        self._plane.visible = self.front and self._has_front
        self._stand(self._plane, self.in_front, self._places.front)

    def _show_output(self, appeared):
        """The output as a picture, behind the last block."""
        made = self.output_image if self._has_front and appeared > 0.0 else None
        self._made.visible = made is not None
        if made is None:
            return
        self._stand(self._made, made[0], self._places.end)
        self._made.opacity = appeared

    def _show_skips(self, strength):
        """The arcs of skips, as strong as the blocks that they lead to."""
        self._arcs.visible = bool(len(self._arc)) and self._has_front
        colour = np.ones((len(self._arc), 4)) * (*engine.linear_rgb(SKIP), 1.0)
        colour[:, 3] = 0.75 * strength[self._arc_ends]
        self._arcs.set(self._arc, colour)

    def _stand(self, plane, image, middle):
        """Puts an image upright round a place."""
        plane.show(image)
        corner, right, down, _ = self._places.picture(middle, image.shape)
        plane.corner, plane.right, plane.down = corner, right - corner, down - corner

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

    def drawing(self, clock: engine.Clock, size_mm: tuple[float, float | None] | None = None) -> engine.Drawing:
        lines = [node for node, _ in self.stage.walk() if isinstance(node, engine.Lines)]
        return engine.pictured(size_mm, lines=lines, theme=self.theme, title=self.convnet.name)

    def legend(self) -> engine.Legend | None:
        if not self.key:
            return None
        words = "mean, not active", "", "4 deviations, moderate", "", "8 deviations, highly active"
        ramp = "responses" if self.look == "framed" else "original responses"
        exposed = f", shown x {self.exposed:g}" if self.exposed != 1.0 else ""
        return engine.Legend(
            f"response above the mean{exposed}", ramp, 0.0, 8.0, (0.0, 2.0, 4.0, 6.0, 8.0), words, part=self.headroom
        )


def _turned(angle):
    """(4, 4) a rotation round the vertical axis."""
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, 0, s, 0], [0, 1, 0, 0], [-s, 0, c, 0], [0, 0, 0, 1.0]])
