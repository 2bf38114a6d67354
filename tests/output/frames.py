"""Pictures to write: what they show is known from a formula."""

import numpy as np


def smooth(count=6, size=(48, 32)):
    """Shaded balls that move over a dark ground: a list of (H, W, 4) uint8 with thousands of colours."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width]
    frames = []
    for k in range(count):
        angle = 2.0 * np.pi * k / count
        middle = np.array([width / 2 + width / 4 * np.cos(angle), height / 2 + height / 4 * np.sin(angle)])
        far = np.hypot(x - middle[0], y - middle[1]) / (height / 3)
        light = np.sqrt(np.clip(1.0 - far**2, 0.0, 1.0))
        ground = np.stack([18 + 10 * y / height, 22 + 10 * y / height, 34 + 14 * x / width], axis=-1)
        ball = np.stack([60 + 40 * x / width, 90 + 150 * light, 120 + 100 * light * y / height], axis=-1)
        rgb = np.where((far < 1.0)[..., None], ball, ground)
        frames.append(np.dstack([np.round(rgb).astype(np.uint8), np.full((height, width), 255, np.uint8)]))
    return frames


def flat(count=4, size=(20, 12), colours=5):
    """Stripes of a few plain colours that move by one pixel a frame."""
    width, height = size
    table = np.random.default_rng(1).integers(0, 256, (colours, 3), dtype=np.uint8)
    return [table[(np.arange(width)[None, :] + np.arange(height)[:, None] + k) % colours] for k in range(count)]


def written(form, pixels, order=None):
    """The file's bytes; `order` packs the bands in another order than they stand in."""
    parts = [pixels[y : y + form.rows] for y in range(0, len(pixels), form.rows)]
    packed = {k: form.band(np.ascontiguousarray(parts[k])) for k in order or range(len(parts))}
    tail, patches = form.tail([packed[k][1] for k in range(len(parts))])
    data = bytearray(form.head() + b"".join(packed[k][0] for k in range(len(parts))) + tail)
    for place, patch in patches:
        data[place : place + len(patch)] = patch
    return bytes(data)
