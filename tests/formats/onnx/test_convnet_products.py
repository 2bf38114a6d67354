"""ONNX graphs in which what was computed is multiplied by what was computed. The truth is onnx's reference evaluator.

Tolerance: 1e-6 of the largest value, for constants and folded weights are rounded to float32 (6e-8 each).
"""

import numpy as np
import pytest

from engine.errors import NeurosceneError
from engine.formats.load_convnet import load_convnet

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


# Nodes from the maps c to y.
FORMS = {
    "squeezed and excited": (
        "a = GlobalAveragePool c; t = Conv a narrow; r = Relu t; q = Conv r wide; s = Sigmoid q; y = Mul c s"
    ),
    "the gate first, from a mean": "a = ReduceMean c axes; s = HardSigmoid a alpha=0.16666667; y = Mul s c",
    "the gate of dense layers": (
        "a = GlobalAveragePool c; h = Flatten a; z = Gemm h dense; s = Sigmoid z; e = Reshape s gate; y = Mul c e"
    ),
    "the gate of a mean without axes left": (
        "a = ReduceMean c axes keepdims=0; s = Sigmoid a; e = Unsqueeze s axes; y = Mul e c"
    ),
    "axes added one after another": (
        "a = ReduceMean c axes keepdims=0; u = Unsqueeze a last; s = Sigmoid u; e = Unsqueeze s last; y = Mul e c"
    ),
    "axes taken away one after another": (
        "a = GlobalAveragePool c; u = Squeeze a last; "
        "h = Squeeze u last; z = Gemm h dense; e = Reshape z gate;y = Mul c e"
    ),
    "the gate repeated at each place": (
        "a = GlobalAveragePool c; s = Sigmoid a; n = Shape c; e = Expand s n; y = Mul c e"
    ),
    "the gate repeated at rows and columns, first": "a = GlobalAveragePool c; e = Expand a places; y = Mul e c",
    "a map repeated once": "r = Relu c; e = Expand r gates; y = Mul c e",
    "a sigmoid of something else": "t = Tanh c; s = Sigmoid t; y = Mul c s",
    "maps": "r = Relu c; y = Mul c r",
    "a map by itself": "y = Mul c c",
    "vectors": "a = GlobalAveragePool c; h = Flatten a; r = Relu h; y = Mul r h",
    "a factor behind a product": "a = GlobalAveragePool c; m = Mul c a; y = Mul m two",
    "hard swish by sums and a clip": "t = Add c three; r = Clip t nought six; q = Div r six; y = Mul c q",
    "places scaled": "q = Conv c one; s = Sigmoid q; y = Mul c s",
    "a repeated vector added": "a = GlobalAveragePool c; e = Expand a places; y = Add c e",
    "a repeated vector as the output": "a = GlobalAveragePool c; y = Expand a places",
    "an axis before the channels": "a = ReduceMean c axes keepdims=0; y = Unsqueeze a first",
    "five axes": "y = Unsqueeze c last",
}


@pytest.mark.parametrize("nodes", FORMS.values(), ids=FORMS)
def test_what_is_loaded_computes_what_the_graph_computes(loaded, nodes):
    net, data = loaded(nodes)
    image = f(*SHAPE)
    (truth,) = evaluator(data).run(None, {"x": image})
    found = net.graph(image)
    assert np.abs(found.ravel() - truth.ravel()).max() <= 1e-6 * np.abs(truth).max()


REFUSED = {
    "maps of other sizes": ("r = MaxPool c kernel_shape=2,2; y = Mul c r", "`Mul_y`.*do not fit each other"),
    "a gate repeated at places of another map": (
        "a = GlobalAveragePool c; e = Expand a places; r = MaxPool c kernel_shape=2,2; y = Mul r e",
        "`Mul_y`.*do not fit each other",
    ),
    "the shape of a repeated vector": (
        "a = GlobalAveragePool c; e = Expand a places; y = Shape e",
        "does not depend on its input",
    ),
    "columns scaled": ("a = GlobalAveragePool c; h = Flatten a; y = Mul c h", "`Mul_y`.*do not fit each other"),
}


@pytest.mark.parametrize(("nodes", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_shown_is_named_with_its_node(loaded, nodes, says):
    with pytest.raises(NeurosceneError, match=says) as caught:
        loaded(nodes)
    assert "net.onnx" in str(caught.value) and "\n" not in str(caught.value)
