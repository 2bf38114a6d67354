"""Transposed convolutions on the GPU: a convolution that computes all places between inputs as channels of their own.

With stride s, output s q + p along an axis is a sum of inputs q, q - 1, ... with weights p, p + s, ...: for each of
the s phases p the same places, so that one convolution computes all, and moving them interleaves them (Shi et al.
2016, "Is the deconvolution layer the same as a convolutional layer?").
"""

from collections.abc import Iterator, Sequence

import numpy as np

from engine.gpu.channel_map import ChannelMap, MapStep, groups_of
from engine.gpu.layout.stored import Stored
from engine.kernels import convolve, move
from engine.network.graph.nodes import Convolution, Dims, TransposedConvolution


def steps(node: TransposedConvolution, sources: Sequence[ChannelMap], output: ChannelMap) -> Iterator[MapStep]:
    """The steps of one transposed convolution.

    sources, output   one ChannelMap that is read and one that is written, in separate memory
    """
    (source,) = sources
    phases, ahead = phased(node, (1, *source.shape), (1, *output.shape))
    between = ChannelMap(phases.shape((1, *source.shape))[1:])
    yield from convolve.steps(phases, sources, between)
    whole, places = (Stored.mapped((1, *x.shape), x, False) for x in (between, output))
    channel, *along = whole.offsets()[1:]
    channel = channel.reshape(node.groups, *node.stride, -1)
    own = [np.zeros(1, int), channel[:, 0, 0, : node.weights.shape[1]].reshape(-1)]
    # The offsets of phases are sums too, since each is of whole groups of channels.
    for axis, phase in enumerate((channel[0, :, 0, 0], channel[0, 0, :, 0])):
        at = np.arange(output.shape[1 + axis]) + node.padding[axis]
        own.append(along[axis][at // node.stride[axis] + ahead[axis]] + phase[at % node.stride[axis]])
    yield from move.moved(whole, own, places, places.offsets())


def phased(node: TransposedConvolution, source: Dims, output: Dims) -> tuple[Convolution, tuple[int, int]]:
    """(Convolution, (rows, columns)): its channels are, group by group and phase by phase, the outputs, filled up to
    fours; and how many places come before that of the first input, in these shapes of input and output.
    """
    (inputs, share), window = node.weights.shape[:2], node.weights.shape[2:]
    size, groups = 4 * groups_of(share), node.groups
    extent = [(k - 1) * d + 1 for k, d in zip(window, node.dilation, strict=True)]
    taps = [-(-e // s) for e, s in zip(extent, node.stride, strict=True)]
    dense = np.zeros((inputs, size, taps[0] * node.stride[0], taps[1] * node.stride[1]), np.float32)
    dense[:, :share, : extent[0] : node.dilation[0], : extent[1] : node.dilation[1]] = node.weights
    # (group, input, output, tap, phase, tap, phase) -> (group, phase, phase, output, input, tap, tap), taps backwards
    parts = dense.reshape(groups, inputs // groups, size, taps[0], node.stride[0], taps[1], node.stride[1])
    weights = parts.transpose(0, 4, 6, 2, 1, 3, 5)[..., ::-1, ::-1].reshape(-1, inputs // groups, *taps)
    bias = np.zeros((groups, node.stride[0] * node.stride[1], size), np.float32)
    bias[:, :, :share] = node.bias.reshape(groups, 1, share)
    ahead, behind = [], []
    for axis, n in enumerate(taps):
        first, last = node.padding[axis], output[2 + axis] - 1 + node.padding[axis]
        ahead.append(max(0, -(first // node.stride[axis])))
        behind.append(n - 1 + max(0, last // node.stride[axis] - (source[2 + axis] + n - 2)))
    padding = (*(n - 1 + a for n, a in zip(taps, ahead, strict=True)), *behind)
    same = Convolution(node.name, node.inputs, weights, bias.reshape(-1), padding=padding, groups=groups)
    return same, (ahead[0], ahead[1])
