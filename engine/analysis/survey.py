"""A run's networks evaluated on a grid of points, many snapshots at once: the data from which findings are made."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import NetworkError
from engine.kept import once
from engine.network.activations import JOINT, Activation
from engine.network.history import Domain, History, layer_parts
from engine.network.mlp import Shape
from engine.network.rules.rule import SQRT2
from engine.network.units.bends import places
from engine.network.units.mixed import LayerActivation, Mixed
from engine.regions.linear_regions import Partition, regions

# Most multiply-adds of one survey, about a second on a slow core, and most bytes of the signs. Past either,
# snapshots are left out, evenly, down to FEWEST.
WORK = 1e10
BYTES = 64e6
FEWEST = 48

# Up to so many hidden units the exact linear regions are computed: 2-128x4-2 has 512 and takes about a second.
MOST_EXACT = 640

# A boundary that has less than this part of the domain on one side cuts no more than a corner or a sliver.
SLIVER = 0.01


@dataclass(frozen=True)
class Finding:
    """Something worth seeing in a run.

    kind       one of findings.KINDS
    title      a few words
    text       a sentence or two with numbers
    snapshot   the number of the snapshot at which it is seen best
    neurons    ((layer, unit), ...), hidden ones, from 0
    score      how strong it is, comparable within its kind
    """

    kind: str
    title: str
    text: str
    snapshot: int
    neurons: tuple = ()
    score: float = 0.0


class RunSurvey:
    """The signs of all hidden units and the network's answers at a grid of points, snapshot by snapshot.

    samples    points per side of the grid, the domain's edges included
    snapshots  (S,), the numbers of the snapshots examined: of those with finite weights the first, the last, and as
               many between as WORK and BYTES allow
    first      [(units,)], a hidden layer each: the z of a unit's first boundary, 0 for most; -inf without any
    signs      [(S, units, bytes) uint8], a hidden layer each: z > first at each point, packed by eight
    active     [(S, units)], the part of the domain on which z > first
    labels     (S, N), a classifier's answer: the likeliest class; None for values
    outputs    (S, N, outputs) float32, the answers for values; None for classes
    """

    def __init__(self, history, run, samples=48):
        self.history, self.run, self.samples = history, run, samples
        self.points = grid(history.domain, samples, samples)
        count = len(self.points)
        sizes = history.shape.sizes
        self.hidden = sizes[1:-1]
        self.first = first_boundaries(history.shape)
        work = count * sum(a * b for a, b in zip(sizes, sizes[1:], strict=False))
        most = min(WORK / work, BYTES / max(1, sum(self.hidden) * count / 8))
        usable = finite_snapshots(history, run)
        self.snapshots = usable[spread(len(usable), max(FEWEST, int(most)))]
        self.steps = history.steps[self.snapshots]
        self.losses = history.losses[run][self.snapshots]
        self._evaluate(count)
        self.active = [np.bitwise_count(s).sum(-1, dtype=np.int64) / count for s in self.signs]

    def _evaluate(self, count):
        signs: list[list[np.ndarray]] = [[] for _ in self.hidden]
        found = []
        at_once = snapshots_at_once(self.history, count)
        for first in range(0, len(self.snapshots), at_once):
            *hidden, last = self.signals(self.snapshots[first : first + at_once])
            for number, (layer, z) in enumerate(zip(signs, hidden, strict=True)):
                layer.append(np.packbits(z > self.first[number][:, None], axis=-1))
            answer = answers(self.history, last)
            if self.history.task == "classes":
                found.append(answer.argmax(1).astype(np.int16))
            else:
                found.append(np.moveaxis(answer, 1, -1).astype(np.float32))
        self.signs = [np.concatenate(layer) for layer in signs]
        self.labels = np.concatenate(found) if self.history.task == "classes" else None
        self.outputs = np.concatenate(found) if self.history.task == "values" else None

    @once
    def partition(self) -> Partition | None:
        """The exact linear regions at the last snapshot; None if the network has none or is too large."""
        if sum(self.hidden) > MOST_EXACT:
            return None
        try:
            return regions(self.history.at(self.run, int(self.snapshots[-1])), self.history.domain, decision=False)
        except NetworkError:
            return None

    def finding(
        self, kind: str, title: str, text: str, index: int, score: float, layer: int = 0, units: Iterable[int] = ()
    ) -> Finding:
        """A Finding about units of a layer; index: which of the chosen snapshots shows it."""
        neurons = tuple((layer, int(unit)) for unit in units)
        return Finding(kind, title, text, int(self.snapshots[index]), neurons, float(score))

    def signals(self, snapshots: Sequence[int] | np.ndarray) -> list[np.ndarray]:
        """This run's `signals` at the grid's points: a list of (S, units, N) float32."""
        return signals(self.history, self.run, snapshots, self.points)

    def sides(self, layer: int, index: int) -> np.ndarray:
        """(units, N) float32, -1 or 1: the points' sides of a hidden layer's boundaries at one chosen snapshot."""
        bits = np.unpackbits(self.signs[layer][index], axis=-1, count=len(self.points))
        return bits.astype(np.float32) * 2 - 1

    def cuts(self, layer: int) -> np.ndarray:
        """(S, units) bool: whether a boundary has more than a sliver of the domain on either side."""
        return np.minimum(self.active[layer], 1 - self.active[layer]) > SLIVER

    def moved(self, layer: int) -> np.ndarray:
        """(S - 1, units): the part of the domain that a boundary sweeps from one chosen snapshot to the next."""
        signs = self.signs[layer]
        changed = (np.bitwise_count(a ^ b).sum(-1, dtype=np.int64) for a, b in zip(signs, signs[1:], strict=False))
        return np.array(list(changed)).reshape(-1, signs.shape[1]) / len(self.points)

    def changed(self) -> np.ndarray:
        """(S - 1,): how much the answer changes from one chosen snapshot to the next.

        The part of the domain that gets another class; for values the mean change over their deviation.
        """
        if self.labels is not None:
            return (self.labels[1:] != self.labels[:-1]).mean(1)
        values = np.asarray(self.outputs)
        return (np.abs(values[1:] - values[:-1]) / (values.std(axis=(0, 1)) + 1e-12)).mean((1, 2))


def finite_snapshots(history: History, run: int) -> np.ndarray:
    """The numbers of a run's snapshots before the first whose weights are not all finite."""
    wrong = np.flatnonzero(~np.isfinite(history.weights[run]).all(1))
    return np.arange(wrong[0] if len(wrong) else history.snapshots)


