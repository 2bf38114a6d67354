"""What each kind of ONNX node computes. The truth is onnx's own reference evaluator, in float64.

Tolerance: 1e-6 of the largest value, for constants and weights are rounded to float32 (6e-8 each).
"""

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from engine.errors import NeurosceneError
from engine.formats.onnx.reader import graph_of

RNG = np.random.default_rng(4)


def f(*shape):
    """float64 numbers that are float32 numbers."""
    return RNG.normal(size=shape).astype(np.float32).astype(float)


IMAGE, ROW, VECTOR, TOKENS = (1, 4, 7, 6), (1, 4, 9), (1, 8), (1, 5, 6)
CONSTANTS = {
    "w": f(8, 4, 3, 2), "b": f(8), "w1": f(8, 4, 3), "grouped": f(8, 2, 3, 3), "each": f(4, 1, 3, 3), "c": f(4),
    "pos": f(4) ** 2 + 0.5, "t": f(4, 3, 3, 2), "tb": f(3), "t1": f(4, 2, 3), "t1x1": f(4, 3, 1, 1), "m": f(8, 5),
    "mt": f(5, 8), "mb": f(5), "mc": f(1, 5), "left": f(3, 1), "square": f(8, 8), "six": f(6), "batched": f(1, 6, 3),
    "slopes": f(4, 1, 1), "one": f(1) ** 2, "map": f(1, 4, 7, 6), "channel": f(4, 1, 1), "two": np.float64(2),
    "low": np.float64(-0.4), "high": np.float64(0.7), "eight": f(8), "mask": f(5, 5), "kv": f(1, 5, 6),
    "cos": f(1, 5, 3), "sin": f(1, 5, 3), "cos1": f(1, 5, 1), "sin1": f(1, 5, 1), "nought": np.float64(0),
    "half": np.float64(0.5), "three": np.float64(3), "truth": np.array([True, False, True, True, False, True]),
    "axes": np.int64([2, 3]), "last": np.int64([-1]), "first": np.int64([0]), "row": np.int64([1, -1]),
    "zeros": np.int64([0, 2, -1]), "shape": np.int64([0, 0, 3, -1]), "starts": np.int64([1, -1]),
    "ends": np.int64([3, -8]), "sliced": np.int64([1, 3]), "steps": np.int64([1, -2]), "parts": np.int64([1, 3]),
    "wide": np.int64([1, 4, 7, 6]), "times": np.int64([1, 2, 1, 3]), "pads": np.int64([0, 0, 1, 2, 0, 0, 0, 3]),
    "pad2": np.int64([1, 2]), "cut": np.int64([0, 0, -1, 2, 0, 0, 0, -2]), "some": np.int64([[2, 0], [-1, 1]]),
    "places": RNG.integers(-4, 4, (1, 4, 2, 6)), "at": np.int64([[0, 1], [0, -1]]), "k": np.int64(1),
    "update": f(2, 7, 6), "elements": f(1, 4, 2, 6), "columns": np.tile(np.int64([5, -6, 2, 1, 0, 3]), (1, 4, 2, 1)),
    "scales": np.float32([1, 1, 2, 2]), "odd": np.float32([1, 1, 0.6, 1.7]), "sizes": np.int64([1, 4, 5, 9]),
    "none": np.float32([]), "roi": np.float32([0, 0, 0.1, 0.2, 1, 1, 0.8, 0.7]), "size2": np.int64([9, 4]),
}  # fmt: skip

