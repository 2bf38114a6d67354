"""The geometry of a timeline: places of snapshots, numbers along it, and its curves reduced to few points."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.scene.view_data import TimeCurve
from engine.vector.ticks import ticks


def positions(steps: Sequence[int] | np.ndarray, spacing: str) -> np.ndarray:
    """(T,) the snapshots' places, 0 to 1; a single one is in the middle.

    spacing   one of engine.scene.view_data.SPACINGS
    """
    steps = np.asarray(steps, float)
    if steps.size == 1:
        return np.array([0.5])
    if spacing == "snapshot":
        return np.linspace(0.0, 1.0, steps.size)
    along = np.log1p(steps - min(steps[0], 0.0)) if spacing == "log" else steps
    return (along - along[0]) / (along[-1] - along[0])


def nearest(places: np.ndarray, place: float) -> int:
    """The index of the nearest of `places`, which are ascending."""
    after = int(np.searchsorted(places, place))
    if after == 0 or (after < len(places) and places[after] - place <= place - places[after - 1]):
        return after
    return after - 1


def roundest(low: float, high: float) -> int | None:
    """The whole number in [low, high] with the fewest digits before its final zeros; None if there is no number."""
    low, high = math.ceil(low), math.floor(high)
    if low > high:
        return None
    if low <= 0 <= high:
        return 0
    size = 10 ** math.floor(math.log10(max(abs(low), abs(high))))
    while True:
        for factor in (1, 5, 2):
            step = size * factor
            if step == int(step) and (k := math.ceil(low / step)) * step <= high:
                last = math.floor(high / step)
                # Of several such numbers, the one that begins with 1, else the middle one.
                return int(step * (k if k <= 1 else (k + last) // 2))
        size //= 10


def step_ticks(
    steps: Sequence[int] | np.ndarray, places: np.ndarray, spacing: str, width: float, apart: float
) -> list[tuple[float, int]]:
    """(place 0 to 1, step) pairs to write along a timeline, from left to right.

    places   (T,) of the snapshots
    width    pixels
    apart    least pixels between the middles of two numbers
    """
    steps = np.asarray(steps)
    if steps.size == 1:
        return [(0.5, int(steps[0]))]
    if spacing == "step":
        numbers = ticks(float(steps[0]), float(steps[-1]), max(1, int(width / apart)))
        whole = sorted({round(n) for n in numbers if n == round(n)})
        return [(float(np.interp(n, steps, places)), n) for n in whole]
    made = [(0.0, int(steps[0]))]
    if width >= 2.0 * apart:
        made.append((1.0, int(steps[-1])))

    def fill(left, right):
        # The roundest step in the free space between two numbers; then the same on either side of that step.
        low, high = left + apart / width, right - apart / width
        if high <= low:
            return
        step = roundest(*np.interp([low, high], places, steps))
        # On a logarithmic axis only numbers of one digit and zeros are written: 3,100 would be no help.
        if step is None or (spacing == "log" and len(str(step).rstrip("0")) > 1):
            return
        at = float(np.interp(step, steps, places))
        made.append((at, step))
        fill(left, at)
        fill(at, right)

    if width >= 2.0 * apart:
        fill(0.0, 1.0)
    return sorted(made)


def span(curves: Sequence[TimeCurve], log: bool) -> tuple[float, float]:
    """(low, high) of the values of curves, with a margin; low is 0 if the values come near it."""
    values = np.concatenate([c.values for c in curves]) if curves else np.empty(0)
    values = values[np.isfinite(values) & ((values > 0.0) | (not log))]
    if values.size == 0:
        return (0.1, 1.0) if log else (0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    if log:
        room = max(0.04 * math.log10(high / low), 0.02)
        return low * 10.0**-room, high * 10.0**room
    if 0.0 <= low <= 0.5 * high:
        low = 0.0
    room = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return (low if low == 0.0 else low - room), high + room


def value_ticks(low: float, high: float, log: bool, most: int) -> list[float]:
    """The values written beside a timeline: at most `most` round ones; powers of ten if `log`."""
    if not log:
        return ticks(low, high, most)
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    powers = [10.0**k for k in range(first, last + 1)]
    for factors in ((1, 2, 5), (1, 3)):
        found = [f * 10.0**k for k in range(first - 1, last + 1) for f in factors if low <= f * 10.0**k <= high]
        if len(powers) <= len(found) <= most and found:
            return found
    return powers[:: -(-len(powers) // max(most, 1))] if powers else ticks(low, high, most)


def heights(values: Any, low: float, high: float, log: bool) -> np.ndarray:
    """(T,) heights of values between low and high, 0 to 1; nan where there is nothing to draw."""
    values = np.asarray(values, float)
    values = np.where(np.isfinite(values) & ((values > 0.0) | (not log)), values, np.nan)
    if log:
        return np.log(values / low) / math.log(high / low)
    return (values - low) / (high - low)


def strokes(x: np.ndarray, y: np.ndarray, column: float) -> list[np.ndarray]:
    """A curve as polylines [(n, 2)], broken where y is nan.

    x        (T,) ascending, pixels
    column   width in pixels; of the points in a column only the first, lowest, highest and last are drawn, which in a
             column of one pixel look the same as all (M4: Jugel and others 2014)
    """
    which = np.floor((x - x[0]) / column).astype(int)
    starts = np.flatnonzero(np.diff(which, prepend=which[0] - 1))
    if 4 * starts.size >= x.size:
        points, known = np.stack([x, y], 1), np.isfinite(y)
    else:
        ends = np.append(starts[1:], x.size) - 1
        # fmin and fmax ignore nan.
        parts = (y[starts], np.fmin.reduceat(y, starts), np.fmax.reduceat(y, starts), y[ends])
        across = np.repeat(x[0] + (which[starts] + 0.5) * column, 4)
        points = np.stack([across, np.stack(parts, 1).ravel()], 1)
        # A missing first or last value in a column is skipped; a column without any values breaks the line.
        gap = np.repeat(np.isnan(parts[1]), 4)
        points = points[np.isfinite(points[:, 1]) | gap]
        known = np.isfinite(points[:, 1])
    edges = np.flatnonzero(np.diff(known.astype(int), prepend=0, append=0))
    return [points[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)]
