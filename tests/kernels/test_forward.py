"""Whole convolutional networks on the GPU against their float64 twins, step by step."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import NetworkError, SettingError, ShapeError
from engine.formats.load_convnet import load_convnet
from engine.gpu.device import device
from engine.gpu.kernel import subgroup_size
from engine.kernels.convolve import LANES
from engine.kernels.forward import Forward, evaluate
from engine.network.convnet import ConvNet
from engine.network.graph import nodes
from engine.reference import forward as twin
from tools.drawn.objects import KINDS, draw

VARIANTS = ["slabs", *(["lanes"] if subgroup_size() in LANES else [])]
REAL = Path(__file__).resolve().parents[2].parent / "shared" / "squeezenet" / "squeezenet1_0.safetensors"


def image(net, seed=0):
    return np.random.default_rng(seed).normal(size=net.input_shape).astype(np.float32)


class Graph:
    """Nodes in a row or not, with weights that keep responses about as large as they are."""

    def __init__(self, *shape):
        self.rng, self.nodes = np.random.default_rng(4), [nodes.Input("image", (), (1, *shape))]
        self.last = "image"

    def add(self, kind, name, *inputs, **more):
        self.nodes.append(kind(name, inputs or (self.last,), **more))
        self.last = name
        return self

    def conv(self, name, outputs, inputs, window=1, before=None, **more):
        weights = self.rng.normal(size=(outputs, inputs, window, window)) * np.sqrt(2 / (inputs * window**2))
        bias = self.rng.normal(size=outputs) / 4
        return self.add(nodes.Convolution, name, *([before] if before else []), weights=weights, bias=bias, **more)

    def dense(self, name, outputs, inputs):
        weights = self.rng.normal(size=(outputs, inputs)) * np.sqrt(2 / inputs)
        return self.add(nodes.Dense, name, weights=weights, bias=self.rng.normal(size=outputs) / 4)

    def act(self, name, activation="relu"):
        return self.add(nodes.Elementwise, name, activation=activation)

    def mean(self, name, *inputs):
        return self.add(nodes.Reduce, name, *inputs, function="mean", axes=(2, 3))

    def flat(self, name, count):
        return self.add(nodes.Reshape, name, dims=(1, count))

    def net(self):
        return ConvNet(self.nodes, preprocess=False)


def fire():
    """SqueezeNet's module, with channels that are no multiple of four beside whole groups."""
    g = Graph(3, 13, 15).conv("conv1", 8, 3, 3, stride=(2, 2)).act("relu1")
    g.add(nodes.MaxPool, "pool1", size=(3, 3), stride=(2, 2), ceil=True).conv("squeeze", 6, 8).act("squeezed")
    g.conv("e1", 8, 6, before="squeezed").act("r1").conv("e3", 10, 6, 3, before="squeezed", padding=(1,) * 4).act("r3")
    g.add(nodes.Concat, "concat", "r1", "r3").conv("conv10", 7, 18).act("relu10")
    return g.mean("mean").add(nodes.Softmax, "prob").net()


def residual():
    """A block of ResNet, and one that halves the map, with a depthwise convolution."""
    g = Graph(5, 12, 12).conv("stem", 8, 5, 3, padding=(1,) * 4).act("r0")
    g.conv("a1", 8, 8, 3, padding=(1,) * 4).act("ra1").conv("a2", 8, 8, 3, padding=(1,) * 4)
    g.add(nodes.Add, "sum1", "a2", "r0").act("rs1")
    g.conv("b1", 8, 1, 3, groups=8, stride=(2, 2), padding=(0, 0, 1, 1)).act("rb1", "silu").conv("b2", 11, 8)
    g.conv("short", 11, 8, before="rs1", stride=(2, 2)).add(nodes.Add, "sum2", "b2", "short")
    g.add(nodes.AveragePool, "pool", size=(3, 3), stride=(2, 2), padding=(1,) * 4).flat("flat", 99)
    return g.dense("fc", 10, 99).net()


def plain():
    """As VGG: convolutions and pools in a row, two layers of weights, no softmax."""
    g = Graph(1, 16, 16).conv("c1", 9, 1, 3, padding=(1,) * 4).act("r1", "leaky_relu(0.1)")
    g.conv("c2", 9, 9, 3, padding=(1,) * 4).act("r2").add(nodes.MaxPool, "p1", size=(2, 2), stride=(2, 2))
    g.conv("c3", 18, 3, 3, groups=3, padding=(1,) * 4)
    g.act("r3", "tanh").add(nodes.MaxPool, "p2", size=(2, 2), stride=(2, 2)).flat("flat", 18 * 16)
    return g.dense("fc1", 40, 18 * 16).act("r4").dense("fc2", 5, 40).act("out", "sigmoid").net()


