"""Convolutional networks as graphs: shapes, refusals, and what each neuron sees of the image."""

import numpy as np
import pytest

from engine.errors import NetworkError, ShapeError
from engine.network.convnet import ConvNet, channels_first
from engine.network.graph import nodes
from engine.network.graph.graph import Graph
from engine.network.graph.passes.simplify import simplified
from engine.network.graph.views import unviewed, view_of, viewed
from engine.network.preprocess import Preprocess
from engine.reference.forward import value as forward

RNG = np.random.default_rng(3)


def conv(name, source, out, into, size=(3, 3), **more):
    return nodes.Convolution(name, (source,), RNG.normal(size=(out, into, *size)), RNG.normal(size=out), **more)


def every_kind():
    return [
        nodes.Input("image", (), (1, 3, 12, 14)),
        conv("conv", "image", 6, 3, stride=(2, 1), padding=(1, 0, 2, 1)),
        nodes.Elementwise("act", ("conv",), "tanh"),
        nodes.MaxPool("pool", ("act",), (2, 3), (2, 2), (1, 0, 0, 1), ceil=True),
        conv("wide", "pool", 6, 6, (1, 2), dilation=(1, 2), padding=(0, 1, 0, 1)),
        conv("deep", "pool", 6, 1, groups=6, padding=(1, 1, 1, 1)),
        nodes.Concat("both", ("wide", "deep")),
        nodes.AveragePool("mean", ("both",), (2, 2), (1, 1), include_padding=True),
        nodes.Add("sum", ("wide", "wide")),
        nodes.Reshape("flat", ("mean",), (1, 12 * 3 * 6)),
        nodes.Dense("dense", ("flat",), RNG.normal(size=(4, 12 * 3 * 6)), None),
        nodes.Reduce("all", ("sum",), "mean", (2, 3)),
        nodes.Reshape("few", ("all",), (1, 6)),
        nodes.Concat("ends", ("dense", "few")),
        nodes.Softmax("prob", ("ends",)),
    ]


@pytest.fixture(scope="module")
def net():
    return ConvNet(every_kind(), name="kinds", preprocess=Preprocess((12, 14), (0, 0, 0), (1, 1, 1)))


def test_every_node_gives_the_shape_that_is_stated(net):
    found = forward(net, RNG.normal(size=(3, 12, 14)))
    assert {name: x.shape for name, x in found.items()} == net.shapes
    assert net.neuron_count == sum(x.size for name, x in found.items() if name != "image")


def test_weights_and_work_are_those_of_the_formulas(net):
    assert net.node("conv").weight_count == 6 * 3 * 9 + 6
    assert net.node("deep").weight_count == 6 * 9 + 6
    assert net.weight_count == sum(node.weight_count for node in net.nodes)
    rows, columns = net.shapes["conv"][1:]
    assert net.work("conv") == rows * columns * 6 * 27
    assert net.work("dense") == 4 * 216 and net.work("act") == 0


@pytest.mark.parametrize("name", ["conv", "pool", "wide", "deep", "both", "mean", "sum", "all", "dense"])
def test_a_neuron_depends_on_the_pixels_of_its_field_and_no_others(net, name):
    """Each pixel is changed by itself; with weights drawn at random none matters by nothing."""
    image = RNG.normal(size=(3, 12, 14))
    base = forward(net, image)[name]
    _, rows, columns = net.shapes[name]
    changed = np.zeros((rows, columns, 12, 14), bool)
    for i in range(12):
        for j in range(14):
            other = image.copy()
            other[:, i, j] += 3.0
            changed[:, :, i, j] = (forward(net, other)[name] != base).any(axis=0)
    size, stride, start = net.receptive(name)
    for row in range(rows):
        for column in range(columns):
            top, left, bottom, right = net.field(name, row, column)
            at = np.argwhere(changed[row, column])
            if len(at):
                assert (at.min(axis=0) >= (top, left)).all() and (at.max(axis=0) < (bottom, right)).all()
            # A maximum need not depend on all it sees; sums and means do, from edge to edge.
            if name == "conv" and len(at):
                assert tuple(at.min(axis=0)) == (top, left) and tuple(at.max(axis=0) + 1) == (bottom, right)
            for axis, (low, high) in enumerate(((top, bottom), (left, right))):
                first = start[axis] + stride[axis] * (row, column)[axis]
                assert low >= max(first, 0) and high <= min(first + size[axis], (12, 14)[axis])


