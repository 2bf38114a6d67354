"""The geometry of a network's diagram: where its nodes stand, and which weights are drawn how strongly.

Nodes are numbered column by column, the inputs first.
"""

from collections.abc import Sequence

import numpy as np

from engine.network.mlp import Mlp

# The most lines drawn; of more weights, the strongest.
MOST = 1500
# Pixels: the most between two nodes of a column, a node's largest radius; then the least and the greatest height.
GAP, RADIUS = 16.0, 5.5
HEIGHT = (96.0, 272.0)


def height_of(sizes: Sequence[int]) -> float:
    """The height in pixels of a diagram of layers of these sizes."""
    return min(max((max(sizes) + 1) * GAP, HEIGHT[0]), HEIGHT[1])


def nodes(sizes: Sequence[int], width: float, height: float) -> tuple[np.ndarray, np.ndarray]:
    """((N, 2) the places of the nodes in an area, (N,) their radii)."""
    gaps = np.minimum(GAP, height / np.array(sizes))
    across = np.linspace(RADIUS + 1.0, width - RADIUS - 1.0, len(sizes))
    down = [height / 2 + (np.arange(n) - (n - 1) / 2) * gap for n, gap in zip(sizes, gaps, strict=True)]
    radii = np.minimum(RADIUS, np.maximum(0.42 * gaps, 0.8))
    return np.stack([np.repeat(across, sizes), np.concatenate(down)], 1), np.repeat(radii, sizes)


def shares(counts: Sequence[int], most: int) -> list[int]:
    """How many of each layer's weights are drawn, `most` in all: all of small layers, equally many of the others."""
    made, left = dict.fromkeys(range(len(counts)), 0), most
    for done, k in enumerate(sorted(made, key=lambda k: counts[k])):
        made[k] = min(counts[k], left // (len(counts) - done))
        left -= made[k]
    return list(made.values())


class Edges:
    """A network's weights as lines, weakest first.

    ends       (E, 2) nodes: where a line begins and ends
    values     (E,) the weights
    strengths  (E,) 0 to 1: |weight| / `scale`

    net     the Mlp
    scale   |weight| of strength 1; None for the largest
    of      a node, of which alone all weights are drawn; None for the strongest of each layer, `most` in all
    """

    def __init__(self, net: Mlp, scale: float | None = None, *, of: int | None = None, most: int = MOST):
        layers = [layer.weights for layer in net.layers]
        values = np.concatenate([weights.ravel() for weights in layers]).astype(float)
        sizes = np.abs(values)
        # The numbers of layer k's input nodes begin at firsts[k], those of its weights at starts[k].
        firsts = np.cumsum([0, net.inputs, *(len(weights) for weights in layers)])
        starts = np.cumsum([0, *(weights.size for weights in layers)])
        which = np.repeat(np.arange(len(layers)), np.diff(starts))
        outputs, inputs = np.divmod(np.arange(sizes.size) - starts[which], np.diff(firsts)[which])
        ends = np.stack([firsts[which] + inputs, firsts[which + 1] + outputs], 1)
        if of is not None:
            chosen = np.flatnonzero((ends == of).any(1))
        elif sizes.size > most:
            few = shares(np.diff(starts).tolist(), most)
            parts = zip(starts, starts[1:], few, strict=False)
            chosen = np.concatenate([a + np.argpartition(sizes[a:b], b - a - n)[b - a - n :] for a, b, n in parts])
        else:
            chosen = np.arange(sizes.size)
        chosen = chosen[np.argsort(sizes[chosen], kind="stable")]
        chosen = chosen[sizes[chosen] > 0.0]
        largest = scale or float(sizes.max(initial=0.0)) or 1.0
        self.ends, self.values, self.strengths = ends[chosen], values[chosen], np.minimum(sizes[chosen] / largest, 1.0)
