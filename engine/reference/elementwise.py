"""Activations and sums of maps in float64; and how far float32 may be from them."""

import numpy as np

from engine.reference import convnet
from engine.reference.convolve import lifted
from engine.reference.field import UNIT


def value(node, *maps, activation=None):
    """An Elementwise of one (C, H, W); or an Add of two, and an activation of it where one is given. float64"""
    z = convnet.value(node, *(np.asarray(x, float) for x in maps))
    return z if activation is None else activation.value(z)


def bounds(node, *maps, activation=None):
    """How far float32 may be from `value`; the maps are exact in float32."""
    z = sum(np.asarray(x, float) for x in maps)
    activation = getattr(node, "activation", activation)
    error = UNIT * abs(z) if len(maps) > 1 else 0 * z
    return error if activation is None else lifted(activation, z, error)
