"""ONNX files: the graph of operators in a file, read by a rule for each kind of node.

Only what the chosen output depends on is read, in any order of the file's nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.diagnostics import log
from engine.errors import NetworkError, NeurosceneError, ShapeError
from engine.formats.files import short
from engine.formats.onnx.declared import Sizes, chosen
from engine.formats.onnx.model import MAX_NODES, Model, read, tensor
from engine.formats.onnx.node import Absent, OnnxNode, Result
from engine.formats.onnx.rules import REFUSED, RULES
from engine.network.graph.builder import Builder, Value
from engine.network.graph.graph import Graph

# Calls of functions within functions, and branches within branches.
MOST_DEPTH = 24


def read_graph(path: Path, *, size: Sequence[int] | None = None, output: str | None = None) -> Graph:
    """The Graph in an .onnx file, as it is written there: nothing is simplified.

    size     lengths of the axes that the file leaves open, the batch apart: (H, W) of an image
    output   the name of an output, or of any value in the graph; None: the first output of floats

    Raises FileError, NetworkError or ShapeError, with the first node that cannot be read.
    """
    name, model = read(path)
    return graph_of(model, name, size=size, output=output)


def graph_of(model: Any, name: str, *, size: Sequence[int] | None = None, output: str | None = None) -> Graph:
    """As `read_graph`, of a Model, or of a ModelProto with all its data; name: its file's, for messages."""
    model = model if isinstance(model, Model) else Model(model)
    graph = model.graph
    if len(graph.node) > MAX_NODES:
        raise NetworkError(f"{name} has {len(graph.node)} nodes; at most {MAX_NODES} are read. Simplify it.")
    wanted = chosen(graph, name, output)
    sizes = Sizes(graph, name, size)
    batch = sizes.batch(wanted)
    if batch > 1:
        try:
            return _made(model, name, wanted, sizes, batch)
        except NeurosceneError as error:
            log.debug("%s is not read as a batch of %d: %s", name, batch, error)
    return _made(model, name, wanted, sizes, 1)


def _made(model, name, wanted, sizes, batch):
    """The Graph of which inputs of a fixed batch above 1 are of one image, or as they are given (batch 1)."""
    reading = OnnxReading(model, name, sizes, batch)
    (end,) = Scope(reading, model.graph, model.proto.opset_import).evaluated([wanted])
    if batch > 1 and not sizes.agree(wanted, end.dims):
        raise ShapeError(f"The output of {name} is {end.dims} for a batch of 1.")
    graph = reading.builder.graph([end])
    if reading.dequantised:
        log.warning("%s: %d quantised weights are shown dequantised.", name, len(reading.dequantised))
    return graph


class OnnxReading:
    """What all graphs of a file share while it is read.

    builder       makes the Graph
    types         {name of a Value: "b" truth values, "i" whole numbers}; all others are floats
    batch         of the file's inputs, where it is fixed and is read as 1; else 1
    dequantised   names of weights that were stored as integers
    probabilities   names of Values that sum to 1 along their last axis
    made          how many numbers have been made as constants; weights: as weights of nodes
    """

    def __init__(self, model: Model, file: str, sizes: Sizes, batch: int):
        self.file, self.sizes, self.batch, self.pieces = file, sizes, batch, model.pieces
        self.builder = Builder(file)
        self.types: dict[str, str] = {}
        self.functions = {(f.domain, f.name): f for f in model.proto.functions}
        self.dequantised: set[str] = set()
        self.probabilities: set[str] = set()
        self.count = self.made = self.weights = 0

    def counted(self) -> None:
        """Raises NetworkError after more nodes than a file may have, those of functions as often as they are called."""
        self.count += 1
        if self.count > MAX_NODES:
            raise NetworkError(f"{self.file} has more than {MAX_NODES} nodes with those of its functions. Simplify it.")


OPEN = -1  # of a node, while what it depends on is put in order


