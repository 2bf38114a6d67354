"""Which neurons contributed to one of a convolutional network: weight times response, backwards layer by layer."""

import itertools
import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.analysis.stages import gate
from engine.errors import NetworkError
from engine.network.convnet import MOVING, ConvNet
from engine.network.graph import nodes as kinds
from engine.network.graph.views import unviewed, viewed


@dataclass(frozen=True)
class Attribution:
    """A neuron's contribution to another neuron.

    node, channel, row, column   the contributing neuron
    share                        its part of all contributions, from -1 to 1; below 0 it lowered the other's response
    """

    node: str
    channel: int
    row: int
    column: int
    share: float


@dataclass(frozen=True, eq=False)
class _Patch:
    """Shares of the neurons in a rectangle of a node's map, all channels: values (C, h, w), from (top, left) on."""

    values: np.ndarray
    top: int
    left: int

    def of(self, x):
        """The same rectangle of a map, float64."""
        height, width = self.values.shape[1:]
        return x[:, self.top : self.top + height, self.left : self.left + width].astype(float)

    def joined(self, other):
        """Both, added where they overlap."""
        if other is None:
            return self
        ends = [(p.top + p.values.shape[1], p.left + p.values.shape[2]) for p in (self, other)]
        top, left = min(self.top, other.top), min(self.left, other.left)
        bottom, right = np.max(ends, axis=0)
        values = np.zeros((len(self.values), bottom - top, right - left))
        for patch, (row, column) in zip((self, other), ends, strict=True):
            values[:, patch.top - top : row - top, patch.left - left : column - left] += patch.values
        return _Patch(values, top, left)


def attributions(
    net: ConvNet,
    responses: Mapping[str, np.ndarray],
    node: str,
    place: Sequence[int],
    shown: Container[str],
    *,
    most: int = 24,
) -> list[Attribution]:
    """The neurons of `shown` nodes that contributed most to one neuron, at most `most`, the strongest first.

    responses   {name: (C, H, W)} of all nodes at an image
    node        name of the node the neuron is in
    place       (channel, row, column)
    shown       names of nodes; each path back ends at the first of them

    A weighted sum gives shares by weight times response, over the sum of the absolute values; the bias gets none. A
    maximum gives all to its largest input, an activation to its sum. Shares along different paths add up.
    (Bach et al. 2015, PLoS ONE 10(7): relevance, layer by layer; absolute values in the divisor keep shares finite.)
    A product gives all to its signal and nothing to the gate (Arras et al. 2017, WASSA: "Explaining recurrent neural
    network predictions in sentiment analysis"), and half to each of two factors that are no gates; see `stages.gate`.
    Of a product of matrices the second gets all if the first is a softmax, as in attention; else both get half.
    Raises NetworkError for a neuron that does not exist, and for a node through which nothing can be followed.
    """
    start = net.node(node)
    if not all(0 <= p < n for p, n in zip(place, net.shapes[start.name], strict=True)):
        raise NetworkError(f"Node `{start.name}` of {net.name} is {net.shapes[start.name]}; it has no {tuple(place)}.")
    channel, row, column = (int(p) for p in place)
    own = np.zeros((net.shapes[start.name][0], 1, 1))
    own[channel] = 1.0
    waiting = {start.name: _Patch(own, row, column)}
    found = []
    for at in reversed(net.nodes):
        patch = waiting.pop(at.name, None)
        if patch is None:
            continue
        if at is not start and at.name in shown:
            found += _strongest(at.name, patch, most)
        elif not isinstance(at, kinds.Input):
            for key, part in _parts(net, responses, at, patch):
                waiting[key] = part.joined(waiting.get(key))
    found.sort(key=lambda i: (-abs(i.share), i.node, i.channel, i.row, i.column))
    return found[:most]


def _strongest(name, patch, most):
    flat = patch.values.ravel()
    order = np.argsort(-abs(flat), kind="stable")[:most]
    places = np.unravel_index(order[flat[order] != 0], patch.values.shape)
    return [
        Attribution(name, int(c), int(y) + patch.top, int(x) + patch.left, float(patch.values[c, y, x]))
        for c, y, x in zip(*places, strict=True)
    ]


