"""The fill colours of linear regions: the network's prediction, or a tint for each region."""

import colorsys
from collections.abc import Sequence

import numpy as np
from PIL import ImageColor

from engine.network.mlp import Mlp
from engine.regions.linear_regions import Partition

# The step of hue from one region to the next (the golden ratio), by which nearby numbers get different hues.
GOLDEN = 0.6180339887498949
# (lightness, saturation) of tints.
TINT = {"paper": (0.88, 0.6), "clear": (0.88, 0.6), "dark": (0.17, 0.3)}
# Greys of two classes, not quite black and white, so that lines are visible on both; and colours of more classes.
GREYS = {"paper": (150, 255), "clear": (150, 255), "dark": (12, 110)}
CLASSES = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#d55e00", "#0072b2", "#999999")


def means(partition: Partition, polygons: Sequence[np.ndarray]) -> np.ndarray:
    """(R, outputs): the mean over each region of the outputs before the last activation, taken at its centroid."""
    maps = np.asarray(partition.affine())
    places = np.array([centroid(polygon) for polygon in polygons]).reshape(-1, 2)
    return np.einsum("rok,rk->ro", maps[:, :, :2], places) + maps[:, :, 2]


def centroid(polygon: np.ndarray) -> np.ndarray:
    """(2,): the centroid of a polygon (n, 2)."""
    start = polygon[0]
    a = polygon - start
    b = np.roll(a, -1, axis=0)
    areas = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    whole = areas.sum()
    return start + ((a + b) * areas[:, None]).sum(axis=0) / (3.0 * whole) if whole else polygon.mean(axis=0)


def prediction_colours(outputs: np.ndarray, net: Mlp, task: str = "classes", theme: str = "paper") -> np.ndarray:
    """(N, 3) uint8 colours of outputs (N, outputs) before the last activation.

    Two classes, or one value, are shown from dark to light; more classes as mixtures of colours that the colour-blind
    can distinguish; three values as sRGB.
    """
    last = net.layers[-1].activation
    z = np.asarray(outputs, float)
    if task == "classes" and z.shape[1] > 1:
        odds = np.exp(z - z.max(axis=1, keepdims=True))
        values = odds / odds.sum(axis=1, keepdims=True)
        if values.shape[1] > 2:
            rgb = np.array([ImageColor.getrgb(CLASSES[k % len(CLASSES)]) for k in range(values.shape[1])], float)
            return np.round(values @ rgb).astype(np.uint8)
        values = values[:, 1:]
    else:
        values = last.value(z)
    values = np.clip(values, 0.0, 1.0)
    if values.shape[1] == 3:
        return np.round(values * 255).astype(np.uint8)
    dark, light = GREYS[theme]
    return np.round(np.repeat(dark + values[:, :1] * (light - dark), 3, axis=1)).astype(np.uint8)


def tints(count: int, theme: str = "paper") -> np.ndarray:
    """(count, 3) uint8: colours similar to the background; consecutive ones have very different hues."""
    lightness, saturation = TINT[theme]
    colours = [colorsys.hls_to_rgb(k * GOLDEN % 1.0, lightness, saturation) for k in range(count)]
    return np.round(np.array(colours).reshape(-1, 3) * 255).astype(np.uint8)
