"""What a run has not learnt: the largest connected part of the domain where its last answer is wrong."""

import numpy as np

from engine.analysis.survey import Finding, RunSurvey, answers, percent, signals, target_classes
from engine.network.history import History

# A run has missed a part if its loss ends at TIMES the best run's and one wrong block has BLOCK of the domain; a run
# without others to compare it with, if the block has BLOCK_ALONE.
TIMES = 2.5
BLOCK = 0.005
BLOCK_ALONE = 0.01

# A value is wrong if it is off by this part of the target's range.
OFF = 0.25

# Most pixels examined; of a larger target rows and columns are left out evenly.
MOST = 65_536


def missed_parts(survey: RunSurvey) -> list[Finding]:
    """One finding, of the largest block of wrong pixels, or none."""
    history, run = survey.history, survey.run
    losses = history.losses[:, -1]
    known = np.isfinite(losses[run]) and np.isfinite(losses).sum() > 1
    best = int(np.nanargmin(losses)) if known else run
    times = losses[run] / max(losses[best], 1e-30) if known else np.nan
    if known and times < TIMES:
        return []
    pixels = wrong_pixels(history, run, int(survey.snapshots[-1]))
    if pixels is None:
        return []
    wrong, wanted, got, places = pixels
    block = largest_block(wrong)
    area = block.mean()
    if area < (BLOCK if known else BLOCK_ALONE):
        return []
    x, y = places[block].mean(0)
    where = _where(history.domain, x, y)
    text = f"A part of {percent(area)} of the domain is wrong in one piece, {where}, around ({x:.2f}, {y:.2f})"
    if wanted is not None and got is not None:
        text += f": mostly {_class(history, got[block])} where {_class(history, wanted[block])} is wanted"
    text += "."
    others = wrong_pixels(history, best, history.snapshots - 1) if known else None
    if others:
        text += (
            f" The loss ends at {losses[run]:.3g}, {times:.1f} times that of {history.names[best]}, "
            f"which is wrong on {percent(others[0][block].mean())} of this part."
        )
    return [survey.finding("missed", f"Missed {where}", text, -1, area)]


Pixels = tuple[np.ndarray, np.ndarray | None, np.ndarray | None, np.ndarray]


def wrong_pixels(history: History, run: int, snapshot: int) -> Pixels | None:
    """(wrong, wanted, got, places) of the target's pixels, or an even selection of them, at a snapshot of a run.

    wrong (h, w) bool; wanted and got (h, w) classes, None for a task of values; places (h, w, 2), world. Returns only
    None if there is no target that the outputs can be compared with.
    """
    wanted = target_classes(history)
    if history.target is None or (history.task == "classes" and wanted is None):
        return None
    height, width = history.target.shape[:2]
    stride = max(1, int(np.ceil(np.sqrt(height * width / MOST))))
    rows, columns = np.arange(0, height, stride), np.arange(0, width, stride)
    low, high = history.domain.low, history.domain.high
    parts = np.stack(np.meshgrid((columns + 0.5) / width, 1 - (rows + 0.5) / height), -1)
    places = low + parts * (high - low)
    found = answers(history, signals(history, run, [snapshot], places.reshape(-1, 2))[-1])[0]
    picked = history.target[np.ix_(rows, columns)]
    if wanted is not None:
        wanted, got = wanted[np.ix_(rows, columns)], found.argmax(0).reshape(picked.shape)
        return wanted != got, wanted, got, places
    values = picked.reshape(len(rows), len(columns), -1) / 255
    if values.shape[-1] != len(found):
        return None
    off = np.abs(np.moveaxis(found.reshape(-1, len(rows), len(columns)), 0, -1) - values).max(-1)
    return off > OFF * max(float(np.ptp(values)), 1e-6), None, None, places


def largest_block(wrong: np.ndarray) -> np.ndarray:
    """(h, w) bool: the largest connected block of wrong pixels, without lines a pixel or two wide, as along edges."""
    from skimage.measure import label  # loads scipy, which takes a while

    thick = _neighbours(wrong) >= 7
    if not thick.any():
        return np.zeros_like(wrong)
    labels = label(thick, connectivity=1)
    core = labels == np.bincount(labels[thick]).argmax()
    return wrong & (_neighbours(core & thick) > 0)


def _neighbours(mask):
    """How many pixels are set in the 3 x 3 round each one."""
    padded = np.pad(mask.astype(int), 1)
    h, w = mask.shape
    return sum(padded[i : i + h, j : j + w] for i in range(3) for j in range(3))


def _where(domain, x, y):
    fifth = ((np.array([x, y]) - domain.low) / (domain.high - domain.low) * 5).astype(int).clip(0, 4)
    across = ("at the left", "left of the middle", "", "right of the middle", "at the right")[fifth[0]]
    up = ("at the bottom", "below the middle", "", "above the middle", "at the top")[fifth[1]]
    return ", ".join(filter(None, (up, across))) or "in the middle"


def _class(history, numbers):
    number = int(np.bincount(numbers).argmax())
    if history.target.max() == 255 and max(2, history.shape.sizes[-1]) == 2:
        return ("black", "white")[number]
    return f"class {number}"