def _parts(net, responses, node, patch):
    """(input's name, _Patch) pairs: the shares of a _Patch passed on to those of the node's inputs that are neurons."""
    keys = net.taken(node)
    if not keys:
        return []
    key = keys[0]
    # A node that is fused with its activation has no responses; nothing below needs them.
    x = responses.get(key)
    alike = all(net.shapes[name][1:] == net.shapes[node.name][1:] for name in keys)
    if isinstance(node, kinds.Convolution):
        return [(key, _through_convolution(node, x, patch))]
    if isinstance(node, kinds.Dense) and alike:
        return [(key, _Patch(_through_dense(node, patch.of(x), patch.values), patch.top, patch.left))]
    if isinstance(node, kinds.Add) and alike and all(net.shapes[name] == net.shapes[node.name] for name in keys):
        terms = np.array([patch.of(_response(net, responses, node, name)) for name in node.inputs])
        whole = _over(patch.values, abs(terms).sum(axis=0))
        both = zip(node.inputs, terms, strict=True)
        return [(n, _Patch(t * whole, patch.top, patch.left)) for n, t in both if n in keys]
    if isinstance(node, kinds.Multiply) and len(keys) == 2:
        which = gate(net, node)
        if which is not None:
            return [(node.inputs[1 - which], patch)]
        half = _Patch(patch.values / 2, patch.top, patch.left)
        return [(n, half) for n in node.inputs]
    if isinstance(node, kinds.Concat | MOVING):
        return _moved(net, node, patch)
    if isinstance(node, kinds.Reduce) and node.function in ("mean", "sum"):
        x = _whole(net, key, x.astype(float))
        axes = tuple(node.axes)
        shares = np.reshape(
            _whole(net, node.name, _filled(net, node.name, patch)), np.mean(x, axes, keepdims=True).shape
        )
        return [_part(net, key, x * _over(shares, abs(x).sum(axis=axes, keepdims=True)))]
    if isinstance(node, kinds.MatMul) and len(keys) == 2:
        return _through_product(net, responses, node, patch)
    if isinstance(node, kinds.MaxPool | kinds.AveragePool):
        return [(key, _through_pool(node, x, patch))]
    if isinstance(node, kinds.Resize | kinds.TransposedConvolution) and min(getattr(node, "padding", (0,))) >= 0:
        return _through_larger(net, node, key, x, patch)
    if len(keys) == 1 and net.shapes[key] == net.shapes[node.name] and isinstance(node, OWN):
        # An activation or a norm: a neuron's own sum contributes most, and gets all.
        return [(key, patch)]
    raise NetworkError(f"What moved a neuron cannot be followed through `{node.name}` ({node.kind}) of {net.name}.")


# Nodes of which each number is mostly made of the one at its place.
OWN = (
    kinds.Elementwise, kinds.Softmax, kinds.Normalise, kinds.LocalNormalise, kinds.Affine, kinds.Prelu, kinds.Binary,
)  # fmt: skip


def _response(net, responses, node, name):
    """A node's response as its map, constants as that of the node which takes them."""
    if name in net.shapes:
        return responses[name]
    dims = net.graph.dims[node.name]
    return viewed(np.broadcast_to(net.node(name).array, dims), net.last[node.name])


def _filled(net, name, patch):
    """A _Patch as a whole map."""
    values = np.zeros(net.shapes[name])
    values[:, patch.top : patch.top + patch.values.shape[1], patch.left : patch.left + patch.values.shape[2]] = (
        patch.values
    )
    return values


def _whole(net, name, view):
    """A node's map as its array."""
    return unviewed(view, net.graph.dims[name], net.last[name])


def _part(net, name, shares):
    """(name, _Patch) of an array of shares, cut to the places that have any."""
    view = viewed(shares, net.last[name])
    rows, columns = (np.flatnonzero(view.any(axis=axes)) for axes in ((0, 2), (0, 1)))
    if not rows.size:
        return name, _Patch(view[:, :1, :1], 0, 0)
    top, left = rows[0], columns[0]
    return name, _Patch(view[:, top : rows[-1] + 1, left : columns[-1] + 1], int(top), int(left))


def _moved(net, node, patch):
    """The shares of what only moves, moved back."""
    sizes = [math.prod(net.graph.dims[key]) for key in node.inputs]
    ends = np.cumsum([0, *sizes])
    places = [
        np.arange(a, b).reshape(net.graph.dims[key]) for key, a, b in zip(node.inputs, ends, ends[1:], strict=False)
    ]
    if isinstance(node, kinds.Pad):
        node = replace(node, filling=-1)
    at = node.value(*places).reshape(-1).astype(int)
    shares = _whole(net, node.name, _filled(net, node.name, patch)).reshape(-1)
    given = np.bincount(at[at >= 0], weights=shares[at >= 0], minlength=ends[-1])
    parts = zip(node.inputs, np.split(given, ends[1:-1]), strict=True)
    return [
        _part(net, key, part.reshape(net.graph.dims[key])) for key, part in parts if key in net.shapes and part.any()
    ]


def _through_product(net, responses, node, patch):
    a, b = (_whole(net, key, responses[key].astype(float)) for key in node.inputs)
    if min(a.ndim, b.ndim) < 2 or a.shape[:-2] != b.shape[:-2]:
        raise NetworkError(f"What moved a neuron cannot be followed through `{node.name}` ({node.kind}) of {net.name}.")
    shares = _whole(net, node.name, _filled(net, node.name, patch))
    whole = _over(shares, abs(a) @ abs(b))
    right = b * (np.swapaxes(a, -1, -2) @ whole)
    if _is_softmax(net, node.inputs[0]):
        return [_part(net, node.inputs[1], right)]
    left = a * (whole @ np.swapaxes(b, -1, -2))
    return [_part(net, key, part / 2) for key, part in zip(node.inputs, (left, right), strict=True)]


