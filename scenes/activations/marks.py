"""What activations shows about one neuron: its receptive field, its channel's map, the neurons that moved it most."""

import math
from dataclasses import dataclass

import numpy as np

import engine
from engine import SettingError
from scenes.activations.answers import HELD, RAISED, finite_span, unit
from scenes.activations.blocks import ActivationsBlocks, typed

# How many neurons that moved the pinned one most are shown; how many of each layer are followed, and to how many each.
FIRST, FOLLOWED, EACH = 12, 5, 4
# The grey of what is no number, on a card.
UNKNOWN = 0.12


@dataclass(frozen=True)
class Neuron:
    """A neuron: the name of its node, and its place there."""

    node: str
    channel: int
    row: int
    column: int

    @property
    def place(self) -> tuple[int, int, int]:
        return self.channel, self.row, self.column


class ActivationsMarks(ActivationsBlocks):
    """Draws marks for the pinned neuron, else for the one under the pointer."""

    _pointed: Neuron | None = None  # the neuron under the pointer
    _known: str | None = None  # the last value of `neuron` that named an existing neuron
    _cloud: engine.NeuronCloud
    _plane: engine.ImagePlane
    _placed: tuple | None  # what decides where blocks stand
    _wired: tuple | None
    made_of: engine.Contributions | None = None  # what the pinned neuron's sum is made of
    _summed: Neuron | None = None  # the neuron whose sum that is, while lines are found
    untold: str | None = None  # why lines to what moved the pinned neuron end early

    @property
    def pinned(self) -> Neuron | None:
        """The Neuron named by the setting `neuron`, or None.

        Raises SettingError for a neuron that does not exist, unless it existed in the network shown before.
        """
        try:
            found = self.cached("pinned", (self.neuron, self.convnet, self.block_names), self._read_neuron)
        except SettingError:
            if self.neuron == self._known:
                return None
            raise
        self._known = self.neuron
        return found

    def _read_neuron(self):
        text = self.neuron.strip()
        if not text:
            return None
        parts = typed(text).split()
        is_place = len(parts) >= 4 and None not in map(engine.whole_number, parts[-3:-1])
        # A name may end in numbers.
        count = 3 if is_place and not self.is_node(" ".join(parts[:-1])) else 1
        name, numbers = " ".join(parts[:-count]), [n for n in map(engine.whole_number, parts[-count:]) if n is not None]
        if not name or len(numbers) < count:
            raise SettingError(f"neuron={text}: it takes block, channel, row, column, as in `fire4 17 9 12`.")
        self._count_numbers(text, parts, count)
        node = self.node_called(name, self.block_names)
        if node not in self.block_names:
            raise SettingError(f"neuron={text}: {name} is not among the blocks. Take blocks=all.")
        place = tuple(numbers) if count == 3 else (numbers[0], 0, 0)
        shape = self.convnet.shapes[node]
        if count == 1 and shape[1:] != (1, 1):
            raise SettingError(
                f"neuron={text}: it takes block, channel, row, column, as in `fire4 17 9 12`: a channel of {name} has "
                f"{shape[1]} x {shape[2]} neurons."
            )
        if not all(p < n for p, n in zip(place, shape, strict=True)):
            raise SettingError(
                f"neuron={text}: {name} has {shape[0]} channels of {shape[1]} x {shape[2]}, counted from 0."
            )
        return Neuron(node, *place)

    def _count_numbers(self, text, parts, count):
        """Raises SettingError where a block's name is followed by other than one or three numbers."""
        given = next((k for k, part in enumerate(reversed(parts)) if engine.whole_number(part) is None), len(parts))
        if given > count and not self.is_node(" ".join(parts[:-count])) and self.is_node(" ".join(parts[:-given])):
            wrong = "one number is missing" if given == 2 else "there are numbers too many"
            raise SettingError(f"neuron={text}: it takes block, channel, row, column, as in `fire4 17 9 12`: {wrong}.")

    def written(self, neuron: Neuron) -> str:
        """The text of a Neuron for the setting `neuron`."""
        label = self.block_labels[self.block_names.index(neuron.node)]
        place = neuron.place if self.convnet.shapes[neuron.node][1:] != (1, 1) else neuron.place[:1]
        return " ".join(map(str, (typed(label), *place)))

    @property
    def marked(self) -> Neuron | None:
        """The Neuron that the card describes: the one under the pointer, else the pinned one, or None."""
        pointed, shapes = self._pointed, self.convnet.shapes
        if pointed is None or pointed.node not in self.block_names:
            return self.pinned
        # It may belong to the network shown before.
        is_there = all(p < n for p, n in zip(pointed.place, shapes[pointed.node], strict=True))
        return pointed if is_there else self.pinned

    # What is drawn.

    def build_marks(self, root: engine.Node, stage: engine.Node) -> None:
        """Adds the marks' nodes: to `root` those in the cloud's space, to `stage` the card."""
        self._ring = root.add(engine.Callout(name="neuron"))
        self._pin = root.add(engine.Callout(name="pinned neuron"))
        self._frame = root.add(engine.Lines(name="what it sees", width=2.5))
        self._wires = root.add(engine.Lines(name="who moved it", width=1.6))
        self._ends = root.add(engine.Points(name="neurons that moved it"))
        self._card = stage.add(engine.Inset(name="the neuron"))
        self._wired = None

    def update_marks(self) -> None:
        """Puts the marks where the neurons are."""
        pinned, marked = self.pinned, self.marked
        self._put(self._pin, pinned)
        self._put(self._ring, marked if marked != pinned else None)
        self._card.show(*self._card_of(marked))
        self._frame.set(*self._framed(marked))
        wired = (pinned, self.responses, self._placed, self._plane.visible) if pinned and self.lines else None
        if self._wired != wired:
            self._wired = wired
            self._wire(pinned if wired else None)

    def _put(self, ring, neuron):
        ring.visible = neuron is not None
        if neuron is None:
            return
        ring.words, ring.around = (), ()
        if self._is_class(neuron):
            ring.words = self.class_name(neuron.channel), f"{100 * self.response(neuron):.1f}%"
            ring.around = self.class_plane
        elif ring is self._pin:
            ring.words = (self.written(neuron),)
        ring.move(*self.where(neuron))

    @property
    def class_plane(self) -> np.ndarray:
        """(N, 3) points of the plane of classes, in the cloud's space."""
        raise NotImplementedError

    def where(self, neuron: Neuron) -> np.ndarray:
        """(3,) a Neuron's place in the cloud's space."""
        return self._cloud.spot(self.block_names.index(neuron.node), *neuron.place)

    def response(self, neuron: Neuron) -> float:
        """A Neuron's response."""
        return float(self.responses[neuron.node][neuron.place])

    def _is_class(self, neuron):
        return neuron.node == self.convnet.output.name and self.kind.kind == "classes"

    def _framed(self, neuron):
        """(segments, colour) of the frame round a neuron's receptive field, on the picture."""
        if neuron is None or not self._plane.visible or self.takes_code:
            return (), (*engine.FRAMED, 1.0)
        top, left, bottom, right = self.convnet.field(neuron.node, neuron.row, neuron.column)
        corners = [self._on_picture(*p) for p in ((top, left), (top, right), (bottom, right), (bottom, left))]
        return [(corners[k], corners[(k + 1) % 4]) for k in range(4)], (*engine.FRAMED, 1.0)

    def _on_picture(self, row, column):
        """(3,) the point of the picture's plane at (row, column), pixels from its top left."""
        height, width = (1, 1) if self.takes_code else self.seen.shape[:2]
        corner, right, down = (np.array(v) for v in (self._plane.corner, self._plane.right, self._plane.down))
        # A little in front of the picture.
        before = np.cross(down, right)
        return corner + right * column / width + down * row / height + 0.6 * before / np.linalg.norm(before)

    # The card.

    def _card_of(self, neuron):
        """(title, rows, images) for the card of a neuron."""
        if neuron is None:
            return "", (), ()
        return self.cached("card", (neuron, self.responses, self.normalise), lambda: self._described(neuron))

    def _described(self, neuron):
        probabilities = self.probabilities
        if self._is_class(neuron) and probabilities is not None:
            rank = int((probabilities > probabilities[neuron.channel]).sum()) + 1
            rows = [("class", str(neuron.channel)), ("probability", f"{100 * self.response(neuron):.2f}%")]
            rows.append(("place", f"{rank} of {len(probabilities)}"))
            return self.class_name(neuron.channel), tuple(rows), ()
        label = self.block_labels[self.block_names.index(neuron.node)]
        top, left, bottom, right = self.convnet.field(neuron.node, neuron.row, neuron.column)
        values = self.responses[neuron.node][neuron.channel]
        rows = [
            ("response", f"{self.response(neuron):.4g}"),
            ("z-score", f"{self.score(neuron):+.2f}".replace("+nan", "nan")),
        ]
        box = None if self.takes_code else (top, left, bottom, right)
        images = [engine.InsetImage(self.seen, f"sees {bottom - top} x {right - left}" if box else "the code", box)]
        if values.shape != (1, 1):
            values, at = self._as_patches(neuron, values, rows)
            low, high = np.minimum((0.0, np.inf), finite_span(values))
            colours = engine.srgb(engine.map_colours("viridis", "image", unit(values, low, high)))
            colours[np.isnan(values)] = UNKNOWN
            pixels = np.round(colours * 255).astype(np.uint8)
            box = None if at is None else (*at, at[0] + 1, at[1] + 1)
            images.append(engine.InsetImage(pixels, f"{low:.3g} to {high:.3g}", box))
        return f"{label}, channel {neuron.channel}", tuple(rows), tuple(images)

    def _as_patches(self, neuron, values, rows):
        """(the channel's values as a map, (row, column) of the neuron there); adds the row that says where it is."""
        grid = self.grid_of(neuron.node)
        if grid is None:
            rows.insert(0, ("row, column", f"{neuron.row}, {neuron.column}"))
            return values, (neuron.row, neuron.column)
        number = grid.number(neuron.row)
        at = divmod(number, grid.columns) if number >= 0 else None
        added = "class" if grid.added == 1 else f"added {neuron.row + 1}"
        rows.insert(0, ("token", added if at is None else f"patch {at[0]}, {at[1]}"))
        return values[grid.added :].reshape(grid.rows, grid.columns), at

    def score(self, neuron: Neuron) -> float:
        """How many standard deviations a response is above the mean, both as NeuronCloud.statistics has them."""
        key = self.responses, self.normalise, self.block_names
        means, deviations = self.cached("statistics", key, self._cloud.statistics)[self.block_names.index(neuron.node)]
        deviation = float(deviations[neuron.channel])
        return (self.response(neuron) - float(means[neuron.channel])) / deviation if deviation else 0.0

    # The neurons that moved it.

    def _movers(self, neuron, most):
        """The Attributions to a neuron; none, and `untold` says why, where they cannot be followed."""
        try:
            made = engine.contributions(
                self.convnet, self.responses, neuron.node, neuron.place, set(self.block_names), most=most
            )
            if not math.isfinite(made.sum):
                self.untold = f"nothing is told of what moved a neuron whose sum is {made.sum:g}"
                return []
            # Of a class whose score is shown, it is the score that is made of others.
            is_whole = len(made.found) == 1 and made.found[0].amount == made.sum
            if neuron == self._summed:
                of = made.found[0] if is_whole else None
                self._summed = Neuron(of.node, of.channel, of.row, of.column) if of else None
                self.made_of = made
            return made.found
        except engine.NetworkError as error:
            self.untold = str(error)
            return []

    def _wire(self, neuron):
        """Lines from a neuron to those that moved it most, from these to theirs, and so on to the picture."""
        self.untold = self.made_of = None
        self._summed = neuron
        segments: list[tuple] = []
        strengths: list[float] = []
        ends: dict[Neuron, float] = {}
        level = {neuron: 1.0} if neuron else {}
        while level:
            found: dict[Neuron, float] = {}
            for at, share in level.items():
                # What raised a response below 0 lowered all that it raised.
                share = share if at is neuron or self.response(at) >= 0 else -share
                most = FIRST if at is neuron else EACH
                moved = self._movers(at, most)
                for i in moved:
                    mover = Neuron(i.node, i.channel, i.row, i.column)
                    segments.append((self.where(at), self.where(mover)))
                    strengths.append(share * i.share)
                    found[mover] = found.get(mover, 0.0) + share * i.share
                if not moved and self._plane.visible:
                    top, left, bottom, right = self.convnet.field(at.node, at.row, at.column)
                    segments.append((self.where(at), self._on_picture((top + bottom) / 2, (left + right) / 2)))
                    strengths.append(share)
            ends |= found
            strongest = sorted(found, key=lambda n: -abs(found[n]))[:FOLLOWED]
            largest = max((abs(found[n]) for n in strongest), default=1.0) or 1.0
            # Shares shrink from layer to layer, so each is drawn relative to the strongest of its layer.
            level = {n: found[n] / largest for n in strongest}
        self._wires.set(segments, _coloured(np.array(strengths)))
        self._ends.set([self.where(n) for n in ends], _coloured(np.array(list(ends.values())), least=0.7), 4.0)


def _coloured(strengths, least=0.25):
    """(N, 4) linear RGBA of shares from -1 to 1."""
    if not len(strengths):
        return 1.0, 1.0, 1.0, 1.0
    colour = np.where(strengths[:, None] >= 0, RAISED, HELD)
    return np.concatenate([colour, np.clip(abs(strengths)[:, None] ** 0.5, least, 1.0)], axis=1)
