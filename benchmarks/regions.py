"""Exact linear regions, beside clipping polygons one by one: `python -m benchmarks.regions`.

Prints a table and adds its rows to benchmarks/results/regions.csv. The least and the median of several runs in turn; a
random network is as PyTorch begins it (weights and biases uniform within 1 / sqrt(inputs)), a trained one has learnt
the drawn bottle for some thousand steps.
"""

import argparse
import statistics
import time

import numpy as np

from benchmarks.results import store
from engine.network.history import Domain
from engine.network.mlp import Mlp
from engine.regions.linear_regions import regions
from engine.training.image_data import ImageData, bottle

# name -> (sizes, trained, runs). Clipping takes minutes for the last.
NETWORKS = {
    "2-16-16-16-2": ([2, 16, 16, 16, 2], False, 30),
    "2-16-16-16-2 trained": ([2, 16, 16, 16, 2], True, 30),
    "2-64-64-64-2": ([2, 64, 64, 64, 2], False, 9),
    "2-128-128-128-128-2": ([2, 128, 128, 128, 128, 2], False, 5),
}
SQUARE = Domain.plane(2, [-1.5, -1.5], [1.5, 1.5])
MOST_CLIPPED = 10_000
TRAINING_STEPS = 4000


def begun(sizes):
    """(weights, biases) in float64."""
    rng = np.random.default_rng(0)
    draw = lambda n, *shape: rng.uniform(-1, 1, shape) / np.sqrt(n)
    return [draw(m, n, m) for m, n in zip(sizes, sizes[1:], strict=False)], [
        draw(m, n) for m, n in zip(sizes, sizes[1:], strict=False)
    ]


def trained(sizes):
    """(Mlp, Domain) after Adam (rate 1e-3, batch 128) on the bottle, in numpy: cross-entropy of two logits."""
    data, rng = ImageData.from_image(bottle()), np.random.default_rng(1)
    weights, biases = begun(sizes)
    parts = [*weights, *biases]
    first, second = ([np.zeros_like(p) for p in parts] for _ in range(2))
    for step in range(1, TRAINING_STEPS + 1):
        rows = rng.integers(0, len(data.points), 128)
        for p, m, v, g in zip(parts, first, second, gradient(weights, biases, data, rows), strict=True):
            m += 0.1 * (g - m)
            v += 0.001 * (g * g - v)
            p -= 1e-3 * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
    return Mlp(weights, biases, "relu"), data.domain


def gradient(weights, biases, data, rows):
    """Of the mean loss by each of weights and biases."""
    signals = [data.points[rows].astype(float)]
    for w, b in zip(weights[:-1], biases[:-1], strict=True):
        signals.append(np.maximum(signals[-1] @ w.T + b, 0))
    logits = signals[-1] @ weights[-1].T + biases[-1]
    p = np.exp(logits - logits.max(1, keepdims=True))
    back = (p / p.sum(1, keepdims=True) - np.eye(2)[data.targets[rows]]) / len(rows)
    by_weights: list[np.ndarray] = []
    by_biases: list[np.ndarray] = []
    for w, h in zip(reversed(weights), reversed(signals), strict=True):
        by_weights.insert(0, back.T @ h)
        by_biases.insert(0, back.sum(0))
        back = back @ w * (h > 0)
    return by_weights + by_biases


def clipped(net, domain):
    """How many regions clipping finds: layer by layer every polygon by every line that meets it, as SplineCam does
    (Humayun et al. 2023); the polygons are small arrays."""
    (left, bottom), (right, top) = domain.low, domain.high
    corners = np.array([[left, bottom], [right, bottom], [right, top], [left, top]])
    polygons = [(corners, domain.axes.T, domain.origin)]
    for layer in net.layers[:-1]:
        found = []
        for polygon, slopes, constant in polygons:
            slopes, constant = layer.weights @ slopes, layer.weights @ constant + layer.bias
            parts = _parts(polygon, slopes, constant)
            for part in parts:
                active = slopes @ part.mean(0) + constant > 0
                found.append((part, slopes * active[:, None], constant * active))
        polygons = found
    last = net.layers[-1].weights[1] - net.layers[-1].weights[0], net.layers[-1].bias[1] - net.layers[-1].bias[0]
    return sum(len(_parts(p, (last[0] @ a)[None], np.atleast_1d(last[0] @ c + last[1]))) for p, a, c in polygons)


def _parts(polygon, slopes, constant):
    values = polygon @ slopes.T + constant
    parts = [polygon]
    for k in np.flatnonzero((values.min(0) < 0) & (values.max(0) > 0)):
        parts = [half for part in parts for half in _halves(part, part @ slopes[k] + constant[k])]
    return parts


def _halves(polygon, z):
    if z.min() >= 0 or z.max() <= 0:
        return [polygon]
    halves: tuple[list, list] = [], []
    for a, b, p, q in zip(z, np.roll(z, -1), polygon, np.roll(polygon, -1, 0), strict=True):
        halves[int(a < 0)].append(p)
        if a * b < 0:
            crossing = p + a / (a - b) * (q - p)
            halves[0].append(crossing)
            halves[1].append(crossing)
    return [np.array(half) for half in halves]


def timed(runs, works):
    """name -> (median, least) seconds of works in turn, after one round that is not counted."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for run in range(runs + 1):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            if run:
                taken[name].append(time.perf_counter() - start)
    return {name: (statistics.median(times), min(times)) for name, times in taken.items()}


def measured(name):
    """The rows of one network."""
    sizes, learnt, runs = NETWORKS[name]
    if learnt:
        net, domain = trained(sizes)
    else:
        weights, biases = begun(sizes)
        net, domain = Mlp(weights, biases, "relu"), SQUARE
    found = regions(net, domain)
    points = np.random.default_rng(0).uniform(domain.low, domain.high, (10_000, 2))

    def fresh(use):
        # What a partition finds once it keeps: each run asks a new one.
        return lambda: use(type(found)(**{k: getattr(found, k) for k in found.__dataclass_fields__}))

    found.nearest(points[0])
    works = {
        "regions": lambda: regions(net, domain),
        "polygons": fresh(lambda p: p.polygons()),
        "affine maps": fresh(lambda p: p.affine()),
        "paths": fresh(lambda p: [p.polylines(k) for k in range(p.neurons + 1)]),
        "kinks": fresh(lambda p: p.kinks()),
        "regions of 10000 points": fresh(lambda p: p.at(points)),
        "nearest": lambda: found.nearest(points[0]),
    }
    times = {("ours", what): seconds for what, seconds in timed(runs, works).items()}
    if found.count <= MOST_CLIPPED:
        assert clipped(net, domain) == found.count, f"{name}: clipping finds other regions"
        times["clipping", "regions"] = timed(1, {"": lambda: clipped(net, domain)})[""]
    return [
        {
            "network": name, "regions": found.count, "edges": len(found.edges), "who": who, "what": what,
            "seconds": least, "median": median, "times ours": least / times["ours", what][1],
        }
        for (who, what), (median, least) in times.items()
    ]  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", choices=[*NETWORKS, []], default=[], help="all, unless named")
    for name in parser.parse_args().networks or NETWORKS:
        store("regions", measured(name))


if __name__ == "__main__":
    main()
