"""A network with two inputs for pictures of its boundaries: every neuron's sum and gradient at a sample.

Where all activations are piecewise linear, sums at the middle of the picture are computed in float64, and the shader
adds what a sample's distance from there changes. So a line is as exact in a picture 1e-12 wide as in one 1 wide. Other
networks are evaluated as they are, from a first layer that is folded about the middle in float64.
"""

import numpy as np
from numpy.typing import ArrayLike

from engine.codegen.boundaries.loop import LoopWriter
from engine.codegen.boundaries.unrolled import UnrolledWriter
from engine.codegen.boundaries.writer import Groups, is_straight
from engine.codegen.mlp.layout import layout, weights_binding
from engine.codegen.text import header
from engine.gpu.bindings import Binding
from engine.kept import kept
from engine.network.mlp import Mlp, Shape

# Most products, with two derivatives each, and groups of neurons that are written out: lavapipe compiles a hundred
# products, or eight groups, a second, and written-out code runs several times as fast as a loop over arrays. 2-64-2, of
# 16 groups, took 2.0 s to compile, 2-200-2 11 s, and in loops 0.9 s.
WRITTEN, WRITTEN_GROUPS = 200, 12


def middle_count(shape: Shape) -> int:
    """vec4f in the binding `middle`."""
    first = layout(shape).blocks[0].outputs
    return 2 * first + sum(b.outputs for b in layout(shape).blocks)


def middle(net: Mlp, origin: ArrayLike, axes: ArrayLike, pixel: float) -> tuple[np.ndarray, float]:
    """The contents of the binding `middle`: a network's sums and gradients about a point of its plane, as vec4f.

    origin   (inputs,), the input there
    axes     (2, inputs), what a step of 1 along world x, and along world y, adds to it
    pixel    world units between samples
    returns  (middle_count, 4) float32, and the number that sums of the shader are to be multiplied by

    Where boundaries are straight, sums are scaled to units of a sample: this does not move the boundaries, and keeps
    gradients of the weights' size however small the picture.
    """
    straight = is_straight(net.shape)
    scale = 1.0 / pixel if straight else 1.0
    first = net.layers[0]
    weights = first.weights.astype(float)
    along = (weights @ np.asarray(axes, float).T) * (pixel * scale)
    rows = [_fours(along[:, 0]), _fours(-along[:, 1])]
    z = weights @ np.asarray(origin, float) + first.bias
    for k, layer in enumerate(net.layers):
        if k and straight:
            z = layer.weights.astype(float) @ net.layers[k - 1].activation.value(z) + layer.bias
        elif k:
            z = layer.bias
        rows.append(_fours(z * scale))
    return np.concatenate(rows), 1.0 / scale


def _fours(values):
    full = np.zeros(-(-len(values) // 4) * 4, np.float32)
    with np.errstate(over="ignore"):
        full[: len(values)] = values
    return full.reshape(-1, 4)


@kept
def boundaries_module(shape: Shape, task: str) -> str:
    """The text of `generated/boundaries` for a Shape, of which the first layer may have any number of inputs.

    task   classes or values: what its outputs are

    It reads the bindings `weights` and `middle`; where there is `boundaries_memory` it reads `tables` and keeps numbers
    in `lines` and `bits`. It gives, in WGSL:

    GROUPS, DECISION       groups of hidden neurons; the number of the decision, which counts as a neuron after them
    OUTPUTS, CLASSES       how many outputs, and whether they are classes
    STRAIGHT               whether boundaries are made of straight pieces
    evaluate(q)            at a place in samples from the picture's middle
    sums(g), sums_x(g), sums_y(g)
                           after it: of each group the sums there and their gradients
    here                   the number of the invocation in its dispatch, which the kernel sets
    outputs                before the last activation
    sides_of(g)            a word for each neuron of group g: bit g % 32 is set where its sum is above 0
    group_start(g)         the first group of group g's layer
    span(foot, direction, end)
                           the (from, to) of s for which foot + s direction stays in q's linear piece, as far as the
                           neurons of groups before `end` bound it
    kinks(reach)           the steps from q across the two nearest lines within reach: xy and zw; 0 for none
    line_of(neuron)        a neuron's sum at q, and its gradient
    mark(back)             marks the neurons whose lines are near q + back; mark_found() those that `take` has stored
    next_mask()            unmarks and returns the first marked neuron; NONE after the last
    take(neuron, far, along)
                           stores the nearest point of a neuron's line for found_of(neuron); forget() clears all
    value_of(z, k)         the last activation of output k, whose sum is all of z
    """
    writer = _writer(shape, task)
    top = header(
        f"Boundaries of {shape}, whose outputs are {task}.",
        "straight: sums are differences from the picture's middle" if writer.straight else "sums are as they are",
        "one loop over the layers after the first" if writer.memory else "every product on a line",
    )
    return "\n".join([*top, *writer.module()])


def boundaries_memory(shape: Shape) -> tuple[int, int, int]:
    """(vec4f of the binding `lines`, vec4u of `bits`, invocations of a dispatch that they are for).

    Zeros: there are no such bindings, and no `tables`.
    """
    writer = _writer(shape, "values")
    return writer.memory * writer.invocations, 2 * writer.words * writer.invocations, writer.invocations


def _writer(shape, task):
    is_small = _products(shape) <= WRITTEN and Groups(shape).count <= WRITTEN_GROUPS
    return (UnrolledWriter if is_small else LoopWriter)(shape, task)


def _products(shape):
    return 4 * sum(b.inputs * b.outputs for b in layout(shape).blocks[1:])


def boundaries_bindings(shape: Shape) -> tuple[Binding, str]:
    """(binding of the weights, type of `middle`)."""
    return weights_binding(shape), f"array<vec4f, {middle_count(shape)}>"
