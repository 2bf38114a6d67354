"""Activations and norms from the arithmetic in which exporters write them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from engine.errors import NetworkError
from engine.network.activations import Activation
from engine.network.graph import nodes
from engine.network.graph.graph import Graph
from engine.network.graph.nodes import GraphNode
from engine.network.graph.passes.rewriting import Rewriting

# Where a function is compared with the activations: dense round 0, and far out.
POINTS = np.concatenate([np.linspace(-12, 12, 193), [-300.0, -60.0, -25.0, 25.0, 60.0, 300.0], [-1e-3, 1e-3, 1e-2]])
# Constants in files are float32.
SAME = 2e-6
# Steps of arithmetic that are looked back over, and activations without a parameter that they may be.
LONGEST = 16
PLAIN = (
    "relu", "silu", "gelu", "gelu_tanh", "softplus", "mish", "hard_swish", "hard_sigmoid", "softsign", "tanhshrink",
    "log_sigmoid", "gaussian", "sigmoid", "tanh", "square", "abs", "selu",
)  # fmt: skip
ON_EACH = (nodes.Elementwise, nodes.Affine, nodes.Binary, nodes.Where, nodes.Cast)


def recognised(graph: Graph) -> Graph:
    """Activations, layer norms and logarithms of softmax as nodes of their own, where a graph has their arithmetic."""
    work = Rewriting(graph)
    for node in work:
        made = _power(work, node) or _log_softmax(work, node) or _norm(work, node) or _activation(work, node)
        if made is not None:
            work.put(made)
    for node in work:
        made = _sine(work, node) or _gaussian(work, node)
        if made is not None:
            work.put(made)
    return work.graph()


def _parsed(text: str) -> Activation | None:
    """The activation, or None if its parameter is out of range."""
    try:
        return Activation.parse(text)
    except NetworkError:
        return None


def _applied(node: GraphNode, source: str, text: str) -> GraphNode | None:
    activation = _parsed(text)
    return None if activation is None else nodes.Elementwise(node.name, (source,), activation)


POWERS = {2.0: "square", 0.5: "sqrt", -1.0: "reciprocal"}


def _power(work: Rewriting, node: GraphNode) -> GraphNode | None:
    """x to a constant power; 1 / x."""
    if isinstance(node, nodes.Power):
        exponent = work.constant(node, 1)
        if exponent is None or exponent.size != 1:
            return None
        value = float(exponent.reshape(()))
        return _applied(node, node.inputs[0], POWERS.get(value, f"power({value!r})"))
    if isinstance(node, nodes.Divide):
        top = work.constant(node, 0)
        if top is not None and np.all(top == 1) and work.dims[node.name] == work.dims[node.inputs[1]]:
            return _applied(node, node.inputs[1], "reciprocal")
    if isinstance(node, nodes.Multiply) and node.inputs[0] == node.inputs[1]:
        return _applied(node, node.inputs[0], "square")
    return None


def _log_softmax(work: Rewriting, node: GraphNode) -> GraphNode | None:
    if _is(node, "log"):
        before = work.source(node)
        if isinstance(before, nodes.Softmax) and not before.log:
            return nodes.Softmax(node.name, before.inputs, before.axis, True)
    return None


def _is(node, name):
    return isinstance(node, nodes.Elementwise) and node.activation.name == name


def _sine(work: Rewriting, node: GraphNode) -> GraphNode | None:
    """sin(k x) of a layer's output: k is the sine's frequency, instead of going into the layer's weights."""
    if not isinstance(node, nodes.Elementwise) or node.activation.name != "sine":
        return None
    before = work.source(node)
    if not isinstance(before, nodes.Affine) or before.scale.size != 1:
        return None
    k = float(before.scale.reshape(())) * node.activation.parameters[0]
    if not 0 < k <= 1e6:
        return None
    source = before.inputs
    if before.shift.any():
        shifted = work.put(nodes.Affine(work.free(before.name), source, np.ones(1), before.shift / before.scale))
        source = (shifted.name,)
    return _applied(node, source[0], f"sine({k!r})")


