"""Where an activation's slope and curvature have their extremes, and so their ranges over an interval, in float64.

They are found from the functions themselves, so that a Rule need not list them: no row can have a wrong one.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.network.activations import Activation

# How far from a break its two sides are taken; a Rule's places are rounded to less.
BESIDE = 1e-12
# Beyond so many times its scale a smooth function has no more extrema: a test measures further out.
REACH = 60.0
# Past this a slope grows without limit: no parameter is above 1e6.
LIMITLESS = 1e20
# The bounds where there are none, at a gap: a segment that has them is not clear.
OPEN = 1e30
# Halvings to thirds of an interval that holds one extremum.
NARROWINGS = 80


@dataclass(frozen=True)
class Extrema:
    """The extremes of an activation's s' or s''.

    places   z of local extrema where it is smooth, and `values` there; with a period those from 0 up to it
    breaks   (z, limit from below, limit from above) where it may jump, ascending
    period   the distance at which places repeat, or 0
    most     the largest magnitude anywhere; infinite where there is none
    """

    places: tuple[float, ...]
    values: tuple[float, ...]
    breaks: tuple[tuple[float, float, float], ...]
    period: float
    most: float


def breaks(activation: Activation) -> tuple[float, ...]:
    """z of all kinks and gaps, ascending; with a period those of one."""
    rule, a = activation.rule, activation.argument
    return tuple(sorted({*(float(z) for z, _ in rule.kinks(a)), *map(float, rule.gaps(a))}))


@lru_cache(maxsize=256)
def extrema(activation: Activation, which: str) -> Extrema:
    """The Extrema of "slope" or "curvature"."""
    function, period = getattr(activation, which), activation.rule.period(activation.argument)
    beside = [(z, z - BESIDE * max(abs(z), 1e-18), z + BESIDE * max(abs(z), 1e-18)) for z in breaks(activation)]
    with np.errstate(all="ignore"):
        sides = tuple((z, float(function(low)), float(function(high))) for z, low, high in beside)
        places = _turns(function, _pieces(activation, beside, period), period)
        values = tuple(float(function(z)) for z in places)
        far = [] if period else [float(function(z)) for z in (-1e30, 1e30)]
    known = np.abs([*values, *far, *(x for side in sides for x in side[1:])])
    most = float(np.max(np.nan_to_num(known, nan=np.inf), initial=0.0))
    return Extrema(places, values, sides, period, most if most < LIMITLESS else np.inf)


def _pieces(activation, beside, period):
    """Samples of each smooth piece, ascending."""
    if period:
        step = period / 2000
        return [np.arange(-1, 2002) * step]
    scale = activation.rule.scale(activation.argument)
    far = np.geomspace(8.0, REACH, 400)[1:]
    z = scale * np.concatenate([-far[::-1], np.linspace(-8.0, 8.0, 3201), far])
    ends = [-np.inf, *(x for _, low, high in beside for x in (low, high)), np.inf]
    pieces = []
    for low, high in zip(ends[::2], ends[1::2], strict=True):
        piece = np.concatenate([[low], z[(z > low) & (z < high)], [high]])
        pieces.append(piece[np.isfinite(piece)])
    return pieces


def _turns(function, pieces, period):
    """Places of local extrema in pieces of samples."""
    found = []
    for z in pieces:
        y = function(z)
        if len(z) < 3 or not np.isfinite(y).any():
            continue
        before, after = y[1:-1] - y[:-2], y[1:-1] - y[2:]
        # Less is rounding, where the function is level.
        real = np.minimum(abs(before), abs(after)) > 1e-13 * abs(y[1:-1])
        (at,) = np.nonzero((before * after > 0) & real)
        low, high, sign = z[at], z[at + 2], np.sign(before[at])
        for _ in range(NARROWINGS):
            left, right = low + (high - low) / 3, high - (high - low) / 3
            rises = sign * function(left) < sign * function(right)
            low, high = np.where(rises, left, low), np.where(rises, high, right)
        found += [0.0 if abs(x) < 1e-7 * abs(z[-1]) else float(x) for x in (low + high) / 2]
    return tuple(x for x in found if not period or -1e-6 * period < x < period * (1 - 1e-6))


def gaps_beside(activation: Activation) -> tuple[tuple[float, bool], ...]:
    """(z, whether there are no values below it) of the gaps beside which an activation has bounds."""
    if not activation.rule.beside:
        return ()
    gaps = activation.rule.gaps(activation.argument)
    return tuple((float(z), bool(np.isnan(activation.value(z - 1.0)))) for z in gaps)


def span(activation: Activation, which: str, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(least, greatest) of "slope" or "curvature" over [low, high], elementwise: at ends, extrema and breaks inside.

    Over an interval with a gap they are from -OPEN to OPEN.
    """
    function, known = getattr(activation, which), extrema(activation, which)
    ends = function(low), function(high)
    least, greatest = np.minimum(*ends), np.maximum(*ends)
    if gaps := gaps_beside(activation):
        whole = (np.abs(least) < OPEN) & (np.abs(greatest) < OPEN)
        for z, ends_there in gaps:
            whole &= (low > z) | ((high < z) & (not ends_there))
        return np.where(whole, least, -OPEN), np.where(whole, greatest, OPEN)
    beside = [(z, value) for z, *values in known.breaks for value in values]
    for z, value in (*zip(known.places, known.values, strict=True), *beside):
        inside = holds(low, high, z, known.period)
        least = np.where(inside, np.minimum(least, value), least)
        greatest = np.where(inside, np.maximum(greatest, value), greatest)
    return least, greatest


def holds(low: np.ndarray, high: np.ndarray, z: float, period: float) -> np.ndarray:
    """Whether z, or with a period one of its repetitions, is in [low, high]."""
    if period:
        return np.ceil((low - z) / period) <= (high - z) / period
    return (low <= z) & (high >= z)
