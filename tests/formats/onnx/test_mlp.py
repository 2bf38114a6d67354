"""ONNX graphs. The truth is onnx's own reference evaluator, in float64 on weights that are float32 numbers.

Tolerance, unless said: 1e-6 of the largest value, for constants and folded weights are rounded to float32 (6e-8 each).
"""

import numpy as np
import pytest

from engine.errors import FileError, NetworkError, NeurosceneError, ShapeError
from engine.formats.load_mlp import load
from engine.formats.onnx import model
from engine.formats.onnx.reader import graph_of
from engine.network.graph.passes.simplify import simplified
from engine.network.random import random_mlp

onnx = pytest.importorskip("onnx")
evaluator = pytest.importorskip("onnx.reference").ReferenceEvaluator

POINTS = np.random.default_rng(2).uniform(-2, 2, (64, 3))


def f(values):
    """float64 numbers that are float32 numbers."""
    return np.float32(values).astype(float)


NET = random_mlp([3, 5, 2], seed=8)
W0, V0 = (f(x.weights) for x in NET.layers)
B0, C0 = (f(x.bias) for x in NET.layers)
GAINS = f([0.5, -1.25, 2, 0.3, 1])
BASE = {"w": W0, "b": B0, "v": V0, "c": C0}


def hidden(nodes, **constants):
    """A model with the given nodes between two Gemms: they take z and give h."""
    return f"z = Gemm x w b transB=1; {nodes}; y = Gemm h v c transB=1", BASE | {
        k: f(v) if np.asarray(v).dtype.kind == "f" else np.asarray(v) for k, v in constants.items()
    }


@pytest.fixture
def loaded(tmp_path, make_onnx):
    """Loads a model from (nodes, constants), and gives the data as well."""

    def function(nodes, constants, **more):
        more = {"kind": 11, "opset": 20} | more
        data = make_onnx(nodes, constants, **more)
        (tmp_path / "net.onnx").write_bytes(data)
        return load(tmp_path / "net.onnx"), data

    return function


def assert_same(net, data, points=POINTS):
    (truth,) = evaluator(data).run(None, {"x": points})
    assert np.abs(net(points.reshape(-1, net.inputs)) - truth).max() <= 1e-6 * np.abs(truth).max()


S2 = np.sqrt(2.0)

# name: (what is computed between the Gemms, the activation it must be read as)
FORMS = {
    "relu": (hidden("h = Relu z"), "relu"),
    "leaky relu": (hidden("h = LeakyRelu z alpha=0.3"), "leaky_relu(0.300000012)"),
    "leaky relu as it is": (hidden("h = LeakyRelu z"), "leaky_relu(0.00999999978)"),
    "prelu of one slope": (hidden("h = PRelu z s", s=[0.25]), "leaky_relu(0.25)"),
    "elu": (hidden("h = Elu z alpha=0.5"), "elu(0.5)"),
    "softplus": (hidden("h = Softplus z"), "softplus"),
    "softplus with its cut": (
        hidden("s = Softplus z; a = Greater z t; h = Where a z s", t=20.0),
        "softplus",
    ),
    "sharp softplus with its cut": (
        hidden(
            "kz = Mul z k; s = Softplus kz; p = Div s k; a = Greater kz t; h = Where a z p",
            k=4.0,
            t=20.0,
        ),
        "softplus(4)",
    ),
    "gelu": (hidden("h = Gelu z"), "gelu"),
    "gelu by erf, halved last": (
        hidden(
            "d = Div z r; e = Erf d; p = Add e one; q = Mul z p; h = Mul q half",
            r=S2,
            one=1.0,
            half=0.5,
        ),
        "gelu",
    ),
    "gelu by erf, halved first": (
        hidden(
            "d = Mul z r; e = Erf d; p = Add one e; q = Mul half z; h = Mul p q",
            r=1 / S2,
            one=1.0,
            half=0.5,
        ),
        "gelu",
    ),
    "gelu by erf, halved between": (
        hidden(
            "d = Div z r; e = Erf d; g = Mul e half; p = Add g half; h = Mul p z",
            r=S2,
            half=0.5,
        ),
        "gelu",
    ),
    "silu": (hidden("s = Sigmoid z; h = Mul z s"), "silu"),
    "silu the other way round": (hidden("s = Sigmoid z; h = Mul s z"), "silu"),
    "sharp silu": (hidden("kz = Mul z k; s = Sigmoid kz; h = Mul z s", k=1.702), "swish(1.70200002)"),
    "tanh": (hidden("h = Tanh z"), "tanh"),
    "sigmoid": (hidden("h = Sigmoid z"), "sigmoid"),
    "sine": (hidden("h = Sin z"), "sine(1)"),
    "sine of a frequency": (hidden("kz = Mul k z; h = Sin kz", k=30.0), "sine(30)"),
    "sine backwards": (hidden("m = Neg z; h = Sin m"), "sine(1)"),
    "sine of several frequencies": (hidden("kz = Mul z k; h = Sin kz", k=GAINS), "sine(1)"),
    "gaussian by mul": (hidden("q = Mul z z; m = Neg q; h = Exp m"), "gaussian"),
    "gaussian by pow": (hidden("q = Pow z two; m = Neg q; h = Exp m", two=2.0), "gaussian"),
    "gaussian of -x times x": (hidden("m = Neg z; q = Mul m z; h = Exp q"), "gaussian"),
    "gaussian of a width": (
        hidden("q = Pow z two; m = Mul q k; h = Exp m", two=np.int64(2), k=-0.125),
        "gaussian",
    ),
    "nothing": (hidden("h = Identity z"), "identity"),
    "scaled after the activation": (hidden("t = Tanh z; h = Mul t k", k=GAINS), "tanh"),
    "shifted before it": (hidden("s = Sub z k; h = Tanh s", k=GAINS), "tanh"),
    "constant minus it": (hidden("s = Sub k z; h = Tanh s", k=GAINS), "tanh"),
    "divided": (hidden("s = Div z k; h = Tanh s", k=GAINS[None]), "tanh"),
    "normalised": (
        hidden("q = BatchNormalization z g s m r epsilon=1e-3; h = Tanh q", g=GAINS, s=GAINS, m=B0, r=GAINS**2),
        "tanh",
    ),
    "dropout, cast and reshape": (
        hidden("d = Dropout z; e = Cast d to=11; f = Reshape e s; h = Tanh f", s=[-1, 5]),
        "tanh",
    ),
}