def dense_block():
    """Each convolution sees all before it; the same map is joined twice; joined maps are joined."""
    g = Graph(4, 6, 7).conv("c0", 4, 4, 3, padding=(1,) * 4).act("r0")
    g.add(nodes.Concat, "j1", "image", "r0").conv("c1", 4, 8).act("r1")
    g.add(nodes.Concat, "j2", "j1", "r1").conv("c2", 3, 12).act("r2")
    g.add(nodes.Concat, "j3", "r2", "j2", "r2").act("all", "sigmoid")
    return g.add(nodes.Softmax, "prob").net()


def gated():
    """Blocks of MobileNetV3 and EfficientNet: channels scaled by a vector, either factor first; a product of maps."""
    g = Graph(3, 11, 13).conv("stem", 10, 3, 3, stride=(2, 2)).act("r0", "hard_swish")
    g.mean("mean1").conv("fc1", 3, 10).act("r1").conv("fc2", 10, 3).act("gate1", "hard_sigmoid")
    g.add(nodes.Multiply, "scaled1", "r0", "gate1").conv("b", 10, 10, 3, padding=(1,) * 4).act("rb", "silu")
    g.mean("mean2").conv("fc3", 10, 10).act("gate2", "sigmoid")
    g.add(nodes.Multiply, "scaled2", "gate2", "rb").act("rs", "relu").conv("c", 10, 10)
    g.add(nodes.Multiply, "product", "c", "rs").act("rp", "tanh").add(nodes.Concat, "joined", "scaled1", "rp", "rs")
    return g.mean("mean").add(nodes.Multiply, "squares", "mean", "mean").flat("flat", 30).dense("fc", 5, 30).net()


def unet():
    """Down and up again: group norm, a transposed convolution, a map resized; channels in another order; a mask."""
    pad = {"padding": (1,) * 4}
    g = Graph(3, 12, 16).conv("e1", 8, 3, 3, **pad)
    g.add(nodes.Normalise, "n1", gain=g.rng.normal(size=(8, 1, 1)), bias=np.zeros((8, 1, 1)), groups=2).act(
        "r1", "silu"
    )
    g.add(nodes.MaxPool, "down", size=(2, 2), stride=(2, 2)).conv("m", 10, 8, 3, **pad).act("rm")
    # As in ShuffleNet: channels as 2 by 5, and turned.
    g.add(nodes.Reshape, "parts", dims=(1, 2, 5, 6, 8)).add(nodes.Transpose, "turned", axes=(0, 2, 1, 3, 4))
    g.add(nodes.Reshape, "shuffled", dims=(1, 10, 6, 8))
    g.add(nodes.TransposedConvolution, "up", weights=g.rng.normal(size=(10, 6, 2, 2)) / 4, stride=(2, 2))
    g.add(nodes.Concat, "skip", "up", "r1").conv("c", 6, 14, 3, **pad)
    g.add(nodes.Prelu, "p", slopes=g.rng.normal(size=(6, 1, 1)))
    g.add(nodes.Slice, "half", starts=(0, 1, 0, 0), counts=(1, 3, 12, 16), steps=(1, 2, 1, 1))
    g.add(nodes.Pad, "padded", before=(0, 0, 1, 0), after=(0, 0, 1, 2), mode="reflect")
    rows = np.repeat(np.eye(14), 2, axis=0)
    return g.add(nodes.Resize, "large", rows=rows, columns=np.eye(18)[::2]).add(nodes.Softmax, "mask").net()


