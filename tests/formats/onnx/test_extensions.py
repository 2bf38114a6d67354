"""Parts of ONNX files beyond one graph of plain operators: functions, branches, quantised weights, other domains."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from engine.errors import NetworkError, NeurosceneError
from engine.formats.load_mlp import load
from engine.formats.onnx.reader import graph_of
from tests.formats.onnx.models import DENSE, KERNELS, assert_same, f, model, node


def test_functions_of_a_file_are_what_they_compute():
    body = [node("Gemm", ["a", "w"], ["g"], alpha=1.0), node("LeakyRelu", ["g"], ["h"])]
    body[0].attribute[0].ref_attr_name = "factor"
    inner = helper.make_function("own", "Layer", ["a", "w"], ["h"], body, [helper.make_opsetid("", 13)], ["factor"])
    twice = [
        node("Layer", ["p", "u"], ["s"], domain="own", factor=0.5),
        node("Layer", ["s", "v"], ["t"], domain="own", factor=2.0),
    ]
    outer = helper.make_function("own", "Both", ["p", "u", "v"], ["t"], twice, [helper.make_opsetid("own", 1)])
    made = model([node("Both", ["x", "W", "V"], ["y"], domain="own")], DENSE, (1, 5), functions=[inner, outer])
    made.opset_import.append(helper.make_opsetid("own", 1))
    x = f(1, 5)
    assert_same(graph_of(made, "net.onnx")(x), ReferenceEvaluator(made).run(None, {"x": x})[0])


def test_functions_that_call_each_other_without_end_are_refused():
    calls = [node("F", ["p"], ["q"], domain="own"), node("F", ["q"], ["r"], domain="own")]
    function = helper.make_function("own", "F", ["p"], ["r"], calls, [helper.make_opsetid("own", 1)])
    made = model([node("F", ["x"], ["y"], domain="own")], {}, (1, 5), functions=[function])
    with pytest.raises(NeurosceneError, match="nests more than"):
        graph_of(made, "net.onnx")
    functions, many = [], [helper.make_opsetid("own", 1), helper.make_opsetid("", 13)]
    for i in range(16):
        op, domain = ("Relu", "") if i == 0 else (f"F{i - 1}", "own")
        body = [node(op, ["p"], ["q"], domain=domain), node(op, ["q"], ["r"], domain=domain)]
        functions.append(helper.make_function("own", f"F{i}", ["p"], ["r"], body, many))
    with pytest.raises(NetworkError, match="nodes with those of its functions"):
        graph_of(model([node("F15", ["x"], ["y"], domain="own")], {}, (1, 5), functions=functions), "net.onnx")


def branches(condition):
    """A model of which one branch transposes, and the other calls what cannot be read."""
    got = helper.make_tensor_value_info("o", TensorProto.FLOAT, None)
    then = helper.make_graph([node("Relu", ["m"], ["o"])], "then", [], [got])
    other = helper.make_graph([node("Loop", ["m"], ["o"])], "else", [], [got])
    nodes = [
        node("MatMul", ["x", "W"], ["m"]),
        *condition,
        node("If", ["is"], ["y"], then_branch=then, else_branch=other),
    ]
    return model(nodes, {"W": DENSE["W"], "two": np.int64(2)}, (1, 5))


def test_a_branch_of_a_constant_condition_is_taken():
    made = branches([node("Shape", ["m"], ["s"]), node("Size", ["s"], ["n"]), node("Equal", ["n", "two"], ["is"])])
    graph, x = graph_of(made, "net.onnx"), f(1, 5)
    assert [n.kind for n in graph.nodes] == ["input", "dense", "elementwise"]
    assert_same(graph(x), np.maximum(x @ DENSE["W"], 0))
    made = branches([node("ReduceSum", ["x"], ["s"], keepdims=0), node("Cast", ["s"], ["is"], to=9)])
    with pytest.raises(NetworkError, match=r"\(If\) of net.onnx cannot be shown: which branch it takes depends"):
        graph_of(made, "net.onnx")


def quantised(array):
    scale = np.float32(np.abs(array).max() / 127)
    return np.round(array / scale).astype(np.int8), scale


def test_quantised_weights_are_shown_dequantised(told):
    w, s = quantised(DENSE["W"])
    stored = {"w": w, "s": s, "z": np.int8(0), "sx": np.float32(0.02), "zx": np.uint8(0), "V": DENSE["V"]}
    nodes = [
        node("DequantizeLinear", ["w", "s", "z"], ["d"]), node("MatMul", ["x", "d"], ["m"]),
        node("QuantizeLinear", ["m", "sx", "zx"], ["q"]), node("DequantizeLinear", ["q", "sx", "zx"], ["r"]),
        node("MatMul", ["r", "V"], ["y"]),
    ]  # fmt: skip
    made = model(nodes, stored, (1, 5), opset=19)
    graph, x = graph_of(made, "net.onnx"), f(1, 5)
    # The zero point 0 of whole numbers from 0 up stands for a relu.
    assert_same(graph(x), np.maximum(x @ (w * s), 0) @ DENSE["V"])
    # The file rounds to steps of 0.02 between.
    assert np.abs(graph(x) - ReferenceEvaluator(made).run(None, {"x": x})[0]).max() < 0.02 * np.abs(DENSE["V"]).sum()
    assert "net.onnx: 1 quantised weights are shown dequantised" in told()


def test_products_of_whole_numbers_are_those_that_they_stand_for():
    w, s = quantised(DENSE["W"])
    k, t = quantised(KERNELS["k"])
    dynamic = [
        node("DynamicQuantizeLinear", ["x"], ["xq", "xs", "xz"]), node("MatMulInteger", ["xq", "w", "xz", "z"], ["i"]),
        node("Cast", ["i"], ["c"], to=1), node("Mul", ["xs", "s"], ["ss"]), node("Mul", ["c", "ss"], ["y"]),
    ]  # fmt: skip
    x = f(1, 5)
    assert_same(graph_of(model(dynamic, {"w": w, "s": s, "z": np.int8(0)}, (1, 5)), "net.onnx")(x), x @ (w * s))
    stored = {
        "k": k, "t": t, "z": np.int8(0), "sx": np.float32(0.02), "zx": np.int8(3), "sy": np.float32(0.05),
        "b": np.int32([100, -200, 300, 0]),
    }  # fmt: skip
    linear = [
        node("QuantizeLinear", ["x", "sx", "zx"], ["q"]),
        node("QLinearConv", ["q", "sx", "zx", "k", "t", "z", "sy", "zx", "b"], ["r"]),
        node("DequantizeLinear", ["r", "sy", "zx"], ["y"]),
    ]
    made = model(linear, stored, (1, 3, 6, 6))
    plain = model(
        [node("Conv", ["x", "k", "b"], ["y"])], {"k": k * t, "b": stored["b"] * np.float32(0.02) * t}, (1, 3, 6, 6)
    )
    image = f(1, 3, 6, 6)
    assert_same(graph_of(made, "net.onnx")(image), ReferenceEvaluator(plain).run(None, {"x": image})[0])


SKLEARN = {
    "scaled": ([node("Scaler", ["x"], ["y"], domain="ai.onnx.ml", offset=[1.0, 2.0, 3.0], scale=[0.5, 2.0, 1.0])],
               lambda x: (x - [1, 2, 3]) * [0.5, 2, 1]),
    "regression": ([node("LinearRegressor", ["x"], ["y"], domain="ai.onnx.ml", coefficients=[1.0, -2.0, 0.5],
                         intercepts=[0.25])], lambda x: x @ np.array([[1], [-2], [0.5]]) + 0.25),
    "classes": ([node("LinearClassifier", ["x"], ["label", "s"], domain="ai.onnx.ml", coefficients=[1.0, -2.0, 0.5] * 3,
                      intercepts=[0.25, 0.0, 1.0], classlabels_ints=[0, 1, 2], post_transform="SOFTMAX"),
                 node("Normalizer", ["s"], ["y"], domain="ai.onnx.ml", norm="L1")],
                lambda x: softmax(x @ np.array([[1], [-2], [0.5]]) + [0.25, 0, 1])),
    "two classes": ([node("LinearClassifier", ["x"], ["label", "y"], domain="ai.onnx.ml", coefficients=[1.0, -2.0, 0.5],
                          intercepts=[0.25], classlabels_ints=[0, 1], post_transform="LOGISTIC")],
                    lambda x: np.concatenate([1 - sigmoid(x), sigmoid(x)], axis=1)),
    "columns": ([node("ArrayFeatureExtractor", ["x", "at"], ["y"], domain="ai.onnx.ml")], lambda x: x[:, [2, 0]]),
}  # fmt: skip


def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def sigmoid(x):
    return 1 / (1 + np.exp(-(x @ np.array([[1], [-2], [0.5]]) + 0.25)))


def test_classes_that_are_normalised_again_are_layers(tmp_path):
    onnx.save(model(SKLEARN["classes"][0], {}, ("N", 3)), tmp_path / "net.onnx")
    assert str(load(tmp_path / "net.onnx").shape) == "3-3 softmax"


@pytest.mark.parametrize(("nodes", "formula"), SKLEARN.values(), ids=SKLEARN)
def test_nodes_of_scikit_learns_models(nodes, formula):
    x = f(1, 3)
    assert_same(graph_of(model(nodes, {"at": np.int64([2, 0])}, ("N", 3)), "net.onnx")(x), formula(x))


def test_the_scores_of_a_classifier_are_read_through_the_names_of_its_classes():
    nodes = [
        node("MatMul", ["x", "W"], ["s"]), node("Softmax", ["s"], ["p"]),
        node("ZipMap", ["p"], ["maps"], domain="ai.onnx.ml", classlabels_int64s=[0, 1, 2, 3]),
        node("ArgMax", ["p"], ["label"], axis=1),
    ]  # fmt: skip
    label, maps = onnx.ValueInfoProto(name="label"), onnx.ValueInfoProto(name="maps")
    label.type.tensor_type.elem_type = TensorProto.INT64
    maps.type.sequence_type.elem_type.map_type.key_type = TensorProto.INT64
    graph, x = graph_of(model(nodes, DENSE, ("N", 5), outputs=(label, maps)), "net.onnx"), f(1, 5)
    assert_same(graph(x), softmax(x @ DENSE["W"]))


MICROSOFT = {
    "a convolution with its activation": (
        [node("FusedConv", ["x", "k"], ["y"], domain="com.microsoft", activation="Relu")],
        [node("Conv", ["x", "k"], ["c"]), node("Relu", ["c"], ["y"])], KERNELS, (1, 3, 6, 6)),
    "a product": (
        [node("FusedMatMul", ["x", "W"], ["y"], domain="com.microsoft", alpha=0.5)],
        [node("MatMul", ["x", "W"], ["m"]), node("Mul", ["m", "half"], ["y"])], DENSE, (1, 5)),
    "layer norm after a skip": (
        [node("SkipLayerNormalization", ["x", "x", "g", "b"], ["y"], domain="com.microsoft", epsilon=1e-5)],
        [node("Add", ["x", "x"], ["s"]), node("LayerNormalization", ["s", "g", "b"], ["y"])],
        {"g": f(4), "b": f(4)}, (1, 3, 4)),
    "layer norm without mean": (
        [node("SimplifiedLayerNormalization", ["x", "g"], ["y"], epsilon=1e-5)],
        [node("Mul", ["x", "x"], ["q"]), node("ReduceMean", ["q", "last"], ["v"]), node("Add", ["v", "e"], ["w"]),
         node("Sqrt", ["w"], ["r"]), node("Div", ["x", "r"], ["n"]), node("Mul", ["n", "g"], ["y"])],
        {"g": f(4), "e": np.float32(1e-5), "last": np.int64([-1])}, (1, 3, 4)),
    "silu of another sharpness": (
        [node("QuickGelu", ["x"], ["y"], domain="com.microsoft", alpha=1.0)],
        [node("Sigmoid", ["x"], ["s"]), node("Mul", ["x", "s"], ["y"])], {}, (1, 5)),
    "gelu of a sum": (
        [node("BiasGelu", ["x", "b"], ["y"], domain="com.microsoft")],
        [node("Add", ["x", "b"], ["s"]), node("Gelu", ["s"], ["y"])], {"b": f(5)}, (1, 5)),
}  # fmt: skip


@pytest.mark.parametrize("form", MICROSOFT.values(), ids=MICROSOFT)
def test_fused_operators_of_onnxruntime_are_their_parts(form):
    fused, parts, stored, shape = form
    stored = stored | {"half": np.float32(0.5)}
    truth = ReferenceEvaluator(model(parts, stored, shape, opset=20))
    x = f(*shape)
    assert_same(graph_of(model(fused, stored, shape, opset=20), "net.onnx")(x), truth.run(None, {"x": x})[0])
