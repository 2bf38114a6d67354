"""Left-right symmetry of a network's answer, and of each layer's set of boundaries."""

import numpy as np

from engine.analysis.duplicates import correlation
from engine.analysis.survey import (
    Finding,
    RunSurvey,
    answers,
    grid,
    holds_since,
    listed,
    percent,
    signals,
    since_text,
    spread,
    target_classes,
)  # fmt: skip
from engine.network.history import History

# A target, or without one the network's answer, is symmetric if so much of it equals its mirror image.
NEARLY = 0.98

# A unit has a mirror image in its layer if its signs and the other unit's mirrored signs correlate so much.
PARTNER = 0.9

# A layer is reported if so many of its units have one, and this share of those that cut the domain.
FEWEST = 2
SHARE = 0.2

# Most multiply-adds of matching units; past them fewer snapshots are examined.
WORK = 2e9


def symmetry(survey: RunSurvey) -> list[Finding]:
    """One finding about the answer and one for each layer whose boundaries come in mirrored pairs.

    Only where the target is symmetric, or without a target the answer.
    """
    target = target_symmetry(survey.history)
    output = output_symmetry(survey)
    if (output[-1] if target is None else target) < NEARLY or _is_constant(survey):
        return []
    layers = [_layer_finding(survey, layer) for layer in range(len(survey.hidden))]
    return [_answer_finding(survey, output, target), *(finding for finding in layers if finding)]


def target_symmetry(history: History) -> float | None:
    """The part of the target that equals its mirror image; None without a target.

    For values: 1 - mean |difference| / (2 standard deviations), which is 1 for equal images and about 0.4 by chance.
    """
    if history.target is None:
        return None
    image = history.target
    if history.task == "classes":
        classes = target_classes(history)
        image = image if classes is None else classes
        return float(_same(image.reshape(*image.shape[:2], -1)))
    return _alike(image.astype(float), image[:, ::-1].astype(float))


def output_symmetry(survey: RunSurvey) -> np.ndarray:
    """(S,): the part of the domain whose mirror image gets the same class; for values as `target_symmetry`."""
    return _agreement(survey.outputs if survey.labels is None else survey.labels, survey.samples)


def _agreement(found, side):
    """(S,): how well labels (S, N) or values (S, N, outputs) on a grid agree with their mirror images."""
    if found.ndim == 2:
        labels = found.reshape(-1, side, side)
        return (labels == labels[:, :, ::-1]).mean((1, 2))
    return np.array([_alike(one, one[:, ::-1]) for one in found.reshape(len(found), side, side, -1)])


def mirror_matches(survey: RunSurvey, layer: int, index: int) -> np.ndarray:
    """(units,): each unit's best match with the mirror image of a unit of its layer, itself too: correlation of signs.

    nan for units that cut no more than a sliver of the domain.
    """
    return _matches(survey, layer, index)[0]


def _matches(survey, layer, index):
    live = np.flatnonzero(survey.cuts(layer)[index])
    best, partner = np.full(survey.hidden[layer], np.nan), np.full(survey.hidden[layer], -1)
    if len(live):
        sides = survey.sides(layer, index)[live]
        mirrored = sides.reshape(len(live), survey.samples, survey.samples)[:, :, ::-1].reshape(sides.shape)
        # The signs of both in one table: the upper right quarter is each against the mirror image of each.
        match = np.abs(correlation(np.concatenate([sides, mirrored]))[: len(live), len(live) :])
        best[live], partner[live] = match.max(1), live[match.argmax(1)]
    return best, partner


def _layer_finding(survey, layer):
    best, partner = _matches(survey, layer, -1)
    paired = np.flatnonzero(np.nan_to_num(best) >= PARTNER)
    live = int(np.isfinite(best).sum())
    if len(paired) < max(FEWEST, SHARE * live):
        return None
    when = spread(len(survey.snapshots), max(8, int(WORK / (len(survey.points) * 4 * survey.hidden[layer] ** 2))))
    shares = np.array([np.nan_to_num(mirror_matches(survey, layer, index)[paired]).mean() for index in when])
    # The mean match of the units that are paired at the end, at each snapshot examined.
    first = holds_since(shares >= min(PARTNER, shares[-1]))
    since, best_seen = when[first], when[first + shares[first:].argmax()]
    pairs = sorted({tuple(sorted((int(u), int(partner[u])))) for u in paired})
    words = [f"{i + 1} with {j + 1}" if i != j else f"{i + 1} with itself" for i, j in pairs]
    from_then = since_text(survey, since)
    text = (
        f"Layer {layer + 1}: {len(paired)} of {live} boundaries have their left-right mirror image in the layer"
        f"{' ' + from_then if from_then else ''}: {'; '.join(words[:6])}{' ...' if len(words) > 6 else ''}. "
        f"Mean match of all {np.nanmean(best):.2f}."
    )
    units = sorted({u for pair in pairs for u in pair})
    title = f"Mirrored: layer {layer + 1}, {listed(units)}" if len(units) <= 4 else f"Mirrored: layer {layer + 1}"
    score = float(np.nanmean(best)) * len(paired) / live
    return survey.finding("symmetry", title, text, best_seen, score, layer, units)


def _answer_finding(survey, output, target):
    history, final = survey.history, output[-1]
    parts = []
    for layer in range(len(survey.hidden)):
        match = mirror_matches(survey, layer, -1)
        if np.isfinite(match).any():
            parts.append(f"layer {layer + 1} {np.nanmean(match):.2f}")
    symmetric = final >= NEARLY
    since = holds_since(output >= min(NEARLY, final))
    same = f"{percent(final)} of the domain is answered as its mirror image"
    if survey.labels is None:
        same = f"mirrored, the answer agrees with itself by {percent(final)}"
    text = f"The answer is {'' if symmetric else 'not '}left-right symmetric: {same}"
    if symmetric and len(survey.snapshots) > 1:
        text += f", at least {percent(NEARLY)} {since_text(survey, since)}"
    if target is not None and not symmetric:
        text += f", {percent(target)} of the target is"
    text += "."
    whole = [run for run in range(history.runs) if run != survey.run and np.isfinite(history.weights[run, -1]).all()]
    if whole:
        others = [_at_the_end(history, run, survey.samples) for run in whole]
        low, high = percent(min(others)), percent(max(others))
        text += f" Other runs: {low if low == high else f'{low} to {high}'}."
    if parts:
        text += f" Boundaries' mean match with a mirrored neighbour: {', '.join(parts)}."
    title = "The answer is symmetric" if symmetric else "The answer is not symmetric"
    return survey.finding("symmetry", title, text, since if symmetric else -1, 2.0 + float(final))


def _at_the_end(history, run, samples):
    """How symmetric another run's answer is at its last snapshot."""
    points = grid(history.domain, samples, samples)
    answer = answers(history, signals(history, run, [history.snapshots - 1], points)[-1])
    return _agreement(answer.argmax(1) if history.task == "classes" else np.moveaxis(answer, 1, -1), samples)[-1]


def _is_constant(survey):
    if survey.labels is not None:
        return len(np.unique(survey.labels[-1])) == 1
    return float(np.ptp(survey.outputs[-1], axis=0).max()) < 1e-6


def _same(image):
    return (image == image[:, ::-1]).all(-1).mean()


def _alike(one, other):
    deviation = float(one.std())
    return 1.0 if deviation == 0 else max(0.0, 1 - float(np.abs(one - other).mean()) / (2 * deviation))
