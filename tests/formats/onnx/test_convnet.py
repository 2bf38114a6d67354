"""ONNX graphs of convolutional networks. The truth is onnx's own reference evaluator, in float64.

Tolerance, unless said: 1e-6 of the largest value, for constants and folded weights are rounded to float32 (6e-8 each).
"""

import json

import numpy as np
import pytest

from engine.errors import FileError, NetworkError, NeurosceneError, ShapeError
from engine.formats.load_convnet import load_convnet
from engine.reference.forward import value as forward

pytest.importorskip("onnx")
evaluator = pytest.importorskip("onnx.reference").ReferenceEvaluator
RNG = np.random.default_rng(4)


def f(*shape):
    """float64 numbers that are float32 numbers."""
    return RNG.normal(size=shape).astype(np.float32).astype(float)


SHAPE = (1, 3, 11, 13)
IMAGE = f(*SHAPE)
BASE = {
    "w": f(8, 3, 3, 3), "b": f(8), "g": f(8) + 2.0, "s": f(8), "m": f(8), "v": f(8) ** 2 + 0.25, "p": f(8, 1, 1),
    "w1": f(6, 8, 1, 1), "d": f(8, 1, 3, 3), "r": f(4, 4, 3, 2), "fc": f(5, 8), "fcb": f(5), "fct": f(8, 5),
    "u": f(3, 1, 1), "wide": f(4, 8 * 99),
}  # fmt: skip
GENERATED = {
    "six": np.float64(6.0), "nought": np.float64(0.0), "half": np.float64(0.5), "row": np.int64([1, -1]),
    "axes": np.int64([2, 3]), "pads": np.int64([0, 0, 1, 2, 0, 0, 0, 3]), "two": np.float64(2.0),
    "first": np.int64(0), "none": np.int64([-1]), "zero": np.int64([0]), "unlike": f(8) + 3.0, "slope": f(1) ** 2,
    "i": np.int64([0]), "j": np.int64([1]), "last": np.int64([3]),
}  # fmt: skip
ALL = BASE | GENERATED
ODD = {"big": f(11, 13), "odd": np.int64([1, 1, 33, 13]), "channels": np.int64([0, 1, 0, 0, 0, 0, 0, 0])}


@pytest.fixture
def loaded(tmp_path, make_onnx):
    """Loads a model from (nodes, ...), and gives the file's bytes as well."""

    def function(nodes, *, size=None, classes=(), preprocess=None, **more):
        made = {text.partition("=")[0].strip() for text in nodes.split(";")}
        used = {word for text in nodes.split(";") for word in text.partition("=")[2].split()} - made
        constants = {k: v for k, v in (ALL | more.pop("constants", {})).items() if k in used}
        data = make_onnx(nodes, constants, **({"kind": 11, "opset": 20, "input_shape": SHAPE} | more))
        (tmp_path / "net.onnx").write_bytes(data)
        return load_convnet(tmp_path / "net.onnx", size=size, classes=classes, preprocess=preprocess), data

    return function


def assert_same(net, data, image=IMAGE):
    (truth,) = evaluator(data).run(None, {"x": image})
    found = net.graph(image)
    assert np.abs(found.ravel() - truth.ravel()).max() <= 1e-6 * np.abs(truth).max()