def _through_larger(net, node, key, x, patch):
    """Through weights that spread each number over several: back by the same weights."""
    x = _whole(net, key, x.astype(float))
    if isinstance(node, kinds.Resize):
        sizes = abs(node.rows) @ abs(x) @ abs(node.columns).T
        back = lambda whole: node.rows.T @ whole @ node.columns
    else:
        sizes = replace(node, weights=abs(node.weights), bias=0 * node.bias).value(abs(x))
        # Weights (I, O / groups) of a transposed convolution are those of the convolution backwards.
        fields = {key: getattr(node, key) for key in ("stride", "padding", "dilation", "groups")}
        same = kinds.Convolution(node.name, node.inputs, node.weights, **fields)
        back = same.value
    whole = _over(_whole(net, node.name, _filled(net, node.name, patch)), sizes)
    rows, columns = x.shape[2:]
    return [_part(net, key, x * back(whole)[:, :, :rows, :columns])]


def _is_softmax(net, name):
    node = net.node(name)
    while isinstance(node, MOVING):
        node = net.node(node.inputs[0])
    return isinstance(node, kinds.Softmax)


def _over(shares, whole):
    """shares / whole, and 0 where whole is 0."""
    return np.divide(shares, whole, out=np.zeros(np.broadcast_shapes(shares.shape, whole.shape)), where=whole != 0)


def _through_dense(node, x, shares):
    """(I, h, w): what each of x (I, h, w) gets of the shares (O, h, w) of the sums weights @ x."""
    rows = np.flatnonzero(shares.any(axis=(1, 2)))
    weights, flat = node.weights[rows].astype(float), x.reshape(len(x), -1)
    whole = _over(shares[rows].reshape(len(rows), -1), abs(weights) @ abs(flat))
    return (flat * (weights.T @ whole)).reshape(x.shape)


class _Windows:
    """The part of a map that the windows of a _Patch's neurons cover.

    x   (C, h, w) the part, `outside` where it is not on the map
    """

    def __init__(self, node, x, patch, outside=0.0):
        self._windows, self._counts = node.window(), patch.values.shape[1:]
        starts = [at * w.stride - w.before for at, w in zip((patch.top, patch.left), self._windows, strict=True)]
        sizes = [(n - 1) * w.stride + w.extent for n, w in zip(self._counts, self._windows, strict=True)]
        on_map = [
            slice(max(0, start), min(length, start + size))
            for start, size, length in zip(starts, sizes, x.shape[1:], strict=True)
        ]
        self._low = [at.start for at in on_map]
        self._inside = tuple(slice(at.start - s, at.stop - s) for at, s in zip(on_map, starts, strict=True))
        self.x = np.full((len(x), *sizes), outside)
        self.x[(slice(None), *self._inside)] = x[(slice(None), *on_map)]

    def elements(self):
        """((row, column) of the element, its slices of the part) for each element of a window."""
        for element in itertools.product(*(range(w.size) for w in self._windows)):
            at = [
                slice(k * w.dilation, k * w.dilation + (n - 1) * w.stride + 1, w.stride)
                for k, w, n in zip(element, self._windows, self._counts, strict=True)
            ]
            yield element, (slice(None), *at)

    def patch(self, values):
        """Values over the part as a _Patch, without what lies outside the map."""
        return _Patch(values[(slice(None), *self._inside)], *self._low)


def _through_convolution(node, x, patch):
    seen = _Windows(node, x, patch)
    given, outs, ins = np.zeros(seen.x.shape), len(node.weights) // node.groups, node.weights.shape[1]
    elements = list(seen.elements())
    for group in range(node.groups):
        out, into = slice(group * outs, (group + 1) * outs), slice(group * ins, (group + 1) * ins)
        shares = patch.values[out].reshape(outs, -1)
        moved = np.flatnonzero(shares.any(axis=1))
        if not moved.size:
            continue
        weights = node.weights[out][moved].astype(float)
        taken = [seen.x[into][at].reshape(ins, -1) for _, at in elements]
        sizes = sum(abs(weights[:, :, i, j]) @ abs(v) for ((i, j), _), v in zip(elements, taken, strict=True))
        whole = _over(shares[moved], sizes)
        for ((i, j), at), v in zip(elements, taken, strict=True):
            part = given[into][at]
            part += (v * (weights[:, :, i, j].T @ whole)).reshape(part.shape)
    return seen.patch(given)


def _through_pool(node, x, patch):
    largest = isinstance(node, kinds.MaxPool)
    seen = _Windows(node, x, patch, outside=-np.inf if largest else 0.0)
    given = np.zeros(seen.x.shape)
    taken = [(at, seen.x[at]) for _, at in seen.elements()]
    if largest:
        left, most = patch.values.copy(), np.max([v for _, v in taken], axis=0)
        for at, v in taken:
            # Of equal inputs the first gets the whole share.
            here = (v == most) & (left != 0)
            given[at] += np.where(here, left, 0.0)
            left[here] = 0.0
    else:
        whole = _over(patch.values, sum(abs(v) for _, v in taken))
        for at, v in taken:
            given[at] += v * whole
    return seen.patch(given)
