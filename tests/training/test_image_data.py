"""Images as samples: what is drawn, how files are read, and where black ends and white begins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.errors import FileError, NeurosceneError, SettingError, ShapeError
from engine.formats import image as file
from engine.training.image_data import BOTTLE, GREY, SIDE_MAX, ImageData, bottle, from_png, otsu, shrunk, to_png

RNG = np.random.default_rng(8)
HALVES = np.repeat([[0, 255]], 6, axis=0).repeat(3, axis=1).astype(np.uint8)


def values(source, **more):
    return ImageData.from_image(source, task="values", **more)


# The bottle.


@pytest.mark.parametrize("side", [64, 200, 333])
def test_the_bottle_is_black_and_white_and_the_same_in_a_mirror(side):
    picture = bottle(side)
    assert picture.shape == (side, side) and picture.dtype == np.uint8 and set(np.unique(picture)) == {0, 255}
    assert np.array_equal(picture, picture[:, ::-1])


def runs_of(line):
    """The lengths of the runs of one colour in a line of pixels, and the first colour."""
    edges = np.flatnonzero(np.diff(line.astype(int))) + 1
    return np.diff([0, *edges, len(line)]), line[0]


def test_the_bottle_has_cap_neck_shoulders_body_and_a_label_with_a_line_in_it():
    picture = bottle(200)
    black = (picture == 0).sum(axis=1)
    inside = np.flatnonzero(black)
    assert inside.max() - inside.min() > 0.9 * 200  # nearly full height
    cap, neck, body = black[15], black[40], black[100]
    assert neck < cap < body and abs(body - 100) <= 1  # half the width
    assert (np.diff(black[52:92]) >= 0).all() and black[52] < black[72] < black[92]  # shoulders slope
    # Across the label's middle: ground, body, label, line, label, line, label, body, ground.
    lengths, first = runs_of(picture[143])
    assert first == 255 and len(lengths) == 9 and lengths[3] == lengths[5] <= 5


def test_a_bottle_of_another_side_is_the_same_bottle():
    # Half a pixel of the smaller about every edge may fall on either side; the outlines are about ten sides long.
    small = bottle(100).repeat(4, axis=0).repeat(4, axis=1)
    assert (small != bottle(400)).mean() < 10 * 0.5 / 100


# Samples.


def test_a_sample_s_input_is_its_row_and_column_by_the_longer_side():
    data = ImageData.from_image(HALVES[:, :6])
    assert data.points.dtype == np.float32 and data.targets.dtype == np.int64 and data.outputs == 2
    at = 2 * 6 + 4  # row 2, column 4 of a 6 x 6 image
    assert np.array_equal(data.points[at], np.float32([2 / 6, 4 / 6])) and data.targets[at] == 1
    assert np.array_equal(data.target, HALVES)


@pytest.mark.parametrize("shape", [(5, 9), (9, 5), (7, 7)])
def test_samples_lie_where_the_domain_has_their_pixels(shape):
    data = values(RNG.random(shape))
    world = data.domain.world(data.points).reshape(*shape, 2)
    side = max(shape)
    # Row r, column c of the target has its top left corner at (c, side - r) / side.
    assert np.allclose(world[..., 0], np.arange(shape[1]) / side, atol=1e-6)
    assert np.allclose(world[..., 1], 1 - np.arange(shape[0])[:, None] / side, atol=1e-6)


def test_values_are_the_pixels_in_grey_or_colour():
    colours = RNG.integers(0, 256, (8, 6, 3)).astype(np.uint8)
    data = values(colours, colour=True)
    assert data.outputs == 3 and np.array_equal(data.target, colours)
    assert np.array_equal(data.targets, colours.reshape(-1, 3).astype(np.float32) / np.float32(255))
    grey = values(colours)
    assert grey.outputs == 1 and np.abs(grey.target - colours @ GREY).max() <= 0.5 + 1e-9
    assert values(colours[..., 0], colour=True).target.shape == (8, 6, 3)


def test_the_bottle_is_learnt_as_it_is_drawn():
    data = ImageData.from_image(BOTTLE, side=200)
    assert np.array_equal(data.target, bottle(200)) and data.name == BOTTLE and data.targets.mean() > 0.5


# Averaging.


@given(st.integers(4, 40), st.integers(4, 40), st.integers(4, 40), st.integers(0, 2**31))
@settings(max_examples=40, deadline=None)
def test_averaging_is_by_area(height, width, side, seed):
    """Against an image in which every pixel is first cut into so many equal ones that pieces end on whole ones."""
    image = np.random.default_rng(seed).integers(0, 256, (height, width)).astype(np.uint8)
    data = values(image, side=side)
    rows, columns = data.target.shape
    fine = image.repeat(rows, axis=0).repeat(columns, axis=1).astype(float)
    exact = fine.reshape(rows, height, columns, width).mean(axis=(1, 3))
    assert max(rows, columns) == min(side, max(height, width))
    # Half a unit by rounding to bytes.
    assert np.abs(data.target - exact).max() <= 0.5 + 1e-9


def test_a_smaller_image_stays_as_it_is():
    image = RNG.integers(0, 256, (30, 20)).astype(np.uint8)
    assert np.array_equal(values(image, side=31).target, image)


# Classes.


def test_an_image_of_two_levels_is_parted_midway():
    dark = np.where(HALVES == 255, 140, 100).astype(np.uint8)
    data = ImageData.from_image(dark)
    assert data.threshold == 120 / 255 and np.array_equal(data.target, HALVES)


def test_otsu_is_the_level_that_parts_best():
    """Against the definition: the level whose two groups have the least variance within them."""
    for _ in range(20):
        greys = np.concatenate([RNG.normal(m, s, 200) for m, s in zip(RNG.integers(20, 235, 2), (9, 17), strict=True)])
        greys = np.clip(np.rint(greys), 0, 255).astype(int)

        def within(level, greys=greys):
            groups = greys[greys <= level], greys[greys > level]
            return sum(len(g) * g.var() for g in groups if len(g))

        least = min(within(t) for t in range(255))
        assert within(otsu(np.bincount(greys, minlength=256))) <= least * (1 + 1e-9)


def test_a_threshold_of_a_number_is_a_grey():
    ramp = np.tile(np.arange(256, dtype=np.uint8), (4, 1))
    for threshold in (0.0, 0.25, 0.999):
        data = ImageData.from_image(ramp, side=256, threshold=threshold)
        assert np.array_equal(data.targets[:256], np.arange(256) / 255 > threshold)


def test_white_stays_white_at_any_threshold_below_it():
    image = np.full((50, 50), 255, np.uint8)
    image[0, 0] = 0
    assert ImageData.from_image(image, side=7, threshold=0.999).targets.sum() == 48


@pytest.mark.parametrize(("threshold", "which"), [(0.9, "black"), (0.1, "white")])
def test_an_image_of_one_class_is_refused(threshold, which):
    ramp = np.linspace(0.2, 0.8, 64).reshape(8, 8)
    with pytest.raises(SettingError, match=f"{which} everywhere .* from 0.2 to 0.8"):
        ImageData.from_image(ramp, threshold=threshold)


@pytest.mark.parametrize("level", [0, 99, 255])
def test_an_image_of_one_grey_is_refused(level):
    with pytest.raises(SettingError, match="one grey everywhere"):
        ImageData.from_image(np.full((8, 8), level, np.uint8))


# Arrays.


def test_bools_bytes_and_floats_of_one_picture_are_one_picture():
    for same in (HALVES == 255, HALVES / 255.0, HALVES.astype(np.float32) / 255, HALVES.astype(np.uint16) * 257):
        assert np.array_equal(values(same).target, HALVES)


def test_what_is_transparent_lies_over_white():
    image = np.zeros((4, 4, 4), np.uint8)
    image[:2, :, 3] = 255
    assert np.array_equal(values(image).target, np.repeat([[0], [0], [255], [255]], 4, axis=1))


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (np.zeros((3, 20, 20)), r"\(3, 20, 20\)"),
        (np.zeros((0, 4)), "not"),
        (np.zeros(9), "not"),
        (np.full((4, 4), 1.5), "from 0 to 1"),
        (np.full((4, 4), np.nan), "from 0 to 1"),
        (np.zeros((4, 4), np.int64), "int64"),
        ([["a", "b"], ["c", "d"]], "not"),
        (object(), "not"),
    ],
)
def test_an_array_that_is_no_image_is_reported(source, says):
    with pytest.raises(ShapeError, match=says):
        ImageData.from_image(source)


@pytest.mark.parametrize(
    "wrong",
    [
        {"side": 3},
        {"side": SIDE_MAX + 1},
        {"side": 20.0},
        {"side": True},
        {"threshold": 1.5},
        {"threshold": "dark"},
        {"threshold": float("nan")},
        {"task": "poetry"},
        {"colour": True},
    ],
)
def test_a_number_out_of_bounds_is_reported(wrong):
    with pytest.raises(SettingError):
        ImageData.from_image(BOTTLE, **wrong)


# Files.


@pytest.fixture
def saved(tmp_path):
    """Saves a PIL image and reads it back as samples of its values in colour."""

    def save(image, name, **more):
        image.save(tmp_path / name, **more)
        return values(str(tmp_path / name), colour=True).target

    return save


PHOTO = np.stack(np.broadcast_arrays(np.arange(12)[:, None] * 20, np.arange(9) * 25, 130), axis=2).astype(np.uint8)


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif", "a.ppm", "a.tga", "a.webp", "A.PNG"])
def test_every_kind_without_loss_is_read_to_the_bit(saved, name):
    more = {"lossless": True} if name.endswith("webp") else {}
    assert np.array_equal(saved(Image.fromarray(PHOTO), name, **more), PHOTO)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_the_picture(saved, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = saved(Image.fromarray(PHOTO), "a.png", exif=exif)
    # EXIF 2.3, 4.6.4, orientation: where row 0 and column 0 of the stored picture are to be seen.
    straight = {
        1: PHOTO,
        2: PHOTO[:, ::-1],
        3: PHOTO[::-1, ::-1],
        4: PHOTO[::-1],
        5: PHOTO.swapaxes(0, 1),
        6: PHOTO[::-1].swapaxes(0, 1),
        7: PHOTO[::-1, ::-1].swapaxes(0, 1),
        8: PHOTO[:, ::-1].swapaxes(0, 1),
    }
    assert np.array_equal(turned, straight[orientation])


def test_greys_of_sixteen_bits_are_rounded_to_eight(saved):
    deep = np.linspace(0, 65535, 96).astype(np.uint16).reshape(12, 8)
    found = saved(Image.fromarray(deep), "a.png")
    assert np.abs(found[..., 0] - deep / 257.0).max() <= 0.5 and found.max() == 255


def test_palettes_bits_and_alpha_are_colours(saved):
    indexed = Image.fromarray(HALVES).convert("RGB").quantize(2)
    assert np.array_equal(saved(indexed, "a.png")[..., 0], HALVES)
    assert np.array_equal(saved(Image.fromarray(HALVES).convert("1"), "a.tif")[..., 0], HALVES)
    half = Image.fromarray(np.dstack([np.zeros((4, 4, 3), np.uint8), np.full((4, 4), 128, np.uint8)]), "RGBA")
    # 128 / 255 black over white; PIL may round either way.
    assert np.abs(saved(half, "b.png").astype(int) - 127).max() <= 1
    clear = Image.new("P", (4, 4), 0)
    clear.putpalette([0, 0, 0, 9, 9, 9])
    assert (saved(clear, "c.png", transparency=0) == 255).all()


def test_four_inks_are_the_colours_they_print(saved):
    found = saved(Image.new("CMYK", (4, 4), (0, 255, 255, 0)), "a.jpg", quality=100)
    # Red, but for what the JPEG loses.
    assert np.abs(found.astype(int) - [255, 0, 0]).max() <= 6


def test_a_photo_is_read_close_to_what_it_was(saved):
    # JPEG at its best quality is a few units off.
    found = saved(Image.fromarray(PHOTO), "a.jpg", quality=100, subsampling=0)
    assert np.abs(found.astype(int) - PHOTO).max() <= 6


def test_of_an_animation_the_first_frame_is_read(saved):
    first, second = Image.fromarray(HALVES), Image.fromarray(255 - HALVES)
    assert np.array_equal(saved(first, "a.gif", save_all=True, append_images=[second])[..., 0], HALVES)


def test_a_picture_too_large_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    path = tmp_path / "bomb.png"
    Image.new("1", (10_500, 10_500)).save(path)

    def decode(self):
        raise AssertionError("it was decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decode)
    with pytest.raises(FileError, match="10500 x 10500 pixels, over 100 million"):
        values(path)


def test_a_picture_larger_than_pil_opens_is_the_same_line(tmp_path):
    path = tmp_path / "bomb.bmp"
    # A BMP's header alone: 30,000 by 30,000.
    head = b"BM" + (54).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little") + (40).to_bytes(4, "little")
    head += (30_000).to_bytes(4, "little") * 2 + (1).to_bytes(2, "little") + (24).to_bytes(2, "little") + bytes(24)
    path.write_bytes(head)
    with pytest.raises(FileError, match="over 100 million"):
        values(path)


def test_what_another_program_would_open_is_no_picture_here(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n")
    with pytest.raises(FileError, match="not a picture that is read"):
        values(path)


@given(cut=st.integers(0, 400), byte=st.integers(0, 255))
@settings(max_examples=40, deadline=None)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "GIF"])
def test_a_broken_picture_is_read_or_one_line(tmp_path_factory, kind, cut, byte):
    path = tmp_path_factory.mktemp("broken") / "a"
    Image.fromarray(PHOTO).save(path, kind)
    data = bytearray(path.read_bytes())
    data[cut % len(data)] = byte
    for broken in (data, data[:cut]):
        path.write_bytes(broken)
        try:
            assert values(path).target.ndim == 2
        except NeurosceneError as error:
            assert str(error).isprintable()


def test_a_file_that_is_not_there_names_the_near_ones(tmp_path):
    Image.fromarray(PHOTO).save(tmp_path / "photo.png")
    with pytest.raises(FileError, match=r"Near it: photo\.png"):
        values(tmp_path / "phto.png")
    (tmp_path / "phto.py").write_text("")
    with pytest.raises(FileError) as caught:
        values(tmp_path / "phto.png")
    assert "phto.py" not in str(caught.value)


def test_a_pil_image_is_as_good_as_its_file(tmp_path):
    assert np.array_equal(values(Image.fromarray(PHOTO), colour=True).target, PHOTO)


@pytest.mark.parametrize("pixels", [PHOTO, PHOTO[..., 0]], ids=["colour", "grey"])
def test_an_image_kept_as_png_comes_back_to_the_bit(pixels):
    assert np.array_equal(from_png(to_png(pixels)), pixels)


def test_bytes_that_are_no_png_are_reported():
    for data in (b"", b"GIF89a", to_png(PHOTO)[:55]):
        with pytest.raises(FileError, match="the stored image"):
            from_png(data)


def test_a_shrunk_image_is_the_one_that_is_learnt(tmp_path):
    image = RNG.integers(0, 256, (40, 30, 3)).astype(np.uint8)
    Image.fromarray(image).save(tmp_path / "a.png")
    assert np.array_equal(shrunk(tmp_path / "a.png", 20), values(image, side=20, colour=True).target)
    assert shrunk(image[..., 0], 20).shape == (20, 15)


def test_the_list_of_kinds_has_none_that_starts_a_program():
    assert not {"EPS", "WMF", "PDF"} & set(file.KINDS)
