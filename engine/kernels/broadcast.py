"""Functions of numbers at the same place of one to three arrays, which are broadcast, computed on the GPU."""

from collections.abc import Sequence
from math import prod

import numpy as np

from engine.codegen.matmul.activation import activated
from engine.errors import NetworkError
from engine.gpu.bindings import Binding
from engine.gpu.kernel import Dispatch, Kernel, spread
from engine.gpu.layout.stored import Stored
from engine.gpu.structs import struct
from engine.kept import kept
from engine.network.activations import Activation
from engine.network.graph import nodes

AXES = 8
BROADCAST = struct(
    "Broadcast", axes=f"array<vec4u, {AXES}>", firsts="vec4u", rank="u32", count="u32", row="u32"
)  # fmt: skip
NAMES = ("first", "second", "third")

# What becomes of numbers a, b, c; truth values are 0 and 1.
TEXTS: dict[type[nodes.GraphNode], str] = {
    nodes.Add: "a + b", nodes.Subtract: "a - b", nodes.Multiply: "a * b", nodes.Divide: "a / b",
    nodes.Maximum: "larger(a, b)", nodes.Minimum: "-larger(-a, -b)", nodes.Power: "power(a, b)", nodes.Elementwise: "a",
    nodes.Affine: "fma(b, a, c)", nodes.Prelu: "select(b * a, a, a > 0.0)", nodes.Where: "select(c, b, a != 0.0)",
}  # fmt: skip
CASTS = {"float": "a", "int": "trunc(a)", "bool": "f32(a != 0.0)"}
RELATIONS = {"and": "a != 0.0 && b != 0.0", "or": "a != 0.0 || b != 0.0", "xor": "(a != 0.0) != (b != 0.0)"}
# Powers of which products and roots are more accurate than logarithms are.
POWERS = {
    2.0: "a * a",
    3.0: "a * a * a",
    4.0: "(a * a) * (a * a)",
    0.5: "sqrt(a)",
    -1.0: "1.0 / a",
    -0.5: "1.0 / sqrt(a)",
}
# Arrays that a node holds itself.
HELD = {nodes.Affine: ("scale", "shift"), nodes.Prelu: ("slopes",)}


def steps(
    node: nodes.GraphNode,
    sources: Sequence[Stored],
    output: Stored,
    activation: Activation | None = None,
    *,
    exponent: float | None = None,
) -> list[Dispatch]:
    """The Dispatch of a function of one to three arrays in numpy's order.

    sources      what the node takes
    output       is written; of the shape to which they are broadcast, in separate memory
    activation   of the result, or None; an Elementwise has its own
    exponent     of a Power, where it is one constant
    """
    sources = [*sources, *(Stored.of(getattr(node, key)) for key in HELD.get(type(node), ()))]
    sizes, strides = _collapsed(output.dims, [_strides(source.dims, output.dims) for source in sources])
    if len(sizes) > AXES:
        raise NetworkError(f"Arrays of {len(sizes)} axes are to be joined; at most {AXES} can be.")
    axes = np.zeros((AXES, 4), np.uint32)
    axes[: len(sizes), 0], axes[: len(sizes), 1 : 1 + len(sources)] = sizes, np.transpose(strides)
    across, down = spread(-(-output.count // 64))
    firsts = [*[source.first for source in sources], 0, 0, 0][:3]
    uniform = BROADCAST.new(
        axes=axes, firsts=[*firsts, output.first], rank=len(sizes), count=output.count, row=64 * across
    )
    given = dict(zip(NAMES, [*sources, sources[0], sources[0]], strict=False))
    kernel = _kernel(_text(node, exponent), node.activation if isinstance(node, nodes.Elementwise) else activation)
    arrays = {name: stored.array for name, stored in given.items()}
    return [kernel.prepared((across, down), broadcast=uniform, output=output.array, **arrays)]


def _text(node, exponent):
    if isinstance(node, nodes.Compare):
        relation = RELATIONS.get(node.relation, f"a {node.relation} b")
        return f"f32({relation})"
    if isinstance(node, nodes.Cast):
        return CASTS[node.to]
    if isinstance(node, nodes.Power) and exponent in POWERS:
        return POWERS[exponent]
    return TEXTS[type(node)]


def _strides(dims, shape):
    """For each axis of `shape` the distance of its numbers in an array of shape `dims` that is broadcast to it."""
    dims = (1,) * (len(shape) - len(dims)) + tuple(dims)
    return [0 if n == 1 else prod(dims[i + 1 :]) for i, n in enumerate(dims)]


def _collapsed(shape, strides):
    """(sizes, strides of each array) of the same places with as few axes as possible."""
    sizes, kept = [1], [[1] * len(strides)]
    for n, *own in zip(shape, *strides, strict=True):
        if n == 1:
            continue
        if sizes[-1] == 1:
            sizes[-1], kept[-1] = n, own
        elif all(a == n * b for a, b in zip(kept[-1], own, strict=True)):
            sizes[-1], kept[-1] = sizes[-1] * n, own
        else:
            sizes.append(n)
            kept.append(own)
    return sizes, np.transpose(kept)


@kept
def _kernel(text, activation):
    bindings = (
        Binding("broadcast", "uniform", BROADCAST),
        *(Binding(name, "read", "array<f32>") for name in NAMES),
        Binding("output", "write", "array<f32>"),
    )
    imports = "#import lib/finite\n#import lib/power\n"
    combined = f"{imports}\nfn combined(a: f32, b: f32, c: f32) -> f32 {{\n    return {text};\n}}\n"
    return Kernel.of("kernels/broadcast", bindings, combined=combined, activated=activated(activation))