def _gaussian(work: Rewriting, node: GraphNode) -> GraphNode | None:
    """exp(-k x x) for k above 0, other than 1: the gaussian of sqrt(k) x."""
    before = work.source(node) if _is(node, "exp") else None
    if not isinstance(before, nodes.Affine) or before.scale.size != 1 or before.shift.any():
        return None
    square, k = work.source(before), -float(before.scale.reshape(()))
    if not _is(square, "square") or not 0 < k <= 1e12:
        return None
    scaled = nodes.Affine(work.free(before.name), square.inputs, np.array([k**0.5]), np.zeros(1))
    return _applied(node, work.put(scaled).name, "gaussian")


# Layer norm


def _norm(work: Rewriting, node: GraphNode) -> GraphNode | None:
    """c / sqrt(mean(c c) + epsilon), where c is x - mean(x) (layer norm) or x (RMS norm), and its gain and bias."""
    found = _scaled_norm(work, node)
    if found is not None:
        return found
    if not isinstance(node, nodes.Affine):
        return None
    before = work.source(node)
    if isinstance(before, nodes.Normalise) and not before.groups and work.alone(before) is node:
        gain, bias = node.scale * before.gain, node.scale * before.bias + node.shift
        return replace(before, name=node.name, gain=gain, bias=bias)
    return None


def _scaled_norm(work, node):
    if isinstance(node, nodes.Divide):
        top, root = (work.source(node, i) for i in (0, 1))
        if not _is(root, "sqrt"):
            return None
        inner = work.source(root)
    elif isinstance(node, nodes.Multiply):
        pairs = [(work.source(node, i), _rooted(work, work.source(node, 1 - i))) for i in (0, 1)]
        found = [pair for pair in pairs if pair[1] is not None]
        if not found:
            return None
        top, inner = found[0]
    else:
        return None
    if not isinstance(inner, nodes.Affine) or inner.scale.size != 1 or inner.scale != 1 or inner.shift.size != 1:
        return None
    mean = work.source(inner)
    if not (isinstance(mean, nodes.Reduce) and mean.function == "mean" and mean.keep):
        return None
    square = work.source(mean)
    is_square = _is(square, "square") or (isinstance(square, nodes.Multiply) and square.inputs[0] == square.inputs[1])
    if not is_square or not _same(work, work.source(square), top):
        return None
    source, centred = top.name, False
    if isinstance(top, nodes.Subtract):
        x, middle = (work.source(top, i) for i in (0, 1))
        if (
            isinstance(middle, nodes.Reduce)
            and middle.function == "mean"
            and middle.keep
            and _same(work, work.source(middle), x)
        ):
            rank = len(work.dims[x.name])
            if {a % rank for a in middle.axes} == {a % rank for a in mean.axes}:
                source, centred = x.name, True
    rank = len(work.dims[source])
    axes = tuple(sorted(axis % rank for axis in mean.axes))
    one, zero = np.ones(1, np.float32), np.zeros(1, np.float32)
    epsilon = float(inner.shift.reshape(()))
    return nodes.Normalise(node.name, (source,), one, zero, axes, epsilon, centred=centred)


def _rooted(work, node):
    """What is in 1 / sqrt(...), or None."""
    if _is(node, "reciprocal") and _is(work.source(node), "sqrt"):
        return work.source(work.source(node))
    if _is(node, "sqrt") and _is(work.source(node), "reciprocal"):
        return work.source(work.source(node))
    if _is(node, "rsqrt") and not any(node.activation.parameters):
        return work.source(node)
    if _is(node, "power") and node.activation.parameters == (-0.5,):
        return work.source(node)
    return None


def _same(work, a, b):
    """Whether two nodes give the same: one node, or one operator of the same inputs (exporters subtract twice)."""
    alike = type(a) is type(b) and a.inputs == b.inputs and isinstance(a, nodes.Binary)
    return a is b or alike


