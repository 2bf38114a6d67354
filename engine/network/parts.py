"""Networks made of a network: a slice of its inputs, its first layers, some of its outputs, a mixture of two."""

import numpy as np

from engine.errors import NetworkError
from engine.network.mlp import Mlp


def sliced(net, origin, directions):
    """The network on a line, plane or larger flat through its inputs: again a network, with the flat's coordinates.

    origin       (inputs,), where all coordinates are 0
    directions   (D, inputs), a step along each coordinate
    returns      Mlp with D inputs: at u it has the value of `net` at origin + u @ directions

    Raises NetworkError when the shapes do not fit the inputs.

    Only the first layer changes: W (o + D u) + b = (W D) u + (W o + b), in float64 and rounded once. So a plane that
    moves through many inputs is new weights of one shape, and a close look far from 0 loses nothing before the end.
    """
    origin, directions = np.asarray(origin, float), np.atleast_2d(np.asarray(directions, float))
    if origin.shape != (net.inputs,) or directions.shape[1:] != (net.inputs,):
        raise NetworkError(
            f"A slice of {net} needs an origin ({net.inputs},) and directions (D, {net.inputs}), "
            f"not {origin.shape} and {directions.shape}."
        )
    first = net.layers[0]
    weights = first.weights.astype(float)
    return _of(
        net,
        [weights @ directions.T, *(x.weights for x in net.layers[1:])],
        [weights @ origin + first.bias, *(x.bias for x in net.layers[1:])],
    )


def shortened(net, layers):
    """The network's first layers alone; its outputs are the responses of the last of them.

    Raises NetworkError unless layers is from 1 to the number there are.
    """
    if not 1 <= layers <= len(net.layers):
        raise NetworkError(f"The first {layers} layers of {net} were asked for; it has {len(net.layers)}.")
    kept = net.layers[:layers]
    return Mlp([x.weights for x in kept], [x.bias for x in kept], [x.activation for x in kept], name=net.name)


def chosen(net, outputs):
    """The network with only these of its outputs, in this order, by number.

    Raises NetworkError for outputs it does not have, and for a softmax, whose outputs need each other.
    """
    outputs = [int(k) for k in outputs]
    if not outputs or min(outputs) < 0 or max(outputs) >= net.outputs:
        raise NetworkError(f"Outputs {outputs} of {net} were asked for; it has 0 to {net.outputs - 1}.")
    last = net.layers[-1]
    if not last.activation.rule.elementwise and outputs != list(range(net.outputs)):
        raise NetworkError(f"{net} ends in {last.activation.name}, which needs all outputs; some cannot be left out.")
    return _of(
        net,
        [*(x.weights for x in net.layers[:-1]), last.weights[outputs]],
        [*(x.bias for x in net.layers[:-1]), last.bias[outputs]],
    )


def sums(net):
    """The network before its last activation: the weighted sums themselves."""
    return Mlp(
        [x.weights for x in net.layers],
        [x.bias for x in net.layers],
        [*(x.activation for x in net.layers[:-1]), "identity"],
        name=net.name,
    )


def mixed(a, b, first, second):
    """first * a + second * b, weight by weight and bias by bias; activations are a's.

    Raises NetworkError where the two have different shapes.
    """
    if a.shape != b.shape:
        raise NetworkError(
            f"{a} and {b} cannot be mixed: they differ in layer sizes or activations. "
            "Take two networks of one shape, such as two snapshots of one training."
        )
    pairs = list(zip(a.layers, b.layers, strict=True))
    return _of(
        a,
        [first * x.weights.astype(float) + second * y.weights for x, y in pairs],
        [first * x.bias.astype(float) + second * y.bias for x, y in pairs],
    )


def _of(net, weights, biases):
    return Mlp(weights, biases, [x.activation for x in net.layers], name=net.name)


def observed(net, output):
    """A network whose output 0 is the given output of `net`; what does not bear on it is left out.

    Of an elementwise last layer one row stays. A softmax needs all its rows: the wanted one comes first.
    A softmax over one output is the constant 1.

    Raises NetworkError for an output that does not exist.
    """
    if not 0 <= output < net.outputs:
        raise NetworkError(f"Output {output} of {net} was asked for; it has {net.outputs}, counted from 0.")
    weights = [layer.weights for layer in net.layers]
    biases = [layer.bias for layer in net.layers]
    activations = [layer.activation for layer in net.layers]
    if activations[-1].rule.elementwise:
        rows = [output]
    else:
        rows = [output, *(i for i in range(net.outputs) if i != output)]
    weights[-1], biases[-1] = weights[-1][rows], biases[-1][rows]
    if not activations[-1].rule.elementwise and net.outputs == 1:
        weights[-1], biases[-1], activations[-1] = np.zeros_like(weights[-1]), np.ones(1), "identity"
    return Mlp(weights, biases, activations, name=net.name)
