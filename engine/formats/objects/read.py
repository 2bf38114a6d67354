"""Graphs of objects of other libraries that compute something, compared with what they compute themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.errors import NetworkError
from engine.formats.files import short
from engine.formats.objects.estimators import computed, estimator, is_estimator
from engine.formats.objects.jaxprs import is_traced, traced
from engine.formats.objects.keras import is_keras, model
from engine.formats.tensors.arrays import array_of
from engine.network.graph.graph import Graph
from engine.network.graph.lowering.layers import as_mlp
from engine.network.graph.passes.simplify import simplified
from engine.network.mlp import Mlp

# Samples on which what was read is compared, and the difference allowed, of the largest value: these libraries compute
# in float32, sums of a few hundred numbers.
SAMPLES, SAME = 32, 1e-3


def is_read(thing: Any) -> bool:
    """Whether an object is of one of the libraries of this folder.

    With Keras' backend of PyTorch its models are modules as well.
    """
    return is_keras(thing) or (not hasattr(thing, "_modules") and (is_estimator(thing) or is_traced(thing)))


def graph_of(thing: Any, example: Any = None) -> Graph:
    """The Graph of an estimator of scikit-learn, a model of Keras or a function of JAX, compared with what it computes.

    example   an array of inputs (N, ...); of a function of JAX that takes one point, that point (inputs,)

    Raises NetworkError for an object that cannot be read, or computes something else than was read.
    """
    name = f"the {short(getattr(thing, '__name__', type(thing).__name__))}"
    if is_estimator(thing):
        graph = estimator(thing)
        samples = _samples(graph.inputs[0].size, example)
        outputs = int(np.prod(graph.dims[graph.output.name]))
        _compare(graph, lambda points: computed(thing, points, outputs), samples, name)
        return graph
    if is_keras(thing):
        graph = model(thing)
        samples = _samples(graph.inputs[0].size, example)
        _compare(graph, lambda points: _first(thing.predict(points, verbose=0)), samples, name)
        return graph
    samples = _jax_samples(thing, example, name)
    point = _is_of(thing, "equinox") or (example is not None and np.ndim(example) == 1)
    graph = traced(thing, samples[0] if point else samples[:1], name)
    batch = len(graph.inputs[0].size) == samples.ndim
    run = lambda points: np.stack([_first(thing(p[None] if batch else p)) for p in points])
    _compare(graph, run, samples, name)
    return graph


def network_of(thing: Any, example: Any = None) -> Mlp:
    """The Mlp that `graph_of` an object computes."""
    return as_mlp(simplified(graph_of(thing, example)))


def _is_of(thing, library):
    return any(of.__module__.partition(".")[0] == library for of in type(thing).__mro__)


def _samples(dims, example):
    """(N, ...) float32 that an object takes: the example, or numbers round 0."""
    if example is not None:
        return np.asarray(array_of(example, "example"), np.float32)[:SAMPLES]
    return np.random.default_rng(0).uniform(-1, 1, (SAMPLES, *dims[1:])).astype(np.float32)


def _jax_samples(thing, example, name):
    if example is not None:
        samples = _samples((), example)
        samples = samples if samples.ndim > 1 else samples[None]
        # An example of zeros tells little: other numbers of its shape do.
        return np.concatenate([samples, _samples((1, *samples.shape[1:]), None)])
    width = _width(thing, 0)
    if width is None:
        raise NetworkError(f"{name} does not say how many inputs it has. Give example=np.zeros((1, 3)).")
    return _samples((1, width), None)


def _width(thing, depth):
    """The number of inputs of the first layer that says it, in the order of attributes."""
    if depth > 8:
        return None
    for key in ("in_features", "in_size"):
        if isinstance(getattr(thing, key, None), int):
            return getattr(thing, key)
    parts = thing if isinstance(thing, list | tuple) else getattr(thing, "__dict__", {}).values()
    found = (_width(part, depth + 1) for part in parts if isinstance(part, list | tuple) or hasattr(part, "__dict__"))
    return next((width for width in found if width is not None), None)


def _first(result):
    while isinstance(result, list | tuple | dict):
        result = next(iter(result.values())) if isinstance(result, dict) else result[0]
    return np.asarray(result, float)


def _compare(graph: Graph, run: Callable[[np.ndarray], np.ndarray], samples: np.ndarray, name: str) -> None:
    """Raises NetworkError unless the graph gives what `run` gives for all samples."""
    try:
        truth = run(samples)
    except Exception as error:  # whatever a person's object does
        raise NetworkError(f"{name} cannot be run on samples {samples.shape}: {short(error, 160)}") from None
    dims = graph.inputs[0].size
    mine = np.stack([graph(sample.reshape(dims)) for sample in samples]).reshape(len(samples), -1)
    truth = truth.reshape(len(samples), -1)
    largest = float(np.abs(truth).max(initial=0.0))
    if mine.shape != truth.shape or not np.abs(mine - truth).max() <= SAME * largest + 1e-6:
        apart = np.abs(mine - truth).max() if mine.shape == truth.shape else np.inf
        raise NetworkError(
            f"What was read of {name} is not what it computes: on {len(samples)} samples they are up to {apart:.3g} "
            f"apart, of values up to {largest:.3g}."
        )
