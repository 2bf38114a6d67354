"""Common image files, read by Pillow, which is imported only when needed: a few rows at a time, with up to 16 bits.

An image in memory is (H, W) grey or (H, W, 3) sRGB: uint8 with white at 255, or uint16 with
white where engine.network.preprocess.white_of says.
"""

import io
import logging
import os
import sys
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

from engine.diagnostics import log
from engine.errors import FileError
from engine.formats.files import opened, short, size_text
from engine.network.preprocess import DEEP

# Pillow can open more kinds, but passes EPS to another program, which is unsafe for files of strangers.
USUAL_KINDS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "PPM", "TGA")
KINDS = (*USUAL_KINDS, "MPO", "ICO", "AVIF", "JPEG2000")
# Texels by which steps are smoothed in a picture that is enlarged.
STEPS = 0.5
# Hardly any camera has more pixels.
MAX_PIXELS, MAX_SIDE = 100_000_000, 1 << 20
# Bytes of memory a pixel that kinds take to decode, where these are more than Pillow's own four; measured.
COSTS = {"JPEG": 10, "MPO": 10, "TIFF": 8, "GIF": 6, "WEBP": 13, "AVIF": 16, "JPEG2000": 24, "ICO": 12}
MAX_BYTES = 1 << 30
# A JPEG of more pixels is decoded at a half, a quarter or an eighth, by means of blocks, twice as fine as asked for.
DRAFTED_PIXELS = 16_000_000
WHITE = (255, 255, 255, 255)
# Pillow unpacks 16 bits to the upper 8; a file read in the other order of bytes gives the lower 8.
NATIVE = ("L", "B") if sys.byteorder == "little" else ("B", "L")
LOWER = {f"{mode};16{a}": f"{mode};16{b}" for mode in ("RGB", "RGBA") for a, b in ("LB", "BL", ("N", NATIVE[1]))}
GREY_ALPHA = "LA;16B"  # unpacked as four bytes: upper and lower of both
# {EXIF's orientation: (whether rows and columns are exchanged, then whether rows, columns are mirrored)}
TURNS = {2: (0, 0, 1), 3: (0, 1, 1), 4: (0, 1, 0), 5: (1, 0, 0), 6: (1, 0, 1), 7: (1, 1, 1), 8: (1, 1, 0)}
ORIENTATION = 0x0112
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# TIFF's: bits of a sample; whether each colour is a plane of its own (2).
BITS, PLANES = 258, 284


class Pixels:
    """The pixels of a Pillow image: rotated by its EXIF, transparent parts on white; `pixels[a:b]` is rows of them.

    shape   (H, W) or (H, W, 3)
    dtype   uint8 or uint16

    Only the rows asked for are converted, so that a large image is in memory once, as Pillow holds it.
    """

    def __init__(self, image: Any, name: str, lower: Any = None):
        self._image, self._lower, self._name = image, lower, name
        self._grey = image.mode in ("1", "L", "I", "F") or image.mode.startswith("I;16")
        self._is_deep = lower is not None or image.mode == "I" or image.mode.startswith("I;16")
        if lower is image or (image.has_transparency_data and image.mode in ("1", "L")):
            self._grey = lower is image
        self._turn = TURNS.get(image.getexif().get(ORIENTATION, 1), (0, 0, 0))
        size = image.size if self._turn[0] else image.size[::-1]
        self.shape: tuple[int, ...] = size if self._grey else (*size, 3)
        self.dtype = np.dtype(np.uint16 if self._is_deep else np.uint8)
        self.ndim = len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> np.ndarray:
        start, stop, _ = rows.indices(len(self))
        swaps, flips_rows, flips_columns = self._turn
        if flips_rows:
            start, stop = len(self) - stop, len(self) - start
        width, height = self._image.size
        box = (start, 0, stop, height) if swaps else (0, start, width, stop)
        found = self._converted(box)
        found = found.swapaxes(0, 1) if swaps else found
        return np.ascontiguousarray(found[:: -1 if flips_rows else 1, :: -1 if flips_columns else 1])

    def _converted(self, box: tuple[int, int, int, int]) -> np.ndarray:
        """The pixels of a box (left, top, right, bottom) of the image as it is stored."""
        from PIL import Image

        part = self._image.crop(box)
        if self._lower is not None:
            upper = np.asarray(part).astype(np.uint16)
            if self._lower is self._image:
                return _over_white(upper[..., :1] << 8 | upper[..., 1:2], upper[..., 2:3] << 8 | upper[..., 3:])[..., 0]
            both = upper << 8 | np.asarray(self._lower.crop(box))
            return both if both.shape[2] == 3 else _over_white(both[..., :3], both[..., 3:])
        if self._is_deep or part.mode == "F":
            return _checked(np.asarray(part), self._name)
        if self._image.has_transparency_data:
            background = Image.new("RGBA", part.size, WHITE)
            part = Image.alpha_composite(background, part.convert("RGBA")).convert("RGB")
        elif part.mode != "RGB":
            part = part.convert("L" if self._grey else "RGB")
        return np.asarray(part)


