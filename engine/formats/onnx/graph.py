"""Evaluates ONNX graphs node by node: the class of nodes that rules get, and rules for nodes on constants alone.

A rule is a function of an OnnxNode that returns the node's first output. The network's input is represented by a class
of the reader's: a `Value` of `chain`, or a `Wire` of `sketch`.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import NetworkError, ShapeError
from engine.formats.files import MAX_FILE_BYTES, MAX_WIDTH, short, size_text
from engine.formats.onnx.model import MAX_NODES, tensor

MAX_SHAPE = 16  # the most numbers of a shape


@dataclass(frozen=True)
class Constant:
    """An array that does not depend on the input; stored: True if it is in the file, False if computed here."""

    array: np.ndarray
    stored: bool = False


class OnnxNode:
    """A node for rules: its inputs, its attributes and its name for messages."""

    def __init__(self, inputs: list, proto: Any, where: str, name: str, last: bool):
        self.inputs, self.where, self.name = inputs, where, name
        self.attributes = {a.name: a for a in proto.attribute}
        self.kind, self.label = proto.op_type, _label(proto)
        self.last = last  # whether its result is the graph's output

    def input(self, i: int) -> Any:
        """Input i, or None if the node leaves it out."""
        return self.inputs[i] if i < len(self.inputs) else None

    def required(self, count: int) -> list:
        """The first `count` inputs, none of which may be left out."""
        if len(self.inputs) < count or any(x is None for x in self.inputs[:count]):
            raise self.refusal(f"it has fewer than {count} inputs")
        return self.inputs[:count]

    def variable(self) -> Any:
        """The first input, which must depend on the network's input."""
        (x,) = self.required(1)
        if isinstance(x, Constant):
            raise self.refusal("it works on a constant; simplify the file (onnxsim, or export with constant folding)")
        return x

    def number(self, key: str, default: Any) -> Any:
        attribute = self.attributes.get(key)
        return default if attribute is None else (attribute.f if attribute.type == 1 else attribute.i)

    def text(self, key: str, default: str) -> str:
        attribute = self.attributes.get(key)
        return default if attribute is None else attribute.s.decode("utf-8", "replace")

    def integers(self, key: str) -> tuple[int, ...] | None:
        attribute = self.attributes.get(key)
        return None if attribute is None else tuple(attribute.ints)

    def short_list(self, i: int, what: str) -> list[int] | None:
        """Input i, which must be constant: at most MAX_SHAPE whole numbers; None if it is left out."""
        x = self.input(i)
        if x is None:
            return None
        if not isinstance(x, Constant) or x.array.dtype.kind not in "iu" or x.array.size > MAX_SHAPE:
            raise self.refusal(f"its {what} are not a short list of constants")
        return [int(n) for n in x.array.reshape(-1)]

    def required_list(self, i: int, what: str) -> list[int]:
        """As `short_list`, for an input that may not be left out."""
        found = self.short_list(i, what)
        if found is None:
            raise self.refusal(f"it has no {what}")
        return found

    def setting(self, i: int, key: str) -> list[int] | None:
        """A list of whole numbers: an attribute `key` in old files, input i in newer ones."""
        found = self.short_list(i, key) if self.input(i) is not None else self.integers(key)
        return None if found is None else [*found]

    def tensor(self, key: str) -> np.ndarray:
        return tensor(self.attributes[key].t, self.name)

    def refusal(self, why: str) -> NetworkError:
        return NetworkError(f"{self.where} cannot be shown: {why}.")


# Names of nodes for people, from the module of their model that a node belongs to.
# Metadata of PyTorch's newer exporter: the modules round a node, as lists in Python syntax, the innermost last.
SCOPES, CLASSES = "pkg.torch.onnx.name_scopes", "pkg.torch.onnx.class_hierarchy"
QUOTED = re.compile(r"'([^']*)'")
LONGEST = 4000  # the longest such list that is read, letters
WEIGHTED = ("Conv", "Gemm", "MatMul")