def gated(squeeze, last):
    """A map of 5 x 6 scaled by what a node makes one number a channel of, before a convolution."""
    return ConvNet(
        [
            nodes.Input("image", (), (1, 2, 10, 12)),
            conv("a", "image", 4, 2, (2, 2), stride=(2, 2)),
            squeeze,
            nodes.Multiply("scaled", ("a", "vector")[::last]),
            conv("b", "scaled", 3, 4, (2, 2)),
            nodes.Multiply("square", ("b", "b")),
        ],
        preprocess=False,
    )


@pytest.mark.parametrize("last", [1, -1])
def test_each_channel_is_scaled_by_its_number_of_the_vector(last):
    net = gated(nodes.Reduce("vector", ("a",), "mean", (2, 3)), last)
    assert net.shapes["scaled"] == (4, 5, 6) and net.shapes["square"] == net.shapes["b"]
    found = forward(net, RNG.normal(size=(2, 10, 12)))
    for c in range(4):
        assert found["scaled"][c] == pytest.approx(found["a"][c].mean() * found["a"][c])
    assert np.array_equal(found["square"], found["b"] ** 2)


@pytest.mark.parametrize("last", [1, -1])
@pytest.mark.parametrize("whole", [True, False])
def test_what_is_scaled_sees_all_that_the_vector_sees_wherever_it_is(whole, last):
    # A window that fits in only once leaves out two rows and two columns of the image.
    part = conv("vector", "a", 4, 4, (4, 5), stride=(7, 7))
    net = gated(nodes.Reduce("vector", ("a",), "mean", (2, 3)) if whole else part, last)
    image = RNG.normal(size=(2, 10, 12))
    base = forward(net, image)["scaled"]
    seen = np.zeros((5, 6, 10, 12), bool)
    for i, j in np.ndindex(10, 12):
        other = image.copy()
        other[:, i, j] += 3.0
        seen[:, :, i, j] = (forward(net, other)["scaled"] != base).any(axis=0)
    for row, column in np.ndindex(5, 6):
        at = np.argwhere(seen[row, column])
        assert (*at.min(axis=0), *at.max(axis=0) + 1) == net.field("scaled", row, column)
    assert net.field("scaled", 0, 0) == ((0, 0, 10, 12) if whole else (0, 0, 8, 10))
    for name in ("scaled", "b", "square"):
        assert net.receptive(name) == ((10, 12), (0, 0), (0, 0))


def test_an_image_with_its_channels_last_is_turned_where_it_is_transposed_at_once():
    scale = nodes.Affine("scaled", ("x",), np.array([1.0, 2.0, 3.0]), np.zeros(1))
    parts = [
        nodes.Input("x", (), (1, 5, 6, 3)),
        scale,
        nodes.Transpose("t", ("scaled",), (0, 3, 1, 2)),
        conv("c", "t", 2, 3),
    ]
    graph = Graph(parts, ["c"])
    turned = channels_first(graph)
    image = RNG.normal(size=(1, 5, 6, 3))
    assert turned.inputs[0].size == (1, 3, 5, 6)
    assert np.allclose(turned(image.transpose(0, 3, 1, 2)), graph(image))
    assert not any(isinstance(n, nodes.Transpose) for n in simplified(turned).nodes)
    # What is also seen otherwise stays as it is.
    seen = Graph([*parts, nodes.Reshape("r", ("x",), (1, 90))], ["c", "r"])
    assert channels_first(seen) is seen and channels_first(turned) is turned