# {what: (shape of x, nodes from x to y)}, or with an opset.
CASES = {
    "convolution": (IMAGE, "y = Conv x w b"),
    "stride, dilation, padding": (IMAGE, "y = Conv x w strides=2,1 dilations=1,2 pads=0,3,2,1"),
    "padded alike": (IMAGE, "y = Conv x w b strides=2,3 auto_pad=SAME_UPPER"),
    "padded alike below": (IMAGE, "y = Conv x w b strides=2,3 auto_pad=SAME_LOWER"),
    "valid": (IMAGE, "y = Conv x w auto_pad=VALID"),
    "groups": (IMAGE, "y = Conv x grouped b group=2"),
    "depthwise": (IMAGE, "y = Conv x each c group=4"),
    "of one axis": (ROW, "y = Conv x w1 b strides=2, pads=1,2"),
    "of one axis, padded alike": (ROW, "y = Conv x w1 strides=2, auto_pad=SAME_LOWER"),
    "transposed": (IMAGE, "y = ConvTranspose x t tb strides=2,3 pads=1,0,0,1"),
    "transposed, of one axis": (ROW, "y = ConvTranspose x t1 strides=2, output_padding=1,"),
    "transposed, output padding": (IMAGE, "y = ConvTranspose x t strides=2,2 output_padding=1,1 pads=1,1,1,1"),
    "transposed, of a shape": (IMAGE, "y = ConvTranspose x t strides=3,2 output_shape=20,12 auto_pad=SAME_UPPER"),
    "transposed, dilated": (IMAGE, "y = ConvTranspose x t dilations=2,1"),
    "max pool": (IMAGE, "y = MaxPool x kernel_shape=3,2 strides=2,3 pads=1,0,1,1"),
    "max pool, rounded up": (IMAGE, "y = MaxPool x kernel_shape=3,3 strides=2,2 ceil_mode=1"),
    "max pool, dilated": (IMAGE, "y = MaxPool x kernel_shape=2,2 dilations=2,3"),
    "max pool, of one axis": (ROW, "y = MaxPool x kernel_shape=3, strides=2, auto_pad=SAME_UPPER"),
    "average pool": (IMAGE, "y = AveragePool x kernel_shape=3,2 strides=2,2 pads=1,1,1,0"),
    "average pool, padding counts": (IMAGE, "y = AveragePool x kernel_shape=3,2 pads=1,1,2,0 count_include_pad=1"),
    "average pool, of one axis": (ROW, "y = AveragePool x kernel_shape=3,"),
    "global pools": (IMAGE, "a = GlobalAveragePool x; m = GlobalMaxPool x; y = Sub a m"),
    "dense": (VECTOR, "y = Gemm x m mb"),
    "dense, turned and scaled": (VECTOR, "y = Gemm x mt mc transB=1 alpha=0.5 beta=2.0"),
    "dense, of columns": (VECTOR, "t = Transpose x; y = Gemm t m mb transA=1"),
    "a sum of another shape": ((3, 8), "y = Gemm x m left beta=0.5"),
    "weights on the left": (VECTOR, "t = Transpose x; y = MatMul mt t"),
    "product of two": (TOKENS, "t = Transpose x perm=0,2,1; y = MatMul x t"),
    "product in batches": (TOKENS, "y = MatMul x batched"),
    "einsum": (TOKENS, "y = Einsum x x equation=bij,bkj->bik"),
    "einsum, an axis summed": (TOKENS, "y = Einsum x batched equation=bij,bjk->ik"),
    "einsum, outer": (TOKENS, "y = Einsum six x equation=i,btj->tij"),
    "einsum, implicit": (TOKENS, "y = Einsum x equation=bij"),
    "einsum, dots": (TOKENS, "y = Einsum x x equation=...ij,...kj->...ki"),
    "softmax": (TOKENS, "y = Softmax x"),
    "softmax of rows": (TOKENS, "y = Softmax x axis=1"),
    "log softmax": (TOKENS, "y = LogSoftmax x axis=-1"),
    "reductions": (TOKENS, "a = ReduceMean x last keepdims=0; b = ReduceMax x last keepdims=0; y = Mul a b"),
    "reduced to one": (TOKENS, "y = ReduceSum x"),
    "not reduced": (TOKENS, "y = ReduceSum x noop_with_empty_axes=1"),
    "the least": (TOKENS, "y = ReduceMin x last"),
    "product along an axis": (TOKENS, "y = ReduceProd x last"),
    "batch norm": (IMAGE, "y = BatchNormalization x c c c pos epsilon=1e-3"),
    "instance norm": (IMAGE, "y = InstanceNormalization x c c epsilon=1e-3"),
    "layer norm": (TOKENS, "y = LayerNormalization x six six"),
    "layer norm of two axes": (TOKENS, "y = LayerNormalization x six axis=1 epsilon=0.1"),
    "layer norm, computed gain": (TOKENS, "g = ReduceMax x last; y = LayerNormalization x g"),
    "sums of many": (VECTOR, "n = Neg x; y = Sum x n eight"),
    "mean of many": (VECTOR, "y = Mean x eight x"),
    "largest of many": (VECTOR, "y = Max x eight two"),
    "least of many": (VECTOR, "n = Neg x; y = Min x eight n"),
    "at least, at most": (VECTOR, "a = Max x low; y = Min high a"),
    "relu as a maximum": (VECTOR, "y = Max nought x"),
    "clip above": (VECTOR, "y = Clip x low"),
    "clip below": (VECTOR, "y = Clip x _ high"),
    "clip by what is computed": (VECTOR, "n = ReduceMin x keepdims=0; y = Clip x n high"),
    "arithmetic": (VECTOR, "a = Sub two x; b = Mul a eight; c = Add x b; y = Div c eight"),
    "broadcast": (IMAGE, "a = Add x channel; y = Mul a map"),
    "slopes": (IMAGE, "y = PRelu x slopes"),
    "one slope": (IMAGE, "y = PRelu x one"),
    "comparisons": (
        VECTOR, "a = Greater x nought; b = LessOrEqual x high; c = And a b; d = Not c; y = Where d x eight"),
    "cast of truth": (VECTOR, "a = Less x nought; y = Cast a to=11"),
    "cast to whole numbers": (VECTOR, "s = Mul x three; a = Cast s to=7; b = Add a k; y = Cast b to=11"),
    "activations": (
        VECTOR, "a = LeakyRelu x alpha=0.2; b = Elu a alpha=0.5; c = HardSigmoid b; d = HardSwish c; y = Tanh d"),
    "sigmoid, softplus, sine": (VECTOR, "a = Sigmoid x; b = Softplus a; y = Sin b"),
    "dropout": (VECTOR, "a = Dropout x; y = Identity a"),
    "reshapes": (IMAGE, "a = Reshape x shape; b = Flatten a axis=2; c = Unsqueeze b first; y = Squeeze c first"),
    "allowed zero": (IMAGE, "a = Flatten x axis=-1; y = Reshape a row"),
    "transposed axes": (IMAGE, "a = Transpose x perm=0,2,3,1; y = Transpose a"),
    "slice": (IMAGE, "y = Slice x starts ends sliced steps"),
    "split": (IMAGE, "a,b = Split x parts axis=1; y = Concat b a axis=1"),
    "split in equal parts": (IMAGE, "a,b = Split x num_outputs=2 axis=-1; y = Sub a b"),
    "expand": (IMAGE, "a = GlobalAveragePool x; y = Expand a wide"),
    "tile": (IMAGE, "y = Tile x times"),
    "pad": (IMAGE, "y = Pad x pads half"),
    "pad by reflection": (IMAGE, "y = Pad x pads mode=reflect"),
    "pad of an axis": (IMAGE, "y = Pad x pad2 _ last mode=edge"),
    "gather": (IMAGE, "y = Gather x some axis=1"),
    "gather elements": (IMAGE, "y = GatherElements x places axis=2"),
    "gather places": (IMAGE, "y = GatherND x at"),
    "scatter places": (IMAGE, "y = ScatterND x at update"),
    "scatter elements": (IMAGE, "y = ScatterElements x columns elements axis=3"),
    "depth to space": (IMAGE, "y = DepthToSpace x blocksize=2"),
    "depth to space, by columns": (IMAGE, "y = DepthToSpace x blocksize=2 mode=CRD"),
    "space to depth": ((1, 2, 6, 4), "y = SpaceToDepth x blocksize=2"),
    "triangle": (TOKENS, "y = Trilu x k"),
    "lower triangle": (TOKENS, "y = Trilu x upper=0"),
    "shapes": (IMAGE, "s = Shape x; n = Gather s first; l = Concat n last axis=0; y = Reshape x l"),
    "sizes": (IMAGE, "s = Size x; c = Cast s to=11; y = Div x c"),
    "zeros of a shape": (IMAGE, "s = Shape x; z = ConstantOfShape s; c = Cast z to=11; y = Add x c"),
    "a range": (VECTOR, "r = Range nought three half; s = ReduceSum r; y = Mul x s"),
    "places not 0": (VECTOR, "z = NonZero truth; q = Squeeze z first; y = Gather x q axis=1"),
    "doubled": (IMAGE, "y = Resize x _ scales coordinate_transformation_mode=asymmetric nearest_mode=floor"),
    "half pixels": (IMAGE, "y = Resize x _ scales mode=linear"),
    "corners": (IMAGE, "y = Resize x _ _ sizes mode=linear coordinate_transformation_mode=align_corners"),
    "cubic": (IMAGE, "y = Resize x _ odd mode=cubic coordinate_transformation_mode=pytorch_half_pixel"),
    "cubic, excluded": (IMAGE, "y = Resize x _ odd mode=cubic exclude_outside=1 cubic_coeff_a=-0.5"),
    "nearest": (IMAGE, "y = Resize x _ _ sizes nearest_mode=round_prefer_ceil"),
    "nearest from above": (
        IMAGE, "y = Resize x _ odd nearest_mode=ceil coordinate_transformation_mode=half_pixel_symmetric"),
    "of axes": (IMAGE, "y = Resize x _ _ size2 mode=linear axes=1,2"),
    "cropped": (IMAGE, "y = Resize x roi _ sizes mode=linear coordinate_transformation_mode=tf_crop_and_resize"),
    "smoothed": (IMAGE, "y = Resize x _ odd mode=linear antialias=1"),
    "rms norm": (TOKENS, "y = RMSNormalization x six epsilon=0.01", 23),
    "group norm": (IMAGE, "y = GroupNormalization x c c num_groups=2", 21),
    "attention": (TOKENS, "y = Attention x kv x q_num_heads=2 kv_num_heads=2", 23),
    "attention with a mask": (
        TOKENS, "y = Attention x kv x mask q_num_heads=3 kv_num_heads=3 is_causal=1 scale=0.5", 23),
    "rotary": (TOKENS, "y = RotaryEmbedding x cos sin _ num_heads=1", 23),
    "rotary, interleaved in part": (
        TOKENS, "y = RotaryEmbedding x cos1 sin1 _ num_heads=2 interleaved=1 rotary_embedding_dim=2", 23),
}  # fmt: skip

