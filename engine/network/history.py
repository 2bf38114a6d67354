"""The history of trainings: weights at many steps of one or more runs, and the schedule of those steps."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import NetworkError, ShapeError
from engine.network.mlp import Mlp, Shape

# Kinds of losses: `classes` is softmax cross-entropy over logits, `values` is mean squared error.
TASKS = ("classes", "values")


def flat(net: Mlp) -> np.ndarray:
    """(P,) float32: a network's weights in a history's order, layer by layer: weights row by row, then biases."""
    return np.concatenate([part.ravel() for layer in net.layers for part in (layer.weights, layer.bias)])


def unflat(shape: Shape, weights: np.ndarray, name: str = "network") -> Mlp:
    """The Mlp of a Shape and of weights in the order of `flat`. Raises ShapeError for a wrong count."""
    if np.shape(weights) != (shape.weight_count,):
        raise ShapeError(f"{shape} has {shape.weight_count} weights; {np.shape(weights)} were given.")
    parts = layer_parts(shape, np.asarray(weights)[None])
    return Mlp([w[0] for w, _ in parts], [b[0] for _, b in parts], shape.activations, name=name)


def layer_parts(shape: Shape, weights: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weights (S, out, in) and biases (S, out) of each layer, of S networks' weights (S, P) as `flat` gives them."""
    parts, at = [], 0
    for inputs, out in itertools.pairwise(shape.sizes):
        end = at + out * inputs
        parts.append((weights[:, at:end].reshape(-1, out, inputs), weights[:, end : end + out]))
        at = end + out
    return parts


@dataclass(frozen=True, eq=False)
class Domain:
    """A plane through a network's inputs, and the rectangle in it that holds the data.

    origin       (inputs,): the input at world x = y = 0
    axes         (2, inputs): what a step of 1 along world x, and along world y (upwards), adds to the input
    low, high    (2,), world: the rectangle that holds the data
    """

    origin: np.ndarray
    axes: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def __post_init__(self):
        for name in ("origin", "axes", "low", "high"):
            object.__setattr__(self, name, np.array(getattr(self, name), float))
        inputs = self.origin.size
        shapes = self.origin.shape, self.axes.shape, self.low.shape, self.high.shape
        if shapes != ((inputs,), (2, inputs), (2,), (2,)):
            raise ShapeError(f"A domain of {inputs} inputs has origin, axes, low and high of shapes {shapes}.")
        if not all(np.isfinite(v).all() for v in (self.origin, self.axes, self.low, self.high)):
            raise ShapeError("A domain's numbers must be finite.")
        if not (self.low < self.high).all():
            raise ShapeError(f"A domain must lie between low {self.low} and a greater high, not {self.high}.")

    @classmethod
    def plane(
        cls, inputs: int, low: ArrayLike, high: ArrayLike, x: int = 0, y: int = 1, rest: ArrayLike | None = None
    ) -> Domain:
        """The plane with input x to the right and y upwards, the others fixed at `rest` (zeros); low, high (2,)."""
        origin = np.zeros(inputs) if rest is None else np.array(rest, float)
        origin[[x, y][: min(2, inputs)]] = 0.0
        axes = np.zeros((2, inputs))
        axes[0, x] = 1.0
        if inputs > 1:
            axes[1, y] = 1.0
        return cls(origin, axes, np.asarray(low, float), np.asarray(high, float))

    @classmethod
    def image(cls, height: int, width: int) -> Domain:
        """The domain of an image: input 0 is row / side, input 1 column / side; side is the larger of both sizes.

        The top left corner of the image is at world (0, 1).
        """
        side = max(height, width)
        low, high = np.array([0.0, 1.0 - height / side]), np.array([width / side, 1.0])
        return cls(np.array([1.0, 0.0]), np.array([[0.0, 1.0], [-1.0, 0.0]]), low, high)

    def placed(self, left: float, bottom: float, size: float) -> Domain:
        """The same plane in world coordinates in which `low` is (left, bottom) and the longer side is `size`."""
        factor = (self.high - self.low).max() / size
        corner = np.array([left, bottom], float)
        axes = self.axes * factor
        origin = self.origin + self.low @ self.axes - corner @ axes
        return Domain(origin, axes, corner, corner + (self.high - self.low) / factor)

    def inputs(self, points: ArrayLike) -> np.ndarray:
        """(N, inputs) of (N, 2) world points."""
        return self.origin + np.asarray(points, float) @ self.axes

    def world(self, inputs: ArrayLike) -> np.ndarray:
        """(N, 2): the world points of the plane nearest to (N, inputs)."""
        return (np.asarray(inputs, float) - self.origin) @ np.linalg.pinv(self.axes)


