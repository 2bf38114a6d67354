"""The command `inspect`: a line a node, and what it says to files that hold no such network."""

import json
import shlex
from importlib.resources import files

import numpy as np
import pytest

from engine.cli import inspect
from engine.formats.load_convnet import small_squeezenet
from engine.formats.load_mlp import load, save
from engine.network.graph.nodes import AveragePool, Convolution, MaxPool
from engine.network.random import random_mlp

SMALL = files("scenes").joinpath("data", "small_squeezenet.safetensors")


@pytest.fixture
def ask(ask, tmp_path, monkeypatch):
    """Runs a command in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return ask


@pytest.fixture
def model(tmp_path):
    """Writes model.onnx with one node of a kind, from x to y."""
    helper = pytest.importorskip("onnx.helper")

    def function(kind, shape):
        ends = [helper.make_tensor_value_info("x", 1, shape)], [helper.make_tensor_value_info("y", 1, None)]
        graph = helper.make_graph([helper.make_node(kind, ["x"], ["y"], name="only")], "graph", *ends)
        file = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])
        (tmp_path / "model.onnx").write_bytes(file.SerializeToString())
        return "model.onnx"

    return function


@pytest.mark.parametrize(
    "written",
    ["tanh", "sine(30),sine(30),identity", "relu,gelu,sigmoid", "relu,relu,softmax", "relu,elu(0.5),log_softmax",
     "3 relu + 3 identity,tanh,identity"],
)  # fmt: skip
def test_the_activations_it_prints_are_those_to_type_after_a_file_of_weights(ask, tmp_path, written):
    net = random_mlp((3, 6, 5, 4), "tanh", seed=2)
    net = net.changed(
        activations=(written.split(",") * 2 + ["identity"])[:3] if written == "tanh" else written.split(",")
    )
    save(net, tmp_path / "net.safetensors")
    weights = {f"{i}.{name}": getattr(layer, of) for i, layer in enumerate(net.layers)
               for name, of in (("weight", "weights"), ("bias", "bias"))}  # fmt: skip
    np.savez(tmp_path / "weights.npz", **weights)
    (line,) = [line for line in ask("inspect", "net.safetensors").out.splitlines() if line.startswith("activations: ")]
    printed = shlex.split(line)[-1].removeprefix("FILE:")
    assert load(f"{tmp_path / 'weights.npz'}:{printed}").equals(net)
    assert json.loads(ask("inspect", "net.safetensors", "--json").out)["activations"] == printed
    assert "activations" not in ask("inspect", SMALL).out


def test_every_node_has_a_line_under_what_holds_of_the_whole(ask):
    status, out, err = ask("inspect", SMALL)
    net = small_squeezenet(SMALL.read_bytes())
    lines = out.splitlines()
    assert (status, err) == (0, "")
    assert lines[0] == "small SqueezeNet: 3 x 97 x 97 to 16"
    assert lines[1].startswith(f"{net.neuron_count:,} neurons, {net.weight_count:,} weights, ")
    assert (
        "its middle 97 x 97, rgb" in lines[2] and lines[3] == "16 classes: boat, bottle, butterfly, car, cat, cup, ..."
    )
    table = lines[lines.index("") + 1 :]
    assert [line.split("  ")[0] for line in table] == ["name", *(node.name for node in net.nodes)]
    # conv1 by hand: 47^2 places of 32 filters of 3 x 5 x 5.
    assert "convolution 5 x 5, stride 2" in table[2] and f"{47 * 47 * 32 * 75:,}" in table[2] and "5 x 5" in table[2]
    # No line is ragged: the columns begin where their headings do.
    assert all(line[table[0].index("gives") - 1] == " " for line in table)


def test_programs_get_all_of_it_as_json(ask):
    status, out, _ = ask("inspect", SMALL, "--json")
    found, net = json.loads(out), small_squeezenet(SMALL.read_bytes())
    assert status == 0 and found["classes"] == list(net.classes) and found["weights"] == net.weight_count
    assert [tuple(node["shape"]) for node in found["nodes"]] == list(net.shapes.values())
    assert found["multiply_adds"] == sum(node["multiply_adds"] for node in found["nodes"])
    assert found["preprocess"]["mean"] == [0.5] * 3
    size, stride, start = net.receptive("fire4/expand3x3")
    sees = next(node["sees"] for node in found["nodes"] if node["name"] == "fire4/expand3x3")
    assert (tuple(sees["size"]), tuple(sees["stride"]), tuple(sees["start"])) == (size, stride, start)


def test_the_size_is_given_width_first(ask, model):
    free = model("GlobalAveragePool", ("N", 3, "H", "W"))
    status, out, _ = ask("inspect", free, "--size", "20x10")
    assert status == 0 and "3 x 10 x 20 to 3" in out
    status, _, err = ask("inspect", free)
    assert status == 2 and "its sizes must be known" in err and err.count("\n") == 1


def test_a_fully_connected_network_is_read_too(ask, tmp_path):
    net = random_mlp([3, 5, 2], "tanh", last="softmax", seed=1)
    save(net, tmp_path / "net.npz")
    save(net, tmp_path / "net.safetensors")
    for name in ("net.npz", "net.safetensors"):
        status, out, _ = ask("inspect", name)
        assert status == 0 and "3 to 2" in out and f"{5 * 3 + 5 + 2 * 5 + 2} weights" in out
        assert [line.split()[0] for line in out.splitlines()[4:]] == [
            "name",
            "input",
            "layer",
            "tanh",
            "layer",
            "softmax",
        ]
    assert "photo" not in out
    status, out, _ = ask("inspect", "net.npz:relu")
    assert status == 0 and "relu 1" in out
    status, out, _ = ask("inspect", "net.npz:3 relu + 2 identity,identity")
    assert status == 0 and "3 relu + 2 identity" in out


def test_a_network_of_several_inputs_is_listed_with_all_of_them(ask, tmp_path):
    helper = pytest.importorskip("onnx.helper")
    value = helper.make_tensor_value_info
    steps = [helper.make_node("MatMul", ["a", "b"], ["m"]), helper.make_node("Softmax", ["m"], ["y"], axis=-1)]
    graph = helper.make_graph(steps, "g", [value("a", 1, (1, 5, 3)), value("b", 1, (1, 3, 7))], [value("y", 1, None)])
    file = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])
    (tmp_path / "model.onnx").write_bytes(file.SerializeToString())
    status, out, err = ask("inspect", "model.onnx")
    assert (status, err) == (0, "") and out.startswith(
        "model.onnx: 5 x 3 and 3 x 7 to 5 x 7\n70 neurons, 0 weights, 105 "
    )
    status, out, _ = ask("inspect", "model.onnx", "--json")
    found = json.loads(out)
    assert status == 0 and found["inputs"] == {"a": [5, 3], "b": [3, 7]} and found["nodes"][2]["shape"] == [5, 7]


def test_tokens_are_listed_as_they_are(ask, tmp_path):
    helper = pytest.importorskip("onnx.helper")
    ends = [helper.make_tensor_value_info("x", 1, (1, 6, 4))], [helper.make_tensor_value_info("y", 1, None)]
    graph = helper.make_graph([helper.make_node("ReduceMean", ["x"], ["y"], axes=[1], keepdims=0)], "g", *ends)
    file = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    (tmp_path / "model.onnx").write_bytes(file.SerializeToString())
    status, out, _ = ask("inspect", "model.onnx")
    assert status == 0 and out.startswith("model.onnx: 6 x 4 to 4") and "mean over axis 1" in out


WRONG = {
    "what is not there": (["gone.onnx"], "There is no file gone.onnx"),
    "what is no network": (["notes.md"], "There is no format to read `.md`"),
    "a broken file": (["cut.safetensors"], "cut.safetensors is not a whole safetensors file"),
    "a size of one number": (["model.onnx", "--size", "20"], "--size 20: it takes width x height"),
    "no size": (["model.onnx", "--size", "0x20"], "--size 0x20: it takes width x height"),
    "a node nobody knows": (["model.onnx"], "Node 0 `only` (Einsum) of model.onnx cannot be shown"),
}


@pytest.mark.parametrize(("words", "says"), WRONG.values(), ids=WRONG)
def test_a_mistake_ends_in_one_line(ask, tmp_path, model, words, says):
    model("Einsum", (1, 3, 8, 8))
    (tmp_path / "notes.md").write_text("a note")
    (tmp_path / "cut.safetensors").write_bytes(SMALL.read_bytes()[:5000])
    status, out, err = ask("inspect", *words)
    assert (status, out, err.count("\n")) == (2, "", 1) and says in err


ABOUT = {
    "convolution 3 x 2, stride 2 1, pad 1 0 2 0, dilation 1 2, 2 groups": Convolution(
        "c", ("x",), np.ones((4, 1, 3, 2)), None, (2, 1), (1, 0, 2, 0), (1, 2), 2
    ),
    "convolution 1 x 1, pad 1": Convolution("c", ("x",), np.ones((4, 1, 1, 1)), None, padding=(1, 1, 1, 1)),
    "max pool 3 x 3, stride 2, rounded up": MaxPool("p", ("x",), (3, 3), (2, 2), ceil=True),
    "average pool 2 x 2, pad 0 0 1 1, padding counts": AveragePool(
        "p", ("x",), (2, 2), (1, 1), (0, 0, 1, 1), include_padding=True
    ),
}


@pytest.mark.parametrize(("words", "node"), ABOUT.items())
def test_what_sets_a_node_apart_is_said(words, node):
    assert inspect.about(node) == words
