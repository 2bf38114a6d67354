"""Graphs of functions of JAX, Flax NNX and Equinox: the primitives that tracing gives, a row for each.

JAX is never imported, only used where the person has imported it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.errors import NetworkError
from engine.formats.files import short
from engine.formats.objects.primitives import ROWS
from engine.network.graph import nodes
from engine.network.graph.builder import Builder, Value
from engine.network.graph.graph import Graph
from engine.network.graph.nodes import GraphNode

# Functions of jax.nn with their usual parameters, which are traced under their names.
FUNCTIONS = (
    "relu", "silu", "selu", "softplus", "mish", "relu6", "log_sigmoid", "soft_sign", "hard_tanh", "elu", "hard_sigmoid",
    "hard_silu",
)  # fmt: skip


def is_traced(thing: Any) -> bool:
    """True for a module of Equinox or Flax, or another function while JAX is imported."""
    modules = {of.__module__.partition(".")[0] for of in type(thing).__mro__}
    return callable(thing) and (bool(modules & {"equinox", "flax", "haiku", "jaxlib", "jax"}) or "jax" in sys.modules)


def traced(function: Any, example: np.ndarray, name: str) -> Graph:
    """The Graph of a function of one array of the example's shape. Raises NetworkError if it cannot be traced."""
    jax = sys.modules.get("jax")
    if jax is None:
        raise NetworkError(f"{name} is no network that is known. Import jax if it is a function of JAX.")
    try:
        program = jax.make_jaxpr(function)(np.asarray(example, np.float32))
    except Exception as error:  # whatever a person's function does
        first = str(error).strip().splitlines() or [type(error).__name__]
        raise NetworkError(
            f"JAX cannot trace {name} with an array {np.shape(example)}: {short(first[0], 200)}"
        ) from None
    reader = Tracing(name)
    value = reader.builder.input("input", np.shape(example))
    outputs = [v for v in reader.run(program.jaxpr, program.consts, [value]) if isinstance(v, Value)]
    return reader.builder.graph(outputs[:1] or [reader.value(0.0)])


class Tracing:
    """One reading of a traced function; each value is a Value or an array that depends on no input."""

    def __init__(self, name: str):
        self.builder, self.label = Builder(name), ""
        self.origin: dict[int, tuple[str, Sequence[Any], Mapping[str, Any], Value]] = {}  # the Value is kept alive

    def run(self, jaxpr: Any, consts: Sequence[Any], inputs: Sequence[Any]) -> list[Any]:
        values = dict(zip(jaxpr.constvars, consts, strict=True)) | dict(zip(jaxpr.invars, inputs, strict=True))
        read = lambda var: var.val if hasattr(var, "val") else values[var]
        for equation in jaxpr.eqns:
            given = [read(var) for var in equation.invars]
            results = self._equation(equation, given)
            values |= dict(zip(equation.outvars, results, strict=True))
        return [read(var) for var in jaxpr.outvars]

    def _equation(self, equation, given):
        name, params = equation.primitive.name, equation.params
        inner = next((params[key] for key in ("jaxpr", "call_jaxpr", "fun_jaxpr") if key in params), None)
        if inner is not None and name not in ("scan", "while", "cond"):
            called = params.get("name")
            if called in FUNCTIONS and len(given) == 1 and isinstance(given[0], Value):
                return [self.applied(called, given[0])]
            closed = hasattr(inner, "consts")
            return self.run(inner.jaxpr if closed else inner, inner.consts if closed else (), given)
        if not any(isinstance(x, Value) for x in given):
            found = equation.primitive.bind(*given, **params)
            return list(found) if equation.primitive.multiple_results else [found]
        if any(getattr(var.aval, "dtype", np.dtype(float)).kind == "c" for var in equation.outvars):
            raise NetworkError(f"{self.builder.name} computes with complex numbers ({name}); real ones are shown.")
        row = ROWS.get(name)
        if row is None:
            raise NetworkError(f"{self.builder.name} computes {name}, none of the {len(ROWS)} primitives shown.")
        self.label = name
        found = row(self, params, given)
        if isinstance(found, Value) and not any(found is x for x in given):
            self.origin[id(found)] = name, given, params, found
        return found if isinstance(found, list) else [found]

    def value(self, thing: Any) -> Value:
        return thing if isinstance(thing, Value) else self.builder.constant(np.array(thing))

    def add(self, kind: type[GraphNode], *values: Any, **fields: Any) -> Value:
        return self.builder.add(kind, self.label, [self.value(value) for value in values], **fields)

    def applied(self, text: str, value: Any) -> Value:
        return self.add(nodes.Elementwise, value, activation=text)

    def reshaped(self, value: Any, dims: Sequence[int]) -> Value:
        value, dims = self.value(value), tuple(int(n) for n in dims)
        return value if value.dims == dims else self.add(nodes.Reshape, value, dims=dims)

    def turned(self, value: Any, axes: Sequence[int]) -> Value:
        value = self.value(value)
        return value if tuple(axes) == tuple(range(value.rank)) else self.add(nodes.Transpose, value, axes=tuple(axes))

    def back(self, value: Any, *through: str) -> tuple[str, Sequence[Any], Mapping[str, Any]]:
        """(primitive, what it took, its parameters) that made a value, looking through some primitives."""
        found = self.origin.get(id(value))
        while found is not None and found[0] in through:
            value = next((x for x in found[1] if isinstance(x, Value)), None)
            found = self.origin.get(id(value))
        return found[:3] if found is not None else ("", (), {})
