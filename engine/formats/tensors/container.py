"""The container format of safetensors files: eight bytes of length, a JSON header, the arrays. Read and written here.

The safetensors package is not used: it writes metadata in random order (here the same arrays give the same bytes),
cannot read metadata from bytes, accepts headers of 100 MB, and does not say which array is wrong.
Format: https://github.com/huggingface/safetensors#format
"""

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from engine.errors import FileError
from engine.formats.atomic import replacing
from engine.formats.files import MAX_FILE_BYTES, short, size_text

# A thousand layers take 0.2 MB; JSON may take about twenty times its length in memory.
MAX_HEADER_BYTES = 4 << 20

# {dtype: numpy's}; None if numpy has none.
DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": None, "I64": "<i8", "U64": "<u8", "I32": "<i4", "U32": "<u4",
    "I16": "<i2", "U16": "<u2", "I8": "i1", "U8": "u1", "BOOL": "?", "F8_E4M3": None, "F8_E5M2": None,
}  # fmt: skip
ITEM_BYTES = {name: np.dtype(kind).itemsize for name, kind in DTYPES.items() if kind}
ITEM_BYTES |= {"BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1}
# The dtypes of weights.
FLOATS = ("F64", "F32", "F16", "BF16")
# {numpy's dtype: its name in files}, for writing.
NAMES = {np.dtype(kind): name for name, kind in DTYPES.items() if kind}


@dataclass(frozen=True)
class Tensor:
    """An array of a file, described by the header; `read()` returns it, read-only.

    Only dtypes of DTYPES can be read, BF16 as float32; the caller must refuse others.
    """

    dtype: str
    shape: tuple[int, ...]
    read: Callable[[], np.ndarray]


def read(stream: BinaryIO, size: int, name: str) -> tuple[dict[str, str], dict[str, Tensor]]:
    """(metadata, {key: Tensor}) of a stream of `size` bytes; `name` is the file's name for messages.

    Raises FileError for a header that does not fit the file.
    """
    header, start = _header(stream, size, name)
    metadata = header.pop("__metadata__", {})
    if not (isinstance(metadata, dict) and all(isinstance(v, str) for v in metadata.values())):
        raise _broken(name, "its __metadata__ is not a table of texts")
    tensors = {key: _tensor(stream, start, size - start, key, about, name) for key, about in header.items()}
    _check_offsets(header, size - start, name)
    return metadata, tensors


def chunks(metadata: Mapping[str, str], arrays: Mapping[str, np.ndarray]) -> list[bytes]:
    """The file's bytes as a list of pieces, to be written one after another.

    metadata   {text: text}
    arrays     {key: array}, written in this order; they are all aligned if those with wider numbers come first
    """
    header: dict[str, Any] = {"__metadata__": metadata}
    parts: list[Any] = []
    at = 0
    for key, array in arrays.items():
        array = np.ascontiguousarray(array, np.dtype(array.dtype).newbyteorder("<"))
        header[key] = {"dtype": NAMES[array.dtype], "shape": list(array.shape), "data_offsets": [at, at + array.nbytes]}
        parts.append(array.reshape(-1).view(np.uint8).data)
        at += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the format requires that arrays start at a multiple of 8
    return [len(text).to_bytes(8, "little"), text, *parts]


def write(path: str | os.PathLike, parts: Sequence[bytes], advice: str) -> None:
    """Writes pieces of `chunks` to a file, whole or not at all.

    advice   what to do if they are too large to be read again; said by the FileError that is then raised
    """
    size = sum(map(len, parts))
    if size > MAX_FILE_BYTES:
        raise FileError(
            f"{short(path, 200)} would have {size_text(size)}; at most {size_text(MAX_FILE_BYTES)} are read again. "
            f"{advice}"
        )
    with replacing(path) as stream:
        for part in parts:
            stream.write(part)


def _broken(name, why):
    return FileError(f"{name} is not a whole safetensors file: {why}. Save or copy it again.")


def _once(pairs):
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a name stands in it twice")
    return table


def _header(stream, size, name):
    length = int.from_bytes(stream.read(8), "little")
    if size < 8 or length > size - 8:
        raise _broken(name, f"its header should have {length} bytes, the file has {size} in all")
    if length > MAX_HEADER_BYTES:
        raise FileError(f"{name} has a header of {size_text(length)}; at most {size_text(MAX_HEADER_BYTES)} are read.")
    try:
        header = json.loads(stream.read(length).decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise _broken(name, f"its header is not JSON ({short(error)})") from None
    if not isinstance(header, dict):
        raise _broken(name, "its header is not a table")
    return header, 8 + length


def _is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _tensor(stream, start, room, key, about, name):
    """A Tensor whose shape and place have been checked against the file."""
    about = about if isinstance(about, dict) else {}
    dtype, shape, offsets = about.get("dtype"), about.get("shape"), about.get("data_offsets")
    where = f"its array `{short(key)}`"
    if not isinstance(dtype, str) or not all(isinstance(x, list) and all(map(_is_count, x)) for x in (shape, offsets)):
        raise _broken(name, f"{where} has no dtype, shape and data_offsets")
    if len(offsets) != 2 or len(shape) > 16 or not offsets[0] <= offsets[1] <= room:
        raise _broken(name, f"{where} lies at {short(offsets)} of {room} bytes")
    begin, end = offsets
    if dtype in ITEM_BYTES and math.prod(shape) * ITEM_BYTES[dtype] != end - begin:
        raise _broken(name, f"{where} is {dtype} {short(shape)} but has {end - begin} bytes")

    def fetch():
        stream.seek(start + begin)
        data = stream.read(end - begin)
        if len(data) != end - begin:
            raise _broken(name, f"{where} ends early")
        if dtype == "BF16":  # its bits are the upper half of a float32's
            return (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4").reshape(shape)
        return np.frombuffer(data, DTYPES[dtype]).reshape(shape)

    return Tensor(dtype, tuple(shape), fetch)


def _check_offsets(header, room, name):
    """Raises FileError unless the arrays fill the file to its end without gaps or overlaps."""
    at = 0
    for begin, end in sorted(about["data_offsets"] for about in header.values()):
        if begin != at:
            raise _broken(name, f"its arrays {'overlap' if begin < at else 'leave a gap'} at byte {min(begin, at)}")
        at = end
    if at != room:
        raise _broken(name, f"its arrays have {at} bytes, the file has {room} for them")
