"""npz files: numpy's zip of arrays, read without pickle, every stated size being checked."""

import math
import sys
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from engine.errors import FileError, NetworkError
from engine.formats.atomic import replacing
from engine.formats.files import opened, short, unzipped
from engine.formats.tensors.arrays import NamedArray
from engine.formats.tensors.named import arrays_of, assemble
from engine.network.mlp import Mlp

FORMAT = "neuroscene mlp 1"
TEXTS = ("activations", "format", "name")  # the arrays that are not weights

MAX_TEXT_BYTES = 64 << 10
MAX_HEADER_BYTES = 4096  # of an array; numpy itself writes 128


def load(path: Path, activations: Any = None) -> Mlp:
    """The network in an .npz file; `activations` replace the file's, or are needed if it has none."""
    with opened(path) as (stream, size):
        name = short(path.name)
        with unzipped(stream, size, name, "npz") as archive:
            return _read(archive, name, activations)


def save(net: Mlp, path: Path) -> None:
    """Writes a network with its activations and name; reading gives the same bits back."""
    texts = {"activations": ",".join(map(str, net.activations)), "format": FORMAT, "name": short(net.name, 200)}
    with replacing(path) as stream:
        np.savez(stream, allow_pickle=False, **arrays_of(net), **{k: np.array(text) for k, text in texts.items()})


def _broken(name, why):
    return FileError(f"{name} is not a whole npz file: {why}. Save or copy it again.")


def _read(archive, name, activations):
    infos = {}
    for info in archive.infolist():
        key = info.filename.removesuffix(".npy")
        if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise FileError(f"`{short(key)}` of {name} is encrypted or oddly compressed; use numpy.savez to save it.")
        if key in infos or key == info.filename:
            raise _broken(name, f"`{short(info.filename)}` is not an array or stands in it twice")
        infos[key] = info
    texts = {key: _text(archive, infos.pop(key), key, name) for key in TEXTS if key in infos}
    entries = {key: _entry(archive, info, key, name) for key, info in infos.items()}
    called = texts.get("name") if texts.get("format") == FORMAT else None
    return assemble(entries, texts.get("activations") if activations is None else activations, name, called=called)


def npy_header(stream: BinaryIO) -> tuple[tuple[int, ...], np.dtype]:
    """(shape, dtype) of the header of a .npy file. Raises ValueError for any that is damaged."""
    version = np.lib.format.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"it has version {version} of the npy format")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    try:
        shape, _, dtype = read(stream, max_header_size=MAX_HEADER_BYTES)
    except Exception:  # numpy reads a header as Python, whose parser raises anything
        raise ValueError("its header is damaged") from None
    if any(n < 0 for n in shape) or len(shape) > 16:
        raise ValueError(f"its header has the shape {short(shape)}")
    return shape, dtype


def _npy_header(archive, info, key, name):
    """(shape, dtype) of an array, checked against the number of bytes."""
    with archive.open(info) as stream:
        try:
            shape, dtype = npy_header(stream)
        except ValueError as error:
            raise _broken(name, f"`{short(key)}`: {short(error)}") from None
        there = info.file_size - stream.tell()
    if dtype.hasobject:
        raise FileError(f"`{short(key)}` of {name} holds Python objects, which are never unpickled. Save numbers.")
    if math.prod(shape) * dtype.itemsize != there:
        raise _broken(name, f"`{short(key)}` is {short(dtype)} {short(shape)} but has {there} bytes")
    return shape, dtype


def _array(archive, info):
    with archive.open(info) as stream:
        return np.lib.format.read_array(stream, allow_pickle=False, max_header_size=MAX_HEADER_BYTES)


def _text(archive, info, key, name):
    shape, dtype = _npy_header(archive, info, key, name)
    if shape != () or dtype.kind != "U" or dtype.itemsize > MAX_TEXT_BYTES:
        raise _broken(name, f"`{key}` is {short(dtype)} {short(shape)}, not one text")
    if not dtype.itemsize:
        return ""
    array = _array(archive, info)
    if (np.frombuffer(array.tobytes(), np.dtype(np.uint32).newbyteorder(dtype.byteorder)) > sys.maxunicode).any():
        raise _broken(name, f"`{key}` is no text")
    return str(array)


def _entry(archive, info, key, name):
    shape, dtype = _npy_header(archive, info, key, name)

    def fetch():
        if dtype.kind not in "fiu":
            raise NetworkError(f"`{short(key)}` of {name} is {short(dtype)}; weights must be real numbers.")
        return _array(archive, info)

    return NamedArray(tuple(shape), fetch)
