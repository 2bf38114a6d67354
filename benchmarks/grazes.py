"""Rays that graze in float32 alone, and where values in float64 decide what it leaves open."""

from collections.abc import Callable
from unittest.mock import patch

import numpy as np

from benchmarks.networks import ball_rays, shape_network, siren
from benchmarks.results import store
from engine.kernels import rays
from engine.kernels.search import exact
from engine.network.random import random_mlp

# {name: (function that gives the network, the ball's radius, whether one level alone is searched, rays)}.
NETWORKS: dict[str, tuple[Callable, float, bool, int]] = {
    "3-128x3-1 SIREN": (lambda: siren(128), 1.0, True, 800),
    "3-256x3-1 SIREN": (lambda: siren(256), 1.0, True, 200),
    "3-32x8-1 tanh": (lambda: random("tanh", "glorot"), 5.0, False, 800),
    "3-32x8-1 relu, He": (lambda: random("relu", "he"), 5.0, False, 800),
    "SDF 3-64x8-1 relu": (shape_network, 1.0, True, 800),
}


def random(activation, distribution):
    return random_mlp((3, *[32] * 8, 1), activation, distribution=distribution, seed=0, output_bias=False)


def outcomes(net, casting_rays, single):
    """{outcome: rays} of the first answer along each."""
    found = rays.cast(net, *casting_rays, single=single)["outcome"][:, 0]
    return {name: int((found == k).sum()) for k, name in enumerate(rays.OUTCOMES)}


def main():
    for name, (network, radius, single, count) in NETWORKS.items():
        net, some = network(), ball_rays(60, radius=radius, distance=3 * radius)
        chosen = np.random.default_rng(0).permutation(len(some[0]))[:count]
        casting_rays = [x[chosen] for x in some]
        decided = outcomes(net, casting_rays, single)
        with patch.object(exact, "_share", return_value=(0.0, 0.0, 0.0)):
            alone = outcomes(net, casting_rays, single)
        row = {"network": name, "rays": count, "graze": decided["graze"], "graze in float32 alone": alone["graze"]}
        store("grazes", [row | {"undecided": decided["undecided"]}])


if __name__ == "__main__":
    main()
