"""What the training kernels share: which networks they take, their bindings, and where weights lie for them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.codegen.text import function
from engine.gpu.bindings import Binding
from engine.gpu.structs import struct
from engine.kept import once
from engine.network.mlp import Shape

# One dispatch. `first` is its first step, `iteration` and `iterations` the first and the end of the iterations over the
# batch that it takes, `count` the samples there are, `whole` 1 where a batch is all of them in order, `ends` 1 where
# the last iteration's step is completed.
TRAINING = struct(
    "Training",
    steps="u32",
    first="u32",
    iteration="u32",
    iterations="u32",
    batch="u32",
    count="u32",
    whole="u32",
    ends="u32",
    beta1="f32",
    beta2="f32",
    rest1="f32",
    rest2="f32",
    epsilon="f32",
    scale="f32",
)
BINDINGS = (
    Binding("training", "uniform", TRAINING),
    # of each step: the rate over Adam's first correction, and one over the root of the second
    Binding("rates", "read", "array<vec2f>"),
    # inputs, then the class or the values to be learnt
    Binding("samples", "read", "array<f32>"),
    Binding("keys", "read", "array<u32>"),
    Binding("weights", "write", "array<vec4f>"),
    Binding("moments", "write", "array<vec4f>"),
    Binding("gradients", "write", "array<vec4f>"),
)


@dataclass(frozen=True)
class Problem:
    """The problem for which training code is generated.

    shape   of the networks; hidden layers and the last one elementwise
    task    "classes": the last number of a sample is its class, the loss softmax cross-entropy of the outputs;
            "values": a sample's last numbers are what the outputs should be, the loss their mean squared error
    """

    shape: Shape
    task: str

    @property
    def targets(self) -> int:
        """Numbers of a sample after its inputs."""
        return 1 if self.task == "classes" else self.shape.sizes[-1]

    @property
    def layers(self) -> tuple[tuple[int, int, int], ...]:
        """(number, inputs, outputs) of each layer."""
        return tuple((i, n, m) for i, (n, m) in enumerate(zip(self.shape.sizes, self.shape.sizes[1:], strict=False)))

    @once
    def weights(self) -> int:
        """Weights and biases in all."""
        return sum(m * (n + 1) for _, n, m in self.layers)

    def scale(self, batch: int) -> float:
        """The factor of the sum of a batch's gradients, which are taken of the loss without its constant factors."""
        return 1.0 / batch if self.task == "classes" else 2.0 / (batch * self.shape.sizes[-1])


@dataclass(frozen=True, eq=False)
class Places:
    """Where a run's weights lie.

    of      (P,) the place of each weight, in the order of `network.history.flat`, among `count` float32
    count   a multiple of four
    """

    of: np.ndarray
    count: int

    def pack(self, flat: np.ndarray) -> np.ndarray:
        """(R, P) weights as (R, count), the rest zeros."""
        packed = np.zeros((len(flat), self.count), np.float32)
        packed[:, self.of] = flat
        return packed

    def unpack(self, packed: np.ndarray) -> np.ndarray:
        """(..., count) as (..., P)."""
        return packed[..., self.of]


def rules(shape: Shape) -> Iterator[str]:
    """The lines of hidden_value, hidden_slope, last_value and last_slope: the activations of four sums."""
    yield from _rule("hidden", shape.activations[0])
    yield from _rule("last", shape.activations[-1])


def _rule(name, activation):
    for what in ("value", "slope"):
        yield from function(f"{name}_{what}(z: vec4f) -> vec4f", [f"return {activation.wgsl(what, 'z')};"])
