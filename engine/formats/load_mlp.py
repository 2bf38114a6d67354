"""Reads fully connected networks from files and objects, and writes them to files."""

import importlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.errors import FileError, NetworkError, near
from engine.formats.files import short
from engine.formats.tensors import named
from engine.formats.tensors.safetensors import from_bytes as from_bytes
from engine.formats.tensors.safetensors import to_bytes as to_bytes
from engine.formats.tensors.trees import from_tree
from engine.network.mlp import Mlp

# Each function is load(path, activations); its module is imported only when such a file is opened. If activations is
# None, a format that does not store them raises NetworkError.
LOADERS = {
    ".safetensors": "engine.formats.tensors.safetensors:load",
    ".npz": "engine.formats.tensors.npz:load",
    ".keras": "engine.formats.objects.keras_file:load",
    ".onnx": "engine.formats.onnx.mlp:load",
    **dict.fromkeys((".pt", ".pth", ".ckpt", ".bin"), "engine.formats.torch.files:load"),
}

# Each function is save(net, path).
SAVERS = {
    ".safetensors": "engine.formats.tensors.safetensors:save",
    ".npz": "engine.formats.tensors.npz:save",
}

# What to do with files of networks that are not read.
PICKLED = "Opening it runs code. Where you trust it, open it in Python and give the object: engine.load(it)."
INSTEAD = {
    **dict.fromkeys((".pkl", ".pickle", ".joblib"), PICKLED),
    **dict.fromkeys((".h5", ".hdf5"), "Open it in Keras and save it as .keras."),
    **dict.fromkeys((".pb", ".tflite"), "Convert it by tf2onnx."),
}

# A text after a path's last colon that may be activations: it has no separator of folders and no extension.
# An output of an ONNX file may be of any name.
ACTIVATIONS_SUFFIX = re.compile(r"^(output=.+|(\d+ )?[A-Za-z_.][^:/\\]*)$")


def load(source: Any, *, activations: Any = None, example: Any = None, output: str | None = None) -> Mlp:
    """The network in a file, a module, a state dict or an Mlp.

    source        a path (its extension in LOADERS), as text also `path:activations`; a module of PyTorch with any
                  forward; a mapping, list or tuple of tensors or arrays; an Mlp
    activations   one per layer as `tanh,sine(30),identity`, or `tanh` for the hidden layers with identity last;
                  `relu,...,sigmoid` repeats relu. They replace a file's own, and are needed where only weights are
                  stored; ONNX files and modules have their own and refuse any
    example       for a module: a tensor or array of its inputs (N, ...), or a tuple if it takes several; needed where
                  its parts do not tell their width. What was read is compared with the module on it
    output        of an ONNX file: the name of an output, or of any value in its graph; None: the first output of
                  floats. In a path it is written `path:output=NAME`

    Raises FileError for a file that cannot be read, NetworkError or ShapeError for any other network.
    """
    if isinstance(source, Mlp):
        if activations is None:
            return source
        return source.changed(activations=named.spread(activations, len(source.layers), source.name))
    if isinstance(source, str | os.PathLike):
        return _load_file(source, activations, output)
    if isinstance(source, Mapping):
        return from_tree(source, activations, "the state dict")
    if isinstance(source, list | tuple) and len(source):
        return from_tree(source, activations, f"the {type(source).__name__}")
    # Objects of libraries are recognised by their class names, so that these are not imported.
    from engine.formats.objects import read
    from engine.formats.torch import modules

    if read.is_read(source):
        if activations is not None:
            raise NetworkError(f"The {type(source).__name__} has its own activations. Leave them out.")
        return read.network_of(source, example)
    return modules.from_module(source, activations, example)


def save(net: Mlp, path: str | os.PathLike) -> None:
    """Writes a network to a file with an extension in SAVERS; after an error an earlier file is unchanged."""
    path = Path(path)
    extension = path.suffix.lower()
    if extension not in SAVERS:
        raise FileError(f"{short(path, 200)} cannot be saved. {near(extension, SAVERS, noun='format to save')}")
    _function(SAVERS[extension])(net, path)


def split_path(text: str) -> tuple[str, str | None]:
    """(path, activations or None) of `path` or `path:activations`; of an ONNX file `path:output=NAME` alike.

    An existing file with a colon in its name is not split, nor is the drive `C:`.
    """
    head, colon, tail = text.rpartition(":")
    if not colon or len(head) < 2 or not ACTIVATIONS_SUFFIX.match(tail):
        return text, None
    if Path(head).suffix.lower() not in LOADERS:
        return text, None
    if os.path.exists(text) and (Path(text).suffix.lower() in LOADERS or not os.path.exists(head)):
        return text, None
    return head, tail


def _function(text):
    module, _, name = text.partition(":")
    return getattr(importlib.import_module(module), name)


def _load_file(source, activations, output=None):
    path = source
    if isinstance(source, str):
        path, written = split_path(source)
        if written is not None:
            if activations is not None:
                raise NetworkError(f"Activations are given twice: `{short(written)}` and `{short(activations)}`.")
            activations = written
    path = Path(path)
    extension = path.suffix.lower()
    if extension not in LOADERS:
        if path.is_dir():
            raise FileError(f"{short(path, 200)} is a folder; give the path of a network in it ({', '.join(LOADERS)}).")
        instead = INSTEAD.get(extension) or near(short(extension, 20), LOADERS, noun="format to read")
        raise FileError(f"{short(path, 200)} is no network that is read. {instead}")
    if output is not None and extension != ".onnx":
        raise NetworkError(f"{short(path.name)} has one output, but output=`{short(output)}` is given. Leave it out.")
    try:
        return _function(LOADERS[extension])(path, activations, **({} if output is None else {"output": output}))
    except (MemoryError, RecursionError):
        raise FileError(f"{short(path, 200)} needs more memory than there is. Use a smaller network.") from None