@pytest.mark.parametrize(
    ("dims", "last", "view"),
    [((), None, (1, 1, 1)), ((5,), None, (5, 1, 1)), ((1, 5), None, (5, 1, 1)), ((4, 5), None, (5, 4, 1)),
     ((1, 7, 5), None, (5, 7, 1)), ((1, 7, 5), False, (7, 5, 1)), ((1, 3, 7, 5), None, (3, 7, 5)),
     ((2, 3, 7, 5), None, (6, 7, 5)), ((1, 7, 5, 3), True, (3, 7, 5)), ((2, 7, 5, 3), True, (3, 2, 35))],
)  # fmt: skip
def test_an_array_of_any_shape_has_a_map(dims, last, view):
    x = RNG.normal(size=dims)
    assert view_of(dims, last) == view == viewed(x, last).shape
    assert np.array_equal(unviewed(viewed(x, last), dims, last), x)


def test_what_is_shown_is_what_is_computed_and_maps_with_channels_last_are_maps():
    net = ConvNet(
        [
            nodes.Input("x", (), (1, 3, 4, 6)),
            nodes.Transpose("last", ("x",), (0, 2, 3, 1)),
            nodes.Dense("d", ("last",), RNG.normal(size=(5, 3))),
            nodes.Constant("c", (), np.ones(5)),
            nodes.Add("sum", ("d", "c")),
            nodes.Reshape("tokens", ("sum",), (1, 24, 5)),
        ],
        preprocess=False,
    )
    assert net.shown == ("d", "sum") and "c" not in net.shapes
    assert net.shapes == {"x": (3, 4, 6), "last": (3, 4, 6), "d": (5, 4, 6), "sum": (5, 4, 6), "tokens": (5, 24, 1)}
    assert net.taken(net.node("sum")) == ("d",)


def test_weights_are_kept_as_they_were_given():
    weights = np.ones((1, 3, 1, 1), np.float32)
    node = nodes.Convolution("c", ("x",), weights)
    weights[:] = 2
    assert (node.weights == 1).all() and (node.bias == 0).all()
    with pytest.raises(ValueError, match="read-only"):
        node.weights[:] = 3


