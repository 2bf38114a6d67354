"""The settings of a training, and the initial weights."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.errors import NetworkError, SettingError, near
from engine.kept import once
from engine.network.activations import Activation
from engine.network.history import TASKS
from engine.network.mlp import Mlp, Shape, sizes_text
from engine.network.rules.extrema import extrema

# {name: function of the training's progress, 0 to 1, that returns the factor of the learning rate}
ANNEALS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "cosine": lambda part: 0.5 * (1.0 + np.cos(np.pi * part)),
    "linear": lambda part: 1.0 - part,
    "none": np.ones_like,
}
# A limit of the kernel's counter; minibatches of 128 repeat after 2^25 steps.
MOST_STEPS = 1 << 31
MOST_BATCH = 1 << 24
USUAL = {"rate": "0.001", "epsilon": "1e-8", "beta1": "0.9", "beta2": "0.999"}


@dataclass(frozen=True)
class Recipe:
    """How networks are trained.

    sizes        (inputs, hidden ..., outputs)
    activation   of the hidden layers
    task         "classes": the outputs are logits, the loss softmax cross-entropy; "values": mean squared error
    steps        of Adam
    batch        samples in a step, drawn with replacement; 0 for all data
    rate         learning rate of the first step
    anneal       how the rate falls to 0: cosine (PyTorch's CosineAnnealingLR) or linear; none: it is constant
    beta1, beta2, epsilon   of Adam
    last         activation of the last layer; for classes identity

    Raises NetworkError or SettingError for wrong values.
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
        for name, least, most in (("steps", 1, MOST_STEPS), ("batch", 0, MOST_BATCH)):
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
        for activation in (Activation.parse(self.activation), Activation.parse(self.last)):
            if not activation.rule.elementwise:
                raise NetworkError(f"{activation} is no activation to train with: for classes it is part of the loss.")
            if activation.unbounded and activation.rule.gap != "jumps":
                raise NetworkError(f"{activation} {activation.unbounded}: a step past it would leave nothing to train.")
            if extrema(activation, "slope").most == 0:
                raise NetworkError(f"{activation} has the slope 0 everywhere: nothing before it could be trained.")
        if self.task == "classes" and Activation.parse(self.last).name != "identity":
            raise NetworkError(f"A classifier's last activation is identity, not {self.last}: its outputs are logits.")

    @once
    def shape(self) -> Shape:
        hidden = (Activation.parse(self.activation),) * (len(self.sizes) - 2)
        return Shape(self.sizes, (*hidden, Activation.parse(self.last)))

    def rates(self, first: int, count: int) -> np.ndarray:
        """The learning rates of `count` steps from step `first` on, counted from 0; float64."""
        return self.rate * ANNEALS[self.anneal](np.arange(first, first + count) / self.steps)

    def __str__(self):
        batch = f"batch {self.batch}" if self.batch else "all data each step"
        anneal = "" if self.anneal == "none" else f", {self.anneal} annealing"
        return (
            f"{sizes_text(self.sizes)} {self.activation}, {self.task}, {self.steps:,} steps, {batch}, "
            f"rate {self.rate:g}{anneal}"
        )


def first_weights(shape: Shape, seed: int) -> Mlp:
    """Initial weights as of PyTorch's Linear: weights and biases uniform within +-1 / sqrt(inputs of the layer)."""
    rng = np.random.default_rng(seed)
    weights, biases = [], []
    for n, m in zip(shape.sizes, shape.sizes[1:], strict=False):
        bound = 1 / math.sqrt(n)
        weights.append(rng.uniform(-bound, bound, (m, n)))
        biases.append(rng.uniform(-bound, bound, m))
    return Mlp(weights, biases, shape.activations, name=f"seed {seed}")
