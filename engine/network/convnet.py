"""Convolutional networks and others that look at an image: a graph, and what of it is shown, with receptive fields."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import prod
from typing import Any

from engine.diagnostics import memory_bytes
from engine.errors import NetworkError, ShapeError
from engine.kept import once
from engine.network.graph import nodes as kinds
from engine.network.graph.graph import Graph, free_name
from engine.network.graph.nodes import GraphNode, Input
from engine.network.graph.views import View, channels_last, view_of
from engine.network.preprocess import ORDERS, Preprocess, usual

# Responses may take this part of the machine's memory.
PART = 0.5
# Nodes that only move numbers: none of them is shown.
MOVING = kinds.Reshape | kinds.Transpose | kinds.Slice | kinds.Expand | kinds.Gather | kinds.Pad | kinds.Cast


class ConvNet:
    """A network of one image, or of tokens or a vector. Immutable.

    graph        a Graph of one input and one output; or nodes in any order, the last of which is the output
    name         its file or origin, for messages and captions; None: the graph's
    classes      the meaning of each channel of the output, or ()
    preprocess   a Preprocess: how a photo is prepared; None: torchvision's for three channels, grey from 0 to 1 for one
                 channel, else nothing; False: nothing

    Each node's array has a `view_of`: channels, rows and columns, as it is shown.

    Raises NetworkError or ShapeError naming the node that does not fit.
    """

    def __init__(
        self,
        graph: Graph | Iterable[GraphNode],
        *,
        name: str | None = None,
        classes: Sequence[str] = (),
        preprocess: Any = None,
    ):
        if not isinstance(graph, Graph):
            nodes = tuple(graph)
            graph = Graph(nodes, [nodes[-1].name] if nodes else [], name=name or "network")
        self.graph, self.name, self.classes = graph, str(name or graph.name), tuple(map(str, classes))
        if len(graph.inputs) != 1:
            named = ", ".join(f"`{node.name}`" for node in graph.inputs) or "none"
            raise NetworkError(f"{self.name} has the inputs {named}; a network of one image can be shown.")
        self.input = graph.inputs[0]
        self.nodes = (self.input, *(n for n in graph.nodes if not isinstance(n, Input | kinds.Constant)))
        self.last = channels_last(graph)
        self.shapes: dict[str, View] = {}
        memory, neurons = PART * memory_bytes(), 0
        for node in self.nodes:
            dims = graph.dims[node.name]
            self.shapes[node.name] = view_of(dims, self.last[node.name])
            neurons += prod(dims)
            if 4 * neurons > memory:
                raise NetworkError(
                    f"{self.name} has {neurons} neurons up to node `{node.name}`, which gives {dims}; {memory / 4:.0f} "
                    "fit into this machine's memory. Use a smaller network or input."
                )
        if self.classes and len(self.classes) != self.shapes[self.output.name][0]:
            raise ShapeError(
                f"{self.name} has {len(self.classes)} classes, but its last node `{self.output.name}` gives "
                f"{self.shapes[self.output.name]}. Give one for each channel."
            )
        self.preprocess: Preprocess | None = self._usual() if preprocess is None else preprocess
        if self.preprocess and (ORDERS[self.preprocess.order], *self.preprocess.size) != self.input_shape:
            raise ShapeError(
                f"{self.name} takes {self.input_shape}, but its preprocess gives {self.preprocess.size} in "
                f"{ORDERS[self.preprocess.order]} channels."
            )

    def _usual(self):
        channels, *size = self.input_shape
        if max(size) == 1:
            return None  # the input is a vector, not a photo
        return usual("imagenet" if channels == 3 else "0..1", self.input_shape) if channels in (1, 3) else None

    def changed(
        self,
        *,
        name: str | None = None,
        classes: Sequence[str] | None = None,
        preprocess: Preprocess | str | None = None,
    ) -> ConvNet:
        """A copy with another name, classes or preprocess (a Preprocess, or a name in PREPROCESSES)."""
        if isinstance(preprocess, str):
            preprocess = usual(preprocess, self.input_shape)
        return ConvNet(
            self.graph,
            name=self.name if name is None else name,
            classes=self.classes if classes is None else classes,
            preprocess=self.preprocess if preprocess is None else preprocess,
        )

    @property
    def input_shape(self) -> View:
        return self.shapes[self.input.name]

    @property
    def output(self) -> GraphNode:
        """The node of the graph's first output."""
        return self.graph.output

    @property
    def shown(self) -> tuple[str, ...]:
        """Names of the nodes whose numbers are neurons: all but the input and those that only move numbers."""
        return tuple(node.name for node in self.nodes[1:] if not isinstance(node, MOVING))

    @property
    def weight_count(self) -> int:
        return self.graph.weight_count

    @property
    def neuron_count(self) -> int:
        """The number of outputs of all nodes except the input."""
        return self.graph.neuron_count

    def work(self, node: GraphNode | str) -> int:
        """Multiply-adds of a node, given as a node or by its name."""
        return self.graph.work(node)

    def node(self, name: GraphNode | str) -> GraphNode:
        """The node of that name; a node is returned unchanged. Raises NetworkError for an unknown name."""
        return self.graph.node(name)

    def consumers(self, name: GraphNode | str) -> tuple[GraphNode, ...]:
        """The nodes that have this one's output as an input, in order."""
        return self.graph.consumers(name)

    def taken(self, node: GraphNode) -> tuple[str, ...]:
        """Names of those of a node's inputs that depend on the image."""
        return tuple(key for key in node.inputs if key in self.shapes)

    def receptive(self, node: GraphNode | str) -> tuple[tuple[int, int], ...]:
        """(size, stride, start), each (rows, columns) in input pixels: the receptive fields of a node's neurons.

        The neuron at (row, column) sees `size` pixels from start + stride * (row, column) on, possibly with padding.
        Stride 0: all see the same. `field` gives one neuron's, clipped to the image.
        """
        return tuple(zip(*self._receptive[self.node(node).name], strict=True))

    @once
    def _receptive(self):
        """{name: for each axis (size, stride, start)}, computed forward through the graph."""
        found = {}
        for node in self.nodes:
            if isinstance(node, Input):
                found[node.name] = ((1, 1, 0), (1, 1, 0))
                continue
            axes: tuple[list, list] = ([], [])
            for key, windows in self._windows(node):
                for axis, fields in enumerate(axes):
                    window = windows and windows[axis]
                    fields.append(_through(found[key][axis], window, self.shapes[key][1 + axis]))
            found[node.name] = tuple(map(_joined, axes, self.shapes[node.name][1:]))
        return found

    def _windows(self, node):
        """(name, Windows) of a node's inputs: those through which the node sees one, or None if it sees all of it."""
        every = zip(node.inputs, node.windows(*(self.graph.dims[key] for key in node.inputs)), strict=True)
        own, found = self.shapes[node.name][1:], []
        for key, windows in every:
            if key in self.shapes:
                # One number of each place is that place only where there are as many.
                is_place = windows and all(window.extent == window.stride == 1 for window in windows)
                found.append((key, windows if not is_place or self.shapes[key][1:] == own else None))
        return found

    def field(self, node: GraphNode | str, row: int, column: int) -> tuple[int, int, int, int]:
        """(top, left, bottom, right) of the smallest box of the input that a neuron's value can depend on.

        bottom and right are exclusive; padding, and pixels that no window covers, are not in the box.
        """
        node = self.node(node)
        _, height, width = self.shapes[node.name]
        if not (0 <= row < height and 0 <= column < width):
            raise ShapeError(f"Node `{node.name}` of {self.name} is {height} x {width}; it has no ({row}, {column}).")
        boxes = {node.name: ((row, row + 1), (column, column + 1))}
        for at in reversed(self.nodes):
            box = boxes.get(at.name)
            if box is None or isinstance(at, Input):
                continue
            for key, windows in self._windows(at):
                lengths = self.shapes[key][1:]
                seen = [
                    windows[i].span(box[i][0], box[i][1] - 1, lengths[i]) if windows else (0, lengths[i])
                    for i in (0, 1)
                ]
                # A window that lies entirely on padding sees nothing.
                if all(start < end for start, end in seen):
                    rows, columns = zip(seen, boxes.get(key, seen), strict=True)
                    boxes[key] = (_hull(*rows), _hull(*columns))
        (top, bottom), (left, right) = boxes.get(self.input.name, ((0, 0), (0, 0)))
        return top, left, bottom, right

    def __str__(self):
        shape = " x ".join(map(str, self.input_shape))
        return f"{self.name} ({shape}, {len(self.nodes)} nodes, {self.weight_count} weights)"

    def __repr__(self):
        return f"<ConvNet {self}>"


