"""Trees of boxes proven free of a level: their boxes, work and what they leave of rays: `python -m benchmarks.tree`.

Prints a table and adds its rows to benchmarks/results/tree.csv. Without files it takes fitted tori, and a
tanh network of which all levels are wanted.
"""

import argparse
import time
from types import SimpleNamespace

import numpy as np

from benchmarks.networks import torus
from benchmarks.results import store
from engine.formats.load_mlp import load
from engine.kernels.tree.brackets import brackets
from engine.kernels.tree.tree import Tree
from engine.network.random import random_mlp

RAYS = 1000


def rays(half, seed=0):
    """Rays from a sphere of radius 2.5 halves to points in the middle of the region, clipped to it."""
    rng = np.random.default_rng(seed)
    origins = rng.normal(size=(RAYS, 3))
    origins *= 2.5 * half / np.linalg.norm(origins, axis=1, keepdims=True)
    directions = rng.uniform(-0.6, 0.6, (RAYS, 3)) * half - origins
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    faces = np.stack([(-half - origins) / directions, (half - origins) / directions])
    near, far = faces.min(axis=0).max(axis=1), faces.max(axis=0).min(axis=1)
    return origins + near[:, None] * directions, directions, far - near


def measured(net, half, levels, deepest):
    """Rows of one network, of a tree to each depth."""
    rows = []
    origins, directions, lengths = rays(half)
    lengths = np.maximum(lengths, 0)
    list(Tree(net, half).refine(levels, half / 4))  # what is compiled does not count
    for depth in range(4, deepest + 1):
        tree, begun = Tree(net, half), time.perf_counter()
        list(tree.refine(levels, 2 * half / 2**depth, most=1 << 20))
        seconds = time.perf_counter() - begun
        found, counts = brackets(tree, origins, directions, lengths, levels)
        used = np.arange(found.shape[1]) < counts[:, None]
        rows.append(
            {
                "network": net.name,
                "shape": str(net.shape),
                "cells": 2**depth,
                "boxes": tree.bounded,
                "gflop": round(2e-9 * tree.boxes.done, 1),
                "seconds": round(seconds, 2),
                "leaves": len(tree.leaves(levels)),
                "open": round(tree.share_open(levels), 5),
                "brackets": round(float(counts.mean()), 2),
                "bracketed": round(float(((found[..., 1] - found[..., 0]) * used).sum() / lengths.sum()), 4),
            }
        )
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", help="networks of three inputs, of which level 0 is wanted")
    parser.add_argument("--cells", type=int, default=6, help="depth: 2^this cells a side")
    options = parser.parse_args()
    one, many = (SimpleNamespace(level=0.0, spacing=1.0, single=single) for single in (True, False))
    cases = [(load(path), 1.0, one) for path in options.files] or [
        *((torus(name), 4.0, one) for name in ("relu", "tanh", "sine")),
        (random_mlp((3, 32, 32, 32, 1), "tanh", distribution="glorot", seed=0), 5.0, many),
    ]
    store("tree", [row for net, half, levels in cases for row in measured(net, half, levels, options.cells)])


if __name__ == "__main__":
    main()
