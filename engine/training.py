"""Training networks while somebody watches: the recipe, and a trainer that takes steps when it is told to."""

import math
import time
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np

from engine.errors import NetworkError, SettingError, ShapeError, near
from engine.kernels.train import Training
from engine.kernels.train_loss import Losses
from engine.network.activations import Activation
from engine.network.history import TASKS, Domain, History, flat
from engine.network.mlp import Mlp, Shape, sizes_text
from engine.network.snapshots import snapshot_steps

# The learning rate's share at each part of the way, from 0 to 1.
ANNEALS = {
    "cosine": lambda part: 0.5 * (1.0 + np.cos(np.pi * part)),
    "linear": lambda part: 1.0 - part,
    "none": np.ones_like,
}
MOST_STEPS = 1 << 32
# Seconds of a dispatch in a live window: long enough to be worth its submission, short enough for the next frame.
SHORTEST, LONGEST = 0.005, 0.05


@dataclass(frozen=True)
class Recipe:
    """How networks are trained.

    sizes        (inputs, hidden ..., outputs)
    activation   of the hidden layers
    task         "classes": the outputs are logits, the loss softmax cross-entropy; "values": mean squared error
    steps        of Adam
    batch        samples of a step, drawn with replacement; 0 for all of them
    rate         learning rate of the first step
    anneal       how it falls to 0: cosine (PyTorch's CosineAnnealingLR), linear, or none, when it stays
    beta1, beta2, epsilon   of Adam
    last         activation of the last layer; for classes identity

    Raises NetworkError or SettingError for what makes no training.
    """

    sizes: tuple[int, ...]
    activation: str = "relu"
    task: str = "classes"
    steps: int = 1_280_000
    batch: int = 128
    rate: float = 1e-3
    anneal: str = "cosine"
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    last: str = "identity"

    def __post_init__(self):
        object.__setattr__(self, "sizes", tuple(int(n) for n in self.sizes))
        if len(self.sizes) < 2 or min(self.sizes) < 1:
            raise NetworkError(f"Sizes {self.sizes} make no network: give inputs and outputs at least, each 1 or more.")
        for name, known in (("task", TASKS), ("anneal", ANNEALS)):
            if getattr(self, name) not in known:
                raise SettingError(near(getattr(self, name), known, noun=name))
        for name, least, most in (("steps", 1, MOST_STEPS), ("batch", 0, 1 << 24)):
            value = getattr(self, name)
            if int(value) != value or not least <= value <= most:
                raise SettingError(f"A training's {name} must be a whole number from {least} to {most:,}, not {value}.")
            object.__setattr__(self, name, int(value))
        for name, fits in (
            ("rate", 0 < self.rate <= 1e3), ("epsilon", 0 < self.epsilon <= 1),
            ("beta1", 0 <= self.beta1 < 1), ("beta2", 0 <= self.beta2 < 1),
        ):  # fmt: skip
            if not fits:
                raise SettingError(f"A training's {name} cannot be {getattr(self, name)}; usual is {USUAL[name]}.")
        for activation in self.shape.activations:
            if not activation.rule.elementwise:
                raise NetworkError(f"{activation} is no activation to train with: for classes it is part of the loss.")
        if self.task == "classes" and self.shape.activations[-1].name != "identity":
            raise NetworkError(f"A classifier's last activation is identity, not {self.last}: its outputs are logits.")

    @cached_property
    def shape(self):
        hidden = (Activation.parse(self.activation),) * (len(self.sizes) - 2)
        return Shape(self.sizes, (*hidden, Activation.parse(self.last)))

    def rates(self, first, count):
        """The learning rates of `count` steps from step `first` on, counted from 0; float64."""
        return self.rate * ANNEALS[self.anneal](np.arange(first, first + count) / self.steps)

    def __str__(self):
        batch = f"batch {self.batch}" if self.batch else "all data each step"
        anneal = "" if self.anneal == "none" else f", {self.anneal} annealing"
        return (
            f"{sizes_text(self.sizes)} {self.activation}, {self.task}, {self.steps:,} steps, {batch}, "
            f"rate {self.rate:g}{anneal}"
        )


USUAL = {"rate": "0.001", "epsilon": "1e-8", "beta1": "0.9", "beta2": "0.999"}


