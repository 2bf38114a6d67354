"""The base of random_networks: a random network or a person's own, whose weights and inputs move on closed paths."""

import math
from functools import partial
from typing import Any

import numpy as np

import engine
from engine import Choice, HeldInputs, Integer, Number, closed_paths, in_group, parts

TAME = [name for name, rule in engine.ACTIVATIONS.items() if rule.tame]
ELEMENTWISE = [name for name in TAME if engine.ACTIVATIONS[name].elementwise]


def is_random(scene: Any) -> bool:
    """Whether the settings of the random network say what is shown, its weights edited or not."""
    return scene.net is None or scene.net is scene._edit


class MovingNetwork(engine.Scene):
    """A scene with a network, the part of it that is shown, and a plane through its inputs, at each time."""

    with in_group("shown"):
        net = engine.Network(None, doc="your own network; without one, the random one of the seed")
        with in_group(when=is_random):
            depth = Integer(27, bounds=(0, 100), softbounds=(0, 40), doc="hidden layers")
            width = Integer(30, bounds=(1, 1024), softbounds=(1, 64), doc="neurons in each hidden layer")
            activation = Choice(["tanh", *(n for n in ELEMENTWISE if n != "tanh")], doc="of the hidden layers")
            last = Choice(
                ["sigmoid", *(n for n in TAME if n != "sigmoid")], label="last activation",
                doc="of the outputs",
            )  # fmt: skip
            weights = Choice(list(engine.DISTRIBUTIONS), doc="how the random weights are drawn")
            scale = Number(0.6, bounds=(1e-3, 1e3), softbounds=(0.1, 2), doc="multiplies the random weights and biases")
            inputs = Integer(2, bounds=(1, 64), softbounds=(1, 8), doc="x, y and those that move")
        layer = Integer(0, bounds=(0, 100), softbounds=(0, 40), doc="whose neurons are shown; 0: the outputs")
        unit = Integer(
            0, bounds=(0, 4095), softbounds=(0, 29), doc="first of the neurons shown, as red, green and blue"
        )
        signal = Choice(["response", "sum"], doc="of a neuron: after its activation, or the weighted sum before it")
        with in_group(when=lambda s: s.network.inputs > 2):
            x_input = Integer(
                0, bounds=(0, 4095), softbounds=(0, 7), label="input along x", doc="which input the picture's x is"
            )
            y_input = Integer(
                1, bounds=(0, 4095), softbounds=(0, 7), label="input along y", doc="which input the picture's y is"
            )
            rest = HeldInputs()

    with in_group("time"):
        with in_group(when=lambda s: s.network.inputs > 2):
            path = Choice(
                ["auto", *closed_paths.PATHS],
                doc="how the other inputs move: auto: a circle, still for your network or if rest is given",
            )  # fmt: skip
            swing = Number(1.0, bounds=(0, 1e6), softbounds=(0, 3), doc="how far the other inputs move")
        morph = Choice(
            ["off", "seed", "scale", "file"],
            doc="the weights go to another seed's, to another scale, or to another network's, and come back",
        )  # fmt: skip
        to_seed = Integer(1, bounds=(0, 2**31 - 1), when=lambda s: s.morph == "seed", doc="where they go")
        to_scale = Number(
            1.0, bounds=(1e-3, 1e3), softbounds=(0.1, 2), when=lambda s: s.morph == "scale", doc="where the scale goes"
        )
        to_net = engine.Network(None, label="to", when=lambda s: s.morph == "file", doc="a network of the same shape")
        mix = Choice(
            ["circle", "line"], when=lambda s: s.morph in ("seed", "file"),
            doc="through both networks and their negatives, their size kept; or straight there and back",
        )  # fmt: skip
        period = Number(8.0, bounds=(0.1, 3600), softbounds=(1, 60), unit="s", doc="of one loop")

    # The network.

    _edit: engine.Mlp | None = None  # the random network with weights edited in the panel

    @property
    def network(self) -> engine.Mlp:
        """The Mlp without motion: the person's own, or the random one of the seed."""
        return self._random(self.seed) if self.net is None else self.net

    def _random(self, seed):
        key = (seed, self.depth, self.width, self.inputs, self.activation, self.last, self.weights, self.scale)
        sizes = [self.inputs, *[self.width] * self.depth, 3]
        draw = partial(engine.random_mlp, sizes, self.activation, last=self.last, distribution=self.weights)
        return self.cached(f"random {seed == self.seed}", key, lambda: draw(scale=self.scale, seed=seed))

    def network_at(self, time: float) -> engine.Mlp:
        """The Mlp at a time, which changes if the weights move."""
        net, turn = self.network, math.fmod(time / self.period, 1.0)
        part = closed_paths.there_and_back(turn)
        if self.morph == "off" or (self.morph == "file" and self.to_net is None):
            return net
        if self.morph == "scale":
            # Geometrically, so that each second changes the scale by the same factor.
            factor = (self.to_scale / self.scale) ** part
            return self.cached("mixed", (net, factor), lambda: parts.mixed(net, net, factor, 0.0))
        other = self._random(self.to_seed) if self.morph == "seed" else self.to_net
        angle = 2.0 * math.pi * turn
        pair = (math.cos(angle), math.sin(angle)) if self.mix == "circle" else (1.0 - part, part)
        return self.cached("mixed", (net, other, pair), lambda: parts.mixed(net, other, *pair))

    def part(self, net: engine.Mlp, count: int) -> tuple[engine.Mlp, tuple[int, ...]]:
        """(the part of a network that is shown, the numbers of its outputs shown).

        count   number of outputs; fewer if the layer has no more
        """
        layers = len(net.layers)
        layer = min(self.layer, layers) or layers

        def make():
            part = net if layer == layers else parts.shortened(net, layer)
            if self.signal == "sum":
                part = parts.sums(part)
            first = self.first_unit(part.outputs, count)
            units = range(first, min(first + count, part.outputs))
            if part.layers[-1].activation.is_whole:
                return part, tuple(units)
            return parts.chosen(part, units), tuple(range(len(units)))

        return self.cached("part", (net, layer, self.unit, self.signal, count), make)

    def first_unit(self, size: int, count: int) -> int:
        """The first of `count` neurons shown of a layer: the setting `unit`, or less, so that all are in the layer."""
        return max(0, min(self.unit, size - count))

    def misplaced(self, count: int) -> str | None:
        """What is to be said where `layer` and `unit` are beyond the network; count as for `part`."""
        net, said = self.network, []
        if self.layer > len(net.layers):
            said.append(f"layer={self.layer}: the network has {len(net.layers)}, and the last is shown")
        size = net.shape.sizes[min(self.layer, len(net.layers)) or len(net.layers)]
        if (first := self.first_unit(size, count)) < self.unit:
            said.append(f"unit={self.unit}: the layer has {size}, counted from 0, and {first} is the first shown")
        return "; ".join(said) or None

    # The plane.

    def plane(self, inputs: int, time: float = 0.0) -> engine.Domain:
        """The plane through the network's inputs along which world x and y run, at a time."""
        x, y = self.x_input % inputs, self.y_input % inputs
        y = y if x != y else (x + 1) % inputs
        others = [k for k in range(inputs) if k not in (x, y)]
        rest = np.zeros(inputs)
        key = self.rest, len(others)
        rest[others] = self.cached("rest", key, lambda: engine.held_inputs(*key))
        rest[others] += self.swing * closed_paths.closed_path(self.way, time / self.period, len(others), self.seed)
        return engine.Domain.plane(inputs, (-1.0, -1.0), (1.0, 1.0), x=x, y=y, rest=rest)

    # Motion.

    @property
    def way(self) -> str:
        """The path on which the other inputs move: they are still where a person holds them, unless asked for."""
        if self.path != "auto":
            return self.path
        return "circle" if is_random(self) and not self.rest else "still"

    def moved(self) -> str | None:
        """What is to be said where inputs that a person holds fixed move."""
        held = not is_random(self) or self.rest
        if not held or self.network.inputs <= 2 or self.swing == 0 or self.way == "still":
            return None
        return (
            f"path={self.path}, swing={self.swing:g}: the inputs held fixed move from the start (path=still stops them)"
        )

    @property
    def loop(self) -> float | None:
        weights = self.morph in ("seed", "scale") or (self.morph == "file" and self.to_net is not None)
        others = self.network.inputs > 2 and self.swing > 0 and self.way != "still"
        return self.period if weights or others else None
