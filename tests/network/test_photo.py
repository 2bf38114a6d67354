"""Photos made to fit keep their means, their middle and their proportions."""

import numpy as np
import pytest

from engine.errors import ShapeError
from engine.network.photo import fit

RNG = np.random.default_rng(2)


def test_a_photo_of_the_size_stays_as_it_is():
    photo = RNG.integers(0, 256, (7, 9, 3), dtype=np.uint8)
    assert np.array_equal(fit(photo, (7, 9)), photo)
    assert np.array_equal(fit(photo, (7, 9), "stretch"), photo)


def test_whole_blocks_become_their_means():
    blocks = RNG.integers(0, 256, (4, 5, 3), dtype=np.uint8)
    assert np.array_equal(fit(blocks.repeat(6, axis=0).repeat(6, axis=1), (4, 5)), blocks)


def test_a_shrunk_photo_keeps_its_mean():
    photo = RNG.integers(0, 256, (101, 87), dtype=np.uint8)
    # Each of 23 x 19 values is rounded to a whole number, evenly up and down.
    assert fit(photo, (23, 19), "stretch").mean() == pytest.approx(photo.mean(), abs=0.1)


def test_a_crop_takes_the_middle_and_keeps_proportions():
    photo = np.zeros((40, 100, 3), np.uint8)
    photo[:, 30:70] = 200
    assert (fit(photo, (20, 20)) == 200).all()
    assert (fit(photo.transpose(1, 0, 2), (20, 20)) == 200).all()
    assert fit(photo, (20, 20), "stretch").mean() == pytest.approx(80, abs=1)


def test_enlarging_goes_evenly_from_pixel_to_pixel():
    grown = fit(np.array([[0, 100, 200]], np.uint8), (4, 12), "stretch")[0, :, 0].astype(int)
    # Pixels' middles are 4 apart: steps of 25, flat past the outer ones.
    assert list(grown) == [0, 0, 12, 38, 62, 88, 112, 138, 162, 188, 200, 200]


@pytest.mark.parametrize("photo", [np.zeros((3, 3)), np.zeros((3, 3, 4), np.uint8), np.zeros((0, 3), np.uint8)])
def test_what_is_no_photo_is_refused(photo):
    with pytest.raises(ShapeError, match="uint8"):
        fit(photo, (2, 2))
