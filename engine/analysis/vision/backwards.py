"""How a neuron depends on those before it, node by node backwards, with all that bends held as it is at an image."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.analysis.stages import gate
from engine.errors import NetworkError
from engine.network.convnet import MOVING, ConvNet
from engine.network.graph import nodes as kinds
from engine.network.graph.nodes import GraphNode
from engine.network.graph.views import unviewed, viewed


@dataclass(frozen=True, eq=False)
class Patch:
    """How a neuron depends on those in a rectangle of a node's map, all channels: factors (C, h, w), from (top, left).

    With all that bends held as it is (see `attribution.contributions`), the neuron is the sum of factors times
    responses and of an offset.
    """

    values: np.ndarray
    top: int
    left: int

    def of(self, x: np.ndarray) -> np.ndarray:
        """The same rectangle of a map, float64."""
        height, width = self.values.shape[1:]
        return x[:, self.top : self.top + height, self.left : self.left + width].astype(float)

    def times(self, factors: np.ndarray) -> Patch:
        """Each factor times another."""
        return Patch(times(self.values, factors), self.top, self.left)

    def joined(self, other: Patch | None) -> Patch:
        """Both, added where they overlap."""
        if other is None:
            return self
        ends = [(p.top + p.values.shape[1], p.left + p.values.shape[2]) for p in (self, other)]
        top, left = min(self.top, other.top), min(self.left, other.left)
        bottom, right = np.max(ends, axis=0)
        values = np.zeros((len(self.values), bottom - top, right - left))
        for patch, (row, column) in zip((self, other), ends, strict=True):
            values[:, patch.top - top : row - top, patch.left - left : column - left] += patch.values
        return Patch(values, top, left)


class ImageRun:
    """A network's responses at an image; those that were not kept are computed again."""

    def __init__(self, net: ConvNet, responses: Mapping[str, np.ndarray]):
        self.net, self._responses = net, responses
        self._made: dict[str, np.ndarray] = {}

    def response(self, name: str) -> np.ndarray:
        """(C, H, W) of a node that depends on the image."""
        found = self._responses.get(name)
        if found is not None:
            return found
        if name not in self._made:
            node = self.net.node(name)
            value = node.value(*(self.array(key) for key in node.inputs))
            self._made[name] = viewed(value, self.net.last[name])
        return self._made[name]

    def sums(self, name: str, patch: Patch) -> np.ndarray:
        """float64: a Patch's rectangle of a node's map; of a node that was not kept, from its inputs there."""
        node, net = self.net.node(name), self.net
        if self._responses.get(name) is not None or name in self._made:
            return patch.of(self.response(name))
        if isinstance(node, kinds.Convolution):
            key = net.taken(node)[0]
            seen = _Windows(node, net.shapes[key], patch)
            x, groups = seen.of(self.response(key)), node.groups
            weights = node.weights.astype(float).reshape(groups, -1, *node.weights.shape[1:])
            z = np.zeros((groups, weights.shape[1], math.prod(patch.values.shape[1:])))
            for (i, j), at in seen.elements():
                z += weights[..., i, j] @ x[at].reshape(groups, weights.shape[2], -1)
            return z.reshape(patch.values.shape) + node.bias.astype(float)[:, None, None]
        if isinstance(node, kinds.Dense) and net.last[name] and _alike(self, node, net.taken(node)):
            x = patch.of(self.response(net.taken(node)[0]))
            return np.tensordot(node.weights.astype(float), x, axes=1) + node.bias.astype(float)[:, None, None]
        return patch.of(self.response(name))

    def array(self, name: str) -> np.ndarray:
        """A node's array, float64."""
        node = self.net.node(name)
        if isinstance(node, kinds.Constant):
            return node.value()
        return self.whole(name, self.response(name).astype(float))

    def whole(self, name: str, view: np.ndarray) -> np.ndarray:
        """A node's map as its array."""
        return unviewed(view, self.net.graph.dims[name], self.net.last[name])

    def filled(self, name: str, patch: Patch) -> np.ndarray:
        """A Patch of a node as its whole array."""
        values = np.zeros(self.net.shapes[name])
        rows, columns = patch.values.shape[1:]
        values[:, patch.top : patch.top + rows, patch.left : patch.left + columns] = patch.values
        return self.whole(name, values)

    def part(self, name: str, factors: np.ndarray) -> tuple[str, Patch]:
        """(name, Patch) of an array of factors, cut to the places that have any."""
        view = viewed(factors, self.net.last[name])
        rows, columns = (np.flatnonzero(view.any(axis=axes)) for axes in ((0, 2), (0, 1)))
        if not rows.size:
            return name, Patch(view[:, :1, :1], 0, 0)
        top, left = rows[0], columns[0]
        return name, Patch(view[:, top : rows[-1] + 1, left : columns[-1] + 1], int(top), int(left))


