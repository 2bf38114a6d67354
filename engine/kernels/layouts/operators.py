"""How each operator of a graph is run: which kernel, over which layout."""

from collections.abc import Callable
from dataclasses import replace
from math import prod

import numpy as np

from engine.errors import NetworkError
from engine.gpu.channel_map import ChannelMap
from engine.gpu.layout.along import over
from engine.gpu.layout.stored import Stored
from engine.kernels import (
    broadcast,
    convolve,
    dense,
    elementwise,
    matmul,
    move,
    normalise,
    pool,
    reduce,
    resize,
    softmax,
    transposed,
)
from engine.kernels.layouts.values import Values
from engine.network.graph import nodes
from engine.network.graph.views import view_of


def made(values: Values, source: nodes.GraphNode, node: nodes.GraphNode) -> None:
    """Adds the steps that compute a node's output: of `source`, which is the node or the sum before an activation."""
    after = node.activation if isinstance(node, nodes.Elementwise) and node is not source else None
    MADE[next(kind for kind in type(source).__mro__ if kind in MADE)](values, source, node.name, after)


def _one_image(values, name):
    """The map of an input of a node that slides windows, channels first."""
    dims = values.dims(name)
    if dims[0] != 1:
        raise NetworkError(f"it works on {dims[0]} maps at once; one image can be shown.")
    return values.map(name, False)


def _convolution(values, node, name, after):
    if values.dims(node.inputs[0])[0] != 1:
        _stacked(values, node, name, after)
        return
    _convolved(values, node, _one_image(values, node.inputs[0]), values.new_map(name, False).map, after)


