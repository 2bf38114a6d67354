"""safetensors: eight bytes of length, a JSON header, the arrays; read and written by hand.

The header of a file from anywhere is checked against the file itself before an array is made, and the same
network always gives the same bytes (the safetensors package writes metadata in random order).
Format: https://github.com/huggingface/safetensors#format
"""

import io
import json
import math

import numpy as np

from engine.errors import FileError, NetworkError
from engine.network.formats.files import MAX_FILE_BYTES, opened, replacing, size_text, told
from engine.network.formats.named import Entry, assemble

# A thousand layers take 0.2 MB; JSON may take some twenty times its length in memory.
MAX_HEADER_BYTES = 4 << 20

FORMAT = "neuroscene mlp"
VERSION = 1

ITEM_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "U64": 8, "I32": 4, "U32": 4, "I16": 2, "U16": 2}
ITEM_BYTES |= {"I8": 1, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1}
FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}


def load(path, activations=None):
    """The network in a .safetensors file; activations where its metadata has none, or to use others."""
    with opened(path) as (stream, size):
        return read(stream, size, path.name, activations)


def save(net, path):
    """Writes a network with its activations and name; reading it gives it back to the bit."""
    with replacing(path) as stream:
        stream.write(to_bytes(net))


def to_bytes(net):
    """A network as the bytes of a safetensors file; the same network gives the same bytes."""
    header = {
        "__metadata__": {
            "activations": ",".join(str(x.activation) for x in net.layers),
            "format": FORMAT,
            "name": told(net.name, 200),
            "version": str(VERSION),
        }
    }
    chunks, at = [], 0
    for i, layer in enumerate(net.layers):
        for what, array in (("weight", layer.weights), ("bias", layer.bias)):
            chunks.append(array.astype("<f4").tobytes())
            header[f"layers.{i}.{what}"] = {
                "dtype": "F32",
                "shape": list(array.shape),
                "data_offsets": [at, at + len(chunks[-1])],
            }
            at += len(chunks[-1])
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the arrays start at a multiple of 8, as the format asks
    return b"".join([len(text).to_bytes(8, "little"), text, *chunks])


def from_bytes(data, name="these bytes"):
    """The network in the bytes that `to_bytes` gave."""
    if len(data) > MAX_FILE_BYTES:
        raise FileError(f"{name} has {size_text(len(data))}; networks of at most {size_text(MAX_FILE_BYTES)} are read.")
    return read(io.BytesIO(data), len(data), name)


def read(stream, size, name, activations=None):
    """The network in a stream of `size` bytes; `name` is the file's, for messages.

    Raises FileError for a header that does not fit the file, and what `assemble` raises.
    """
    name = told(name)
    header, start = _header(stream, size, name)
    metadata = header.pop("__metadata__", {})
    if not (isinstance(metadata, dict) and all(isinstance(v, str) for v in metadata.values())):
        raise _broken(name, "its __metadata__ is not a table of texts")
    if metadata.get("format") == FORMAT:
        version = metadata.get("version", "")
        if version != str(VERSION):
            raise FileError(
                f"{name} has version `{told(version)}` of our format; {VERSION} is read. Update neuroscene."
            )
    entries = {key: _entry(stream, start, size - start, key, about, name) for key, about in header.items()}
    _check_offsets(header, size - start, name)
    called = metadata.get("name") if metadata.get("format") == FORMAT else None
    return assemble(entries, metadata.get("activations") if activations is None else activations, name, called=called)


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
        raise FileError(
            f"The header of {name} has {size_text(length)}; at most {size_text(MAX_HEADER_BYTES)} are read."
        )
    try:
        header = json.loads(stream.read(length).decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise _broken(name, f"its header is not JSON ({told(error)})") from None
    if not isinstance(header, dict):
        raise _broken(name, "its header is not a table")
    return header, 8 + length


def _is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _entry(stream, start, room, key, about, name):
    """An array's Entry, its shape and place checked against the file."""
    about = about if isinstance(about, dict) else {}
    dtype, shape, offsets = about.get("dtype"), about.get("shape"), about.get("data_offsets")
    where = f"its array `{told(key)}`"
    if not isinstance(dtype, str) or not all(isinstance(x, list) and all(map(_is_count, x)) for x in (shape, offsets)):
        raise _broken(name, f"{where} has no dtype, shape and data_offsets")
    if len(offsets) != 2 or len(shape) > 16 or not offsets[0] <= offsets[1] <= room:
        raise _broken(name, f"{where} lies at {told(offsets)} of {room} bytes")
    begin, end = offsets
    if dtype in ITEM_BYTES and math.prod(shape) * ITEM_BYTES[dtype] != end - begin:
        raise _broken(name, f"{where} is {dtype} {told(shape)} but has {end - begin} bytes")

    def fetch():
        if dtype not in FLOATS and dtype != "BF16":
            raise NetworkError(f"`{told(key)}` of {name} is {told(dtype)}; weights must be F64, F32, F16 or BF16.")
        stream.seek(start + begin)
        data = stream.read(end - begin)
        if len(data) != end - begin:
            raise _broken(name, f"{where} ends early")
        if dtype == "BF16":  # the upper half of a float32
            return (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4").reshape(shape)
        return np.frombuffer(data, FLOATS[dtype]).reshape(shape)

    return Entry(tuple(shape), fetch)


def _check_offsets(header, room, name):
    """Arrays follow each other without gap or overlap to the file's end."""
    at = 0
    for begin, end in sorted(about["data_offsets"] for about in header.values()):
        if begin != at:
            raise _broken(name, f"its arrays {'overlap' if begin < at else 'leave a gap'} at byte {min(begin, at)}")
        at = end
    if at != room:
        raise _broken(name, f"its arrays have {at} bytes, the file has {room} for them")
