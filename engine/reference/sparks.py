"""Sparks in float64: gradient steps from seeds."""

import numpy as np
from numpy.typing import ArrayLike

from engine.network.mlp import Mlp
from engine.reference.field import value_and_gradient


def trace(
    net: Mlp, seeds: ArrayLike, *, vertices: int = 10, steps: int = 20, step: float = 0.02, output: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Paths along the gradient through seeds; vertex k is `steps` steps of length step (k - vertices // 2 + 1) away.

    seeds      (N, 3)
    returns    positions (N, vertices, 3) and the output's values there (N, vertices), float64
    """
    seeds = np.asarray(seeds, float)
    lengths = step * (np.arange(vertices) - (vertices // 2 - 1))
    p = np.repeat(seeds[:, None], vertices, axis=1).reshape(-1, 3)
    reach = np.tile(lengths, len(seeds))[:, None]
    for _ in range(steps):
        gradient = value_and_gradient(net, p)[1][:, output]
        size = np.linalg.norm(gradient, axis=1, keepdims=True)
        p = p + reach * np.divide(gradient, size, out=np.zeros_like(gradient), where=size > 0)
    values = value_and_gradient(net, p)[0][:, output]
    return p.reshape(-1, vertices, 3), values.reshape(-1, vertices)
