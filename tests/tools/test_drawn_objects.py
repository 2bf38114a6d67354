import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.errors import NeurosceneError
from tools.drawn.backgrounds import blurred
from tools.drawn.objects import KINDS, LARGEST, SIZE, draw, drawing
from tools.drawn.shapes import Pen, around, polar

ROOT = Path(__file__).resolve().parents[2]


def test_the_same_kind_seed_and_size_give_the_same_picture_in_another_process():
    code = "import zlib; from tools.drawn.objects import draw; print(zlib.crc32(draw('cat', 7).tobytes()))"
    runs = {
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True).stdout for _ in "ab"
    }
    assert len(runs) == 1
    assert np.array_equal(draw("cat", 7), draw("cat", 7))


@pytest.mark.parametrize("kind", KINDS)
def test_a_drawing_is_an_image_with_an_object_wholly_in_its_frame(kind):
    for seed in range(12):
        found = drawing(kind, seed, 64)
        assert found.image.shape == (64, 64, 3) and found.image.dtype == np.uint8
        assert found.cover.min() >= 0.0 and found.cover.max() == 1.0
        # No smaller than a quarter of the frame's side each way, taken together; no object fills all of it.
        assert 0.015 < found.cover.mean() < 0.7
        border = [found.cover[0], found.cover[-1], found.cover[:, 0], found.cover[:, -1]]
        assert max(edge.max() for edge in border) == 0.0


def test_kinds_are_distinguished_by_shape():
    """With the same seed every two kinds cover different pixels."""
    covers = [drawing(kind, 3, 48).cover > 0.5 for kind in KINDS]
    for i, one in enumerate(covers):
        for other in covers[:i]:
            assert (one ^ other).sum() > 0.1 * (one | other).sum()


def test_seeds_vary_place_size_colours_and_ground():
    images = np.stack([draw("star", seed, 32) for seed in range(8)]).astype(int)
    covers = np.stack([drawing("star", seed, 32).cover for seed in range(8)])
    for i in range(8):
        for j in range(i):
            assert np.abs(images[i] - images[j]).mean() > 8
            assert np.abs(covers[i] - covers[j]).max() > 0.5


def test_colours_say_nothing_of_the_kind():
    """The mean colours of any two kinds differ by what chance allows: 4 standard errors of 40 pictures each."""
    means = np.array([[draw(kind, seed, 16).mean(axis=(0, 1)) for seed in range(40)] for kind in KINDS])
    error = np.sqrt(means.var(axis=1) / 40)
    centre, spread = means.mean(axis=1), np.sqrt(error[:, None] ** 2 + error[None] ** 2)
    assert (np.abs(centre[:, None] - centre[None]) < 4 * spread + 1e-9).all()


def test_another_size_gives_the_same_picture():
    """Averaged over 24 x 24 cells; noise, and edges of a pixel's width, leave at most a few steps of 255."""
    for kind in ("boat", "cup", "flower"):
        small, large = (
            draw(kind, 5, n).astype(float).reshape(24, n // 24, 24, n // 24, 3).mean(axis=(1, 3)) for n in (96, 384)
        )
        assert np.abs(small - large).mean() < 3


def test_what_cannot_be_drawn_is_refused_in_a_line():
    with pytest.raises(NeurosceneError, match=r"no kind `hause`.*Near: house"):
        draw("hause", 0)
    with pytest.raises(NeurosceneError, match="Seed -1"):
        draw("cat", -1)
    for size in (0, LARGEST + 1):
        with pytest.raises(NeurosceneError, match=f"drawing of {size} pixels"):
            draw("cat", 0, size)


def pen(n=200):
    steps = (np.arange(n, dtype=np.float32) + 0.5) * (2.0 / n) - 1.0
    x, y = np.meshgrid(steps, -steps)
    return Pen(np.zeros((n, n, 3), np.float32), x, y, 2.0 / n, np.zeros(3))


SHAPES = {
    "circle": (lambda p: p.circle(0.1, 0.0, 0.5), np.pi * 0.25),
    "ring": (lambda p: p.ring(0.0, 0.1, 0.5, 0.2), np.pi * (0.36 - 0.16)),
    "ellipse": (lambda p: p.ellipse(0.0, 0.0, 0.8, 0.3, 0.7), np.pi * 0.24),
    "box": (lambda p: p.box(-0.5, -0.2, 0.3, 0.6), 0.64),
    "rounded box": (lambda p: p.box(-0.5, -0.2, 0.3, 0.6, 0.1), 0.64 - (4 - np.pi) * 0.01),
    "stroke": (lambda p: p.stroke([(-0.5, 0.0), (0.5, 0.0)], 0.2), 0.2 + np.pi * 0.01),
    "polygon": (lambda p: p.polygon([(-0.5, -0.5), (0.5, -0.5), (0.0, 0.5)]), 0.5),
    "star": (
        lambda p: p.polygon([polar(0.8 if k % 2 else 0.4, a) for k, a in enumerate(around(10, 0.3))]),
        10 * 0.5 * 0.8 * 0.4 * np.sin(np.pi / 5),
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_covers_its_area_and_its_distances_are_negative_inside(name):
    shape, area = SHAPES[name]
    p = pen()
    p.paint(shape(p), (1.0, 0.5, 0.25))
    # Edges are smoothed over a pixel of 0.01, evenly to both sides; corners lose a part of that squared.
    assert abs(p.cover.sum() * 0.01**2 - area) < 2e-3
    assert np.allclose(p.image, p.cover[..., None] * np.array([1.0, 0.5, 0.25]), atol=1e-6)


def test_a_blur_keeps_a_plain_image_and_the_mean_of_a_dot():
    plain = np.full((20, 30, 3), 0.3, np.float32)
    assert np.allclose(blurred(plain, 1.3), plain, atol=1e-6)
    dot = np.zeros((21, 21, 3), np.float32)
    dot[10, 10] = 1.0
    soft = blurred(dot, 1.0)
    assert np.allclose(soft.sum(axis=(0, 1)), 1.0, atol=1e-5)
    # The peak of a Gaussian of deviation 1 sampled at whole numbers, cut at 3.
    weights = np.exp(-0.5 * np.arange(-3, 4) ** 2)
    assert np.allclose(soft[10, 10], (1 / weights.sum()) ** 2, atol=1e-6)


def test_the_networks_input_is_the_size_drawn():
    assert draw("sun", 1).shape == (SIZE, SIZE, 3)
