"""Networks in safetensors files: a matrix and a bias for each layer, activations in the metadata."""

import io
from pathlib import Path
from typing import Any, BinaryIO

from engine.errors import FileError, NetworkError
from engine.formats.atomic import replacing
from engine.formats.files import check_size, opened, short
from engine.formats.tensors import container
from engine.formats.tensors.arrays import NamedArray
from engine.formats.tensors.named import arrays_of, assemble
from engine.network.mlp import Mlp

FORMAT = "neuroscene mlp"
VERSION = 1
# Values of `format` in files of other kinds: a history, and a training that can be continued.
HISTORY = "neuroscene history"
TRAINING = "neuroscene training"


def load(path: Path, activations: Any = None) -> Mlp:
    """The network in a .safetensors file; `activations` replace the metadata's, or are needed if it has none."""
    with opened(path) as (stream, size):
        return read(stream, size, path.name, activations)


def save(net: Mlp, path: Path) -> None:
    """Writes a network with its activations and name; reading gives the same bits back."""
    with replacing(path) as stream:
        stream.write(to_bytes(net))


def to_bytes(net: Mlp) -> bytes:
    """A network as the bytes of a safetensors file; the same network gives the same bytes."""
    metadata = {
        "activations": ",".join(map(str, net.activations)),
        "format": FORMAT,
        "name": short(net.name, 200),
        "version": str(VERSION),
    }
    return b"".join(container.chunks(metadata, arrays_of(net)))


def from_bytes(data: bytes, name: str = "these bytes") -> Mlp:
    """The network in the bytes that `to_bytes` made."""
    check_size(len(data), name)
    return read(io.BytesIO(data), len(data), name)


def read(stream: BinaryIO, size: int, name: str, activations: Any = None) -> Mlp:
    """The network in a stream of `size` bytes; `name` is the file's name for messages.

    Raises FileError for a header that does not fit the file, and what `assemble` raises.
    """
    name = short(name)
    metadata, arrays = container.read(stream, size, name)
    if metadata.get("format") == HISTORY:
        raise FileError(
            f"{name} is a history of a training, not one network. Open it with `neuroscene run boundaries --history "
            f"{name}`, in Python with engine.load_history; its at(run, snapshot) is a network."
        )
    if metadata.get("format") == TRAINING:
        raise FileError(
            f"{name} is what a training goes on from, not a network. Go on with `neuroscene train --resume`, or show "
            "the history beside it."
        )
    if metadata.get("format") == FORMAT:
        version = metadata.get("version", "")
        if version != str(VERSION):
            raise FileError(f"{name} is a network of version `{short(version)}`; {VERSION} is read. Update neuroscene.")
    entries = {key: _entry(key, tensor, name) for key, tensor in arrays.items()}
    called = metadata.get("name") if metadata.get("format") == FORMAT else None
    return assemble(entries, metadata.get("activations") if activations is None else activations, name, called=called)


def _entry(key, tensor, name):
    def fetch():
        if tensor.dtype not in container.FLOATS:
            raise NetworkError(f"`{short(key)}` of {name} is {short(tensor.dtype)}; weights are F64, F32, F16 or BF16.")
        return tensor.read()

    return NamedArray(tensor.shape, fetch)
