"""What a network does at one point of a plane: which units are active, its linear map there, the nearest boundary."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.network.history import Domain
from engine.network.mlp import Mlp
from engine.network.units.bends import places


@dataclass(frozen=True, eq=False)
class Local:
    """A network at a point.

    sums        (neurons,) for each hidden layer: the weighted sums, whose zero sets are the boundaries
    slopes      (neurons, 2) for each hidden layer: their derivatives along world x and y
    logits      (outputs,): the last layer's weighted sums
    outputs     (outputs,): after the last activation
    jacobian    (outputs, 2): derivatives of `logits` along world x and y
    places      for each hidden layer the sums at which each neuron has a boundary; none for one that passes its sum on
    """

    sums: tuple
    slopes: tuple
    logits: np.ndarray
    outputs: np.ndarray
    jacobian: np.ndarray
    places: tuple

    @property
    def active(self) -> tuple[np.ndarray, ...]:
        """(neurons,) bool for each hidden layer: whether the sum is above the neuron's first boundary, or has none."""
        first = (np.array([min(some, default=-np.inf) for some in each]) for each in self.places)
        return tuple(z > least for z, least in zip(self.sums, first, strict=True))

    def nearest(self) -> tuple[float, tuple[int, int] | None]:
        """(distance, (layer, unit)): the nearest boundary, to first order, in world units; (inf, None) for none.

        Exact where the network is linear all the way there.
        """
        best: tuple[float, tuple[int, int] | None] = (np.inf, None)
        for layer, (z, slope, each) in enumerate(zip(self.sums, self.slopes, self.places, strict=True)):
            off = np.array([min((abs(x - p) for p in some), default=np.inf) for x, some in zip(z, each, strict=True)])
            steep = np.hypot(*slope.T)
            with np.errstate(divide="ignore", invalid="ignore"):
                distance = np.where(steep > 0, off / steep, np.inf)
            if distance.size and distance.min() < best[0]:
                best = float(distance.min()), (layer, int(distance.argmin()))
        return best


def local(net: Mlp, domain: Domain, point: ArrayLike) -> Local:
    """The Local of an Mlp at a (2,) world point of a history.Domain."""
    h, slope = domain.inputs(np.asarray(point)[None])[0], domain.axes.T
    sums, slopes = [], []
    for layer in net.layers:
        weights = layer.weights.astype(float)
        sums.append(weights @ h + layer.bias)
        slopes.append(weights @ slope)
        h = layer.activation.value(sums[-1][None])[0]
        if layer is not net.layers[-1]:
            slope = layer.activation.tangent(sums[-1], slopes[-1].T).T
    each = tuple(places(layer.activation, len(layer.bias)) for layer in net.layers[:-1])
    return Local(tuple(sums[:-1]), tuple(slopes[:-1]), sums[-1], h, slopes[-1], each)
