"""Fits a small network to the signed distance from a shape: how torus.safetensors was made.

    python examples/fit.py torus examples/torus.safetensors
    python examples/fit.py knot knot.safetensors

Where the distance is 0 the network's level surface is the shape; other levels lie about it like skins. Only numpy is
used, so that the training can be read: forward, backward, Adam.
"""

import sys

import numpy as np

import engine

RADIUS = 5.0  # of the ball of space that is fitted: the one that `marching` shows
BATCH = 1024


def torus(p):
    """Distance from a torus round the z axis: radius 3, tube 1.2."""
    return np.hypot(np.hypot(p[:, 0], p[:, 1]) - 3.0, p[:, 2]) - 1.2


def knot(p):
    """Distance from a tube of radius 0.6 round a trefoil knot, by 600 points on it."""
    t = np.linspace(0.0, 2.0 * np.pi, 600, endpoint=False)
    curve = 1.15 * np.stack([np.sin(t) + 2.0 * np.sin(2 * t), np.cos(t) - 2.0 * np.cos(2 * t), -np.sin(3 * t)], axis=1)
    squared = (p**2).sum(1)[:, None] + (curve**2).sum(1) - 2.0 * p @ curve.T
    return np.sqrt(np.maximum(squared, 0.0)).min(1) - 0.6


# shape -> distance, hidden layers, steps of training
SHAPES = {"torus": (torus, [32], 30_000), "knot": (knot, [48, 48, 48], 40_000)}


def points_in_ball(rng, count):
    """Uniform in the ball (count, 3)."""
    direction = rng.normal(size=(count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return direction * RADIUS * rng.random((count, 1)) ** (1 / 3)


def fit(distance, hidden, steps, seed=0):
    """An Mlp of tanh layers near a distance function, and its root mean square error on points it never saw."""
    rng = np.random.default_rng(seed)
    start = engine.random_mlp([3, *hidden, 1], "tanh", distribution="glorot", seed=seed)
    weights = [value.astype(float) for layer in start.layers for value in (layer.weights, layer.bias)]
    mean, spread = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]
    for step in range(1, steps + 1):
        points = points_in_ball(rng, BATCH)
        target = distance(points)
        slopes = gradient(weights, points, target)
        rate = 3e-3 * 0.5 * (1.0 + np.cos(np.pi * step / steps))
        for w, g, m, v in zip(weights, slopes, mean, spread, strict=True):  # Adam: Kingma and Ba 2015, algorithm 1
            m += 0.1 * (g - m)
            v += 0.001 * (g * g - v)
            w -= rate * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
        if step % 5000 == 0:
            print(f"step {step}: error {error(weights, distance):.4f}", file=sys.stderr)
    return engine.Mlp(weights[0::2], weights[1::2], "tanh"), error(weights, distance)


def forward(weights, points):
    """The values of every layer, the points first."""
    layers = [points]
    for i in range(0, len(weights), 2):
        z = layers[-1] @ weights[i].T + weights[i + 1]
        layers.append(z if i == len(weights) - 2 else np.tanh(z))
    return layers


def gradient(weights, points, target):
    """d (mean weighted square error) / d weights, by the chain rule from the last layer back."""
    layers = forward(weights, points)
    # An error near the shape moves its surface, which is seen; far away it only moves a skin a little.
    closeness = 1.0 / (0.25 + np.abs(target))
    back = ((layers[-1][:, 0] - target) * closeness)[:, None] * (2.0 / len(points))
    slopes = []
    for i in range(len(weights) - 2, -1, -2):
        below = layers[i // 2]
        slopes[:0] = [back.T @ below, back.sum(0)]
        if i:
            back = (back @ weights[i]) * (1.0 - below**2)
    return slopes


def error(weights, distance):
    points = points_in_ball(np.random.default_rng(1), 20_000)
    return float(np.sqrt(np.mean((forward(weights, points)[-1][:, 0] - distance(points)) ** 2)))


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in SHAPES:
        sys.exit(f"fit: give a shape ({', '.join(SHAPES)}) and the file to write.")
    net, rms = fit(*SHAPES[sys.argv[1]])
    engine.save_network(net, sys.argv[2])
    print(f"{sys.argv[2]}: {net.shape}, root mean square error {rms:.3f}", file=sys.stderr)


if __name__ == "__main__":
    main()