def transformer():
    """Patches, a class token, places, attention, a gated layer, the class token's scores."""
    g = Graph(3, 8, 8).conv("patches", 12, 3, 2, stride=(2, 2))
    g.add(nodes.Reshape, "rows", dims=(1, 12, 16)).add(nodes.Transpose, "tokens", axes=(0, 2, 1))
    for name, shape in (("class", (1, 1, 12)), ("places", (1, 17, 12)), ("root", ()), ("row", (12,))):
        g.nodes.append(nodes.Constant(name, (), np.float32(g.rng.normal(size=shape))))
    g.add(nodes.Concat, "all", "class", "tokens", axis=1).add(nodes.Add, "placed", "all", "places")
    ones = np.ones(12)
    g.add(nodes.Normalise, "norm", gain=ones, bias=ones, axes=(-1,)).dense("qkv", 36, 12)
    g.add(nodes.Reshape, "split", dims=(1, 17, 3, 2, 6)).add(nodes.Transpose, "heads", axes=(2, 0, 3, 1, 4))
    for i, key in enumerate("qkv"):
        g.add(nodes.Gather, key, "heads", indices=np.array(i))
    g.add(nodes.Transpose, "kt", "k", axes=(0, 1, 3, 2)).add(nodes.MatMul, "products", "q", "kt")
    g.add(nodes.Divide, "scaled", "products", "root").add(nodes.Softmax, "attention", axis=-1)
    g.add(nodes.MatMul, "seen", "attention", "v").add(nodes.Transpose, "back", axes=(0, 2, 1, 3))
    g.add(nodes.Reshape, "joined", dims=(1, 17, 12)).dense("mixed", 12, 12).add(
        nodes.Multiply, "layer scale", "mixed", "row"
    )
    g.add(nodes.Add, "sum", "placed", "layer scale").dense("wide", 20, 12).act("gelu", "gelu").dense("narrow", 12, 20)
    g.add(nodes.Add, "sum 2", "sum", "narrow").add(nodes.Gather, "first", indices=np.array(0), axis=1)
    g.dense("scores", 5, 12).add(nodes.Softmax, "log", log=True)
    # A second way: what is the largest, where it is, and the tokens as a map with channels last.
    g.add(nodes.Reduce, "largest", "sum 2", function="max", axes=(1,)).add(
        nodes.Compare, "is", "sum 2", "largest", relation="=="
    )
    g.add(nodes.Where, "kept", "is", "sum", "placed").add(nodes.Reduce, "mean", function="mean", axes=(1,), keep=False)
    return g.dense("last", 5, 12).add(nodes.Subtract, "both", "log", "last").net()


def windows():
    """As Swin and ConvNeXt: maps with their channels last, cut into windows and rolled."""
    g = Graph(3, 8, 12).conv("stem", 6, 3, 2, stride=(2, 2)).add(nodes.Transpose, "last", axes=(0, 2, 3, 1))
    g.add(nodes.Normalise, "norm", gain=np.ones(6), bias=np.zeros(6), axes=(-1,))
    for name, first, count in (("right", 1, 3), ("left", 0, 1)):
        g.add(nodes.Slice, name, "norm", starts=(0, first, 0, 0), counts=(1, count, 6, 6), steps=(1,) * 4)
    g.add(nodes.Concat, "rolled", "right", "left", axis=1).add(nodes.Reshape, "cut", dims=(1, 2, 2, 3, 2, 6))
    g.add(nodes.Transpose, "windows", axes=(0, 1, 3, 2, 4, 5)).add(nodes.Reshape, "of four", dims=(6, 4, 6))
    g.dense("d", 8, 6).act("a", "gelu").dense("e", 6, 8).add(nodes.Reshape, "apart", dims=(1, 2, 3, 2, 2, 6))
    g.add(nodes.Transpose, "put back", axes=(0, 1, 3, 2, 4, 5)).add(nodes.Reshape, "map", dims=(1, 4, 6, 6))
    g.add(nodes.Add, "sum", "map", "last").add(nodes.Transpose, "first", axes=(0, 3, 1, 2))
    g.add(nodes.Affine, "scaled", scale=g.rng.normal(size=(6, 1, 1)), shift=np.zeros(1)).conv("each", 6, 1, 3, groups=6)
    return g.add(nodes.LocalNormalise, "local", size=3).mean("mean").flat("flat", 6).dense("fc", 4, 6).net()


NETS = {
    "fire": fire(),
    "residual": residual(),
    "plain": plain(),
    "dense block": dense_block(),
    "gated": gated(),
    "unet": unet(),
    "transformer": transformer(),
    "windows": windows(),
}


def check(net, variant=None, keep=(), seed=0):
    """Every step within its bound of what its twin makes of the same inputs; what was found."""
    run = Forward(net, keep=keep, variant=variant)
    found = run.run(image(net, seed))
    assert tuple(found) == run.kept and set(found) | set(run.shared) == set(net.shapes)
    steps = list(twin.steps(net, found, run.shared))
    assert {name for name, _, _ in steps} == set(found) - {"image"}
    for name, exact, bound in steps:
        assert found[name].shape == net.shapes[name]
        assert (abs(found[name] - exact) <= bound).all(), name
    return found


