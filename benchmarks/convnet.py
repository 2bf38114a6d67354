"""One image through networks, beside onnxruntime and PyTorch in one run: `python -m benchmarks.convnet`.

From an image in memory to the probabilities in memory. Ours keeps every neuron's response on the GPU on the way, the
peers only the last ones, unless onnxruntime is asked for every response as an output. They take turns, and the least
time of each counts, so that a machine that is busy for a while is so for all. Prints a table and adds its rows to
benchmarks/results/convnet.csv. Peers that are not installed are left out, and it says so.

The first use is a process of its own: of SqueezeNet from the network in memory, of ResNet-50 and VGG-11, whose weights
are random, from their ONNX files, so that loading them counts.

SqueezeNet 1.0 has its real weights where `neuroscene download squeezenet` or the folder shared/squeezenet beside this
project has them, else random ones: the work is the same.
"""

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.large import LARGE, large
from benchmarks.results import store
from engine.formats.downloads import cached
from engine.formats.load_convnet import load_convnet, small_squeezenet
from engine.gpu.kernel import subgroup_size
from engine.kernels.forward import Forward
from engine.network.graph import nodes
from engine.reference import forward as twin

ROOT = Path(__file__).resolve().parent.parent
BESIDE = ROOT.parent / "shared" / "squeezenet" / "squeezenet1_0.safetensors"
SMALL = ROOT / "scenes" / "data" / "small_squeezenet.safetensors"
TURNS, FIRSTS = 40, 3
# onnxruntime's threads turn idly for a while after they have worked, and would be in the others' way.
REST = 0.1
# Key, channels of the squeezing convolution and of each that expands, of SqueezeNet 1.0's fire modules.
FIRES = (
    (3, 16, 64), (4, 16, 64), (5, 32, 128), (7, 32, 128), (8, 48, 192), (9, 48, 192), (10, 64, 256), (12, 64, 256)
)  # fmt: skip


def squeezenet():
    """(SqueezeNet 1.0, whose weights it has)"""
    path = BESIDE if BESIDE.is_file() else cached("squeezenet")
    return (load_convnet(path), "real") if path else (random_squeezenet(), "random")


def random_squeezenet():
    """The same layers with random weights that keep responses about as large as they are."""
    from safetensors.numpy import save_file

    rng, arrays, inputs = np.random.default_rng(0), {}, 96

    def add(key, outputs, inputs, size):
        weights = rng.normal(size=(outputs, inputs, size, size)) * np.sqrt(2 / (inputs * size**2))
        arrays[f"{key}.weight"] = weights.astype(np.float32)
        arrays[f"{key}.bias"] = np.zeros(outputs, np.float32)

    add("features.0", 96, 3, 7)
    for number, squeeze, expand in FIRES:
        add(f"features.{number}.squeeze", squeeze, inputs, 1)
        for size in (1, 3):
            add(f"features.{number}.expand{size}x{size}", expand, squeeze, size)
        inputs = 2 * expand
    add("classifier.1", 1000, inputs, 1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "squeezenet1_0.safetensors"
        save_file(arrays, path)
        return load_convnet(path, size=(227, 227), classifier_padding=1)


NETWORKS = {
    "squeezenet1.0": squeezenet,
    "small": lambda: (small_squeezenet(SMALL.read_bytes(), SMALL.name), "its own"),
    "resnet50": lambda: (load_convnet(large("resnet50")), "random"),
    "vgg11": lambda: (load_convnet(large("vgg11")), "random"),
}


def ours(net):
    """A function from an image to the probabilities."""
    forward = Forward(net)
    return lambda x: forward.responses(x)[net.output.name].reshape(-1)


def by_torch(net):
    """The same, by PyTorch's functions in the graph's order."""
    import torch

    call = torch.nn.functional
    tensors = {n.name: (torch.tensor(n.weights), torch.tensor(n.bias)) for n in net.nodes if hasattr(n, "weights")}

    def step(node, x):
        if isinstance(node, nodes.Convolution):
            return call.conv2d(x[0], *tensors[node.name], node.stride, node.padding[:2])
        if isinstance(node, nodes.Elementwise):
            return x[0].relu_()  # in its place, as torchvision's networks do
        if isinstance(node, nodes.Dense):
            return call.linear(x[0].reshape(1, -1), *tensors[node.name])
        if isinstance(node, nodes.Add):
            return x[0] + x[1]
        if isinstance(node, nodes.Reshape):
            return x[0].reshape(1, -1)
        if isinstance(node, nodes.MaxPool):
            return call.max_pool2d(x[0], node.size, node.stride, node.padding[:2], ceil_mode=node.ceil)
        if isinstance(node, nodes.Concat):
            return torch.cat(x, 1)
        return call.adaptive_avg_pool2d(x[0], 1) if isinstance(node, nodes.Reduce) else x[0].softmax(1)

    def run(x):
        with torch.inference_mode():
            found = {net.nodes[0].name: torch.from_numpy(x)[None]}
            for node in net.nodes[1:]:
                found[node.name] = step(node, [found[key] for key in node.inputs])
            return found[net.output.name].reshape(-1).numpy()

    return run


def by_onnxruntime(net):
    """The same, by onnxruntime from the network as an ONNX file has it."""
    return _by_session(_onnx_of(net))


def all_by_onnxruntime(net):
    """The same, where every node's output is an output of the file."""
    import onnx

    file = _onnx_of(net)
    model = onnx.load_from_string(file) if isinstance(file, bytes) else onnx.load(file)
    known = {output.name for output in model.graph.output}
    names = [name for node in model.graph.node for name in node.output if name not in known]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    return _by_session(model.SerializeToString())


def _onnx_of(net):
    name = next((name for name in LARGE if net.name == large(name).name), None)
    return onnx_bytes(net) if name is None else str(large(name))


def _by_session(file):
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0].name
    return lambda x: session.run(None, {given: x[None]})[0].reshape(-1)


