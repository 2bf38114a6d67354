"""Common image files as uint8 arrays, read by Pillow, which is imported only when needed."""

import io
import os
import warnings
from typing import Any

import numpy as np

from engine.errors import FileError
from engine.formats.files import opened, short

# Pillow can open more kinds, but passes EPS to another program, which is unsafe for files of strangers.
USUAL_KINDS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "PPM", "TGA")
KINDS = (*USUAL_KINDS, "MPO", "ICO", "AVIF", "JPEG2000")
# As RGBA this is 400 MB; hardly any camera has more pixels.
MAX_PIXELS = 100_000_000
WHITE = (255, 255, 255, 255)


def load(path: str | os.PathLike) -> np.ndarray:
    """(H, W) or (H, W, 3) uint8 sRGB of an image file: rotated by its EXIF, transparent parts on white.

    Of an animation, the first frame. Raises FileError for other or damaged files, and for more than MAX_PIXELS.
    """
    with opened(path, "picture") as (stream, _):
        return _read(stream, short(path, 200), KINDS)


def to_png(pixels: np.ndarray) -> bytes:
    """The bytes of a PNG file of (H, W) or (H, W, 3) uint8."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def from_png(data: bytes, name: str = "the stored image") -> np.ndarray:
    """(H, W) or (H, W, 3) uint8 from the bytes of a PNG file. Raises FileError for other bytes."""
    return _read(io.BytesIO(data), name, ("PNG",))


def _read(stream, name, kinds):
    from PIL import Image, UnidentifiedImageError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are about metadata, which does not change the pixels
        Image.init()
        try:
            with Image.open(stream, formats=[kind for kind in kinds if kind in Image.OPEN]) as image:
                return to_array(image, name)
        except (FileError, MemoryError):
            raise
        except UnidentifiedImageError:
            read = ", ".join(USUAL_KINDS)
            raise FileError(f"{name} is not a picture that is read; {read} are. Save it as PNG or JPEG.") from None
        except Image.DecompressionBombError:
            raise _too_large(name, "too large") from None
        except Exception as error:  # decoders raise anything for damaged or malicious files
            raise FileError(f"{name} cannot be read as a picture: {short(error, 120)}. Save it again.") from None


def to_array(image: Any, name: str) -> np.ndarray:
    """(H, W) or (H, W, 3) uint8 of a Pillow image, decoded if necessary."""
    from PIL import Image, ImageOps

    width, height = image.size
    if width * height > MAX_PIXELS:
        raise _too_large(name, f"{width} x {height} pixels")
    image = ImageOps.exif_transpose(image)
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _deep(np.asarray(image), name)
    if image.has_transparency_data:
        background = Image.new("RGBA", image.size, WHITE)
        image = Image.alpha_composite(background, image.convert("RGBA")).convert("RGB")
    elif image.mode != "RGB":
        image = image.convert("L" if image.mode in ("1", "L") else "RGB")
    return np.asarray(image)


def _deep(values, name):
    """uint8 from greys with more than eight bits: integers up to 65535, or floats up to 1."""
    most = 1.0 if values.dtype.kind == "f" else 65535
    if not ((values >= 0) & (values <= most)).all():  # also refuses nan
        raise FileError(f"{name} has greys beyond 0 to {most}. Save it as PNG with 8 or 16 bits.")
    return np.rint(values * (255.0 / most)).astype(np.uint8)


def _too_large(name, size):
    return FileError(f"{name} is not decoded: it is {size}, over {MAX_PIXELS // 10**6} million. Make it smaller first.")