def load(path: str | os.PathLike, side: int | None = None) -> Pixels:
    """The Pixels of an image file; of an animation, the first frame.

    side   pixels of the longer side that are needed: a large JPEG may be decoded at a fraction of its size, twice that
           or more

    Raises FileError for other or damaged files, for more than MAX_PIXELS, and where decoding takes over MAX_BYTES.
    """
    with opened(path, "picture") as (stream, _):
        return _read(stream, short(path, 200), KINDS, side)


def to_png(pixels: np.ndarray) -> bytes:
    """The bytes of a PNG file of (H, W) or (H, W, 3) uint8 or uint16."""
    from PIL import Image, PngImagePlugin

    stream = io.BytesIO()
    if pixels.dtype == np.uint16 and pixels.ndim == 3:
        # Pillow writes no colours of 16 bits. A byte 0 before each row: it is stored as it is.
        height, width = pixels.shape[:2]
        rows = np.zeros((height, 1 + 6 * width), np.uint8)
        rows[:, 1:] = pixels.astype(">u2").reshape(height, -1).view(np.uint8)
        stream.write(PNG_SIGNATURE)
        header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([16, 2, 0, 0, 0])
        for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b"")):
            PngImagePlugin.putchunk(stream, kind, data)
    else:
        Image.fromarray(pixels).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def from_png(data: bytes, name: str = "the stored image") -> np.ndarray:
    """(H, W) or (H, W, 3), uint8 or uint16, from the bytes of a PNG file. Raises FileError for other bytes."""
    return _read(io.BytesIO(data), name, ("PNG",), None)[:]


def _read(stream, name, kinds, side):
    from PIL import Image, UnidentifiedImageError

    stream = _without_state(stream)
    with warnings.catch_warnings(), _unlogged():
        warnings.simplefilter("ignore")  # they are about metadata, which does not change the pixels
        Image.init()
        try:
            found = [kind for kind in kinds if kind in Image.OPEN]
            with Image.open(stream, formats=found) as image:
                return _decoded(image, lambda: Image.open(stream, formats=found), name, side)
        except (FileError, MemoryError):
            raise
        except UnidentifiedImageError:
            read = ", ".join(USUAL_KINDS)
            raise FileError(f"{name} is not a picture that is read; {read} are. Save it as PNG or JPEG.") from None
        except Image.DecompressionBombError:
            raise _too_large(name, "too large") from None
        except Exception as error:  # decoders raise anything for damaged or malicious files
            raise FileError(f"{name} cannot be read as a picture: {short(error, 120)}. Save it again.") from None


def _without_state(stream):
    """The stream; of a PNG of ours one without the state stored before its pixels: Pillow refuses long texts."""
    end, left_out = stream.seek(0, io.SEEK_END), False
    stream.seek(0)
    kept = [stream.read(8)]
    while kept[0] == PNG_SIGNATURE and len(head := stream.read(8)) == 8:
        # A chunk's length may be untrue, and memory is taken for what is asked for.
        length = min(int.from_bytes(head[:4], "big") + 4, end - stream.tell())
        data = b"" if head[4:] in (b"IDAT", b"IEND") else stream.read(length)
        if head[4:] == b"iTXt" and data.startswith(b"neuroscene"):
            left_out = True
            continue
        kept += [head, data]
        if not data:
            break
    if left_out:
        return io.BytesIO(b"".join([*kept, stream.read()]))
    stream.seek(0)
    return stream


def of_image(image: Any, name: str) -> Pixels:
    """The Pixels of a Pillow image, decoded if necessary."""
    _check_pixels(image, name)
    image.load()
    return Pixels(image, name)


