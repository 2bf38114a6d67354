"""ONNX files: read the graph as one chain from its input to its output.

The file is surveyed as bytes before it is parsed, since a message of two bytes can take hundreds in memory.
What each kind of node does to the chain is in `onnx_nodes`. Format: https://onnx.ai/onnx/repo-docs/IR.html
"""

import importlib
import math

import numpy as np

from engine.errors import FileError, NetworkError, ShapeError
from engine.formats.chain import fold
from engine.formats.files import MAX_FILE_BYTES, opened, size_text, told
from engine.formats.onnx.external_data import fill
from engine.formats.onnx.names import label
from engine.formats.onnx.nodes import NODES
from engine.formats.onnx.values import Constant, Value

# A thousand layers make some ten nodes of twenty fields each; a field takes at most some 200 bytes once parsed.
MAX_FIELDS = 500_000
MAX_NODES = 10_000  # each may keep a scale and a shift of 4096 float64 numbers: 640 MiB at worst
MAX_DEPTH = 16  # ModelProto > graph > node > attribute > tensor is 5; subgraphs are refused anyway
# Integers written in one byte take up to eight once parsed; weights are floats and do not.
MAX_PACKED_INTEGER_BYTES = 32 << 20

MIN_OPSET = 7

# TensorProto.DataType to numpy, where numpy has it; onnx.proto.
FLOATS = {1: "<f4", 10: "<f2", 11: "<f8", 16: "bfloat16"}
INTEGERS = {6: "<i4", 7: "<i8", 9: "<u1"}


def load(path, activations=None):
    """The network in an .onnx file.

    Raises NetworkError naming the first node that cannot be shown, and for activations, which the file has itself.
    """
    with opened(path) as (stream, size):
        name = told(path.name)
        if activations is not None:
            raise NetworkError(f"{name} has its own activations, but `{told(activations)}` is given. Leave them out.")
        data = stream.read(size)
    return _network(parsed(data, name, path).graph, name)


def _broken(name, why):
    return FileError(f"{name} is not a whole ONNX file: {why}. Export it again.")


def parsed(data, name, path=None):
    """The ModelProto of a file's bytes, surveyed first.

    name   the file's, for messages
    path   the file's; weights in a second file beside it are read into the model. None: there is no such file
    """
    try:
        onnx = importlib.import_module("onnx")
    except ImportError:
        raise FileError(f"{name} needs the onnx package to be opened. Run `pip install onnx`.") from None
    _survey(
        memoryview(data),
        onnx.ModelProto.DESCRIPTOR,
        name,
        {"fields": MAX_FIELDS, "integers": MAX_PACKED_INTEGER_BYTES},
        0,
    )
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except Exception as error:  # protobuf's DecodeError, of which there are several
        raise _broken(name, told(error)) from None
    if not model.HasField("graph") or not model.graph.node:
        raise _broken(name, "it holds no graph")
    if not model.opset_import:
        # The format demands one; it stands last, so this is how a file cut there is told.
        raise _broken(name, "it does not say its opset")
    for used in model.opset_import:
        # Before version 7 elementwise nodes broadcast by an attribute of their own.
        if used.domain in ("", "ai.onnx") and used.version < MIN_OPSET:
            raise FileError(f"{name} uses opset {used.version}; {MIN_OPSET} and later are read. Export it again.")
    fill(model, path)
    return model


def _varint(data, at, name):
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise _broken(name, "it ends early")
        byte = data[at]
        value |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return value, at
    raise _broken(name, "a number in it is longer than ten bytes")