def onnx_bytes(net):
    """A network of SqueezeNet's kinds of nodes as the bytes of an ONNX file."""
    from onnx import TensorProto, helper, numpy_helper

    steps, constants = [], []
    for node in net.nodes[1:]:
        inputs = list(node.inputs)
        about: dict[str, Any] = {}
        if isinstance(node, nodes.Convolution):
            constants += [numpy_helper.from_array(node.weights, f"{node.name}.w")]
            inputs += [f"{node.name}.w"]
            if node.bias is not None:
                constants += [numpy_helper.from_array(node.bias, f"{node.name}.b")]
                inputs += [f"{node.name}.b"]
            about = {"strides": node.stride, "pads": node.padding}
        elif isinstance(node, nodes.MaxPool):
            about = {"kernel_shape": node.size, "strides": node.stride, "ceil_mode": int(node.ceil)}
        elif isinstance(node, nodes.Concat | nodes.Softmax):
            about = {"axis": 1}
        steps.append(helper.make_node(OPERATORS[type(node)], inputs, [node.name], **about))
    ends = [(net.nodes[0].name, (1, *net.input_shape)), (net.output.name, (1, *net.shapes[net.output.name]))]
    given, made = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in ends)
    graph = helper.make_graph(steps, "net", [given], [made], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()


OPERATORS = {
    nodes.Convolution: "Conv", nodes.Elementwise: "Relu", nodes.MaxPool: "MaxPool", nodes.Concat: "Concat",
    nodes.Reduce: "GlobalAveragePool", nodes.Softmax: "Softmax",
}  # fmt: skip
WHO = {
    "ours": ("numpy", ours), "onnxruntime": ("onnxruntime", by_onnxruntime), "torch": ("torch", by_torch),
    "onnxruntime, all responses": ("onnxruntime", all_by_onnxruntime),
}  # fmt: skip


def image(net):
    """Noise of the size that photos have behind the network's preprocess: white over its deviation."""
    size = net.preprocess.scale / max(net.preprocess.std) / 4
    return (size * np.random.default_rng(1).normal(size=net.input_shape)).astype(np.float32)


def pace(runs, x, turns):
    """who -> seconds of each turn, everyone in turn."""
    taken: dict[str, list[float]] = {who: [] for who in runs}
    for turn in range(turns + 2):
        for who, run in runs.items():
            time.sleep(REST)
            start = time.perf_counter()
            run(x)
            # The first two are not counted.
            taken[who] += [time.perf_counter() - start] if turn > 1 else []
    return taken


def first_use(name, who):
    """Seconds to the first probabilities, in processes without the driver's cache."""
    words = [sys.executable, "-m", "benchmarks.convnet", name, "--first", who]
    environment = {**os.environ, "MESA_SHADER_CACHE_DISABLE": "true", "__GL_SHADER_DISK_CACHE": "0"}
    runs = (subprocess.run(words, env=environment, capture_output=True, text=True, check=True) for _ in range(FIRSTS))
    return min(float(done.stdout) for done in runs)


def _print_first_use(name, who):
    net, _ = NETWORKS[name]()
    x = image(net)
    if name in LARGE and who == "ours":
        net = None
    if who == "ours":
        subgroup_size()  # and the device: neither belongs to the network
    else:
        importlib.import_module(WHO[who][0])
    start = time.perf_counter()
    WHO[who][1](net or load_convnet(large(name)))(x)
    print(time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", choices=[*NETWORKS, []], default=[], help="all, unless named")
    parser.add_argument("--first", choices=WHO, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.first:
        _print_first_use(asked.networks[0], asked.first)
        return
    makers = {who: make for who, (module, make) in WHO.items() if importlib.util.find_spec(module)}
    for who in WHO.keys() - makers.keys():
        print(f"{who} is left out: it is not installed")
    for name in asked.networks or NETWORKS:
        net, weights = NETWORKS[name]()
        x, work = image(net), 2e-9 * sum(net.work(node) for node in net.nodes)
        exact = twin.value(net, x)
        runs = {who: make(net) for who, make in makers.items()}
        for who, run in runs.items():
            # They are all asked the same.
            assert abs(run(x) - exact[net.output.name].reshape(-1)).max() < 1e-5, who
        every = Forward(net, keep="all").run(x)
        worst = max(abs(every[key] - exact[key]).max() / abs(exact[key]).max() for key in every)
        rows = [
            {
                "network": name, "weights": weights, "who": who,
                "seconds": statistics.median(taken), "least": min(taken), "gflops": work / min(taken),
                "first use": first_use(name, who), "worst layer": float(worst) if who == "ours" else "",
            }
            for who, taken in pace(runs, x, TURNS if work < 5 else TURNS // 5).items()
        ]  # fmt: skip
        store("convnet", rows)


if __name__ == "__main__":
    main()
