"""Mean and standard deviation of blocks of responses, in float64."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike


def block_statistics(blocks: Sequence[ArrayLike], over: str = "block") -> list[tuple[np.ndarray, np.ndarray]]:
    """[((C,), (C,))]: mean and standard deviation that normalise each channel of each (C, H, W) block.

    over   block, channel, or shared: what the means are taken over
    """
    arrays = [np.asarray(b, float) for b in blocks]
    everything = np.concatenate([b.reshape(-1) for b in arrays])
    found = []
    for block in arrays:
        if over == "channel":
            pair = block.mean(axis=(1, 2)), block.std(axis=(1, 2))
        else:
            numbers = everything if over == "shared" else block
            pair = np.full(len(block), numbers.mean()), np.full(len(block), numbers.std())
        found.append(pair)
    return found
