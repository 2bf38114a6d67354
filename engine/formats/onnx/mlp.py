"""ONNX files with a function of a vector, as a multilayer perceptron."""

from pathlib import Path
from typing import Any

import numpy as np

from engine.formats.files import check_layers, short
from engine.formats.onnx.declared import asked
from engine.formats.onnx.reader import read_graph
from engine.network.graph.lowering.layers import as_mlp
from engine.network.graph.passes.simplify import simplified
from engine.network.mlp import Mlp


def load(path: Path, activations: Any = None, *, output: str | None = None) -> Mlp:
    """The network in an .onnx file; output: see `read_graph`.

    activations   `output=NAME` or `size=HxW` (see `asked`); the file has its own

    Raises NetworkError naming the first node that cannot be shown, and for activations.
    """
    name, size = asked(activations if activations is None else str(activations), short(Path(path).name))
    graph = read_graph(path, size=size, output=output or name)
    with np.errstate(all="ignore"):  # weights that are not finite are refused
        net = as_mlp(simplified(graph))
    check_layers(len(net.layers), net.name)
    return net
