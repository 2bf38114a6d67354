"""Graphs of Keras models, Sequential and Functional: what their configuration says of each layer, and its weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from engine.errors import NetworkError
from engine.formats.files import MAX_LAYERS, short
from engine.formats.objects.keras_layers import ROWS, KerasLayer
from engine.formats.tensors.arrays import array_of
from engine.network.graph.builder import Builder, Value
from engine.network.graph.graph import Graph

MODELS = ("Sequential", "Functional", "Model")
MAX_DEPTH = 16

# (number of a layer in its model, its class, its name) -> its weights in their order, and the same of what is in it
Weights = Callable[[int, str, str], tuple[Sequence[np.ndarray], Any]]


def is_keras(thing: Any) -> bool:
    """True for a model or layer of Keras."""
    return any(of.__module__.partition(".")[0] in ("keras", "tf_keras") for of in type(thing).__mro__)


def model(thing: Any) -> Graph:
    """The Graph of a Keras model. Raises NetworkError naming the layer that is not shown."""
    kind = type(thing).__name__
    if kind not in MODELS or not hasattr(thing, "get_layer"):
        raise NetworkError(
            f"The {short(kind)} computes in a call of its own. Export it: model.export('net.onnx', format='onnx')."
        )
    return read(kind, thing.get_config(), of_object(thing), f"the {short(kind)}")


def of_object(thing: Any) -> Weights:
    """The weights in a model that is at hand."""

    def weights(number, kind, name):
        try:
            layer = thing.get_layer(name)
        except ValueError:  # an operation without weights, such as -x or ops.sin
            return [], None
        inner = of_object(layer) if kind in MODELS else None
        return ([] if inner else [array_of(w, f"a weight of {name}") for w in layer.get_weights()]), inner

    return weights


def read(kind: str, config: Mapping[str, Any], weights: Weights, name: str) -> Graph:
    """The Graph of a configuration; kind: `Sequential`, or `Functional`, with what is before what."""
    reader = _Model(Builder(name))
    outputs = reader.run(kind, config, weights, None, 0)
    return reader.builder.graph(outputs)


class _Model:
    """The graph of a model while it is being made."""

    def __init__(self, builder: Builder):
        self.builder, self.count = builder, 0

    def run(self, kind, config, weights, inputs, depth) -> list[Value]:
        """The outputs of a model for its inputs; None: it is the whole, which makes its own."""
        layers = config.get("layers") if isinstance(config, Mapping) else None
        if not isinstance(layers, list) or depth > MAX_DEPTH:
            raise NetworkError(f"{self.builder.name} has no list of layers, or models {MAX_DEPTH} deep in each other.")
        waiting = list(inputs) if inputs is not None else None
        found: dict[str, list[Value]] = {}
        last: list[Value] = []
        for number, entry in enumerate(layers):
            about = entry.get("config", {})
            name, of = str(about.get("name", number)), str(entry.get("class_name"))
            if of == "InputLayer":
                last = [waiting.pop(0)] if waiting else [self._input(name, about)]
            elif kind == "Sequential":
                if not last:
                    last = [waiting.pop(0)] if waiting else [self._input("input", entry.get("build_config") or {})]
                last = self._layer(number, of, name, about, weights, last, depth)
            else:
                last = self._layer(number, of, name, about, weights, self._taken(entry, found), depth)
            found[name] = last
        if kind == "Sequential":
            return last
        wanted = config.get("output_layers") or []
        wanted = [wanted] if wanted and isinstance(wanted[0], str) else wanted
        return [found[key][place] for key, _, place in wanted]

    def _input(self, name, about):
        shape = about.get("batch_shape") or about.get("input_shape") or about.get("batch_input_shape")
        if not shape or None in shape[1:]:
            raise NetworkError(f"Layer `{short(name)}` of {self.builder.name} leaves its shape open: {short(shape)}.")
        return self.builder.input(name, (1, *shape[1:]))

    def _taken(self, entry, found):
        """The Values that a layer of a Functional model takes."""
        nodes = entry.get("inbound_nodes") or []
        if len(nodes) != 1:
            name = short(entry.get("name"))
            raise NetworkError(f"Layer `{name}` of {self.builder.name} is used {len(nodes)} times; once is read.")
        histories = list(_histories(nodes[0].get("args") if isinstance(nodes[0], Mapping) else nodes[0]))
        return [found[key][place] for key, _, place in histories]

    def _layer(self, number, kind, name, config, weights, inputs, depth):
        self.count += 1
        if self.count > MAX_LAYERS:
            raise NetworkError(f"{self.builder.name} has more than {MAX_LAYERS} layers.")
        arrays, inner = weights(number, kind, name)
        if kind in MODELS:
            return self.run(kind, config, inner, inputs, depth + 1)
        row = ROWS.get(kind)
        if row is None:
            raise NetworkError(
                f"Layer `{short(name)}` of {self.builder.name} is a {short(kind)}, which is not shown. Known are "
                f"{', '.join(sorted(ROWS))}."
            )
        try:
            return [row(KerasLayer(self.builder, name, kind, config, list(arrays)), *inputs)]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise NetworkError(
                f"Layer `{short(name)}` ({kind}) of {self.builder.name} cannot be read: {short(error)}."
            ) from None


def _histories(tree):
    """[layer, node, place] of each tensor in the arguments of a call."""
    if isinstance(tree, Mapping):
        config = tree.get("config")
        if tree.get("class_name") == "__keras_tensor__" and isinstance(config, Mapping):
            yield config["keras_history"]
    elif isinstance(tree, list | tuple):
        for each in tree:
            yield from _histories(each)
