"""Names of a classifier's classes, from a text file of one a line."""

import os
import re

from engine.errors import FileError, ShapeError
from engine.formats.files import opened, short, size_text

# ImageNet's 21,841 names of the largest set take 0.7 MB.
MAX_BYTES = 4 << 20
LONGEST = 200  # letters of a name; the rest is cut
# WordNet's number of a synset, which lists of ImageNet's classes put first.
SYNSET = re.compile(r"^n\d{8}[\s,:]+")


def read_class_names(path: str | os.PathLike, count: int | None = None) -> tuple[str, ...]:
    """The names in a UTF-8 text file, one a line, without empty lines at its end.

    count   how many classes the network has; None: any number

    Raises FileError for what is no such file, ShapeError for another number of lines.
    """
    with opened(path, "list of class names") as (stream, size):
        name = short(stream.name, 200)
        if size > MAX_BYTES:
            raise FileError(f"{name} has {size_text(size)}; lists of class names have at most {size_text(MAX_BYTES)}.")
        data = stream.read(size)
    return parsed(data, name, count)


def parsed(data: bytes, name: str, count: int | None = None) -> tuple[str, ...]:
    """The names in the bytes of such a file; `name` is the file's, for messages."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise FileError(f"Line {line} of {name} is not UTF-8. Save the list as UTF-8 text.") from None
    if "\0" in text:
        raise FileError(f"{name} is not text. Give a text file of one class name a line.")
    # Of lines as editors count them: other programs' separators within a name do not begin a new one.
    lines = [line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").rstrip().split("\n")]
    if not any(lines):
        raise FileError(f"{name} has no class name in it. Write one a line.")
    if "" in lines:
        raise FileError(f"Line {lines.index('') + 1} of {name} is empty. Write a class name on each line.")
    if count is not None and len(lines) != count:
        raise ShapeError(f"{name} has {len(lines)} lines, but the network has {count} classes. Write one a line.")
    return tuple(short(SYNSET.sub("", line) or line, LONGEST) for line in lines)
