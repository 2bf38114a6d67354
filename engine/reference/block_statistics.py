"""Mean and standard deviation of blocks of responses, in float64."""

import numpy as np


def block_statistics(blocks, over="block"):
    """[((C,), (C,))]: mean and standard deviation that each channel of each (C, H, W) block is measured by.

    over   block, channel, or shared: what the means are taken over
    """
    blocks = [np.asarray(b, float) for b in blocks]
    everything = np.concatenate([b.reshape(-1) for b in blocks])
    found = []
    for block in blocks:
        if over == "channel":
            pair = block.mean(axis=(1, 2)), block.std(axis=(1, 2))
        else:
            numbers = everything if over == "shared" else block
            pair = np.full(len(block), numbers.mean()), np.full(len(block), numbers.std())
        found.append(pair)
    return found
