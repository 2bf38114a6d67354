"""One small network in every format that is read, made without the code that reads it where that can be."""

import ast
import io
import json
import zipfile

import numpy as np
import pytest

from engine.formats.load_mlp import LOADERS, save
from engine.network.random import random_mlp


def _node(helper, text):
    out, _, call = text.partition("=")
    op, *takes = call.split()
    attributes = {}
    for key, _, value in (x.partition("=") for x in takes if "=" in x):
        try:
            attributes[key] = ast.literal_eval(value)  # 1, 0.5, or 1,0
        except (ValueError, SyntaxError):
            attributes[key] = value
    return helper.make_node(
        op,
        ["" if x == "_" else x for x in takes if "=" not in x],
        out.strip().split(","),
        name=f"{op}_{out.strip()}",
        **attributes,
    )


def onnx_bytes(nodes, constants, *, input_shape=("N", 3), opset=20, kind=1, **graph_parts):
    """A model of nodes written as `z = Gemm x w b transB=1; y = Tanh z`; input x, output y; _ is no input.

    kind          TensorProto.DataType of input and output: 1 float, 11 double
    graph_parts   what make_graph takes more, and inputs, outputs, model (a function that changes it) of our own
    """
    helper = pytest.importorskip("onnx.helper")
    from onnx import numpy_helper

    inputs = graph_parts.pop("inputs", [helper.make_tensor_value_info("x", kind, input_shape)])
    outputs = graph_parts.pop("outputs", [helper.make_tensor_value_info("y", kind, None)])
    change = graph_parts.pop("model", lambda model: None)
    graph = helper.make_graph(
        [_node(helper, text) for text in nodes.split(";")],
        "chain",
        inputs,
        outputs,
        [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()],
        **graph_parts,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    change(model)
    return model.SerializeToString()


def chain_bytes(net):
    """A network of tanh layers, identity last, as the plainest ONNX file of it."""
    nodes, before = [], "x"
    constants: dict[str, np.ndarray] = {}
    for i, layer in enumerate(net.layers):
        constants |= {f"w{i}": layer.weights, f"b{i}": layer.bias}
        nodes += [f"z{i} = Gemm {before} w{i} b{i} transB=1", f"h{i} = Tanh z{i}"]
        before = f"h{i}"
    nodes[-1] = f"y = Identity z{i}"
    return onnx_bytes("; ".join(nodes), constants)


def pt_bytes(net):
    """Its state dict, as PyTorch saves one."""
    torch = pytest.importorskip("torch", reason="PyTorch opens .pt files; `make test-peers` installs it")
    state: dict[str, object] = {}
    for i, layer in enumerate(net.layers):
        state |= {
            f"{i}.weight": torch.from_numpy(layer.weights.copy()),
            f"{i}.bias": torch.from_numpy(layer.bias.copy()),
        }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def keras_bytes(net):
    """A network of tanh layers, identity last, as Keras 3 saves it."""
    h5py = pytest.importorskip("h5py", reason="h5py opens the weights of .keras files; it is no dependency")
    layers = [{"class_name": "InputLayer", "config": {"name": "input", "batch_shape": [None, net.inputs]}}]
    weights, whole = io.BytesIO(), io.BytesIO()
    with h5py.File(weights, "w") as file:
        for i, layer in enumerate(net.layers):
            activation = "linear" if i == len(net.layers) - 1 else "tanh"
            layers.append({"class_name": "Dense", "config": {"name": f"d{i}", "activation": activation}})
            group = file.create_group(f"layers/dense{f'_{i}' if i else ''}/vars")
            group["0"], group["1"] = layer.weights.T, layer.bias
    config = {"class_name": "Sequential", "config": {"name": "net", "layers": layers}}
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", weights.getvalue())
    return whole.getvalue()


@pytest.fixture(scope="session")
def make_onnx():
    """`onnx_bytes`, for tests of their own models."""
    return onnx_bytes


@pytest.fixture(scope="session")
def small():
    """The network in the sample files: 3-4-1 tanh."""
    return random_mlp([3, 4, 1], "tanh", seed=11)


@pytest.fixture(scope="session", params=LOADERS)
def sample(request, small, tmp_path_factory):
    """(extension, the bytes of a file with `small` in it, activations that must be given), for every loader."""
    extension = request.param
    if extension in (".onnx",):
        return extension, chain_bytes(small), None
    if extension in (".pt", ".pth", ".ckpt", ".bin"):
        return extension, pt_bytes(small), "tanh"
    if extension == ".keras":
        return extension, keras_bytes(small), None
    path = tmp_path_factory.mktemp("sample") / f"net{extension}"
    save(small, path)
    return extension, path.read_bytes(), None
