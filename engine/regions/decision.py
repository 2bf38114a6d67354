"""Where a network's decision changes, cut into a subdivision of its linear regions."""

import numpy as np

from engine.errors import NetworkError
from engine.network.mlp import Mlp
from engine.network.units.mixed import LayerActivation
from engine.regions.partition import Subdivision
from engine.regions.plane import PlaneLayer, chosen

# An activation that has a slope above 0 at all of these rises everywhere.
SAMPLES = np.linspace(-7.9, 8.0, 320)


def decision_layer(net: Mlp, layers: list[PlaneLayer]) -> PlaneLayer:
    """The PlaneLayer whose sums decide; raises NetworkError where the outputs do not have the order of the sums.

    One output: whether its sum is above 0. Two: whether the second less the first is. More: which is the largest.
    """
    activation, last = net.layers[-1].activation, layers[-1]
    if not is_rising(activation):
        raise NetworkError(
            f"{net} ends in {activation}, whose outputs are not in the order of their sums: it has no decision "
            "boundary of straight pieces. Take the regions without it (decision=False)."
        )
    if net.outputs == 2:
        return PlaneLayer.last(last.weights[1:] - last.weights[:1], last.bias[1:] - last.bias[:1])
    return last


def is_rising(activation: LayerActivation) -> bool:
    """True if outputs are in the order of their sums: for a softmax, and where one activation rises everywhere."""
    kind, *others = activation.kinds
    if others or not kind.rule.elementwise:
        return not others and kind.is_whole
    return not kind.rule.gaps(kind.argument) and bool((kind.slope(SAMPLES) > 0).all())


def cut_decision(plane: Subdivision, sums: np.ndarray, tolerance: np.ndarray, owner: int) -> None:
    """Cuts a Subdivision where the decision changes; `owner` owns all new edges.

    sums        at the vertices; (V, 1): cut where they are 0. (V, C): cut where the largest changes
    tolerance   (1,) or (C,), smaller differences are 0
    """
    if sums.shape[1] == 1:
        plane.cut(sums, tolerance, owner)
        return
    for rival in range(1, sums.shape[1]):
        # Linear on each face: the largest of the earlier sums is the same one on the whole face.
        lead = sums[:, rival] - sums[:, :rival].max(1)
        widths = np.append(tolerance[rival] + tolerance[:rival].max(), np.full(sums.shape[1], np.inf))
        sums = plane.cut(np.column_stack([lead, sums]), widths, owner)[:, 1:]
    plane.coincident = plane.coincident[plane.coincident[:, 1] < owner]
    _join_equal_winners(plane, chosen(_middles(plane, sums), tolerance), owner)


def _middles(plane, sums):
    """(count, C): the mean of the sums at each face's vertices."""
    total, sides = np.zeros((plane.count, sums.shape[1])), np.zeros(plane.count)
    for side in (0, 1):
        face = plane.faces.all[:, side]
        inside = face >= 0
        middle = sums[plane.ends.all[inside]].sum(1)
        np.add.at(total, face[inside], middle)
        np.add.at(sides, face[inside], 2)
    return total / sides[:, None]


def _join_equal_winners(plane, winner, owner):
    """Removes cuts between faces with the same winner; adds older edges where the decision changes to `coincident`."""
    faces, owners = plane.faces.all, plane.owner.all
    inside = (faces >= 0).all(1)
    same = inside & (winner[faces[:, 0]] == winner[faces[:, 1]])
    along = np.flatnonzero(inside & ~same & (owners < owner))
    plane.coincident = np.concatenate([plane.coincident, np.stack([along, np.full(len(along), owner)], 1)])
    needless = same & (owners == owner)
    if needless.any():
        plane.keep_edges(~needless, _joined(faces[needless], plane.count))


def _joined(pairs, count):
    """(count,): each face's group, numbered from 0 on; paired faces are in the same group."""
    least, before = np.arange(count), np.empty(0, int)
    while not np.array_equal(least, before):
        before = least.copy()
        lower = least[pairs].min(1, keepdims=True)
        np.minimum.at(least, pairs, lower)
    return np.unique(least, return_inverse=True)[1]