# Activations


def _activation(work: Rewriting, node: GraphNode) -> GraphNode | None:
    """The activation that some steps of arithmetic on each number are, compared with all that are known."""
    if not isinstance(node, ON_EACH) or isinstance(node, nodes.Cast) or not _is_uniform(node):
        return None
    for base, steps in _bases(work, node):
        if steps < 2:
            continue
        found = _known(_values(work, node, base))
        if found is not None:
            return nodes.Elementwise(node.name, (base,), found)
    return None


def _bases(work, node) -> Iterator[tuple[str, int]]:
    """(name, number of steps) of the nodes of which alone a node is a function, number by number; nearest first."""
    dims = work.dims[node.name]
    frontier = [key for key in node.inputs if not _is_number(work, key)]
    inside = {node.name}
    while frontier and len(inside) <= LONGEST:
        frontier = list(dict.fromkeys(frontier))
        if len(frontier) == 1 and work.dims[frontier[0]] == dims:
            yield frontier[0], len(inside)
        # The one that comes last in the graph is not an input of any other.
        last = max(frontier, key=work.order.__getitem__)
        at = work.nodes[last]
        if not isinstance(at, ON_EACH) or not _is_uniform(at) or work.dims[last] != dims:
            return
        frontier.remove(last)
        inside.add(last)
        frontier += [key for key in at.inputs if not _is_number(work, key) and key not in inside]


def _is_number(work, key):
    node = work.nodes[key]
    return isinstance(node, nodes.Constant) and node.array.size == 1


def _is_uniform(node):
    return not isinstance(node, nodes.Affine) or node.scale.size == node.shift.size == 1


def _values(work, node, base):
    """The function of `base` that a node is, at POINTS."""
    found = {base: POINTS}
    stack = [node]
    while stack:
        at = stack[-1]
        if isinstance(at, nodes.Constant):
            found[at.name] = at.value().reshape(())
        elif isinstance(at, nodes.Affine) and at.inputs[0] in found:
            found[at.name] = float(at.scale.reshape(())) * found[at.inputs[0]] + float(at.shift.reshape(()))
        elif all(key in found for key in at.inputs):
            found[at.name] = at.value(*(found[key] for key in at.inputs))
        if at.name in found:
            stack.pop()
        else:
            stack += [work.nodes[key] for key in at.inputs if key not in found]
    return np.broadcast_to(found[node.name], POINTS.shape).astype(float)


def _known(values):
    """The Activation with these values at POINTS, or None."""
    if not np.isfinite(values).all():
        # Exporters' forms may overflow far out, where they are not meant.
        inner = abs(POINTS) <= 25
        if not np.isfinite(values[inner]).all():
            return None
    for text in [*PLAIN, *_guesses(values)]:
        activation = _parsed(text)
        if activation is not None and _equal(activation.value(POINTS), values):
            return activation
    return None


def _equal(exact, values):
    use = np.isfinite(values)
    scale = np.maximum(min(1.0, abs(values[use]).max(initial=0.0)), abs(exact[use]))
    return bool(use.sum() > len(values) * 0.9 and (abs(exact[use] - values[use]) <= SAME * scale).all())


def _guesses(values):
    """Activations with a parameter, read from some of the values."""
    at = lambda x: float(values[np.argmin(abs(POINTS - x))])
    left, right = at(-12), at(12)
    yield f"leaky_relu({-left / 12!r})"
    yield f"clipped_relu({max(right, at(300))!r})"
    yield f"hardtanh({at(-300)!r},{at(300)!r})"
    for kind in ("elu", "celu"):
        yield f"{kind}({-at(-60)!r})"
    if at(0) > 0:
        yield f"softplus({math.log(2) / at(0)!r})"
    if 0 < at(1) < 1:
        # x sigmoid(b x) at 1.
        yield f"swish({float(np.log(at(1) / (1 - at(1))))!r})"
