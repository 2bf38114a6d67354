"""A photo made ready for a network's input: cropped or stretched to its size."""

import numpy as np

from engine.errors import ShapeError


def fit(photo, size, resize="crop"):
    """(H, W, 3) uint8: a photo at a size.

    photo    (h, w) or (h, w, 3) uint8
    size     (H, W)
    resize   "crop": scaled until it covers the size, and the middle of it; "stretch": each side made to fit

    Where it gets smaller each pixel is the mean of what it covers; where it gets larger, between its neighbours.
    """
    photo = np.asarray(photo)
    if photo.dtype != np.uint8 or photo.ndim not in (2, 3) or 0 in photo.shape or photo.shape[2:] not in ((), (3,)):
        raise ShapeError(f"A photo is (h, w) or (h, w, 3) uint8, not {photo.shape} {photo.dtype}.")
    whole = photo.astype(float) if photo.ndim == 3 else np.repeat(photo[..., None].astype(float), 3, axis=2)
    spans = [(0.0, float(n)) for n in photo.shape[:2]]
    if resize == "crop":
        scale = min(n / wanted for n, wanted in zip(photo.shape[:2], size, strict=True))
        spans = [
            ((n - scale * wanted) / 2, (n + scale * wanted) / 2)
            for n, wanted in zip(photo.shape[:2], size, strict=True)
        ]
    rows = _resampled(whole, *spans[0], size[0])
    both = _resampled(rows.swapaxes(0, 1), *spans[1], size[1]).swapaxes(0, 1)
    return np.clip(np.rint(both), 0, 255).astype(np.uint8)


def _resampled(values, start, end, count):
    """`count` values along the first axis of what lies from start to end, in elements."""
    step = (end - start) / count
    if step <= 1.0:
        middles = np.clip(start + step * (np.arange(count) + 0.5) - 0.5, 0, len(values) - 1)
        low = np.minimum(middles.astype(int), max(len(values) - 2, 0))
        part = (middles - low).reshape(-1, *[1] * (values.ndim - 1))
        return values[low] * (1 - part) + values[np.minimum(low + 1, len(values) - 1)] * part
    edges = np.clip(start + step * np.arange(count + 1), 0, len(values))
    # Sums up to each edge: a mean is a difference of two.
    sums = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])
    whole = np.minimum(edges.astype(int), len(values) - 1)
    part = (edges - whole).reshape(-1, *[1] * (values.ndim - 1))
    at = sums[whole] + part * values[whole]
    return np.diff(at, axis=0) / step
