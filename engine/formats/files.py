"""Shared by all formats: limits of size, and opening files that may be malicious."""

import difflib
import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from engine.diagnostics import memory_bytes
from engine.errors import FileError, NetworkError

# A file beyond one of these limits is refused before memory is allocated. Reading may hold the file, its arrays and
# what is made of them at once, so it may have a quarter of the memory; what 2 GiB hold is read everywhere.
MAX_FILE_BYTES = max(512 << 20, memory_bytes() // 4)
MAX_WEIGHTS = MAX_FILE_BYTES // 4  # float32 numbers in such a file
MAX_LAYERS = 1000  # of code that is generated for one network; the deepest of our pictures has forty

# Endings of pictures, and of others that no network, history or list is read from, for messages.
PICTURES = {
    ".png", ".jpg", ".jpeg", ".jpe", ".tif", ".tiff", ".bmp", ".gif", ".webp", ".ppm", ".pgm",
    ".pbm", ".pnm", ".tga", ".ico", ".avif", ".jp2", ".mpo",
}  # fmt: skip
OTHERS = PICTURES | {".py", ".md", ".log", ".pdf", ".svg", ".html", ".exr", ".mp4", ".webm", ".mov", ".apng"}


def short(text: object, limit: int = 80) -> str:
    """A name from a file or a person, made printable and short for one line of a message."""
    text = "".join(c if c.isprintable() else "?" for c in str(text)[: limit + 1])
    return text if len(text) <= limit else text[: limit - 3] + "..."


def size_text(count: float) -> str:
    """A number of bytes as text with a unit."""
    units = ["bytes", "KiB", "MiB", "GiB"]
    while count >= 1024 and len(units) > 1:
        count /= 1024
        del units[0]
    return f"{count:.0f} {units[0]}" if count == int(count) else f"{count:.1f} {units[0]}"


def check_size(count: int, name: str) -> None:
    """Raises an error for a network of more than MAX_FILE_BYTES bytes."""
    if count > MAX_FILE_BYTES:
        raise FileError(f"{name} has {size_text(count)}; at most {size_text(MAX_FILE_BYTES)} are read on this machine.")


def check_weights(count: int, where: str) -> None:
    """Raises an error for more than MAX_WEIGHTS weights in all, before they are read."""
    if count > MAX_WEIGHTS:
        raise NetworkError(f"{where} has {count:,} weights; at most {MAX_WEIGHTS:,} are read on this machine.")


def check_layers(count: int, where: str) -> None:
    """Raises an error for more than MAX_LAYERS layers."""
    if count > MAX_LAYERS:
        raise NetworkError(f"{where} has {count} layers; at most {MAX_LAYERS} can be shown. Use a shallower network.")


def _fits(found, path, what):
    """Whether a file may be what was meant by a path: of the same ending, or of one such contents may have."""
    suffix = found.suffix.lower()
    return suffix == path.suffix.lower() or (suffix in PICTURES if what == "picture" else suffix not in OTHERS)


def _missing(path, what):
    """The end of a message about a missing file: the names in its folder, similar ones first, none of other kinds."""
    folder = path.parent
    try:
        names = sorted(p.name for p in folder.iterdir() if p.is_file() and _fits(p, path, what))
    except OSError:
        return f"There is no folder {short(folder)} either."
    same = [n for n in names if Path(n).suffix.lower() == path.suffix.lower()]
    near = difflib.get_close_matches(path.name, names, n=5, cutoff=0.5)
    shown = list(dict.fromkeys([*near, *same]))[:8]
    if not shown:
        return f"The folder {short(folder)} has no {path.suffix or 'such'} file; check the path."
    return f"{'Near it' if near else 'That folder has'}: {', '.join(short(n) for n in shown)}."


# What no file of text holds, and how much of a file tells which it is.
BINARY, BEGINNING = ("network", "history", "training"), 256


def _refuse_text(beginning, name, what):
    """Raises FileError for an error page, a pointer to a file elsewhere, notes: each begins with a line of text."""
    line = beginning.splitlines()[0].strip() if beginning.strip() else b""
    if len(line) < 8 or not all(32 <= byte < 127 or byte in b"\t\r\n" for byte in beginning):
        return
    todo = "Type `git lfs pull` to get the file itself." if b"git-lfs" in line else f"Save the {what} again."
    raise FileError(f"{name} is text (`{short(line.decode('ascii'), 50)}`), not a {what}. {todo}")


@contextmanager
def opened(path: str | os.PathLike, what: str = "network") -> Iterator[tuple[BinaryIO, int]]:
    """(stream, size in bytes) of a file. Raises FileError unless it is a readable regular file, not empty or too large.

    what   the expected contents, for messages
    """
    path, name = Path(path), short(path, 200)
    try:
        if not path.exists():
            raise FileError(f"There is no file {name}. {_missing(path, what)}")
        if not path.is_file():
            # Reading a pipe or a device might never end.
            is_what = "a folder" if path.is_dir() else "not a regular file"
            raise FileError(f"{name} is {is_what}; give the path of a file with a {what} in it.")
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if size == 0:
                raise FileError(f"{name} is empty (0 bytes). Save the {what} again.")
            check_size(size, name)
            if what in BINARY:
                _refuse_text(stream.read(BEGINNING), name, what)
                stream.seek(0)
            yield stream, size
    except PermissionError:
        raise FileError(f"{name} may not be read: permission denied. Change its permissions or copy it.") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte in it
        raise FileError(f"{name} cannot be read: {short(error, 120)}.") from None


# The exceptions that zipfile, zlib and numpy raise for a damaged zip.
BROKEN = (
    zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, struct.error, KeyError, SyntaxError,
    tokenize.TokenError,
)  # fmt: skip

# A zip's directory has about 60 to 150 bytes an entry; ten thousand arrays need 1.5 MB.
MAX_DIRECTORY_BYTES = 4 << 20

# Records at a zip's end (APPNOTE.TXT 4.3.14 to 4.3.16): the 64-bit one, the pointer to it, and the 32-bit one.
ZIP64_END = struct.Struct("<4sQ2H2L4Q")
ZIP64_LOCATOR = struct.Struct("<4sLQL")
ZIP_END = struct.Struct("<4s4H2LH")


@contextmanager
def unzipped(stream: BinaryIO, size: int, name: str, kind: str) -> Iterator[zipfile.ZipFile]:
    """The ZipFile of a stream. Raises FileError if it is damaged, or would be too large unpacked.

    Exceptions of zipfile and zlib inside the block become FileErrors. `name` and `kind` are for messages.
    """
    _check_zip_directory(stream, size, name)
    try:
        with zipfile.ZipFile(stream) as archive:
            total = sum(info.file_size for info in archive.infolist())
            if total > MAX_FILE_BYTES:
                raise FileError(f"{name} unpacks to {size_text(total)}; at most {size_text(MAX_FILE_BYTES)} are read.")
            yield archive
    except BROKEN as error:
        raise FileError(f"{name} is not a whole {kind} file: {short(error)}. Save or copy it again.") from None


def _check_zip_directory(stream, size, name):
    """Raises FileError for a zip whose directory is too long, before it is read."""
    tail = min(size, ZIP64_END.size + ZIP64_LOCATOR.size + ZIP_END.size)
    stream.seek(size - tail)
    data = stream.read(tail)
    stream.seek(0)
    if size < ZIP_END.size or data[-ZIP_END.size :][:4] != b"PK\5\6" or data[-2:] != b"\0\0":
        raise FileError(f"{name} is not whole: no zip directory stands at its end. Save or copy it again.")
    length = ZIP_END.unpack(data[-ZIP_END.size :])[5]
    if data[-ZIP_END.size - ZIP64_LOCATOR.size :][:4] == b"PK\6\7":
        at = size - tail
        locator = ZIP64_LOCATOR.unpack(data[-ZIP_END.size - ZIP64_LOCATOR.size : -ZIP_END.size])
        if data[:4] != b"PK\6\6" or locator[2] != at:
            raise FileError(f"{name} is not whole: its 64-bit zip directory is broken. Save or copy it again.")
        length = max(length if length != 0xFFFFFFFF else 0, ZIP64_END.unpack(data[: ZIP64_END.size])[8])
    if length > MAX_DIRECTORY_BYTES:
        raise FileError(f"The zip directory of {name} is over {size_text(MAX_DIRECTORY_BYTES)}; save fewer arrays.")