def _hull(a, b):
    return min(a[0], b[0]), max(a[1], b[1])


def _through(seen, window, length):
    """(size, stride, start) after a window over a map whose own is `seen`; window None: over the whole map."""
    size, stride, start = seen
    if window is None or stride % window.up:
        return size + (length - 1) * stride, 0, start
    if window.up > 1:
        stride //= window.up
        return size + (window.extent - 1) * stride, stride, start + (window.before - window.extent + 1) * stride
    return size + (window.extent - 1) * stride, stride * window.stride, start - window.before * stride


def _joined(fields, length):
    """The smallest (size, stride, start) that contains several `fields` of a map of this length."""
    strides = {stride for _, stride, _ in fields}
    if len(strides) > 1:
        # Branches with different strides have no common stride: every neuron gets the union of all fields.
        fields = [(size + (length - 1) * stride, 0, start) for size, stride, start in fields]
    start = min(s for _, _, s in fields)
    return max(s + size for size, _, s in fields) - start, fields[0][1], start


# Nodes through which an image's axes stay as they are.
PLAIN = kinds.Elementwise | kinds.Affine | kinds.Binary | kinds.Cast


def channels_first(graph: Graph) -> Graph:
    """A graph with an input (1, C, H, W), if its image is turned or reshaped into one at once.

    An image that has its channels last is transposed; a grey one may have its channel last, or no batch.
    """
    if len(graph.inputs) != 1:
        return graph
    image: GraphNode = graph.inputs[0]
    after = graph.sole_consumer(image)
    wide = lambda dims: [n for n in dims if n != 1]
    if isinstance(after, kinds.Reshape) and len(after.dims) == 4 and wide(after.dims) == wide(graph.dims[image.name]):
        back = kinds.Reshape(free_name(f"{image.name}/as given", graph.dims), (image.name,), graph.dims[image.name])
        taken = replace(after, inputs=(back.name,))
        return graph.changed({image.name: Input(image.name, (), after.dims), after.name: taken}, more=[back])
    if len(graph.dims[image.name]) != 4:
        return graph
    while isinstance(after, PLAIN) and graph.dims[after.name] == graph.dims[image.name]:
        after = graph.sole_consumer(after)
    if not (isinstance(after, kinds.Transpose) and after.axes == (0, 3, 1, 2)):
        return graph
    batch, rows, columns, channels = graph.dims[image.name]
    name = free_name(f"{image.name}/transpose", graph.dims)
    turned = kinds.Transpose(name, (image.name,), (0, 2, 3, 1))
    replaced: dict[str, GraphNode] = {
        node.name: replace(node, inputs=tuple(name if key == image.name else key for key in node.inputs))
        for node in graph.consumers(image)
    }
    first = Input(image.name, (), (batch, channels, rows, columns))
    return graph.changed({**replaced, image.name: first}, more=[turned])
