"""Seeded random networks."""

import itertools
import math
from collections.abc import Sequence

import numpy as np

from engine.errors import NetworkError, near
from engine.network.activations import Activation
from engine.network.mlp import Mlp, sizes_text

# {name: function that returns a layer's weights and, in the last column, its biases}
DISTRIBUTIONS = {
    "uniform": lambda rng, n_out, n_in: rng.uniform(-1.0, 1.0, (n_out, n_in + 1)),
    "normal": lambda rng, n_out, n_in: rng.normal(0.0, 1.0, (n_out, n_in + 1)),
    # Glorot and Bengio 2010, equation 16.
    "glorot": lambda rng, n_out, n_in: rng.uniform(-1.0, 1.0, (n_out, n_in + 1)) * math.sqrt(6.0 / (n_in + n_out)),
    # He et al. 2015, equation 10.
    "he": lambda rng, n_out, n_in: rng.normal(0.0, 1.0, (n_out, n_in + 1)) * math.sqrt(2.0 / n_in),
}


def random_mlp(
    sizes: Sequence[int],
    activation: str | Activation = "tanh",
    *,
    last: str | Activation = "identity",
    distribution: str = "uniform",
    scale: float = 1.0,
    seed: int = 0,
    output_bias: bool = True,
) -> Mlp:
    """A random network; the same arguments give the same network on every machine.

    sizes          (inputs, hidden ..., outputs)
    activation     of the hidden layers; `last` of the last one
    distribution   of weights and biases: uniform on [-1, 1], normal of deviation 1, glorot (uniform) or he (normal)
    scale          multiplies every weight and bias
    output_bias    False sets the last layer's biases to zero

    Raises NetworkError for an unknown distribution or activation, sizes below 1, a negative seed.
    """
    sizes = [int(n) for n in sizes]
    if len(sizes) < 2 or min(sizes) < 1:
        raise NetworkError(f"Sizes {sizes} make no network: give at least inputs and outputs, each 1 or more.")
    if distribution not in DISTRIBUTIONS:
        raise NetworkError(near(distribution, DISTRIBUTIONS, noun="distribution"))
    if int(seed) < 0:
        raise NetworkError(f"Seed {seed} is negative; give 0 or more.")
    rng = np.random.default_rng(int(seed))
    drawn = [DISTRIBUTIONS[distribution](rng, n_out, n_in) * scale for n_in, n_out in itertools.pairwise(sizes)]
    biases = [w[:, -1] for w in drawn]
    if not output_bias:
        biases[-1] = np.zeros(sizes[-1])
    return Mlp(
        [w[:, :-1] for w in drawn],
        biases,
        [activation] * (len(drawn) - 1) + [last],
        name=f"random {distribution} {sizes_text(sizes)}, seed {seed}",
    )
