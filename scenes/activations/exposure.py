"""The exposure of a cloud: one factor of all dots' opacity, by which blocks of any network have bodies."""

from collections.abc import Iterable

import numpy as np

# The part of the light behind a block that its dots cover, on the average of a picture's blocks; the factor's range;
# how many neurons of a block are looked at.
BODY, LEAST, MOST, LOOKED_AT = 0.42, 1 / 64, 64.0, 20000


def opacities(responses: np.ndarray, deviations: np.ndarray) -> np.ndarray:
    """(N,) opacities, by the rule of the cloud, of some of a block's neurons, evenly chosen.

    responses    (C, H, W)
    deviations   (C,) of each channel, 0 or NaN where it is not known
    """
    known = np.where(deviations > 0.0, deviations, np.inf)
    step = max(1, responses.size // LOOKED_AT) | 1
    chosen = np.arange(0, responses.size, step)
    values = responses.reshape(-1)[chosen].astype(float)
    # What is no number, or infinite, covers nothing.
    values[~np.isfinite(values)] = 0.0
    u = np.clip(values / known[chosen // (responses.shape[1] * responses.shape[2])], 0.0, 4.0)
    return np.where(u < 4.0, np.minimum(u**5 / 4096.0, 1.0), 1.0)


def exposure(blocks: Iterable[tuple[np.ndarray, float]]) -> float:
    """The factor by which blocks on the average cover BODY, of two digits; 1 for blocks without responses.

    blocks   (opacities, how many dots in front of each other the block has in all) of each
    """
    seen = [(found, layers) for found, layers in blocks if found.any()]
    if not seen:
        return 1.0
    low, high = np.log(LEAST), np.log(MOST)
    for _ in range(24):
        middle = (low + high) / 2
        dense = np.mean([1 - np.exp(-layers * np.minimum(f * np.exp(middle), 1.0).mean()) for f, layers in seen])
        low, high = (middle, high) if dense < BODY else (low, middle)
    return float(f"{np.exp(low):.2g}")
