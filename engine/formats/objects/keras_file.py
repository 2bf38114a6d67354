"""Networks in .keras files: a zip with the configuration as JSON, and the weights in HDF5, which h5py opens."""

from __future__ import annotations

import importlib
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import FileError, NetworkError
from engine.formats.files import check_weights, opened, short, size_text, unzipped
from engine.formats.objects.keras import MODELS, Weights, read
from engine.network.graph.graph import Graph
from engine.network.graph.lowering.layers import as_mlp
from engine.network.graph.passes.simplify import simplified
from engine.network.mlp import Mlp

# A thousand layers take 2 MB; JSON may take about twenty times its length in memory.
MAX_CONFIG_BYTES = 8 << 20


def load(path: Path, activations: Any = None) -> Mlp:
    """The network in a .keras file; needs h5py. Raises NetworkError if activations are given: the file has them."""
    if activations is not None:
        raise NetworkError(f"{short(path.name)} has its own activations. Leave `{short(activations)}` out.")
    return as_mlp(simplified(read_graph(path)))


def read_graph(path: Path) -> Graph:
    """The Graph in a .keras file. Raises FileError, NetworkError or ShapeError; nothing in it is executed."""
    name = short(path.name)
    with opened(path) as (stream, size), unzipped(stream, size, name, "Keras") as archive:
        for part, most in (("config.json", MAX_CONFIG_BYTES), ("model.weights.h5", size)):
            if part not in archive.namelist():
                raise FileError(f"{name} has no {part}: it is no file that Keras 3 saves. Save it by model.save(path).")
            if archive.getinfo(part).file_size > most:
                raise FileError(f"{part} of {name} is larger than {size_text(most)}, which no such file needs.")
        try:
            config = json.loads(archive.read("config.json"))
        except (ValueError, RecursionError) as error:
            raise FileError(f"The configuration of {name} is not JSON ({short(error)}). Save it again.") from None
        kind = config.get("class_name") if isinstance(config, dict) else None
        if kind not in MODELS or not isinstance(config.get("config"), dict):
            raise NetworkError(f"{name} holds a {short(kind)}, which computes in a call of its own. Export it as ONNX.")
        try:
            h5py = importlib.import_module("h5py")
        except ImportError:
            raise FileError(
                f"{name} keeps its weights as HDF5. Run `pip install h5py`, or where Keras is installed "
                "model.export('net.onnx', format='onnx')."
            ) from None
        data = archive.read("model.weights.h5")
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            return read(str(kind), config["config"], _weights(h5py, file, len(data), name), name)
    except (OSError, KeyError, RuntimeError, AttributeError, TypeError, ValueError) as error:
        raise FileError(f"{name} is not a whole Keras file: {short(error)}. Save or copy it again.") from None


def _weights(h5py: Any, group: Any, size: int, name: str) -> Weights:
    """The weights of a model in a group: layers of one class are numbered in their order."""
    counts: dict[str, int] = {}
    known: dict[int, str] = {}

    def weights(number, kind, layer):
        if number not in known:
            snake = re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", kind)))
            seen = counts[snake] = counts.get(snake, -1) + 1
            known[number] = snake.lower() + (f"_{seen}" if seen else "")
        layers = group.get("layers")
        found = layers.get(known[number]) if isinstance(layers, h5py.Group) else None
        if kind in MODELS:
            if found is None:
                raise FileError(f"{name} has no weights of its layer `{short(layer)}`. Save it again.")
            return [], _weights(h5py, found, size, name)
        held = found.get("vars") if isinstance(found, h5py.Group) else None
        if held is None:
            return [], None
        return [_array(h5py, held.get(key), size, layer, name) for key in sorted(held, key=int)], None

    return weights


def _array(h5py, dataset, size, layer, name):
    """An array whose stated size is what the file has of it."""
    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "fiu":
        raise FileError(f"A weight of layer `{short(layer)}` of {name} is no array of numbers. Save it again.")
    check_weights(dataset.size, name)
    if dataset.id.get_storage_size() != dataset.size * dataset.dtype.itemsize or dataset.external or dataset.is_virtual:
        raise FileError(f"A weight of layer `{short(layer)}` of {name} does not have the bytes that it states.")
    return np.asarray(dataset[()])
