"""Names of a classifier's classes, from a text file with one on each line."""

import os
import re

from engine.errors import FileError, ShapeError
from engine.formats.files import opened, short, size_text

# The 21,841 names of the full ImageNet take 0.7 MB.
MAX_BYTES = 4 << 20
LONGEST = 200  # letters of a name; longer names are cut
# The number of a synset in WordNet, which precedes the names in many lists of ImageNet's classes.
SYNSET = re.compile(r"^n\d{8}[\s,:]+")


def read_class_names(path: str | os.PathLike, count: int | None = None) -> tuple[str, ...]:
    """The names in a UTF-8 text file, one on each line; empty lines at its end are ignored.

    count   the number of classes of the network; None for any

    Raises FileError for any other file, ShapeError if the number of lines is not `count`.
    """
    with opened(path, "list of class names") as (stream, size):
        name = short(stream.name, 200)
        if size > MAX_BYTES:
            raise FileError(f"{name} has {size_text(size)}; lists of class names have at most {size_text(MAX_BYTES)}.")
        data = stream.read(size)
    return parsed(data, name, count)


def parsed(data: bytes, name: str, count: int | None = None) -> tuple[str, ...]:
    """The names in the bytes of such a file; `name` is the file's name for messages."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise FileError(f"Line {line} of {name} is not UTF-8. Save the list as UTF-8 text.") from None
    if "\0" in text:
        raise FileError(f"{name} is not text. Give a text file of one class name a line.")
    # Split as editors do: str.splitlines would also split at rare separators within a name.
    lines = [line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").rstrip().split("\n")]
    if not any(lines):
        raise FileError(f"{name} has no class name in it. Write one a line.")
    if "" in lines:
        raise FileError(f"Line {lines.index('') + 1} of {name} is empty. Write a class name on each line.")
    if count is not None and len(lines) != count:
        raise ShapeError(f"{name} has {len(lines)} lines, but the network has {count} classes. Write one a line.")
    return tuple(short(SYNSET.sub("", line) or line, LONGEST) for line in lines)
