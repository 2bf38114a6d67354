"""256 colours for pictures of smooth surfaces: a palette for a few frames, and ordered dithering to it.

Each colour is a mixture of two palette entries, distributed by a fixed mask, so that a small motion changes few pixels.
(Error diffusion looks as smooth in a still picture, but one changed pixel there changes all that follow.)
"""

import numpy as np
from PIL import Image

# Palette entries; the 256th index means "as in the frame before".
COLOURS = 255
# Colours are told apart by their highest 7 bits; if frames have more colours than this (noise), by 6 or 5 bits,
# because a pair of entries is searched for each colour.
MOST_CELLS = 60_000
# The weight of a mixture's roughness against its error: at 0, distant colours are mixed and noise is visible; at 1,
# hardly any are mixed and bands are visible. Chosen by eye on loops of marching.
ROUGHNESS = 0.2
# Entries tried as the second of a pair.
NEAREST = 10
# Pixels given to median cut, each colour as often as its number of pixels to this power. On loops of marching 0.5 and
# 0.85 are worse. k-means, until fewer than SETTLED of them change their entry, improves the result by ten decibels.
SLOTS = 12_000
POWER = 0.7
SETTLED = 120
# A colour of at least this share of all pixels, such as a plain background, is itself an entry; so many at most.
COMMON, MOST_COMMON = 0.02, 8


def mask(height: int, width: int) -> np.ndarray:
    """(H, W) uint8 thresholds, evenly spread: interleaved gradient noise (Jimenez, "Next Generation Post Processing in
    Call of Duty", 2014), whose neighbours differ as much as blue noise's and whose rows compress better."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    noise = (52.9829189 * ((0.06711056 * x + 0.00583715 * y) % 1.0)) % 1.0
    return (noise * 256.0).astype(np.uint8)


def _codes(frame: np.ndarray, bits: int) -> np.ndarray:
    """(H, W) int32: the cell of the colour cube each pixel lies in."""
    cells = (frame >> (8 - bits)).astype(np.int32)
    return (cells[..., 0] << 2 * bits) | (cells[..., 1] << bits) | cells[..., 2]


def _cells(codes: np.ndarray, bits: int) -> np.ndarray:
    """(M, 3) float32: the colour 0..255 that stands for each cell: its middle, but 0 and 255 for the outermost."""
    one = (1 << bits) - 1
    parts = np.stack([codes >> 2 * bits, (codes >> bits) & one, codes & one], axis=1)
    wide = 1 << (8 - bits)
    return np.where(parts == 0, 0, np.where(parts == one, 255, parts * wide + (wide - 1) / 2.0)).astype(np.float32)


def palette(colours: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(n, 3) uint8, n at most 255: a palette for these colours.

    colours   (M, 3), 0..255
    counts    (M,), pixels that have each

    A colour that many pixels have is itself an entry. The other entries are chosen by median cut, with each colour's
    weight a power of its number of pixels (a dark background covers half of most pictures, but must not take half of
    the palette), then by k-means.
    """
    colours = np.round(colours).astype(np.uint8)
    common = np.flatnonzero(counts > COMMON * counts.sum())
    exact = colours[common[np.argsort(-counts[common], kind="stable")][:MOST_COMMON]]
    reach = np.cumsum(counts**POWER)
    sample = colours[np.searchsorted(reach, (np.arange(SLOTS) + 0.5) * reach[-1] / SLOTS)]
    drawn = Image.fromarray(sample[np.newaxis])
    chosen = drawn.quantize(COLOURS - len(exact), method=Image.Quantize.MEDIANCUT, kmeans=SETTLED).getpalette()
    return np.unique(np.concatenate([exact, np.array(chosen, np.uint8).reshape(-1, 3)[: COLOURS - len(exact)]]), axis=0)


def mixtures(colours: np.ndarray, entries: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each colour the two entries to mix, and how much of the second.

    colours   (M, 3) float32
    entries   (n, 3) uint8
    returns   first (M,), second (M,), share of the second in 256ths (M,), all uint8

    The first is the nearest entry. The second is the one near the first whose mixture with it is closest to the colour,
    with a penalty for pairs that are far apart.
    """
    entries = entries.astype(np.float32)
    first = np.argmin((entries**2).sum(1) - 2.0 * colours @ entries.T, axis=1)
    apart = ((entries[:, None] - entries) ** 2).sum(2)
    near = np.argsort(apart, axis=1)[:, : NEAREST + 1]
    # (n, K, 3): differences from each entry to its K nearest.
    across = entries[near] - entries[:, None]
    length = np.maximum((across**2).sum(2), 1e-6)
    offset = colours - entries[first]
    along = np.matmul(across[first], offset[:, :, None])[:, :, 0]
    share = np.clip(along / length[first], 0.0, 0.5)
    # |offset - share across|^2, without the term that is the same for all.
    error = share * (share * length[first] - 2.0 * along)
    best = (error + ROUGHNESS * share * (1.0 - share) * length[first]).argmin(1)
    rows = np.arange(len(colours))
    shares = np.round(share[rows, best] * 256.0).astype(np.uint8)
    return first.astype(np.uint8), near[first, best].astype(np.uint8), shares


def draw(frames: list[np.ndarray], wanted: list[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Frames in at most 255 colours: the entries (n, 3) uint8, and for each frame (H, W) uint8 indices into them.

    frames   list of (H, W, 3) uint8, all of one size
    wanted   list of (H, W) bool: the pixels to be drawn; the indices of all others are meaningless

    They are dithered; see `exact` for up to 255 colours.
    """
    for bits in (7, 6, 5):
        codes = [_codes(frame, bits) for frame in frames]
        counts = np.bincount(np.concatenate([c[w] for c, w in zip(codes, wanted, strict=True)]))
        found = np.flatnonzero(counts)
        if len(found) == 0:
            return np.zeros((1, 3), np.uint8), [np.zeros(f.shape[:2], np.uint8) for f in frames]
        if len(found) <= MOST_CELLS:
            break
    colours = _cells(found, bits)
    entries = palette(colours, counts[found])
    first, second, share = (np.zeros(1 << 3 * bits, np.uint8) for _ in range(3))
    for part in np.array_split(np.arange(len(found)), len(found) // 8192 + 1):  # 8192 x 10 x 3 floats stay in the cache
        first[found[part]], second[found[part]], share[found[part]] = mixtures(colours[part], entries)
    thresholds = mask(*frames[0].shape[:2])
    return entries, [np.where(thresholds < share[code], second[code], first[code]) for code in codes]


def exact(frames: list[np.ndarray], wanted: list[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]] | None:
    """As `draw`, without loss; None when there are more than 255 colours."""
    some = np.unique(np.concatenate([_codes(f, 5)[w] for f, w in zip(frames, wanted, strict=True)]))
    if not 0 < len(some) <= COLOURS:
        return None
    codes = [_codes(frame, 8) for frame in frames]
    known = np.unique(np.concatenate([np.unique(c[w]) for c, w in zip(codes, wanted, strict=True)]))
    if len(known) > COLOURS:
        return None
    entries = np.round(_cells(known, 8)).astype(np.uint8)
    # Pixels that are not wanted may get any valid index.
    return entries, [np.searchsorted(known, code).clip(0, len(known) - 1).astype(np.uint8) for code in codes]