@pytest.mark.parametrize("keep", [(), "all"], ids=["fused", "all kept"])
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", NETS)
def test_every_step_of_a_network_is_the_twins(name, variant, keep):
    check(NETS[name], variant, keep)


@pytest.mark.parametrize("name", NETS)
def test_the_whole_network_is_the_twins(name):
    net = NETS[name]
    found, exact = evaluate(net, image(net)), twin.value(net, image(net))
    for key, values in found.items():
        # The bound that is set for networks of this kind; each rounding is 6e-8.
        assert abs(values - exact[key]).max() <= 1e-5 * abs(exact[key]).max(), key


@st.composite
def graphs(draw):
    """A graph of up to eight steps over maps of one size, each taking any that are there."""
    g = Graph(draw(st.integers(1, 9)), 4, 5)
    width = {"image": g.nodes[0].size[1]}
    for i in range(draw(st.integers(1, 8))):
        name, before = f"n{i}", draw(st.sampled_from(sorted(width)))
        kind = draw(st.sampled_from(["conv", "each", "act", "pool", "concat", "concat", "add", "multiply", "gate"]))
        width[name] = width[before]
        if kind == "conv":
            width[name] = draw(st.integers(1, 9))
            g.conv(name, width[name], width[before], draw(st.sampled_from([1, 3])), before)
            size = g.nodes[-1].weights.shape[2] // 2
            g.nodes[-1] = nodes.Convolution(name, (before,), g.nodes[-1].weights, g.nodes[-1].bias, padding=(size,) * 4)
        elif kind == "each":
            g.conv(name, width[before], 1, 1, before, groups=width[before])
        elif kind == "act":
            g.add(nodes.Elementwise, name, before, activation="relu")
        elif kind == "pool":
            g.add(nodes.MaxPool, name, before, size=(3, 3), stride=(1, 1), padding=(1,) * 4)
        elif kind == "concat":
            inputs = [before, *draw(st.lists(st.sampled_from(sorted(set(width) - {name})), max_size=3))]
            width[name] = sum(width[key] for key in inputs)
            g.add(nodes.Concat, name, *inputs)
        elif kind == "gate":
            g.mean(f"{name} mean", before).act(f"{name} gate", "sigmoid")
            g.add(nodes.Multiply, name, *draw(st.permutations([before, f"{name} gate"])))
        else:
            other = draw(st.sampled_from([k for k in sorted(width) if k != name and width[k] == width[before]]))
            g.add(nodes.Add if kind == "add" else nodes.Multiply, name, before, other)
    return g.net()


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_every_step_of_any_graph_is_the_twins(net):
    run = Forward(net)
    check(net)
    # Past the last channel lie zeros, whoever else writes the array.
    run.run(image(net))
    for name in run.kept:
        held = run.map(name)
        raw = held.array.read(4 * held.count, 4 * held.first).reshape(held.groups, held.places, 4)
        filled = raw.transpose(0, 2, 1).reshape(4 * held.groups, -1)[held.shape[0] :]
        assert (filled == 0).all(), name


@pytest.mark.parametrize("name", ["unet", "transformer", "windows"])
def test_what_lies_in_numpys_order_is_a_map_once_it_is_asked_for_and_in_every_run_then(name):
    net = NETS[name]
    run = Forward(net)
    for seed in (0, 1):
        found = run.run(image(net, seed))
        for key in net.shown:
            if key in run.kept:
                assert run.map(key).shape == net.shapes[key] and np.array_equal(run.map(key).read(), found[key]), key


def test_a_transpose_between_channels_first_and_last_and_a_reshape_of_places_move_nothing():
    run = Forward(NETS["windows"])
    assert run.array("last") is run.array("stem") and run.array("first") is run.array("sum")
    run = Forward(NETS["transformer"])
    assert run.array("tokens") is run.array("patches")


@pytest.mark.parametrize(
    "window", [((3, 2), (2, 1), (1, 0, 2, 1)), ((1, 1), (3, 2), (0, 0, 0, 0)), ((4, 3), (1, 1), (3, 1, 3, 1))]
)
def test_images_side_by_side_are_convolved_each_by_itself(window):
    size, stride, padding = window
    weights = np.random.default_rng(3).normal(size=(5, 3, *size))
    net = ConvNet(
        [
            nodes.Input("image", (), (1, 18, 6, 7)),
            nodes.Reshape("apart", ("image",), (6, 3, 6, 7)),
            nodes.Convolution("c", ("apart",), weights, np.ones(5), stride, padding),
            nodes.Elementwise("r", ("c",), "relu"),
        ],
        preprocess=False,
    )
    check(net)


