"""The picture of boundaries: a tile for each run, with lines and background at a moment; also as a vector drawing."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import engine
from engine import Choice, Integer, Number, SettingError, Switch, Text, in_group, parts
from scenes.boundaries.network import TrainedNetwork

# The gap between the tiles of two runs, relative to a tile.
GAP = 0.1
# World units left free round the tiles: for numbers and the key; in a wide picture as much again beside them.
FREE = 0.22
# The most classes that the key names.
NAMED = 10
# Pixels along the longer side of the background image of a vector drawing.
RASTER = 800


class BoundariesPicture(TrainedNetwork):
    """Draws the boundaries at a record's snapshots, of the neurons that the setting `neurons` selects."""

    with in_group("shown"):
        with in_group(when=lambda s: s.record.runs > 1):
            run = Integer(1, bounds=(1, 10_000), doc="which run is shown")
            together = Switch(False, label="all runs", doc="all runs side by side, at the same step")
        step = Integer(-1, bounds=(-1, 10**12), doc="the training step a picture shows; -1 is the last one")
        background = Choice(
            list(engine.BACKGROUNDS), "prediction",
            doc="the network's answer, what it is to learn, its loss, or its linear regions",
        )  # fmt: skip
        neurons = Text("all", doc="whose boundaries are drawn: all, none, layer 2 as `2`, its neuron 5 as `2.5`")
        decision = Switch(False, doc="the line where the network changes its mind")

    with in_group("how"):
        colours = Choice(list(engine.LOOKS), doc="told apart by the colour-blind and by dashes, or GINN's own")
        dashes = Switch(True, when=lambda s: s.colours == "safe", doc="a dash for each layer")
        width = Number(
            2.0, bounds=(0.2, 20.0), softbounds=(0.5, 6.0), unit="px", doc="of the lines, in a picture 720 high"
        )
        fade = Number(0.0, bounds=(0.0, 1.0), doc="how far the background steps back")
        samples = Switch(
            True, when=lambda s: s.record.samples is not None, doc="what was learnt, as dots in the colours of classes"
        )  # fmt: skip
        beyond = Switch(False, doc="the plane outside of what is learnt, too")
        key = Switch(True, doc="what lines and colours mean, numbers along both axes, a frame round what is learnt")
    with in_group("time"):
        spacing = Choice(list(engine.SPACINGS), doc="how far apart snapshots stand on the timeline")
        curves = Choice(
            ["loss", "motion"],
            doc="on the timeline: each run's loss, or how far biases and weights of each layer move boundaries",
        )  # fmt: skip
        log_loss = Switch(True, label="log loss", doc="the loss at its logarithm")
        rate = Number(
            24.0, bounds=(0.1, 1000.0), softbounds=(5, 120), unit="snapshots/s",
            doc="how quickly time goes through the training",
        )  # fmt: skip

    # Histories are placed round the middle of the unit square; this window shows it with a margin.
    x, y, extent = 0.5, 0.5, 1.0 + FREE

    # (layer, unit) of the neuron under the pointer, which is emphasised.
    _hovered: tuple[int, int] | None = None
    _snapshot = 0
    _nodes: list[engine.Boundaries]
    _domains: list[engine.Domain]
    _dots: list[engine.Spots]
    _axes: list[engine.FlatAxes]

    def __init__(self, **values: Any):
        super().__init__(**values)
        self.on_change(["step"], "_go_to_step")

    def _go_to_step(self):
        self.go_to(self.moment)

    # Which moment.

    @property
    def times(self) -> np.ndarray:
        """(T,) seconds at which the snapshots of the record are first shown."""
        record = self.record
        return self.cached("times", (record.snapshots, self.rate), lambda: np.arange(record.snapshots) / self.rate)

    @property
    def moment(self) -> float:
        if self.step < 0:
            # For a running training this is its last snapshot so far: to reach the end, all of it would have to run.
            snapshot = self.record.snapshots - 1
        elif self.trains:
            snapshot = int(np.searchsorted(self.trainer.snapshot_steps, self.step, side="right")) - 1
        else:
            snapshot = self.record.nearest(self.step)
        return snapshot / self.rate

    @property
    def loop(self) -> float | None:
        record = self.record
        return None if self.trains or record.snapshots < 2 else record.snapshots / self.rate

    def snapshot_at(self, time: float) -> int:
        """The number of the snapshot shown at a time."""
        # The small number corrects the rounding of the times, which were divided by the rate.
        wanted = max(0, math.floor(time * self.rate + 1e-6))
        self.trained_to(wanted)
        return min(wanted, self.record.snapshots - 1)

    @property
    def shown_run(self) -> int:
        """The number of the run shown, from 0."""
        return min(self.run, self.record.runs) - 1

    def network_of(self, run: int) -> engine.Mlp:
        """A run's network at the snapshot shown; the same object as long as that is shown."""
        record, snapshot = self.record, min(self._snapshot, self.record.snapshots - 1)
        return self.cached(f"net {run}", (record, snapshot), lambda: record.at(run, snapshot))

    # What is drawn.

    def build(self, stage: engine.Node) -> None:
        self._key = engine.Key()

    def update(self, clock: engine.Clock) -> None:
        self._snapshot = self.snapshot_at(clock.time)
        record = self.record
        runs = tuple(range(record.runs)) if self.together else (self.shown_run,)
        aspect = max(round(self.aspect, 2), 0.01)
        tiles = self._key, (record.shape,), record.domain, record.samples, len(runs), aspect, self.theme
        self.cached("tiles", tiles, lambda: self._lay_out(record, runs, aspect))
        sizes = record.shape.sizes[1:-1]
        styles, shown = self.styles_of(len(sizes)), engine.read_units(self.neurons, sizes)
        for node, domain, label, dots, run in zip(
            self._nodes, self._domains, self._labels, self._dots, runs, strict=True
        ):
            self._show(node, domain, run, styles, shown)
            dots.visible = record.samples is not None and self.samples
            dots.clip = None if self.beyond else (domain.low, domain.high)
            loss = record.losses[run, self._snapshot]
            label.words = record.names[run] + ("" if np.isnan(loss) else f", loss {loss:.4f}")
            label.visible = self.together
        self._key.rows, self._key.above = self.key_rows(), not self.together
        for around in (self._frames, *self._axes):
            around.visible = self.key

    def _lay_out(self, record, runs, aspect):
        """Places a tile for each run, as large as possible in a picture of this shape."""
        self.stage.clear()
        self._nodes, self._labels, self._domains, self._dots, self._axes = [], [], [], [], []
        size, columns = _best_size(record.domain, len(runs), _room(aspect))
        sides = record.domain.high - record.domain.low
        width, height = size * sides / sides.max()
        gap, rows = GAP * size, math.ceil(len(runs) / columns)
        block = np.array([columns * width + (columns - 1) * gap, rows * height + (rows - 1) * gap])
        for k in range(len(runs)):
            row, column = divmod(k, columns)
            left = 0.5 - block[0] / 2 + column * (width + gap)
            bottom = 0.5 + block[1] / 2 - height - row * (height + gap)
            domain = record.domain.placed(left, bottom, size)
            self._domains.append(domain)
            node = engine.Boundaries(record.at(runs[k], 0), origin=domain.origin, axes=domain.axes, task=record.task)
            self._nodes.append(self.stage.add(node))
            self._dots.append(self.stage.add(_dots(record, domain, self.theme)))
            label = engine.Label("", size="small", beyond=(0.0, -1.0, 0.0))
            self._labels.append(self.stage.add(label.move(left + width / 2, bottom + height, 0.0)))
            # Inner tiles have their neighbours' numbers.
            x, y = _ranges(record, domain)
            last = k + columns >= len(runs)
            axes = engine.FlatAxes(domain.low, domain.high, x if last else None, y if column == 0 else None)
            self._axes.append(self.stage.add(axes))
        flat = np.array([[d.low, (d.high[0], d.low[1]), d.high, (d.low[0], d.high[1])] for d in self._domains])
        corners = np.pad(flat, ((0, 0), (0, 0), (0, 1)))
        sides = np.stack([corners, np.roll(corners, -1, axis=1)], axis=2)
        self._frames = self.stage.add(
            engine.Lines(sides, (*engine.THEMES[self.theme].foreground, 0.5), width=1.0, name="frames")
        )
        self._key.beside = flat.min(axis=(0, 1)), flat.max(axis=(0, 1))
        self.stage.add(self._key)

    def _show(self, node, domain, run, styles, shown):
        record = self.record
        if self.trains:
            # While the history grows, only the snapshot shown is uploaded.
            node.show(record.at(run, self._snapshot), origin=domain.origin, axes=domain.axes, task=record.task)
            node.target = record.target
        else:
            placed = self.cached(f"placed {run}", (record, domain), lambda: replace(record, domain=domain))
            node.snapshots(placed, run)
            node.at(self._snapshot)
        node.place = _place(record, domain)
        node.clip = None if self.beyond else (domain.low, domain.high)
        node.background = self._background(record)
        node.fade = self.fade
        node.decision = (self._decision_colour(), 1.0, 1.3 * self.width) if self.decision else None
        node.hovered = self._number(record.shape)
        sizes = record.shape.sizes[1:-1]
        node.styles(
            np.repeat([style.colour for style in styles], sizes, axis=0),
            np.concatenate(shown).astype(float),
            np.full(sum(sizes), self.width),
            [style.dash for style, size in zip(styles, sizes, strict=True) for _ in range(size)],
        )

    def _background(self, record):
        if self.background == "target" and record.samples is not None:
            return "none"  # The samples themselves are drawn.
        if self.background in ("target", "loss") and record.target is None:
            raise SettingError(f"background={self.background}: this history has no target. Take prediction or regions.")
        if self.background == "loss" and record.notes.get("target") == "samples":
            raise SettingError("background=loss: the target is known at its samples alone. Take prediction or regions.")
        return self.background

    def styles_of(self, layers: int) -> tuple[engine.LayerStyle, ...]:
        """A style for each hidden layer."""
        found = engine.layer_styles(layers, self.colours, "paper" if self._is_light() else "dark")
        return found if self.dashes else tuple(replace(style, dash=()) for style in found)

    def _is_light(self):
        # Predictions are black and white in every theme, and the stronger colours are visible on both.
        return self.theme != "dark" or self.background in ("prediction", "target")

    def _decision_colour(self):
        return (0.85, 0.1, 0.55) if self._is_light() else (1.0, 0.75, 0.9)

    def _number(self, shape):
        """The number of the emphasised neuron, or None."""
        if self._hovered is None:
            return None
        layer, unit = self._hovered
        sizes = shape.sizes[1:-1]
        return sum(sizes[:layer]) + unit if layer < len(sizes) and unit < sizes[layer] else None

    def key_rows(self) -> tuple[engine.KeyRow, ...]:
        if not self.key:
            return ()
        sizes = self.record.shape.sizes[1:-1]
        styles, shown = self.styles_of(len(sizes)), engine.read_units(self.neurons, sizes)
        rows = [
            engine.KeyRow(f"layer {k}" if layer.all() or layer.sum() != 1
                   else f"layer {k}, neuron {int(layer.argmax()) + 1}", style.colour, style.dash)
            for k, (style, layer) in enumerate(zip(styles, shown, strict=True), 1) if layer.any()
        ]  # fmt: skip
        if self.decision:
            rows.append(engine.KeyRow("decision", self._decision_colour()))
        return (*rows, *self._colour_rows())

    def _colour_rows(self):
        """KeyRows of what the background's colours mean."""
        record, outputs = self.record, names_of(self.record)[1]
        if self.background == "loss":
            return [engine.KeyRow(f"loss 0 to {engine.MOST_LOSS[record.task]:g}", kind="ramp", map=engine.LOSS_MAP)]
        dots = record.samples is not None and self.samples
        if self.background not in ("prediction", "target") and not dots:
            return []
        kind = "dot" if self.background != "prediction" and dots else "patch"
        if record.task == "classes":
            if kind == "patch" and self.background == "target" and len(outputs) > 2:
                return []  # The image of a target has colours of its own.
            tints = engine.sample_colours(np.arange(len(outputs)), "classes", len(outputs), self.theme)
            named = list(zip(outputs, tints, strict=True))[:NAMED]
            more = [f"and {len(outputs) - NAMED} more"] if len(outputs) > NAMED else []
            return [engine.KeyRow(name, tuple(tint), kind=kind) for name, tint in named] + [
                engine.KeyRow(words, kind="none") for words in more
            ]
        return [engine.KeyRow(f"{outputs[0]} 0 to 1", kind="ramp")] if len(outputs) != 3 else []

    # The vector drawing.

    def drawing(self, clock: engine.Clock, size_mm: tuple[float, float | None] | None = None) -> engine.Drawing:
        self.advance(clock)
        record = self.record
        net, domain = record.at(self.shown_run, self._snapshot), record.domain
        found: engine.Partition | engine.Contours
        try:
            found, exact = engine.linear_regions(net, domain, decision=self.decision), True
        except engine.NetworkError:
            found, exact = engine.zero_contours(net, domain, decision=self.decision), False
        width, height = size_mm or (120.0, None)
        background = self._raster(record, net)
        return engine.boundaries_drawing(
            found, self.styles_of(len(net.layers) - 1), net=net, domain=domain, names=None,
            shown=np.concatenate(engine.read_units(self.neurons, net.shape.sizes[1:-1])),
            width_mm=width, height_mm=height, regions="tint" if self.background == "regions" and exact else False,
            background=background, legend=self.key, theme=self.theme, decision=self.decision,
            line_mm=0.35 * self.width / 2.0, task=record.task, title=net.name, ranges=_ranges(record, domain),
            patches=[(r.words, r.css) for r in self._colour_rows() if r.kind in ("patch", "dot")],
        )  # fmt: skip

    def _raster(self, record, net):
        """(H, W, 3) uint8: the background image of a drawing; None if there is none, or if it is drawn as vectors."""
        if self.background == "loss":
            raise SettingError("background=loss: vectors show prediction, target, regions or none.")
        if self.background == "target":
            target = self._background(record) and record.target
            return np.repeat(target[..., None], 3, axis=2) if target.ndim == 2 else target
        if self.background != "prediction":
            return None
        low, high = record.domain.low, record.domain.high
        width, height = np.maximum(1, np.round(RASTER * (high - low) / (high - low).max())).astype(int)
        x, y = np.meshgrid(
            low[0] + (high[0] - low[0]) * (np.arange(width) + 0.5) / width,
            high[1] - (high[1] - low[1]) * (np.arange(height) + 0.5) / height,
        )
        sums = parts.sums(net)(record.domain.inputs(np.stack([x.ravel(), y.ravel()], 1)))
        colours = engine.prediction_colours(sums, net, record.task, "paper").reshape(height, width, 3)
        behind = 18 if self.theme == "dark" else 255
        return np.round(colours * (1 - self.fade) + behind * self.fade).astype(np.uint8)

    def write_neurons(self, shown: Sequence[Sequence[bool] | np.ndarray]) -> None:
        """Sets which neurons are shown: a bool for each, layer by layer."""
        self.neurons = engine.write_units(shown)


