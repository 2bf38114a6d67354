"""A Trainer of networks on the GPU that takes steps only when asked, so that a window can draw in between."""

from __future__ import annotations

import os
import time

import numpy as np

from engine.errors import FileError, NeurosceneError, SettingError, ShapeError
from engine.formats.files import short
from engine.formats.tensors import training as files
from engine.kernels.train import Training
from engine.kernels.train_loss import Losses
from engine.network.history import Domain, History, flat, snapshot_steps, unflat
from engine.network.mlp import sizes_text
from engine.network.recipe import Recipe as Recipe
from engine.network.recipe import first_weights

# Seconds per dispatch in a live window: long enough to be worth its submission, short enough for the next frame.
SHORTEST, LONGEST = 0.005, 0.05


class Trainer:
    """One or more runs of a recipe side by side, each from its own first weights and with its own minibatches.

    points      (N, inputs)
    targets     (N,) classes counted from 0, or (N, outputs) values
    recipe      Recipe
    seeds       one per run, for its first weights and its minibatches
    snapshots   steps whose weights are recorded, besides 0 and the last one; None: snapshot_steps
    domain      the plane that shows the data; None: the first two inputs, as far as the points reach
    target      picture of what is to be learnt, for the History
    starts      first networks, one per run, in place of PyTorch's initialisation

    No device is used before the first step. The same arguments give the same bytes on the same adapter, however the
    steps are split. Raises ShapeError or SettingError for what does not fit; the first step, what `Training` raises.
    """

    def __init__(
        self,
        points,
        targets,
        recipe,
        seeds=(0,),
        *,
        snapshots=None,
        domain=None,
        target=None,
        starts=None,
    ):
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
        # (weights, moments, step) to go on from
        self._resumed = None
        self._forget()

    def _forget(self):
        self._known = [self._starts]
        self._known_losses = []
        self._blocks = []

    @property
    def step(self) -> int:
        """Steps done, or begun on the GPU."""
        if self._training is None:
            return self._resumed[2] if self._resumed else 0
        return self._training.step

    @property
    def is_done(self) -> bool:
        return self.step >= self.recipe.steps

    @property
    def runs(self) -> int:
        return len(self.seeds)

    def _started(self):
        if self._training is None:
            recipe = self.recipe
            self._training = Training(
                recipe.shape, recipe.task, self.points, self.targets, self._starts, self.seeds,
                batch=recipe.batch, betas=(recipe.beta1, recipe.beta2), epsilon=recipe.epsilon,
            )  # fmt: skip
            if self._resumed:
                self._training.put(*self._resumed)
        return self._training

    def advance(self, steps: int) -> int:
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
        """Copies the weights as snapshot `number`, on the GPU."""
        if not self._blocks or self._blocks[-1].is_full:
            self._blocks.append(_SnapshotBlock(self._training, number))
        self._blocks[-1].add()

    def wait(self) -> None:
        """Waits until the GPU has done all steps begun."""
        if self._training is not None:
            self._training.wait()

    def work(self, seconds: float) -> int:
        """Takes steps for about so long, at least one dispatch, of 5 to 50 ms each; returns how many steps."""
        begin, before = time.perf_counter(), self.step
        left = seconds
        while not self.is_done:
            span = min(max(left, SHORTEST), LONGEST)
            # The first dispatch includes compilation, so its time is not used.
            asked = 1 if self._pace is None else max(1, int(span * self._pace))
            fresh = self._training is None
            start = time.perf_counter()
            done = self.advance(asked)
            self.wait()
            now = time.perf_counter()
            if not fresh:
                # One step says little about the pace of many, so the pace grows at most fourfold at a time.
                pace = done / max(now - start, 1e-6)
                self._pace = pace if self._pace is None else min(pace, 4 * self._pace)
            left = seconds - (now - begin)
            if left < SHORTEST:
                break
        return self.step - before

    def history(self) -> History:
        """The History of the snapshots taken so far, each with its loss over all data; reads only what is new."""
        self._collect()
        weights = np.stack(self._known, axis=1)
        return History(
            self.recipe.shape, self.snapshot_steps[: len(self._known)], weights, self.losses, self.domain,
            task=self.recipe.task, target=self.target, names=tuple(f"seed {seed}" for seed in self.seeds),
            notes={"recipe": str(self.recipe)},
        )  # fmt: skip

    @property
    def losses(self) -> np.ndarray:
        """(R, T) float64: each run's loss over all data at the snapshots taken so far."""
        self._collect()
        if self._losses is None:
            self._losses = Losses(self.recipe.shape, self.recipe.task, self.points, self.targets)
        new = self._known[len(self._known_losses) :]
        if new:
            self._known_losses += list(self._losses(np.concatenate(new)).reshape(len(new), -1))
        return np.array(self._known_losses).T

    def _collect(self):
        """Reads the snapshots that are still only on the GPU."""
        for block in self._blocks:
            self._known += list(block.read())
        self._blocks = [block for block in self._blocks if not block.is_full]

    def restart(self) -> None:
        """Goes back to the first weights and forgets the snapshots."""
        self._resumed = None
        if self._training is not None:
            self._training.put(self._starts)
        self._forget()

    def save(self, path: str | os.PathLike) -> None:
        """Writes a .safetensors file from which `Trainer.load` goes on, to the same results bit by bit."""
        self._collect()
        training = self._started()
        arrays = {
            "points": self.points, "targets": self.targets.astype(np.float32).reshape(len(self.points), -1),
            "starts": self._starts, "weights": training.weights, "moments": training.moments,
            "snapshots": np.stack(self._known, axis=1), "losses": self.losses, "snapshot_steps": self.snapshot_steps,
        }  # fmt: skip
        files.save(files.State(self.recipe, self.seeds, self.step, self.domain, self.target, arrays), path)

    @classmethod
    def load(cls, path: str | os.PathLike) -> Trainer:
        """The Trainer that `save` wrote. Raises FileError for a file that holds none, or parts that do not fit."""
        state = files.load(path)
        arrays, shape = state.arrays, state.recipe.shape
        targets = arrays["targets"][:, 0] if state.recipe.task == "classes" else arrays["targets"]
        try:
            trainer = cls(
                arrays["points"], targets, state.recipe, state.seeds, snapshots=arrays["snapshot_steps"],
                domain=state.domain, target=state.target, starts=[unflat(shape, w) for w in arrays["starts"]],
            )  # fmt: skip
        except NeurosceneError as error:
            raise FileError(f"{short(path, 200)} is no training that can go on: {error}") from None
        trainer._known = list(arrays["snapshots"].transpose(1, 0, 2))
        trainer._known_losses = list(arrays["losses"].T)
        trainer._resumed = (arrays["weights"], arrays["moments"], state.step)
        return trainer


class _SnapshotBlock:
    """Consecutive snapshots, on the GPU."""

    # Limits of a block: snapshots, and bytes. A block that is full and read is dropped.
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
