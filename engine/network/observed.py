"""A network looked at through one of its outputs."""

import numpy as np

from engine.errors import NetworkError
from engine.network.mlp import Mlp


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