def _room(aspect):
    """(2,) world units that tiles may fill in a picture whose smaller side shows 1 + FREE."""
    long = (1.0 + FREE) * max(aspect, 1.0 / aspect) - FREE
    if aspect <= 1.0:
        return np.array([1.0, max(1.0, long - FREE)])
    # Beside the tiles stands the key, as soon as there is room for it.
    return np.array([max(1.0, long - FREE), 1.0])


def _dots(record, domain, theme):
    """The Spots of a record's samples in a tile."""
    if record.samples is None:
        return engine.Spots(name="samples")
    places = np.pad(domain.world(record.samples), ((0, 0), (0, 1)))
    tints = engine.sample_colours(record.wanted, record.task, record.shape.sizes[-1], theme)
    # Many dots are smaller, so that the ground between them is seen.
    width = float(np.clip(11.0 * (200.0 / len(places)) ** 0.25, 6.0, 11.0))
    return engine.Spots(places, tints, width=width, rim=0.14 * width, name="samples")


def _ranges(record, domain):
    """The ranges of FlatAxes along x and y: where an axis is one input's alone, its numbers and its name."""
    names, found = names_of(record)[0], []
    ends = domain.inputs([domain.low, domain.high])
    for axis in domain.axes:
        k = int(np.argmax(abs(axis)))
        alone = abs(axis[k]) > (1.0 - 1e-9) * np.linalg.norm(axis)
        found.append((float(ends[0, k]), float(ends[1, k]), names[k]) if alone else None)
    return found