def _label(proto: Any) -> str:
    """A NodeProto's name for people.

    PyTorch's newer exporter names nodes like `node_conv2d_3`. A node with weights gets their module's name instead
    (layer1.0.conv2), an activation or a pool its module's (layer1.0.act), and any other computation of a module the
    module's name and its own (layer1.0/add). The older exporter writes the path of modules, in which names repeat those
    before them: /layer1/layer1.0/conv2/Conv becomes layer1.0/conv2/Conv.
    """
    lists = {x.key: QUOTED.findall(x.value[:LONGEST]) for x in proto.metadata_props if x.key in (SCOPES, CLASSES)}
    if len(lists.get(SCOPES, ())) < 2:
        return _path(proto.name or (proto.output[0] if proto.output else ""))
    if proto.op_type in WEIGHTED and len(proto.input) > 1 and proto.input[1].endswith(".weight"):
        return proto.input[1].removesuffix(".weight")
    module, kind = lists[SCOPES][-2], proto.op_type.lower()
    owner = lists[CLASSES][-2] if len(lists.get(CLASSES, ())) > 1 else ""
    if module and owner.startswith("torch.nn.modules.") and ".container." not in owner:
        return module
    return f"{module}/{kind}" if module else kind


def _path(name):
    parts = [part for part in name.split("/") if part]
    after = [*parts[1:], ""]
    return "/".join(a for a, b in zip(parts, after, strict=True) if not b.startswith(f"{a}."))


Rules = Mapping[str, Callable[[OnnxNode], Any]]


def only_input(graph: Any, name: str) -> Any:
    """The ValueInfoProto of the only input of a GraphProto, which must have one input and one output."""
    if len(graph.node) > MAX_NODES:
        raise NetworkError(f"{name} has {len(graph.node)} nodes; at most {MAX_NODES} are read. Simplify it.")
    if graph.sparse_initializer:
        raise NetworkError(f"{name} has sparse weights; export them dense.")
    stored = {proto.name for proto in graph.initializer}
    inputs = [x for x in graph.input if x.name not in stored]
    for what, found in (("inputs", inputs), ("outputs", list(graph.output))):
        if len(found) != 1:
            names = ", ".join(short(x.name, 30) for x in found[:6])
            raise NetworkError(f"{name} has {len(found)} {what} ({names}); only one input and one output can be shown.")
    return inputs[0]


def evaluated(graph: Any, source: Any, rules: Rules, name: str) -> Any:
    """Evaluates each node's first output; returns the value of the GraphProto's output.

    source   the value of its only input
    rules    {kind: rule}; for nodes on constants alone ON_CONSTANTS is used. A node without a rule is an error
    """
    values = {only_input(graph, name).name: source}
    # Initialisers are read when used, since an unused one may have any type.
    initialisers = {proto.name: proto for proto in graph.initializer}
    output, spent = graph.output[0].name, 0

    def value(key, where):
        if key not in values and key in initialisers:
            values[key] = Constant(tensor(initialisers[key], name), stored=True)
        if key not in values:
            raise NetworkError(f"{where} uses `{short(key)}`, which nothing before it computes. Export it again.")
        return values[key]

    for index, proto in enumerate(graph.node):
        called = f" `{short(proto.name, 60)}`" if proto.name else ""
        where = f"Node {index}{called} ({short(proto.op_type, 40)}) of {name}"
        rule = rules.get(proto.op_type) if proto.domain in ("", "ai.onnx") else None
        if rule is None:
            domain = f" of {short(proto.domain, 40)}" if proto.domain else ""
            raise NetworkError(f"{where}{domain} cannot be shown. Accepted: {', '.join(sorted(rules))}.")
        inputs = [value(key, where) if key else None for key in proto.input]
        if all(x is None or isinstance(x, Constant) for x in inputs):
            rule = ON_CONSTANTS.get(proto.op_type, rule)
        try:
            with np.errstate(all="ignore"):  # results that are not finite are refused later, naming the place
                result = rule(OnnxNode(inputs, proto, where, name, proto.output[:1] == [output]))
        except (ValueError, TypeError, OverflowError) as error:
            raise ShapeError(f"{where} cannot be read: {short(error)}. Export the file again.") from None
        key = proto.output[0] if proto.output else None
        if key is None or key in values or key in initialisers:
            what = "has no output" if key is None else f"computes `{short(key)}`, which is there already"
            raise NetworkError(f"{where} {what}. Export the file again.")
        if isinstance(result, Constant) and not result.stored:
            # Small constants that are broadcast to large ones could fill the memory.
            spent += result.array.nbytes
            if spent > MAX_FILE_BYTES:
                raise NetworkError(f"{where} makes the file's constants larger than {size_text(MAX_FILE_BYTES)}.")
        values[key] = result
    end = value(output, f"The output of {name}")
    if isinstance(end, Constant):
        raise NetworkError(f"The output of {name} does not depend on its input.")
    return end