@pytest.mark.parametrize(("model", "activation"), FORMS.values(), ids=FORMS)
def test_what_is_loaded_computes_what_the_graph_computes(loaded, model, activation):
    net, data = loaded(*model)
    assert str(net.layers[0].activation) == activation
    assert net.shape.sizes == (3, 5, 2)
    assert_same(net, data)


CHAINS = {
    "gelu by tanh": "z = Gemm x w b transB=1; y = Gelu z approximate=tanh",
    "a cube": "z = Gemm x w b transB=1; y = Pow z three",
    "a skip connection": "z = Gemm x w b transB=1; t = Tanh z; h = Add z t; y = Gemm h v c transB=1",
    "two values multiplied": "z = Gemm x w b transB=1; t = Tanh z; h = Mul z t; y = Gemm h v c transB=1",
    "functions alone": "z = Gemm x w b transB=1; e = Erf z; ex = Exp e; y = HardSwish ex",
    "a quotient": "z = Gemm x w b transB=1; s = Sigmoid z; h = Div k s; y = Gemm h v c transB=1",
    "nothing times erf": "z = Gemm x w b transB=1; n = Mul z none; e = Erf z; h = Mul n e; y = Add h z",
    "matmul and add": "m = MatMul x wt; z = Add m b; h = Tanh z; y = MatMul h vt",
    "add with its operands changed": "m = MatMul x wt; z = Add b m; h = Tanh z; y = MatMul h vt",
    "transposed constants": "t = Transpose w perm=1,0; z = MatMul x t; i = Identity v; u = Transpose i; y = MatMul z u",
    "gemm not transposed, alpha and beta": "z = Gemm x wt b alpha=0.5 beta=-2.0; h = Tanh z; y = Gemm h vt alpha=3.0",
    "gemm with one number as bias": "z = Gemm x wt k; h = Tanh z; y = Gemm h vt",
    "input normalised": "s = Sub x p; d = Div s p; z = Gemm d w b transB=1; h = Tanh z; y = Gemm h vt c",
    "output scaled": "z = Gemm x w b transB=1; h = Tanh z; o = Gemm h vt c; r = Mul o q; y = Add r q",
    "output scaled after its activation": "z = Gemm x w b transB=1; s = Sigmoid z; y = Mul s g",
    "activation first": "s = Sin x; y = Gemm s w b transB=1",
    "two activations on end": "z = Gemm x w b transB=1; t = Tanh z; y = Relu t",
    "silu of a sigmoid": "z = Gemm x w b transB=1; s = Sigmoid z; t = Sigmoid s; y = Mul s t",
    "softmax": "z = Gemm x w b transB=1; y = Softmax z",
    "softmax of axis 1": "z = Gemm x w b transB=1; y = Softmax z axis=1",
    "constants computed": "w2 = Mul w k; b2 = Neg b; z = Gemm x w2 b2 transB=1; y = Tanh z",
    "constants reshaped": "b2 = Unsqueeze b zero; w2 = Reshape w whole; z = Gemm x w2 b2 transB=1; y = Tanh z",
    "linear layers alone": "z = Gemm x w b transB=1; y = Gemm z vt c",
}
MORE = {
    "wt": W0.T.copy(),
    "vt": V0.T.copy(),
    "k": f(0.75),
    "three": f(3),
    "none": f(0),
    "p": f([0.5, -0.25, 2]),
    "q": f([0.1, -3]),
    "g": GAINS,
    "zero": np.int64([0]),
    "whole": np.int64([0, -1]),
}


