"""ONNX nodes of a convolutional network that change each number by itself, or weigh the channels at one place."""

import math

import numpy as np

from engine.formats.onnx.convnet_inputs import constant, wire
from engine.formats.onnx.graph import Constant, OnnxNode, Rules
from engine.formats.sketch import Wire
from engine.network.activations import ANYWHERE, Activation
from engine.network.nodes import Elementwise, Softmax


def _activation(name, key=None, default=0.0):
    """A rule for an activation, whose parameter is an attribute if there is a key."""

    def rule(node):
        return activated(node, wire(node), name if key is None else f"{name}({node.number(key, default)!r})")

    return rule


def activated(node: OnnxNode, x: Wire, activation: str) -> Wire:
    """The Wire of a new node that applies an activation to each number of x."""
    return x.sketch.add(Elementwise, node.label, [x], Activation.parse(activation, ANYWHERE))


def _gelu(node):
    if node.text("approximate", "none") != "none":
        raise node.refusal("it is gelu by tanh; export with approximate='none'")
    return _activation("gelu")(node)


def _swish(node):
    if node.number("alpha", 1.0) != 1.0:
        raise node.refusal(f"alpha = {node.number('alpha', 1.0):g}; 1 is accepted")
    return _activation("silu")(node)


def _prelu(node):
    x, slope = wire(node), constant(node, 1, "slopes")
    if slope is None or slope.size < 1 or np.any(slope != slope.flat[0]):
        raise node.refusal("its channels have different slopes; one for all is accepted")
    return activated(node, x, f"leaky_relu({float(slope.flat[0])!r})")


def _clip(node):
    x = wire(node)
    ends = []
    for i, (key, open_) in enumerate((("min", -math.inf), ("max", math.inf)), start=1):
        given = constant(node, i, "bounds")
        ends.append(node.number(key, open_) if given is None else float(given.reshape(-1)[0]) if given.size else open_)
    low, high = ends
    # The largest float32 is what old files write for no bound.
    if low <= -3e38 and high >= 3e38:
        return x
    if low != 0 or not high > 0:
        raise node.refusal(f"it clips to {low:g}..{high:g}; from 0 up, as relu and relu6 do, is accepted")
    return _activation("relu" if high >= 3e38 else f"clipped_relu({high!r})")(node)


def _largest(node):
    x, bound = _bounded(node)
    if bound != 0:
        raise node.refusal(f"it gives at least {bound:g}; at least 0, as relu does, is accepted")
    return activated(node, x, "relu")


def _least(node):
    x, bound = _bounded(node)
    before = x.node
    if not (isinstance(before, Elementwise) and before.activation.name == "relu" and bound > 0):
        raise node.refusal("the smaller of a relu and a number above 0, which is relu6, is accepted")
    return activated(node, Wire(x.sketch, before.inputs[0], x.dims), f"clipped_relu({bound!r})")


def _bounded(node):
    """(the Wire, the number) of a Max or Min of both."""
    if len(node.inputs) == 2:
        for x, other in (node.inputs, node.inputs[::-1]):
            if isinstance(x, Wire) and isinstance(other, Constant) and other.array.size == 1:
                return x, float(other.array.reshape(()))
    raise node.refusal("of a map and one number it is accepted")


def _hard_sigmoid(node):
    x, alpha, beta = wire(node), node.number("alpha", 0.2), node.number("beta", 0.5)
    if abs(alpha - 1 / 6) < 1e-6 and beta == 0.5:
        return _activation("hard_sigmoid")(node)
    return activated(node, x.sketch.scaled(node.label, x, alpha, beta), "clipped_relu(1)")


def _softmax(node):
    x = wire(node)
    old = x.sketch.opset < 13
    axis = node.number("axis", 1 if old else -1)
    axis += x.rank if axis < 0 else 0
    # Before opset 13 all axes from this one on were taken together.
    flat = all(n == 1 for n in x.dims[1:])
    if axis != 1 or (old and not flat):
        raise node.refusal(f"it is over axis {axis} of {(1, *x.dims)}; over the channels is accepted")
    return x.sketch.add(Softmax, node.label, [x])


def _log_softmax(node):
    if not node.last:
        raise node.refusal(
            "a log softmax is accepted as the last node, and shown as the probabilities it is the log of"
        )
    return _softmax(node)


ACTIVATIONS: Rules = {
    "Relu": _activation("relu"),
    "LeakyRelu": _activation("leaky_relu", "alpha", 0.01),
    "PRelu": _prelu,
    "Elu": _activation("elu", "alpha", 1.0),
    "Softplus": _activation("softplus"),
    "Gelu": _gelu,
    "Swish": _swish,
    "Sigmoid": _activation("sigmoid"),
    "Tanh": _activation("tanh"),
    "Sin": _activation("sine(1)"),
    "Clip": _clip,
    "Max": _largest,
    "Min": _least,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _activation("hard_swish"),
    "Softmax": _softmax,
    "LogSoftmax": _log_softmax,
}
