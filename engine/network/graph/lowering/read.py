"""Reads a graph as a function of a vector: every tensor becomes weighted sums of units, every activation new units."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from engine.errors import NetworkError, ShapeError, located
from engine.network.graph import nodes
from engine.network.graph.graph import Graph
from engine.network.graph.lowering import choosing
from engine.network.graph.lowering.sums import Sums, UnitGroup, stacked
from engine.network.graph.nodes import GraphNode
from engine.network.graph.nodes.base import size_of

# Multiply-adds in numpy's float64 for one operator that is made a matrix, and units of one product.
MOST_ENTRIES, MOST_PRODUCTS = 1 << 26, 1 << 14
MOST_NUMBERS = 1 << 22  # of one operator's output

MOVES = (nodes.Reshape, nodes.Transpose, nodes.Slice, nodes.Expand, nodes.Gather, nodes.Concat, nodes.Pad)
# Operators whose output is weights times one input, plus a constant.
LINEAR = (nodes.Convolution, nodes.TransposedConvolution, nodes.AveragePool, nodes.Resize)


class Reader:
    """The Sums of every node of a graph whose inputs, laid one after another, are the vector."""

    def __init__(self, graph: Graph):
        self.graph = graph
        sizes = [size_of(node.size) for node in graph.inputs]
        if sum(sizes) > MOST_NUMBERS:
            raise NetworkError(
                f"{graph.name} takes {sum(sizes)} numbers; at most {MOST_NUMBERS} are shown as a vector."
            )
        self.inputs = UnitGroup(sum(sizes))
        whole, ends = self.inputs.all(), np.cumsum([0, *sizes])
        self.found: dict[str, Sums] = {}
        self._relayed: dict[int, tuple[Sums, Sums]] = {}  # {id of Sums: (they, the same as units of their own)}
        for node, first, size in zip(graph.inputs, ends, sizes, strict=False):
            self.found[node.name] = whole.rows(np.arange(first, first + size))
        for node in graph.nodes:
            if node.name not in self.found:
                with located(f"Node `{node.name}` ({node.kind}) of {graph.name}: ", "."):
                    self.found[node.name] = self._read(node)

    def _read(self, node):
        if size_of(self.graph.dims[node.name]) > MOST_NUMBERS:
            dims = self.graph.dims[node.name]
            raise NetworkError(
                f"it gives {dims}; in a function of a vector at most {MOST_NUMBERS} numbers are computed"
            )
        if isinstance(node, nodes.Constant):
            return Sums({}, node.array.reshape(-1).astype(float))
        rule: Callable[[Reader, Any], Sums] | None = RULES.get(type(node))
        if isinstance(node, MOVES):
            return self._moved(node)
        if isinstance(node, LINEAR):
            return self._linear(node)
        if rule is None:
            raise NetworkError(
                "it has no place in a function of a vector; a network of an image can be shown by the scene activations"
            )
        return rule(self, node)

    def sums(self, node: GraphNode) -> list[Sums]:
        """Those of the node's inputs."""
        return [self.found[key] for key in node.inputs]

    def dims(self, node: GraphNode) -> list[nodes.Dims]:
        return [self.graph.dims[key] for key in node.inputs]

    def spread(self, node: GraphNode) -> list[Sums]:
        """Those of the node's inputs, broadcast to its shape."""
        shape, found = self.graph.dims[node.name], []
        for sums, dims in zip(self.sums(node), self.dims(node), strict=True):
            at = np.broadcast_to(np.arange(sums.size).reshape(dims), shape)
            found.append(sums if dims == shape else sums.rows(at))
        return found

    def applied(self, activation: Any, sums: Sums) -> Sums:
        """New units, the activation of the sums."""
        if not sums.terms:
            raise NetworkError("it works on a constant; simplify the network")
        return UnitGroup(sums.size, sums, str(activation)).all()

    def relayed(self, sums: Sums) -> Sums:
        """The same numbers as units of their own (the identity of the sums), so that later layers can take them."""
        if id(sums) not in self._relayed:
            self._relayed[id(sums)] = sums, self.applied("identity", sums)
        return self._relayed[id(sums)][1]

    def level(self, *many: Sums) -> list[Sums]:
        """Sums that meet: those from earlier layers as units of their own if that is fewer to carry on."""
        deepest = max(sums.depth for sums in many)
        return [
            self.relayed(sums)
            if sums.terms and sums.depth < deepest and sums.unit_count + sums.has_full > sums.size
            else sums
            for sums in many
        ]

    def product(self, a: Sums, b: Sums) -> Sums:
        """a b, elementwise."""
        for one, other in ((a, b), (b, a)):
            if not one.terms:
                return other.times(one.bias)
        if a is b:
            return self.applied("square", a)
        if a.size > MOST_PRODUCTS:
            raise NetworkError(f"it makes {a.size} products; at most {MOST_PRODUCTS} are computed")
        a, b = self.level(a, b)
        pairs = np.arange(2 * a.size).reshape(2, -1).T
        return self.applied("product", stacked([a, b]).rows(pairs)).rows(np.arange(0, 2 * a.size, 2))

    def _moved(self, node):
        sums = self.sums(node)
        places, first = [], 0
        for one, dims in zip(sums, self.dims(node), strict=True):
            places.append(np.arange(first, first + one.size).reshape(dims))
            first += one.size
        whole = sums[0] if len(sums) == 1 else stacked(self.level(*sums))
        if isinstance(node, nodes.Pad) and node.mode == "constant":
            at = nodes.Pad(node.name, node.inputs, node.before, node.after, -1.0).value(places[0])
            return whole.rows(at.astype(int), node.filling)
        return whole.rows(node.value(*places))

    def _linear(self, node):
        """An operator that is weights times its input, found by applying it to the unit vectors."""
        (sums,), (dims,) = self.sums(node), self.dims(node)
        out = int(np.prod(self.graph.dims[node.name]))
        if sums.size * out > MOST_ENTRIES or dims[0] != 1:
            raise NetworkError(
                f"as a matrix it is ({out}, {sums.size}), which takes too much memory; `activations` shows large images"
            )
        bias = node.value(np.zeros(dims)).reshape(-1)
        units = np.eye(sums.size).reshape(sums.size, *dims[1:])
        return self._mixed(sums, (node.value(units).reshape(sums.size, -1) - bias).T, bias)

    def _mixed(self, sums, weights, bias, takes=None):
        """A layer of weights; after another one the numbers between the two become units."""
        if sums.has_full:
            sums = self.relayed(sums)
        if weights.size > MOST_ENTRIES:
            raise NetworkError(f"its matrix is {weights.shape}, which takes too much memory")
        return sums.through(weights, bias, takes)

    def dense(self, node: nodes.Dense) -> Sums:
        """weights x + bias along the last axis."""
        (sums,) = self.sums(node)
        width = node.weights.shape[1]
        if sums.size == width:
            return self._mixed(sums, node.weights, node.bias, np.broadcast_to(True, node.weights.shape))
        rows = np.arange(sums.size).reshape(-1, width)
        if len(rows) * node.weights.size > MOST_ENTRIES:
            raise NetworkError(f"it works on {len(rows)} rows, which takes too much memory as one matrix")
        takes = np.kron(np.eye(len(rows), dtype=bool), np.ones(node.weights.shape, bool))
        return self._mixed(sums, np.kron(np.eye(len(rows)), node.weights), np.tile(node.bias, len(rows)), takes)

    def matmul(self, node: nodes.MatMul) -> Sums:
        """The matrix product of two tensors: of a constant and another, or sums of products."""
        (a, b), (da, db) = self.sums(node), self.dims(node)
        shape = self.graph.dims[node.name]
        if da[-1] * int(np.prod(shape)) > MOST_ENTRIES:
            raise NetworkError(f"it multiplies {da} and {db}, which takes too much memory")
        # (..., rows, columns, inner): which elements of a and of b meet in each sum.
        left = np.arange(a.size).reshape(da if len(da) > 1 else (1, *da))
        right = np.arange(b.size).reshape(db if len(db) > 1 else (*db, 1))
        left, right = np.broadcast_arrays(left[..., :, None, :], right.swapaxes(-1, -2)[..., None, :, :])
        left, right = left.reshape(-1, da[-1]), right.reshape(-1, da[-1])
        for one, other, mine, its in ((a, b, left, right), (b, a, right, left)):
            if not one.terms:
                weights, takes = np.zeros((len(its), other.size)), np.zeros((len(its), other.size), bool)
                np.add.at(weights, (np.arange(len(its))[:, None], its), one.bias[mine])
                takes[np.arange(len(its))[:, None], its] = True
                return self._mixed(other, weights, 0.0, takes)
        products = self.product(a.rows(left), b.rows(right))
        return products.through(np.kron(np.eye(len(left)), np.ones((1, da[-1]))))

    def reduced(self, node: nodes.Reduce) -> Sums:
        """A mean, a sum, an extremum or a product along axes."""
        (sums,), (dims,) = self.sums(node), self.dims(node)
        out = int(np.prod(self.graph.dims[node.name]))
        if out * sums.size > MOST_ENTRIES:
            raise NetworkError(
                f"as a matrix it is ({out}, {sums.size}), which takes too much memory; `activations` shows large images"
            )
        ends = nodes.Reduce(node.name, node.inputs, node.function, node.axes, True).shape(dims)
        target = np.broadcast_to(np.arange(out).reshape(ends), dims).reshape(-1)
        if node.function not in ("mean", "sum"):
            sums = self.relayed(sums) if sums.has_full else sums
            return choosing.folded(self, sums, np.argsort(target, kind="stable").reshape(out, -1), node.function)
        weights = np.zeros((out, sums.size))
        weights[target, np.arange(sums.size)] = out / sums.size if node.function == "mean" else 1.0
        return sums.through(weights)

    def normalised(self, node: nodes.Normalise) -> Sums:
        """Means and deviations by sums, squares, rsqrt and products."""
        (sums,), (dims,) = self.sums(node), self.dims(node)
        seen = dims if not node.groups else (dims[0], node.groups, sums.size // (dims[0] * node.groups))
        axes = node.axes if not node.groups else (2,)
        each = nodes.Reduce("mean", ("x",), "mean", axes).shape(seen)
        number = np.broadcast_to(np.arange(int(np.prod(each))).reshape(each), seen).reshape(-1)
        count = sums.size // int(np.prod(each))
        if sums.size**2 > MOST_ENTRIES:
            raise NetworkError(f"it normalises {sums.size} numbers, which takes too much memory as a matrix")
        mean = (number[:, None] == number[None, :]) / count
        centred = sums.through(np.eye(sums.size) - mean) if node.centred else sums
        squares = self.applied("square", centred)
        average = (np.arange(int(np.prod(each)))[:, None] == number[None, :]) / count
        factor = self.applied(f"rsqrt({float(np.float32(node.epsilon))!r})", squares.through(average))
        whole = self.product(centred, factor.rows(number))
        gain, bias = (np.broadcast_to(x, dims).reshape(-1) for x in (node.gain, node.bias))
        return whole.times(gain).plus(bias)

    def prelu(self, node: nodes.Prelu) -> Sums:
        """slopes x + (1 - slopes) relu(x)."""
        (sums,) = self.sums(node)
        slopes = np.broadcast_to(node.slopes, self.graph.dims[node.name]).reshape(-1).astype(float)
        if len(set(slopes)) == 1:
            return self.applied(f"leaky_relu({float(slopes[0])!r})", sums)
        both = UnitGroup(2 * sums.size, stacked([sums, sums]), f"{sums.size} identity + {sums.size} relu").all()
        straight, bent = (both.rows(np.arange(sums.size) + k * sums.size) for k in (0, 1))
        return straight.times(slopes).added(bent.times(1.0 - slopes))


def _sum(reader, node, sign=1.0):
    a, b = reader.level(*reader.spread(node))
    return a.added(b if sign == 1 else b.times(sign))


def _affine(reader, node):
    (sums,), shape = reader.sums(node), reader.graph.dims[node.name]
    scale, shift = (np.broadcast_to(x, shape).reshape(-1) for x in (node.scale, node.shift))
    return sums.times(scale).plus(shift)


def _quotient(reader, node):
    a, b = reader.spread(node)
    if not b.terms:
        return a.times(1.0 / b.bias)
    # Its own size, so that a common divisor is inverted once.
    (divisor,), (dims,) = reader.sums(node)[1:], reader.dims(node)[1:]
    shape = reader.graph.dims[node.name]
    at = np.broadcast_to(np.arange(divisor.size).reshape(dims), shape)
    return reader.product(a, reader.applied("reciprocal", divisor).rows(at))


RULES: Mapping[type[GraphNode], Callable[[Reader, Any], Sums]] = {
    nodes.Dense: Reader.dense,
    nodes.MatMul: Reader.matmul,
    nodes.Reduce: Reader.reduced,
    nodes.Normalise: Reader.normalised,
    nodes.Prelu: Reader.prelu,
    nodes.Affine: _affine,
    nodes.Elementwise: lambda reader, node: reader.applied(node.activation, reader.sums(node)[0]),
    nodes.Add: _sum,
    nodes.Subtract: lambda reader, node: _sum(reader, node, -1.0),
    nodes.Multiply: lambda reader, node: reader.product(*reader.spread(node)),
    nodes.Divide: _quotient,
    **choosing.RULES,
}


def read(graph: Graph, output: str) -> tuple[UnitGroup, Sums]:
    """(the inputs, the Sums of an output) of a graph. Raises NetworkError naming the node that cannot be read so."""
    if not graph.inputs:
        raise ShapeError(f"{graph.name} has no input.")
    reader = Reader(graph)
    return reader.inputs, reader.found[output]
