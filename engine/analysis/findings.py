"""Findings: what is worth seeing in a run, found by computation, each with the snapshot that shows it best."""

import numpy as np

from engine.analysis.dead import dead_units
from engine.analysis.duplicates import duplicates
from engine.analysis.kinks import kinks
from engine.analysis.missed_parts import missed_parts
from engine.analysis.motion import Motion, bias_first, indecisive, motion
from engine.analysis.survey import Finding, RunSurvey, finite_snapshots
from engine.analysis.symmetry import symmetry
from engine.network.history import History

__all__ = ["KINDS", "Finding", "Motion", "findings", "motion"]

# In the order in which they are listed, and what each is about.
KINDS = {
    "missed": "what the run does not find",
    "symmetry": "left-right symmetry of the answer and of the boundaries",
    "duplicates": "neurons of a layer with the same boundary",
    "indecisive": "boundaries that jump while the loss hardly moves",
    "motion": "biases move boundaries first, weights later",
    "kinks": "boundaries that bend where they cross earlier layers' lines",
    "dead": "neurons that answer 0 on the whole domain",
    "no boundary": "neurons that have no boundary in the domain",
}

FINDERS = (missed_parts, symmetry, duplicates, indecisive, bias_first, kinks, dead_units)

# How many findings of each kind are listed, the strongest ones.
MOST = 6


def findings(history: History, run: int, *, samples: int = 48) -> tuple[Finding, ...]:
    """What is worth seeing in a run, in the order of KINDS, the strongest of a kind first.

    samples   points per side of the grid over the domain at which units are compared; at least 8 are taken

    The same history gives the same findings. Work and memory are bounded: for a large network some snapshots are left
    out, evenly. A run whose weights become infinite is examined up to that step.
    """
    if not len(finite_snapshots(history, run)):
        return ()
    # Weights of a diverging run overflow: the signs that result are constant.
    with np.errstate(over="ignore", invalid="ignore"):
        survey = RunSurvey(history, run, max(8, int(samples)))
        found = [finding for finder in FINDERS for finding in finder(survey)]
    chosen = []
    for kind in KINDS:
        of_kind = [finding for finding in found if finding.kind == kind]
        chosen += sorted(of_kind, key=lambda finding: (-finding.score, finding.neurons))[:MOST]
    return tuple(chosen)