def parts(run: ImageRun, node: GraphNode, patch: Patch) -> list[tuple[str, Patch]]:
    """(input's name, Patch) pairs: the factors of a Patch carried to those of the node's inputs that are neurons.

    Raises NetworkError for a node through which nothing can be followed.
    """
    net, keys = run.net, run.net.taken(node)
    if not keys or isinstance(node, kinds.Softmax | kinds.Compare):
        return []  # what is held as it is belongs to the offset
    rule = next((rule for kind, rule in RULES if isinstance(node, kind)), None)
    found = rule(run, node, keys, patch) if rule else None
    if found is None and len(keys) == 1 and net.shapes[keys[0]] == net.shapes[node.name]:
        x, y = (patch.of(run.response(name)) for name in (keys[0], node.name))
        found = [(keys[0], patch.times(_over(y, x)))]
    if found is None:
        raise NetworkError(f"What moved a neuron cannot be followed through `{node.name}` ({node.kind}) of {net.name}.")
    return found


def _over(a, b):
    """a / b, and 0 where b is 0."""
    return np.divide(a, b, out=np.zeros(np.broadcast_shapes(np.shape(a), np.shape(b))), where=np.asarray(b) != 0)


def times(factors: np.ndarray, other: np.ndarray) -> np.ndarray:
    """factors * other, and 0 where factors are, also times what is no number: nothing depends on it."""
    sides = np.broadcast_shapes(np.shape(factors), np.shape(other))
    return np.multiply(factors, other, out=np.zeros(sides), where=np.asarray(factors) != 0)


def _alike(run, node, keys):
    """Whether a node's inputs have its own rows and columns."""
    return all(run.net.shapes[key][1:] == run.net.shapes[node.name][1:] for key in keys)


# Each rule: (run, node, names of inputs that are neurons, patch) -> (name, Patch) pairs, or None if it does not fit.


def _convolution(run, node, keys, patch):
    seen = _Windows(node, run.net.shapes[keys[0]], patch)
    given, outs, ins = seen.empty(), len(node.weights) // node.groups, node.weights.shape[1]
    for group in range(node.groups):
        out, into = slice(group * outs, (group + 1) * outs), slice(group * ins, (group + 1) * ins)
        factors = patch.values[out].reshape(outs, -1)
        moved = np.flatnonzero(factors.any(axis=1))
        if not moved.size:
            continue
        weights = node.weights[out][moved].astype(float)
        for (i, j), at in seen.elements():
            part = given[into][at]
            part += (weights[:, :, i, j].T @ factors[moved]).reshape(part.shape)
    return [(keys[0], seen.patch(given))]


def _dense(run, node, keys, patch):
    weights = node.weights.astype(float)
    if run.net.last[node.name] and _alike(run, node, keys):
        rows = np.flatnonzero(patch.values.any(axis=(1, 2)))
        given = np.tensordot(weights[rows].T, patch.values[rows], axes=1)
        return [(keys[0], Patch(given, patch.top, patch.left))]
    return [run.part(keys[0], run.filled(node.name, patch) @ weights)]


def _elementwise(run, node, keys, patch):
    activation = node.activation
    if str(activation) == "relu":
        return [(keys[0], patch.times(patch.of(run.response(node.name)) > 0))]
    with np.errstate(all="ignore"):
        zero = float(activation.value(np.zeros(1))[0])
    z = run.sums(keys[0], patch)
    return [(keys[0], patch.times(_over(activation.value(z) - (zero if math.isfinite(zero) else 0.0), z)))]


def _of_two(run, node, keys, patch):
    """Arithmetic of two, broadcast: each factor is how the result depends on one with the other held."""
    a, b = (run.array(key) for key in node.inputs)
    every = run.filled(node.name, patch)
    both = len(keys) == 2
    if isinstance(node, kinds.Add | kinds.Subtract):
        factors = every, every if isinstance(node, kinds.Add) else -every
    elif isinstance(node, kinds.Multiply):
        which = gate(run.net, node) if both else None
        # Both get half if neither is a gate.
        parts = (1.0, 1.0) if not both else (0.5, 0.5) if which is None else (float(which == 1), float(which == 0))
        factors = times(every, b) * parts[0], times(every, a) * parts[1]
    elif isinstance(node, kinds.Maximum | kinds.Minimum):
        first = a >= b if isinstance(node, kinds.Maximum) else a <= b
        factors = every * first, every * ~first
    elif isinstance(node, kinds.Divide) and node.inputs[0] in keys:
        factors = _over(every, b), np.zeros(1)
    else:
        return None
    pairs = zip(node.inputs, factors, strict=True)
    return [run.part(key, _summed(f, run.net.graph.dims[key])) for key, f in pairs if key in keys and f.any()]


