"""Rules for the domain ai.onnx.ml, in which scikit-learn's models are written."""

from __future__ import annotations

import numpy as np

from engine.formats.files import short
from engine.formats.onnx.node import Absent, OnnxNode, Result, Rules
from engine.formats.onnx.rules.norms import lp_normalised
from engine.network.graph import nodes
from engine.network.graph.builder import Value


def _scaler(node):
    offset, scale = (
        np.array(node.numbers(key, [default]), float) for key, default in (("offset", 0.0), ("scale", 1.0))
    )
    return node.scaled(node.x, scale, -offset * scale)


def _rows(node: OnnxNode, width: int) -> np.ndarray:
    """The attribute of coefficients as a matrix, a row for each of the outputs."""
    found = np.array(node.numbers("coefficients", []), np.float32)
    if width < 1 or found.size % width or not found.size:
        raise node.refusal(f"its {found.size} coefficients are no matrix for {node.x.dims}")
    return found.reshape(-1, width)


def _row(node):
    """The first input, as (1, n)."""
    x = node.x
    return node.reshaped(x, (1, x.dims[0]), "row") if x.rank == 1 else x


def transformed(node: OnnxNode, y: Value, how: str) -> Value:
    """Scores after the attribute post_transform."""
    if how == "NONE":
        return y
    if how == "LOGISTIC":
        return node.activated(y, "sigmoid")
    if how == "SOFTMAX":
        return node.add(nodes.Softmax, y, axis=y.rank - 1)
    raise node.refusal(f"post_transform = {short(how)}; NONE, LOGISTIC and SOFTMAX are known")


def _linear(node, part=""):
    x = _row(node)
    rows = _rows(node, x.dims[-1])
    bias = node.numbers("intercepts")
    return node.add(nodes.Dense, x, weights=rows, bias=None if bias is None else np.array(bias), part=part)


def _regressor(node):
    how = node.text("post_transform", "NONE")
    return transformed(node, _linear(node, "" if how == "NONE" else "scores"), how)


def _classifier(node) -> list[Result]:
    how = node.text("post_transform", "NONE")
    y = _linear(node, "scores")
    labels = max(len(node.numbers("classlabels_ints", [])), _count(node, "classlabels_strings"))
    if y.dims[-1] == 1 and labels == 2:
        # One row for two classes: the other's score is its negative, or what is left of its probability.
        one = transformed(node, y, how)
        scale, shift = ([-1.0, 1.0], [1.0, 0.0]) if how == "LOGISTIC" else ([-1.0, 1.0], [0.0, 0.0])
        both = node.add(nodes.Concat, one, one, axis=one.rank - 1, part="both")
        y = node.scaled(both, scale, shift)
        sums = how == "LOGISTIC"
    else:
        y = transformed(node, y, how)
        sums = how == "SOFTMAX"
    if sums:
        node.scope.reading.probabilities.add(y.name)
    return [Absent("the classes themselves are no numbers that the network computes; choose its scores"), y]


def _count(node, key):
    attribute = node.attributes.get(key)
    return 0 if attribute is None else len(attribute.strings)


def _normaliser(node):
    if node.x.name in node.scope.reading.probabilities and node.text("norm", "MAX") == "L1":
        return node.x
    return lp_normalised(node, node.x, node.x.rank - 1, node.text("norm", "MAX"))


def _extractor(node):
    x = _row(node)
    return node.add(nodes.Gather, x, indices=node.array(1, "indices").reshape(-1), axis=x.rank - 1)


def _vectors(node):
    values = [node.need(i) for i in range(max(len(node.inputs), 1))]
    rows = [node.reshaped(v, (1, *v.dims), "row") if v.rank == 1 else v for v in values]
    return rows[0] if len(rows) == 1 else node.add(nodes.Concat, *rows, axis=rows[0].rank - 1)


LEARNED: Rules = {
    "Scaler": _scaler, "LinearClassifier": _classifier, "LinearRegressor": _regressor, "Normalizer": _normaliser,
    "ArrayFeatureExtractor": _extractor, "FeatureVectorizer": _vectors,
    # It only names the columns.
    "ZipMap": lambda node: node.x,
}  # fmt: skip
