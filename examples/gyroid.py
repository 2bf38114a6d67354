"""Writes gyroid.safetensors: a network of six sine neurons that is the gyroid, without any training.

    python examples/gyroid.py examples/gyroid.safetensors

Near Schoen's minimal surface of 1970 lies the zero level of sin x cos y + sin y cos z + sin z cos x. Since
sin a cos b = (sin(a + b) + sin(a - b)) / 2, that is one hidden layer: a neuron for each sum and difference.
"""

import sys

import numpy as np

import engine

SCALE = 1.3  # how many radians of the gyroid a world unit has: three of its cells lie across the ball that is shown

WEIGHTS = np.array([[1, 1, 0], [1, -1, 0], [0, 1, 1], [0, 1, -1], [1, 0, 1], [-1, 0, 1]], float)


def gyroid():
    """The Mlp 3-6-1."""
    return engine.Mlp([SCALE * WEIGHTS, np.full((1, 6), 0.5)], None, ["sine", "identity"], name="gyroid")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("gyroid: give the file to write.")
    engine.save_network(gyroid(), sys.argv[1])