@pytest.mark.parametrize("nodes", CHAINS.values(), ids=CHAINS)
def test_every_way_to_write_a_chain_is_read(loaded, nodes):
    assert_same(*loaded(nodes, BASE | MORE))


@pytest.mark.parametrize("end", ["Squeeze o last", "Squeeze o one", "Reshape o last"])
def test_a_single_output_may_lose_its_axis_at_the_end(loaded, end):
    net, data = loaded(f"o = Gemm x w transB=1; y = {end}", {"w": W0[:1], "last": np.int64([-1]), "one": np.int64([1])})
    (truth,) = evaluator(data).run(None, {"x": POINTS})
    assert np.allclose(net(POINTS)[:, 0], truth, rtol=1e-12)


def test_many_outputs_may_not_lose_their_axis(loaded):
    with pytest.raises(NetworkError, match=r"removes axes \[1\] of \(1, 5\), which are not of length 1"):
        loaded("o = Gemm x w transB=1; y = Squeeze o last", {"w": W0, "last": np.int64([-1])})


def test_swish_of_newer_files_is_silu(loaded):
    net, _ = loaded(*hidden("h = Swish z alpha=1.5"), opset=24)
    z = POINTS @ W0.T + B0
    truth = (z / (1 + np.exp(-1.5 * z))) @ V0.T + C0
    assert np.abs(net(POINTS) - truth).max() <= 1e-6 * np.abs(truth).max()


def test_images_flattened_first_are_read_row_by_row(loaded):
    nodes = "r = Flatten x; y = Gemm r w transB=1"
    image = np.random.default_rng(1).normal(size=(7, 1, 2, 3))
    assert_same(*loaded(nodes, {"w": f(np.arange(12.0).reshape(2, 6))}, input_shape=("N", 1, 2, 3)), image)


def test_a_matrix_on_the_left_of_one_point_is_read(loaded):
    nodes = "m = MatMul w x; z = Add m b; y = Tanh z"
    net, data = loaded(nodes, BASE, input_shape=(3,))
    (truth,) = evaluator(data).run(None, {"x": POINTS[0]})
    assert np.allclose(net(POINTS[0]), truth, rtol=1e-12)


def test_weights_that_need_no_folding_are_kept_to_the_bit(loaded):
    net, _ = loaded(*hidden("h = Tanh z"))
    assert net.equals(NET)
    net, _ = loaded(*hidden("kz = Mul z k; h = Sin kz", k=30.0))
    assert np.array_equal(net.layers[0].weights, NET.layers[0].weights)
    assert np.array_equal(net.layers[0].bias, NET.layers[0].bias)


@pytest.mark.parametrize("name", ["FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16"])
@pytest.mark.parametrize("raw, large", [(True, 1), (True, 99), (False, 99)])
def test_every_float_type_is_converted_exactly(tmp_path, make_onnx, name, raw, large, monkeypatch):
    monkeypatch.setattr(model, "LARGE", large)
    numbers = np.float32([[1.5, -0.25, 96]])  # few enough bits for all of them
    kind = getattr(onnx.TensorProto, name)
    if raw and name == "BFLOAT16":
        proto = onnx.TensorProto(name="w", data_type=kind, dims=(1, 3))
        proto.raw_data = (numbers.view("<u4") >> 16).astype("<u2").tobytes()
    elif raw:
        proto = onnx.numpy_helper.from_array(
            numbers.astype({"FLOAT": "f4", "DOUBLE": "f8", "FLOAT16": "f2"}[name]), "w"
        )
    else:
        proto = onnx.helper.make_tensor("w", kind, (1, 3), numbers.ravel().tolist())
    data = make_onnx("y = Gemm x w transB=1", {}, model=lambda model: model.graph.initializer.append(proto))
    (tmp_path / "net.onnx").write_bytes(data)
    assert np.array_equal(load(tmp_path / "net.onnx").layers[0].weights, numbers)


