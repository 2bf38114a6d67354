"""The visible neurons of blocks, in float64, with the opacity, size and tone of each."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from engine.reference.block_statistics import block_statistics

FAINT = 0.01


def select_neurons(
    blocks: Sequence[ArrayLike],
    layouts: Sequence[Any],
    looks: Sequence[str],
    over: str = "block",
    *,
    which: Sequence[bool] | None = None,
    faint: float = FAINT,
) -> dict[str, np.ndarray]:
    """The visible neurons of (C, H, W) blocks: a dict of arrays, in the order of the neurons' numbers.

    layouts   with `positions(channel, row, column, number)`, of each block
    looks     features, pooled or classes
    which     (blocks,) bool: the others show none
    faint     least opacity that is seen
    returns   number (N,), block (N,), place (N, 3), value, opacity, size, tone and score (N,)

    Opacity, with u = a / std and e = (a - mean) / std of a response a: u^5 / 4^6, and 1 from u = 4 on; of an average
    pool (e + 1)^3 / 8. Size: 1.5, growing with e from 4 to 8 up to 3; of a class's probability p 10 sqrt(p), at least
    3. Tone: e / 8 in [0, 1]; of a class 2 + p.
    """
    parts, first = [], 0
    for k, (block, layout, look, (mean, std)) in enumerate(
        zip(blocks, layouts, looks, block_statistics(blocks, over), strict=True)
    ):
        a = np.asarray(block, float)
        mean, std = mean[:, None, None], std[:, None, None]
        known = std > 0
        score = (a - mean) / np.where(known, std, 1)
        size, tone = 1.5 * np.clip(score / 4, 1, 2), np.clip(score / 8, 0, 1)
        if look == "classes":
            opacity = np.ones_like(a)
            size, tone = np.maximum(3, 10 * np.sqrt(np.maximum(a, 0))), 2 + np.clip(a, 0, 1)
        elif look == "pooled":
            opacity = np.minimum(np.maximum(score + 1, 0) ** 3 / 8, 1) * known
        else:
            u = np.maximum(a / np.where(known, std, 1), 0)
            opacity = np.where(u >= 4, 1, u**5 / 4**6) * known
        channels, height, width = a.shape
        c, y, x = np.unravel_index(np.arange(a.size).reshape(a.shape), a.shape)
        number = (first + c // 4 * (height * width) + y * width + x) * 4 + c % 4
        seen = (opacity >= faint) & (which is None or which[k])
        place = layout.positions(c[seen], y[seen], x[seen], number[seen])
        parts.append(
            {"number": number[seen], "block": np.full(seen.sum(), k), "place": place, "value": a[seen]}
            | {"opacity": opacity[seen], "size": size[seen], "tone": tone[seen], "score": score[seen]}
        )
        first += -(-channels // 4) * height * width
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.argsort(found["number"])
    return {name: values[order] for name, values in found.items()}
