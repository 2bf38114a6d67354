"""ONNX files with a multilayer perceptron: the graph read as one chain from its input to its output."""

from pathlib import Path
from typing import Any

from engine.errors import NetworkError, ShapeError
from engine.formats.chain import fold
from engine.formats.files import short
from engine.formats.onnx.chain_nodes import RULES
from engine.formats.onnx.chain_values import Value
from engine.formats.onnx.graph import evaluated, only_input
from engine.formats.onnx.model import read
from engine.network.mlp import Mlp


def load(path: Path, activations: Any = None) -> Mlp:
    """The network in an .onnx file.

    Raises NetworkError naming the first node that cannot be shown, and for activations, which the file has itself.
    """
    name, model = read(path)
    if activations is not None:
        raise NetworkError(f"{name} has its own activations, but `{short(activations)}` is given. Leave them out.")
    rank, width = _declared(only_input(model.graph, name))
    end = evaluated(model.graph, Value.input(rank), RULES, name)
    net = fold(end.settled(f"The output of {name}").chain(), name)
    if width and rank is not None and rank <= 2 and net.inputs != width:
        raise ShapeError(f"{name} declares {width} inputs, but its layers take {net.inputs}. Export it again.")
    return net


def _declared(value_info):
    """(rank, size of the last axis or None) a graph declares for its input; rank None if it does not."""
    if not value_info.type.HasField("tensor_type"):
        raise NetworkError(f"`{short(value_info.name)}` is not a tensor; only one tensor in and one out can be shown.")
    kind = value_info.type.tensor_type
    if not kind.HasField("shape"):
        return None, None
    dims = kind.shape.dim
    return len(dims), dims[-1].dim_value if dims and dims[-1].HasField("dim_value") else None
