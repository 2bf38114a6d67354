"""ONNX's own tests of nodes, and what onnxruntime computes. `make test-peers` installs it."""

import warnings
from collections import Counter

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from engine.errors import NeurosceneError
from engine.formats.onnx.model import parsed
from engine.formats.onnx.reader import graph_of
from tests.formats.conftest import onnx_bytes
from tests.formats.onnx.models import f
from tests.formats.onnx.test_extensions import MICROSOFT, model
from tests.formats.onnx.test_rules import CASES, model_of

ort = pytest.importorskip("onnxruntime", reason="onnxruntime is installed by `make test-peers`")
pytestmark = pytest.mark.peers
# float32 of small numbers; the expected values of some are written with five digits.
TOLERANCE = 1e-4

# Kinds of nodes of which no case is read, and what in cases of other kinds is not: {part of a case's name: why}.
UNREAD = {
    "Adagrad", "Adam", "AffineGrid", "Bernoulli", "Binarizer", "CausalConvWithState", "CenterCropPad", "Col2Im",
    "Compress", "DFT", "DeformConv", "Det", "FlexAttention", "GRU", "GridSample", "Hardmax", "IsInf", "IsNaN", "LSTM",
    "LinearAttention", "Loop", "MaxUnpool", "Momentum", "NegativeLogLikelihoodLoss", "OneHot", "OptionalGetElement",
    "OptionalHasElement", "RNN", "RandomUniformLike", "Range", "RoiAlign", "STFT", "Scan", "SoftmaxCrossEntropyLoss",
    "SwiGLU", "TensorScatter", "TfIdfVectorizer", "TopK", "TreeEnsemble", "Unique", "ReverseSequence", "MaxRoiPool",
    "NonMaxSuppression", "MelWeightMatrix",
}  # fmt: skip
PARTS = {
    "_3d": "three axes after the channels",
    "empty_set": "no numbers at all", "zero_size": "no numbers at all", "allowzero_reordered": "no numbers at all",
    "past": "a memory of steps before", "cache": "a memory of steps before", "padded_kv": "a memory of steps before",
    "present": "a memory of steps before",
    "training": "training mode", "train": "training mode",
    "reduction": "sums of updates", "_add": "sums of updates", "_multiply": "sums of updates",
    "_max": "sums of updates", "_min": "sums of updates", "duplicate": "sums of updates",
    "dequantizelinear": "a scale that is computed",
    "extrapolation": "another number around the image", "fmod": "a divisor that is infinite",
    "fullymasked": "a mask that hides all", "nan_robustness": "a mask that hides all",
    "window": "attention within a window", "nonpad": "lengths of each sequence", "qk_matmul": "products as an output",
    "mask_padded": "lengths of each sequence", "_mod_": "a divisor that is 0", "sce_": "a loss",
}  # fmt: skip


def cases():
    """(name, model with all inputs but the first of floats fixed, that input, the expected output)."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = collect_testcases(None)
    for case in found:
        given, expected = case.data_sets[0] if case.data_sets else ((), ())
        given = [np.asarray(x) if isinstance(x, np.generic) else x for x in given]
        floats = [i for i, x in enumerate(given) if isinstance(x, np.ndarray) and x.dtype == np.float32]
        right = expected and isinstance(expected[0], np.ndarray) and expected[0].dtype in (np.float32, np.bool_)
        if not floats or not right or len(given) != len(case.model.graph.input):
            continue
        if not all(isinstance(x, np.ndarray) for x in given):
            continue
        fixed = onnx.ModelProto()
        fixed.CopyFrom(case.model)
        for i, (info, x) in enumerate(zip(case.model.graph.input, given, strict=True)):
            if i != floats[0]:
                fixed.graph.initializer.append(numpy_helper.from_array(x, info.name))
        yield case.name, fixed, given[floats[0]], expected[0]


def kinds(graph):
    return {node.op_type for node in graph.node}


def test_every_node_of_onnxs_own_tests_agrees_or_is_refused_for_what_it_is():
    counts, unexplained = Counter(), []
    for name, fixed, x, expected in cases():
        try:
            graph = graph_of(parsed(fixed.SerializeToString(), name), name, output=fixed.graph.output[0].name)
        except NeurosceneError as error:
            assert "\n" not in str(error) and len(str(error)) < 600
            counts["refused"] += 1
            if not kinds(fixed.graph) & UNREAD and not any(part in name for part in PARTS):
                unexplained.append(f"{name}: {error}")
            continue
        if graph.inputs[0].size != x.shape:
            # Read for one of a batch.
            x, expected = x[:1], expected[:1]
        found, expected = graph(x), expected.astype(float)
        assert found.shape == expected.shape, name
        finite = np.isfinite(expected)
        assert np.array_equal(np.isfinite(found), finite), name
        scale = max(1.0, np.abs(expected[finite]).max(initial=0.0))
        assert np.abs(found[finite] - expected[finite]).max(initial=0.0) <= TOLERANCE * scale, name
        counts["agree"] += 1
    print(f"\nof ONNX's cases of nodes, {counts['agree']} agree and {counts['refused']} are refused")
    assert not unexplained, "\n".join(unexplained)
    assert counts["agree"] >= 820


def runtime(made, opset):
    made.ir_version = min(made.ir_version, 10)
    options = ort.SessionOptions()
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        if any(part in str(error) for part in ("NOT_IMPLEMENTED", "could not find", "is not a registered")):
            pytest.skip("onnxruntime has no kernel for it")
        raise


@pytest.mark.parametrize("case", MICROSOFT.values(), ids=MICROSOFT)
def test_fused_operators_are_what_onnxruntime_computes(case):
    fused, _, stored, shape = case
    made, x = model(fused, stored, shape, opset=17), f(*shape)
    (truth,) = runtime(made, 17).run(None, {"x": x})
    found = graph_of(made, "net.onnx")(x)
    assert np.abs(found - truth).max() <= 1e-5 * np.abs(truth).max()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_nodes_are_what_onnxruntime_computes(case):
    """In float32: in float64 onnxruntime has few kernels."""
    shape, nodes, *opset = case
    made = model_of(onnx_bytes, shape, nodes, *opset, kind=1)
    x = f(*shape)
    (truth,) = runtime(made, (opset or [20])[0]).run(None, {"x": x})
    graph = graph_of(made, "net.onnx")
    found = graph(x.reshape(graph.inputs[0].size))
    assert found.shape == truth.shape
    assert np.abs(found - truth).max() <= 1e-5 * max(np.abs(truth).max(), 1e-6)
