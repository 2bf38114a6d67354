"""How boundaries move over a run: by biases or by weights, and which still jump late in training."""

from typing import NamedTuple

import numpy as np

from engine.analysis.survey import (
    Finding,
    RunSurvey,
    first_boundaries,
    grid,
    layer_weights,
    neurons_text,
    on_plane,
    percent,
    responses,
    snapshots_at_once,
    tangents,
)  # fmt: skip
from engine.network.history import History

# Points per side of the grid: means over a domain need few.
SIDE = 12

# Biases lead first if they move boundaries LEAD times as far as weights do, over at least FEWEST intervals and at most
# half of all, and weights lead by as much afterwards.
LEAD = 1.15
FEWEST = 5


class Motion(NamedTuple):
    """Speeds of boundaries, in world units per training step, between each snapshot and the next.

    biases    (T - 1, layers): how far a hidden layer's boundaries are moved by the changes of its biases
    weights   (T - 1, layers): the same by the changes of its weights, with earlier layers unchanged
    """

    biases: np.ndarray
    weights: np.ndarray


def motion(history: History, run: int) -> Motion:
    """The Motion of one run of a history.

    A change dz of a unit's signal z moves its boundary by about |dz| / |gradient of z|. Both are averaged over the
    domain; a layer's value is the median over its units whose signal varies, 0 where weights are not finite.
    """
    count, layers = history.snapshots, len(history.shape.sizes) - 2
    points = grid(history.domain, SIDE, SIDE)
    both = np.zeros((2, max(0, count - 1), layers))
    at_once = max(1, snapshots_at_once(history, len(points)) // 3)
    for first in range(0, count - 1, at_once):
        chosen = np.arange(first, min(first + at_once, count - 1) + 1)
        with np.errstate(over="ignore", invalid="ignore"):
            both[:, chosen[:-1]] = _moved(history, run, chosen, points)
    return Motion(*(both / np.diff(history.steps)[:, None]))


def _moved(history, run, chosen, points):
    """(2, S - 1, layers): the distances by biases and by weights between S snapshots that follow one another."""
    parts = layer_weights(history, run, chosen)
    own = parts[0][1]
    weights, bias = on_plane(parts[0][0], own, history.domain)
    # On the plane, a change of the weights changes both the slopes and the offset that the plane's origin adds.
    offset = bias - own
    h, slopes = np.broadcast_to(points.T, (len(chosen), 2, len(points))), np.eye(2, dtype=np.float32)[:, None, :, None]
    found = np.zeros((2, len(chosen) - 1, len(parts) - 1))
    first = first_boundaries(history.shape)
    for layer, activation in enumerate(history.shape.activations[:-1]):
        if layer:
            weights, own = parts[layer]
            offset = np.zeros_like(own)
        z = weights @ h + (own + offset)[..., None]
        gradient = weights @ np.broadcast_to(slopes, (2, *np.shape(h)))
        by_weights = np.abs(np.diff(weights, axis=0) @ h[:-1] + np.diff(offset, axis=0)[..., None]).mean(-1)
        by_biases = np.abs(np.diff(own, axis=0))
        steep = np.hypot(*gradient)[:-1].mean(-1)
        # A unit whose signal does not vary, or is passed on, has no boundary that could move.
        cuts = np.isfinite(first[layer]) & (steep > 1e-6 * steep.max(-1, keepdims=True))
        steep = np.where(cuts, steep, np.nan)
        for k, moved in enumerate((by_biases, by_weights)):
            found[k, :, layer] = _median(moved / steep)
        h = responses(activation, z)
        slopes = tangents(activation, z, gradient).astype(np.float32)
    return found


def _median(values):
    """The median of each row's finite values; 0 where there are none."""
    return np.ma.filled(np.ma.median(np.ma.masked_invalid(values), -1), 0.0)


def bias_first(survey: RunSurvey) -> list[Finding]:
    """Findings of the layers whose boundaries are moved by biases first and by weights afterwards.

    The first phase ends where the biases' total motion is farthest ahead of the weights'.
    """
    found: list[Finding] = []
    if survey.history.snapshots < 4 * FEWEST:
        return found
    speeds = motion(survey.history, survey.run)
    steps = survey.history.steps
    biases, weights = (np.cumsum(v * np.diff(steps)[:, None], axis=0) for v in speeds)
    for layer in range(biases.shape[1]):
        b, w = biases[:, layer], weights[:, layer]
        change = int((b - w).argmax())
        ahead = b[change] / max(w[change], 1e-30)
        after = (b[-1] - b[change]) / max(w[-1] - w[change], 1e-30)
        if FEWEST <= change + 1 <= len(b) // 2 and ahead >= LEAD and after <= 1 / LEAD:
            step = steps[change + 1]
            text = (
                f"Layer {layer + 1}: up to step {step:,} biases move the boundaries {_times(ahead)} as far as weights "
                f"do; from then on it is the weights, {_times(1 / max(after, 1e-30))} as far."
            )
            found.append(Finding("motion", f"Bias first: layer {layer + 1}", text, change + 1, (), min(ahead, 1e3)))
    return found


def _times(ratio):
    return "over 100 times" if ratio > 100 else f"{ratio:.0f} times" if ratio >= 10 else f"{ratio:.1f} times"


# Late is the second half of the steps; if that has fewer intervals than this, the last quarter of the snapshots.
LATE_INTERVALS = 8

# An interval is quiet if the loss changes by no more than this part; if losses are unknown, if the answer changes on no
# more than this part of the domain.
QUIET = 0.05
QUIET_ANSWER = 0.01

# A motion is a jump if it sweeps JUMP of the domain, and TIMES as much as a boundary of the run typically does in an
# interval. In the bottle's 16-16-16 networks the typical part is 0.001, the largest up to 0.06.
JUMP = 0.015
TIMES = 8

# Smaller changes count as this one: of jumps during which nothing changes, the largest is the best.
FINEST = 0.01


def indecisive(survey: RunSurvey) -> list[Finding]:
    """Findings of the units that jump late in training, each at the snapshot after its best jump."""
    count = len(survey.snapshots) - 1
    if count < LATE_INTERVALS or not survey.hidden:
        return []
    begins = survey.steps[:-1]
    late = begins >= survey.steps[-1] / 2
    if late.sum() < LATE_INTERVALS:
        late = np.arange(count) >= count - max(LATE_INTERVALS, count // 4)
    known = np.isfinite(survey.losses).all()
    with np.errstate(invalid="ignore", divide="ignore"):
        loss = np.abs(np.diff(survey.losses)) / np.maximum(survey.losses[:-1], 1e-30)
    change, limit = (loss, QUIET) if known else (survey.changed(), QUIET_ANSWER)
    moved = [survey.moved(layer) for layer in range(len(survey.hidden))]
    live = [survey.cuts(layer).any(0) for layer in range(len(survey.hidden))]
    everyone = np.concatenate([m[late][:, at] for m, at in zip(moved, live, strict=True)], 1)
    if not everyone.size:
        return []
    typical = np.median(everyone)
    in_all = np.median(everyone.sum(0))
    found = []
    for layer, all_moved in enumerate(moved):
        if str(survey.history.shape.activations[layer]) == "identity":
            continue
        good = (late & (change <= limit))[:, None] & (all_moved >= max(JUMP, TIMES * typical))
        strength = np.where(good, all_moved / np.maximum(change, FINEST)[:, None], 0.0)
        for unit in np.flatnonzero(good.any(0)).tolist():
            at = int(strength[:, unit].argmax())
            by = percent(change[at])
            what = f"the loss changes by {by}" if known else f"the answer changes on {by} of it"
            swept, total = percent(all_moved[at, unit]), percent(all_moved[late, unit].sum())
            text = (
                f"{neurons_text(layer, [unit])} cannot decide: between steps {survey.steps[at]:,} and "
                f"{survey.steps[at + 1]:,} its boundary sweeps {swept} of the domain while {what}. "
                f"From step {begins[late][0]:,} on it sweeps {total} in all, a typical neuron {percent(in_all)}."
            )
            title = f"Indecisive: layer {layer + 1}, {unit + 1}"
            found.append(survey.finding("indecisive", title, text, at + 1, strength[at, unit], layer, [unit]))
    return found
