"""ONNX files for tests, and what they are compared with."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

RNG = np.random.default_rng(7)
node = helper.make_node


def f(*shape):
    return RNG.normal(size=shape).astype(np.float32) * 0.5


DENSE = {"W": f(5, 4), "b": f(4), "V": f(4, 2), "c": f(2)}
TAIL = [
    node("MatMul", ["f", "W"], ["m"]),
    node("Add", ["m", "b"], ["p"]),
    node("Relu", ["p"], ["r"]),
    node("MatMul", ["r", "V"], ["q"]),
    node("Add", ["q", "c"], ["y"]),
]
KERNELS = {"k": f(4, 3, 3, 3), "W": f(144, 2), "c": f(2)}


def model(nodes, stored, shape, *, inputs=(), outputs=("y",), opset=13, kind=TensorProto.FLOAT, **more):
    given = [helper.make_tensor_value_info(k, kind, s) for k, s in (("x", shape), *inputs)]
    got = [k if not isinstance(k, str) else helper.make_tensor_value_info(k, kind, None) for k in outputs]
    held = [numpy_helper.from_array(np.asarray(v), k) for k, v in stored.items()]
    graph = helper.make_graph(nodes, "g", given, got, held)
    domains = [
        helper.make_opsetid("", opset),
        helper.make_opsetid("ai.onnx.ml", 3),
        helper.make_opsetid("com.microsoft", 1),
    ]
    return helper.make_model(graph, opset_imports=domains, **more)


def assert_same(found, truth, tolerance=1e-5):
    """By default for the evaluator's float32."""
    truth = np.asarray(truth)
    assert found.shape == truth.shape
    assert np.abs(found - truth).max() <= tolerance * np.abs(truth).max()