def _best_size(domain, count, room):
    """(longer side of a tile, columns): the largest with which `count` tiles of a domain fit into a room (2,)."""
    width, height = (domain.high - domain.low) / (domain.high - domain.low).max()
    best = 0.0, 0, 1
    for columns in range(1, count + 1):
        rows = math.ceil(count / columns)
        across, down = columns * width + (columns - 1) * GAP, rows * height + (rows - 1) * GAP
        best = max(best, (round(float(min(room / (across, down))), 6), -abs(columns - rows), columns))
    return best[0], best[2]


def names_of(record: engine.History) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(names of the inputs, names of the outputs)."""
    count, outputs = record.shape.sizes[0], record.shape.sizes[-1]
    if record.target is None or record.notes.get("target") == "samples":
        word = "class " if record.task == "classes" else "y"
        return tuple(f"x{k + 1}" for k in range(count)), tuple(f"{word}{k + 1}" for k in range(outputs))
    known: dict[str, dict[int, tuple[str, ...]]] = {
        "classes": {2: ("black", "white")},
        "values": {1: ("grey",), 3: ("red", "green", "blue")},
    }
    names = known[record.task].get(outputs, tuple(f"y{k + 1}" for k in range(outputs)))
    return (("row", "column") if count == 2 else tuple(f"x{k + 1}" for k in range(count))), names


def _place(record, domain):
    """(low, high): the world rectangle of a target image."""
    if record.target is None or not np.array_equal(record.domain.axes, [[0.0, 1.0], [-1.0, 0.0]]):
        return domain.low, domain.high
    # Pixels are learnt at their top left corners (Domain.image), so each is drawn with that corner as its middle.
    half = 0.5 * (domain.high - domain.low).max() / max(record.target.shape[:2]) * np.array([-1.0, 1.0])
    return domain.low + half, domain.high + half
