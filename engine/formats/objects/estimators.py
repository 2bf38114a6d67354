"""Graphs of scikit-learn's estimators, recognised by class names and what fit has given them; it is not needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from engine.errors import NetworkError
from engine.formats.files import check_weights, short
from engine.formats.tensors.arrays import array_of, shape_of
from engine.network.graph import nodes
from engine.network.graph.builder import Builder, Chain
from engine.network.graph.graph import Graph

ACTIVATIONS = ("identity", "logistic", "tanh", "relu")
# Linear models that give what is before any probability: sums.
SUMS = (
    "LinearRegression", "Ridge", "RidgeCV", "RidgeClassifier", "RidgeClassifierCV", "Lasso", "LassoCV", "ElasticNet",
    "ElasticNetCV", "BayesianRidge", "ARDRegression", "HuberRegressor", "TheilSenRegressor", "Lars", "LassoLars",
    "OrthogonalMatchingPursuit", "SGDRegressor", "SGDClassifier", "LinearSVC", "LinearSVR", "Perceptron",
    "PassiveAggressiveClassifier", "PassiveAggressiveRegressor", "LinearDiscriminantAnalysis",
)  # fmt: skip
PROBABILITIES = ("LogisticRegression", "LogisticRegressionCV")
SEARCHES = ("GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV")


def is_estimator(thing: Any) -> bool:
    """True for an object of one of the classes that are read, or another one of scikit-learn."""
    of = type(thing)
    known = of.__name__ in ROWS or of.__name__ in ("Pipeline", *SEARCHES)
    return (known and hasattr(thing, "get_params")) or of.__module__.startswith("sklearn.")


def estimator(thing: Any) -> Graph:
    """The Graph of a fitted estimator, or of a Pipeline of them: probabilities if it gives some, else values or scores.

    A classifier of two classes gives the probability (or the score) of the second.

    Raises NetworkError for one that is not fitted, or not made of layers.
    """
    while type(thing).__name__ in SEARCHES:
        thing = _fitted(thing, "best_estimator_")
    name = f"the {short(type(thing).__name__)}"
    steps = thing.steps if type(thing).__name__ == "Pipeline" else [(type(thing).__name__, thing)]
    steps = [(key, step) for key, step in steps if step is not None and step != "passthrough"]
    rows = []
    for key, step in steps:
        kind = type(step).__name__
        row = _selection if hasattr(step, "get_support") and kind not in ROWS else ROWS.get(kind)
        if row is None:
            raise NetworkError(
                f"`{short(key)}` of {name} is a {short(kind)}, which is no network. Read are {', '.join(ROWS)}, and "
                "selections of columns; others can be exported to ONNX by skl2onnx."
            )
        rows.append((row, short(key), step))
    made = Chain(Builder(name), _inputs(steps, name))
    for row, key, step in rows:
        made.label = key
        row(made, step)
    return made.graph()


def computed(thing: Any, points: np.ndarray, outputs: int) -> np.ndarray:
    """What an estimator itself gives at points (N, inputs), of which so many outputs were read; float64."""
    while type(thing).__name__ in SEARCHES:
        thing = thing.best_estimator_
    last = thing.steps[-1][1] if type(thing).__name__ == "Pipeline" else thing
    kind = type(last).__name__
    with_probability = (kind in PROBABILITIES and not _one_by_one(last)) or kind == "MLPClassifier"
    ways = ("predict_proba",) if with_probability else ("decision_function", "predict", "transform")
    found = np.asarray(next(getattr(thing, way) for way in ways if hasattr(thing, way))(points), float)
    found = found.reshape(len(points), -1)
    return found[:, 1:] if (found.shape[1], outputs) == (2, 1) else found


def _fitted(thing, key):
    found = getattr(thing, key, None)
    if found is None:
        raise NetworkError(f"The {short(type(thing).__name__)} has no {key}: it is not fitted. Call its fit first.")
    return found


def _array(thing, key):
    found = array_of(_fitted(thing, key), f"{key} of the {short(type(thing).__name__)}")
    check_weights(found.size, key)
    return found


def _inputs(steps, name):
    for _, step in steps:
        count = getattr(step, "n_features_in_", None)
        if count is None and hasattr(step, "coefs_"):
            count = (shape_of(step.coefs_[0]) or (None,))[0]
        if count is None:
            count = (shape_of(getattr(step, "coef_", None)) or (None,))[-1]
        if count is not None:
            return int(count)
    raise NetworkError(f"{name} does not say how many inputs it has: it is not fitted. Call its fit first.")


def _perceptron(made, thing):
    coefs, intercepts = _fitted(thing, "coefs_"), _fitted(thing, "intercepts_")
    for i, (weights, bias) in enumerate(zip(coefs, intercepts, strict=True)):
        made.label = f"layer {i}"
        _dense(made, array_of(weights, f"coefs_[{i}]").T, array_of(bias, f"intercepts_[{i}]"))
        if i < len(coefs) - 1:
            _activated(made, thing.activation)
    _activated(made, thing.out_activation_)


def _dense(made, weights, bias):
    bias = None if bias is None else np.broadcast_to(np.asarray(bias, float).reshape(-1), len(weights))
    made.add(nodes.Dense, weights=weights, bias=bias)


def _activated(made, name):
    if name == "softmax":
        made.add(nodes.Softmax, axis=1)
    elif name not in ACTIVATIONS:
        raise NetworkError(f"Its activation is {short(name)}; {', '.join(ACTIVATIONS)} and softmax are read.")
    elif name != "identity":
        made.add(nodes.Elementwise, activation=name)


def _linear(made, thing):
    _dense(made, np.atleast_2d(_array(thing, "coef_")), getattr(thing, "intercept_", None))


def _one_by_one(thing):
    """Whether its probabilities are those of each class against the rest, which are no softmax."""
    return len(np.atleast_2d(thing.coef_)) > 1 and (
        getattr(thing, "multi_class", "auto") == "ovr" or getattr(thing, "solver", "") == "liblinear"
    )


def _logistic(made, thing):
    _linear(made, thing)
    if not _one_by_one(thing):
        _activated(made, "softmax" if made.value.dims[1] > 1 else "logistic")


def _standard(made, thing):
    scale, mean = getattr(thing, "scale_", None), getattr(thing, "mean_", None)
    if scale is None and mean is None:
        _fitted(thing, "n_features_in_")
    scale = 1.0 if scale is None else 1 / _array(thing, "scale_")
    made.affine(
        scale, 0.0 if mean is None or not getattr(thing, "with_mean", True) else -_array(thing, "mean_") * scale
    )


def _between(made, thing):
    made.affine(_array(thing, "scale_"), _array(thing, "min_"))
    if getattr(thing, "clip", False):
        low, high = thing.feature_range
        made.add(nodes.Elementwise, activation=f"hardtanh({float(low)!r},{float(high)!r})")


def _robust(made, thing):
    scale, centre = getattr(thing, "scale_", None), getattr(thing, "center_", None)
    scale = 1.0 if scale is None else 1 / _array(thing, "scale_")
    made.affine(scale, 0.0 if centre is None else -_array(thing, "center_") * scale)


def _largest(made, thing):
    made.affine(1 / _array(thing, "scale_"), 0.0)


def _components(made, thing):
    weights = _array(thing, "components_").astype(float)
    mean = getattr(thing, "mean_", None)
    if getattr(thing, "whiten", False):
        weights = weights / np.sqrt(_array(thing, "explained_variance_"))[:, None]
    _dense(made, weights, None if mean is None else -weights @ _array(thing, "mean_"))


def _normal(made, thing):
    if thing.norm != "l2":
        raise NetworkError(f"The Normalizer has norm {short(thing.norm)}; l2 is read.")
    whole = made.value
    made.add(nodes.Elementwise, activation="square")
    made.add(nodes.Reduce, function="sum", axes=(1,))
    length = made.add(nodes.Elementwise, activation="sqrt")
    made.value = whole
    made.add(nodes.Divide, length)


def _selection(made, thing):
    made.add(nodes.Gather, indices=np.flatnonzero(np.asarray(thing.get_support())), axis=1)


Row = Callable[[Any, Any], None]
ROWS: Mapping[str, Row] = {
    **dict.fromkeys(("MLPClassifier", "MLPRegressor"), _perceptron),
    **dict.fromkeys(PROBABILITIES, _logistic),
    **dict.fromkeys(SUMS, _linear),
    "StandardScaler": _standard,
    "MinMaxScaler": _between,
    "RobustScaler": _robust,
    "MaxAbsScaler": _largest,
    "PCA": _components,
    "TruncatedSVD": _components,
    "Normalizer": _normal,
}