def _survey(data, descriptor, name, budget, depth):
    """Walks protobuf's wire format and refuses what would take much more memory parsed than it does as bytes.

    budget   how many fields and bytes of packed integers may still come; counted down
    """
    if depth > MAX_DEPTH:
        raise FileError(
            f"{name} is nested deeper than {MAX_DEPTH} messages, which no chain of layers is. Export it again."
        )
    fields, at = descriptor.fields_by_number, 0
    while at < len(data):
        tag, at = _varint(data, at, name)
        field, wire = fields.get(tag >> 3), tag & 7
        budget["fields"] -= 1
        length = 0
        if wire == 0:
            _, at = _varint(data, at, name)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        elif wire == 2:
            length, at = _varint(data, at, name)
        else:
            raise _broken(name, f"a field in it has wire type {wire}")
        if at + length > len(data):
            raise _broken(name, "it ends early")
        if wire == 2 and field is not None and field.message_type is not None:
            _survey(data[at : at + length], field.message_type, name, budget, depth + 1)
        elif wire == 2 and field is not None and field.type not in (1, 2, 9, 12):  # double, float, string, bytes
            budget["integers"] -= length
        at += length
        if min(budget.values()) < 0:
            raise FileError(
                f"{name} has more than {MAX_FIELDS} parts, far more than {MAX_NODES} nodes need. Simplify it."
            )


def tensor(proto, name):
    """A TensorProto as an array; its shape is checked against the bytes that are there.

    Raises FileError for data in another file or of the wrong length, NetworkError for a type that holds no weights.
    """
    where = f"`{told(proto.name or 'a constant')}` of {name}"
    if proto.data_location or proto.external_data:
        raise FileError(
            f"{where} keeps its data in another file, where only weights may be. Export with external_data=False."
        )
    shape = tuple(proto.dims)
    if any(n < 0 for n in shape) or len(shape) > 16:
        raise _broken(name, f"{where} is {told(shape)}")
    count = math.prod(shape)
    kind = FLOATS.get(proto.data_type) or INTEGERS.get(proto.data_type)
    if kind is None:
        raise NetworkError(
            f"{where} has ONNX data type {proto.data_type}; weights must be float, double, float16 or bfloat16."
        )
    if proto.HasField("raw_data"):
        stored = "<u2" if kind == "bfloat16" else kind
        wanted, there, unit = count * np.dtype(stored).itemsize, len(proto.raw_data), "bytes"
        flat = np.frombuffer(proto.raw_data, stored) if wanted == there else None
    else:
        values = {"<f4": proto.float_data, "<f8": proto.double_data, "<i8": proto.int64_data}.get(
            kind, proto.int32_data
        )
        wanted, there, unit = count, len(values), "numbers"
        if wanted == there:
            halves = kind in ("<f2", "bfloat16")  # two bytes each, kept in int32
            flat = np.array(values, np.int64).astype("<u2") if halves else np.array(values).astype(kind)
            flat = flat.view("<f2") if kind == "<f2" else flat
    if wanted != there:
        raise _broken(name, f"{where} is {told(shape)} but has {there} {unit}")
    if kind == "bfloat16":
        flat = (flat.astype("<u4") << 16).view("<f4")
    return flat.reshape(shape)


class Graph:
    """The names of a graph that have a value so far: constants, and what became of the input."""

    def __init__(self, graph, name):
        self.name = name
        self.values = {}
        # Reading is put off: an initialiser that nothing uses may be of any type.
        self.initialisers = {proto.name: proto for proto in graph.initializer}
        self.spent = 0

    def has(self, key):
        return key in self.values or key in self.initialisers

    def get(self, key, where):
        """The Constant or Value under a name."""
        if key not in self.values:
            if key not in self.initialisers:
                raise NetworkError(
                    f"{where} uses `{told(key)}`, which nothing before it computes. Export the file again."
                )
            self.values[key] = Constant(tensor(self.initialisers[key], self.name), stored=True)
        return self.values[key]

    def put(self, key, value, where):
        if self.has(key):
            raise NetworkError(f"{where} computes `{told(key)}`, which is there already. Export the file again.")
        if isinstance(value, Constant) and not value.stored:
            # Small constants broadcast into large ones could fill the memory.
            self.spent += value.array.nbytes
            if self.spent > MAX_FILE_BYTES:
                raise NetworkError(
                    f"{where} makes the constants of {self.name} larger than {size_text(MAX_FILE_BYTES)}."
                )
        self.values[key] = value


def _declared(value_info):
    """(rank, size of the last axis or None) a graph declares for an input or output; rank None if it does not."""
    if not value_info.type.HasField("tensor_type"):
        raise NetworkError(f"`{told(value_info.name)}` is not a tensor; only one tensor in and one out can be shown.")
    kind = value_info.type.tensor_type
    if not kind.HasField("shape"):
        return None, None
    dims = kind.shape.dim
    last = dims[-1].dim_value if dims and dims[-1].HasField("dim_value") else None
    return len(dims), last


