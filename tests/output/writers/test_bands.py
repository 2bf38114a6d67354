"""Files written band by band: readable by other programs, exact, the same whatever the bands' order."""

import io
import zlib

import numpy as np
import pytest
from frames import smooth, written
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from engine.output.writers import tiff
from engine.output.writers.formats import BANDS, bands_class
from engine.output.writers.png_bands import PngBands, filtered, joined_adler
from engine.output.writers.tiff import TiffBands

# Of eight bits.
FORMATS = list(dict.fromkeys(bands_class(f"a{key}") for key in BANDS if key != ".exr"))


def picture(height, width, seed=0):
    rng = np.random.default_rng(seed)
    ground = np.linspace(0, 255, width * 3).reshape(1, width, 3) * np.linspace(0.2, 1, height)[:, None, None]
    return (ground + rng.uniform(-2, 2, (height, width, 3))).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (40, 31), (257, 64), (1, 50), (50, 1)])
@pytest.mark.parametrize("rows", [1, 7, 31, 100])
def test_what_was_written_is_read_back_exactly(form, size, rows):
    pixels = picture(size[1], size[0])
    image = Image.open(io.BytesIO(written(form(size, rows), pixels)))
    assert image.size == size and image.mode == "RGB"
    assert np.array_equal(np.asarray(image), pixels)


@pytest.mark.parametrize("form", FORMATS)
def test_the_order_in_which_bands_are_packed_changes_no_byte(form):
    pixels = smooth(1, size=(48, 40))[0][..., :3]
    make = lambda order: written(form((48, 40), 9, {"note": "a"}), pixels, order)
    assert make([4, 0, 2, 1, 3]) == make(None)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_the_checksum_of_two_stretches_is_that_of_both(first, second):
    both = joined_adler(zlib.adler32(first), zlib.adler32(second), len(second))
    assert both == zlib.adler32(first + second)


def test_the_checksum_holds_for_bands_far_longer_than_its_modulus():
    first, second = np.random.default_rng(1).bytes(10**6), b"\xff" * (3 * 10**6 + 1)
    assert joined_adler(zlib.adler32(first), zlib.adler32(second), len(second)) == zlib.adler32(first + second)


def test_each_row_has_the_filter_that_leaves_less():
    across = np.tile(np.arange(0, 250, 10, dtype=np.uint8)[:, None, None], (1, 30, 3))  # rows of one colour
    rows = filtered(across)
    assert (rows[:, 0] == 1).all() and not rows[:, 4:].any()
    down = np.random.default_rng(0).integers(0, 256, (1, 30, 3), np.uint8).repeat(20, axis=0)  # columns of one colour
    rows = filtered(down)
    assert rows[0, 0] == 1 and (rows[1:, 0] == 2).all() and not rows[1:, 1:].any()


def test_a_band_of_noise_is_not_larger_than_the_room_that_is_asked_for():
    # What prints ask the disk for: three bytes a pixel and a hundredth.
    noise = np.random.default_rng(3).integers(0, 256, (64, 500, 3), np.uint8)
    for form in FORMATS:
        assert len(form((500, 64), 64).band(noise)[0]) < noise.nbytes * 1.01


@pytest.mark.parametrize("length", [5, 5000])
def test_a_png_s_text_is_read_by_others(length):
    words = "ä" * length
    image = Image.open(io.BytesIO(written(PngBands((9, 8), 3, {"neuroscene": words}), picture(8, 9))))
    image.load()
    assert image.text["neuroscene"] == words and image.text["Software"] == "neuroscene"


@pytest.mark.parametrize("large", [False, True])
def test_a_tiff_says_its_size_in_print_and_how_it_was_made(large, monkeypatch):
    # 64-bit offsets where 32 might not do; here they are made not to do.
    if large:
        monkeypatch.setattr(tiff, "CLASSIC_BYTES", 0)
    pixels = picture(40, 30)
    data = written(TiffBands((30, 40), 9, {"neuroscene": '{"note":"ä"}'}), pixels)
    assert data[2] == (43 if large else 42)
    image = Image.open(io.BytesIO(data))
    assert np.array_equal(np.asarray(image), pixels)
    assert image.info["dpi"] == (300, 300) and image.tag_v2[305] == "neuroscene"
    assert image.tag_v2[270] == 'neuroscene: {"note":"\\xe4"}'


@pytest.mark.parametrize("large", [False, True])
def test_a_tiff_is_read_by_tifffile(large, monkeypatch):
    tifffile = pytest.importorskip("tifffile", reason="tifffile is what reads it")
    if large:
        monkeypatch.setattr(tiff, "CLASSIC_BYTES", 0)
    pixels = picture(40, 31)
    assert np.array_equal(tifffile.imread(io.BytesIO(written(TiffBands((31, 40), 9), pixels))), pixels)


def test_the_largest_print_needs_no_64_bit_offsets_and_a_larger_one_would():
    assert not TiffBands((32768, 32768), 32).is_big
    assert TiffBands((40000, 40000), 32).is_big


@pytest.mark.parametrize("key", BANDS)
def test_every_row_of_the_table_names_a_format_of_bands(key):
    form = bands_class("a" + key)((4, 4), 2)
    assert form.head() and form.band(np.zeros((2, 4, 3), np.uint8))[0]
