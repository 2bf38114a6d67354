"""The formats there are, by the ending of a path."""

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import FileError
from engine.formats.atomic import replacing

if TYPE_CHECKING:
    from engine.output.writers.bands import Bands
    from engine.output.writers.frame_writer import FrameText, FrameWriter
    from engine.vector.page import Drawing

# Names, not classes: an encoder's libraries are loaded when a file of its kind is written.
WRITERS = {
    ".gif": "engine.output.writers.gif:GifWriter",
    ".mp4": "engine.output.writers.video:VideoWriter",
    ".png": "engine.output.writers.png:PngWriter",
    ".tif": "engine.output.writers.tiff:TiffWriter",
    ".tiff": "engine.output.writers.tiff:TiffWriter",
    ".webm": "engine.output.writers.video:VideoWriter",
    "/": "engine.output.writers.png:PngFolderWriter",
}

# The formats of single pictures that are written band by band, however large.
BANDS = {
    ".png": "engine.output.writers.png_bands:PngBands",
    ".tif": "engine.output.writers.tiff:TiffBands",
    ".tiff": "engine.output.writers.tiff:TiffBands",
}

# The formats of drawings (engine.vector.page.Drawing): a function that gives the file's bytes.
VECTOR_WRITERS = {
    ".pdf": "engine.vector.pdf:encode",
    ".svg": "engine.vector.svg:encode",
}


def ending(path: str | os.PathLike) -> str:
    """The key in WRITERS for a path; a trailing slash, or a folder that exists, means a folder of PNG files.

    Raises FileError naming the endings there are.
    """
    text = os.fspath(path)
    if text.endswith(("/", os.sep)) or (not Path(text).suffix and Path(text).is_dir()):
        return "/"
    known = [key for key in WRITERS if key != "/"]
    return _suffix(text, known, "cannot be written", ", or in / for a folder of PNG files")


def vector_ending(path: str | os.PathLike) -> str:
    """The key in VECTOR_WRITERS for a path. Raises FileError naming the endings there are."""
    return _suffix(os.fspath(path), list(VECTOR_WRITERS), "holds no drawing")


def _suffix(path: str, known: list[str], wrong: str, more: str = "") -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in known:
        what = f"ends in {suffix}, which {wrong}" if suffix else "has no ending"
        raise FileError(f"{path} {what}. It may end in {', '.join(known)}{more}.")
    return suffix


def _loaded(place: str) -> Any:
    """What `module:name` names."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def writer_class(path: str | os.PathLike) -> "type[FrameWriter]":
    """The class that writes what the path's ending says. Raises FileError for an unknown one."""
    return _loaded(WRITERS[ending(path)])


def bands_class(path: str | os.PathLike) -> "type[Bands]":
    """The class of bands for a picture's ending, which is a key of BANDS."""
    return _loaded(BANDS[ending(path)])


def open_writer(
    path: str | os.PathLike, size: tuple[int, int], fps: float, text: "FrameText | None" = None
) -> "FrameWriter":
    """The FrameWriter for a path. Raises FileError when it cannot be written there."""
    return writer_class(path)(path, size, fps, text)


def encode_drawing(drawing: "Drawing", kind: str) -> bytes:
    """The bytes of a drawing as a file of a kind, a key of VECTOR_WRITERS."""
    return _loaded(VECTOR_WRITERS[kind])(drawing)


def save_drawing(drawing: "Drawing", path: str | os.PathLike) -> None:
    """Writes a drawing as what the path's ending says; the file is there whole or not at all.

    Raises FileError for an unknown ending and for a path that cannot be written.
    """
    kind = vector_ending(path)
    with replacing(path) as stream:
        stream.write(encode_drawing(drawing, kind))
