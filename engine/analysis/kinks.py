"""Kinks: where later layers' boundaries bend at crossings with earlier layers', and if the target's edges are near."""

import numpy as np

from engine.analysis.survey import Finding, RunSurvey, neurons_text
from engine.network.history import History
from engine.regions.linear_regions import Partition, regions

# Kinks gather at the target's edges if random points are so many times as far from these edges.
NEARER = 1.4

# An edge lies between neighbouring pixels that differ by this part of the target's whole range.
STEP = 0.25

# Most points whose distances are measured: the median of so many is known within a few percent.
MOST = 1000


def kinks(survey: RunSurvey) -> list[Finding]:
    """Findings: how many kinks the last snapshot has, of which neurons; whether they gather at the target's edges."""
    partition = survey.partition
    if partition is None:
        return []
    bends = bends_of(partition)
    if not len(bends):
        return []
    whose, times = np.unique(bends[:, 1], return_counts=True)
    layer_of = np.repeat(np.arange(len(partition.sizes)), partition.sizes)
    most = int(whose[times.argmax()])
    layer, unit = int(layer_of[most]), most - int(np.sum(partition.sizes[: layer_of[most]]))
    layers = np.bincount(layer_of[bends[:, 1]], minlength=len(partition.sizes))
    each = ", ".join(f"layer {k + 1} {n:,}" for k, n in enumerate(layers) if n)
    text = f"At crossings with earlier layers' lines the boundaries bend {_times(len(bends))} ({each})"
    text += f"; {neurons_text(layer, [unit]).lower()} most often, {_times(times.max())}." if len(whose) > 1 else "."
    title = f"Kinks: layer {layer + 1}, {unit + 1} has {times.max()}"
    found = [survey.finding("kinks", title, text, -1, len(bends), layer, [unit])]
    return found + _near_edges(survey, partition, bends)


def _times(count):
    return "once" if count == 1 else f"{count:,} times"


def bends_of(partition: Partition) -> np.ndarray:
    """(K, 2): a vertex of a Partition, and a hidden neuron whose boundary bends there on one of an earlier layer."""
    if not (partition.owner >= 0).any():
        return np.empty((0, 2), int)
    rows = partition.kinks()
    return np.unique(rows[rows[:, 1] < sum(partition.sizes), :2], axis=0)


def target_edges(history: History) -> np.ndarray:
    """(E, 2): world points between neighbouring pixels of the target that differ; empty without a target."""
    if history.target is None:
        return np.empty((0, 2))
    image = history.target.reshape(*history.target.shape[:2], -1).astype(float)
    height, width = image.shape[:2]
    least = STEP * max(float(np.ptp(image)), 1e-30)
    r, c = np.nonzero((np.abs(np.diff(image, axis=1)) >= least).any(-1))
    across = np.stack([c + 1, r + 0.5], 1)
    r, c = np.nonzero((np.abs(np.diff(image, axis=0)) >= least).any(-1))
    pixels = np.concatenate([across, np.stack([c + 0.5, r + 1], 1)])
    low, high = history.domain.low, history.domain.high
    return np.stack([low[0], high[1]]) + pixels * (high - low) * [1, -1] / [width, height]


def median_distance(points: np.ndarray, others: np.ndarray) -> float:
    """The median distance of points (N, 2) to the nearest of others (M, 2); of MOST points if there are more."""
    points = points[np.unique(np.linspace(0, len(points) - 1, min(len(points), MOST)).astype(int))]
    at_once = max(1, 4_000_000 // len(others))
    nearest = [
        np.hypot(*(points[k : k + at_once, None] - others[None]).transpose(2, 0, 1)).min(1)
        for k in range(0, len(points), at_once)
    ]
    return float(np.median(np.concatenate(nearest)))


def _near_edges(survey, partition, bends):
    edges = target_edges(survey.history)
    vertices = np.unique(bends[:, 0])
    if not len(edges) or len(vertices) < 20:
        return []
    domain = survey.history.domain
    at_random = np.random.default_rng(0).uniform(domain.low, domain.high, (MOST, 2))
    own, chance = median_distance(partition.vertices[vertices], edges), median_distance(at_random, edges)
    if own * NEARER > chance:
        return []
    unit = 100 / float((domain.high - domain.low).max())
    text = (
        f"Half of the kinks lie within {unit * own:.1f}% of the domain's side of an edge of the target; "
        f"of random points it would be {unit * chance:.1f}%"
    )
    if len(survey.snapshots) > 1:
        first = regions(survey.history.at(survey.run, int(survey.snapshots[0])), domain, decision=False)
        before = np.unique(bends_of(first)[:, 0])
        if len(before) >= 20:
            text += f", at the first snapshot it was {unit * median_distance(first.vertices[before], edges):.1f}%"
    return [survey.finding("kinks", "Kinks at the target's edges", f"{text}.", -1, chance / max(own, 1e-9))]