def first_weights(shape, seed):
    """A network as PyTorch's Linear begins: weights and biases uniform within 1 / sqrt(inputs of the layer)."""
    rng = np.random.default_rng(seed)
    weights, biases = [], []
    for n, m in zip(shape.sizes, shape.sizes[1:], strict=False):
        bound = 1 / math.sqrt(n)
        weights.append(rng.uniform(-bound, bound, (m, n)))
        biases.append(rng.uniform(-bound, bound, m))
    return Mlp(weights, biases, shape.activations, name=f"seed {seed}")


class Trainer:
    """One or more runs of a recipe side by side, each from its own first weights and with its own minibatches.

    points      (N, inputs)
    targets     (N,) classes counted from 0, or (N, outputs) values
    recipe      Recipe
    seeds       one a run: of its first weights and its minibatches
    snapshots   steps whose weights are kept; 0 and the last one are always among them. None: snapshot_steps
    domain      the plane that shows the data; None: the first two inputs, as far as the points reach
    target      picture of what is to be learnt, for the History
    starts      first networks, one a run, instead of PyTorch's

    No device is used before the first step. The same arguments give the same bytes on the same adapter, however the
    steps are split. Raises ShapeError, NetworkError or SettingError for what does not fit.
    """

    def __init__(self, points, targets, recipe, seeds=(0,), *, snapshots=None, domain=None, target=None, starts=None):
        self.recipe, self.seeds = recipe, tuple(int(seed) for seed in seeds)
        self.points = _points(points, recipe)
        self.targets = _targets(targets, recipe, len(self.points))
        if not self.seeds or min(self.seeds) < 0 or max(self.seeds) >= 1 << 32:
            raise SettingError(f"Seeds must be one or more whole numbers from 0 to 2^32 - 1, not {self.seeds}.")
        wanted = snapshot_steps(recipe.steps) if snapshots is None else np.asarray(snapshots, np.int64)
        if wanted.size and (wanted.min() < 0 or wanted.max() > recipe.steps):
            raise SettingError(f"Snapshots must be at steps from 0 to {recipe.steps:,}, the last one.")
        self.snapshot_steps = np.unique(np.append(wanted, [0, recipe.steps]))
        self.domain = _domain(self.points) if domain is None else domain
        self.target = target
        starts = [first_weights(recipe.shape, seed) for seed in self.seeds] if starts is None else list(starts)
        if len(starts) != len(self.seeds) or any(net.shape != recipe.shape for net in starts):
            raise ShapeError(f"Starts must be {len(self.seeds)} networks of {recipe.shape}, one a seed.")
        self._starts = np.array([flat(net) for net in starts])
        self._training = None
        self._losses = None
        self._pace = None
        self._forget()

    def _forget(self):
        self._known = [self._starts]
        self._known_losses = []
        self._kept = []

    @property
    def step(self):
        """Steps done, or begun on the GPU."""
        return 0 if self._training is None else self._training.step

    @property
    def is_done(self):
        return self.step >= self.recipe.steps

    @property
    def runs(self):
        return len(self.seeds)

    def _started(self):
        if self._training is None:
            recipe = self.recipe
            self._training = Training(
                recipe.shape, recipe.task, self.points, self.targets, self._starts, self.seeds,
                batch=recipe.batch, betas=(recipe.beta1, recipe.beta2), epsilon=recipe.epsilon,
            )  # fmt: skip
        return self._training

    def advance(self, steps):
        """Begins so many steps, or as many as are left, and returns their count without waiting for the GPU."""
        training = self._started()
        end = min(training.step + int(steps), self.recipe.steps)
        begun = end - training.step
        while training.step < end:
            number = int(np.searchsorted(self.snapshot_steps, training.step, side="right"))
            until = min(end, int(self.snapshot_steps[number]))
            training.advance(self.recipe.rates(training.step, until - training.step))
            if until == self.snapshot_steps[number]:
                self._keep(number)
        return begun

    def _keep(self, number):
        """Snapshot `number` to the GPU's history."""
        if not self._kept or self._kept[-1].is_full:
            self._kept.append(_Kept(self._training, number))
        self._kept[-1].add()

    def wait(self):
        """Returns when all steps begun are done."""
        if self._training is not None:
            self._training.wait()

    def work(self, seconds):
        """Takes steps for about so long, in dispatches of 5 to 50 ms; returns how many.

        It takes one dispatch at least, made no longer than the time allowed, and ends before one that would go past it.
        """
        begin, before = time.perf_counter(), self.step
        left = seconds
        while not self.is_done:
            span = min(max(left, SHORTEST), LONGEST)
            # The first dispatch is also compiled, and measures nothing.
            asked = 1 if self._pace is None else max(1, int(span * self._pace))
            fresh = self._training is None
            start = time.perf_counter()
            done = self.advance(asked)
            self.wait()
            now = time.perf_counter()
            if not fresh:
                # A dispatch of one step says little of the pace of many: it may grow fourfold, not more.
                pace = done / max(now - start, 1e-6)
                self._pace = pace if self._pace is None else min(pace, 4 * self._pace)
            left = seconds - (now - begin)
            if left < SHORTEST:
                break
        return self.step - before

    def history(self):
        """The History of the snapshots taken so far, each with its loss over all data; reads only what is new."""
        self._collect()
        weights = np.stack(self._known, axis=1)
        return History(
            self.recipe.shape, self.snapshot_steps[: len(self._known)], weights, self.losses, self.domain,
            task=self.recipe.task, target=self.target, names=tuple(f"seed {seed}" for seed in self.seeds),
            notes={"recipe": str(self.recipe)},
        )  # fmt: skip

    @property
    def losses(self):
        """(R, T) float64: each run's loss over all data at the snapshots taken so far."""
        self._collect()
        if self._losses is None:
            self._losses = Losses(self.recipe.shape, self.recipe.task, self.points, self.targets)
        new = self._known[len(self._known_losses) :]
        if new:
            self._known_losses += list(self._losses(np.concatenate(new)).reshape(len(new), -1))
        return np.array(self._known_losses).T

    def _collect(self):
        """Reads the snapshots that are not known here yet."""
        for kept in self._kept:
            self._known += list(kept.read())
        self._kept = [kept for kept in self._kept if not kept.is_full]

    def restart(self):
        """Goes back to the first weights and forgets the snapshots."""
        if self._training is not None:
            self._training.put(self._starts)
        self._forget()


