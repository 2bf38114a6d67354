"""Fits small networks to the distance from a torus and keeps them in tests/data: `python -m benchmarks.fit_torus`.

Adam (Kingma and Ba 2015) on the mean absolute error over uniform points of [-5, 5]^3, in numpy; the same on every
machine to rounding.
"""

import itertools
from pathlib import Path

import numpy as np

from engine.network.activations import Activation

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "data"
SIZES = (3, 32, 32, 32, 1)
ACTIVATIONS = ("relu", "tanh", "sine(2)")
STEPS, BATCH, RATE = 3000, 1024, 5e-3


def distance(points):
    """The signed distance from a torus of radii 2.5 and 1 round the y axis."""
    return np.hypot(np.hypot(points[:, 0], points[:, 2]) - 2.5, points[:, 1]) - 1.0


def first_weights(rng, activation):
    """Weights and biases to begin with: PyTorch's for relu and tanh, SIREN's (Sitzmann et al. 2020) for sine."""
    weights, biases = [], []
    for i, (n_in, n_out) in enumerate(itertools.pairwise(SIZES)):
        wide = 1 / np.sqrt(n_in)
        if activation.name == "sine":
            wide = 1 / n_in if i == 0 else np.sqrt(6 / n_in) / activation.parameters[0]
        weights.append(rng.uniform(-wide, wide, (n_out, n_in)))
        biases.append(rng.uniform(-1, 1, n_out) / np.sqrt(n_in))
    return weights, biases


def gradients(weights, biases, activation, points, wanted):
    """(gradients of weights, of biases, mean absolute error)"""
    h, inputs, z = points, [], []
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        inputs.append(h)
        z.append(h @ w.T + b)
        h = z[-1] if i == len(weights) - 1 else activation.value(z[-1])
    error = h[:, 0] - wanted
    delta = (np.sign(error) / len(error))[:, None]
    dw, db = [None] * len(weights), [None] * len(weights)
    for i in range(len(weights) - 1, -1, -1):
        dw[i], db[i] = delta.T @ inputs[i], delta.sum(axis=0)
        if i:
            delta = (delta @ weights[i]) * activation.slope(z[i - 1])
    return dw, db, np.abs(error).mean()


def fit(activation, seed=0):
    """Weights, biases (float32) and the last error of a network with this activation."""
    rng = np.random.default_rng(seed)
    weights, biases = first_weights(rng, activation)
    values = weights + biases
    first, second = ([np.zeros_like(v) for v in values] for _ in range(2))
    for step in range(1, STEPS + 1):
        points = rng.uniform(-5, 5, (BATCH, 3))
        dw, db, error = gradients(weights, biases, activation, points, distance(points))
        rate = RATE * 0.5 * (1 + np.cos(np.pi * step / STEPS))
        for v, g, m, s in zip(values, dw + db, first, second, strict=True):
            m += 0.1 * (g - m)
            s += 0.001 * (g * g - s)
            v -= rate * (m / (1 - 0.9**step)) / (np.sqrt(s / (1 - 0.999**step)) + 1e-8)
    return [w.astype("f4") for w in weights], [b.astype("f4") for b in biases], error


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for text in ACTIVATIONS:
        activation = Activation.parse(text)
        weights, biases, error = fit(activation)
        arrays = {f"{i}.weight": w for i, w in enumerate(weights)} | {f"{i}.bias": b for i, b in enumerate(biases)}
        path = FOLDER / f"torus_{activation.name}.npz"
        np.savez_compressed(path, **arrays)
        print(f"{path.name}: mean distance off by {error:.4f}")


if __name__ == "__main__":
    main()
