"""Indecisive units: late in training their boundary jumps while the loss hardly moves."""

import numpy as np

from engine.analysis.survey import Finding, neurons_text, percent

# Late is the second half of the steps; the last quarter of the snapshots where fewer intervals than this are in that.
FEWEST = 8

# An interval is quiet if the loss changes by no more than this part; where that is unknown, if the answer changes on no
# more than this part of the domain.
QUIET = 0.05
QUIET_ANSWER = 0.01

# A jump is one if it sweeps so much of the domain, and so many times as much as a boundary of the run typically does
# in such an interval. The bottle's 16-16-16 networks have 0.001 as the typical and up to 0.06 as the largest.
JUMP = 0.015
TIMES = 8

# A change smaller than this says no more than this one: of jumps while nothing changes the largest is the best.
FINEST = 0.01


def indecisive(survey):
    """Findings of the units that jump late in training, the moment being after the best jump."""
    count = len(survey.kept) - 1
    if count < FEWEST or not survey.hidden:
        return []
    begins = survey.steps[:-1]
    late = begins >= survey.steps[-1] / 2
    if late.sum() < FEWEST:
        late = np.arange(count) >= count - max(FEWEST, count // 4)
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
        if survey.history.shape.activations[layer].name == "identity":
            continue
        good = (late & (change <= limit))[:, None] & (all_moved >= max(JUMP, TIMES * typical))
        strength = np.where(good, all_moved / np.maximum(change, FINEST)[:, None], 0.0)
        for unit in np.flatnonzero(good.any(0)):
            at = int(strength[:, unit].argmax())
            what = (
                f"the loss changes by {percent(change[at])}"
                if known
                else f"the answer changes on {percent(change[at])} of it"
            )
            swept, total = percent(all_moved[at, unit]), percent(all_moved[late, unit].sum())
            text = (
                f"{neurons_text(layer, [unit])} cannot decide: between steps {survey.steps[at]:,} and "
                f"{survey.steps[at + 1]:,} its boundary sweeps {swept} of the domain while {what}. "
                f"From step {begins[late][0]:,} on it sweeps {total} in all, a typical neuron {percent(in_all)}."
            )
            title = f"Indecisive: layer {layer + 1}, {unit + 1}"
            found.append(
                Finding(
                    "indecisive",
                    title,
                    text,
                    int(survey.kept[at + 1]),
                    ((layer, int(unit)),),
                    float(strength[at, unit]),
                )
            )
    return found