# What one image goes through: nodes from x to y.
FORMS = {
    "a convolution": "y = Conv x w b",
    "without biases": "y = Conv x w",
    "stride, dilation and padding that differ": "y = Conv x w b strides=2,1 dilations=1,2 pads=0,3,2,1",
    "padded alike above": "y = Conv x w b strides=2,3 auto_pad=SAME_UPPER",
    "padded alike below": "y = Conv x w b strides=2,3 auto_pad=SAME_LOWER",
    "not padded": "y = Conv x w b auto_pad=VALID",
    "each channel by itself": "c = Conv x w b; y = Conv c d group=8",
    "groups": "c = Conv x w b; y = Conv c r group=2 dilations=2,1",
    "batch norm": "c = Conv x w b; y = BatchNormalization c g s m v epsilon=1e-3",
    "batch norm after nothing it could be folded into": (
        "c = Conv x w b; r = Relu c; y = BatchNormalization r g s m v"
    ),
    "batch norm of what others see too": "c = Conv x w b; n = BatchNormalization c g s m v; y = Add c n",
    "batch norm, then a factor and a sum": (
        "c = Conv x w b; n = BatchNormalization c g s m v; t = Mul n p; u = Add t p; y = Sub u two"
    ),
    "constants on the other side": "c = Conv x w b; t = Mul two c; y = Sub p t",
    "the input normalised": "t = Sub x u; q = Div t two; y = Conv q w",
    "dropout and identity": "c = Conv x w b; e = Dropout c; i = Identity e; y = Relu i",
    "relu": "c = Conv x w b; y = Relu c",
    "relu as a clip": "c = Conv x w b; y = Clip c nought",
    "relu6": "c = Conv x w b; t = Mul c six; y = Clip t nought six",
    "relu as a maximum": "c = Conv x w b; y = Max nought c",
    "relu6 as a minimum": "c = Conv x w b; t = Mul c six; r = Relu t; y = Min r six",
    "a clip of nothing": "c = Conv x w b; y = Clip c",
    "leaky relu": "c = Conv x w b; y = LeakyRelu c alpha=0.25",
    "one slope": "c = Conv x w b; y = PRelu c slope",
    "elu": "c = Conv x w b; y = Elu c alpha=0.5",
    "silu": "c = Conv x w b; s = Sigmoid c; y = Mul c s",
    "silu the other way round": "c = Conv x w b; s = Sigmoid c; y = Mul s c",
    "hard swish": "c = Conv x w b; y = HardSwish c",
    "hard swish in parts": "c = Conv x w b; s = HardSigmoid c alpha=0.16666667; y = Mul c s",
    "hard sigmoid": "c = Conv x w b; y = HardSigmoid c alpha=0.16666667",
    "a steeper one": "c = Conv x w b; y = HardSigmoid c",
    "gelu": "c = Conv x w b; y = Gelu c",
    "tanh": "c = Conv x w b; y = Tanh c",
    "max pool": "y = MaxPool x kernel_shape=3,2 strides=2,3 pads=1,0,1,1",
    "places counted up": "y = MaxPool x kernel_shape=3,3 strides=2,2 ceil_mode=1",
    "a last place in the padding": "y = MaxPool x kernel_shape=2,2 strides=3,3 pads=1,1,1,1 ceil_mode=1",
    "max pool padded alike": "y = MaxPool x kernel_shape=3,3 strides=2,2 auto_pad=SAME_UPPER",
    "average pool": "y = AveragePool x kernel_shape=3,2 strides=2,2 pads=1,1,1,0",
    "padding counts": "y = AveragePool x kernel_shape=3,2 pads=1,1,2,0 count_include_pad=1",
    "averages counted up": "y = AveragePool x kernel_shape=3,3 strides=2,2 ceil_mode=1 pads=1,1,1,1",
    "global average": "y = GlobalAveragePool x",
    "global average as a mean": "y = ReduceMean x axes",
    "global average as a mean without axes left": (
        "c = Conv x w b; a = ReduceMean c axes keepdims=0; y = Gemm a fc fcb transB=1"
    ),
    "global maximum": "y = GlobalMaxPool x",
    "joined": "c = Conv x w b; r = Relu c; y = Concat c r axis=1",
    "joined along an axis from the end": "c = Conv x w b; y = Concat c c axis=-3",
    "summed": "c = Conv x w b; r = Relu c; y = Add c r",
    "three summed": "c = Conv x w b; r = Relu c; t = Tanh c; y = Sum c r t",
    "padded before": "q = Pad x pads; y = Conv q w b",
    "dense after flattening": "c = Conv x w b; h = Flatten c; y = Gemm h wide transB=1",
    "dense after a reshape": "c = Conv x w b; h = Reshape c row; y = Gemm h wide transB=1",
    "a shape computed as exporters do": (
        "c = Conv x w b; n = Shape c; k = Gather n first; "
        "a = Unsqueeze k zero; l = Concat a none axis=0;h = Reshape c l; y = Gemm h wide transB=1"
    ),
    "a shape cut from another": (
        "c = Conv x w b; n = Shape c; "
        "k = Slice n i j; l = Concat k none axis=0; h = Reshape c l;y = Gemm h wide transB=1"
    ),
    "matmul and sum": "c = Conv x w b; a = GlobalAveragePool c; h = Flatten a; z = MatMul h fct; y = Add z fcb",
    "squeezed": "c = Conv x w b; a = GlobalAveragePool c; h = Squeeze a axes; y = Gemm h fct alpha=0.5 beta=2.0",
    "probabilities": "c = Conv x w b; a = GlobalAveragePool c; h = Flatten a; y = Softmax h axis=1",
    "probabilities of each place": "c = Conv x w b; y = Softmax c axis=1",
    "instance norm": "c = Conv x w b; y = InstanceNormalization c g s",
    "a dilated pool": "y = MaxPool x kernel_shape=2,2 dilations=2,2",
    "slopes of channels": "c = Conv x w b; y = PRelu c p",
    "a maximum elsewhere": "y = Max x half",
    "a minimum of anything": "y = Min x half",
    "maps subtracted": "c = Conv x w b; r = Relu c; y = Sub c r",
    "a constant map": "y = Add x big",
    "joined along rows": "y = Concat x x axis=2",
    "softmax along rows": "y = Softmax x axis=2",
    "reshaped to another map": "y = Reshape x odd",
    "axes exchanged": "y = Transpose x perm=0,2,3,1",
    "reflected": "y = Pad x pads mode=reflect",
    "padded channels": "y = Pad x channels",
    "the mean over channels": "y = ReduceMean x j",
}


