"""Transparent dots, in float64: the painter's algorithm, sorted by depth."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from engine.reference.train import pcg

FADE = 0.25  # the part of a block's reveal during which one neuron appears
CHANCE = 0.3  # how much of a neuron's start is random; the rest depends on its depth in the block
LIT = 1.6  # size of a highlighted dot, relative to the others


def dots(neurons: np.ndarray, view: Any, factors: ArrayLike) -> dict[str, np.ndarray]:
    """Dots on the screen: at (N, 2), radius, depth, depth_map, opacity and shade (N,), float64; opacity 0 is not drawn.

    neurons   items with place (x, y, z, value), look (halves: opacity, size, tone, unused), number, block
    view      of engine.kernels.splat.SplatView
    factors   (2 blocks, 4): opacity, how much has appeared, size; z of the front, 1 / depth, least depth along the
              view, 1 / the range of these
    """
    place, (strength, size, _, _) = neurons["place"].astype(float), neurons["look"].view(np.float16).astype(float).T
    factor, extent = np.asarray(factors, float).reshape(-1, 2, 4)[neurons["block"]].swapaxes(0, 1)
    clip = np.concatenate([place[:, :3], np.ones((len(place), 1))], axis=1) @ np.asarray(view.transform, float).T
    w = clip[:, 3]
    depth = w if view.perspective else view.near + clip[:, 2] * (view.far - view.near)
    shown = (depth >= view.near) & (depth <= view.far)
    w = np.where(shown, w, 1.0)
    at = (clip[:, :2] / w[:, None] * (0.5, -0.5) + 0.5) * view.size
    chance = _scattered(neurons["number"] ^ np.uint32(0x9E3779B9))
    deep = np.clip((extent[:, 0] - place[:, 2]) * extent[:, 1], 0, 1)
    begin = np.where(extent[:, 1] > 0, deep + (chance - deep) * CHANCE, chance)
    appeared = np.clip((factor[:, 1] * (1 + FADE) - begin) / FADE, 0, 1)
    spread = view.spread / (np.where(shown, depth, 1.0) if view.perspective else 1.0)
    first, end, component = view.lit
    vector = neurons["number"] // 4
    lit = (vector >= first) & (vector < end) & (neurons["number"] % 4 == component)
    radius = size * factor[:, 2] * (0.3 + 0.7 * appeared) * np.where(lit, LIT, 1) * spread
    exposed = np.minimum(strength * view.exposure * np.maximum(factor[:, 0], 1), 1) * np.minimum(factor[:, 0], 1)
    opacity = exposed * appeared * np.where(lit, 1, view.dimmed)
    laid = (1 - (1 - opacity) ** view.opacity_power) * np.minimum(radius / 0.5, 1) ** 2
    opacity = np.where(shown & (opacity >= view.faint), laid, 0)
    shade = view.shade[3] * np.clip((depth - extent[:, 2]) * extent[:, 3], 0, 1)
    return {
        "at": at, "radius": np.maximum(radius, 0.5), "depth": depth, "depth_map": clip[:, 2] / w, "opacity": opacity,
        "shade": shade,
    }  # fmt: skip


def splat(
    neurons: np.ndarray, view: Any, factors: ArrayLike, palette: ArrayLike, depth: float | None = None
) -> np.ndarray:
    """(H, W, 4): a part of a picture, premultiplied; see engine.kernels.splat.splat."""
    found, tones = dots(neurons, view, factors), neurons["look"].view(np.float16)[:, 2]
    width, height = view.tile
    x, y = np.meshgrid(np.arange(width) + view.offset[0] + 0.5, np.arange(height) + view.offset[1] + 0.5)
    palette = np.asarray(palette, float)[:, :3]
    light, through = np.zeros((height, width, 3)), np.ones((height, width))
    for i in np.argsort(found["depth"], kind="stable"):
        if found["opacity"][i] == 0 or (depth is not None and found["depth_map"][i] > depth):
            continue
        radius = found["radius"][i]
        edge = max(0.5, 0.12 * radius)
        away = np.hypot(x - found["at"][i, 0], y - found["at"][i, 1])
        part = through * np.clip((radius + edge - away) / (2 * edge), 0, 1) * found["opacity"][i]
        own, shade = _colour(palette, float(tones[i])), found["shade"][i]
        light += part[..., None] * (own * (1 - shade) + np.array(view.shade[:3]) * shade)
        through -= part
    return np.concatenate([light, 1 - through[..., None]], axis=2)


def find(neurons: np.ndarray, view: Any, factors: ArrayLike, point: ArrayLike) -> int | None:
    """The number of the frontmost dot whose disc holds a point, or None."""
    found = dots(neurons, view, factors)
    away = np.hypot(*(found["at"] - point).T)
    under = np.flatnonzero((found["opacity"] > 0) & (away <= found["radius"]))
    return int(under[np.argmin(found["depth"][under])]) if len(under) else None


def _colour(palette, tone):
    first, at = (64, tone - 2) if tone > 1.5 else (0, tone)
    at = first + min(max(at, 0), 1) * 63
    low = min(int(at), first + 62)
    return palette[low] + (palette[low + 1] - palette[low]) * (at - low)


def _scattered(number):
    return (pcg(number) >> np.uint64(8)).astype(float) / 2**24
