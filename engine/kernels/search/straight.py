"""A network of straight pieces along pieces of rays, in float64: between the kinks of its units it is linear."""

import numpy as np

from engine.kernels.tree.tree import HeldLevels
from engine.network.mlp import Mlp
from engine.network.units.bends import is_straight, kinks
from engine.network.units.mixed import LayerActivation, runs

# Responses that are held together, at most; of a single piece with more nothing is said.
MOST_HELD = 1 << 22
# What is found is off by less than so many times the bound of rounding where f is computed at one place: kinks lie
# where sums were interpolated.
ROUNDINGS = 4.0


def is_piecewise_linear(net: Mlp) -> bool:
    """Whether all of a network, its last activation too, consists of straight pieces."""
    return all(map(is_straight, net.activations))


def strays(
    net: Mlp, starts: np.ndarray, ends: np.ndarray, slack: float, t: np.ndarray, levels: HeldLevels | None = None
) -> np.ndarray:
    """(N, 5) of N pieces: f at both ends, least and greatest how far it leaves its chord, over 4 x (1 - x), the far t.

    net      one that is_piecewise_linear
    starts   (N, 3), where x is 0; `ends` where it is 1; in float64
    slack    departures are closer to 0 by this: f is as said, give or take it and ROUNDINGS times its rounding
    t        (N, 2) along the ray, of both ends
    levels   a piece in which f passes one ends there: at the kink before; or behind, if none is before

    A layer's sums are linear from row to row of `_cut`; where one passes a kink, a row is put in. So the whole takes as
    many evaluations as f has straight pieces. Of pieces with more than MOST_HELD responses departures are infinite.
    """
    if not len(starts):
        return np.zeros((0, 5))
    with np.errstate(over="ignore", invalid="ignore"):
        found = _rows(net, starts, ends)
    if found is None and len(starts) > 1:
        half = len(starts) // 2
        parts = (slice(half), slice(half, None))
        return np.concatenate([strays(net, starts[k], ends[k], slack, t[k], levels) for k in parts])
    if found is None:
        near, far = net(starts)[:, :1], net(ends)[:, :1]
        return np.concatenate([near, far, [[-np.inf, np.inf]], t[:, 1:]], axis=1)
    piece, x, f = found
    first = np.flatnonzero(np.diff(piece, prepend=-1))
    last = np.append(first[1:], len(piece)) - 1
    far_t, far_x, far = t[:, 1].copy(), np.ones(len(first)), f[last]
    if levels is not None:
        _shorten(piece, x, f, first, last, t, levels, far_t, far_x, far)
    near = f[first]
    x = x / far_x[piece]
    off = f - near[piece] * (1.0 - x) - far[piece] * x
    with np.errstate(divide="ignore", invalid="ignore"):
        # An affine function over a concave one is greatest, where it is above 0, at an end of each straight piece.
        departs = np.sign(off) * np.maximum(abs(off) - slack, 0.0) / (4.0 * x * (1.0 - x))
    departs[(abs(off) <= slack) | (x >= 1.0)] = 0.0
    least, greatest = np.minimum.reduceat(departs, first), np.maximum.reduceat(departs, first)
    return np.stack([near, far, least, greatest, far_t], axis=1)


def _shorten(piece, x, f, first, last, t, levels, far_t, far_x, far):
    """Moves the far ends of pieces that pass a level: t as a float32, x and f there."""
    g = (f - levels.level) / (1.0 if levels.single else levels.spacing)
    side = g < 0.0 if levels.single else np.floor(g)
    passed = np.flatnonzero((side[1:] != side[:-1]) & (piece[1:] == piece[:-1]))
    own, at = np.unique(piece[passed], return_index=True)
    row = passed[at]
    width = t[own, 1] - t[own, 0]

    def rounded():
        # Never beyond the kink: a bend so close to an end would count as one of the whole piece.
        wanted = t[own, 0] + x[row] * width
        near = wanted.astype(np.float32)
        return np.where(near > wanted, np.nextafter(near, np.float32(-np.inf)), near).astype(float)

    # The straight piece that it is passed in, or what comes before it.
    row += rounded() <= t[own, 0]
    ends = rounded()
    place = (ends - t[own, 0]) / width
    moves = (place > x[row - 1]) & (row < last[own])
    own, row, ends, place = own[moves], row[moves], ends[moves], place[moves]
    part = (place - x[row - 1]) / (x[row] - x[row - 1])
    far_t[own], far_x[own], far[own] = ends, place, f[row - 1] + part * (f[row] - f[row - 1])


def _rows(net, starts, ends):
    """(which piece, x, f) of rows between which f is linear, in order; None if there are too many."""
    piece, x = np.repeat(np.arange(len(starts)), 2), np.tile([0.0, 1.0], len(starts))
    h = np.stack([starts, ends], axis=1).reshape(-1, 3)
    for layer in net.layers:
        z = h @ layer.weights.T.astype(float)
        z += layer.bias
        rows, parts = _passed(piece, z, layer.activation)
        if (len(x) + len(rows)) * max(net.shape.sizes) > MOST_HELD:
            return None
        if len(rows):
            piece, x, z = _cut(rows, parts, piece, x, z)
        h = layer.activation.value(z)
    return piece, x, h[:, 0]


def _passed(piece, z, activation: LayerActivation):
    """(rows, parts): behind which rows, and which part of the way to the next, units pass kinks; in order."""
    together, rows, parts = (piece[1:] == piece[:-1])[:, None], [np.zeros(0, int)], [np.zeros(0)]
    for run in runs(activation, z.shape[1]):
        own = z[:, run.first : run.first + run.units]
        for place in kinks(run.activation):
            above = own > place
            row, unit = np.divmod(np.flatnonzero((above[1:] != above[:-1]) & together), run.units)
            before = own[row, unit]
            rows.append(row)
            parts.append((place - before) / (own[row + 1, unit] - before))
    row, part = np.concatenate(rows), np.concatenate(parts)
    order = np.lexsort((part, row))
    return row[order], part[order]


def _cut(rows, parts, *arrays):
    """Each array with a row more for each place that was passed, between those before and after it."""
    new = rows + 1 + np.arange(len(rows))
    old = np.ones(len(arrays[0]) + len(rows), bool)
    old[new] = False
    source = np.empty(len(old), int)
    source[old], source[new] = np.arange(len(arrays[0])), rows
    results = []
    for values in arrays:
        with_new, moved = values.take(source, axis=0), values.take(rows + 1, axis=0)
        moved -= values.take(rows, axis=0)
        if moved.dtype.kind == "f":
            moved *= parts.reshape(-1, *[1] * (values.ndim - 1))
            with_new[new] += moved
        results.append(with_new)
    return results
