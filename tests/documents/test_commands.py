"""The commands of README and docs/, run as they stand but for their sizes: pictures of few pixels, films of few frames.

`run` draws what its window would show. Left out, and why: commands.LEFT_OUT.
"""

import shutil

import numpy as np
import onnx
import pytest
from commands import commands_in, is_left_out, smaller, words_of
from PIL import Image
from tree import DOCUMENTS, ROOT, place

import engine
from benchmarks.convnet import onnx_bytes
from engine import diagnostics
from engine.cli import main
from engine.formats.load_convnet import load_convnet

# writing-a-scene.md needs its own scene file, and has its own tests.
WITH_COMMANDS = [p for p in DOCUMENTS if commands_in(p) and p.name != "writing-a-scene.md"]
DONE = set()


def as_onnx(net):
    """A network of tanh layers and a last one without, as an ONNX model."""
    nodes, constants, at = [], [], "x"
    for k, layer in enumerate(net.layers):
        constants += [onnx.numpy_helper.from_array(layer.weights, f"w{k}")]
        constants += [onnx.numpy_helper.from_array(layer.bias, f"b{k}")]
        nodes += [onnx.helper.make_node("Gemm", [at, f"w{k}", f"b{k}"], [f"z{k}"], transB=1)]
        if layer.activation.name == "tanh":
            nodes += [onnx.helper.make_node("Tanh", [f"z{k}"], [f"h{k}"])]
        at = nodes[-1].output[0]
    ends = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, (1, width))
        for name, width in (("x", net.inputs), (at, net.outputs))
    ]
    graph = onnx.helper.make_graph(nodes, "net", ends[:1], ends[1:], constants)
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the files that the documents speak of, each the smallest of its kind."""
    folder = tmp_path_factory.mktemp("documents")
    shutil.copytree(ROOT / "examples", folder / "examples")
    for made in ("figures", "docs/images/figures", "docs/images/boundaries", "docs/images/activations"):
        (folder / made).mkdir(parents=True)
    ramp = np.linspace(0, 255, 50).astype(np.uint8)
    Image.fromarray(np.tile(ramp[None, :, None], (40, 1, 3))).save(folder / "photo.jpg")
    for name, inputs in (("model", 3), ("torus", 3), ("early", 2), ("late", 2), ("classifier", 2)):
        net = engine.random_mlp([inputs, 4, 1], "tanh", seed=1)
        engine.save_network(net, folder / f"{name}.safetensors")
        onnx.save(as_onnx(net), folder / f"{name}.onnx")
    net = load_convnet(ROOT / "scenes" / "data" / "small_squeezenet.safetensors")
    for name in ("mine", "mobilenetv2", "resnet50", "unet", "vit"):
        (folder / f"{name}.onnx").write_bytes(onnx_bytes(net))
    for name in ("run", "moons"):
        words = ["train", "bottle", "-o", str(folder / f"{name}.safetensors"), "--steps", "60", "--side", "16"]
        assert main.main(words) == main.OK
    return folder


@pytest.mark.parametrize("path", WITH_COMMANDS, ids=place)
def test_the_commands_of_a_document_run(path, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    # No option makes an export's picture small.
    monkeypatch.setattr("engine.vector.pictured.ACROSS", 120)
    monkeypatch.setattr("engine.draw.surfaces.curves.CELLS", 48)
    # --dump-wgsl and --verbose hold for the process they are given to: they end with this test.
    for name in (diagnostics.WGSL_FOLDER, diagnostics.LOG_LEVEL):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(diagnostics.log, "handlers", [])
    monkeypatch.setattr(diagnostics.log, "propagate", True)
    monkeypatch.setattr(diagnostics.log, "level", diagnostics.log.level)
    for line in commands_in(path):
        words = words_of(line)
        # Of a scene's figures one command is enough: tests/scenes make them all.
        known = tuple(words[:2] if words[0] == "figures" and "--list" not in words else words)
        if is_left_out(line) or known in DONE:
            continue
        DONE.add(known)
        print(line)
        assert main.main(smaller(words)) == main.OK, (line, smaller(words), capsys.readouterr().err)