@pytest.mark.parametrize("nodes", FORMS.values(), ids=FORMS)
def test_what_is_loaded_computes_what_the_graph_computes(loaded, nodes):
    net, data = loaded(nodes, constants=ODD)
    assert_same(net, data)


def test_a_hard_sigmoid_of_another_slope_is_a_scaled_clip(loaded):
    net, _ = loaded(FORMS["a steeper one"])
    assert [str(n.activation) for n in net.nodes if n.kind == "elementwise"] == ["clipped_relu(1)"]


def test_the_padding_of_older_exporters_is_read(loaded):
    """PyTorch's older exporter turns (left, right, top, bottom) into ONNX's order by nodes."""
    constants = {
        "given": np.int64([3, 0, 1, 2]), "four": np.int64([4]), "pairs": np.int64([-1, 2]),
        "end": np.int64([-(2**63) + 1]),
    }  # fmt: skip
    nodes = (
        "z = ConstantOfShape four; q = Cast z to=7; l = Concat given q axis=0; t = Reshape l pairs;"
        "v = Slice t none end zero none; a = Transpose v perm=1,0; c = Reshape a none; k = Cast c to=7;"
        "o = Pad x k; y = Conv o w b"
    )
    net, data = loaded(nodes, constants=constants)
    assert net.shapes["Pad_o"] == (3, 11 + 1 + 2, 13 + 3)
    assert_same(net, data)


OLD = {
    "softmax": (9, "c = Conv x w b; a = GlobalAveragePool c; y = Softmax a axis=1"),
    "relu6": (8, "c = Conv x w b; y = Clip c min=0.0 max=1.5"),
    "dropout": (7, "c = Conv x w b; y = Dropout c ratio=0.5"),
    "mean": (13, "c = Conv x w b; y = ReduceMean c axes=2,3"),
    "squeezed": (11, "c = Conv x w b; a = GlobalAveragePool c; h = Squeeze a axes=2,3; y = Gemm h fct fcb"),
    "padding": (10, "q = Pad x pads=0,0,1,2,0,0,0,3; y = Conv q w b"),
}


@pytest.mark.parametrize(("opset", "nodes"), OLD.values(), ids=OLD)
def test_old_files_keep_in_attributes_what_newer_ones_have_as_inputs(loaded, opset, nodes):
    net, data = loaded(nodes, opset=opset, kind=1, constants={k: np.float32(v) for k, v in BASE.items()})
    truth = forward(net, IMAGE[0])[net.output.name].ravel()
    # onnx's evaluator computes float32 here, of values up to 10: 1e-5.
    (found,) = evaluator(data).run(None, {"x": IMAGE.astype(np.float32)})
    assert np.abs(found.ravel() - truth).max() < 1e-5 * np.abs(truth).max()