@dataclass(frozen=True, eq=False)
class History:
    """Snapshots of R runs of one shape at the same T steps.

    shape     Shape of all networks; a classifier's last activation is identity (its outputs are logits) or softmax
    steps     (T,) int64, ascending, from 0 on
    weights   (R, T, P) float32, each in the order of `flat`
    losses    (R, T) float64, over all data; nan if unknown
    domain    Domain
    task      one of TASKS
    target    the image to be learnt, (H, W) or (H, W, 3) uint8 over the domain, row 0 on top; or None
    samples   (N, inputs) float32: what was learnt, or a part of it; or None
    wanted    (N,) classes or (N, outputs) values at the samples, float32; None without samples
    names     R texts, such as `seed 3`
    notes     {name: text}: how it was trained

    Raises ShapeError or NetworkError for parts that do not fit one another.
    """

    shape: Shape
    steps: np.ndarray
    weights: np.ndarray
    losses: np.ndarray
    domain: Domain
    task: str = "classes"
    target: np.ndarray | None = None
    names: tuple = ()
    notes: dict = field(default_factory=dict)
    samples: np.ndarray | None = None
    wanted: np.ndarray | None = None

    def __post_init__(self):
        put = lambda name, value: object.__setattr__(self, name, value)
        put("steps", np.array(self.steps, np.int64))
        put("weights", np.asarray(self.weights, np.float32))
        put("losses", np.array(self.losses, float))
        if self.weights.ndim != 3 or 0 in self.weights.shape:
            raise ShapeError(f"A history's weights are (runs, snapshots, weights), not {self.weights.shape}.")
        if self.steps.shape != (self.snapshots,) or (np.diff(self.steps) <= 0).any() or self.steps[0] < 0:
            raise ShapeError(f"A history's steps must be {self.snapshots} rising whole numbers from 0 on.")
        if self.losses.shape != (self.runs, self.snapshots):
            raise ShapeError(f"A history's losses are ({self.runs}, {self.snapshots}), not {self.losses.shape}.")
        if self.task not in TASKS:
            raise NetworkError(f"A history's task is one of {', '.join(TASKS)}, not {self.task}.")
        if self.domain.origin.size != self.shape.sizes[0]:
            raise ShapeError(f"{self.shape} has {self.shape.sizes[0]} inputs, its domain {self.domain.origin.size}.")
        if self.target is not None:
            put("target", np.asarray(self.target, np.uint8))
            if self.target.ndim not in (2, 3) or (self.target.ndim == 3 and self.target.shape[2] != 3):
                raise ShapeError(f"A history's target is (H, W) or (H, W, 3), not {self.target.shape}.")
        if (self.samples is None) != (self.wanted is None):
            raise ShapeError("A history has samples and what is wanted at them, or neither.")
        if self.samples is not None and self.wanted is not None:
            put("samples", np.asarray(self.samples, np.float32))
            put("wanted", np.asarray(self.wanted, np.float32))
            inputs, outputs, count = self.shape.sizes[0], self.shape.sizes[-1], len(np.atleast_1d(self.samples))
            fits = self.wanted.shape == ((count,) if self.task == "classes" else (count, outputs))
            if self.samples.shape != (count, inputs) or not fits:
                raise ShapeError(
                    f"A history's samples are {self.samples.shape} and wanted {self.wanted.shape}; {self.shape} learns "
                    f"{self.task} of {inputs} inputs."
                )
            if not (np.isfinite(self.samples).all() and np.isfinite(self.wanted).all()):
                raise ShapeError("A history's samples must be finite.")
        put("names", tuple(self.names) or tuple(f"run {k + 1}" for k in range(self.runs)))
        if len(self.names) != self.runs:
            raise ShapeError(f"A history of {self.runs} runs has {len(self.names)} names.")
        unflat(self.shape, self.weights[0, 0])

    @property
    def runs(self) -> int:
        return self.weights.shape[0]

    @property
    def snapshots(self) -> int:
        return self.weights.shape[1]

    def at(self, run: int, snapshot: int) -> Mlp:
        """The Mlp of a run at a snapshot, each given by its number from 0."""
        name = f"{self.names[run]}, step {self.steps[snapshot]:,}"
        return unflat(self.shape, self.weights[run, snapshot], name)

    def nearest(self, step: float) -> int:
        """The number of the last snapshot at or before a step; 0 if all are later."""
        return max(0, int(np.searchsorted(self.steps, step, side="right")) - 1)

    @classmethod
    def of(cls, net: Mlp, domain: Domain, **more: Any) -> History:
        """A history with one snapshot, for a network whose training is unknown."""
        weights, losses = flat(net)[None, None], np.full((1, 1), np.nan)
        return cls(net.shape, np.zeros(1, int), weights, losses, domain, names=(net.name,), **more)


