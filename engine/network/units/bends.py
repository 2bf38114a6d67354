"""Where units have boundaries: at the kinks of their activations, or where their sums are 0 if they bend smoothly."""

import numpy as np

from engine.network.activations import JOINT, Activation
from engine.network.mlp import Shape
from engine.network.units.mixed import LayerActivation, Mixed, runs

# Of a function that jumps again and again, such as floor, so many boundaries are shown to either side of 0.
REPEATS = 16


def kinks(activation: Activation) -> tuple[float, ...]:
    """z where an activation has a kink or a jump, ascending; of one that repeats REPEATS on either side of 0."""
    if not activation.rule.elementwise:
        return ()
    rule, a = activation.rule, activation.argument
    found = {*(float(z) for z, jump in rule.kinks(a) if jump), *map(float, rule.gaps(a))}
    if period := rule.period(a):
        found = {z + k * period for z in found for k in range(-REPEATS, REPEATS + 1)}
    return tuple(sorted(found))


def is_straight(activation: LayerActivation) -> bool:
    """True if a layer's activations consist of straight pieces, joined at kinks."""
    z = np.linspace(-16, 16, 257)
    kinds = activation.kinds
    return all(a.rule.elementwise and not a.rule.gaps(a.argument) and not np.any(a.curvature(z)) for a in kinds)


def places(activation: LayerActivation, units: int) -> list[tuple[float, ...]]:
    """For each unit of a layer, the sums at which it has a boundary; none for one that carries its sum on.

    A unit carries its sum on if it is an identity beside units that bend, or the second of a product's pair.
    """
    found: list[tuple[float, ...]] = []
    for each, _, count in runs(activation, units):
        if each.name in JOINT:
            found += [(0.0,), ()] * (count // 2)
        elif each.name == "identity" and isinstance(activation, Mixed):
            found += [()] * count
        else:
            found += [kinks(each) or (0.0,)] * count
    return found


def first_kinks(activation: LayerActivation, units: int) -> np.ndarray:
    """(units,): the sum at which each unit of a layer has its first kink; inf where it has none."""
    found = [np.full(run.units, min(kinks(run.activation), default=np.inf)) for run in runs(activation, units)]
    return np.concatenate(found)


def has_linear_regions(shape: Shape) -> bool:
    """True if a network consists of straight pieces up to its last activation."""
    return all(map(is_straight, shape.activations[:-1]))


def passing(shape: Shape) -> list[np.ndarray]:
    """For each hidden layer (units,) bool: which units carry their sums on, and so have no boundary."""
    layers = zip(shape.activations[:-1], shape.sizes[1:], strict=False)
    return [np.array([not some for some in places(activation, units)]) for activation, units in layers]