def first_boundaries(shape: Shape) -> list[np.ndarray]:
    """For each hidden layer (units,): the signal at which each unit has its first boundary; -inf where it has none."""
    layers = zip(shape.activations[:-1], shape.sizes[1:], strict=False)
    return [np.array([min(some, default=-np.inf) for some in places(a, units)], np.float32) for a, units in layers]


def spread(count: int, most: int) -> np.ndarray:
    """At most `most` of the numbers 0 to count - 1, evenly spaced, the first and the last among them."""
    return np.unique(np.linspace(0, count - 1, min(count, max(2, most))).round().astype(int))


# Texts of findings.


def listed(numbers: Iterable[int]) -> str:
    """`2`, `2 and 6`, `2, 6 and 9` of units counted from 0."""
    words = [str(int(n) + 1) for n in numbers]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def neurons_text(layer: int, units: Sequence[int] | np.ndarray) -> str:
    """`Layer 3, neurons 2 and 6` of a layer and units counted from 0."""
    return f"Layer {layer + 1}, neuron{'s' if len(units) > 1 else ''} {listed(units)}"


def since_text(survey: RunSurvey, index: int) -> str:
    """`from step 85,000 on` for a chosen snapshot; `from the start` for the first; nothing if there is only one."""
    if len(survey.snapshots) == 1:
        return ""
    return "from the start" if index == 0 else f"from step {survey.steps[index]:,} on"


def percent(part: float) -> str:
    """A part in percent, with significant digits only."""
    value = 100 * part
    if 0 < value < 0.1 or 99.9 < value < 100:
        return "under 0.1%" if value < 1 else "over 99.9%"
    return f"{value:.0f}%" if 10 <= value < 90 or value in (0, 100) else f"{value:.1f}%"


def holds_since(holds: ArrayLike) -> int:
    """The first index from which (S,) bools are true to the end; S where the last one is false."""
    wrong = np.flatnonzero(~np.asarray(holds))
    return int(wrong[-1]) + 1 if len(wrong) else 0


# Most numbers in one array: 32 MB of float32, not far above a processor's caches.
CHUNK = 8_000_000


