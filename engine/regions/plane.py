"""A network on a plane of its inputs, in float64, and how far rounding may move its sums."""

from dataclasses import dataclass, field

import numpy as np

from engine.errors import NetworkError
from engine.network.history import Domain
from engine.network.mlp import Mlp

# Twice the rounding of one float64 operation.
EPSILON = 2.0**-52
# A sum's tolerance in estimated deviations. A boundary's vertex is computed by up to three weighted means, each off by
# a rounding or two, and neurons with common sources err together.
SAFETY = 32.0


@dataclass(frozen=True)
class PlaneLayer:
    """z = weights h + bias; then h = z above 0 and slope * z below.

    weights, bias   float64
    slope           0 for relu, 1 where nothing bends (identity)
    tolerance       (n,), sums so small are 0 to rounding; known when the points are
    """

    weights: np.ndarray
    bias: np.ndarray
    slope: float
    tolerance: np.ndarray = field(default_factory=lambda: np.zeros(1))

    @property
    def bends(self) -> bool:
        return self.slope != 1.0

    def sums(self, h: np.ndarray) -> np.ndarray:
        return h @ self.weights.T + self.bias

    def bent(self, z: np.ndarray) -> np.ndarray:
        """The responses to sums; it may take the place of those."""
        if self.slope == 0.0:
            return np.maximum(z, 0.0, out=z)
        return np.where(z > 0, z, self.slope * z) if self.bends else z

    def deviation(self, before: np.ndarray, h: np.ndarray) -> np.ndarray:
        """(n,): about how far the sums are off, at most over the points, one standard deviation.

        before   (m,), the deviation of each input
        h        (N, m), the inputs

        Errors of different inputs are taken for independent (Higham and Mary, "A new approach to probabilistic rounding
        error analysis", 2019): the bound of the worst case grows tenfold with each layer of 128, and would swallow
        what is there.
        """
        largest = np.abs(h).max(0)
        own = EPSILON * (np.abs(self.weights) @ largest + np.abs(self.bias))
        return np.sqrt(self.weights**2 @ before**2 + own**2) * max(1.0, abs(self.slope))


def folded(net: Mlp, domain: Domain | None = None) -> list[PlaneLayer]:
    """The layers of `net` as functions of world x and y; the plane goes into the first layer in float64.

    domain   Domain, the plane; None takes a network of two inputs as it is

    Raises NetworkError for hidden layers that are not piecewise linear and for a plane that does not fit the inputs.
    """
    inputs = 2 if domain is None else domain.origin.size
    if inputs != net.inputs:
        what = "no plane" if domain is None else f"a plane through {inputs} inputs"
        raise NetworkError(f"{net} has {net.inputs} inputs, but {what} was given. Give a Domain.plane of its inputs.")
    layers = []
    for number, layer in enumerate(net.layers):
        slope = 1.0 if number == len(net.layers) - 1 else _slope(layer.activation, number, net)
        layers.append(PlaneLayer(layer.weights.astype(float), layer.bias.astype(float), slope))
    if domain is not None:
        first = layers[0]
        layers[0] = PlaneLayer(first.weights @ domain.axes.T, first.sums(domain.origin), first.slope)
    return layers


def _slope(activation, number, net):
    if activation.name not in ("relu", "leaky_relu", "identity"):
        raise NetworkError(
            f"Layer {number + 1} of {net} is {activation}, which bends everywhere: it has no linear regions. Exact "
            "regions need relu, leaky_relu or identity; boundaries on the screen are there for every activation."
        )
    return {"relu": 0.0, "identity": 1.0}.get(activation.name, activation.parameter)
