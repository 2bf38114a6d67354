"""A Recorder for training in other programs: called once per training step, it makes a History."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np

from engine.errors import NetworkError, SettingError, ShapeError
from engine.formats.files import short, size_text
from engine.formats.load_mlp import load
from engine.formats.tensors import history as file
from engine.formats.torch.modules import ModuleReader
from engine.formats.torch.running import normed_by, unwrapped
from engine.network.history import TASKS, Domain, History, flat, following, thinned
from engine.network.mlp import Mlp, Shape
from engine.training.models import LOGITS, changes, two_logits, weights_of
from engine.training.samples import TrainingSamples

# Bytes of all weights in memory: half of what a file may have. Snapshots: twice what a picture of a loss can show.
MAX_BYTES = 256 << 20
MAX_SNAPSHOTS = 2000
MIN_SNAPSHOTS = 8


class Recorder:
    """Snapshots of a training as it goes on: dense at first, then ever wider apart.

        with engine.Recorder("run.safetensors", data=x, targets=y) as recorder:
            for x_batch, y_batch in batches:
                loss = loss_of(model(x_batch), y_batch)
                recorder.step(model, loss)
                ...

    path          where the history is written when the `with` block ends, however it ends; None to save by hand
    data          (N, inputs), the samples: the plane shows where they lie
    targets       (N,) classes or (N, outputs) values: with them the samples are drawn, and a loss that is not given to
                  `step` is computed
    low, high     a number or two each: the ranges of inputs x and y on the plane; from the samples, else -1 and 1
    x, y          which inputs go to the right and upwards
    rest          (inputs,), the values of the other inputs; if not given the samples' mean, else 0
    task          `classes` or `values`; found from targets and outputs if not given. A classifier's single output is
                  the logit (or, after a sigmoid, the probability) of class 1, and stored as two logits
    activations   as engine.load takes them: for weights without a module, and for modules whose forward cannot be read
    target        (H, W) or (H, W, 3) uint8, the target over the plane; a picture of the samples if not given
    notes         texts by name, stored in the file; limit, bytes of all recorded weights in memory

    A module with batch norms is recorded as it computes: in train() mode with the mean and variance of `data`, in
    eval() mode, or without data, with its running ones. Dropout is left out.

    A million steps give about 430 snapshots. Of more than 2,000, or more bytes than `limit`, half are dropped, evenly
    in the logarithm of the step. Raises SettingError or ShapeError for arguments that do not fit.
    """

    def __init__(
        self,
        path=None,
        *,
        data=None,
        targets=None,
        low=None,
        high=None,
        x=0,
        y=1,
        rest=None,
        task=None,
        activations=None,
        target=None,
        notes=None,
        limit=MAX_BYTES,
    ):
        if path is not None:
            file.check_place(path)
        if task not in (None, *TASKS):
            raise SettingError(f"task={short(task)}: it takes {' or '.join(TASKS)}.")
        if data is None and targets is not None:
            raise ShapeError("targets are given without data; give both.")
        self.path, self.task, self.activations = path, task, activations
        self.samples = None if data is None else TrainingSamples(data, targets)
        self._plane = low, high, x, y, rest
        self._target, self._notes, self._limit = target, dict(notes or {}), limit
        self._shape: Shape | None = None
        self._domain: Domain | None = None
        self._reader: ModuleReader | None = None
        self._runs: list[_Run] = []

    def step(self, model: Any, loss: Any = None, *, step: int | None = None) -> None:
        """Records the model if this step is one of the snapshots; otherwise it does next to nothing.

        model   what engine.load takes: a module of PyTorch, a state dict or other tree of arrays, a path, an Mlp; or a
                function without arguments that returns one of these. A module is compared with what was read of it
                when it is first recorded, on the Recorder's data, and refused if they differ
        loss    a number or tensor of one (ShapeError for others), or None; read only for a snapshot
        step    the number of this step, counted from 0 if not given; SettingError if it does not rise

        Call it after computing the loss and before the optimizer's step: then each loss is that of its weights.
        """
        if not self._runs:
            self.run()
        run = self._runs[-1]
        number = run.called + 1 if step is None else int(step)
        if number <= run.called:
            raise SettingError(f"step={step}: steps must rise, and {run.called} was recorded before.")
        if model is not run.model:
            run.model, run.weights = model, weights_of(model)
        run.called, run.version = number, changes(run.weights)
        # Detached, so that the graph it was computed from can be freed.
        run.loss = loss.detach() if hasattr(loss, "detach") else loss
        run.has_loss = run.has_loss or loss is not None
        if number >= run.wanted:
            self._keep(run, number, model, run.loss)

    def run(self, name: str | None = None) -> Recorder:
        """Begins the next run, another training of the same shape; returns the Recorder."""
        if self._runs:
            self._end(self._runs[-1])
        if self._runs and not self._runs[-1].steps:
            self._runs.pop()
        self._runs.append(_Run(str(name) if name is not None else f"run {len(self._runs) + 1}"))
        return self

    def history(self) -> History:
        """The History so far, ending with the model as it is now. Raises NetworkError if nothing was recorded.

        Runs whose steps differ are cut to common steps, with a warning and a note; ShapeError if there are none.
        """
        if self._runs:
            self._end(self._runs[-1])
        runs = [run for run in self._runs if run.steps]
        if not runs or self._shape is None or self._domain is None:
            raise NetworkError("Nothing was recorded yet: call recorder.step(model, loss) in the training loop.")
        common = sorted(set.intersection(*(set(run.steps) for run in runs)))
        notes = dict(self._notes)
        if any(run.has_loss for run in runs):
            notes["losses"] = "as given to Recorder.step"
        if not common:
            raise ShapeError("The runs have no step in common. Count their steps from the same number.")
        if any(run.steps != common for run in runs):
            last = ", ".join(f"{run.name} to step {run.steps[-1]:,}" for run in runs)
            notes["cut"] = f"runs of different steps ({last}) are cut to the {len(common)} snapshots in common"
            warnings.warn("Recorder: " + notes["cut"] + ".", stacklevel=2)
        weights = np.stack([np.stack([run.snapshots[step][0] for step in common]) for run in runs])
        losses = np.array([[run.snapshots[step][1] for step in common] for run in runs])
        target = self._target
        kept: tuple = (None, None)
        if self.samples is not None and np.isfinite(self.samples.data.astype(np.float32)).all():
            kept = self.samples.kept(self.task, self._shape.sizes[-1])
        if target is None and self.samples is not None:
            target = self.samples.picture(self._domain, self.task)
            if target is not None:
                notes["target"] = "samples"
        names = tuple(run.name for run in runs)
        return History(
            self._shape, np.array(common), weights, losses, self._domain, self.task, target, names, notes, *kept
        )  # fmt: skip

    def save(self, path: str | os.PathLike | None = None) -> str | os.PathLike:
        """Writes the history to a .safetensors file, whole or not at all; returns the path; SettingError if none."""
        path = self.path if path is None else path
        if path is None:
            raise SettingError("save: give a path, here or to Recorder.")
        file.save(self.history(), path)
        return path

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        # A training that is stopped or fails is saved as far as it was recorded.
        if self.path is not None and (kind is None or any(run.steps for run in self._runs)):
            self.save()

    def _keep(self, run, number, model, loss):
        net = self._read(model)
        if net is None:
            run.wanted = np.inf
            warnings.warn(
                f"Recorder: the weights of {run.name} are not finite from step {number:,} on; no more of it is kept.",
                stacklevel=3,
            )
            return
        run.add(number, flat(net), self._loss(net, loss))
        run.wanted = self._next(run, number)
        if sum(len(r.steps) for r in self._runs) > self._room() * len(self._runs):
            self._thin()
            run.wanted = self._next(run, number)

    def _read(self, model):
        """The model as an Mlp of the recording's shape; None if its weights are not finite."""
        # Any other callable than a module is a function that returns the model.
        if callable(model) and not isinstance(model, Mlp) and not hasattr(model, "_modules"):
            model = model()
        model = unwrapped(model)
        try:
            net = self._network(model)
        except NetworkError as error:
            if self._shape is not None and "finite" in str(error):
                return None
            raise
        if self._shape is None:
            self._begin(net)
        net = two_logits(net) if self.task == "classes" else net
        if net.shape != self._shape:
            raise ShapeError(f"The model is {net.shape}, but {self._shape} was recorded before. Use another Recorder.")
        return net

    def _network(self, model):
        """The model as it is now. How a module is read, and whether rightly, is found out once."""
        if not hasattr(model, "state_dict"):
            return load(model, activations=self.activations)
        example = None if self.samples is None else self.samples.data
        if self._reader is not None and self._reader.module is not model:
            self._reader = None
        with normed_by(model, example):
            if self._reader is None:
                self._reader = ModuleReader(model, example, self.activations)
            return self._reader.net()

    def _begin(self, net):
        """Finds the task, the domain and the shape from the first network."""
        if self.task is None:
            classes = None if self.samples is None else self.samples.are_classes(net.outputs)
            if classes is None:
                classes = str(net.layers[-1].activation) in (LOGITS if net.outputs > 1 else ("sigmoid",))
            self.task = "classes" if classes else "values"
        net = two_logits(net) if self.task == "classes" else net
        if self.samples is not None:
            if self.samples.inputs != net.inputs:
                raise ShapeError(f"data has {self.samples.inputs} inputs, the model {net.inputs}.")
            self.samples.check(net.outputs, self.task)
        self._domain = self._place(net.inputs)
        if net.weight_count * 4 * MIN_SNAPSHOTS > self._limit:
            raise SettingError(
                f"A snapshot of {net.shape} has {size_text(net.weight_count * 4)}, and limit leaves "
                f"{size_text(self._limit)} for all. Give limit= in bytes."
            )
        self._shape = net.shape

    def _place(self, inputs):
        low, high, x, y, rest = self._plane
        for name, value in (("x", x), ("y", y)):
            if not isinstance(value, int | np.integer) or not 0 <= value < max(inputs, 2):
                raise SettingError(f"{name}={short(value)}: it takes an input from 0 to {inputs - 1}.")
        if x == y:
            raise SettingError(f"x={x} and y={y} are the same input; a plane takes two.")
        bounds = (-1.0, 1.0) if self.samples is None else self.samples.bounds(x, y)
        if rest is None and self.samples is not None:
            rest = self.samples.data.mean(axis=0)
        elif rest is not None and np.shape(rest) != (inputs,):
            raise ShapeError(f"rest is {np.shape(rest)}; it takes one number for each of the {inputs} inputs.")
        ends = [given if given is not None else found for given, found in zip((low, high), bounds, strict=True)]
        try:
            low, high = (np.broadcast_to(np.asarray(end, float), 2) for end in ends)
            return Domain.plane(inputs, low, high, x, y, rest)
        except (ValueError, TypeError):
            raise ShapeError(f"low={short(ends[0])} and high={short(ends[1])}: each takes a number, or two.") from None

    def _loss(self, net, loss):
        if loss is None:
            return np.nan if self.samples is None else self.samples.loss(net, self.task)
        try:
            return float(loss)
        except (TypeError, ValueError, RuntimeError):
            raise ShapeError(f"loss is a {type(loss).__name__} that is no single number.") from None

    def _end(self, run):
        """Records a run's model as it is now, if it is not recorded already."""
        if run.model is None or run.wanted == np.inf:
            return
        # PyTorch counts the changes of weights: after the last call there may have been one more step.
        moved = changes(run.weights) != run.version
        number = run.called + 1 if moved else run.called
        if run.steps and run.steps[-1] >= number:
            return
        net = self._read(run.model)
        if net is not None:
            run.add(number, flat(net), self._loss(net, None if moved else run.loss))
            # Not a scheduled snapshot: the next one replaces it if the training goes on.
            run.is_passing = True

    def _room(self):
        """How many snapshots each run may have."""
        assert self._shape is not None  # there is a snapshot
        bytes_each = 4 * self._shape.weight_count
        return max(MIN_SNAPSHOTS, min(MAX_SNAPSHOTS, self._limit // (bytes_each * len(self._runs))))

    def _next(self, run, number):
        """The next step to be recorded."""
        first = self._runs[0]
        if run is not first:
            # Later runs record the steps of the first, so that they can be compared.
            return next((s for s in first.steps if s > number), np.inf)
        # Not closer, in the logarithm, than what thinning has left.
        least = (number + 1) * np.exp(run.gap) - 1
        number = following(number)
        while number < least:
            number = max(following(number), following(int(least) - 1))
        return number

    def _thin(self):
        """Keeps half of what fits: steps of the first run that lie evenly in the logarithm, the first and last too."""
        first = self._runs[0]
        steps = thinned(first.steps, max(self._room() // 2, MIN_SNAPSHOTS // 2))
        # The first gap cannot be less than one step, and the last one ends wherever the training is now.
        first.gap = float(np.diff(np.log1p(steps))[1:-1].min(initial=1.0))
        for run in self._runs:
            run.only({*steps.tolist(), *run.steps[-1:]})


class _Run:
    """What is recorded of one training.

    snapshots   {step: (weights as `flat` gives them, loss)}, steps rising
    """

    def __init__(self, name):
        self.name = name
        self.snapshots: dict[int, tuple[np.ndarray, float]] = {}
        # The last step that was called, its model and loss; the next step to record; the least gap in the logarithm.
        self.called, self.model, self.loss, self.version = -1, None, None, None
        self.weights: list[Any] = []
        self.wanted, self.gap, self.is_passing, self.has_loss = 0, 0.0, False, False

    @property
    def steps(self):
        return list(self.snapshots)

    def add(self, step, weights, loss):
        if self.is_passing:
            self.snapshots.popitem()
            self.is_passing = False
        self.snapshots[step] = weights, loss

    def only(self, steps):
        self.snapshots = {step: snapshot for step, snapshot in self.snapshots.items() if step in steps}
