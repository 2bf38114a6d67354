"""Duplicates: units of one layer that compute the same up to a factor, so that their boundaries coincide."""

import numpy as np

from engine.analysis.survey import Finding, RunSurvey, neurons_text, percent, since_text
from engine.network.units.mixed import runs

# Two boundaries coincide if their signs and their signals correlate so much (a large common side does not raise the
# correlation of signs). In snapshots before the last, signs may correlate a little less.
SIDES = 0.97
SIGNALS = 0.98
SIDES_BEFORE = 0.94


def duplicates(survey: RunSurvey) -> list[Finding]:
    """Findings of the groups of units whose boundaries coincide at the last snapshot."""
    found = []
    *hidden, _ = survey.signals(survey.snapshots[-1:])
    for layer, (z, activation) in enumerate(zip(hidden, survey.history.shape.activations, strict=False)):
        if str(activation) == "identity":
            continue
        live = np.flatnonzero(survey.cuts(layer)[-1])
        if len(live) < 2:
            continue
        sides = correlation(survey.sides(layer, -1)[live])
        together = correlation(z[0][live].astype(float))
        # Units of two activations, such as a sine and a cosine of one sum, are no duplicates.
        each = runs(activation, survey.hidden[layer])
        kind = np.concatenate([np.full(run.units, activation.kinds.index(run.activation)) for run in each])[live]
        close = (np.abs(sides) >= SIDES) & (np.abs(together) >= SIGNALS)
        same = close & (sides * together > 0) & (kind[:, None] == kind)
        found += [
            _finding(survey, layer, live[group], together[np.ix_(group, group)]) for group in cliques(same, sides)
        ]
    return found


def correlation(rows: np.ndarray) -> np.ndarray:
    """(n, n): the correlation of rows, 0 for rows that do not vary."""
    rows = rows - rows.mean(1, keepdims=True)
    size = np.sqrt((rows * rows).sum(1))
    rows = rows / np.maximum(size, 1e-30)[:, None]
    return np.asarray(rows @ rows.T, float)


def cliques(same: np.ndarray, strength: np.ndarray) -> list[list[int]]:
    """Disjoint groups in which all pairs are `same` (n, n): lists of row numbers, the strongest pair's group first."""
    free = np.ones(len(same), bool)
    weight = np.where(same, np.abs(strength), 0.0)
    np.fill_diagonal(weight, 0.0)
    groups: list[list[int]] = []
    while True:
        pair = np.unravel_index(np.argmax(weight * free * free[:, None]), weight.shape)
        if not (free[pair[0]] and free[pair[1]] and weight[pair] > 0):
            return groups
        group = [int(n) for n in pair]
        while True:
            fit = weight[group].min(0) * free
            fit[group] = 0
            if fit.max(initial=0) <= 0:
                break
            group.append(int(fit.argmax()))
        free[group] = False
        groups.append(sorted(group))


def sides_over_time(survey: RunSurvey, layer: int, one: int, other: int) -> np.ndarray:
    """(S, 2): the correlation of two units' signs, and the part of the domain on which the signs are the same."""
    signs, count = survey.signs[layer], len(survey.points)
    p, q = survey.active[layer][:, one], survey.active[layer][:, other]
    differ = np.bitwise_count(signs[:, one] ^ signs[:, other]).sum(-1, dtype=np.int64) / count
    both = (p + q - differ) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        phi = (both - p * q) / np.sqrt(p * (1 - p) * q * (1 - q))
    return np.stack([np.nan_to_num(phi, nan=0.0, posinf=0.0, neginf=0.0), 1 - differ], 1)


def _finding(survey, layer, units, together):
    pairs = [(i, j) for i in range(len(units)) for j in range(i + 1, len(units))]
    times = np.stack([sides_over_time(survey, layer, units[i], units[j]) for i, j in pairs])
    weakest = np.abs(times[..., 0]).min(0)
    below = np.flatnonzero(weakest < SIDES_BEFORE)
    since = int(below[-1]) + 1 if len(below) else 0
    agree = times[:, -1, 1]
    opposite = (times[:, -1, 0] < 0).any()
    agree = np.where(times[:, -1, 0] < 0, 1 - agree, agree).min()
    correlations = np.abs([together[i, j] for i, j in pairs])
    how = f"{'from opposite sides, ' if opposite and len(units) == 2 else ''}correlation {_digits(correlations.min())}"
    apart = (
        f"{'at most ' if len(pairs) > 1 else ''}{percent(1 - agree)} of the domain lies between them"
        if agree < 1
        else "no sampled point lies between them"
    )
    when = since_text(survey, since)
    text = f"{neurons_text(layer, units)} cut the same boundary ({how}){' ' + when if when else ''}; {apart}."
    title = f"Duplicates: layer {layer + 1}, {' '.join(str(u + 1) for u in units)}"
    # Shown best where they match most closely, once they coincide.
    best = since + int(weakest[since:].argmax())
    score = (len(units) - 1) * float(weakest[-1])
    return survey.finding("duplicates", title, text, best, score, layer, units)


def _digits(value):
    return "over 0.999" if 0.9995 <= value < 1 - 1e-9 else f"{value:.3f}"
