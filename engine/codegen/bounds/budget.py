"""Which enclosure a network has, and how many surfaces along a ray are searched for."""

from engine.codegen.mlp.units import IDENTITY
from engine.network.mlp import Shape

# Units of a layer that is written out.
WIDEST = 64
SURFACES = 8  # one ray is asked for at most this many


def is_shallow(shape: Shape) -> bool:
    """True where slope bounds apply: one layer has an activation, and at most one affine layer follows.

    A wider layer goes through arrays, as deep networks do: written out it would compile for longer than 2 s.
    """
    first, *others = shape.activations
    if shape.sizes[1] > WIDEST or not all(a.rule.elementwise for a in first.kinds):
        return False
    return not others or (len(others) == 1 and others[0].kinds == (IDENTITY,))
