"""A network's diagram in numbers: where its nodes stand, and which weights are drawn how strongly."""

from collections.abc import Sequence

import numpy as np

from engine.network.mlp import Mlp

# Lines drawn; of more weights the strongest.
MOST = 1500
# Pixels: two nodes of a column at most apart, a node's radius at most, the whole's height between these.
GAP, RADIUS = 16.0, 5.5
HEIGHT = (96.0, 272.0)


def height_of(sizes: Sequence[int]) -> float:
    """Pixels a diagram of layers so wide is high."""
    return min(max((max(sizes) + 1) * GAP, HEIGHT[0]), HEIGHT[1])


def nodes(sizes: Sequence[int], width: float, height: float) -> tuple[list[np.ndarray], list[float]]:
    """([(n, 2)] the places of each layer's nodes in an area, [radius] of each layer's)."""
    gaps = [min(GAP, height / n) for n in sizes]
    across = np.linspace(RADIUS + 1.0, width - RADIUS - 1.0, len(sizes))
    made = [np.stack([np.full(n, x), height / 2 + (np.arange(n) - (n - 1) / 2) * gap], 1)
            for n, x, gap in zip(sizes, across, gaps, strict=True)]  # fmt: skip
    return made, [min(RADIUS, max(0.42 * gap, 0.8)) for gap in gaps]


def shares(counts: Sequence[int], most: int) -> list[int]:
    """How many of each layer's weights are drawn, `most` in all: small layers whole, the others alike."""
    made, left = dict.fromkeys(range(len(counts)), 0), most
    for done, k in enumerate(sorted(made, key=lambda k: counts[k])):
        made[k] = min(counts[k], left // (len(counts) - done))
        left -= made[k]
    return list(made.values())


class Edges:
    """A network's weights as lines, weakest first.

    ends       (E, 3) whole numbers: layer, input node, output node
    values     (E,) the weights
    strengths  (E,) 0 to 1: their size against `scale`

    net     the Mlp
    scale   size of a weight of strength 1; None for the largest
    of      (column, node) whose weights alone are wanted, column 0 the inputs; None for the strongest of each layer,
            `most` in all
    """

    def __init__(self, net: Mlp, scale: float | None = None, *, of: tuple[int, int] | None = None, most: int = MOST):
        values = np.concatenate([layer.weights.ravel() for layer in net.layers]).astype(float)
        sizes = np.abs(values)
        scale = scale or float(sizes.max(initial=0.0)) or 1.0
        starts = np.cumsum([0, *(layer.weights.size for layer in net.layers)])
        chosen = np.arange(sizes.size)
        if of is None and sizes.size > most:
            few = shares(np.diff(starts).tolist(), most)
            chosen = np.concatenate([a + np.argpartition(sizes[a:b], b - a - n)[b - a - n :]
                                   for a, b, n in zip(starts, starts[1:], few, strict=False)])  # fmt: skip
        chosen = chosen[np.argsort(sizes[chosen], kind="stable")]
        chosen = chosen[sizes[chosen] > 0.0]
        layers = np.searchsorted(starts, chosen, side="right") - 1
        inputs = np.array([layer.weights.shape[1] for layer in net.layers])[layers]
        outputs, inputs = np.divmod(chosen - starts[layers], inputs)
        if of is not None:
            mine = ((layers == of[0]) & (inputs == of[1])) | ((layers == of[0] - 1) & (outputs == of[1]))
            chosen, layers, inputs, outputs = chosen[mine], layers[mine], inputs[mine], outputs[mine]
        self.ends = np.stack([layers, inputs, outputs], 1)
        self.values, self.strengths = values[chosen], np.minimum(sizes[chosen] / scale, 1.0)
