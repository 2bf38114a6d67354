"""The formats there are, by the ending of a path; one file each."""

import os
from importlib import import_module
from pathlib import Path

from engine.errors import FileError
from engine.formats.atomic import Beside, cannot_write

# Names, not classes: an encoder's libraries are loaded when a file of its kind is written.
WRITERS = {
    ".gif": "engine.output.writers.gif:GifWriter",
    ".mp4": "engine.output.writers.mp4:Mp4Writer",
    ".png": "engine.output.writers.png:PngWriter",
    ".tif": "engine.output.writers.tiff:TiffWriter",
    ".tiff": "engine.output.writers.tiff:TiffWriter",
    ".webm": "engine.output.writers.webm:WebmWriter",
    "/": "engine.output.writers.png_folder:PngFolderWriter",
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


def ending(path):
    """The key in WRITERS for a path; a trailing slash, or a folder that is there, means a folder of PNG files.

    Raises FileError naming the endings there are.
    """
    text = os.fspath(path)
    if text.endswith(("/", os.sep)) or (not Path(text).suffix and Path(text).is_dir()):
        return "/"
    found = Path(text).suffix.lower()
    if found not in WRITERS:
        known = ", ".join(key for key in WRITERS if key != "/")
        said = f"ends in {found}, which cannot be written" if found else "has no ending"
        raise FileError(f"{text} {said}. It may end in {known}, or in / for a folder of PNG files.")
    return found


def writer_class(path):
    """The class that writes what the path's ending says. Raises FileError for an unknown one."""
    module, _, name = WRITERS[ending(path)].partition(":")
    return getattr(import_module(module), name)


def bands_class(path):
    """The engine.output.writers.bands.Bands that a picture's ending names; its ending is a key of BANDS."""
    module, _, name = BANDS[ending(path)].partition(":")
    return getattr(import_module(module), name)


def open_writer(path, size, fps, text=None):
    """The engine.output.writers.frame_writer.WholeWriter for a path. Raises FileError when it cannot be written there."""
    return writer_class(path)(path, size, fps, text)


def vector_ending(path):
    """The key in VECTOR_WRITERS for a path. Raises FileError naming the endings there are."""
    found = Path(os.fspath(path)).suffix.lower()
    if found not in VECTOR_WRITERS:
        said = f"ends in {found}, which holds no drawing" if found else "has no ending"
        raise FileError(f"{os.fspath(path)} {said}. It may end in {', '.join(VECTOR_WRITERS)}.")
    return found


def encode_drawing(drawing, kind):
    """The bytes of a drawing as a file of a kind, a key of VECTOR_WRITERS."""
    module, _, name = VECTOR_WRITERS[kind].partition(":")
    return getattr(import_module(module), name)(drawing)


def save_drawing(drawing, path):
    """Writes a drawing as what the path's ending says; the file is there whole or not at all.

    Raises FileError for an unknown ending and for a path that cannot be written.
    """
    kind, beside = vector_ending(path), Beside(path)
    data = encode_drawing(drawing, kind)
    try:
        beside.path.write_bytes(data)
    except BaseException as error:
        beside.discard()
        if isinstance(error, OSError):
            raise cannot_write(beside.given, error) from None
        raise
    beside.commit()