# Functions of each number, on numbers from 0.05 to 0.95, of which all are defined.
EACH = (
    "Abs", "Acos", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Celu alpha=0.5", "Cos", "Cosh", "Elu", "Erf", "Exp",
    "Floor", "Gelu", "Gelu approximate=tanh", "HardSwish", "LeakyRelu", "Log", "Mish", "Neg", "Reciprocal", "Relu",
    "Round", "Selu", "Selu alpha=2.0 gamma=0.5", "Shrink bias=0.125 lambd=0.25", "Sigmoid", "Sign",
    "Sin", "Sinh", "Softplus",
    "Softsign", "Sqrt", "Tan", "Tanh", "ThresholdedRelu alpha=0.5", "HardSigmoid alpha=0.5 beta=0.125",
)  # fmt: skip
CASES |= {
    name: (VECTOR, f"n = Sigmoid x; y = {name.replace(' ', ' n ', 1) if ' ' in name else name + ' n'}") for name in EACH
}
CASES |= {
    "Acosh": (VECTOR, "e = Exp x; n = Add e two; y = Acosh n"),
    "powers": (VECTOR, "n = Sigmoid x; y = Pow n eight"),
    "a remainder": (VECTOR, "y = Mod x half fmod=1"),
    "lengths": (TOKENS, "a = ReduceL1 x last; b = ReduceL2 x last; y = Mul a b"),
    "logarithms of sums": (TOKENS, "n = Sigmoid x; a = ReduceLogSum n last; b = ReduceLogSumExp x last; y = Mul a b"),
    "sum of squares": (TOKENS, "y = ReduceSumSquare x last keepdims=0"),
    "pool of squares": (IMAGE, "y = LpPool x kernel_shape=3,2 strides=2,1 pads=1,0,1,1"),
    "over its length": (TOKENS, "y = LpNormalization x axis=1"),
    "over its sum": (TOKENS, "n = Sigmoid x; y = LpNormalization n p=1"),
    "clip": (VECTOR, "y = Clip x low high"),
    "relu6": (VECTOR, "m = Mul x eight; y = Clip m nought three"),
}


