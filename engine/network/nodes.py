"""The nodes of a convolutional network: what each computes, its shape, and the windows over its inputs.

Maps are (C, H, W), a vector is (C, 1, 1); there is no batch.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.errors import NetworkError, ShapeError, located
from engine.network.activations import Activation
from engine.network.mlp import weight_array
from engine.network.windows import Window

# (C, H, W) of a map, and the windows over its rows and columns.
Map = tuple[int, int, int]
Windows = tuple[Window, Window]


@dataclass(frozen=True, eq=False)
class GraphNode:
    """One step of the graph.

    name     unique in its network
    inputs   names of the nodes it takes, in order
    """

    name: str
    inputs: tuple[str, ...]
    kind: ClassVar[str] = ""
    least: ClassVar[int] = 1
    most: ClassVar[float] = 1
    sees_all: ClassVar[bool] = False  # True if each of its neurons depends on the whole input

    def __post_init__(self):
        with located(f"Node `{self.name}` ({self.kind}): ", "."):
            object.__setattr__(self, "inputs", tuple(self.inputs))
            if not self.least <= len(self.inputs) <= self.most:
                more = "" if self.least == self.most else " or more"
                raise NetworkError(f"it takes {len(self.inputs)} inputs; it needs {self.least}{more}")
            self.check()

    def check(self) -> None:
        """Converts its fields to their types; raises ShapeError or NetworkError with the reason, without the node."""

    def shape(self, *inputs: Map) -> Map:
        """(C, H, W) of its output from those of its inputs. Raises ShapeError with the reason if they do not fit."""
        return inputs[0]

    def windows(self) -> Windows | None:
        """(rows, columns): the Windows through which it sees its inputs; None if it sees all of them."""
        return None if self.sees_all else (Window(1), Window(1))

    def windows_on(self, *inputs: Map) -> tuple[Windows | None, ...]:
        """`windows` for each of its inputs, of these shapes."""
        return (self.windows(),) * len(inputs)

    def work(self, *inputs: Map) -> int:
        """Multiply-adds of one run."""
        return 0

    @property
    def weight_count(self) -> int:
        return 0


@dataclass(frozen=True, eq=False)
class Input(GraphNode):
    """The network's input; size (C, H, W)."""

    size: tuple[int, int, int]
    kind = "input"
    least = most = 0

    def check(self) -> None:
        _whole(self, size=(3, 1))

    def shape(self, *inputs: Map) -> Map:
        return self.size


@dataclass(frozen=True, eq=False)
class _Weighted(GraphNode):
    weights: np.ndarray
    bias: np.ndarray = None  # type: ignore[assignment]  # `check` makes it an array
    axes: ClassVar[tuple[str, ...]] = ()  # of the weights, for messages

    def check(self) -> None:
        weights = weight_array(self.weights, "its weights", self.axes)
        bias = weight_array(np.zeros(len(weights)) if self.bias is None else self.bias, "its biases", ("O",))
        if bias.shape != (len(weights),):
            raise ShapeError(f"its biases are {bias.shape}, but its weights {weights.shape} need ({len(weights)},)")
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "bias", bias)

    @property
    def weight_count(self) -> int:
        return self.weights.size + self.bias.size


def _whole(node, **fields):
    """Checks that fields are tuples of whole numbers; fields: {name: (their count, the least allowed)}."""
    for what, (length, least) in fields.items():
        given = getattr(node, what)
        values = (given,) if length is None else tuple(given)
        if (length not in (None, len(values))) or any(n != int(n) or not least <= n < 1 << 24 for n in values):
            of = "a number" if length is None else f"{length} numbers"
            raise ShapeError(f"its {what} is {given}; it must be {of} of at least {least}")
        object.__setattr__(node, what, int(values[0]) if length is None else tuple(int(n) for n in values))


@dataclass(frozen=True, eq=False)
class Convolution(_Weighted):
    """bias + sum of weights x inputs over a window, a correlation as in torch.nn.Conv2d.

    weights    (O, I / groups, kh, kw), float32, read-only
    bias       (O,), float32, read-only; None for zeros
    stride     (rows, columns), dilation alike
    padding    zeros at (top, left, bottom, right)
    groups     number of groups of output channels, each of which sees its own part of the input channels
    """

    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    kind = "convolution"
    axes = ("O", "I / groups", "rows", "columns")

    def check(self) -> None:
        super().check()
        _whole(self, stride=(2, 1), padding=(4, 0), dilation=(2, 1), groups=(None, 1))
        if len(self.weights) % self.groups:
            raise ShapeError(f"its {len(self.weights)} output channels cannot be cut into {self.groups} groups")

    def windows(self) -> Windows | None:
        rows, columns = (
            Window(self.weights.shape[2 + i], self.stride[i], self.padding[i], self.padding[2 + i], self.dilation[i])
            for i in (0, 1)
        )
        return rows, columns

    def shape(self, *inputs: Map) -> Map:
        channels, wanted = inputs[0][0], self.weights.shape[1] * self.groups
        if channels != wanted:
            groups = f" in {self.groups} groups" if self.groups > 1 else ""
            raise ShapeError(f"its weights {self.weights.shape}{groups} need {wanted} channels, but {channels} come")
        return (len(self.weights), *_slid(self.windows(), inputs[0]))

    def work(self, *inputs: Map) -> int:
        return math.prod(self.shape(*inputs)[1:]) * self.weights.size


