"""ONNX files with a function of a vector, as a multilayer perceptron."""

from pathlib import Path
from typing import Any

from engine.errors import NetworkError
from engine.formats.files import check_layers, short
from engine.formats.onnx.reader import read_graph
from engine.network.graph.lowering.layers import as_mlp
from engine.network.graph.passes.simplify import simplified
from engine.network.mlp import Mlp


def load(path: Path, activations: Any = None, *, output: str | None = None) -> Mlp:
    """The network in an .onnx file; output: see `read_graph`.

    Raises NetworkError naming the first node that cannot be shown, and if activations are given: the file has its own.
    """
    if activations is not None:
        name = short(Path(path).name)
        raise NetworkError(f"{name} has its own activations, but `{short(activations)}` is given. Leave them out.")
    net = as_mlp(simplified(read_graph(path, output=output)))
    check_layers(len(net.layers), net.name)
    return net