def layer_weights(
    history: History, run: int, snapshots: Sequence[int] | np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weights (S, out, in) and biases (S, out) of each layer, at the numbers of S snapshots."""
    return layer_parts(history.shape, history.weights[run][np.asarray(snapshots)])


def on_plane(weights: np.ndarray, bias: np.ndarray, domain: Domain) -> tuple[np.ndarray, np.ndarray]:
    """A first layer's weights (S, out, 2) and bias (S, out) over a domain's world x and y, in float64."""
    return weights @ domain.axes.T, bias + weights @ domain.origin


def responses(activation: LayerActivation, z: np.ndarray) -> np.ndarray:
    """The units' responses to their signals z, (S, units, N) float32.

    gelu is approximated, since numpy has no erf: Abramowitz and Stegun 7.1.26, within 1.5e-7 of erf.
    """
    if isinstance(activation, Mixed) or activation.name in JOINT:
        return _values(activation, z).astype(np.float32, copy=False)
    if activation.name == "gelu":
        x = np.abs(z) / np.float32(SQRT2)
        t = 1 / (1 + np.float32(0.3275911) * x)
        tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
        tail *= np.exp(-x * x) / 2
        return z * np.where(z > 0, 1 - tail, tail)
    return activation.rule.value(z, activation.argument).astype(np.float32, copy=False)


def _values(activation: LayerActivation, z: np.ndarray) -> np.ndarray:
    """An activation of (S, units, N) signals, float64."""
    if isinstance(activation, Activation) and activation.rule.elementwise:
        return activation.value(z)
    return np.moveaxis(activation.value(np.moveaxis(z, 1, -1)), -1, 1)


def tangents(activation: LayerActivation, z: np.ndarray, dz: np.ndarray) -> np.ndarray:
    """Derivatives of the responses to (S, units, N) signals z whose derivatives are dz, (..., S, units, N)."""
    if isinstance(activation, Activation) and activation.rule.elementwise:
        return dz * activation.slope(z)
    return np.moveaxis(activation.tangent(np.moveaxis(z, -2, -1), np.moveaxis(dz, -2, -1)), -1, -2)


def signals(history: History, run: int, snapshots: Sequence[int] | np.ndarray, points: ArrayLike) -> list[np.ndarray]:
    """Each unit's signal, before its activation: a list of (S, units, N) float32, one per layer, the outputs last.

    snapshots   S numbers of snapshots
    points      (N, 2), world
    """
    out: list[np.ndarray] = []
    points = np.asarray(points, float)
    for k, (weights, bias) in enumerate(layer_weights(history, run, snapshots)):
        if k == 0:
            weights, bias = on_plane(weights, bias, history.domain)
            z = (weights @ points.T + bias[..., None]).astype(np.float32)
        else:
            h = responses(history.shape.activations[k - 1], out[-1])
            z = weights @ h + bias[..., None]
        out.append(z)
    return out


def answers(history: History, z: np.ndarray) -> np.ndarray:
    """(S, outputs, N): the classes' probabilities, or the values, of the last layer's signals z, (S, outputs, N).

    A classifier of one output computes the probability of class 1; that of class 0 is put before it.
    """
    last = history.shape.activations[-1]
    if history.task == "values":
        return _values(last, z)
    if z.shape[1] == 1:
        p = last.value(z)
        # A sigmoid's value is a probability already; of anything else it is the logit of one.
        p = p if str(last) == "sigmoid" else 0.5 + 0.5 * np.tanh(p / 2)
        return np.concatenate([1 - p, p], 1)
    logits = z if last.is_whole else _values(last, z)
    e = np.exp(logits - logits.max(1, keepdims=True), dtype=float)
    return e / e.sum(1, keepdims=True)


def snapshots_at_once(history: History, points: int) -> int:
    """How many snapshots are evaluated at so many points in arrays of at most CHUNK numbers; 1 or more."""
    return max(1, CHUNK // (max(history.shape.sizes[1:]) * points))


def grid(domain: Domain, columns: int, rows: int) -> np.ndarray:
    """(rows * columns, 2): world points over a domain, its sides among them, row by row from the top left."""
    x = np.linspace(domain.low[0], domain.high[0], columns)
    y = np.linspace(domain.high[1], domain.low[1], rows)
    return np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)


def target_classes(history: History) -> np.ndarray | None:
    """A classifier's target as class numbers, (H, W); None where it is not known what class a grey stands for."""
    image = history.target
    if history.task != "classes" or image is None or image.ndim != 2:
        return None
    levels, numbers = np.unique(image, return_inverse=True)
    classes = max(2, history.shape.sizes[-1])
    if levels[-1] < classes:
        return image.astype(int)
    # An image of greys: the darkest is class 0, as in training.
    return numbers.reshape(image.shape) if len(levels) == classes else None