# (up to this step, every so many steps), as in GINN (Darlow and Storkey 2018): frequent at first. GINN recorded 431 of
# 1,280,000 steps in this way: 0 to 1,270,000.
PIECES = (
    (50, 1), (200, 2), (300, 5), (500, 10), (1000, 20), (2000, 50), (4000, 100), (10_000, 500), (640_000, 5000),
    (None, 10_000),
)  # fmt: skip


def snapshot_steps(steps: int) -> np.ndarray:
    """(T,) int64: the steps at which a training of `steps` steps is recorded, from 0 to the last one."""
    taken, at = [0], 0
    for until, every in PIECES:
        end = steps if until is None else min(until, steps)
        taken += range(at + every, end + 1, every)
        at = end
        if end == steps:
            break
    if taken[-1] != steps:
        taken.append(steps)
    return np.array(taken, np.int64)


def following(step: int) -> int:
    """The next step at which a training without an end is recorded."""
    piece = next(k for k, (until, _) in enumerate(PIECES) if until is None or step < until)
    at, every = (PIECES[piece - 1][0] or 0) if piece else 0, PIECES[piece][1]
    return at + ((step - at) // every + 1) * every


def thinned(steps: ArrayLike, count: int) -> np.ndarray:
    """`count` of some ascending steps, the first and last included, spread evenly in the logarithm of step + 1."""
    steps = np.array(steps, np.int64)
    places = np.log1p(steps)
    while len(steps) > max(count, 2):
        # The step with the smallest gap between its neighbours is removed.
        at = int(np.argmin(places[2:] - places[:-2])) + 1
        steps, places = np.delete(steps, at), np.delete(places, at)
    return steps


def spread_steps(steps: int, count: int) -> np.ndarray:
    """(T,) int64: `count` steps of a training (all, if it has fewer), spread evenly in the logarithm."""
    known = snapshot_steps(steps)
    if count < len(known):
        return thinned(known, count)
    if count > steps:
        return np.arange(steps + 1)
    finer = count
    rule = known
    while len(known) < count:
        known = np.union1d(rule, np.rint(np.expm1(np.linspace(0.0, np.log1p(steps), finer))).astype(np.int64))
        finer = finer * 9 // 8
    return thinned(known, count)