class _Kept:
    """Some snapshots in a row, on the GPU."""

    # Snapshots of a block, of at most so many bytes; a block that is full and read is let go.
    MOST, BYTES = 256, 1 << 24

    def __init__(self, training, first):
        self.training, self.first = training, first
        self.room = max(1, min(self.MOST, self.BYTES // training.nbytes))
        self.array = training.snapshots(self.room)
        self.count = self.seen = 0

    @property
    def is_full(self):
        return self.count == self.room

    def add(self):
        self.training.keep(self.array, self.count)
        self.count += 1

    def read(self):
        """(new, R, P): those not read before."""
        new = self.training.flats(self.array, self.seen, self.count - self.seen)
        self.seen = self.count
        return new


def _points(points, recipe):
    points = np.asarray(points, np.float32)
    if points.ndim != 2 or points.shape[1] != recipe.sizes[0] or len(points) == 0:
        raise ShapeError(f"Points are {points.shape}; {sizes_text(recipe.sizes)} is trained on (N, {recipe.sizes[0]}).")
    if not np.isfinite(points).all():
        raise ShapeError("Some points have coordinates that are not finite.")
    return points


def _targets(targets, recipe, count):
    targets, outputs = np.asarray(targets), recipe.sizes[-1]
    if recipe.task == "classes":
        if targets.shape != (count,) or not np.equal(np.mod(targets, 1), 0).all():
            raise ShapeError(f"Targets are {targets.shape} {targets.dtype}; {count} points need ({count},) classes.")
        if targets.min() < 0 or targets.max() >= outputs:
            found = f"{targets.min()} to {targets.max()}"
            raise ShapeError(f"Classes are {found}; {outputs} outputs tell classes 0 to {outputs - 1} apart.")
        return targets.astype(np.int64)
    targets = targets.astype(np.float32).reshape(count, -1) if targets.size == count * outputs else targets
    if targets.shape != (count, outputs) or not np.isfinite(targets).all():
        raise ShapeError(f"Targets are {targets.shape}; {count} points need ({count}, {outputs}) finite values.")
    return targets


def _domain(points):
    inputs, low, high = points.shape[1], points.min(axis=0).astype(float), points.max(axis=0).astype(float)
    if inputs == 1:
        low, high = np.append(low, -1.0), np.append(high, 1.0)
    high = np.where(high > low, high, low + 1.0)
    return Domain.plane(inputs, low[:2], high[:2], rest=points.mean(axis=0))


def told(recipe):
    """A Recipe as a table of plain values, for files."""
    return {**asdict(recipe), "sizes": list(recipe.sizes)}
