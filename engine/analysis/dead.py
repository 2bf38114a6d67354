"""Units without a boundary in the domain: never active there, always active, or with the boundary outside."""

import numpy as np

from engine.analysis.survey import Finding, RunSurvey, grid, holds_since, listed, neurons_text, signals
from engine.network.units.mixed import runs

# How much finer than the survey's the grid is that finds small active corners; and most numbers of one array.
FINER = 4
MOST = 16_000_000


def dead_units(survey: RunSurvey) -> list[Finding]:
    """Findings of the units without a boundary in the domain at the last snapshot: one per layer and side of it."""
    found = []
    positive, negative = always(survey)
    for layer, count in enumerate(survey.hidden):
        each = runs(survey.history.shape.activations[layer], count)
        names = np.concatenate([np.full(run.units, run.activation.name, object) for run in each])
        # An identity has no boundary: it is the same on both sides of zero; nor has what passes its sum on.
        bends = (names != "identity") & np.isfinite(survey.first[layer])
        for name in dict.fromkeys(names[bends]):
            for some, side in ((positive[layer], True), (negative[layer], False)):
                units = np.flatnonzero(some & bends & (names == name))
                if len(units):
                    since = [_since(survey, layer, unit, side) for unit in units]
                    found.append(_finding(survey, layer, count, units, since, name, side))
    return found


def always(survey: RunSurvey) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """(positive, negative): for each hidden layer (units,) bool, which are on one side of their first boundary on the
    whole domain at the end.

    From the exact linear regions if the survey has them, otherwise from a grid finer than the survey's.
    """
    if survey.partition is not None:
        ends = np.cumsum(survey.hidden)[:-1]
        masks = np.zeros((2, sum(survey.hidden)), bool)
        masks[0, survey.partition.always()] = True
        masks[1, survey.partition.dead()] = True
        return np.split(masks[0], ends), np.split(masks[1], ends)
    side = survey.samples * FINER
    side = max(2, min(side, int(np.sqrt(MOST / max(survey.history.shape.sizes[1:])))))
    points = np.concatenate([grid(survey.history.domain, side, side), survey.points])
    *hidden, _ = signals(survey.history, survey.run, survey.snapshots[-1:], points)
    on = [z[0] > first[:, None] for z, first in zip(hidden, survey.first, strict=True)]
    return [some.all(-1) for some in on], [(~some).all(-1) for some in on]


def _since(survey, layer, unit, side):
    active = survey.active[layer][:, unit]
    # `always` decided the last snapshot more exactly than these signs, which may have rounded a zero up.
    return min(holds_since(active == (1.0 if side else 0.0)), len(active) - 1)


def _finding(survey, layer, count, units, since, name, side):
    order = np.argsort(since, kind="stable")
    units, since = units[order], np.array(since)[order]
    last = int(since[-1])
    if name == "relu" and not side:
        kind, title, state = "dead", "Dead", "dead, the response 0 on the whole domain"
    elif name in ("relu", "leaky_relu"):
        kind, title = "no boundary", "Always on" if side else "Always off"
        state = f"{'active' if side else 'inactive'} on the whole domain, linear there and cutting nothing"
    else:
        kind, title, state = "no boundary", "Outside", "cutting nothing, the boundary lying outside the domain"
    ordered, many = np.sort(units), f"{len(units)} of {count}"
    if len(units) == 1:
        text = f"{neurons_text(layer, units)} is {state}{_when(survey, last)}."
    else:
        text = f"{neurons_text(layer, ordered)} ({many}) are {state}{_span(survey, units, since)}."
    title = f"{title}: layer {layer + 1}, {listed(ordered) if len(units) <= 4 else many}"
    return survey.finding(kind, title, text, last, len(units) / count, layer, ordered)


def _when(survey, index):
    if len(survey.snapshots) == 1:
        return ""
    if index == 0:
        return ", from the start"
    return f", since its boundary left the domain at step {survey.steps[index]:,}"


def _span(survey, units, since):
    if len(survey.snapshots) == 1:
        return ""
    first = int((since == 0).sum())
    if first == len(units):
        return ", all from the start"
    words = [f"{listed(np.sort(units[:first]))} from the start"] if first else []
    later, steps = units[first:], survey.steps[since[first:]]
    if len(later) <= 4:
        words += [f"{unit + 1} since step {step:,}" for unit, step in zip(later, steps, strict=True)]
    else:
        words.append(f"{listed(np.sort(later))} one by one between steps {steps[0]:,} and {steps[-1]:,}")
    return f": {', '.join(words)}"