def _stacked(values, node, name, after):
    """A convolution of several images: of one that has them one below the other, each with its padding."""
    source, (count, channels, height, width) = values.flat(node.inputs[0]), values.dims(node.inputs[0])
    down, outputs = node.window()[0], values.dims(name)
    # Each image begins at a multiple of the stride, and no window sees two.
    high = max(down.before + height + down.after, (outputs[2] - 1) * down.stride + down.extent)
    high = -(-high // down.stride) * down.stride
    images, own_channels, rows, columns = source.offsets()
    at = np.arange(high) - down.before
    own_rows = np.where((at >= 0) & (at < height), rows[np.clip(at, 0, height - 1)], move.NONE)
    below = np.where(own_rows == move.NONE, move.NONE, images[:, None] + own_rows).reshape(-1)
    tall = Stored.mapped((1, channels, count * high, width), ChannelMap((channels, count * high, width)), False)
    values.steps += move.moved(source, [np.zeros(1, int), own_channels, below, columns], tall, tall.offsets())
    same = replace(node, padding=(0, node.padding[1], 0, node.padding[3]))
    made = ChannelMap(same.shape(tall.dims)[1:])
    _convolved(values, same, tall.map, made, after)
    whole, output = Stored.mapped((1, *made.shape), made, False), values.new_flat(name)
    _, channel, row, column = whole.offsets()
    first = row[np.arange(count) * high // down.stride]
    values.steps += move.moved(whole, [first, channel, row[: outputs[2]], column], output, output.offsets())


def _convolved(values, node, source, output, after):
    alone = source.places == output.places == node.weights[0, 0].size == node.groups == 1
    if alone and not any(node.padding):
        of_vector = nodes.Dense(node.name, node.inputs, node.weights[:, :, 0, 0], node.bias)
        _of_vector(values, of_vector, source, output, after)
    else:
        values.steps += convolve.steps(node, [source], output, after, variant=values.variant, images=values.images)


def _of_vector(values, node, source, output, after):
    values.steps += dense.steps(node, [source], output, after, variant="shares" if values.variant == "slabs" else None)


def _dense(values, node, name, after):
    source, output = values.map(node.inputs[0], True), values.new_map(name, True).map
    if source.places == 1:
        _of_vector(values, node, source, output, after)
        return
    # Tokens are places of a map.
    same = nodes.Convolution(node.name, node.inputs, node.weights[:, :, None, None], node.bias)
    _convolved(values, same, source, output, after)


def _elementwise(values, node, name, after):
    source = values.stored(node.inputs[0])
    output = values.new_like(name, source)
    if source.map is not None:
        values.steps += elementwise.steps(node, [source.map], output.map)
    else:
        values.steps += broadcast.steps(node, [source], output)


def _affine(values, node, name, after):
    source = values.found(node.inputs[0])
    if source is not None:
        channels = source.map.shape[0]
        scale, shift = (_by_channel(array, source) for array in (node.scale, node.shift))
        if scale is not None and shift is not None:
            same = nodes.Convolution(
                node.name, node.inputs, scale.reshape(channels, 1, 1, 1), shift.reshape(-1), groups=channels
            )
            _convolved(values, same, source.map, values.new_like(name, source).map, after)
            return
    _broadcast(values, node, name, after)


def _by_channel(array, source):
    """(C,) of an array that is broadcast to a map's, if it has one number for each channel; else None."""
    array = np.asarray(array)
    dims = (1,) * (len(source.dims) - array.ndim) + array.shape
    own = source.axis == len(dims) - 1 or source.separable
    if not own or any(n != 1 for i, n in enumerate(dims) if i != source.axis):
        return None
    return np.broadcast_to(array.reshape(-1), source.map.shape[0])


def _sum_or_product(values, node, name, after):
    """Of maps that lie alike, or of a map and a number for each of its channels."""
    dims = values.dims(name)
    for i in (0, 1):
        key, other = node.inputs[i], node.inputs[1 - i]
        source = values.found(key)
        if source is None or values.dims(key) != dims:
            continue
        vector = _vector(values, other, source)
        if vector is None and values.dims(other) != dims:
            continue
        beside = values.map(other, source.last) if vector is None else vector
        maps = [source.map, beside] if i == 0 else [beside, source.map]
        values.steps += elementwise.steps(node, maps, values.new_map(name, source.last).map, after)
        return
    _broadcast(values, node, name, after)


def _vector(values, name, source):
    """The map (C, 1, 1) of a node that has one number for each channel of a map; else None."""
    dims, constant = values.dims(name), values.constant(name)
    if constant is not None:
        own = _by_channel(constant.array, source) if dims != source.dims else None
        return None if own is None else source.map.of(own.reshape(-1, 1, 1))
    aligned = source.last or (len(dims) == len(source.dims) and source.separable)
    is_vector = dims != source.dims and aligned and view_of(dims, source.last) == (source.map.shape[0], 1, 1)
    return values.map(name, source.last) if is_vector else None


def _broadcast(values, node, name, after):
    sources = [values.flat(key) for key in node.inputs]
    more = {}
    if isinstance(node, nodes.Power):
        constant = values.constant(node.inputs[1])
        more["exponent"] = float(constant.array.reshape(-1)[0]) if constant and constant.array.size == 1 else None
    values.steps += broadcast.steps(node, sources, values.new_flat(name), after, **more)


def _pool(values, node, name, after):
    values.steps += pool.steps(node, [_one_image(values, node.inputs[0])], values.new_map(name, False).map)


def _reduce(values, node, name, after):
    source, dims = values.stored(node.inputs[0]), values.dims(name)
    axes = {axis % len(source.dims) for axis in node.axes}
    if source.map is not None and source.separable and node.function in ("mean", "max"):
        places = {i for i, n in enumerate(source.dims) if n > 1 and i != source.axis}
        for last in (source.last, not source.last):
            if places <= axes and source.axis not in axes and view_of(dims, last) == (source.map.shape[0], 1, 1):
                values.steps += pool.steps(node, [source.map], values.new_map(name, last).map)
                return
    if source.map is not None and not (source.separable and over(source, node.axes)):
        source = values.flat(node.inputs[0])
    values.steps += reduce.steps(node, [source], values.new_flat(name))


def _softmax(values, node, name, after):
    source = values.stored(node.inputs[0])
    axis = node.axis % len(source.dims)
    if source.map is not None and axis == source.axis and source.separable and not node.log:
        values.steps += softmax.steps(node, [source.map], values.new_like(name, source).map)
        return
    if source.map is not None and not (source.separable and over(source, [node.axis])):
        source = values.flat(node.inputs[0])
    values.steps += softmax.along_steps(node, [source], values.new_like(name, source))


def _normalise(values, node, name, after):
    source = values.stored(node.inputs[0])
    if source.map is not None and not (source.separable and normalise.along_of(node, source)):
        source = values.flat(node.inputs[0])
    values.steps += normalise.steps(node, [source], values.new_like(name, source))


def _local_normalise(values, node, name, after):
    source, output = _one_image(values, node.inputs[0]), values.new_map(name, False).map
    values.steps += normalise.local_steps(node, [source], output)


def _reshape(values, node, name, after):
    key = node.inputs[0]
    before = values.found(key)
    if before is not None and values.is_alone(key):
        kinds = (before.last, not before.last) if before.map.places == 1 else (before.last,)
        if any(values.alias(name, before, kind) for kind in kinds):
            return
    values.put(name, values.flat(key).seen(node.dims))


def _transpose(values, node, name, after):
    key = node.inputs[0]
    before = values.found(key)
    if before is not None and values.is_alone(key) and before.separable:
        # Channels that become the last axis, or no longer are, stay where they are.
        rank = len(node.axes)
        first = rank - (3 if rank > 3 else 2)
        rest = [axis for axis in range(rank) if axis != before.axis]
        place = first if before.last else rank - 1
        stays = rank > 2 and list(node.axes) == [*rest[:place], before.axis, *rest[place:]]
        if stays and values.alias(name, before, not before.last):
            return
    _move(values, node, name, after)


def _move(values, node, name, after):
    """Numbers that only move: from any layout, to a map where the first source is one and its channels stay so."""
    found = next((s for s in map(values.found, node.inputs) if s is not None), None)
    dims, output = values.dims(name), None
    if found is not None and found.separable and len(found.dims) == len(dims) and type(node) is not nodes.Transpose:
        # What fills up the last four channels of a map is zero.
        filled = not getattr(node, "filling", 0) or view_of(dims, found.last)[0] % 4 == 0
        if filled and (found.last or prod(dims[: found.axis]) == 1):
            output = values.new_map(name, found.last)
    output = output or values.new_flat(name)
    values.steps += move.steps(node, [_source(values, key, found) for key in node.inputs], output)


def _source(values, name, like):
    """A node's output in a layout of which offsets are known, best in that of another."""
    found = (values.found(name, like.last) if like is not None else None) or values.found(name)
    return found if found is not None and found.separable else values.flat(name)


def _resize(values, node, name, after):
    source, output = _one_image(values, node.inputs[0]), values.new_map(name, False).map
    if all(((w == 0) | (w == 1)).all() and (np.count_nonzero(w, axis=1) == 1).all() for w in (node.rows, node.columns)):
        whole, places = (Stored.mapped((1, *x.shape), x, False) for x in (source, output))
        _, channel, *along = whole.offsets()
        taken = [x[w.argmax(axis=1)] for x, w in zip(along, (node.rows, node.columns), strict=True)]
        values.steps += move.moved(whole, [np.zeros(1, int), channel, *taken], places, places.offsets())
    else:
        values.steps += resize.steps(node, [source], output)


def _transposed(values, node, name, after):
    source, output = _one_image(values, node.inputs[0]), values.new_map(name, False).map
    values.steps += transposed.steps(node, [source], output)


def _matmul(values, node, name, after):
    values.steps += matmul.steps(node, [values.flat(key) for key in node.inputs], values.new_flat(name))


MADE: dict[type[nodes.GraphNode], Callable[..., None]] = {
    nodes.Convolution: _convolution,
    nodes.Dense: _dense,
    nodes.Elementwise: _elementwise,
    nodes.Affine: _affine,
    nodes.Add: _sum_or_product,
    nodes.Multiply: _sum_or_product,
    nodes.Pool: _pool,
    nodes.Reduce: _reduce,
    nodes.Softmax: _softmax,
    nodes.Normalise: _normalise,
    nodes.LocalNormalise: _local_normalise,
    nodes.Reshape: _reshape,
    nodes.Transpose: _transpose,
    nodes.Slice: _move,
    nodes.Expand: _move,
    nodes.Gather: _move,
    nodes.Pad: _move,
    nodes.Concat: _move,
    nodes.Resize: _resize,
    nodes.TransposedConvolution: _transposed,
    nodes.MatMul: _matmul,
    nodes.GraphNode: _broadcast,
}
