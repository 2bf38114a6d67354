"""The kernels that draw clouds of neurons against their float64 twins; checks as in engine.doctor.networks."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

from engine.doctor.compare import Row
from engine.draw.cloud.cloud_layout import lay_out
from engine.kernels import select_neurons, splat

SHAPES, LOOKS = [(70, 21, 23), (33, 6, 5), (20, 1, 1), (10, 1, 1)], ["features", "features", "pooled", "classes"]
# Of a sample's light: dots have halves for their colours and opacities, the picture for what is blended.
LIGHT = 4e-3


def responses() -> list[np.ndarray]:
    """(C, H, W) float32 of some blocks, as after a relu, a mean far from zero among them."""
    rng = np.random.default_rng(8)
    blocks = [np.maximum(rng.normal(0.0, 3.0**k, shape), 0).astype(np.float32) for k, shape in enumerate(SHAPES)]
    blocks[1] += 50
    blocks[3] /= blocks[3].sum()
    return blocks


def random_dots(count: int, *, radius: float = 1.0, seed: int = 9) -> np.ndarray:
    """(count,) NEURON items in three blocks about the origin, of all sizes, opacities and tones."""
    rng, dots = np.random.default_rng(seed), np.zeros(count, select_neurons.NEURON.dtype)
    dots["place"][:, :3], dots["number"] = rng.uniform(-4, 4, (count, 3)), rng.integers(0, 2**31, count)
    sizes = radius * rng.uniform(0.05, 1, count) * rng.choice([0.3, 1, 3], count)
    tones = rng.choice([0, 2], count) + rng.random(count)
    dots["look"] = select_neurons.packed_look(rng.uniform(0.005, 1, count), sizes, tones)
    dots["block"] = rng.integers(0, 3, count)
    return dots


def random_colours(seed: int = 9) -> np.ndarray:
    """(128, 4) of a palette."""
    return splat.palette_of(*np.random.default_rng(seed).random((2, 64, 3)))


def front_view(size: tuple[int, int], *, far: float = 30.0, **more: Any) -> splat.SplatView:
    """A SplatView from (0, 0, 12) towards the origin, 45 degrees high."""
    rise, near = 1 / np.tan(np.pi / 8), 0.1
    transform = np.zeros((4, 4))
    transform[0, 0], transform[1, 1] = rise * size[1] / size[0], rise
    transform[2], transform[3, 2:] = (0, 0, -far / (far - near), far * (12 - near) / (far - near)), (-1, 12)
    more = {"offset": (0, 0), "tile": size, "spread": rise * size[1] / 2, "perspective": True} | more
    return splat.SplatView(transform, size, near=near, far=far, low=7.0, high=17.0, **more)


def check_block_statistics(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Means and deviations over blocks, channels and everything."""
    blocks = responses()
    for over in kernel.OVER:
        found = np.concatenate([np.concatenate(pair) for pair in kernel.block_statistics(blocks, over)])
        exact = np.concatenate([np.concatenate(pair) for pair in twin.block_statistics(blocks, over)])
        # Some hundred roundings of half an ulp of the largest response, most of which cancel.
        bound = 1e-5 * abs(exact) + 1e-5 * max(abs(b).max() for b in blocks)
        yield f"mean and deviation over {over}", abs(found - exact), bound


def check_prefix_sums(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Sums that fill some workgroups and a part of one more."""
    values = np.random.default_rng(10).integers(0, 1000, 30_001)
    (found, total), (exact, whole) = kernel.prefix_sums(values), twin.prefix_sums(values)
    differ = np.append(found != exact, total != whole).sum()
    yield "sums that differ, 30001 numbers", differ, 0.5


def check_radix_sort(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Keys of all digits, many of them equal."""
    rng = np.random.default_rng(11)
    keys, values = rng.integers(0, 2**32, 300, dtype=np.uint32)[rng.integers(0, 300, 20_000)], np.arange(20_000)
    found, exact = kernel.radix_sort(keys, values), twin.radix_sort(keys, values)
    differ = sum((a != b).sum() for a, b in zip(found, exact, strict=True))
    yield "places that differ, 20000 keys", differ, 0.5


def check_select_neurons(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Which neurons are seen, where they are and what they look like."""
    blocks, (layouts, _) = responses(), lay_out(SHAPES, LOOKS)
    found = kernel.select_neurons(blocks, layouts, LOOKS)
    exact = twin.select_neurons(blocks, layouts, LOOKS, faint=0.0)
    opacity = dict(zip(exact["number"].tolist(), exact["opacity"].tolist(), strict=True))
    seen = set(found["number"].tolist())
    # At the threshold rounding decides.
    wrong = [n for n, o in opacity.items() if abs(o - twin.FAINT) > 1e-6 and (n in seen) != (o > twin.FAINT)]
    yield "seen or not seen wrongly", len(wrong), 0.5
    places = dict(zip(exact["number"].tolist(), exact["place"], strict=True))
    off = abs(found["place"][:, :3] - np.array([places[n] for n in found["number"].tolist()]))
    # Places are some hundred units from the origin.
    yield "place (world units)", off, 1e-4


def check_splat(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """A picture of dots of all kinds, and which dot is in front where."""
    dots, view, colours = (
        random_dots(300),
        front_view((64, 48), lit=(0, 2**28, 2), dimmed=0.4, opacity_power=2.2),
        random_colours(),
    )
    factors = kernel.factors_of([1.0, 0.5, 1.0], [1.0, 0.4, 0.7], [1.0, 1.0, 2.0], [4.0] * 3, [8.0, 8.0, 0.0])
    found = kernel.splat(dots, view, factors, colours, 0.995)
    exact = twin.splat(dots, view, factors, colours, 0.995)
    yield "light and opacity, 300 dots", abs(found - exact), LIGHT
    points = np.random.default_rng(12).uniform(0, 48, (12, 2))
    differ = sum(kernel.find(dots, view, factors, p) != twin.find(dots, view, factors, p) for p in points)
    yield "dots found wrongly, 12 points", differ, 0.5


CHECKS = {
    "block_statistics": check_block_statistics,
    "prefix_sums": check_prefix_sums,
    "radix_sort": check_radix_sort,
    "select_neurons": check_select_neurons,
    "splat": check_splat,
}