def _decoded(image, again, name, side):
    """The Pixels of an image that Pillow has opened. again: a function that opens it a second time."""
    _check_pixels(image, name)
    width, height = image.size
    if side and width * height > DRAFTED_PIXELS and image.format in ("JPEG", "MPO"):
        scale = 2 * side / max(width, height)
        image.draft(None, (max(1, round(width * scale)), max(1, round(height * scale))))
        width, height = image.size
    if image.format == "TIFF":
        _check_tiff(image, name)
    raw = {_raw(tile) for tile in image.tile}
    is_deep = bool(raw) and raw <= set(LOWER)
    cost = width * height * COSTS.get(image.format, 4) * (1 + is_deep)
    if cost > MAX_BYTES:
        raise FileError(
            f"{name} is not decoded: {width} x {height} pixels of {image.format} take {size_text(cost)} of memory, "
            f"over {size_text(MAX_BYTES)}. Make it smaller first, or save it as JPEG."
        )
    with _silent() if image.format == "TIFF" else nullcontext():
        if raw == {GREY_ALPHA}:
            image.tile = [tile._replace(args="RGBA") for tile in image.tile]
            image._mode = "RGBA"
            image.load()
            return Pixels(image, name, image)
        image.load()
        if not is_deep:
            return Pixels(image, name)
        lower = again()
        lower.tile = [_lower(tile) for tile in lower.tile]
        lower.load()
        return Pixels(image, name, lower)


def _check_tiff(image, name):
    """Refuses planes of more than 8 bits, which Pillow takes for others; says where bits are left out."""
    bits = max((n for n in image.tag_v2.get(BITS, (1,)) if isinstance(n, int)), default=1)
    if bits > 8 and image.tag_v2.get(PLANES, 1) == 2 and len(image.getbands()) > 1:
        raise FileError(
            f"{name} holds each colour of {bits} bits as a plane of its own, which is not read. Save it as PNG, or as "
            "TIFF with the colours of a pixel beside each other (contiguous, `chunky`)."
        )
    if bits > 8 and image.mode == "CMYK":
        log.warning("%s: its inks have %d bits, of which 8 are read; an RGB image keeps 16.", name, bits)


def _raw(tile):
    """How Pillow will unpack a tile, such as "RGB;16B"."""
    return tile.args[0] if isinstance(tile.args, tuple) and tile.args else tile.args


def _lower(tile):
    other = LOWER[_raw(tile)]
    return tile._replace(args=(other, *tile.args[1:]) if isinstance(tile.args, tuple) else other)


def _over_white(values, alpha):
    part = alpha / DEEP
    return np.rint(values * part + DEEP * (1.0 - part)).astype(np.uint16)


def _checked(values, name):
    """uint16 from whole greys up to 65535, uint8 from floats up to 1."""
    most = 1.0 if values.dtype.kind == "f" else DEEP
    if not ((values >= 0) & (values <= most)).all():  # also refuses nan
        raise FileError(f"{name} has greys beyond 0 to {most}. Save it as PNG with 8 or 16 bits.")
    return np.rint(values * 255.0).astype(np.uint8) if most == 1.0 else values.astype(np.uint16)


def _check_pixels(image, name):
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise _too_large(name, f"{width} x {height} pixels")
    if max(width, height) > MAX_SIDE:
        raise FileError(f"{name} is not decoded: it is {width} x {height} pixels, over {MAX_SIDE:,} along a side.")


def _too_large(name, size):
    return FileError(f"{name} is not decoded: it is {size}, over {MAX_PIXELS // 10**6} million. Make it smaller first.")


@contextmanager
def _unlogged() -> Iterator[None]:
    """Without what Pillow logs of damaged files; its exceptions say it too."""
    logger = logging.getLogger("PIL")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


_stderr = threading.Lock()


@contextmanager
def _silent() -> Iterator[None]:
    """Keeps from stderr what libtiff itself prints there of damaged files; the exception says it too."""
    try:
        is_there = sys.__stderr__ is not None and sys.__stderr__.fileno() == 2
    except (OSError, ValueError):
        is_there = False
    if not is_there:
        yield
        return
    with _stderr, open(os.devnull, "wb") as nothing:
        kept = os.dup(2)
        try:
            os.dup2(nothing.fileno(), 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def enlarged(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W, 4) uint8 pixels at a larger (width, height): their steps smoothed, then by a cubic."""
    from PIL import Image, ImageFilter

    image = Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(STEPS))
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC))