def _slid(windows, shape):
    return tuple(window.count(length) for window, length in zip(windows, shape[1:], strict=True))


@dataclass(frozen=True, eq=False)
class Elementwise(GraphNode):
    """An activation, applied to each number."""

    activation: Activation
    kind = "elementwise"

    def check(self) -> None:
        object.__setattr__(self, "activation", Activation.parse(self.activation))
        if not self.activation.rule.elementwise:
            raise NetworkError(f"{self.activation} is not elementwise; it is a node of its own")


@dataclass(frozen=True, eq=False)
class _Pool(GraphNode):
    size: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    ceil: bool = False

    def check(self):
        _whole(self, size=(2, 1), stride=(2, 1), padding=(4, 0))
        if any(p >= self.size[i % 2] for i, p in enumerate(self.padding)):
            # This guarantees that every place sees at least one number of its input.
            raise ShapeError(f"its padding {self.padding} must be less than its window {self.size}")

    def windows(self):
        return tuple(
            Window(self.size[i], self.stride[i], self.padding[i], self.padding[2 + i], ceil=self.ceil) for i in (0, 1)
        )

    def shape(self, *inputs):
        return (inputs[0][0], *_slid(self.windows(), inputs[0]))


@dataclass(frozen=True, eq=False)
class MaxPool(_Pool):
    """The largest number in each window; padding counts as minus infinity.

    size, stride    (rows, columns)
    padding         (top, left, bottom, right)
    ceil            True: the number of places is rounded up, see Window
    """

    kind = "max pool"


@dataclass(frozen=True, eq=False)
class AveragePool(_Pool):
    """The mean of each window; fields as in MaxPool.

    include_padding   True: padding counts as zeros (Window.shares); False: it is left out of the mean (Window.seen)
    """

    include_padding: bool = False
    kind = "average pool"


@dataclass(frozen=True, eq=False)
class GlobalAveragePool(GraphNode):
    """The mean of each channel: (C, 1, 1)."""

    kind = "global average pool"
    sees_all = True

    def shape(self, *inputs: Map) -> Map:
        return (inputs[0][0], 1, 1)


@dataclass(frozen=True, eq=False)
class Concat(GraphNode):
    """The channels of its inputs, one after another."""

    kind = "concat"
    most = math.inf

    def shape(self, *inputs: Map) -> Map:
        for other in inputs[1:]:
            if other[1:] != inputs[0][1:]:
                raise ShapeError(f"it joins maps of {inputs[0][1:]} and {other[1:]}; their sizes must be equal")
        return (sum(s[0] for s in inputs), *inputs[0][1:])


@dataclass(frozen=True, eq=False)
class Add(GraphNode):
    """The sum of two inputs of equal shapes."""

    kind = "add"
    least = most = 2

    def shape(self, *inputs: Map) -> Map:
        if inputs[0] != inputs[1]:
            raise ShapeError(f"it adds {inputs[0]} and {inputs[1]}; their shapes must be equal")
        return inputs[0]


@dataclass(frozen=True, eq=False)
class Multiply(GraphNode):
    """The product of two inputs of equal shapes; or of a map and a vector with a number for each channel, in any order,
    as in squeeze-and-excitation (Hu et al. 2018, CVPR, "Squeeze-and-excitation networks").
    """

    kind = "multiply"
    least = most = 2

    def shape(self, *inputs: Map) -> Map:
        a, b = inputs
        if a != b and (a[0] != b[0] or (1, 1) not in (a[1:], b[1:])):
            raise ShapeError(
                f"it multiplies {a} and {b}; equal shapes, or a map (C, H, W) and a vector (C, 1, 1) are accepted"
            )
        return b if self.scales(a, b) == 0 else a

    def scales(self, *inputs: Map) -> int | None:
        """The input (0 or 1), of these shapes, that is a vector scaling the other's channels; None if neither is."""
        a, b = inputs
        return None if a == b else int(b[1:] == (1, 1))

    def windows_on(self, *inputs: Map) -> tuple[Windows | None, ...]:
        which = self.scales(*inputs)  # each neuron sees all of the vector
        return tuple(None if i == which else self.windows() for i in (0, 1))


@dataclass(frozen=True, eq=False)
class Flatten(GraphNode):
    """All numbers as one vector, (C * H * W, 1, 1): channel by channel, each row by row."""

    kind = "flatten"
    sees_all = True

    def shape(self, *inputs: Map) -> Map:
        return (math.prod(inputs[0]), 1, 1)


@dataclass(frozen=True, eq=False)
class Dense(_Weighted):
    """weights x + bias of a vector.

    weights   (O, I), float32, read-only
    bias      (O,), float32, read-only; None for zeros
    """

    kind = "dense"
    axes = ("O", "I")
    sees_all = True

    def shape(self, *inputs: Map) -> Map:
        if inputs[0] != (self.weights.shape[1], 1, 1):
            raise ShapeError(f"its weights {self.weights.shape} need {(self.weights.shape[1], 1, 1)}, not {inputs[0]}")
        return (len(self.weights), 1, 1)

    def work(self, *inputs: Map) -> int:
        return self.weights.size


@dataclass(frozen=True, eq=False)
class Softmax(GraphNode):
    """exp(x) / sum of exp(x) over the channels, separately at each row and column."""

    kind = "softmax"