class Scope:
    """A graph of a file: the main one, a branch, or the body of a function.

    graph    its GraphProto or FunctionProto; opsets: the versions of domains' operators there
    parent   whose values a branch sees too; values: {name: Value} of the arguments of a function
    bound    {name: AttributeProto} with which the function is called
    """

    def __init__(
        self,
        reading: OnnxReading,
        graph: Any,
        opsets: Any,
        *,
        parent: Scope | None = None,
        values: Mapping[str, Value | None] | None = None,
        bound: Mapping[str, Any] | None = None,
        depth: int = 0,
    ):
        if depth > MOST_DEPTH:
            raise NetworkError(f"{reading.file} nests more than {MOST_DEPTH} branches and functions. Simplify it.")
        self.reading, self.nodes, self.parent, self.depth = reading, graph.node, parent, depth
        self.opsets = {used.domain: used.version for used in opsets}
        self.imports = opsets
        self.values: dict[str, Result | None] = dict(values or {})
        self.bound = bound or {}
        # Initialisers are read when they are used, since an unused one may have any type.
        self.stored = {proto.name: proto for proto in getattr(graph, "initializer", ())}
        self.makers: dict[str, int] = {}
        self.running: set[int] = set()
        for i, node in enumerate(self.nodes):
            for key in node.output:
                if key and (key in self.makers or key in self.stored or key in self.values):
                    raise NetworkError(
                        f"{self._where(i)} computes `{short(key)}`, which is there already. Export the file again."
                    )
                self.makers[key] = i

    def branch(self, graph: Any) -> list[Value]:
        """The outputs of a branch."""
        inner = Scope(self.reading, graph, self.imports, parent=self, bound=self.bound, depth=self.depth + 1)
        return inner.evaluated([output.name for output in graph.output])

    def call(self, function: Any, node: OnnxNode) -> list[Value]:
        """The outputs of a function of the file for the inputs of a node."""
        values = {key: node.input(i) for i, key in enumerate(function.input)}
        bound = {a.name: a for a in function.attribute_proto} | node.attributes
        inner = Scope(self.reading, function, function.opset_import, values=values, bound=bound, depth=self.depth + 1)
        return inner.evaluated(function.output)

    def attribute(self, proto: Any) -> Any:
        """An AttributeProto, or the one with which the function is called under the name that it refers to."""
        return self.bound.get(proto.ref_attr_name) if proto.ref_attr_name else proto

    def evaluated(self, names: Iterable[str]) -> list[Value]:
        """The Values of names. What they depend on is read first, in the file's order where that can be."""
        names = list(names)
        order = self._order(names)
        if self.parent is None and self.depth == 0:
            self._inputs({*names, *(key for i in order for key in self.nodes[i].input)})
        for i in order:
            self._run(i)
        return [self.value(name, f"The output of {self.reading.file}") for name in names]

    def _maker(self, key):
        """The number of the node that must be run for a name, or None."""
        return None if key in self.values else self.makers.get(key)

    def _order(self, names):
        """The numbers of the nodes on which names depend, each after those it takes, else as in the file."""
        ranks: dict[int, int] = {}
        found: list[int] = []
        stack = [i for name in reversed(names) if (i := self._maker(name)) is not None]
        while stack:
            i = stack[-1]
            takes = [k for key in self.nodes[i].input if key and (k := self._maker(key)) is not None]
            if i not in ranks:
                ranks[i] = OPEN
                if i in self.running or any(ranks.get(k) == OPEN for k in takes):
                    raise NetworkError(f"{self._where(i)} depends on itself. Export the file again.")
                stack += [k for k in reversed(takes) if k not in ranks]
            else:
                stack.pop()
                if ranks[i] == OPEN:
                    ranks[i] = max([i, *(ranks[k] for k in takes)])
                    found.append(i)
        return sorted(found, key=ranks.__getitem__)  # sorted() is stable, so `found` decides ties

    def _inputs(self, used):
        for info in self.reading.sizes.inputs:
            if info.name in used and info.name not in self.values:
                self._put_input(info)

    def _put_input(self, info):
        dims = self.reading.sizes.dims(info, self.reading.batch)
        self.values[info.name] = self.reading.builder.input(short(info.name, 60), dims)

    def value(self, key: str, asker: str) -> Value:
        """The Value of a name; asker: who takes it, for messages."""
        if key not in self.values:
            self._find(key, asker)
        found = self.values[key]
        if isinstance(found, Absent):
            raise NetworkError(f"{asker} cannot be shown: it takes `{short(key)}`, but {found.why}.")
        if found is None:
            raise NetworkError(f"{asker} takes `{short(key)}`, which its function is called without.")
        return found

    def _find(self, key, asker):
        if key in self.stored:
            proto = self.stored[key]
            array = tensor(proto, self.reading.file, self.reading.pieces)
            self.values[key] = self.reading.builder.constant(array, short(key, 60))
        elif key in self.makers:
            self.evaluated([key])
        elif self.parent is not None:
            self.values[key] = self.parent.value(key, asker)
        else:
            info = next((i for i in self.reading.sizes.inputs if i.name == key and self.depth == 0), None)
            if info is None:
                raise NetworkError(f"{asker} takes `{short(key)}`, which nothing computes. Export the file again.")
            self._put_input(info)

    def _where(self, i):
        proto = self.nodes[i]
        called = f" `{short(proto.name, 60)}`" if proto.name else ""
        return f"Node {i}{called} ({short(proto.op_type, 40)}) of {self.reading.file}"

    def _run(self, i):
        """Reads a node, and puts what it gives into `values`."""
        self.reading.counted()
        proto, where = self.nodes[i], self._where(i)
        self.running.add(i)
        inputs = [
            self.value(key, where) if key and self.values.get(key, key) is not None else None for key in proto.input
        ]
        domain = "" if proto.domain == "ai.onnx" else proto.domain
        node = OnnxNode(proto, inputs, self, self.opsets.get(domain, self.opsets.get("ai.onnx", 1)), where)
        try:
            with np.errstate(all="ignore"):  # what is not finite is refused by the nodes that hold weights
                given = self._given(node, domain)
        except (ValueError, TypeError, KeyError, IndexError, OverflowError, ZeroDivisionError, MemoryError) as error:
            raise ShapeError(f"{where} cannot be read: {short(error) or type(error).__name__}.") from None
        self.running.discard(i)
        found = [given] if isinstance(given, Value | Absent) else list(given)
        for k, key in enumerate(proto.output):
            if key:
                self.values[key] = (
                    found[k] if k < len(found) else Absent(f"output {k + 1} of `{node.label}` is not read")
                )

    def _given(self, node, domain):
        """What a node gives: by its function in the file, or by its rule."""
        function = self.reading.functions.get((node.proto.domain, node.kind))
        if function is not None:
            return self.call(function, node)
        rule = RULES.get(domain, {}).get(node.kind)
        if rule is None:
            of = f"it is of {short(domain, 40)}" if domain else "such operators are not known"
            raise node.refusal(REFUSED.get(node.kind, f"{of}; docs/networks.md lists those that are"))
        return rule(node)