def _where(run, node, keys, patch):
    chosen, every = run.array(node.inputs[0]).astype(bool), run.filled(node.name, patch)
    pairs = (node.inputs[1], every * chosen), (node.inputs[2], every * ~chosen)
    return [run.part(key, _summed(f, run.net.graph.dims[key])) for key, f in pairs if key in keys and f.any()]


def _summed(factors, dims):
    """Factors summed over the axes along which an array of shape dims was broadcast."""
    factors = factors.sum(axis=tuple(range(factors.ndim - len(dims))))
    axes = tuple(i for i, n in enumerate(dims) if n == 1 and factors.shape[i] > 1)
    return factors.sum(axis=axes, keepdims=True)


def _affine(run, node, keys, patch):
    return [run.part(keys[0], run.filled(node.name, patch) * node.scale)]


def _normalise(run, node, keys, patch):
    x = run.array(keys[0])
    seen = x.reshape(x.shape[0], node.groups, -1) if node.groups else x
    axes = (2,) if node.groups else tuple(axis % x.ndim for axis in node.axes)
    centre = seen.mean(axis=axes, keepdims=True) if node.centred else 0.0
    deviation = np.sqrt(((seen - centre) ** 2).mean(axis=axes, keepdims=True) + node.epsilon)
    deviation = np.broadcast_to(deviation, seen.shape).reshape(x.shape)
    factors = run.filled(node.name, patch) * node.gain / deviation
    if node.centred and not node.groups and len(axes) == 1:
        # The mean is one of the channels that stand at one place, few enough to be followed.
        factors = factors - factors.mean(axis=axes, keepdims=True)
    return [run.part(keys[0], factors)]


def _reduce(run, node, keys, patch):
    x, axes = run.array(keys[0]), tuple(axis % len(run.net.graph.dims[keys[0]]) for axis in node.axes)
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    every = run.filled(node.name, patch).reshape(kept)
    if node.function in ("mean", "sum"):
        count = math.prod(x.shape[axis] for axis in axes) if node.function == "mean" else 1
        return [run.part(keys[0], np.broadcast_to(every / count, x.shape))]
    if node.function in ("max", "min"):
        # Of equal inputs the first has all.
        last = range(-len(axes), 0)
        flat = np.moveaxis(x, axes, last).reshape(*(n for i, n in enumerate(x.shape) if i not in axes), -1)
        best = flat.argmax(axis=-1) if node.function == "max" else flat.argmin(axis=-1)
        chosen = np.arange(flat.shape[-1]) == best[..., None]
        moved = chosen.reshape(*flat.shape[:-1], *(x.shape[axis] for axis in axes))
        return [run.part(keys[0], np.moveaxis(moved, last, axes) * every)]
    return None


def _product(run, node, keys, patch):
    a, b = (run.array(key) for key in node.inputs)
    if min(a.ndim, b.ndim) < 2:
        return None
    every = run.filled(node.name, patch)
    parts = [1.0, 1.0]
    if len(keys) == 2:
        # Attention's weights are held, so that what is looked at has all.
        held = [_is_softmax(run.net, key) for key in node.inputs]
        parts = [0.5, 0.5] if held[0] == held[1] else [float(not is_held) for is_held in held]
    found = []
    for i, key in enumerate(node.inputs):
        if key in keys and parts[i]:
            factors = every @ np.swapaxes(b, -1, -2) if i == 0 else np.swapaxes(a, -1, -2) @ every
            found.append(run.part(key, parts[i] * _summed(factors, run.net.graph.dims[key])))
    return found


def _is_softmax(net, name):
    node = net.node(name)
    while isinstance(node, MOVING) and net.taken(node):
        node = net.node(net.taken(node)[0])
    return isinstance(node, kinds.Softmax)


def _moved(run, node, keys, patch):
    """What only moves, moved back."""
    net = run.net
    if isinstance(node, kinds.Concat) and not net.last[node.name] and node.axis % len(net.graph.dims[node.name]) == 1:
        ends = np.cumsum([net.shapes[key][0] if key in keys else net.graph.dims[key][1] for key in node.inputs])
        parts = zip(node.inputs, np.split(patch.values, ends[:-1]), strict=True)
        return [(key, Patch(part, patch.top, patch.left)) for key, part in parts if key in keys and part.any()]
    ends = np.cumsum([0, *(math.prod(net.graph.dims[key]) for key in node.inputs)])
    places = [
        np.arange(a, b).reshape(net.graph.dims[key]) for key, a, b in zip(node.inputs, ends, ends[1:], strict=False)
    ]
    if isinstance(node, kinds.Pad):
        node = replace(node, filling=-1)
    at = np.asarray(node.value(*places)).reshape(-1).astype(int)
    factors = run.filled(node.name, patch).reshape(-1)
    given = np.bincount(at[at >= 0], weights=factors[at >= 0], minlength=ends[-1])
    parts = zip(node.inputs, np.split(given, ends[1:-1]), strict=True)
    return [run.part(key, part.reshape(net.graph.dims[key])) for key, part in parts if key in keys and part.any()]


