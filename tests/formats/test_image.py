"""Images with more than eight bits, in every order of bytes; large ones in little memory; decoders that stay silent."""

import io
import logging
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from engine.errors import FileError
from engine.formats.image import from_png, load, to_png
from engine.network.preprocess import fit, white_of
from engine.training.image_data import ImageData, shrunk

RNG = np.random.default_rng(5)
GREY, COLOUR = (RNG.integers(0, 65536, shape).astype(np.uint16) for shape in ((7, 5), (7, 5, 3)))
ALPHA = RNG.integers(0, 65536, (7, 5, 1)).astype(np.uint16)


def png(values, kind):
    """A PNG of 16 bits, written by its specification. kind: its colour type."""
    height, width = values.shape[:2]
    rows = np.zeros((height, 1 + 2 * values[0].size), np.uint8)
    # Filter 2, Up: each byte is the difference from the one above.
    raw = values.astype(">u2").reshape(height, -1).view(np.uint8)
    rows[:, 0], rows[0, 1:], rows[1:, 1:] = 2, raw[0], raw[1:] - raw[:-1]
    stream = io.BytesIO(b"\x89PNG\r\n\x1a\n")
    stream.seek(0, io.SEEK_END)
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([16, kind, 0, 0, 0])
    for name, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b"")):
        PngImagePlugin.putchunk(stream, name, data)
    return stream.getvalue()


def tiff(values, order, *, colours=None, planes=1):
    """An uncompressed TIFF of 16 bits, written by its specification.

    order     `<` or `>`
    colours   5 for inks; None for greys or RGB
    planes    2 where every colour has a plane of its own, which takes a single row here
    """
    u2, u4 = np.dtype(order + "u2"), np.dtype(order + "u4")
    height, width = values.shape[:2]
    count = values.shape[2] if values.ndim == 3 else 1
    data = values.astype(u2).tobytes()
    tags = [(256, width), (257, height), (258, 16), (259, 1), (262, colours or (2 if count > 1 else 1)), (273, 8),
            (277, count), (278, height), (279, len(data)), (284, planes)]  # fmt: skip
    bits = 8 + len(data)
    out = (b"II" if order == "<" else b"MM") + np.array(42, u2).tobytes()
    out += (
        np.array(bits + 2 * count, u4).tobytes()
        + data
        + np.array([16] * count, u2).tobytes()
        + np.array(len(tags), u2).tobytes()
    )
    for tag, value in tags:
        wide = tag in (273, 279)
        out += np.array([tag, 4 if wide else 3], u2).tobytes()
        if tag == 258 and count > 1:
            out += np.array([count, bits], u4).tobytes()
        else:
            out += np.array(1, u4).tobytes() + np.array([value], u4 if wide else u2).tobytes().ljust(4, b"\0")
    return out + bytes(4)


def over_white(values, alpha):
    part = alpha / 65535
    return np.rint(values * part + 65535 * (1 - part)).astype(np.uint16)


FILES = {
    "grey.png": (png(GREY, 0), GREY),
    "colour.png": (png(COLOUR, 2), COLOUR),
    "grey alpha.png": (png(np.dstack([GREY, ALPHA]), 4), over_white(GREY, ALPHA[..., 0])),
    "alpha.png": (png(np.dstack([COLOUR, ALPHA]), 6), over_white(COLOUR, ALPHA)),
    **{f"grey{order}.tif": (tiff(GREY, order), GREY) for order in "<>"},
    **{f"colour{order}.tif": (tiff(COLOUR, order), COLOUR) for order in "<>"},
}


@pytest.mark.parametrize("name", FILES)
def test_all_sixteen_bits_of_a_file_are_read(name, tmp_path):
    data, values = FILES[name]
    (tmp_path / name).write_bytes(data)
    found = load(tmp_path / name)
    assert found.dtype == np.uint16 and found.shape == values.shape and np.array_equal(found[:], values)
    assert np.array_equal(found[2:4], values[2:4]) and np.array_equal(shrunk(tmp_path / name), values)