def test_two_runs_give_the_same_bytes_and_another_image_others():
    net = NETS["fire"]
    run = Forward(net)
    first, other, again = (run.run(image(net, seed)) for seed in (0, 1, 0))
    assert all(np.array_equal(first[key], again[key]) for key in first)
    assert all(not np.array_equal(first[key], other[key]) for key in first)
    assert all(np.array_equal(found, first[key]) for key, found in evaluate(net, image(net)).items())


def test_a_run_without_an_image_is_of_the_last_one():
    net = NETS["residual"]
    run = Forward(net)
    found = run.run(image(net))
    run.map("fc").write(np.zeros(net.shapes["fc"]))
    encoder = device().encoder()
    run.record(encoder)
    device().submit(encoder)
    assert np.array_equal(run.map("fc").read(), found["fc"])


def test_responses_are_read_when_they_are_asked_for_and_of_their_own_image():
    net = NETS["fire"]
    run = Forward(net)
    exact, seen = evaluate(net, image(net)), run.responses(image(net))
    assert list(seen) == list(run.kept) and len(seen) == len(exact)
    assert np.array_equal(seen["concat"], exact["concat"]) and seen["concat"] is seen["concat"]
    # A mapping's own: what is computed together with what follows is not in it.
    assert "e1" not in seen and seen.get("e1") is None
    run.responses(image(net, 1))
    assert np.array_equal(seen["concat"], exact["concat"])
    with pytest.raises(NetworkError, match="`prob` of network was asked for after another image was run"):
        seen["prob"]


def test_images_and_joined_maps_are_read_where_they_lie():
    net = NETS["fire"]
    run = Forward(net)
    found = run.run(image(net))
    # 8 channels of 3 x 3 come first, so the second part begins 2 groups of 9 behind.
    assert run.array("r1") is run.array("r3") is run.array("concat")
    assert (run.first("r1"), run.first("r3"), run.first("concat")) == (0, 18, 0)
    assert run.array("relu1") is not run.array("pool1") and run.first("relu1") == 0
    raw = run.array("r3").read(4 * 27, 4 * 18).reshape(3, 9, 4).transpose(0, 2, 1).reshape(12, 3, 3)
    assert np.array_equal(raw[:10], found["r3"]) and (raw[10:] == 0).all()
    assert np.array_equal(np.concatenate([found["r1"], found["r3"]]), found["concat"])


def test_sums_are_kept_where_they_are_asked_for():
    net = NETS["fire"]
    run = Forward(net, keep=["e3"])
    found = run.run(image(net))
    assert "e3" in found and "e1" in run.shared and run.shared["e1"] == "r1"
    assert np.array_equal(np.maximum(found["e3"], 0), found["r3"])
    assert Forward(net, keep="e3").kept == run.kept
    assert Forward(net, keep="all").shared == {}


def test_what_is_not_there_is_named():
    net = NETS["fire"]
    run = Forward(net)
    with pytest.raises(NetworkError, match=r"`e3` of .* together with `r3`.* keep it: Forward\(net, keep=\['e3'\]\)"):
        run.array("e3")
    with pytest.raises(NetworkError, match=r"concatt.*Near: concat"):
        run.map("concatt")
    with pytest.raises(NetworkError, match=r"relu11.*Near: relu1"):
        Forward(net, keep=["relu11"])
    with pytest.raises(ShapeError, match=r"\(3, 13, 14\) was given, where \(C, H, W\) is \(3, 13, 15\)"):
        run.run(np.zeros((3, 13, 14)))
    with pytest.raises(SettingError, match="`conv1` was to be computed by `rows`"):
        Forward(net, variant="rows")


@pytest.mark.skipif(not REAL.is_file(), reason=f"{REAL.name} is not beside this project, in shared/squeezenet")
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_layer_of_squeezenet_is_the_twins(variant):
    net = load_convnet(REAL)
    x = net.preprocess(draw(KINDS[0], 0, net.preprocess.size[0]))
    found, exact = evaluate(net, x, keep="all", variant=variant), squeezenet_exact(net, x)
    assert set(found) == set(net.shapes)
    for name, values in found.items():
        assert abs(values - exact[name]).max() <= 1e-5 * abs(exact[name]).max(), name


EXACT = {}


def squeezenet_exact(net, x):
    """The twin's responses, computed once: they take two seconds."""
    if "squeezenet" not in EXACT:
        EXACT["squeezenet"] = twin.value(net, x)
    return EXACT["squeezenet"]