def _resize(run, node, keys, patch):
    return [run.part(keys[0], node.rows.T.astype(float) @ run.filled(node.name, patch) @ node.columns.astype(float))]


def _transposed(run, node, keys, patch):
    # Weights (I, O / groups) of a transposed convolution are those of the convolution backwards.
    every, cut = run.filled(node.name, patch), node.padding
    rows, columns = every.shape[2:]
    every = every[:, :, max(-cut[0], 0) : rows - max(-cut[2], 0), max(-cut[1], 0) : columns - max(-cut[3], 0)]
    back = kinds.Convolution(
        node.name, node.inputs, node.weights, stride=node.stride, dilation=node.dilation, groups=node.groups,
        padding=tuple(max(p, 0) for p in cut),
    )  # fmt: skip
    _, height, width = run.net.shapes[keys[0]]
    return [run.part(keys[0], back.value(every)[:, :, :height, :width])]


def _pool(run, node, keys, patch):
    shape = run.net.shapes[keys[0]]
    seen = _Windows(node, shape, patch)
    given, elements = seen.empty(), list(seen.elements())
    if isinstance(node, kinds.AveragePool):
        down, right = node.divisors((1, *shape))
        rows, columns = patch.values.shape[1:]
        counts = np.outer(down[patch.top : patch.top + rows], right[patch.left : patch.left + columns])
        for _, at in elements:
            given[at] += patch.values / counts
        return [(keys[0], seen.patch(given))]
    x = seen.of(run.response(keys[0]), -np.inf)
    left, most = patch.values.copy(), np.max([x[at] for _, at in elements], axis=0)
    for _, at in elements:
        # Of equal inputs the first has all.
        here = (x[at] == most) & (left != 0)
        given[at] += np.where(here, left, 0.0)
        left[here] = 0.0
    return [(keys[0], seen.patch(given))]


class _Windows:
    """The part of a map that the windows of a Patch's neurons cover.

    shape   (C, H, W) of the map
    """

    def __init__(self, node, shape, patch):
        self._windows, self._counts = node.window(), patch.values.shape[1:]
        starts = [at * w.stride - w.before for at, w in zip((patch.top, patch.left), self._windows, strict=True)]
        sizes = [(n - 1) * w.stride + w.extent for n, w in zip(self._counts, self._windows, strict=True)]
        on_map = [
            slice(max(0, start), max(0, min(length, start + size)))
            for start, size, length in zip(starts, sizes, shape[1:], strict=True)
        ]
        self._low, self._on_map, self._shape = [at.start for at in on_map], on_map, (shape[0], *sizes)
        self._inside = tuple(slice(at.start - s, at.stop - s) for at, s in zip(on_map, starts, strict=True))

    def empty(self) -> np.ndarray:
        """(C, h, w) zeros for the part."""
        return np.zeros(self._shape)

    def of(self, x: np.ndarray, outside: float = 0.0) -> np.ndarray:
        """(C, h, w) float64: the part of a map, `outside` where it is not on the map."""
        part = np.full(self._shape, outside)
        part[(slice(None), *self._inside)] = x[(slice(None), *self._on_map)]
        return part

    def elements(self) -> Iterator[tuple[tuple[int, int], tuple[slice, slice, slice]]]:
        """((row, column) of the element, its slices of the part) for each element of a window."""
        for row, column in itertools.product(*(range(w.size) for w in self._windows)):
            down, right = (
                slice(k * w.dilation, k * w.dilation + (n - 1) * w.stride + 1, w.stride)
                for k, w, n in zip((row, column), self._windows, self._counts, strict=True)
            )
            yield (row, column), (slice(None), down, right)

    def patch(self, values: np.ndarray) -> Patch:
        """Values over the part as a Patch, without what lies outside the map."""
        return Patch(values[(slice(None), *self._inside)], *self._low)


Rule = Callable[[ImageRun, Any, Sequence[str], Patch], list[tuple[str, Patch]] | None]
RULES: tuple[tuple[Any, Rule], ...] = (
    (kinds.Convolution, _convolution), (kinds.TransposedConvolution, _transposed), (kinds.Dense, _dense),
    (kinds.Elementwise, _elementwise), (kinds.Affine, _affine), (kinds.Normalise, _normalise), (kinds.Reduce, _reduce),
    (kinds.MatMul, _product), (kinds.Pool, _pool), (kinds.Resize, _resize), (kinds.Where, _where),
    (kinds.Concat | MOVING, _moved), (kinds.Binary, _of_two),
)  # fmt: skip
