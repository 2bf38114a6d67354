"""npz: numpy's zip of arrays, read without pickle and with every size checked before it is believed."""

import math
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import FileError, NetworkError
from engine.formats.atomic import replacing
from engine.formats.files import MAX_FILE_BYTES, check_zip_directory, opened, short, size_text
from engine.formats.tensors.named import NamedArray, arrays_of, assemble
from engine.network.mlp import Mlp

FORMAT = "neuroscene mlp 1"
TEXTS = ("activations", "format", "name")  # the arrays that are not weights

MAX_TEXT_BYTES = 64 << 10

BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    struct.error,
    KeyError,
)


def load(path: Path, activations: Any = None) -> Mlp:
    """The network in an .npz file; activations where it has none of its own, or to use others."""
    with opened(path) as (stream, size):
        name = short(path.name)
        try:
            return _read(stream, size, name, activations)
        except BROKEN as error:
            raise _broken(name, short(error)) from None


def save(net: Mlp, path: Path) -> None:
    """Writes a network with its activations and name; reading it gives it back to the bit."""
    texts = {"activations": ",".join(map(str, net.activations)), "format": FORMAT, "name": short(net.name, 200)}
    with replacing(path) as stream:
        np.savez(stream, allow_pickle=False, **arrays_of(net), **{k: np.array(text) for k, text in texts.items()})


def _broken(name, why):
    return FileError(f"{name} is not a whole npz file: {why}. Save or copy it again.")


def _read(stream, size, name, activations):
    check_zip_directory(stream, size, name)
    with zipfile.ZipFile(stream) as archive:
        infos = {}
        for info in archive.infolist():
            key = info.filename.removesuffix(".npy")
            if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise FileError(
                    f"`{short(key)}` of {name} is encrypted or oddly compressed; use numpy.savez to save it."
                )
            if key in infos or key == info.filename:
                raise _broken(name, f"`{short(info.filename)}` is not an array or stands in it twice")
            infos[key] = info
        total = sum(info.file_size for info in infos.values())
        if total > MAX_FILE_BYTES:
            raise FileError(
                f"{name} unpacks to {size_text(total)}; networks of at most {size_text(MAX_FILE_BYTES)} are read."
            )
        texts = {key: _text(archive, infos.pop(key), key, name) for key in TEXTS if key in infos}
        entries = {key: _entry(archive, info, key, name) for key, info in infos.items()}
        called = texts.get("name") if texts.get("format") == FORMAT else None
        return assemble(entries, texts.get("activations") if activations is None else activations, name, called=called)


def _npy_header(stream, info, key, name):
    """(shape, fortran order, dtype) of an array, checked against the bytes that are there."""
    version = np.lib.format.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise _broken(name, f"`{short(key)}` has version {version} of the npy format")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(stream, max_header_size=4096)
    if dtype.hasobject:
        raise FileError(
            f"`{short(key)}` of {name} holds Python objects, which are never unpickled. Save arrays of numbers."
        )
    there = info.file_size - stream.tell()
    if any(n < 0 for n in shape) or len(shape) > 16 or math.prod(shape) * dtype.itemsize != there:
        raise _broken(name, f"`{short(key)}` is {short(dtype)} {short(shape)} but has {there} bytes")
    return shape, fortran, dtype


def _data(stream, shape, fortran, dtype):
    data = stream.read(math.prod(shape) * dtype.itemsize)
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def _text(archive, info, key, name):
    with archive.open(info) as stream:
        shape, fortran, dtype = _npy_header(stream, info, key, name)
        if shape != () or dtype.kind != "U" or dtype.itemsize > MAX_TEXT_BYTES:
            raise _broken(name, f"`{key}` is {short(dtype)} {short(shape)}, not one text")
        # A text of no letters has no bytes, and frombuffer wants some.
        return str(_data(stream, shape, fortran, dtype)[()]) if dtype.itemsize else ""


def _entry(archive, info, key, name):
    with archive.open(info) as stream:
        shape, fortran, dtype = _npy_header(stream, info, key, name)

    def fetch():
        if dtype.kind not in "fiu":
            raise NetworkError(f"`{short(key)}` of {name} is {short(dtype)}; weights must be real numbers.")
        with archive.open(info) as stream:
            _npy_header(stream, info, key, name)
            return _data(stream, shape, fortran, dtype)

    return NamedArray(tuple(shape), fetch)