def test_a_file_that_libtiff_unpacks_has_all_its_bits_too(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.tif", compression="tiff_deflate")
    assert np.array_equal(load(tmp_path / "a.tif")[:], GREY)


@pytest.mark.parametrize("image", [GREY, COLOUR], ids=["grey", "colour"])
def test_an_image_of_sixteen_bits_that_a_picture_stores_comes_back_to_the_bit(image):
    assert np.array_equal(from_png(to_png(image)), image)


@pytest.mark.parametrize("bits", [8, 10, 12])
@pytest.mark.parametrize("image", [GREY, COLOUR], ids=["grey", "colour"])
def test_fewer_bits_in_sixteen_are_found_and_said_or_given(bits, image, tmp_path, caplog):
    low = image >> (16 - bits)
    low.flat[0] = white = 2**bits - 1
    (tmp_path / "a.png").write_bytes(png(low, 0 if low.ndim == 2 else 2))
    learnt = lambda **more: ImageData.from_image(tmp_path / "a.png", task="values", colour=True, **more).target
    wanted = low if low.ndim == 3 else np.repeat(low[..., None], 3, axis=2)
    with caplog.at_level(logging.WARNING):
        assert np.abs(learnt() - wanted * (255 / white)).max() <= 0.5
    assert "a.png" in caplog.text and f"{white:,} ({bits} bits)" in caplog.text and "white=65535" in caplog.text
    caplog.clear()
    assert np.abs(learnt(white=65535) - wanted / 257).max() <= 0.5 and caplog.text == ""
    assert np.abs(fit(low, low.shape[:2]) - wanted / white).max() < 1e-12


def test_a_dark_picture_is_taken_as_it_is_and_said_to_be_dark():
    dark = np.array([[16000, 0]], np.uint16)
    white, remark = white_of(dark)
    assert white == 65535 and "white=16383" in remark
    assert white_of(dark, 16383) == (16383, None) and white_of(np.array([[60000]], np.uint16)) == (65535, None)
    assert white_of(np.zeros((1, 1), np.uint8), 9) == (255, None)


PEAK = """
import sys
from engine.training.image_data import shrunk

def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

shrunk(sys.argv[1], 500)
before = peak()
shrunk(sys.argv[2], 500)
print((peak() - before) * 1024)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc tells the peak of memory")
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_a_large_image_is_in_memory_once_as_its_decoder_has_it(mode, tmp_path):
    sides = 1500, 4500
    for side in sides:
        Image.new(mode, (side, side)).save(tmp_path / f"{side}.png", compress_level=1)
    paths = [str(tmp_path / f"{side}.png") for side in sides]
    run = subprocess.run([sys.executable, "-c", PEAK, *paths], capture_output=True, text=True, check=True)
    # Pillow has four bytes a pixel of colours and one of greys; a quarter more for rows that are being converted.
    assert int(run.stdout) < (4 if mode != "L" else 1) * 1.25 * (sides[1] ** 2 - sides[0] ** 2) + (8 << 20)


def test_a_kind_that_takes_too_much_memory_is_refused_with_how_much(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.formats.image.MAX_BYTES", 2000)
    Image.new("RGB", (20, 20)).save(tmp_path / "a.webp")
    with pytest.raises(FileError, match=r"20 x 20 pixels of WEBP take .* over .* save it as JPEG"):
        load(tmp_path / "a.webp")
    Image.new("RGB", (20, 20)).save(tmp_path / "a.bmp")
    assert load(tmp_path / "a.bmp").shape == (20, 20, 3)


def test_a_large_jpeg_is_reduced_as_it_is_decoded(tmp_path, monkeypatch):
    y, x = np.mgrid[:400, :640]
    image = np.stack([x * 255 // 640, y * 255 // 400, 0 * x + 90], axis=2).astype(np.uint8)
    Image.fromarray(image).save(tmp_path / "a.jpg", quality=95)
    whole = shrunk(tmp_path / "a.jpg", 64)
    monkeypatch.setattr("engine.formats.image.DRAFTED_PIXELS", 1000)
    assert load(tmp_path / "a.jpg", 64).shape == (100, 160, 3)
    assert np.abs(shrunk(tmp_path / "a.jpg", 64).astype(int) - whole).max() <= 2


@pytest.mark.parametrize("colours", [2, 5])
def test_planes_of_16_bits_are_refused_with_what_to_do(tmp_path, colours):
    values = np.concatenate([COLOUR, ALPHA], axis=2) if colours == 5 else COLOUR
    (tmp_path / "a.tif").write_bytes(tiff(values, "<", colours=colours, planes=2))
    with pytest.raises(FileError, match="16 bits as a plane of its own, which is not read"):
        load(tmp_path / "a.tif")


def test_inks_of_16_bits_are_read_with_8_and_that_is_said(tmp_path, caplog):
    inks = np.concatenate([COLOUR, ALPHA], axis=2)
    (tmp_path / "a.tif").write_bytes(tiff(inks, ">", colours=5))
    Image.frombytes("CMYK", inks.shape[1::-1], (inks >> 8).astype(np.uint8).tobytes()).save(tmp_path / "b.tif")
    with caplog.at_level(logging.WARNING, "neuroscene"):
        first, second = (load(tmp_path / name)[:] for name in ("a.tif", "b.tif"))
    assert np.array_equal(first, second) and caplog.text.count("16 bits, of which 8 are read") == 1


def test_libtiff_says_nothing_of_its_own(tmp_path, capfd):
    Image.fromarray(np.repeat(GREY, 40, axis=0)).save(tmp_path / "a.tif", compression="tiff_lzw")
    data = bytearray((tmp_path / "a.tif").read_bytes())
    data[12:200] = bytes(188)
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(FileError, match="cannot be read as a picture"):
        load(tmp_path / "a.tif")
    print("heard", file=sys.stderr)
    assert capfd.readouterr().err == "heard\n"


def test_pillow_logs_nothing_of_its_own(tmp_path, caplog):
    sample = np.array([277, 3], "<u2").tobytes() + np.array([1, 3], "<u4").tobytes()
    data = tiff(COLOUR, "<")
    assert data.count(sample) == 1
    (tmp_path / "a.tif").write_bytes(data.replace(sample, sample[:8] + (2048).to_bytes(4, "little")))
    with pytest.raises(FileError):
        load(tmp_path / "a.tif")
    assert caplog.text == ""
