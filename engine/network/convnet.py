"""Convolutional networks: a graph of named nodes, with the shape of each output and its receptive field."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from math import prod

from engine.errors import NetworkError, ShapeError, located, near
from engine.network.nodes import GraphNode, Input
from engine.network.preprocess import ORDERS, Preprocess, usual

# So many responses take 1 GiB as float32; ResNet-50 at 224 x 224 has 33 million, VGG-16 28 million.
MAX_NEURONS = 1 << 28
MAX_NODES = 2000


class ConvNet:
    """A convolutional network. Immutable.

    nodes        each after its inputs; the first is the one Input, the last the output
    name         its file or origin, for messages and captions
    classes      the meaning of each channel of the last node, or ()
    preprocess   how a photo is prepared; None: torchvision's for three channels, grey from 0 to 1 for one channel,
                 else nothing

    Raises NetworkError or ShapeError naming the node that does not fit.
    """

    def __init__(self, nodes, *, name="network", classes=(), preprocess=None):
        self.name, self.nodes, self.classes = str(name), tuple(nodes), tuple(map(str, classes))
        if len(self.nodes) > MAX_NODES:
            raise NetworkError(f"{name} has {len(self.nodes)} nodes; at most {MAX_NODES} can be shown.")
        if not self.nodes or not isinstance(self.nodes[0], Input):
            raise NetworkError(f"{name} does not begin with an Input node; the first of its nodes must be one.")
        self._by_name: dict[str, GraphNode] = {}
        self.shapes: dict[str, tuple[int, int, int]] = {}
        neurons = 0
        for node in self.nodes:
            self._take(node)
            neurons += prod(self.shapes[node.name])
            if neurons > MAX_NEURONS:
                raise NetworkError(
                    f"{name} has more than {MAX_NEURONS} neurons up to node `{node.name}`, which gives "
                    f"{self.shapes[node.name]}. Use a smaller network or input."
                )
        if self.classes and len(self.classes) != self.shapes[self.output.name][0]:
            raise ShapeError(
                f"{name} has {len(self.classes)} classes, but its last node `{self.output.name}` gives "
                f"{self.shapes[self.output.name]}. Give one for each channel."
            )
        self.preprocess = self._usual() if preprocess is None else preprocess
        if self.preprocess and (ORDERS[self.preprocess.order], *self.preprocess.size) != self.input_shape:
            raise ShapeError(
                f"{name} takes {self.input_shape}, but its preprocess gives {self.preprocess.size} in "
                f"{ORDERS[self.preprocess.order]} channels."
            )

    def _take(self, node):
        if node.name in self._by_name:
            raise NetworkError(f"{self.name} has two nodes called `{node.name}`; give each a name of its own.")
        if isinstance(node, Input) and self._by_name:
            raise NetworkError(f"{self.name} has a second input `{node.name}`; networks of one image can be shown.")
        for key in node.inputs:
            if key not in self._by_name:
                raise NetworkError(f"Node `{node.name}` of {self.name} takes `{key}`, which is no node before it.")
        with located(f"Node `{node.name}` ({node.kind}) of {self.name}: ", "."):
            shape = node.shape(*(self.shapes[key] for key in node.inputs))
        self._by_name[node.name], self.shapes[node.name] = node, shape

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
            self.nodes,
            name=self.name if name is None else name,
            classes=self.classes if classes is None else classes,
            preprocess=self.preprocess if preprocess is None else preprocess,
        )

    @property
    def input_shape(self) -> tuple[int, int, int]:
        return self.shapes[self.nodes[0].name]

    @property
    def output(self) -> GraphNode:
        """The last node."""
        return self.nodes[-1]

    @property
    def weight_count(self) -> int:
        return sum(node.weight_count for node in self.nodes)

    @property
    def neuron_count(self) -> int:
        """The number of outputs of all nodes except the input."""
        return sum(prod(self.shapes[node.name]) for node in self.nodes[1:])

    def work(self, node: GraphNode | str) -> int:
        """Multiply-adds of a node, given as a node or by its name."""
        node = self.node(node)
        return node.work(*(self.shapes[key] for key in node.inputs))

    def node(self, name: GraphNode | str) -> GraphNode:
        """The node of that name; a node is returned unchanged. Raises NetworkError for an unknown name."""
        if isinstance(name, GraphNode):
            return name
        if name not in self._by_name:
            raise NetworkError(f"In {self.name}: {near(name, self._by_name, noun='node')}")
        return self._by_name[name]

    def consumers(self, name: GraphNode | str) -> tuple[GraphNode, ...]:
        """The nodes that have this one's output as an input, in order."""
        return self._consumers[self.node(name).name]

    @cached_property
    def _consumers(self):
        found: dict[str, list[GraphNode]] = {node.name: [] for node in self.nodes}
        for node in self.nodes:
            for key in dict.fromkeys(node.inputs):
                found[key].append(node)
        return {key: tuple(nodes) for key, nodes in found.items()}

    def receptive(self, node: GraphNode | str) -> tuple[tuple[int, int], ...]:
        """(size, stride, start), each (rows, columns) in input pixels: the receptive fields of a node's neurons.

        The neuron at (row, column) sees `size` pixels from start + stride * (row, column) on, possibly with padding.
        Stride 0: all see the same. `field` gives one neuron's, clipped to the image.
        """
        return tuple(zip(*self._receptive[self.node(node).name], strict=True))

    @cached_property
    def _receptive(self):
        """{name: for each axis (size, stride, start)}, computed forward through the graph."""
        found = {}
        for node in self.nodes:
            if isinstance(node, Input):
                found[node.name] = ((1, 1, 0), (1, 1, 0))
                continue
            axes: tuple[list, list] = ([], [])
            for key, windows in zip(node.inputs, self._windows(node), strict=True):
                for axis, fields in enumerate(axes):
                    window = windows and windows[axis]
                    fields.append(_through(found[key][axis], window, self.shapes[key][1 + axis]))
            found[node.name] = tuple(map(_joined, axes, self.shapes[node.name][1:]))
        return found

    def _windows(self, node):
        """For each input of a node, the Windows through which the node sees it, or None if it sees all of it."""
        return node.windows_on(*(self.shapes[key] for key in node.inputs))

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
            for key, windows in zip(at.inputs, self._windows(at), strict=True):
                lengths = self.shapes[key][1:]
                seen = [
                    windows[i].span(box[i][0], box[i][1] - 1, lengths[i]) if windows else (0, lengths[i])
                    for i in (0, 1)
                ]
                # A window that lies entirely on padding sees nothing.
                if all(start < end for start, end in seen):
                    rows, columns = zip(seen, boxes.get(key, seen), strict=True)
                    boxes[key] = (_hull(*rows), _hull(*columns))
        (top, bottom), (left, right) = boxes.get(self.nodes[0].name, ((0, 0), (0, 0)))
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
    if window is None:
        return size + (length - 1) * stride, 0, start
    return size + (window.extent - 1) * stride, stride * window.stride, start - window.before * stride


def _joined(fields, length):
    """The smallest (size, stride, start) that contains several `fields` of a map of this length."""
    strides = {stride for _, stride, _ in fields}
    if len(strides) > 1:
        # Branches with different strides have no common stride: every neuron gets the union of all fields.
        fields = [(size + (length - 1) * stride, 0, start) for size, stride, start in fields]
    start = min(s for _, _, s in fields)
    return max(s + size for size, _, s in fields) - start, fields[0][1], start
