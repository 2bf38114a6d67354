"""256 colours for pictures of smooth surfaces: a palette from many frames, and ordered dithering to it.

Each colour is shown as a mixture of two palette entries, laid out by a fixed mask: what does not move between two
frames stays the same pixel for pixel, so a loop does not shimmer and compresses well. (Error diffusion looks as smooth
in a still, but one changed pixel changes all that follow.)
"""

import numpy as np
from PIL import Image

# Palette entries; the 256th says "as in the frame before".
COLOURS = 255
# Colours are told apart by their highest 7 bits; where frames have more different colours than this (noise), by 6 or 5,
# because the pair of entries is searched once a colour.
MOST_CELLS = 60_000
# How much a mixture's roughness counts against its error: at 0 far colours are mixed and the noise shows,
# at 1 hardly any are and the bands show. Looked at on marching loops.
ROUGHNESS = 0.2
NEAREST = 10


def mask(height, width):
    """(H, W) uint8 thresholds, evenly spread: interleaved gradient noise (Jimenez, "Next Generation Post Processing in
    Call of Duty", 2014), whose neighbours differ as much as blue noise's and whose rows compress better."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    noise = (52.9829189 * ((0.06711056 * x + 0.00583715 * y) % 1.0)) % 1.0
    return (noise * 256.0).astype(np.uint8)


def _codes(frame, bits):
    """(H, W) int32: the cell of the colour cube each pixel lies in."""
    cells = (frame >> (8 - bits)).astype(np.int32)
    return (cells[..., 0] << 2 * bits) | (cells[..., 1] << bits) | cells[..., 2]


def _cells(codes, bits):
    """(M, 3) float32: the middle of each cell, as colours 0..255."""
    one = (1 << bits) - 1
    parts = np.stack([codes >> 2 * bits, (codes >> bits) & one, codes & one], axis=1)
    wide = 1 << (8 - bits)
    return (parts * wide + (wide - 1) / 2.0).astype(np.float32)


def palette(frames):
    """(n, 3) uint8, n at most 255: colours that serve all frames, (H, W, 3) uint8 each.

    Median cut over the colours that occur, each counting by the root of its number of pixels: a dark ground
    covers half of most pictures, but must not take half of the palette.
    """
    # Two million pixels tell as much as all. Cells of 6 bits would do for the choice, but shift plain grounds a level.
    step = max(1, round((sum(f.shape[0] * f.shape[1] for f in frames) / 2_000_000) ** 0.5))
    counts = np.bincount(np.concatenate([_codes(frame[::step, ::step], 7).ravel() for frame in frames]))
    found = np.flatnonzero(counts)
    weight = np.sqrt(counts[found])
    repeat = np.maximum(1, np.round(weight / weight.sum() * 60_000)).astype(np.int64)
    colours = np.repeat(_cells(found, 7).astype(np.uint8), repeat, axis=0)
    drawn = Image.fromarray(colours[np.newaxis])
    chosen = drawn.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, kmeans=2).getpalette()
    return np.unique(np.array(chosen, np.uint8).reshape(-1, 3)[:COLOURS], axis=0)


def exact(frames):
    """(n, 3) uint8 sorted: all colours of the frames when there are at most 255, else None."""
    seen = np.zeros(0, np.int32)
    for frame in frames:
        seen = np.union1d(seen, _codes(frame, 8))
        if len(seen) > COLOURS:
            return None
    return np.round(_cells(seen, 8)).astype(np.uint8)


def mixtures(colours, entries):
    """For each colour the two entries to mix, and how much of the second.

    colours   (M, 3) float32
    entries   (n, 3) float32
    returns   first (M,), second (M,), share of the second in 256ths (M,), all uint8; squared error (M,)

    Of the entries near the colour the pair is taken whose mixture comes closest, less smooth pairs counting as further.
    """
    d = (colours**2).sum(1)[:, None] - 2.0 * colours @ entries.T + (entries**2).sum(1)
    n = min(NEAREST, len(entries))
    near = np.argpartition(d, n - 1, axis=1)[:, :n]
    rows = np.arange(len(colours))
    first = near[rows, np.take_along_axis(d, near, 1).argmin(1)]
    a = entries[first]
    across = entries[near] - a[:, None]
    length = (across**2).sum(2)
    share = np.clip(((colours - a)[:, None] * across).sum(2) / np.maximum(length, 1e-6), 0.0, 0.5)
    error = ((a[:, None] + share[..., None] * across - colours[:, None]) ** 2).sum(2)
    best = (error + ROUGHNESS * share * (1.0 - share) * length).argmin(1)
    shares = np.round(share[rows, best] * 256.0).astype(np.uint8)
    return first.astype(np.uint8), near[rows, best].astype(np.uint8), shares, error[rows, best]


def indices(frames, entries):
    """Each frame as (H, W) uint8 indices into the entries, dithered; and the root mean square error of all.

    frames    list of (H, W, 3) uint8, all of one size
    entries   (n, 3) uint8
    """
    for bits in (7, 6, 5):
        codes = [_codes(frame, bits) for frame in frames]
        counts = np.zeros(1 << 3 * bits, np.int64)
        for code in codes:
            counts += np.bincount(code.ravel(), minlength=len(counts))
        found = np.flatnonzero(counts)
        if len(found) <= MOST_CELLS:
            break
    first, second, share = (np.zeros(1 << 3 * bits, np.uint8) for _ in range(3))
    squares = 0.0
    for part in np.array_split(found, max(1, len(found) // 8192)):  # 8192 x 10 x 3 floats stay in the cache
        first[part], second[part], share[part], error = mixtures(_cells(part, bits), entries.astype(np.float32))
        squares += float(error @ counts[part])
    thresholds = mask(*frames[0].shape[:2])
    drawn = [np.where(thresholds < share[code], second[code], first[code]) for code in codes]
    return drawn, (squares / counts.sum()) ** 0.5


def exact_indices(frames, entries):
    """Each frame as (H, W) uint8 indices into the entries `exact` gave."""
    known = _codes(entries[np.newaxis], 8)[0]
    return [np.searchsorted(known, _codes(frame, 8)).astype(np.uint8) for frame in frames]
