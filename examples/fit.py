"""Fits a small network to the signed distance from a shape: how the networks here were made.

    python examples/fit.py torus examples/torus.safetensors
    python examples/fit.py trefoil examples/trefoil.safetensors   relu, eight layers, as shapes are often stored
    python examples/fit.py sponge examples/sponge.safetensors     a SIREN (Sitzmann et al. 2020)
    python examples/fit.py knot knot.safetensors

Where the distance is 0 the network's level surface is the shape; other levels lie about it like skins. Only numpy is
used, so that the training can be read: forward, backward, Adam. On two cores it takes one to five minutes.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import engine

BATCH = 1024
# Points that are drawn beforehand; each step takes some of them.
POOL = 400_000


@dataclass(frozen=True)
class Shape:
    """What is fitted, and by what.

    distance   function of (N, 3) points
    hidden     neurons of each hidden layer
    activation, rate, steps   of the hidden layers; of learning; of training
    radius     of the ball of space that is fitted: 5 is what `marching` shows
    decay      of weights, by so much times the rate in each step (Loshchilov and Hutter 2019): in deep networks small
               weights keep float32's rounding small
    """

    distance: Callable
    hidden: list
    activation: str
    rate: float
    steps: int
    radius: float
    decay: float = 0.0


def torus(p):
    """Distance from a torus round the z axis: radius 3, tube 1.2."""
    return np.hypot(np.hypot(p[:, 0], p[:, 1]) - 3.0, p[:, 2]) - 1.2


def knot(p):
    """Distance from a tube of radius 0.6 round a trefoil knot, by 600 points on it."""
    t = np.linspace(0.0, 2.0 * np.pi, 600, endpoint=False)
    curve = 1.15 * np.stack([np.sin(t) + 2.0 * np.sin(2 * t), np.cos(t) - 2.0 * np.cos(2 * t), -np.sin(3 * t)], axis=1)
    squared = (p**2).sum(1)[:, None] + (curve**2).sum(1) - 2.0 * p @ curve.T
    return np.sqrt(np.maximum(squared, 0.0)).min(1) - 0.6


def trefoil(p):
    """The same knot in a ball of radius 1."""
    return knot(5.0 * p) / 5.0


def sponge(p):
    """Nearly the distance from a sheet along a gyroid, inside a ball of radius 0.8."""
    x, y, z = 7.0 * p.T
    sheet = np.abs(np.sin(x) * np.cos(y) + np.sin(y) * np.cos(z) + np.sin(z) * np.cos(x)) / 10.0 - 0.035
    return np.maximum(sheet, np.linalg.norm(p, axis=1) - 0.8)


SHAPES = {
    "torus": Shape(torus, [32], "tanh", 3e-3, 30_000, 5.0),
    "knot": Shape(knot, [48] * 3, "tanh", 3e-3, 40_000, 5.0),
    "trefoil": Shape(trefoil, [32] * 8, "relu", 2e-3, 12_000, 1.0, decay=0.1),
    "sponge": Shape(sponge, [64] * 3, "sine(30)", 5e-4, 8_000, 1.0),
}


def points_in_ball(rng, count, radius=5.0):
    """Uniform in a ball (count, 3)."""
    direction = rng.normal(size=(count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return direction * radius * rng.random((count, 1)) ** (1 / 3)


def first_weights(shape, seed):
    """[weights, biases, weights ...] to begin with: He's for relu, SIREN's for sine, Glorot's for tanh."""
    rng, sizes = np.random.default_rng(seed), [3, *shape.hidden, 1]
    kind = engine.Activation.parse(shape.activation)
    if kind.name != "sine":
        how = "he" if kind.name == "relu" else "glorot"
        start = engine.random_mlp(sizes, shape.activation, distribution=how, seed=seed)
        return [value for layer in start.layers for value in (layer.weights.copy(), layer.bias.copy())]
    found = []
    for i, (n_in, n_out) in enumerate(zip(sizes, sizes[1:], strict=False)):
        wide = 1.0 / n_in if i == 0 else np.sqrt(6.0 / n_in) / kind.parameters[0]
        found += [rng.uniform(-wide, wide, (n_out, n_in)), rng.uniform(-1.0, 1.0, n_out) / np.sqrt(n_in)]
    return [value.astype(np.float32) for value in found]


def fit(shape, seed=0, steps=None):
    """An Mlp near a shape's distance, and its root mean square error on points it never saw."""
    rng, kind, steps = np.random.default_rng(seed), engine.Activation.parse(shape.activation), steps or shape.steps
    weights = first_weights(shape, seed)
    pool = points_in_ball(rng, POOL, shape.radius).astype(np.float32)
    targets = np.concatenate([shape.distance(part) for part in np.array_split(pool, 400)]).astype(np.float32)
    mean, spread = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]
    for step in range(1, steps + 1):
        some = rng.integers(0, POOL, BATCH)
        slopes = gradient(weights, pool[some], targets[some], kind, 0.05 * shape.radius)
        rate = shape.rate * 0.5 * (1.0 + np.cos(np.pi * step / steps))
        for w, g, m, v in zip(weights, slopes, mean, spread, strict=True):  # Adam: Kingma and Ba 2015, algorithm 1
            m += 0.1 * (g - m)
            v += 0.001 * (g * g - v)
            if w.ndim == 2:
                w *= 1.0 - rate * shape.decay
            w -= rate * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
        if step % 5000 == 0:
            print(f"step {step}: error {error(weights, shape):.4f}", file=sys.stderr)
    activations = [kind] * len(shape.hidden) + ["identity"]
    return engine.Mlp(weights[0::2], weights[1::2], activations), error(weights, shape)


def forward(weights, points, kind):
    """(the values of every layer, the points first; the sums that go into each activation)."""
    layers, sums = [points], []
    for i in range(0, len(weights), 2):
        sums.append(layers[-1] @ weights[i].T + weights[i + 1])
        layers.append(sums[-1] if i == len(weights) - 2 else kind.value(sums[-1]))
    return layers, sums


def gradient(weights, points, target, kind, close):
    """d (mean weighted square error) / d weights, by the chain rule from the last layer back."""
    layers, sums = forward(weights, points, kind)
    # An error near the shape moves its surface, which is seen; far away it only moves a skin a little.
    closeness = close / (close + np.abs(target))
    back = ((layers[-1][:, 0] - target) * closeness)[:, None] * np.float32(2.0 / len(points))
    slopes = []
    for i in range(len(weights) - 2, -1, -2):
        slopes[:0] = [back.T @ layers[i // 2], back.sum(0)]
        if i:
            back = (back @ weights[i]) * kind.slope(sums[i // 2 - 1])
    return slopes


def error(weights, shape):
    points = points_in_ball(np.random.default_rng(1), 20_000, shape.radius)
    found = forward(weights, points, engine.Activation.parse(shape.activation))[0][-1][:, 0]
    return float(
        np.sqrt(np.mean((found - np.concatenate([shape.distance(p) for p in np.array_split(points, 20)])) ** 2))
    )


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in SHAPES:
        sys.exit(f"fit: give a shape ({', '.join(SHAPES)}) and the file to write.")
    net, rms = fit(SHAPES[sys.argv[1]])
    engine.save_network(net, sys.argv[2])
    print(f"{sys.argv[2]}: {net.shape}, root mean square error {rms:.3g}", file=sys.stderr)


if __name__ == "__main__":
    main()
