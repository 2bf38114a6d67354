"""Graphs with attention, small: a vision transformer, and windows of tokens that look within themselves."""

import numpy as np

from engine.network.graph import nodes
from engine.network.graph.builder import Builder

D, HEADS = 6, 2
RNG = np.random.default_rng(11)


def weights(*shape):
    return RNG.normal(size=shape) / np.sqrt(shape[-1])


def vit(added=1, heads=HEADS, size=(8, 12), patch=4):
    """A Graph of one block of a vision transformer on patches, with tokens of its own before them."""
    made = Builder("vit")
    x = made.input("x", (1, 3, *size))
    rows, columns = (n // patch for n in size)
    count = rows * columns + added
    x = made.add(nodes.Convolution, "patches", [x], weights=weights(D, 3, patch, patch), stride=(patch, patch))
    x = made.add(nodes.Reshape, "rows", [x], dims=(1, D, rows * columns))
    x = made.add(nodes.Transpose, "tokens", [x], axes=(0, 2, 1))
    if added:
        x = made.add(nodes.Concat, "all", [made.constant(weights(1, added, D)), x], axis=1)
    x = made.add(nodes.Add, "placed", [x, made.constant(weights(1, count, D))])
    norm = made.add(nodes.Normalise, "norm", [x], gain=np.ones(D), bias=np.zeros(D), axes=(-1,))
    parts = []
    for name in "qkv":
        y = made.add(nodes.Dense, name, [norm], weights=weights(D, D))
        y = made.add(nodes.Reshape, f"{name} in heads", [y], dims=(1, count, heads, D // heads))
        parts.append(made.add(nodes.Transpose, f"{name} by head", [y], axes=(0, 2, 1, 3)))
    keys = made.add(nodes.Transpose, "turned", [parts[1]], axes=(0, 1, 3, 2))
    scores = made.add(nodes.MatMul, "scores", [parts[0], keys])
    scores = made.add(nodes.Affine, "scaled", [scores], scale=np.array(0.6), shift=np.array(0.0))
    looks = made.add(nodes.Softmax, "looks", [scores], axis=-1)
    y = made.add(nodes.MatMul, "seen", [looks, parts[2]])
    y = made.add(nodes.Transpose, "back", [y], axes=(0, 2, 1, 3))
    y = made.add(nodes.Reshape, "joined", [y], dims=(1, count, D))
    x = made.add(nodes.Add, "sum", [x, made.add(nodes.Dense, "mixed", [y], weights=weights(D, D))])
    x = made.add(nodes.Slice, "first", [x], starts=(0, 0, 0), counts=(1, 1, D), steps=(1, 1, 1))
    x = made.add(nodes.Reshape, "flat", [x], dims=(1, D))
    return made.graph([made.add(nodes.Dense, "head", [x], weights=weights(3, D))])


def deep(count, channels=64):
    """A Graph of 4 x 4 patches and a class token, to which are added, so many times, sums of their own channels."""
    made = Builder("deep")
    x = made.input("x", (1, 3, 8, 8))
    x = made.add(nodes.Convolution, "patches", [x], weights=weights(channels, 3, 2, 2), stride=(2, 2))
    x = made.add(nodes.Reshape, "rows", [x], dims=(1, channels, 16))
    x = made.add(nodes.Transpose, "tokens", [x], axes=(0, 2, 1))
    x = made.add(nodes.Concat, "all", [made.constant(weights(1, 1, channels)), x], axis=1)
    for k in range(count):
        y = made.add(nodes.Dense, f"blocks.{k // 2}/mixed_{k % 2}", [x], weights=weights(channels, channels))
        x = made.add(nodes.Add, f"blocks.{k // 2}/Add_{k % 2}", [x, y])
    return made.graph([x])


def windowed(shift):
    """Windows of 2 x 2 of a map of 4 x 4, rolled by `shift`, that attend within, put back; then 2 x 2 merged."""
    made = Builder("windows")
    x = made.input("x", (1, 3, 8, 8))
    x = made.add(nodes.Convolution, "patches", [x], weights=weights(4, 3, 2, 2), stride=(2, 2))
    x = made.add(nodes.Transpose, "last", [x], axes=(0, 2, 3, 1))
    y = x
    if shift:
        cut = lambda label, start, count: made.add(
            nodes.Slice, label, [x], starts=(0, start, 0, 0), counts=(1, count, 4, 4), steps=(1,) * 4
        )
        y = made.add(nodes.Concat, "rolled", [cut("lower", 1, 3), cut("upper", 0, 1)], axis=1)
    y = made.add(nodes.Reshape, "cut", [y], dims=(1, 2, 2, 2, 2, 4))
    y = made.add(nodes.Transpose, "sorted", [y], axes=(0, 1, 3, 2, 4, 5))
    y = made.add(nodes.Reshape, "windows", [y], dims=(4, 4, 4))
    keys = made.add(nodes.Transpose, "keys", [y], axes=(0, 2, 1))
    looks = made.add(nodes.Softmax, "looks", [made.add(nodes.MatMul, "scores", [y, keys])], axis=-1)
    y = made.add(nodes.MatMul, "seen", [looks, y])
    merged = made.add(nodes.Reshape, "pairs", [x], dims=(1, 2, 2, 2, 2, 4))
    merged = made.add(nodes.Transpose, "squares", [merged], axes=(0, 1, 3, 4, 2, 5))
    merged = made.add(nodes.Reshape, "merged", [merged], dims=(1, 2, 2, 16))
    y = made.add(nodes.Reshape, "flat windows", [y], dims=(1, 64))
    merged = made.add(nodes.Reshape, "flat merged", [merged], dims=(1, 64))
    return made.graph([made.add(nodes.Add, "end", [y, merged])])


def reduced():
    """Patches of 2 x 2 pixels that look at patches of 4 x 4, as in a pyramid vision transformer."""
    made = Builder("reduced")
    x = made.input("x", (1, 3, 8, 8))
    x = made.add(nodes.Convolution, "patches", [x], weights=weights(D, 3, 2, 2), stride=(2, 2))
    y = made.add(nodes.Convolution, "larger", [x], weights=weights(D, D, 2, 2), stride=(2, 2))
    x = made.add(nodes.Transpose, "tokens", [made.add(nodes.Reshape, "rows", [x], dims=(1, D, 16))], axes=(0, 2, 1))
    y = made.add(nodes.Reshape, "fewer rows", [y], dims=(1, D, 4))
    y = made.add(nodes.Transpose, "fewer", [y], axes=(0, 2, 1))
    keys = made.add(nodes.Transpose, "keys", [made.add(nodes.Dense, "k", [y], weights=weights(D, D))], axes=(0, 2, 1))
    queries = made.add(nodes.Dense, "q", [x], weights=weights(D, D))
    looks = made.add(nodes.Softmax, "looks", [made.add(nodes.MatMul, "scores", [queries, keys])], axis=-1)
    return made.graph([made.add(nodes.Add, "sum", [x, made.add(nodes.MatMul, "seen", [looks, y])])])
