"""ONNX graphs in which what was computed is multiplied by what was computed. The truth is onnx's reference evaluator.

Tolerance: 1e-6 of the largest value, for constants and folded weights are rounded to float32 (6e-8 each).
"""

import numpy as np
import pytest

from engine.errors import NeurosceneError
from engine.formats.load_convnet import load_convnet
from engine.reference.forward import value as forward

pytest.importorskip("onnx")
evaluator = pytest.importorskip("onnx.reference").ReferenceEvaluator
RNG = np.random.default_rng(8)


def f(*shape):
    """float64 numbers that are float32 numbers."""
    return RNG.normal(size=shape).astype(np.float32).astype(float)


SHAPE = (1, 3, 11, 13)
CONSTANTS = {
    "w": f(8, 3, 3, 3), "b": f(8), "narrow": f(6, 8, 1, 1), "wide": f(8, 6, 1, 1), "dense": f(8, 8),
    "one": f(1, 8, 1, 1), "two": np.float64(2.0), "three": np.float64(3.0), "six": np.float64(6.0),
    "nought": np.float64(0.0), "axes": np.int64([2, 3]), "gate": np.int64([1, -1, 1, 1]),
    "last": np.int64([-1]), "places": np.int64([9, 11]), "gates": np.int64([8, 1, 1]),
    "many": np.int64([2, 8, 9, 11]), "odd": np.int64([5, 11]), "first": np.int64([1]),
}  # fmt: skip


@pytest.fixture
def loaded(tmp_path, make_onnx):
    """(the ConvNet, the file's bytes) of nodes that take the maps `c` of 8 channels."""

    def function(nodes):
        nodes = f"c = Conv x w b; {nodes}"
        constants = {k: v for k, v in CONSTANTS.items() if k in nodes.replace(";", " ").split()}
        data = make_onnx(nodes, constants, kind=11, input_shape=SHAPE)
        (tmp_path / "net.onnx").write_bytes(data)
        return load_convnet(tmp_path / "net.onnx"), data

    return function


# Nodes from the maps c to y, and the kinds of nodes they are read as.
FORMS = {
    "squeezed and excited": (
        "a = GlobalAveragePool c; t = Conv a narrow; r = Relu t; q = Conv r wide; s = Sigmoid q; y = Mul c s",
        "reduce, convolution, elementwise, convolution, elementwise, multiply"),
    "the gate first, from a mean": (
        "a = ReduceMean c axes; s = HardSigmoid a alpha=0.16666667; y = Mul s c",
        "reduce, elementwise, multiply"),
    "the gate of dense layers": (
        "a = GlobalAveragePool c; h = Flatten a; z = Gemm h dense; s = Sigmoid z; e = Reshape s gate; y = Mul c e",
        "reduce, dense, elementwise, multiply"),
    "the gate of a mean without axes left": (
        "a = ReduceMean c axes keepdims=0; s = Sigmoid a; e = Unsqueeze s axes; y = Mul e c",
        "reduce, elementwise, multiply"),
    "axes added one after another": (
        "a = ReduceMean c axes keepdims=0; u = Unsqueeze a last; s = Sigmoid u; e = Unsqueeze s last; y = Mul e c",
        "reduce, elementwise, multiply"),
    "axes taken away one after another": (
        "a = GlobalAveragePool c; u = Squeeze a last; h = Squeeze u last; z = Gemm h dense; e = Reshape z gate;"
        "y = Mul c e", "reduce, dense, multiply"),
    "the gate repeated at each place": (
        "a = GlobalAveragePool c; s = Sigmoid a; n = Shape c; e = Expand s n; y = Mul c e",
        "reduce, elementwise, multiply"),
    "the gate repeated at rows and columns, first": (
        "a = GlobalAveragePool c; e = Expand a places; y = Mul e c", "reduce, multiply"),
    "a map repeated once": ("r = Relu c; e = Expand r gates; y = Mul c e", "elementwise, multiply"),
    "a sigmoid of something else": ("t = Tanh c; s = Sigmoid t; y = Mul c s", "elementwise, elementwise, multiply"),
    "maps": ("r = Relu c; y = Mul c r", "elementwise, multiply"),
    "a map by itself": ("y = Mul c c", "multiply"),
    "vectors": ("a = GlobalAveragePool c; h = Flatten a; r = Relu h; y = Mul r h",
                "reduce, elementwise, multiply"),
    "a factor behind a product": (
        "a = GlobalAveragePool c; m = Mul c a; y = Mul m two", "reduce, multiply, convolution"),
    "hard swish by sums and a clip": (
        "t = Add c three; r = Clip t nought six; q = Div r six; y = Mul c q",
        "convolution, elementwise, convolution, multiply"),
}  # fmt: skip


@pytest.mark.parametrize(("nodes", "kinds"), FORMS.values(), ids=FORMS)
def test_what_is_loaded_computes_what_the_graph_computes(loaded, nodes, kinds):
    net, data = loaded(nodes)
    assert ", ".join(node.kind for node in net.nodes[1:] if node.kind != "reshape") == f"convolution, {kinds}"
    image = f(*SHAPE)
    (truth,) = evaluator(data).run(None, {"x": image})
    found = forward(net, image[0])[net.output.name]
    assert np.abs(found.ravel() - truth.ravel()).max() <= 1e-6 * np.abs(truth).max()


REFUSED = {
    "maps of other sizes": (
        "r = MaxPool c kernel_shape=2,2; y = Mul c r",
        r"`Mul_y` \(multiply\) of net.onnx: it multiplies \(8, 9, 11\) and \(8, 8, 10\); equal shapes, or a map"),
    "places scaled": ("q = Conv c one; s = Sigmoid q; y = Mul c s", r"`Mul_y`.*a vector \(C, 1, 1\) are accepted"),
    "a gate repeated at places of another map": (
        "a = GlobalAveragePool c; e = Expand a places; r = MaxPool c kernel_shape=2,2; y = Mul r e",
        "`Mul_y`.*repeated at each place; the product"),
    "a repeated vector added": (
        "a = GlobalAveragePool c; e = Expand a places; y = Add c e", "`Add_y`.*repeated at each place; the product"),
    "the shape of a repeated vector": (
        "a = GlobalAveragePool c; e = Expand a places; y = Shape e", "`Shape_y`.*repeated at each place"),
    "a repeated vector as the output": (
        "a = GlobalAveragePool c; y = Expand a places", r"`Expand_y`.*makes \(1, 8, 9, 11\) of \(1, 8, 1, 1\)"),
    "repeated rows": ("y = Expand c many", "`Expand_y`.*that scales a map is accepted"),
    "repeated to what does not fit": ("y = Expand c odd", "`Expand_y`"),
    "an axis before the channels": (
        "a = ReduceMean c axes keepdims=0; y = Unsqueeze a first", "`Unsqueeze_y`.*axes 2 and 3"),
    "five axes": ("y = Unsqueeze c last", "`Unsqueeze_y`.*axes 2 and 3"),
    "columns scaled": (
        "a = GlobalAveragePool c; h = Flatten a; y = Mul c h",
        r"`Mul_y`.*multiplies \(8, 9, 11\) and \(8,\); a vector that scales channels must be \(C, 1, 1\)"),
}  # fmt: skip


@pytest.mark.parametrize(("nodes", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_shown_is_named_with_its_node(loaded, nodes, says):
    with pytest.raises(NeurosceneError, match=says) as caught:
        loaded(nodes)
    assert "net.onnx" in str(caught.value) and "\n" not in str(caught.value)
