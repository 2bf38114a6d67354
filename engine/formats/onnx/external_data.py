"""Weights that an ONNX file keeps in a second one: read if that lies in the same folder under a plain name.

PyTorch's exporter writes them so by default. Format: https://onnx.ai/onnx/repo-docs/ExternalData.html
"""

import math
import os
import re
from pathlib import Path
from typing import Any

from engine.errors import FileError
from engine.formats.files import MAX_FILE_BYTES, opened, short, size_text

EXTERNAL = 1
# Bytes of a number, by TensorProto.DataType, of the types that hold weights and shapes.
SIZES = {1: 4, 10: 2, 11: 8, 16: 2, 6: 4, 7: 8, 9: 1}
# What no folder needs to be named with: a separator of any system, a drive.
PLAIN = re.compile(r"[^/\\:\0]{1,255}")
NUMBER = re.compile(r"\d{1,15}")
INSTEAD = "or export with external_data=False."


def fill(model: Any, path: Path | None) -> None:
    """Puts the bytes of the second file into the initialisers of a ModelProto that refer to it.

    path   of the ONNX file; None where it has no folder, and nothing is followed

    Raises FileError for a file that is elsewhere, missing or too short, and for more than MAX_FILE_BYTES in all.
    """
    spent = 0
    for proto in model.graph.initializer:
        if proto.data_location != EXTERNAL or proto.data_type not in SIZES:
            continue  # what holds no weights is refused where it is used
        about = {entry.key: entry.value for entry in proto.external_data}
        name = short(Path(path).name) if path is not None else "the file"
        where = f"`{short(proto.name or 'a constant')}` of {name}"
        wanted = math.prod(proto.dims) * SIZES[proto.data_type] if all(n >= 0 for n in proto.dims) else -1
        offset, length = about.get("offset", "0"), about.get("length", str(wanted))
        if wanted < 0 or not (NUMBER.fullmatch(offset) and NUMBER.fullmatch(length)) or int(length) != wanted:
            raise FileError(
                f"{where} is {short(tuple(proto.dims))}, but {short(length)} bytes of another file, from "
                f"{short(offset)} on, are said to hold it. Export it again."
            )
        spent += wanted
        if spent > MAX_FILE_BYTES:
            raise FileError(f"{name} keeps more than {size_text(MAX_FILE_BYTES)} in another file; no more is read.")
        proto.raw_data = _part(_second_file(path, about.get("location", ""), where), int(offset), wanted, where)
        proto.ClearField("data_location")
        proto.ClearField("external_data")


def _second_file(path, location, where):
    """The Path of the second file."""
    if path is None or not PLAIN.fullmatch(location) or location in (os.curdir, os.pardir):
        raise FileError(
            f"{where} keeps its data in another file, {short(location)}, which is not followed: it may only lie beside "
            "the ONNX file, under a plain name. Export with external_data=False."
        )
    found = Path(path).parent / location
    # A link may lead anywhere; the ONNX file's own, in a cache of models, leads where the other's does.
    if not found.is_file() or (found.is_symlink() and not Path(path).is_symlink()):
        raise FileError(f"{where} keeps its data in {short(location)}, which is not beside it. Put it there, {INSTEAD}")
    return found


def _part(path, offset, count, where):
    """`count` bytes of a file from `offset` on."""
    with opened(path) as (stream, size):
        if offset + count > size:
            raise FileError(
                f"{where} keeps its data in {short(path.name)}, which ends early: it has {size_text(size)}. "
                f"Copy it again, {INSTEAD}"
            )
        stream.seek(offset)
        return stream.read(count)
