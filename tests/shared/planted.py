"""Histories in which it is known what there is to find: networks with lines put where they are wanted."""

import numpy as np

from engine.analysis.findings import KINDS
from engine.network.history import Domain, History, flat
from engine.network.mlp import Mlp
from engine.network.random import random_mlp

SQUARE = Domain.plane(2, [-1, -1], [1, 1])
ANGLES = np.deg2rad([10, 47, 81, 118, 152, 200])
# Six lines through the square, none near another's place or its mirror image.
LINES = np.stack([np.cos(ANGLES), np.sin(ANGLES)], 1)
OFFSETS = np.array([0.1, -0.3, 0.5, 0.25, -0.15, 0.6])
# Read so, about half of the square gets either class.
READ = np.array([[1.0, -2, 0.5, 1.5, -1, 0.7], [-1.0, 1, 0.3, -0.5, 2, -0.7]])


def clean(activation="relu"):
    """2-6-2: six boundaries that cut the square, each in its own place."""
    return Mlp([LINES, READ], [OFFSETS, [0.0, 1.55]], activation)


def deep(seed=1):
    """2-6-6-2, drawn so that all its boundaries cut the square apart from one another."""
    first = random_mlp([6, 6, 2], "relu", seed=seed)
    weights = [LINES, *(layer.weights for layer in first.layers)]
    return Mlp(weights, [OFFSETS, -0.3 * weights[1].sum(1), [0.0, 0.8]], "relu")


def changed(net, layer, unit, weights=None, bias=None, like=None, times=1.0):
    """A network with another unit in a place: given, or another one's weights and bias multiplied."""
    matrices, biases = [np.array(x.weights) for x in net.layers], [np.array(x.bias) for x in net.layers]
    if like is not None:
        weights, bias = times * matrices[layer][like], times * biases[layer][like]
    if weights is not None:
        matrices[layer][unit] = weights
    biases[layer][unit] = bias
    return Mlp(matrices, biases, [x.activation for x in net.layers])


def history(*nets, losses=None, steps=None, **more):
    """A run of networks at steps 0, 10, 20 ..."""
    steps = 10 * np.arange(len(nets)) if steps is None else steps
    losses = np.full(len(nets), np.nan) if losses is None else losses
    parts = {"domain": SQUARE} | more
    return History(nets[0].shape, steps, np.stack([flat(n) for n in nets])[None], np.array(losses)[None], **parts)


def of_kind(kind, found):
    assert kind in KINDS
    return [x for x in found if x.kind == kind]
