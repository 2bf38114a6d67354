"""A convolutional network while its ONNX file is being read: the nodes so far, including batch norms and factors.

`finished` folds these into the layers before them, in float64 and rounded once, and drops nodes that are not needed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from engine.errors import NetworkError, located
from engine.formats.chain import Number
from engine.formats.files import check_weights, short
from engine.formats.onnx.graph import OnnxNode
from engine.network.activations import Activation
from engine.network.nodes import Add, Convolution, Dense, Elementwise, GraphNode, Input, Multiply

# So many responses take 1 GiB as float32.
MAX_NEURONS = 1 << 28
MAX_NODES = 2000
# {activation: the activation that equals x times it}
GATED = {"sigmoid": "silu", "hard_sigmoid": "hard_swish"}


@dataclass(frozen=True, eq=False)
class Wire:
    """The value of a name in a file: the output of a node, as (C, H, W), or as a vector (n,) or (n, 1).

    sketch   the Sketch of the node
    key      the node's name there
    dims     the shape without the batch
    """

    sketch: Sketch
    key: str
    dims: tuple[int, ...]

    @property
    def node(self) -> GraphNode:
        return self.sketch.nodes[self.key]

    @property
    def rank(self) -> int:
        """The number of axes in the file, the batch included."""
        return len(self.dims) + 1

    @property
    def shape(self) -> tuple[int, ...]:
        return (*self.dims, 1, 1)[:3]

    # The methods of a Signal

    def factor(self, node: OnnxNode, array: np.ndarray) -> Number:
        if array.dtype.kind not in "fiu":
            raise node.refusal("its constant is not a number")
        if array.size == 1 and array.ndim <= self.rank:
            return float(array.reshape(()))
        each = (self.dims[0], *[1] * (len(self.dims) - 1))
        if array.ndim <= self.rank and array.size == self.dims[0] and array.shape[-len(each) :] == each:
            return array.reshape(-1).astype(float)
        raise node.refusal(f"its constant is {short(array.shape)}; a number or one for each channel is accepted")

    def affine(self, node: OnnxNode, scale: Number, shift: Number = 0.0) -> Wire:
        scale, shift = (np.broadcast_to(np.asarray(x, float), self.shape[:1]) for x in (scale, shift))
        made = self.sketch.add(Convolution, node.label, [self], scale.reshape(-1, 1, 1, 1), shift, groups=self.shape[0])
        self.sketch.scales[made.key] = scale, shift
        return made

    def normalised(self, node: OnnxNode, scale: np.ndarray, shift: np.ndarray) -> Wire:
        if len(scale) != self.dims[0]:
            raise node.refusal(f"its constants are {len(scale)}; one for each of {self.dims[0]} channels is accepted")
        return self.affine(node, scale, shift)

    def activated(self, node: OnnxNode, activation: Activation) -> Wire:
        return self.sketch.add(Elementwise, node.label, [self], activation)

    def dense(self, node: OnnxNode, weights: np.ndarray) -> Wire:
        if len(self.dims) != 1:
            raise node.refusal(f"it works on {self.dims}; a vector is accepted, so flatten before it")
        return self.sketch.add(Dense, node.label, [self], weights)

    def plus(self, node: OnnxNode, other: Wire, sign: float) -> Wire:
        if sign < 0:
            raise node.refusal("it subtracts one map from another; sums are accepted")
        if self.dims != other.dims:
            raise node.refusal(f"it adds {self.dims} and {other.dims}; their shapes must be equal")
        return self.sketch.add(Add, node.label, [self, other])

    def times(self, node: OnnxNode, other: Wire) -> Wire:
        for x, gate in ((self, other), (other, self)):
            made = gate.node
            gated = GATED.get(made.activation.name) if isinstance(made, Elementwise) else None
            if gated and made.inputs == (x.key,):
                return x.activated(node, Activation(gated))
        if self.rank != other.rank:
            # ONNX would broadcast the vector along the columns.
            raise node.refusal(
                f"it multiplies {self.dims} and {other.dims}; a vector that scales channels must be (C, 1, 1)"
            )
        return self.sketch.add(Multiply, node.label, [self, other])


TO_CHANNELS_FIRST = (0, 3, 1, 2)


@dataclass(frozen=True, eq=False)
class ChannelsLast:
    """The image in a file whose input is (1, H, W, C); `wire` is the Wire after the transposition."""

    wire: Wire


@dataclass(frozen=True, eq=False)
class Expanded:
    """A vector that a file repeats at each place of a map, to scale the map by it.

    wire   the vector
    dims   (C, H, W) of the repeated vector
    """

    wire: Wire
    dims: tuple[int, int, int]


class Sketch:
    """The nodes read so far.

    name    the file's, for messages
    opset   the version of ONNX' operators, on which the meaning of some nodes depends
    """

    def __init__(self, name: str, opset: int = 0):
        self.name, self.opset = name, opset
        self.nodes: dict[str, GraphNode] = {}
        self.labels: dict[str, str] = {}  # {node: its name before numbers are added to equal names}
        self.scales: dict[str, tuple[np.ndarray, np.ndarray]] = {}  # {depthwise node: (scale, shift) in float64}
        self.weights = 0

    def input(self, label: str, dims: Iterable[int]) -> Wire:
        wire = Wire(self, self._free(label), tuple(dims))
        node = self._made(Input, wire.key, (), wire.shape)
        self._check(node, wire.shape)
        self.nodes[wire.key] = node
        return wire

    def add(
        self,
        kind: type[GraphNode],
        label: str,
        wires: Sequence[Wire],
        *fields: Any,
        vector: bool | None = None,
        **more: Any,
    ) -> Wire:
        """The Wire of a new node; vector: seen as (n,); None: with as many axes as the first of its inputs."""
        node = self._made(kind, self._free(label), tuple(w.key for w in wires), *fields, **more)
        self.weights += node.weight_count
        check_weights(self.weights, self.name)
        with located(f"Node `{node.name}` ({node.kind}) of {self.name}: ", "."):
            shape = node.shape(*(w.shape for w in wires))
        self._check(node, shape)
        self.nodes[node.name] = node
        axes = len(wires[0].dims) if vector is None else 1 if vector else 3
        return Wire(self, node.name, shape[:axes])

    def finished(self, end: Wire) -> list[GraphNode]:
        """The nodes on which the Wire `end` depends, in order, its own last."""
        wanted = {end.key}
        for node in reversed(self.nodes.values()):
            if node.name in wanted:
                wanted.update(node.inputs)
        uses = Counter(key for node in self.nodes.values() if node.name in wanted for key in node.inputs)
        uses[end.key] += 1
        done: dict[str, GraphNode] = {}
        now: dict[str, str] = {}  # {name of a node: the node that replaces it}
        for node in self.nodes.values():
            if node.name not in wanted:
                continue
            node = replace(node, inputs=tuple(now[key] for key in node.inputs))
            before = done.get(node.inputs[0]) if node.inputs else None
            alone = node.name in self.scales and uses[self.nodes[node.name].inputs[0]] == 1
            if alone and isinstance(before, Convolution | Dense):
                scale, shift = self.scales[node.name]
                done[before.name] = self._folded(before, scale, shift)
                now[node.name] = before.name
            else:
                done[node.name] = node
                now[node.name] = node.name
        return self._called(done.values())

    def _called(self, nodes):
        """The nodes, renamed to their labels, with numbers if several have the same."""
        names: dict[str, str] = {}
        taken: set[str] = set()
        for node in nodes:
            names[node.name] = _first_free(self.labels[node.name], taken)
            taken.add(names[node.name])
        return [replace(n, name=names[n.name], inputs=tuple(names[key] for key in n.inputs)) for n in nodes]

    def _folded(self, node, scale, shift):
        weights = node.weights * scale.reshape(-1, *[1] * (node.weights.ndim - 1))
        return self._made(replace, node, weights=weights, bias=node.bias * scale + shift)

    def _made(self, make, *fields, **more):
        with located(f"In {self.name}: "):
            return make(*fields, **more)

    def _check(self, node, shape):
        """Raises an error for a network that would be too large, before more of it is made."""
        if len(self.nodes) >= 2 * MAX_NODES:  # half of them may be folded into others
            raise NetworkError(f"{self.name} has more than {2 * MAX_NODES} nodes; a simpler network can be shown.")
        if prod(shape) > MAX_NEURONS:
            raise NetworkError(
                f"Node `{node.name}` ({node.kind}) of {self.name} gives {shape}; at most {MAX_NEURONS} neurons can be "
                "shown. Use a smaller network or input."
            )

    def _free(self, label):
        """An unused name: the label, with a number if necessary."""
        label = short(label, 60).strip("/") or "node"
        name = _first_free(label, self.nodes)
        self.labels[name] = label
        return name


def _first_free(label, taken):
    name, count = label, 1
    while name in taken:
        count += 1
        name = f"{label} {count}"
    return name