def model_of(make_onnx, shape, nodes, opset=20, kind=11):
    """A ModelProto; kind: its floats, 11 for float64 and 1 for float32."""
    made = {name for text in nodes.split(";") for name in text.partition("=")[0].strip().split(",")}
    words = {word for text in nodes.split(";") for word in text.partition("=")[2].split()} - made
    constants = {k: v for k, v in CONSTANTS.items() if k in words}
    if kind == 1:
        constants = {k: np.float32(v) if np.asarray(v).dtype == float else v for k, v in constants.items()}
        nodes = nodes.replace("to=11", "to=1")
    data = make_onnx(nodes, constants, kind=kind, opset=opset, input_shape=shape)
    return onnx.load_from_string(data)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_node_computes_what_onnx_defines(make_onnx, case):
    shape, nodes, *opset = case
    model = model_of(make_onnx, shape, nodes, *opset)
    graph = graph_of(model, "net.onnx")
    x = f(*shape)
    (truth,) = ReferenceEvaluator(model).run(None, {"x": x})
    found = graph(x.reshape(graph.inputs[0].size))
    assert found.shape == truth.shape
    assert np.abs(found - truth).max() <= 1e-6 * max(np.abs(truth).max(), 1e-6)


def _response(x):
    """Krizhevsky et al. 2012, of three neighbouring channels."""
    squares = np.pad(x * x, ((0, 0), (1, 1), (0, 0), (0, 0)))
    return x / (1.5 + 0.5 / 3 * (squares[:, :-2] + squares[:, 1:-1] + squares[:, 2:])) ** 0.6


