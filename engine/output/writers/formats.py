"""The tables of file formats, by the ending of a path."""

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import FileError
from engine.formats.atomic import replacing

if TYPE_CHECKING:
    from engine.output.writers.bands import Bands
    from engine.output.writers.frame_writer import FrameText, FrameWriter
    from engine.render.encoding import Encoding
    from engine.vector.page import Drawing

# Names instead of classes, so that an encoder's libraries are imported only when it is used.
WRITERS = {
    ".apng": "engine.output.writers.video:VideoWriter",
    ".exr": "engine.output.writers.exr:ExrWriter",
    ".gif": "engine.output.writers.gif:GifWriter",
    ".mov": "engine.output.writers.video:VideoWriter",
    ".mp4": "engine.output.writers.video:VideoWriter",
    ".png": "engine.output.writers.png:PngWriter",
    ".tif": "engine.output.writers.tiff:TiffWriter",
    ".tiff": "engine.output.writers.tiff:TiffWriter",
    ".webm": "engine.output.writers.video:VideoWriter",
    "/": "engine.output.writers.png:PngFolderWriter",
}

# The formats of single pictures that are written band by band, however large.
BANDS = {
    ".exr": "engine.output.writers.exr:ExrBands",
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

    Raises FileError for any other ending, listing these.
    """
    text = os.fspath(path)
    if text.endswith(("/", os.sep)) or (not Path(text).suffix and Path(text).is_dir()):
        return "/"
    known = [key for key in WRITERS if key != "/"]
    return _suffix(text, known, "cannot be written", ", or in / for a folder of PNG files")


def picture_ending(path: str | os.PathLike) -> str:
    """The key in BANDS for the path of one picture. Raises FileError for any other ending, listing these."""
    text = os.fspath(path)
    suffix = Path(text).suffix.lower()
    if text.endswith(("/", os.sep)) or (suffix in WRITERS and suffix not in BANDS):
        raise FileError(
            f"{text}: a picture is saved as {', '.join(BANDS)}. Films, and folders of pictures, are recorded."
        )
    return _suffix(text, list(BANDS), "cannot be written")


def vector_ending(path: str | os.PathLike) -> str:
    """The key in VECTOR_WRITERS for a path. Raises FileError for any other ending, listing these."""
    return _suffix(os.fspath(path), list(VECTOR_WRITERS), "holds no drawing")


def _suffix(path: str, known: list[str], wrong: str, more: str = "") -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in known:
        what = f"ends in {suffix}, which {wrong}" if suffix else "has no ending"
        raise FileError(f"{path} {what}. It may end in {', '.join(known)}{more}.")
    return suffix


def _loaded(place: str) -> Any:
    """The object that `module:name` names."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def writer_class(path: str | os.PathLike) -> "type[FrameWriter]":
    """The FrameWriter class for a path's ending. Raises FileError for an unknown ending."""
    return _loaded(WRITERS[ending(path)])


def bands_class(path: str | os.PathLike) -> "type[Bands]":
    """The Bands class for a path whose ending is a key of BANDS."""
    return _loaded(BANDS[ending(path)])


def encoding_of(path: str | os.PathLike, depth: int | None = None, alpha: bool = False) -> "Encoding":
    """The Encoding of pictures for a path; `-` is a PNG. See FrameWriter.encoding_of."""
    return writer_class("-.png" if path == "-" else path).encoding_of(os.fspath(path), depth, alpha)


def open_writer(
    path: str | os.PathLike, size: tuple[int, int], fps: float, text: "FrameText | None" = None,
    encoding: "Encoding | None" = None, quality: str = "good",
) -> "FrameWriter":  # fmt: skip
    """The FrameWriter for a path. Raises FileError if the path cannot be written.

    encoding   of the frames; None for the format's usual
    quality    of films that have one, see video.QUALITIES
    """
    kind = writer_class(path)
    return kind(path, size, fps, text, encoding or kind.encoding_of(os.fspath(path)), quality)


def encode_drawing(drawing: "Drawing", kind: str) -> bytes:
    """The bytes of a drawing as a file; `kind` is a key of VECTOR_WRITERS."""
    return _loaded(VECTOR_WRITERS[kind])(drawing)


def save_drawing(drawing: "Drawing", path: str | os.PathLike) -> None:
    """Writes a drawing in the format of the path's ending; the file appears whole or not at all.

    Raises FileError for an unknown ending and for a path that cannot be written.
    """
    kind = vector_ending(path)
    with replacing(path) as stream:
        stream.write(encode_drawing(drawing, kind))
