"""What is done to a photo before a network sees it."""

import numpy as np
import pytest

from engine.errors import NetworkError, ShapeError
from engine.network.preprocess import PREPROCESSES, Preprocess, fit, usual

PHOTO = np.random.default_rng(1).integers(0, 256, (5, 7, 3), np.uint8)

# By hand, from what each is defined as: a channel of 255 and one of 0.
ENDS = {
    "imagenet": ((1 - 0.485) / 0.229, -0.485 / 0.229),
    "caffe": (255 - 104.006988, -104.006988),  # the first channel is blue
    "caffe-rgb": (255 - 122.678914, -122.678914),
    "0..1": (1.0, 0.0),
    "-1..1": (1.0, -1.0),
    "0..255": (255.0, 0.0),
}


@pytest.mark.parametrize("name", PREPROCESSES)
def test_white_and_black_become_what_the_name_says(name):
    how = usual(name, (3, 5, 7))
    ends = [how(np.full((5, 7, 3), value, np.uint8))[0, 0, 0] for value in (255, 0)]
    assert ends == pytest.approx(ENDS[name], rel=1e-6)  # float32


@pytest.mark.parametrize("name", PREPROCESSES)
def test_channels_come_in_the_networks_order(name):
    how = usual(name, (3, 5, 7))
    found = how(PHOTO)
    assert found.shape == (3, 5, 7) and found.dtype == np.float32 and found.flags.c_contiguous
    turn = -1 if how.order == "bgr" else 1
    whole = PHOTO[..., ::turn].transpose(2, 0, 1) / 255.0 * how.scale
    truth = (whole - np.reshape(how.mean, (3, 1, 1))) / np.reshape(how.std, (3, 1, 1))
    assert np.abs(found - truth).max() < 1e-6 * np.abs(truth).max()  # float32
    assert np.array_equal(how(PHOTO / 255.0), found)


@pytest.mark.parametrize("name", PREPROCESSES)
def test_a_grey_input_takes_one_number_of_all_three(name):
    how, colours = usual(name, (1, 5, 7)), usual(name, (3, 5, 7))
    assert how.order == "grey" and how.mean[0] == pytest.approx(np.mean(colours.mean))
    even = np.repeat(PHOTO[..., :1], 3, axis=2)
    # The weights of red, green and blue sum to 1: a grey photo is its own grey.
    truth = (even[..., 0] / 255.0 * how.scale - how.mean[0]) / how.std[0]
    assert how(even).shape == (1, 5, 7) and np.abs(how(even)[0] - truth).max() < 1e-5 * max(1.0, how.scale)


def test_sizes_and_names_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match=r"A photo is \(5, 7, 3\), but this network's input needs \(6, 7, 3\)"):
        usual("0..1", (3, 6, 7))(PHOTO)
    with pytest.raises(NetworkError, match=r"There is no preprocess `ImageNet`.*Near: imagenet"):
        usual("ImageNet", (3, 5, 7))
    with pytest.raises(NetworkError, match="three channels, or one"):
        usual("0..1", (4, 5, 7))
    for wrong in ({"order": "gbr"}, {"resize": "squash"}, {"mean": (0,)}, {"std": (1, 0, 1)}, {"scale": 0},
                  {"mean": (0, np.nan, 0)}):  # fmt: skip
        with pytest.raises(NetworkError, match="A preprocess has"):
            Preprocess(**{"size": (5, 7), "mean": (0, 0, 0), "std": (1, 1, 1)} | wrong)


def test_another_size_changes_nothing_else():
    how = usual("caffe", (3, 5, 7))
    assert how.sized((8, 9)) == Preprocess((8, 9), how.mean, how.std, how.scale, how.order, how.resize)


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


def test_a_photo_is_shown_as_the_network_sees_it():
    grey, colour = usual("0..1", (1, 5, 7)), usual("0..1", (3, 5, 7))
    assert np.array_equal(colour.shown(PHOTO), PHOTO) and np.array_equal(colour.shown(PHOTO / 255.0), PHOTO)
    shown = grey.shown(PHOTO)
    assert shown.shape == PHOTO.shape and (shown == shown[..., :1]).all()
    assert np.abs(shown[..., 0] / 255.0 - grey(PHOTO)[0]).max() <= 0.5 / 255 + 1e-6