def test_weights_are_in_memory_once(tmp_path, make_onnx):
    weights = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
    data = make_onnx("y = Gemm x w transB=1", {"w": weights}, input_shape=(1, 64))
    file = model.parsed(data, "net.onnx")
    assert [len(piece) for piece in file.pieces] == [weights.nbytes] and len(file.proto.SerializeToString()) < 500
    (dense,) = (node for node in simplified(graph_of(file, "net.onnx")).nodes if hasattr(node, "weights"))
    assert np.array_equal(dense.weights, weights) and np.shares_memory(dense.weights, file.pieces[0])


# What is refused, and that the message names the node and what would do.

REFUSED = {
    "convolution": (hidden("h = Conv z w"), r"Node 1 `Conv_h` \(Conv\).*0 axes after the channels"),
    "softmax of axis 0": (hidden("h = Softmax z axis=0"), "mixes points"),
    "transposed values": (hidden("h = Transpose z perm=1,0"), r"`Gemm_y`.*not \(5, 1\)"),
    "a reshape that mixes points": (hidden("h = Reshape z s", s=[5, -1]), r"`Gemm_y`.*not \(5, 1\)"),
    "a reshape to another width": (hidden("h = Reshape z s", s=[-1, 10]), r"makes \[-1, 10\] of \(1, 5\)"),
    "division by 0": (hidden("h = Div z k", k=0.0), "by 0"),
    "an exported training mode": (hidden("h = Dropout z r t", r=0.5, t=np.bool_(True)), "eval"),
    "a name out of nowhere": (hidden("h = Tanh ghost"), "`ghost`, which nothing"),
    "integer casts": (hidden("h = Cast z to=7"), "int numbers"),
}


