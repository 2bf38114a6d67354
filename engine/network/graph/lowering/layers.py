"""Makes a multilayer perceptron of a graph: units are put into layers, and relayed on to where they are taken."""

from __future__ import annotations

import numpy as np

from engine.errors import NetworkError
from engine.network.graph.graph import Graph
from engine.network.graph.lowering.read import read
from engine.network.graph.lowering.sums import PickedRows, Sums, UnitGroup
from engine.network.mlp import Mlp

# Weights in all: 1 GiB as float32.
MOST_WEIGHTS = 1 << 28


def as_mlp(graph: Graph, output: str | None = None) -> Mlp:
    """The Mlp that computes an output of a graph (the first) from its inputs, laid one after another.

    An operator that is weights times its input becomes part of a layer; an elementwise function, an activation of
    units. Units that a later layer takes are relayed on by units of the identity: skips, sums and concatenations are
    all this. Products of two tensors are units `product`, whose layer multiplies pairs; layer norm and quotients are
    made of them. All constants are multiplied in float64 and rounded once.

    Raises NetworkError naming the node that has no place in a function of a vector.
    """
    name = graph.outputs[0] if output is None else output
    inputs, end = read(graph, name)
    if not end.terms:
        raise NetworkError(f"The output of {graph.name} does not depend on its input.")
    last = _whole(end)
    if last is None:
        # Weighted sums of units: a last layer of its own.
        last = UnitGroup(end.size, end, "identity")
    layers = _layers(last)
    places = {inputs: np.arange(inputs.count)}
    weights, biases, activations = [], [], []
    width, spent = inputs.count, 0
    for layer in layers:
        spent += layer.count * (width + 1)
        if spent > MOST_WEIGHTS:
            raise NetworkError(f"{graph.name} has more than {MOST_WEIGHTS} weights as layers. Use a smaller network.")
        rows, bias = layer.arrays(places, width)
        weights.append(rows)
        biases.append(bias)
        activations.append(layer.activation)
        places, width = layer.places, layer.count
    return Mlp(weights, biases, activations, name=graph.name)


def _whole(sums: Sums) -> UnitGroup | None:
    """The group whose units the sums are, all of them in their order, or None."""
    if len(sums.terms) != 1 or sums.bias.any():
        return None
    ((group, term),) = sums.terms.items()
    if group.sums is None or not isinstance(term, PickedRows) or not np.array_equal(term.units, np.arange(group.count)):
        return None
    return group if np.all(term.factors == 1) else None


class _UnitLayer:
    """A layer while it is being made.

    groups    whose activations it computes
    relayed   {group of an earlier layer: the numbers of its units that are relayed on}
    """

    def __init__(self, groups, relayed):
        # Pairs of products must begin at an even unit; equal activations stand together.
        order = {group.activation: i for i, group in reversed(list(enumerate(groups)))}
        key = lambda g: (g.activation != "product", g.activation == "identity", order[g.activation])
        self.groups, self.relayed = sorted(groups, key=key), relayed
        self.places: dict[UnitGroup, np.ndarray] = {}
        self.count = 0
        for group, units in [*((g, np.arange(g.count)) for g in self.groups), *relayed.items()]:
            at = np.full(group.count, -1)
            at[units] = self.count + np.arange(len(units))
            self.places[group] = at
            self.count += len(units)

    @property
    def activation(self):
        """The activations of its units, as text."""
        parts = [(group.activation, group.count) for group in self.groups]
        parts += [("identity", len(units)) for units in self.relayed.values()]
        if len({activation for activation, _ in parts}) == 1 and " + " not in parts[0][0]:
            return parts[0][0]
        return " + ".join(text if " + " in text else f"{count} {text}" for text, count in parts)

    def arrays(self, before, width):
        """(weights, bias); before: {group: its units' places in the layer before, -1 where it is not there}."""
        whole = len(self.groups) == 1 and not self.relayed
        sums = [group.sums for group in self.groups]
        if whole and len(sums[0].terms) == 1:
            ((group, term),) = sums[0].terms.items()
            if group.count == width and np.array_equal(before[group], np.arange(width)):
                return term.full(width).array, sums[0].bias  # as it is, without a copy
        rows, bias = np.zeros((self.count, width), np.float32), np.zeros(self.count)
        first = 0
        for one in sums:
            part = np.zeros((one.size, width)) if len(one.terms) > 1 else None
            for group, term in one.terms.items():
                at, used = before[group], term.used
                assert (at[used] >= 0).all()
                if part is None:
                    rows[first : first + one.size, at[used]] = term.full(group.count).array[:, used]
                else:
                    part[:, at[used]] += term.full(group.count).array[:, used]
            if part is not None:
                rows[first : first + one.size] = part
            bias[first : first + one.size] = one.bias
            first += one.size
        for group, units in self.relayed.items():
            rows[first + np.arange(len(units)), before[group][units]] = 1.0
            first += len(units)
        return rows, bias


def _layers(last):
    """The layers up to a group, which is the last one's."""
    groups, waiting = {last}, [last]
    while waiting:
        for group in waiting.pop().sums.terms:
            if group not in groups:
                groups.add(group)
                if group.sums is not None:
                    waiting.append(group)
    found = []
    needed: dict[UnitGroup, np.ndarray] = {}  # {group: which of its units the layers after this one take}
    for depth in range(last.depth, 0, -1):
        here = sorted((g for g in groups if g.depth == depth), key=lambda g: g.number)
        kept = sorted((g for g in needed if g.depth < depth), key=lambda g: g.number)
        relayed = {g: np.flatnonzero(needed[g]) for g in kept}
        found.append(_UnitLayer(here, relayed))
        for group in here:
            for source, term in group.sums.terms.items():
                used = needed.setdefault(source, np.zeros(source.count, bool))
                used[term.used] = True
    return found[::-1]