# Nodes on constants alone


def _folded(function):
    """A rule that computes a function of one or two constants, with a limit of the result's size."""

    def rule(node):
        arrays = [c.array for c in node.required(getattr(function, "nin", 1))]
        try:
            shape = np.broadcast_shapes(*(a.shape for a in arrays))
            if math.prod(shape) > MAX_WIDTH * MAX_WIDTH:
                raise node.refusal(f"its result would be {short(shape)}")
            return Constant(np.asarray(function(*arrays)))
        except (ValueError, TypeError, IndexError) as error:
            raise node.refusal(short(error, 160)) from None

    return rule


def same(node: OnnxNode) -> Any:
    """The first input, unchanged."""
    return node.required(1)[0]


def dropout(node: OnnxNode) -> Any:
    """The first input; an error if the node is in training mode."""
    training = node.input(2)
    if training is not None and not (isinstance(training, Constant) and not training.array.any()):
        raise node.refusal("it is in training mode; export the model in eval()")
    return same(node)


def _cast(node):
    kinds = {1: np.float32, 10: np.float16, 11: np.float64, 6: np.int32, 7: np.int64}
    to = node.number("to", 1)
    if to not in kinds:
        raise node.refusal("a cast to float or double is accepted")
    return _folded(lambda a: a.astype(kinds[to]))(node)


def _reshape(node):
    dims = node.required_list(1, "sizes")
    return _folded(lambda a: a.reshape([a.shape[i] if n == 0 else n for i, n in enumerate(dims)]))(node)


def _axes(node):
    axes = node.setting(1, "axes")
    return None if axes is None else tuple(axes)


def _constant(node):
    if "value" in node.attributes:
        return Constant(node.tensor("value"))
    for key, kind in (("float", np.float32), ("int", np.int64)):
        if f"value_{key}" in node.attributes:
            return Constant(np.asarray(node.number(f"value_{key}", 0), kind))
        if f"value_{key}s" in node.attributes:
            return Constant(np.array(getattr(node.attributes[f"value_{key}s"], f"{key}s"), kind))
    raise node.refusal("it is not a constant of numbers")


def _flatten(node):
    raise node.refusal("axis = 1 of the layer before is accepted")


ON_CONSTANTS: Rules = {
    "Add": _folded(np.add),
    "Sub": _folded(np.subtract),
    "Neg": _folded(np.negative),
    "Mul": _folded(np.multiply),
    "Div": _folded(np.divide),
    "Pow": _folded(np.power),
    "Sqrt": _folded(np.sqrt),
    "Exp": _folded(np.exp),
    "Identity": same,
    "Dropout": dropout,
    "Cast": _cast,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Transpose": lambda node: _folded(lambda a: a.transpose(node.integers("perm")))(node),
    "Squeeze": lambda node: _folded(lambda a: np.squeeze(a, _axes(node)))(node),
    "Unsqueeze": lambda node: _folded(lambda a: np.expand_dims(a, _axes(node) or ()))(node),
    "Constant": _constant,
}
