"""How far the field kernel is from float64, by activation and depth: `python -m benchmarks.accuracy`.

The worst error over 10,000 points in [-1, 1]^2 of networks 30 wide with a sigmoid last. Beside it the worst error of
numpy in float32 on the same points, which says what the network itself makes of a rounding (deep networks of large
weights are chaotic: every rounding grows from layer to layer, in any program), and the bound that the twin proves,
which takes all roundings to conspire. Prints a table and adds its rows to benchmarks/results/accuracy.csv.
"""

import argparse

import numpy as np

from benchmarks.results import store
from engine.gpu.array import Array
from engine.kernels.field import Field
from engine.network.activations import ACTIVATIONS
from engine.network.random import random_mlp
from engine.reference import field as twin

POINTS = 10_000
WIDTH = 30
DEPTHS = (1, 5, 10, 20, 40)
# A tanh network this wide is chaotic where weights are uniform on [-s, s] with s above 0.32: one below, one far above.
WEIGHTS: dict[str, dict] = {
    "glorot": {"distribution": "glorot"},
    "uniform 0.3": {"distribution": "uniform", "scale": 0.3},
    "uniform 1": {"distribution": "uniform", "scale": 1.0},
}


def errors(net, fields):
    """(ours, numpy float32's, the twin's bound): each the worst over the points and outputs."""
    x = np.random.default_rng(0).uniform(-1, 1, (POINTS, 2)).astype(np.float32)
    exact = twin.value(net, x)
    if net.shape not in fields:
        fields[net.shape] = Field(net, "batched")
    field = fields[net.shape]
    field.show(net)
    padded = np.zeros((POINTS, 4), np.float32)
    padded[:, :2] = x
    found = field.run(Array.of(padded), POINTS).read().reshape(POINTS, -1)[:, : net.outputs]
    h = x
    for layer in net.layers:
        z = h @ layer.weights.T + layer.bias
        # The function itself in float64, rounded once: what is compared is the sums.
        h = layer.activation.value(z).astype(np.float32)
    bound = twin.bounds(net, x, gradient=False)[0]
    return abs(found - exact).max(), abs(h - exact).max(), bound.max()


def rows(activations, depths=DEPTHS):
    fields: dict = {}
    for activation in activations:
        for depth in depths:
            for name, options in WEIGHTS.items():
                net = random_mlp([2, *[WIDTH] * depth, 3], activation, last="sigmoid", seed=depth, **options)
                found, numpys, bound = errors(net, fields)
                yield {
                    "activation": activation, "hidden layers": depth, "weights": name, "worst error": float(found),
                    "numpy float32": float(numpys), "ours over numpy": float(found / numpys), "bound": float(bound),
                }  # fmt: skip


def main():
    elementwise = [name for name, rule in ACTIVATIONS.items() if rule.elementwise and rule.tame]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--activations", nargs="+", choices=elementwise, default=elementwise)
    store("accuracy", list(rows(parser.parse_args().activations)))


if __name__ == "__main__":
    main()
