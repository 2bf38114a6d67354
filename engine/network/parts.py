"""Networks made from networks: a slice of the inputs, the first layers, some outputs, a mixture of two."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import NetworkError
from engine.network.activations import JOINT, Activation
from engine.network.mlp import Mlp
from engine.network.units.mixed import mixed as mix
from engine.network.units.mixed import runs


def sliced(net: Mlp, origin: ArrayLike, directions: ArrayLike) -> Mlp:
    """The network on a line, plane or larger subspace of its inputs: an Mlp whose inputs are the D coordinates there.

    origin       (inputs,): the input at which all coordinates are 0
    directions   (D, inputs): what a step of 1 along each coordinate adds

    Only the first layer changes: W (o + D u) + b = (W D) u + (W o + b), in float64 and rounded once. So a moving plane
    keeps the shape, and a close view far from 0 loses no accuracy. Units that only pass inputs on to a later layer are
    then replaced by as many as there are coordinates, if those are fewer. Raises NetworkError for arrays of other
    shapes.
    """
    origin, directions = np.asarray(origin, float), np.atleast_2d(np.asarray(directions, float))
    if origin.shape != (net.inputs,) or directions.shape[1:] != (net.inputs,):
        raise NetworkError(
            f"A slice of {net} needs an origin ({net.inputs},) and directions (D, {net.inputs}), "
            f"not {origin.shape} and {directions.shape}."
        )
    weights = net.weights[0].astype(float)
    return _with_fewer_relays(
        net,
        [weights @ directions.T, *net.weights[1:]],
        [weights @ origin + net.biases[0], *net.biases[1:]],
    )


def _with_fewer_relays(net, weights, biases):
    """The Mlp of these weights; in each layer at most as many units relay the input as it has coordinates."""
    activations = net.activations
    inputs = weights[0].shape[1]
    source = np.arange(inputs)  # places in the layer before that hold the coordinates
    for k, layer in enumerate(net.layers[:-1]):
        before = np.ones(weights[k].shape[1], bool)
        before[source] = False
        straight = np.zeros(len(weights[k]), bool)
        for activation, first, count in runs(layer.activation, len(weights[k])):
            straight[first : first + count] = activation.name == "identity"
        relays = np.flatnonzero(straight & ~weights[k][:, before].any(axis=1))
        if len(relays) <= inputs or isinstance(layer.activation, Activation):
            break
        # z = A u + c of the relays goes into the next layer's weights.
        a, c = weights[k][relays][:, source].astype(float), biases[k][relays].astype(float)
        kept = np.setdiff1d(np.arange(len(weights[k])), relays)
        after = weights[k + 1][:, relays].astype(float)
        ones = np.zeros((inputs, weights[k].shape[1]))
        ones[np.arange(inputs), source] = 1.0
        weights[k], biases[k] = np.concatenate([weights[k][kept], ones]), np.append(biases[k][kept], np.zeros(inputs))
        weights[k + 1] = np.concatenate([weights[k + 1][:, kept], after @ a], axis=1)
        biases[k + 1] = biases[k + 1] + after @ c
        each = [activation for activation, _, count in runs(layer.activation, len(layer.bias)) for _ in range(count)]
        activations[k] = mix([*((each[i], 1) for i in kept), (Activation("identity"), inputs)])
        source = len(kept) + np.arange(inputs)
    return net.changed(weights=weights, biases=biases, activations=activations)


def shortened(net: Mlp, layers: int) -> Mlp:
    """The network's first `layers` layers. Raises NetworkError for fewer than 1 or more than it has."""
    if not 1 <= layers <= len(net.layers):
        raise NetworkError(f"The first {layers} layers of {net} were asked for; it has {len(net.layers)}.")
    return Mlp(net.weights[:layers], net.biases[:layers], net.activations[:layers], name=net.name)


def chosen(net: Mlp, outputs: Iterable[int]) -> Mlp:
    """The network with only these outputs, given by number, in this order.

    Raises NetworkError for outputs it does not have, and for a softmax, whose outputs depend on each other.
    """
    outputs = [int(k) for k in outputs]
    if not outputs or min(outputs) < 0 or max(outputs) >= net.outputs:
        raise NetworkError(f"Outputs {outputs} of {net} were asked for; it has 0 to {net.outputs - 1}.")
    last = net.layers[-1]
    if last.activation.is_whole and outputs != list(range(net.outputs)):
        raise NetworkError(f"{net} ends in {last.activation}, which needs all outputs; some cannot be left out.")
    return _with_outputs(net, outputs)


def sums(net: Mlp) -> Mlp:
    """The network without its last activation: its outputs are the weighted sums."""
    return net.changed(activations=[*net.activations[:-1], "identity"])


def linear_end(net: Mlp) -> Mlp:
    """The same function as a network of at least two layers whose last one is linear: one of weights 1 may be added."""
    if len(net.layers) > 1 and net.activations[-1] == Activation("identity"):
        return net
    return net.changed(
        weights=[*net.weights, np.eye(net.outputs)],
        biases=[*net.biases, np.zeros(net.outputs)],
        activations=[*net.activations, "identity"],
    )


def mixed(a: Mlp, b: Mlp, first: float, second: float) -> Mlp:
    """The network with weights and biases first * a + second * b. Raises NetworkError for different shapes."""
    if a.shape != b.shape:
        raise NetworkError(
            f"{a} and {b} cannot be mixed: they differ in layer sizes or activations. "
            "Take two networks of one shape, such as two snapshots of one training."
        )
    weights, biases = (
        [first * x.astype(float) + second * y for x, y in zip(*arrays, strict=True)]
        for arrays in ((a.weights, b.weights), (a.biases, b.biases))
    )
    return a.changed(weights=weights, biases=biases)


def _with_outputs(net, rows):
    last = net.activations[-1]
    if any(a.name in JOINT for a in last.kinds):
        # A product needs its partner, so what is not wanted is left out by one more layer.
        return net.changed(
            weights=[*net.weights, np.eye(net.outputs)[rows]],
            biases=[*net.biases, np.zeros(len(rows))],
            activations=[*net.activations, "identity"],
        )
    return net.changed(
        activations=[*net.activations[:-1], last.of(rows)],
        weights=[*net.weights[:-1], net.weights[-1][rows]],
        biases=[*net.biases[:-1], net.biases[-1][rows]],
    )


def observed(net: Mlp, output: int) -> Mlp:
    """A network whose output 0 is the given output of `net`; outputs that it does not depend on are left out.

    A softmax keeps all outputs, with the given one first. A softmax of one output is the constant 1, its logarithm 0.
    Raises NetworkError for an output that does not exist.
    """
    if not 0 <= output < net.outputs:
        raise NetworkError(f"Output {output} of {net} was asked for; it has {net.outputs}, counted from 0.")
    if not net.activations[-1].is_whole:
        return _with_outputs(net, [output])
    if net.outputs > 1:
        return _with_outputs(net, [output, *(i for i in range(net.outputs) if i != output)])
    return net.changed(
        weights=[*net.weights[:-1], np.zeros_like(net.weights[-1])],
        biases=[*net.biases[:-1], np.full(1, str(net.activations[-1]) == "softmax")],
        activations=[*net.activations[:-1], "identity"],
    )
