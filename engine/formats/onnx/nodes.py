"""Rules for ONNX nodes that both kinds of networks share: arithmetic, dense layers, activations.

A rule is a function of an OnnxNode that returns the node's first output. Inputs that depend on the network's input are
Signals: a `Value` of a chain, or a `Wire` of a convolutional network.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from engine.errors import NetworkError
from engine.formats.chain import Number
from engine.formats.files import short
from engine.formats.onnx.graph import ON_CONSTANTS, Constant, OnnxNode, Rules, dropout, same
from engine.network.activations import Activation


class Signal(Protocol):
    """The value of a name in a graph, if it depends on the network's input; rules call its methods with their node.

    rank          number of axes of the tensor, the batch included; None if unknown
    factor        a constant that acts on each value or channel separately, converted to a number or (n,) float64
    affine        scale times this + shift
    normalised    likewise for a batch norm, with one number for each channel
    activated     activation(this)
    dense         weights (out, in) times this
    plus, times   this + sign times another, sign being 1 or -1; this times another
    """

    @property
    def rank(self) -> int | None: ...
    def factor(self, node: OnnxNode, array: np.ndarray) -> Number: ...
    def affine(self, node: OnnxNode, scale: Number, shift: Number = 0.0) -> Signal: ...
    def normalised(self, node: OnnxNode, scale: np.ndarray, shift: np.ndarray) -> Signal: ...
    def activated(self, node: OnnxNode, activation: Activation) -> Signal: ...
    def dense(self, node: OnnxNode, weights: np.ndarray) -> Signal: ...
    def plus(self, node: OnnxNode, other: Any, sign: float) -> Signal: ...
    def times(self, node: OnnxNode, other: Any) -> Signal: ...


def _operands(node) -> tuple[Signal, Any, bool]:
    """(Signal, the other Signal or factor, whether the latter is the first input) of a node with two inputs."""
    a, b = node.required(2)
    first = isinstance(a, Constant)
    x, other = (b, a) if first else (a, b)
    if isinstance(x, Constant):
        raise node.refusal("it has inputs besides its two constants")
    return x, x.factor(node, other.array) if isinstance(other, Constant) else other, first


def _is_number(other):
    return isinstance(other, float | np.ndarray)


def _add(node, sign=1.0):
    x, other, first = _operands(node)
    if not _is_number(other):
        return x.plus(node, other, sign)
    return x.affine(node, sign, other) if first else x.affine(node, 1.0, sign * other)


def _multiply(node):
    x, other, _ = _operands(node)
    return x.affine(node, other) if _is_number(other) else x.times(node, other)


def _divide(node):
    x, divisor, first = _operands(node)
    if first or not _is_number(divisor):
        raise node.refusal("it divides by what depends on the input; division by constants is accepted")
    if np.any(np.equal(divisor, 0)):
        raise node.refusal("it divides by 0")
    return x.affine(node, 1.0 / divisor)


def _batch_norm(node):
    x, *constants = node.required(5)
    if (
        isinstance(x, Constant)
        or not all(isinstance(c, Constant) for c in constants)
        or node.number("training_mode", 0)
    ):
        raise node.refusal("it is in training mode; export the model in eval()")
    arrays = [c.array for c in constants]
    if any(a.shape != arrays[0].shape[:1] or a.dtype.kind != "f" for a in arrays) or not node.number("spatial", 1):
        raise node.refusal(f"its constants are {short(arrays[0].shape)}; one for each channel is accepted")
    gain, bias, mean, var = (a.astype(float) for a in arrays)
    scale = gain / np.sqrt(var + node.number("epsilon", 1e-5))
    return x.normalised(node, scale, bias - mean * scale)


def _dense(node, x, weights):
    if weights.ndim != 2 or 0 in weights.shape or weights.dtype.kind != "f":
        raise node.refusal(f"its weights are {weights.dtype} {short(weights.shape)}; a matrix of floats is accepted")
    return x.dense(node, weights)


def _matmul(node):
    a, b = node.required(2)
    if isinstance(a, Constant) and isinstance(b, Constant):
        raise node.refusal("it multiplies two constants; simplify the file (onnxsim)")
    if isinstance(b, Constant):
        return _dense(node, a, b.array.T)
    if isinstance(a, Constant):
        if b.rank != 1:
            raise node.refusal("its weights stand on the left, so values lie in columns; x MatMul weights is accepted")
        return _dense(node, b, a.array)
    raise node.refusal("it multiplies two values that both depend on the input; constant weights are accepted")


def _gemm(node):
    x, weights = node.required(2)
    c = node.input(2)
    if isinstance(x, Constant) or not isinstance(weights, Constant) or not isinstance(c, Constant | None):
        raise node.refusal("Gemm(x, weights, bias) is accepted, with x from the layer before and constants after it")
    if node.number("transA", 0):
        raise node.refusal("transA = 1 exchanges values and points; transA = 0 is accepted")
    result = _dense(node, x, weights.array if node.number("transB", 0) else weights.array.T)
    alpha, beta = node.number("alpha", 1.0), node.number("beta", 1.0)
    # The scale is folded into the weights later, after the whole network's size has been checked.
    result = result if alpha == 1 else result.affine(node, alpha)
    return result if c is None else result.affine(node, 1.0, beta * result.factor(node, c.array))


# Activations


def activation(name: str, key: str | None = None, default: float = 0.0) -> Callable[[OnnxNode], Signal]:
    """A rule for an activation; if `key` is given, its parameter is that attribute."""
    return lambda node: activated(
        node, node.variable(), name if key is None else f"{name}({node.number(key, default)!r})"
    )


def activated(node: OnnxNode, x: Signal, text: str) -> Signal:
    """The Signal after an activation, given as text for Activation.parse."""
    try:
        found = Activation.parse(text)
    except NetworkError as error:
        raise node.refusal(str(error).rstrip(".")) from None
    return x.activated(node, found)


def _gelu(node):
    if node.text("approximate", "none") != "none":
        raise node.refusal("it is gelu by tanh, another function than gelu; export with approximate='none'")
    return activated(node, node.variable(), "gelu")


def _swish(node):
    x, alpha = node.variable(), node.number("alpha", 1.0)
    if alpha == 1:
        return activated(node, x, "silu")
    if not math.isfinite(alpha) or alpha == 0:
        raise node.refusal(f"alpha = {alpha:g}; any other number is accepted")
    return activated(node, x.affine(node, alpha), "silu").affine(node, 1.0 / alpha)


def _prelu(node):
    x, slopes = node.required(2)
    slopes = slopes.array.reshape(-1) if isinstance(slopes, Constant) else np.zeros(0)
    if isinstance(x, Constant) or slopes.size == 0 or np.any(slopes != slopes[0]):
        raise node.refusal("its slopes differ or are no constants; one for all is accepted")
    return activated(node, x, f"leaky_relu({float(slopes[0])!r})")


SHARED: Rules = {
    "Add": _add,
    "Sub": lambda node: _add(node, -1.0),
    "Neg": lambda node: node.variable().affine(node, -1.0),
    "Mul": _multiply,
    "Div": _divide,
    "BatchNormalization": _batch_norm,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Relu": activation("relu"),
    "LeakyRelu": activation("leaky_relu", "alpha", 0.01),
    "PRelu": _prelu,
    "Elu": activation("elu", "alpha", 1.0),
    "Softplus": activation("softplus"),
    "Gelu": _gelu,
    "Swish": _swish,
    "Sigmoid": activation("sigmoid"),
    "Tanh": activation("tanh"),
    "Sin": activation("sine(1)"),
    "Identity": same,
    "Dropout": dropout,
    "Constant": ON_CONSTANTS["Constant"],
}