# What onnx's evaluator gets wrong or does not know (1.23), by formulas.
BY_FORMULA = {
    "local response": (IMAGE, "y = LRN x size=3 alpha=0.5 beta=0.6 bias=1.5", _response),
    "cut": (IMAGE, "y = Pad x cut", lambda x: np.pad(x[:, :, 1:, :4], ((0, 0), (0, 0), (0, 0), (2, 0)))),
    "mean and variance": (
        IMAGE, "y = MeanVarianceNormalization x axes=2,3",
        lambda x: (x - x.mean(axis=(2, 3), keepdims=True)) / x.std(axis=(2, 3), keepdims=True)),
    "transposed in groups": (
        IMAGE, "y = ConvTranspose x t1x1 group=2",
        lambda x: np.concatenate([np.einsum("nihw,io->nohw", x[:, i : i + 2], CONSTANTS["t1x1"][i : i + 2, :, 0, 0])
                                  for i in (0, 2)], axis=1)),
}  # fmt: skip


@pytest.mark.parametrize("case", BY_FORMULA.values(), ids=BY_FORMULA)
def test_a_node_computes_its_formula(make_onnx, case):
    shape, nodes, formula = case
    x = f(*shape)
    found, truth = graph_of(model_of(make_onnx, shape, nodes), "net.onnx")(x), formula(x)
    assert found.shape == truth.shape and np.abs(found - truth).max() <= 1e-6 * np.abs(truth).max()


REFUSED = {
    "an unknown kind": (IMAGE, "y = Wavelet x", r"Node 0 `Wavelet_y` \(Wavelet\) of net.onnx cannot be shown: such"),
    "steps": (TOKENS, "y = LSTM x x x", r"`LSTM_y`.*one after another"),
    "a choice": (TOKENS, "y = TopK x k", "`TopK_y`.*chooses"),
    "places of maxima": (IMAGE, "p,i = MaxPool x kernel_shape=2,2; y = Cast i to=11",
                         "`Cast_y`.*takes `i`, but the places of its maxima are not kept"),
    "computed weights": (IMAGE, "y = Conv x x", "its weights are computed from the network's input"),
    "channels": (IMAGE, "c = Conv x w; y = Conv c w", "need 4 channels, but 8 come"),
    "another window": (
        IMAGE, "y = Conv x w kernel_shape=5,5", r"kernel_shape is \(5, 5\), but its weights are of \(3, 2\)"),
    "three strides": (IMAGE, "y = Conv x w strides=1,1,1", "its strides are .*2 numbers"),
    "no stride": (IMAGE, "y = Conv x w strides=0,1", "above 0"),
    "a padding nobody knows": (IMAGE, "y = Conv x w auto_pad=SAME", "auto_pad = SAME;"),
    "three axes": ((1, 1, 4, 4, 4), "y = GlobalAveragePool x; z = MaxPool x kernel_shape=2,2,2", None),
    "a pool of three axes": ((1, 1, 4, 4, 4), "y = MaxPool x kernel_shape=2,2,2", "3 axes after the channels"),
    "division by zero": (VECTOR, "y = Div x nought", "divides by 0"),
    "what does not fit": (VECTOR, "y = Add x six", r"joins \(1, 8\) and \(6,\)"),
    "training": (VECTOR, "y = Dropout x half truth", "training mode"),
    "a missing input": (VECTOR, "y = Gemm x", "it has no input 2"),
    "nothing computes it": (VECTOR, "y = Add x nobody", "`Add_y` .*takes `nobody`, which nothing computes"),
    "itself": (VECTOR, "a = Add x y; y = Relu a", "depends on itself"),
    "twice": (VECTOR, "y = Relu x; y = Tanh x", "computes `y`, which is there already"),
    "a constant": (VECTOR, "y = Sin two", "does not depend on its input"),
    "random": (VECTOR, "y = RandomNormalLike x", "random numbers"),
    "a reshape": (IMAGE, "y = Reshape x zeros", None),
}  # fmt: skip


@pytest.mark.parametrize(("shape", "nodes", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_named_with_its_node(make_onnx, shape, nodes, says):
    model = model_of(make_onnx, shape, nodes)
    if says is None:  # what looks alike and is read
        assert graph_of(model, "net.onnx").inputs[0].size == shape
        return
    with pytest.raises(NeurosceneError, match=says) as caught:
        graph_of(model, "net.onnx")
    assert "net.onnx" in str(caught.value) and "\n" not in str(caught.value)