REFUSED = {
    "channels that do not fit": ("c = Conv x w b; y = Conv c w", "`Conv_y` .*need 3 channels, but 8 come"),
    "another window": ("y = Conv x w b kernel_shape=5,5", r"`Conv_y`.*its kernel_shape is \(5, 5\), but its weights"),
    "no stride": ("y = Conv x w b strides=0,1", "`Conv_y`.*above 0"),
    "a padding nobody knows": ("y = Conv x w b auto_pad=SAME", "`Conv_y`.*auto_pad = SAME;"),
    "a window larger than the map": (
        "c = MaxPool x kernel_shape=3,3 strides=9,9; y = Conv c w b",
        "`Conv_y` .*window of 3",
    ),
    "a pool of no window": ("y = MaxPool x", "`MaxPool_y`.*no kernel_shape"),
    "division by zero": ("y = Div x nought", "`Div_y`.*divides by 0"),
    "batch norm in training": ("c = Conv x w b; y = BatchNormalization c g s m v training_mode=1", "`Batch.*eval"),
    "computed weights": ("c = Conv x w b; y = Conv c c", "`Conv_y`.*its weights are computed from the network's input"),
    "three strides": ("y = Conv x w b strides=1,1,1", "`Conv_y`.*its strides are .*2 numbers"),
    "two pads": ("y = Conv x w b pads=1,1", "`Conv_y`.*its pads are .*4 numbers"),
    "sizes that differ": (
        "c = Conv x w b; r = MaxPool c kernel_shape=1,1 strides=2,2; y = Add c r",
        "`Add_y`.*do not fit each other",
    ),
    "dense of a map": ("y = MatMul x fct", "`MatMul_y`.*need"),
}