X = nodes.Input("x", (), (1, 3, 4, 4))
WRONG = {
    "no input": (lambda: [nodes.Constant("c", (), np.ones(3))], "has the inputs none"),
    "nothing": (lambda: [], "has the inputs none"),
    "two inputs": (lambda: [nodes.Input("z", (), (1, 3, 4, 4)), X], "has the inputs `z`, `x`; .*one image"),
    "a name twice": (lambda: [X, conv("x", "x", 1, 3)], "two nodes called `x`"),
    "a node nothing computes": (lambda: [X, conv("c", "d", 1, 3)], "`c` .*takes `d`, which no node computes"),
    "channels that do not follow": (lambda: [X, conv("c", "x", 1, 2)], "Node `c` .*need 2 channels, but 3 come"),
    "a window too large": (lambda: [X, conv("c", "x", 1, 3, (5, 5))], "Node `c` .*window of 5 does not fit on 4"),
    "sums of other shapes": (
        lambda: [X, conv("c", "x", 3, 3), nodes.Add("a", ("c", "x"))], r"Node `a` \(add\).*do not fit each other"),
    "joined maps of other sizes": (
        lambda: [X, conv("c", "x", 3, 3), nodes.Concat("a", ("c", "x"))], r"Node `a` \(concat\).*must be equal but"),
    "a dense layer of a map": (
        lambda: [X, nodes.Dense("d", ("x",), np.ones((2, 48)))], r"Node `d` \(dense\).*need \(..., 48\)"),
    "products of other shapes": (
        lambda: [X, conv("c", "x", 3, 3), nodes.Multiply("a", ("c", "x"))],
        r"Node `a` \(multiply\).*do not fit each other"),
    "a vector of other channels": (
        lambda: [X, conv("c", "x", 2, 3, (4, 4)), nodes.Multiply("a", ("c", "x"))], "do not fit each other"),
    "a sum of one": (lambda: [X, nodes.Add("a", ("x",))], r"Node `a` \(add\): it takes 1 inputs; it needs 2"),
    "padding as wide as the window": (
        lambda: [X, nodes.MaxPool("p", ("x",), (2, 2), (2, 2), (2, 0, 0, 0))], r"Node `p` .*less than its window"),
    "groups that do not divide": (
        lambda: [X, conv("c", "x", 4, 1, groups=3)], "Node `c` .*cannot be cut into 3 groups"),
    "weights of three axes": (lambda: [X, nodes.Convolution("c", ("x",), np.ones((1, 3, 3)))], "Node `c` .*must be"),
    "biases of another count": (
        lambda: [X, nodes.Convolution("c", ("x",), np.ones((2, 3, 1, 1)), np.ones(3))], r"Node `c` .*need \(2,\)"),
    "a weight past float32": (
        lambda: [X, nodes.Convolution("c", ("x",), np.full((1, 3, 1, 1), 1e39))], "Node `c` .*finite float32"),
    "a softmax by numbers": (lambda: [X, nodes.Elementwise("s", ("x",), "softmax")], "Node `s` .*not elementwise"),
    "an activation nobody knows": (lambda: [X, nodes.Elementwise("s", ("x",), "rleu")], "Node `s` .*Near: relu"),
    "half a pixel": (lambda: [nodes.Input("x", (), (1, 3, 4.5, 4))], "Node `x` .*size"),
    "a billion pixels": (lambda: [nodes.Input("x", (), (1, 3, 1 << 20, 1 << 15))], "neurons"),
}  # fmt: skip


@pytest.mark.parametrize(("parts", "says"), WRONG.values(), ids=WRONG)
def test_a_graph_that_does_not_fit_is_refused_by_its_node(parts, says):
    with pytest.raises((NetworkError, ShapeError), match=says) as caught:
        ConvNet(parts(), name="mine")
    assert "\n" not in str(caught.value)


def test_classes_and_preprocess_must_fit(net):
    with pytest.raises(ShapeError, match="mine has 4 classes, but its last node `x` gives"):
        ConvNet([X], name="mine", classes="abcd")
    with pytest.raises(ShapeError, match="its preprocess gives"):
        ConvNet([X], preprocess=Preprocess((5, 4), (0,) * 3, (1,) * 3))


def test_a_network_changed_is_the_same_but_for_what_was_said(net):
    other = net.changed(classes=[f"k{i}" for i in range(10)], preprocess="caffe", name="other")
    assert other.nodes == net.nodes and other.shapes == net.shapes
    assert (other.name, other.classes[9], other.preprocess.order) == ("other", "k9", "bgr")
    assert other.changed(classes=()).classes == () and other.changed().preprocess == other.preprocess
    assert net.classes == () and net.name == "kinds"
    with pytest.raises(ShapeError, match="2 classes"):
        net.changed(classes=["a", "b"])
    with pytest.raises(NetworkError, match=r"no preprocess `cafe`.*Near: caffe"):
        net.changed(preprocess="cafe")


def test_what_is_done_to_a_photo_unless_given():
    assert ConvNet([X]).preprocess.mean == (0.485, 0.456, 0.406)
    grey = ConvNet([nodes.Input("x", (), (1, 1, 4, 4))]).preprocess
    assert (grey.order, grey.mean, grey.std, grey.scale) == ("grey", (0.0,), (1.0,), 1.0)
    assert ConvNet([nodes.Input("x", (), (1, 4, 4, 4))]).preprocess is None
    assert ConvNet([nodes.Input("x", (), (1, 3, 1, 1))]).preprocess is None
