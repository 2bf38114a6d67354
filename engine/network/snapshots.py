"""At which steps of a training snapshots are taken."""

import numpy as np

# (up to, every): the original's, dense while everything moves. GINN (Darlow and Storkey 2018) took 431 of 1,280,000
# steps so: 0 to 1,270,000.
PIECES = (
    (50, 1), (200, 2), (300, 5), (500, 10), (1000, 20), (2000, 50), (4000, 100), (10_000, 500), (640_000, 5000),
    (None, 10_000),
)  # fmt: skip


def snapshot_steps(steps):
    """The steps at which a training of so many steps is recorded: 0 first, the last one always; (T,) int64."""
    taken, at = [0], 0
    for until, every in PIECES:
        end = steps if until is None else min(until, steps)
        taken += range(at + every, end + 1, every)
        at = until
        if end == steps:
            break
    if taken[-1] != steps:
        taken.append(steps)
    return np.array(taken, np.int64)


def following(step):
    """The first step after a step at which a training without an end is recorded."""
    at = 0
    for until, every in PIECES:
        if until is None or step < until:
            return at + ((step - at) // every + 1) * every
        at = until


def thinned(steps, count):
    """So many of rising steps, the first and last among them, that lie evenly in the logarithm of step + 1."""
    steps = np.array(steps, np.int64)
    places = np.log1p(steps)
    while len(steps) > max(count, 2):
        # Between whose neighbours the gap is least, that one is missed least.
        at = int(np.argmin(places[2:] - places[:-2])) + 1
        steps, places = np.delete(steps, at), np.delete(places, at)
    return steps


def spread_steps(steps, count):
    """So many steps of a training, or all there are: dense at first and evenly in the logarithm; (T,) int64."""
    known = snapshot_steps(steps)
    if count < len(known):
        return thinned(known, count)
    if count > steps:
        return np.arange(steps + 1)
    finer = count
    rule = known
    while len(known) < count:
        known = np.union1d(rule, np.rint(np.expm1(np.linspace(0.0, np.log1p(steps), finer))).astype(np.int64))
        finer = finer * 9 // 8
    return thinned(known, count)
