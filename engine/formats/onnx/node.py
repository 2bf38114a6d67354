"""What a rule is given: one node of an ONNX file, with its inputs as Values, its attributes and its opset."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.errors import NetworkError
from engine.formats.files import check_weights, short
from engine.formats.onnx.model import tensor
from engine.network.graph import nodes
from engine.network.graph.builder import MOVING, Value
from engine.network.graph.nodes import GraphNode

if TYPE_CHECKING:
    from engine.formats.onnx.reader import Scope

# Multiply-adds that are done at once on constants: a second of numpy's.
MOST_WORK = 1 << 33
# Numbers in constants that are computed, all together: 1 GiB as float64.
MOST_MADE = 1 << 27


@dataclass(frozen=True)
class Absent:
    """An output that a rule does not give; why: for the message to who takes it."""

    why: str


Result = Value | Absent
Rule = Callable[["OnnxNode"], Result | Sequence[Result]]
Rules = dict[str, Rule]


class OnnxNode:
    """A node for rules.

    inputs   its Values, None where one is left out
    opset    the version of its domain's operators
    where    its place and name, for messages
    scope    the graph it is in
    """

    def __init__(self, proto: Any, inputs: Sequence[Value | None], scope: Scope, opset: int, where: str):
        self.proto, self.inputs, self.scope, self.opset, self.where = proto, list(inputs), scope, opset, where
        self.kind, self.label, self.outputs = proto.op_type, label_of(proto), len(proto.output)
        given = ((a.name, scope.attribute(a)) for a in proto.attribute)
        self.attributes = {name: a for name, a in given if a is not None}

    # What it is given

    def input(self, i: int) -> Value | None:
        """Input i, or None if the node leaves it out."""
        return self.inputs[i] if i < len(self.inputs) else None

    def need(self, i: int) -> Value:
        """Input i, which may not be left out."""
        value = self.input(i)
        if value is None:
            raise self.refusal(f"it has no input {i + 1}")
        return value

    @property
    def x(self) -> Value:
        """The first input."""
        return self.need(0)

    def array(self, i: int, what: str) -> np.ndarray:
        """Input i as an array; what: its name in messages. Raises NetworkError if it depends on the input."""
        array = self.need(i).array
        if array is None:
            raise self.refusal(f"its {what} are computed from the network's input; constant ones can be read")
        return array

    def wholes(self, i: int, what: str) -> list[int]:
        """Input i as whole numbers, as `array`."""
        array = self.array(i, what)
        if array.dtype.kind not in "iub" or array.ndim > 1 or array.size > 1000:
            raise self.refusal(f"its {what} are {array.dtype} {short(array.shape)}; a list of whole numbers is needed")
        return [int(n) for n in array.reshape(-1)]

    def numbers(self, key: str, default: Any = None) -> Any:
        """The attribute of that name, if it is a list of numbers."""
        attribute = self.attributes.get(key)
        return default if attribute is None else list(attribute.floats if attribute.type == 6 else attribute.ints)

    def number(self, key: str, default: Any = None) -> Any:
        """The attribute of that name, if it is a number."""
        attribute = self.attributes.get(key)
        return default if attribute is None else (attribute.f if attribute.type == 1 else attribute.i)

    def text(self, key: str, default: str = "") -> str:
        """The attribute of that name, if it is a text."""
        attribute = self.attributes.get(key)
        return default if attribute is None else attribute.s.decode("utf-8", "replace")

    def tensor(self, key: str) -> np.ndarray:
        """The attribute of that name, an array."""
        return tensor(self.attributes[key].t, self.scope.reading.file, self.scope.reading.pieces)

    def setting(self, i: int, key: str) -> list[int] | None:
        """Whole numbers that newer opsets have as input i, older ones as an attribute; None if there are none."""
        return self.wholes(i, key) if self.input(i) is not None else self.numbers(key)

    def axis(self, default: int, rank: int, key: str = "axis") -> int:
        """The attribute of an axis, counted from 0; `rank` counts as one where the node allows it."""
        return self.axes_of([self.number(key, default)], rank)[0]

    def axes_of(self, axes: Iterable[int], rank: int) -> list[int]:
        """Axes counted from 0."""
        found = [int(a) for a in axes]
        if any(not -rank <= a < rank for a in found):
            raise self.refusal(f"it works on axes {short(found)} of {rank}")
        return [a % rank for a in found]

    def refusal(self, why: str) -> NetworkError:
        """The error of a node that cannot be read."""
        return NetworkError(f"{self.where} cannot be shown: {why}.")

    # What it adds to the graph

    def add(self, kind: type[GraphNode], *values: Value, part: str = "", **fields: Any) -> Value:
        """The Value of a new node; part: what it does, if it is not all that this node does."""
        label = f"{self.label}/{part}" if part else self.label
        if "weights" in fields:
            self.scope.reading.weights += np.size(fields["weights"])
            check_weights(self.scope.reading.weights, self.scope.reading.file)
        if kind in HEAVY and all(value.is_constant for value in values):
            made = kind("", tuple("x" * (i + 1) for i in range(len(values))), **fields)
            if made.work(*(value.dims for value in values)) > MOST_WORK:
                raise self.refusal("it computes a constant with too many operations")
        self._check_batch(kind, values, fields)
        value = self.scope.reading.builder.add(kind, label, values, **fields)
        if not value.is_constant:
            self.scope.reading.types[value.name] = self._type(kind, values, fields)
        return value

    def _check_batch(self, kind, values, fields):
        """Raises NetworkError for what is computed over a batch that is read as 1."""
        if self.scope.reading.batch > 1 and kind in (nodes.Reduce, nodes.Normalise, nodes.Softmax):
            axes = fields.get("axes", [fields.get("axis", 1)])
            if 0 in axes and not values[0].is_constant:
                raise self.refusal(f"it computes over the batch of {self.scope.reading.batch}")

    def _type(self, kind, values, fields):
        """What the result of an operator is to the file: see `type_of`."""
        if kind is nodes.Compare:
            return "b"
        if kind is nodes.Cast:
            return fields["to"][0]
        if issubclass(kind, (*MOVING, nodes.Binary, nodes.Where)):
            return self.type_of(values[-1])
        return "f"

    def constant(self, array: Any, label: str = "") -> Value:
        """An array as a Value."""
        return self.scope.reading.builder.constant(array, label or self.label)

    def computed(self, function: Callable, *arrays: np.ndarray) -> Value:
        """The constant that a function gives for constants, broadcast; floats are float64."""
        self.fits(np.broadcast_shapes(*(a.shape for a in arrays)))
        with np.errstate(all="ignore"):
            return self.constant(function(*(a.astype(float) if a.dtype.kind == "f" else a for a in arrays)))

    def fits(self, dims: Sequence[int], most: int = MOST_MADE) -> tuple[int, ...]:
        """A shape of a constant, unchanged. Raises NetworkError if such an array would be too large."""
        size = prod(dims)
        if any(n < 0 for n in dims) or size > most or len(dims) > 32:
            raise self.refusal(f"it makes a constant of {short(tuple(dims))}; at most {most} numbers are accepted")
        self.scope.reading.made += size
        if self.scope.reading.made > MOST_MADE:
            raise self.refusal(f"with those before it, it makes constants of more than {MOST_MADE} numbers")
        return tuple(dims)

    def reshaped(self, value: Value, dims: Sequence[int], part: str = "") -> Value:
        """The same numbers in another shape."""
        dims = tuple(dims)
        return value if dims == value.dims else self.add(nodes.Reshape, value, dims=dims, part=part)

    def transposed(self, value: Value, axes: Sequence[int], part: str = "") -> Value:
        """The axes in another order."""
        axes = tuple(axes)
        plain = axes == tuple(range(value.rank))
        return value if plain else self.add(nodes.Transpose, value, axes=axes, part=part)

    def scaled(self, value: Value, scale: Any, shift: Any = 0.0, part: str = "") -> Value:
        """scale value + shift, with constants that are broadcast to it."""
        return self.add(nodes.Affine, value, scale=np.asarray(scale, float), shift=np.asarray(shift, float), part=part)

    def activated(self, value: Value, text: str, part: str = "") -> Value:
        """An activation of a value."""
        return self.add(nodes.Elementwise, value, activation=text, part=part)

    def type_of(self, value: Value) -> str:
        """What the file takes a value for: "f" floats, "i" whole numbers, "b" truth values."""
        if value.array is not None:
            return {"u": "i"}.get(value.array.dtype.kind, value.array.dtype.kind)
        return self.scope.reading.types.get(value.name, "f")


HEAVY = (nodes.MatMul, nodes.Dense, nodes.Convolution, nodes.TransposedConvolution, nodes.Resize)


def normal(x: float) -> bool:
    """Whether a number is finite and not 0."""
    return math.isfinite(x) and x != 0


# Names of nodes for people, from the module of their model that a node belongs to.
# Metadata of PyTorch's newer exporter: the modules round a node, as lists in Python syntax, the innermost last.
SCOPES, CLASSES = "pkg.torch.onnx.name_scopes", "pkg.torch.onnx.class_hierarchy"
QUOTED = re.compile(r"'([^']*)'")
LONGEST = 4000  # the longest such list that is read, letters
WEIGHTED = ("Conv", "Gemm", "MatMul")


def text_of(field: str | bytes) -> str:
    """A text of a file; protobuf gives bytes for what is not UTF-8."""
    return field if isinstance(field, str) else field.decode("utf-8", "replace")


def label_of(proto: Any) -> str:
    """A NodeProto's name for people.

    PyTorch's newer exporter names nodes like `node_conv2d_3`. A node with weights gets their module's name instead
    (layer1.0.conv2), an activation or a pool its module's (layer1.0.act), and any other computation of a module the
    module's name and its own (layer1.0/add). The older exporter writes the path of modules, in which names repeat those
    before them: /layer1/layer1.0/conv2/Conv becomes layer1.0/conv2/Conv.
    """
    given = {x.key: text_of(x.value)[:LONGEST] for x in proto.metadata_props if x.key in (SCOPES, CLASSES)}
    lists = {key: QUOTED.findall(value) for key, value in given.items()}
    if len(lists.get(SCOPES, ())) < 2:
        return _path(text_of(proto.name or (proto.output[0] if proto.output else "")))
    weights = text_of(proto.input[1]) if proto.op_type in WEIGHTED and len(proto.input) > 1 else ""
    if weights.endswith(".weight"):
        return short(weights.removesuffix(".weight"), 60)
    module, kind = lists[SCOPES][-2], text_of(proto.op_type).lower()
    owner = lists[CLASSES][-2] if len(lists.get(CLASSES, ())) > 1 else ""
    if module and owner.startswith("torch.nn.modules.") and ".container." not in owner:
        return short(module, 60)
    return short(f"{module}/{kind}" if module else kind, 60)


def _path(name):
    parts = [part for part in str(name).split("/") if part]
    after = [*parts[1:], ""]
    return short("/".join(a for a, b in zip(parts, after, strict=False) if not b.startswith(f"{a}.")), 60)
