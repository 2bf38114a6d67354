"""The figures of boundaries: those of the article on GINN, made from the included history.

Runs 1 to 4 have the seeds 2, 4, 7 and 11; the last one never learns the diamond. Moments and neurons were chosen from
the findings of engine.analysis.
"""

from engine import Figure, Step


def _steps(*steps):
    return tuple(Step(f"{step:,}", {"step": step}) for step in steps)


SQUARE = {"key": False, "extent": 1.0}
BOTTLE_TOP = {"x": 0.5, "y": 0.83, "extent": 0.32}

FIGURES = (
    Figure(
        1, "sweep", "a whole training: every boundary, the answer under them",
        loop=True, size=(480, 480), fps=24.0, supersample=4,
    ),
    Figure(
        2, "layers", "straight lines, lines that bend at those, lines that bend at both",
        settings=SQUARE, columns=tuple(Step(f"layer {k}", {"neurons": str(k)}) for k in (1, 2, 3)),
    ),
    Figure(
        3, "bias-first", "layer 1 in the first steps: biases shift the lines, then weights turn them",
        settings={**SQUARE, "run": 3, "neurons": "1", "width": 3.0},
        columns=_steps(0, 10, 30, 74, 150, 300, 600, 1200), wrap=4,
        title="Layer 1 at training step",
    ),
    Figure(
        4, "bends", "one neuron of layer 3 bends where it meets the lines of layers 1 and 2",
        settings={"background": "none", "neurons": "1, 2, 3.3"}, size=(640, 560),
    ),
    Figure(
        5, "critical-points", "at the end the bends lie along the edges of what was learnt",
        settings={"background": "target", "fade": 0.6}, size=(640, 560),
    ),
    Figure(
        6, "copycats", "three neurons of layer 3 that end with one boundary",
        settings={**SQUARE, "run": 4, "neurons": "3.4, 3.12, 3.13", "width": 3.0},
        columns=_steps(1000, 10_000, 100_000, 1_280_000), title="Training step",
    ),
    Figure(
        7, "indecisive", "a neuron of layer 2 jumps late, and the loss hardly moves",
        settings={**SQUARE, "run": 2, "neurons": "2.7", "width": 4.0},
        columns=_steps(640_000, 645_000, 650_000, 660_000, 670_000, 680_000), wrap=3, title="Training step",
    ),
    Figure(
        8, "symmetry", "the bottle is its own mirror image; networks find that out, some better than others",
        settings=SQUARE, columns=tuple(Step(f"run {k}", {"run": k}) for k in (1, 2, 3, 4)),
    ),
    Figure(
        9, "failed", "the run that never finds the diamond: its answer, its loss",
        settings={**SQUARE, "run": 4},
        columns=tuple(Step(name, {"background": name}) for name in ("prediction", "target", "loss")),
    ),
    Figure(
        10, "good-and-bad", "where the failed run put its lines: the bottle's top, in the best and in the worst",
        settings=SQUARE | BOTTLE_TOP, columns=tuple(Step(f"run {k}", {"run": k}) for k in (1, 4)),
    ),
    Figure(
        11, "regions", "the square in linear regions, from the first step to the last",
        settings={**SQUARE, "background": "regions", "width": 1.0, "dashes": False},
        columns=_steps(0, 300, 2000, 10_000, 100_000, 1_280_000), wrap=3, title="Training step",
    ),
)  # fmt: skip
