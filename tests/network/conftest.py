"""One small network in every format that is read, made without the code that reads it where that can be."""

import io

import numpy as np
import pytest

from engine.network.loading import LOADERS, save
from engine.network.random import random_mlp


def onnx_bytes(nodes, constants, *, input_shape=("N", 3), opset=20, output="y"):
    """A model of nodes given as (op, inputs, output, attributes), each output one name; input x, output y."""
    helper = pytest.importorskip("onnx.helper")
    from onnx import numpy_helper

    graph = helper.make_graph(
        [
            helper.make_node(op, list(inputs), [out], name=f"{op.lower()}_{out}", **attributes)
            for op, inputs, out, attributes in nodes
        ],
        "chain",
        [helper.make_tensor_value_info("x", 1, input_shape)],
        [helper.make_tensor_value_info(output, 1, None)],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)]).SerializeToString()


def chain_bytes(net):
    """A network of tanh layers, identity last, as the plainest ONNX file of it."""
    nodes, constants, before = [], {}, "x"
    for i, layer in enumerate(net.layers):
        constants |= {f"w{i}": layer.weights, f"b{i}": layer.bias}
        last = i == len(net.layers) - 1
        nodes.append(("Gemm", [before, f"w{i}", f"b{i}"], "y" if last else f"z{i}", {"transB": 1}))
        if not last:
            nodes.append(("Tanh", [f"z{i}"], f"h{i}", {}))
        before = f"h{i}"
    return onnx_bytes(nodes, constants)


def pt_bytes(net):
    """Its state dict, as PyTorch saves one."""
    torch = pytest.importorskip("torch", reason="PyTorch opens .pt files; `make test-peers` installs it")
    state = {}
    for i, layer in enumerate(net.layers):
        state |= {
            f"{i}.weight": torch.from_numpy(layer.weights.copy()),
            f"{i}.bias": torch.from_numpy(layer.bias.copy()),
        }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


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
    if extension in (".pt", ".pth"):
        return extension, pt_bytes(small), "tanh"
    path = tmp_path_factory.mktemp("sample") / f"net{extension}"
    save(small, path)
    return extension, path.read_bytes(), None