@pytest.mark.parametrize(("model", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_shown_is_refused_with_its_reason(loaded, model, says):
    with pytest.raises(NeurosceneError, match=says) as caught:
        loaded(*model)
    assert "net.onnx" in str(caught.value) and "\n" not in str(caught.value)


def refuse(tmp_path, data, says, kind=NeurosceneError):
    (tmp_path / "net.onnx").write_bytes(data)
    with pytest.raises(kind, match=says):
        load(tmp_path / "net.onnx")


GEMM = "y = Gemm x w b transB=1"


def test_vectors_of_another_width_are_refused(tmp_path, make_onnx):
    nodes = "z = Gemm x w transB=1; y = Mul z k"
    refuse(tmp_path, make_onnx(nodes, BASE | {"k": np.ones(4)}), r"`Mul_y`.*joins \(1, 5\) and \(4,\)", ShapeError)
    refuse(tmp_path, make_onnx(GEMM, BASE | {"b": np.ones(4)}), r"`Gemm_y`.*\(1, 5\) and \(4,\)", ShapeError)
    refuse(
        tmp_path, make_onnx(GEMM, BASE, input_shape=("N", 4)), r"`Gemm_y`.*need \(..., 3\), not \(1, 4\)", ShapeError
    )


def test_inputs_are_laid_one_after_another(loaded):
    value = onnx.helper.make_tensor_value_info
    net, data = loaded(
        "z = Gemm x w b transB=1; y = Mul z u", BASE, inputs=[value("x", 11, ("N", 3)), value("u", 11, ("N", 5))]
    )
    assert net.inputs == 8
    codes = np.random.default_rng(0).normal(size=(64, 5))
    (truth,) = evaluator(data).run(None, {"x": POINTS, "u": codes})
    assert np.abs(net(np.hstack([POINTS, codes])) - truth).max() <= 1e-6 * np.abs(truth).max()


def test_initialisers_that_older_files_list_as_inputs_are_none(loaded, make_onnx):
    value = onnx.helper.make_tensor_value_info
    net, _ = loaded(GEMM, BASE, inputs=[value("x", 11, ("N", 3)), value("w", 11, (5, 3)), value("b", 11, (5,))])
    assert net.shape.sizes == (3, 5)


def test_external_data_elsewhere_is_never_followed(tmp_path, make_onnx):
    def outside(model):
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="../../secret")

    refuse(tmp_path, make_onnx(GEMM, BASE, model=outside), "another file", FileError)


@pytest.mark.parametrize("dims", [(5, 4), (10**9, 10**9), (-5, 3), (2**62, 4)])
def test_a_shape_that_the_bytes_do_not_fill_is_refused_before_memory_is_taken(tmp_path, make_onnx, dims):
    def claim(model):
        model.graph.initializer[0].ClearField("dims")
        model.graph.initializer[0].dims.extend(dims)

    refuse(tmp_path, make_onnx(GEMM, BASE, model=claim), r"`w`.* is \(", FileError)


def test_a_file_of_very_many_small_messages_is_refused_before_it_is_parsed(tmp_path, make_onnx, monkeypatch):
    # An empty node is two bytes and some hundred once parsed: ModelProto.graph (7) of GraphProto.node (1), all empty.
    monkeypatch.setattr(model, "MAX_FIELDS", 20_000)
    nodes = b"\x0a\x00" * (model.MAX_FIELDS + 1)
    length, head = len(nodes), b""
    while length > 127:
        head, length = head + bytes([length & 127 | 128]), length >> 7
    monkeypatch.setattr(onnx.ModelProto, "ParseFromString", None, raising=False)
    refuse(tmp_path, b"\x3a" + head + bytes([length]) + nodes, "parts", FileError)


def test_very_deep_nesting_is_refused(tmp_path, make_onnx):
    # node > attribute > graph > node ...: fields 1, 5 and 6; built from the inside.
    inner = b""
    for tag in [0x32, 0x2A, 0x0A] * 9:
        inner = bytes([tag, len(inner)]) + inner
    refuse(tmp_path, b"\x3a" + bytes([len(inner)]) + inner, "nested deeper", FileError)


def test_constants_that_grow_without_end_are_refused(tmp_path, make_onnx, monkeypatch):
    monkeypatch.setattr("engine.network.graph.builder.MOST_IN_ALL", 1 << 21)
    row, column = np.ones((1, 512), np.float32), np.ones((512, 1), np.float32)
    grown = "; ".join(f"m{i + 1} = Mul m{i} r" for i in range(9))
    nodes = f"m0 = Mul r c; {grown}; g = ReduceSum m9; z = Gemm x w b transB=1; y = Mul z g"
    data = make_onnx(nodes, BASE | {"r": row, "c": column}, kind=11)
    refuse(tmp_path, data, "takes too much memory", NetworkError)


def test_one_stored_matrix_used_a_thousand_times_is_counted_each_time(tmp_path, make_onnx, monkeypatch):
    monkeypatch.setattr("engine.formats.files.MAX_WEIGHTS", 10 * 2048 * 2048)
    big = np.zeros((2048, 2048), np.float32)  # 16 MiB in the file, 640 MiB as forty layers
    nodes = f"h0 = MatMul x big; {'; '.join(f'h{i + 1} = MatMul h{i} big' for i in range(39))}; y = Relu h39"
    refuse(tmp_path, make_onnx(nodes, {"big": big}, input_shape=("N", 2048)), "weights; at most", NetworkError)


def test_wide_layers_and_long_chains_are_refused(tmp_path, make_onnx):
    nodes = f"h0 = MatMul x w; {'; '.join(f'h{i + 1} = MatMul h{i} w' for i in range(1000))}; y = Relu h1000"
    refuse(tmp_path, make_onnx(nodes, {"w": np.ones((3, 3), "f4")}), "1001 layers", NetworkError)


def test_very_old_files_and_activations_of_ones_own_are_refused(tmp_path, make_onnx):
    refuse(tmp_path, make_onnx(GEMM, BASE, opset=6), "opset 6", FileError)
    (tmp_path / "net.onnx").write_bytes(make_onnx(GEMM, BASE))
    with pytest.raises(NetworkError, match="its own activations"):
        load(f"{tmp_path / 'net.onnx'}:tanh")


def test_a_weight_that_is_not_a_number_is_refused(tmp_path, make_onnx):
    for bad in (np.nan, np.inf, 1e300):
        weights = W0.copy()
        weights[1, 2] = bad
        refuse(
            tmp_path, make_onnx(GEMM, BASE | {"w": weights}), r"`Gemm_y`.*its weights have .* at \(1, 2\)", NetworkError
        )


def test_names_in_a_file_cannot_break_the_line(tmp_path, make_onnx):
    def rename(model):
        model.graph.node[0].op_type = "Nasty\nOp\x1b[2J" + "x" * 500

    data = make_onnx("y = Relu x", {}, model=rename)
    (tmp_path / "net.onnx").write_bytes(data)
    with pytest.raises(NetworkError) as caught:
        load(tmp_path / "net.onnx")
    assert str(caught.value).isprintable() and len(str(caught.value)) < 900