@pytest.mark.parametrize(("nodes", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_shown_is_named_with_its_node(loaded, nodes, says):
    with pytest.raises(NeurosceneError, match=says) as caught:
        loaded(nodes, constants=ODD)
    assert "net.onnx" in str(caught.value) and "\n" not in str(caught.value)


def changed(change):
    return {"model": change}


def external(model):
    tensor = model.graph.initializer[0]
    tensor.data_location = 1
    tensor.external_data.add(key="location", value="/etc/passwd")


def half_as_many(model):
    model.graph.initializer[0].raw_data = model.graph.initializer[0].raw_data[::2]


def endless(model):
    model.graph.initializer[0].dims[0] = 1 << 40


WHOLE = {
    "weights in another file": (changed(external), "keeps its data in another file"),
    "weights cut short": (changed(half_as_many), "is not a whole ONNX file"),
    "weights said to be larger": (changed(endless), "is not a whole ONNX file"),
    "a huge image": ({"input_shape": (1, 3, 1 << 20, 1 << 20)}, "neurons"),
    "an image past all": ({"input_shape": (1, 3, 1 << 40, 1 << 40)}, "size"),
}


@pytest.mark.parametrize(("more", "says"), WHOLE.values(), ids=WHOLE)
def test_a_file_that_is_no_such_network_is_refused_in_a_line(loaded, more, says):
    with pytest.raises(NeurosceneError, match=says) as caught:
        loaded("y = Conv x w b", **more)
    assert "net.onnx" in str(caught.value) and "\n" not in str(caught.value)


def test_an_image_with_its_channels_last_is_read_where_it_is_transposed_first(loaded):
    """As Keras' networks are exported."""
    nodes = "t = Transpose x perm=0,3,1,2; y = Conv t w b"
    for more in ({"input_shape": (1, 11, 13, 3)}, {"input_shape": ("N", "H", "W", 3), "size": (11, 13)}):
        net, data = loaded(nodes, **more)
        assert net.input_shape == (3, 11, 13)
        (truth,) = evaluator(data).run(None, {"x": IMAGE.transpose(0, 2, 3, 1)})
        assert np.abs(forward(net, IMAGE[0])["Conv_y"] - truth[0]).max() <= 1e-6 * np.abs(truth).max()
    with pytest.raises(NeurosceneError, match="need 3 channels, but 11 come"):
        loaded("y = Conv x w b", input_shape=(1, 11, 13, 3))


def test_the_size_is_the_callers_where_the_file_leaves_it_open(loaded):
    free = {"input_shape": ("N", 3, "H", "W")}
    net, data = loaded("c = Conv x w b; y = GlobalAveragePool c", size=(11, 13), **free)
    assert net.input_shape == (3, 11, 13)
    assert_same(net, data)
    with pytest.raises(NetworkError, match=r"cannot be run at \(12, 13\)"):
        loaded("y = Conv x w b", size=(12, 13))


PREPROCESS = {"size": [11, 13], "mean": [1, 2, 3], "std": [4, 5, 6], "scale": 255, "order": "bgr", "resize": "stretch"}


def about(**texts):
    def change(model):
        for key, text in texts.items():
            model.metadata_props.add(key=key, value=text if isinstance(text, str) else json.dumps(text))

    return changed(change)


def test_classes_and_preprocess_come_from_the_metadata(loaded):
    names = [f"kind {k}" for k in range(8)]
    more = about(classes=names, preprocess=PREPROCESS)
    net, _ = loaded("y = Conv x w b", **more)
    assert net.classes == tuple(names)
    assert net.preprocess.order == "bgr" and net.preprocess.mean == (1, 2, 3) and net.preprocess.scale == 255
    # It gives the size where the shape does not; what the caller gives goes before.
    net, _ = loaded("y = Conv x w b", **more, input_shape=(1, 3, "H", "W"))
    assert net.input_shape == (3, 11, 13)
    net, _ = loaded("y = Conv x w b", **more, input_shape=(1, 3, "H", "W"), size=(20, 21), classes=list("abcdefgh"))
    assert net.preprocess.size == (20, 21) and net.classes == tuple("abcdefgh")


def test_metadata_of_other_programs_under_the_same_keys_is_let_be(loaded):
    net, _ = loaded("y = Conv x w b", **about(classes="cat, dog", preprocess="resize 224", author="me"))
    assert net.classes == () and net.preprocess.scale == 1.0


METADATA = {
    "too few classes": ({"classes": ["a"]}, ShapeError, "1 classes"),
    "no JSON": ({"classes": "[1, "}, FileError, "`classes` of net.onnx is not JSON"),
    "too long": ({"classes": "[" + " " * (1 << 20) + "]"}, FileError, "at most 1 MiB"),
    "deeply nested": ({"classes": "[" * 500_000}, FileError, "not JSON"),
    "no mean": ({"preprocess": {"size": [11, 13]}}, FileError, "preprocess of net.onnx cannot be read"),
    "another size": ({"preprocess": PREPROCESS | {"size": [9, 9]}}, NetworkError, r"cannot be run at \(9, 9\)"),
}


@pytest.mark.parametrize(("texts", "kind", "says"), METADATA.values(), ids=METADATA)
def test_metadata_that_is_wrong_is_refused_in_a_line(loaded, texts, kind, says):
    with pytest.raises(kind, match=says) as caught:
        loaded("y = Conv x w b", **about(**texts))
    assert "\n" not in str(caught.value)


def test_nodes_are_called_after_the_modules_they_came_from(loaded):
    def change(model):
        conv, relu, act, total, softmax = model.graph.node
        conv.input[1] = model.graph.initializer[0].name = "layer1.conv.weight"
        for node, name, scopes, owner in (
            (
                conv,
                "node_Conv_7",
                ["", "layer1", "layer1.norm", "batch_norm"],
                "torch.nn.modules.batchnorm.BatchNorm2d",
            ),
            (relu, "node_relu", ["", "layer1", "relu"], "mine.Block"),
            (act, "node_tanh", ["", "layer1", "layer1.act", "tanh"], "torch.nn.modules.activation.Tanh"),
            (total, "node_add", ["", "layer1", "add"], "torch.nn.modules.container.Sequential"),
            (softmax, "node_softmax", ["", "softmax"], "mine.Net"),
        ):
            node.name = name
            node.metadata_props.add(key="pkg.torch.onnx.name_scopes", value=repr(scopes))
            node.metadata_props.add(key="pkg.torch.onnx.class_hierarchy", value=repr(["mine.Net", owner, "aten"]))

    nodes = "c = Conv x w b; r = Relu c; t = Tanh r; a = Add r t; y = Softmax a axis=1"
    net, _ = loaded(nodes, model=change)
    assert [n.name for n in net.nodes] == ["x", "layer1.conv", "layer1/relu", "layer1.act", "layer1/add", "softmax"]


def test_paths_of_modules_are_shortened_and_names_that_are_left_are_numbered(loaded):
    def change(model):
        for node, name in zip(
            model.graph.node, ("/a/a.0/Conv", "/a/a.0/Sigmoid", "/a/a.0/Mul", "/a/a.0/Mul"), strict=True
        ):
            node.name = name

    net, _ = loaded("c = Conv x w b; s = Sigmoid c; m = Mul c s; y = Mul m two", model=change)
    assert [n.name for n in net.nodes] == ["x", "a.0/Conv", "a.0/Mul", "a.0/Mul 2"]
