"""The formats there are, by the ending of a path; one file each."""

import os
from importlib import import_module
from pathlib import Path

from engine.errors import FileError

# Names, not classes: an encoder's libraries are loaded when a file of its kind is written.
WRITERS = {
    ".gif": "engine.target.writers.gif:GifWriter",
    ".mp4": "engine.target.writers.mp4:Mp4Writer",
    ".png": "engine.target.writers.png:PngWriter",
    ".tif": "engine.target.writers.tiff:TiffWriter",
    ".tiff": "engine.target.writers.tiff:TiffWriter",
    ".webm": "engine.target.writers.webm:WebmWriter",
    "/": "engine.target.writers.png_folder:PngFolderWriter",
}

# The formats of single pictures that are written band by band, however large.
BANDS = {
    ".png": "engine.target.writers.png_bands:PngBands",
    ".tif": "engine.target.writers.tiff:TiffBands",
    ".tiff": "engine.target.writers.tiff:TiffBands",
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
    """The engine.target.writers.bands.Bands that a picture's ending names; its ending is a key of BANDS."""
    module, _, name = BANDS[ending(path)].partition(":")
    return getattr(import_module(module), name)


def open_writer(path, size, fps, text=None):
    """The engine.target.contract.Writer for a path. Raises FileError when it cannot be written there."""
    return writer_class(path)(path, size, fps, text)