def only_input(graph, name):
    """The one input of a graph with one output; refuses others."""
    if len(graph.node) > MAX_NODES:
        raise NetworkError(f"{name} has {len(graph.node)} nodes; at most {MAX_NODES} are read. Simplify it.")
    if graph.sparse_initializer:
        raise NetworkError(f"{name} has sparse weights; export them dense.")
    stored = {proto.name for proto in graph.initializer}
    inputs = [x for x in graph.input if x.name not in stored]
    for what, found in (("inputs", inputs), ("outputs", list(graph.output))):
        if len(found) != 1:
            names = ", ".join(told(x.name, 30) for x in found[:6])
            raise NetworkError(
                f"{name} has {len(found)} {what} ({names}); only a network with one input and one output is shown."
            )
    return inputs[0]


def evaluate(graph, known, rules, name):
    """Gives each node's first output in a Graph of known values its value.

    rules   {op_type: function of a GraphNode}; the first node without one is refused by name
    """
    for index, node in enumerate(graph.node):
        called = f" `{told(node.name, 60)}`" if node.name else ""
        where = f"Node {index}{called} ({told(node.op_type, 40)}) of {name}"
        rule = rules.get(node.op_type) if node.domain in ("", "ai.onnx") else None
        if rule is None:
            domain = f" of {told(node.domain, 40)}" if node.domain else ""
            raise NetworkError(f"{where}{domain} cannot be shown. Accepted: {', '.join(sorted(rules))}.")
        inputs = [known.get(key, where) if key else None for key in node.input]
        attributes = {a.name: a for a in node.attribute}
        try:
            with np.errstate(all="ignore"):  # what is not finite in the end is refused with its place
                result = rule(
                    GraphNode(inputs, attributes, where, name, node, node.output[:1] == [graph.output[0].name])
                )
        except (ValueError, TypeError, OverflowError) as error:
            raise ShapeError(f"{where} cannot be read: {told(error)}. Export the file again.") from None
        if not node.output:
            raise NetworkError(f"{where} has no output. Export the file again.")
        known.put(node.output[0], result, where)


def _network(graph, name):
    source = only_input(graph, name)
    rank, width = _declared(source)
    known = Graph(graph, name)
    known.values[source.name] = Value.input(rank)
    evaluate(graph, known, NODES, name)
    end = known.get(graph.output[0].name, f"The output of {name}")
    if not isinstance(end, Value):
        raise NetworkError(f"The output of {name} does not depend on its input.")
    net = fold(end.settled(f"The output of {name}").chain(), name)
    if width and rank is not None and rank <= 2 and net.inputs != width:
        raise ShapeError(f"{name} declares {width} inputs, but its layers take {net.inputs}. Export it again.")
    return net


class GraphNode:
    """A node as the rules see it: its inputs, attributes and how messages call it."""

    def __init__(self, inputs, attributes, where, name, proto, last):
        self.inputs, self.attributes, self.where, self.name = inputs, attributes, where, name
        self.kind, self.label = proto.op_type, label(proto)
        self.last = last  # its result is the graph's

    def input(self, i):
        """Input i, or None where the node leaves it out."""
        return self.inputs[i] if i < len(self.inputs) else None

    def required(self, count):
        """The first inputs, all of which must be there."""
        if len(self.inputs) < count or any(x is None for x in self.inputs[:count]):
            raise self.refusal(f"it has fewer than {count} inputs")
        return self.inputs[:count]

    def number(self, key, default):
        attribute = self.attributes.get(key)
        return default if attribute is None else (attribute.f if attribute.type == 1 else attribute.i)

    def text(self, key, default):
        attribute = self.attributes.get(key)
        return default if attribute is None else attribute.s.decode("utf-8", "replace")

    def integers(self, key):
        attribute = self.attributes.get(key)
        return None if attribute is None else tuple(attribute.ints)

    def tensor(self, key):
        return tensor(self.attributes[key].t, self.name)

    def refusal(self, why):
        return NetworkError(f"{self.where} cannot be shown: {why}.")
