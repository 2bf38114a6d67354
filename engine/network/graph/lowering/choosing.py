"""Maxima, comparisons, choices and softmax within a function of a vector, made of relu, steps and products."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import NetworkError
from engine.network.activations import Activation
from engine.network.graph import nodes
from engine.network.graph.lowering.sums import Sums, UnitGroup, stacked
from engine.network.graph.nodes import GraphNode
from engine.network.graph.nodes.base import axis_of

if TYPE_CHECKING:
    from engine.network.graph.lowering.read import Reader

# Numbers whose maximum, product or softmax is taken by one operator: 256 MiB for the square of it.
MOST_JOINED = 1 << 13
# Activations that grow faster than their argument, but have a value for each.
FINITE = ("square", "product")


def larger(reader: Reader, a: Sums, b: Sums, sign: float = 1.0) -> Sums:
    """max(a, b) = b + relu(a - b); sign -1: the smaller."""
    a, b = reader.level(a, b)
    more = reader.applied("relu", a.times(sign).added(b.times(-sign))) if a.terms or b.terms else None
    if more is None:
        return Sums({}, sign * np.maximum(sign * a.bias, sign * b.bias))
    (b,) = reader.level(b, more)[:1]
    return b.added(more.times(sign))


JOINS: dict[str, Callable[[Reader, Sums, Sums], Sums]] = {
    "max": larger,
    "min": lambda reader, a, b: larger(reader, a, b, -1.0),
    "product": lambda reader, a, b: reader.product(a, b),
}


def folded(reader: Reader, sums: Sums, at: np.ndarray, function: str) -> Sums:
    """The maximum, minimum or product of each row of places (rows, n), joined two by two."""
    if at.size > MOST_JOINED:
        raise NetworkError(f"it takes the {function} among {at.size} numbers; at most {MOST_JOINED} are compared")
    while at.shape[1] > 1:
        half, odd = divmod(at.shape[1], 2)
        both = JOINS[function](reader, sums.rows(at[:, :half]), sums.rows(at[:, half : 2 * half]))
        places = np.arange(len(at) * half).reshape(len(at), half)
        if odd:
            both = stacked(reader.level(both, sums.rows(at[:, -1])))
            places = np.column_stack([places, len(at) * half + np.arange(len(at))])
        sums, at = both, places
    return sums.rows(at[:, 0])


def softmax(reader: Reader, node: nodes.Softmax) -> Sums:
    """Softmax of all numbers as the last layer; any other by exp of what each is below the largest."""
    (sums,), (dims,) = reader.sums(node), reader.dims(node)
    if dims[node.axis] == sums.size and node.name in reader.graph.outputs and not reader.graph.consumers(node):
        return reader.applied("log_softmax" if node.log else "softmax", sums)
    axis = axis_of(node.axis, len(dims))
    if axis == 0 and dims[0] == 1 < len(dims):
        raise NetworkError("it is a softmax over the batch, which mixes points; give it the axis of a point's numbers")
    sums = reader.relayed(sums) if sums.has_full else sums
    at = np.moveaxis(np.arange(sums.size).reshape(dims), axis, -1).reshape(-1, dims[axis])
    group = np.empty(sums.size, int)
    group[at] = np.arange(len(at))[:, None]
    sums, largest = reader.level(sums, folded(reader, sums, at, "max"))
    beside = sums.added(largest.rows(group).times(-1.0))
    exponentials = reader.applied("exp", beside)
    total = exponentials.through((np.arange(len(at))[:, None] == group[None, :]).astype(float))
    if node.log:
        beside, logs = reader.level(reader.relayed(beside), reader.applied("log", total))
        return beside.added(logs.rows(group).times(-1.0))
    return reader.product(exponentials, reader.applied("reciprocal", total).rows(group))


def compared(reader: Reader, node: nodes.Compare) -> Sums:
    """1 where a relation holds, else 0: x > 0 is sign(relu(x))."""
    a, b = reader.level(*reader.spread(node))
    if node.relation in ("and", "or"):
        a, b = truth(reader, node.inputs[0], a), truth(reader, node.inputs[1], b)
        return larger(reader, a, b, -1.0 if node.relation == "and" else 1.0)
    if node.relation == "xor":
        a, b = truth(reader, node.inputs[0], a), truth(reader, node.inputs[1], b)
    apart = a.added(b.times(-1.0))
    if not apart.terms:
        return Sums({}, node.value(a.bias, b.bias).astype(float))
    if node.relation in ("==", "!=", "xor"):
        differ = reader.applied("sign", reader.applied("abs", apart))
        return differ if node.relation != "==" else differ.times(-1.0).plus(1.0)
    up = node.relation in (">", "<=")
    beyond = reader.applied("sign", reader.applied("relu", apart if up else apart.times(-1.0)))
    return beyond if node.relation in (">", "<") else beyond.times(-1.0).plus(1.0)


def truth(reader: Reader, name: str, sums: Sums) -> Sums:
    """1 where numbers are not 0: those of a comparison as they are."""
    if _is_truth(reader, name):
        return sums
    return reader.applied("sign", reader.applied("abs", sums)) if sums.terms else Sums({}, (sums.bias != 0) * 1.0)


def _is_truth(reader, name):
    node = reader.graph.node(name)
    if isinstance(node, nodes.Cast | nodes.Reshape | nodes.Transpose | nodes.Expand | nodes.Slice):
        return (isinstance(node, nodes.Cast) and node.to == "bool") or _is_truth(reader, node.inputs[0])
    return isinstance(node, nodes.Compare)


def where(reader: Reader, node: nodes.Where) -> Sums:
    """b + c (a - b): a where c is 1, b where it is 0. Both must have a value, since 0 times infinity has none."""
    c, a, b = reader.spread(node)
    if all(not sums.terms for sums in (a, b)):
        return truth(reader, node.inputs[0], c).times(a.bias - b.bias).plus(b.bias)
    for activation in _activations(a, b):
        if not (activation.rule.tame or activation.name in FINITE):
            raise NetworkError(
                f"it chooses between values of which one is made by {activation}, which can be infinite or none where "
                "the other is chosen"
            )
    a, b = reader.level(a, b)
    apart = a.added(b.times(-1.0))
    chosen, b = reader.level(reader.product(truth(reader, node.inputs[0], c), apart), b)
    return b.added(chosen)


def _activations(*many: Sums) -> Iterator[Activation]:
    """Those of all units on which sums depend, each once."""
    seen: set[UnitGroup] = set()
    waiting = [group for sums in many for group in sums.terms]
    texts: set[str] = set()
    while waiting:
        group = waiting.pop()
        if group in seen or group.sums is None:
            continue
        seen.add(group)
        waiting += group.sums.terms
        texts |= {part.lstrip("0123456789 ") for part in group.activation.split(" + ")}
    return (Activation.parse(text) for text in sorted(texts))


def cast(reader: Reader, node: nodes.Cast) -> Sums:
    """Floats as they are, truth values as 0 and 1."""
    (sums,) = reader.sums(node)
    if node.to == "float" or _is_truth(reader, node.inputs[0]):
        return sums
    if node.to == "bool":
        return truth(reader, node.inputs[0], sums)
    raise NetworkError(f"it makes {node.to} numbers, of which nothing smooth is left; floats are accepted")


def power(reader: Reader, node: nodes.Power) -> Sums:
    """A power of one constant exponent, or of a constant base above 0."""
    base, exponent = reader.spread(node)
    if not base.terms and np.all(base.bias > 0) and exponent.terms:
        return reader.applied("exp", exponent.times(np.log(base.bias)))
    if exponent.terms or len(set(exponent.bias)) > 1:
        raise NetworkError("powers of one constant exponent, or of constants above 0, are accepted")
    value = float(exponent.bias[0])
    if value == 0:
        return Sums({}, np.ones(base.size))
    found = reader.applied(f"power({abs(value)!r})", base)
    return found if value > 0 else reader.applied("reciprocal", found)


RULES: dict[type[GraphNode], Callable] = {
    nodes.Softmax: softmax,
    nodes.Compare: compared,
    nodes.Where: where,
    nodes.Cast: cast,
    nodes.Power: power,
    nodes.Maximum: lambda reader, node: JOINS["max"](reader, *reader.spread(node)),
    nodes.Minimum: lambda reader, node: JOINS["min"](reader, *reader.spread(node)),
}
