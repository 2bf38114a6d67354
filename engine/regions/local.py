"""What a network does at one point of a plane: which units are active, its linear map there, the nearest boundary."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.network.history import Domain
from engine.network.mlp import Mlp


@dataclass(frozen=True, eq=False)
class Local:
    """A network at a point.

    sums        (neurons,) for each hidden layer: the weighted sums, whose zero sets are the boundaries
    slopes      (neurons, 2) for each hidden layer: their derivatives along world x and y
    logits      (outputs,): the last layer's weighted sums
    outputs     (outputs,): after the last activation
    jacobian    (outputs, 2): derivatives of `logits` along world x and y
    """

    sums: tuple
    slopes: tuple
    logits: np.ndarray
    outputs: np.ndarray
    jacobian: np.ndarray

    @property
    def active(self) -> tuple[np.ndarray, ...]:
        """(neurons,) bool for each hidden layer: whether the sum is above 0."""
        return tuple(z > 0 for z in self.sums)

    def nearest(self) -> tuple[float, tuple[int, int] | None]:
        """(distance, (layer, unit)): the nearest boundary, to first order, in world units; (inf, None) for none.

        Exact where the network is linear all the way there.
        """
        best: tuple[float, tuple[int, int] | None] = (np.inf, None)
        for layer, (z, slope) in enumerate(zip(self.sums, self.slopes, strict=True)):
            steep = np.hypot(*slope.T)
            with np.errstate(divide="ignore", invalid="ignore"):
                distance = np.where(steep > 0, abs(z) / steep, np.inf)
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
            slope = layer.activation.slope(sums[-1])[:, None] * slopes[-1]
    return Local(tuple(sums[:-1]), tuple(slopes[:-1]), sums[-1], h, slopes[-1])
