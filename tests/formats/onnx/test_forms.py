"""ONNX files in the forms that exporters and people give them. The truth is onnx's own reference evaluator."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from engine.errors import NetworkError
from engine.formats.load_convnet import load_convnet
from engine.formats.load_mlp import load
from engine.formats.onnx.reader import graph_of, read_graph
from tests.formats.onnx.models import DENSE, KERNELS, TAIL, assert_same, f, model, node

SAME = [node("Identity", ["x"], ["f"])]
POOLED = [node("Conv", ["x", "k"], ["v"]), node("Relu", ["v"], ["r"]), node("GlobalAveragePool", ["r"], ["y"])]


def channels_last(back):
    turned = node("Transpose", ["r"], ["u"], perm=[0, 2, 3, 1]) if back else node("Identity", ["r"], ["u"])
    return [
        node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]), node("Conv", ["t", "k"], ["v"]), node("Relu", ["v"], ["r"]),
        turned, node("Reshape", ["u", "sh"], ["f"]), node("MatMul", ["f", "W"], ["m"]), node("Add", ["m", "c"], ["y"]),
    ]  # fmt: skip


# {what: (nodes, stored arrays, the shape of x)}
FORMS = {
    "a mean image, then flattened": (
        [node("Sub", ["x", "mean"], ["s"]), node("Flatten", ["s"], ["f"]), *TAIL], {"mean": f(1, 1, 1, 5), **DENSE},
         (1, 1, 1, 5)),
    "one mean, then flattened": (
        [node("Sub", ["x", "mean"], ["s"]), node("Flatten", ["s"], ["f"]), *TAIL],
         {"mean": np.float32(0.5), **DENSE}, (1, 1, 1, 5)),
    "a mean vector": ([node("Sub", ["x", "mean"], ["f"]), *TAIL], {"mean": f(1, 5), **DENSE}, (1, 5)),
    "softmax and log": (
        [*SAME, *TAIL[:-1], node("Add", ["q", "c"], ["z"]), node("Softmax", ["z"], ["s"], axis=1), node("Log", ["s"],
         ["y"])],
        DENSE, (1, 5)),
    "a free batch of three axes": ([node("Flatten", ["x"], ["f"]), *TAIL], DENSE, ("N", 1, 5)),
    "channels last, and back before flattening": (channels_last(True), {**KERNELS, "sh": np.int64([-1, 144])},
        (1, 8, 8, 3)),
    "channels last, not back": (channels_last(False), {**KERNELS, "sh": np.int64([-1, 144])}, (1, 8, 8, 3)),
    "normalised within": (
        [node("Sub", ["x", "mu"], ["s"]), node("Div", ["s", "sd"], ["d"]), node("Conv", ["d", "k"],
         ["v"]), *POOLED[1:]],
        {"k": KERNELS["k"], "mu": f(1, 3, 1, 1), "sd": np.full((1, 3, 1, 1), 0.25, np.float32)}, (1, 3, 8, 8)),
    "a mean image of every pixel": (
        [node("Sub", ["x", "mu"], ["s"]), node("Conv", ["s", "k"], ["v"]), *POOLED[1:]],
        {"k": KERNELS["k"], "mu": f(1, 3, 8, 8)}, (1, 3, 8, 8)),
    "grey, reshaped at the input": (
        [node("Reshape", ["x", "s0"], ["t"]), node("Conv", ["t", "k"], ["v"]), node("Relu", ["v"], ["r"]),
         node("GlobalAveragePool", ["r"], ["g"]), node("Squeeze", ["g", "ax"], ["f"]), node("MatMul", ["f", "W"],
         ["y"])],
        {"s0": np.int64([-1, 1, 8, 8]), "k": f(4, 1, 3, 3), "ax": np.int64([2, 3]), "W": f(4, 2)}, ("N", 8, 8, 1)),
    "without a batch": (
        [node("Unsqueeze", ["x", "z"], ["t"]), node("Conv", ["t", "k"], ["v"]), node("Squeeze", ["v", "z"], ["s"]),
         node("Relu", ["s"], ["r"]), node("Reshape", ["r", "sh"], ["f"]), node("MatMul", ["f", "W"], ["y"])],
        {"z": np.int64([0]), "k": f(4, 1, 3, 3), "sh": np.int64([-1]), "W": f(144, 2)}, (1, 8, 8)),
    "weights divided by their norm": (
        [node("ReduceL2", ["v", "one"], ["n"], keepdims=1), node("Div", ["v", "n"], ["u"]), node("Mul", ["u", "g"],
         ["w"]),
         node("Gemm", ["x", "w", "b"], ["m"], transB=1), node("Relu", ["m"], ["r"]), node("MatMul", ["r", "V"], ["y"])],
        {"v": f(4, 5), "one": np.int64([1]), "g": f(4, 1), "b": f(4), "V": DENSE["V"]}, (1, 5), 18),
    "a latent code": (
        [node("Concat", ["z", "x"], ["f"], axis=1), *TAIL], {"z": f(1, 2), **DENSE}, (1, 3)),
    "a grey picture of two axes": (
        [node("Reshape", ["x", "row"], ["s"]), node("MatMul", ["s", "W"], ["y"])],
        {"row": np.int64([1, 20]), "W": f(20, 2)}, (4, 5)),
    "weights of half precision": (
        [node("Cast", ["h"], ["W"], to=1), node("MatMul", ["x", "W"], ["y"])], {"h": f(5, 2).astype(np.float16)},
         (1, 5)),
    "a function of constants": (
        [node("Exp", ["g"], ["e"]), node("Sqrt", ["e"], ["s"]), node("MatMul", ["x", "V"], ["m"]),
         node("Mul", ["m", "s"], ["y"])],
        {"g": f(2), "V": f(5, 2)}, (1, 5)),
}  # fmt: skip


@pytest.mark.parametrize("order", [1, -1], ids=["", "nodes from the last to the first"])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_what_is_read_computes_what_the_file_computes(form, order):
    nodes, stored, shape, *opset = form
    made = model(nodes, stored, shape, opset=(opset or [13])[0])
    graph = graph_of(model(nodes[::order], stored, shape, opset=(opset or [13])[0]), "net.onnx")
    x = f(*(n if isinstance(n, int) else 1 for n in shape))
    assert graph.inputs[0].size == x.shape
    assert_same(graph(x), ReferenceEvaluator(made).run(None, {"x": x})[0])


def test_the_first_output_of_floats_is_read_and_the_others_are_named(told):
    label = helper.make_tensor_value_info("label", TensorProto.INT64, None)
    nodes = [*SAME, *TAIL, node("ArgMax", ["y"], ["label"], axis=1)]
    made = model(nodes, DENSE, (1, 5), outputs=(label, "y", "r"))
    graph, x = graph_of(made, "net.onnx"), f(1, 5)
    assert_same(graph(x), ReferenceEvaluator(made).run(["y"], {"x": x})[0])
    assert "net.onnx: output y is shown; it also has label, r" in told()
    # Another one, and what lies within.
    for name in ("r", "m"):
        assert graph_of(made, "net.onnx", output=name)(x).shape == (1, 4)
    with pytest.raises(NetworkError, match=r"In net.onnx: There is no output `z`\. It may be: label, r, y"):
        graph_of(made, "net.onnx", output="z")
    with pytest.raises(NetworkError, match="`ArgMax_"):
        graph_of(
            model([*nodes[:-1], node("ArgMax", ["y"], ["label"], name="ArgMax_1")], DENSE, (1, 5)), "n", output="label"
        )


def test_without_an_output_of_floats_the_message_says_how_to_choose():
    label = helper.make_tensor_value_info("label", TensorProto.INT64, None)
    nodes = [*SAME, *TAIL, node("ArgMax", ["y"], ["place"], axis=1), node("Abs", ["place"], ["label"])]
    made = model(nodes, DENSE, (1, 5), outputs=(label,))
    with pytest.raises(NetworkError, match="no output of floats, but label"):
        graph_of(made, "net.onnx")
    assert graph_of(made, "net.onnx", output="y").output.name


def test_of_an_output_that_is_the_place_of_the_largest_the_scores_are_shown(told):
    label = helper.make_tensor_value_info("label", TensorProto.INT64, None)
    made = model([*SAME, *TAIL, node("ArgMax", ["y"], ["label"], axis=1)], DENSE, (1, 5), outputs=(label,))
    assert graph_of(made, "net.onnx").output.name == graph_of(made, "net.onnx", output="y").output.name
    assert "the scores `y` are shown" in told()


def test_inputs_that_the_output_does_not_use_are_left_out():
    nodes = [*SAME, *TAIL, node("Identity", ["state"], ["after"])]
    made = model(nodes, DENSE, (1, 5), inputs=[("state", (1,))], outputs=("y", "after"))
    assert [node.name for node in graph_of(made, "net.onnx").inputs] == ["x"]


def test_several_inputs_are_in_the_files_order():
    nodes = [node("Concat", ["z", "x"], ["f"], axis=1), *TAIL]
    made = model(nodes, DENSE, (1, 3), inputs=[("z", (1, 2))])
    graph, x, z = graph_of(made, "net.onnx"), f(1, 3), f(1, 2)
    assert [node.name for node in graph.inputs] == ["x", "z"]
    assert_same(graph(x, z), ReferenceEvaluator(made).run(None, {"x": x, "z": z})[0])


BATCHES = {
    "of images": (POOLED, {"k": KERNELS["k"]}, (3, 8, 8), {}),
    "flattened to a constant shape": (
        [node("Conv", ["x", "k"], ["v"]), node("Reshape", ["v", "sh"], ["f"]), node("MatMul", ["f", "W"], ["y"])],
        KERNELS, (3, 8, 8), {"sh": lambda n: np.int64([n, 144])}),
    "flattened to what is left": (
        [node("Conv", ["x", "k"], ["v"]), node("Reshape", ["v", "sh"], ["f"]), node("MatMul", ["f", "W"], ["y"])],
        KERNELS, (3, 8, 8), {"sh": lambda n: np.int64([n, -1])}),
    "with a token for each": (
        [node("Concat", ["t", "x"], ["c"], axis=1), node("ReduceMean", ["c"], ["y"], axes=[1])],
        {}, (4, 6), {"t": lambda n: np.repeat(np.float32(np.arange(6)).reshape(1, 1, 6), n, 0)}),
    "heads joined to the batch": (
        [node("Reshape", ["x", "s1"], ["a"]), node("Transpose", ["a"], ["t"], perm=[0, 2, 1]),
         node("MatMul", ["a", "t"], ["m"]),
         node("Reshape", ["m", "s2"], ["y"])],
        {}, (2, 4, 6), {"s1": lambda n: np.int64([n * 2, 4, 6]), "s2": lambda n: np.int64([n, 2, 4, 4])}),
}  # fmt: skip


@pytest.mark.parametrize("form", BATCHES.values(), ids=BATCHES)
def test_a_fixed_batch_is_read_as_one(form):
    nodes, stored, shape, by_batch = form
    one, x = model(nodes, stored | {k: make(1) for k, make in by_batch.items()}, (1, *shape)), f(1, *shape)
    (truth,) = ReferenceEvaluator(one).run(None, {"x": x})
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, (64, *truth.shape[1:]))
    made = model(nodes, stored | {k: make(64) for k, make in by_batch.items()}, (64, *shape), outputs=(y,))
    graph = graph_of(made, "net.onnx")
    assert graph.inputs[0].size == (1, *shape)
    assert_same(graph(x), truth)


def test_what_is_computed_over_a_batch_is_read_as_it_is_given():
    made = model([node("Softmax", ["x"], ["y"], axis=0)], {}, (3, 5))
    graph, x = graph_of(made, "net.onnx"), f(3, 5)
    assert_same(graph(x), ReferenceEvaluator(made).run(None, {"x": x})[0])


def test_a_free_size_is_given():
    made = model(POOLED, {"k": KERNELS["k"]}, ("N", 3, "H", "W"))
    with pytest.raises(NetworkError, match=r"is \(\?, 3, \?, \?\); its sizes must be known. Give size=\(H, W\)"):
        graph_of(made, "net.onnx")
    assert graph_of(made, "net.onnx", size=(9, 12)).inputs[0].size == (1, 3, 9, 12)
    with pytest.raises(NetworkError, match=r"cannot be run at \(9,\)"):
        graph_of(made, "net.onnx", size=(9,))
    fixed = model(channels_last(True), {**KERNELS, "sh": np.int64([-1, 144])}, (1, 8, 8, 3))
    assert graph_of(fixed, "net.onnx", size=(8, 8)).inputs[0].size == (1, 8, 8, 3)
    with pytest.raises(NetworkError, match=r"is \(1, 8, 8, 3\), with fixed sizes; the file cannot be run at \(9, 8\)"):
        graph_of(fixed, "net.onnx", size=(9, 8))


def test_a_width_that_is_not_declared_is_that_of_the_weights():
    for shape in (("N", None), None):
        assert graph_of(model([*SAME, *TAIL], DENSE, shape), "net.onnx").inputs[0].size == (1, 5)
    assert graph_of(model(POOLED, {"k": KERNELS["k"]}, None), "net.onnx", size=(8, 9)).inputs[0].size == (1, 3, 8, 9)


def test_what_older_files_have_as_attributes_is_read(tmp_path):
    nodes = [
        node("Pad", ["x"], ["p"], pads=[0, 0, 1, 0, 0, 0, 0, 2], value=0.5), node("Clip", ["p"], ["c"],
        min=0.0, max=1.5),
        node("Upsample", ["c"], ["u"], scales=[1.0, 1.0, 2.0, 3.0]), node("Dropout", ["u"], ["d"], ratio=0.5),
        node("Softmax", ["d"], ["s"], axis=2), node("ReduceSum", ["s"], ["t"], axes=[3], keepdims=0),
        node("Squeeze", ["t"], ["q"], axes=[0]), node("Unsqueeze", ["q"], ["v"], axes=[0]), node("Slice", ["v"], ["y"],
        axes=[2], starts=[1], ends=[9]),
    ]  # fmt: skip
    made = model(nodes, {}, (1, 2, 3, 4), opset=7)
    onnx.save(made, tmp_path / "net.onnx")
    x = f(1, 2, 3, 4)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 0), (0, 2)), constant_values=0.5).clip(0, 1.5)
    large = padded.repeat(2, 2).repeat(3, 3)
    e = np.exp(large - large.max())
    # Before opset 13 softmax was over all axes from its own on.
    sums = (e / e.sum(axis=(2, 3), keepdims=True)).sum(axis=3)
    assert_same(read_graph(tmp_path / "net.onnx")(x), sums[:, :, 1:9])


@pytest.mark.parametrize("form", ["grey, reshaped at the input", "without a batch"])
def test_a_grey_image_is_given_with_one_channel(tmp_path, form):
    nodes, stored, shape = FORMS[form]
    made = model(nodes, stored, shape)
    onnx.save(made, tmp_path / "net.onnx")
    net, x = load_convnet(tmp_path / "net.onnx"), f(1, 1, 8, 8)
    assert net.input_shape == (1, 8, 8)
    shape = [1 if n == "N" else n for n in shape]
    assert_same(net.graph(x), ReferenceEvaluator(made).run(None, {"x": x.reshape(shape)})[0])


def test_an_output_and_a_size_are_chosen_in_the_path_too(tmp_path):
    path = tmp_path / "net.onnx"
    onnx.save(model([*SAME, *TAIL], DENSE, ("N", 5), outputs=("y", "r")), path)
    assert load(f"{path}:output=r").outputs == load(path, output="r").outputs == 4
    assert load(str(path)).outputs == 2
    with pytest.raises(NetworkError, match="own activations, but `tanh` is given"):
        load(f"{path}:tanh")
    onnx.save(model(POOLED, {"k": KERNELS["k"]}, ("N", 3, "H", "W"), outputs=("y", "r")), path)
    with pytest.raises(NetworkError, match="FILE:size=HxW"):
        load_convnet(path)
    for net in (load_convnet(f"{path}:size=9x12"), load_convnet(path, size=(9, 12))):
        assert net.input_shape == (3, 9, 12) and net.shapes[net.output.name] == (4, 1, 1)
    net = load_convnet(f"{path}:output=v,size=9x12")
    assert net.shapes[net.output.name] == (4, 7, 10)
