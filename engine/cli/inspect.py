"""The command `neuroscene inspect`: the nodes of a network in a file, with shapes, costs and receptive fields."""

# As in engine.cli.main: only what every command needs is imported here.
import itertools
import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.options import Text, flag, option, pixels
from engine.errors import NeurosceneError

if TYPE_CHECKING:
    from engine.network.convnet import ConvNet
    from engine.network.graph.graph import Graph
    from engine.network.mlp import Mlp
    from engine.network.preprocess import Preprocess

COLUMNS = ("name", "kind", "gives", "weights", "multiply-adds", "sees", "every")
RIGHT = ("weights", "multiply-adds")
SHOWN = 6  # names of classes

HELP = """\b
  neuroscene inspect model.onnx
  neuroscene inspect squeezenet1_0.safetensors
  neuroscene inspect model.onnx --json | jq '.nodes[].shape'
\b
A line for each node: its kind, the shape of its output (of an image channels x rows x columns), its weights and
multiply-adds, the receptive field of a neuron (rows x columns of pixels of the photo), and the pixels from one field to
the next. A node that cannot be read is named."""


def inspect(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="A network; weights alone as FILE:activations, as in net.npz:tanh.", show_default=False
        ),
    ],
    json: Annotated[bool, flag("--json", "As JSON, for programs.")] = False,
    size: Annotated[
        tuple | None,
        option(
            "--size",
            "WxH",
            "The photo's width and height in pixels, for files that leave them open.",
            parser=pixels("--size", "224x224", None),
        ),
    ] = None,
    output: Annotated[
        Text,
        option("--output", "NAME", "Another output of an ONNX file, or any value of its graph.", "the first of floats"),
    ] = None,
) -> None:
    """Lists the nodes of a network in a file."""
    net = read(file, size=size and size[::-1], output=output)
    print(as_json(net) if json else as_text(net))


def read(text: str | Path, *, size: tuple[int, int] | None = None, output: str | None = None) -> "ConvNet | Graph":
    """The ConvNet in a file, or its Graph if it takes more than one input; layers of weights as a Graph of dense nodes.

    text   a path, or `path:activations` where a file holds weights alone
    size   (H, W) of the input where an ONNX file leaves them open; output: the name of one of its outputs

    Raises NeurosceneError saying what cannot be read of the kind of network that the file looks like.
    """
    from engine.formats.load_convnet import UnknownArchitecture, load_convnet
    from engine.formats.load_mlp import load, split_path

    path, written = split_path(str(text))
    suffix = Path(path).suffix.lower()
    if suffix not in (".onnx", ".safetensors") or (written is not None and suffix != ".onnx"):
        return of_mlp(load(text))
    try:
        return load_convnet(str(text), size=size, output=output)
    except NeurosceneError as error:
        first = error
    if suffix == ".onnx":
        from engine.formats.onnx.declared import asked
        from engine.formats.onnx.reader import read_graph

        said = asked(written, path)
        return read_graph(Path(path), size=size or said[1], output=output or said[0])
    try:
        return of_mlp(load(path))
    except NeurosceneError as second:
        # A file of weights without convolutions was meant as a chain of dense layers.
        raise second if isinstance(first, UnknownArchitecture) and not first.windows else first from None


def of_mlp(net: "Mlp") -> "Graph":
    """Layers of weights as a Graph."""
    from engine.network.graph.graph import Graph
    from engine.network.graph.nodes import Dense, Elementwise, Input, Softmax
    from engine.network.units.mixed import Mixed

    class ByUnits(Elementwise):
        """An activation for each unit."""

        def check(self) -> None:
            """Mlp has checked that they are as many as the units."""

    nodes: list[Any] = [Input("input", (), (1, net.inputs))]
    for i, layer in enumerate(net.layers, start=1):
        nodes.append(Dense(f"layer {i}", (nodes[-1].name,), layer.weights, layer.bias))
        before, activation = (nodes[-1].name,), layer.activation
        if activation.is_whole:
            nodes.append(Softmax(f"softmax {i}", before, log=activation.name == "log_softmax"))
        elif isinstance(activation, Mixed):
            nodes.append(ByUnits(f"units {i}", before, activation))  # type: ignore[arg-type]
        elif activation.name != "identity":
            nodes.append(Elementwise(f"{activation.name} {i}", before, activation))
    return Graph(nodes, [nodes[-1].name], name=net.name)


class Described:
    """What there is to say of a network: of a ConvNet, or of any Graph."""

    def __init__(self, net: "ConvNet | Graph"):
        from engine.network.convnet import ConvNet
        from engine.network.graph.graph import Graph

        self.name, self.graph = net.name, net if isinstance(net, Graph) else net.graph
        self.net = net if isinstance(net, ConvNet) else None
        if self.net is None and len(self.graph.inputs) == 1:
            self.net = ConvNet(self.graph, preprocess=False)
        self.preprocess = (self.net.preprocess or None) if self.net else None
        self.classes = self.net.classes if self.net else ()
        self.activations = activations(self.graph)
        self.work = {node.name: self.graph.work(node) for node in self.graph.nodes}

    def shape(self, name: str) -> tuple[int, ...]:
        """Of an image (C, H, W), of a vector (n, 1, 1); others as they are, without the batch of one."""
        dims = self.graph.dims[name]
        if self.net and name in self.net.shapes and len(dims) != 3 and not (len(dims) == 4 and self.net.last[name]):
            return self.net.shapes[name]
        return dims[1:] if len(dims) > 1 and dims[0] == 1 else dims

    def sees(self, node: Any) -> tuple[tuple[int, int], ...]:
        """(size, stride, start) of receptive fields; () where there are none."""
        return self.net.receptive(node) if self.net and node.name in self.net.shapes else ()

    @property
    def is_of_image(self) -> bool:
        return self.net is not None and max(self.net.input_shape[1:]) > 1


def as_json(net: "ConvNet | Graph") -> str:
    """The JSON of a network. `sees`: size, stride, start of receptive fields, (rows, columns) in input pixels."""
    described = Described(net)
    graph = described.graph
    nodes = [
        {
            "name": node.name,
            "kind": node.kind,
            "about": about(node),
            "inputs": node.inputs,
            "shape": described.shape(node.name),
            "weights": node.weight_count,
            "multiply_adds": described.work[node.name],
            "sees": dict(zip(("size", "stride", "start"), described.sees(node), strict=False)),
        }
        for node in graph.nodes
    ]
    found = {
        "name": described.name,
        "input": described.shape(graph.inputs[0].name) if graph.inputs else (),
        "output": described.shape(graph.output.name),
        "inputs": {node.name: described.shape(node.name) for node in graph.inputs},
        "outputs": {name: described.shape(name) for name in graph.outputs},
        "nodes": nodes,
        "neurons": graph.neuron_count,
        "weights": graph.weight_count,
        "multiply_adds": sum(described.work.values()),
        "activations": described.activations,
        "classes": described.classes,
        "preprocess": described.preprocess and vars(described.preprocess),
    }
    return json.dumps(found, indent=2, default=int)  # default: numpy's integers


def as_text(net: "ConvNet | Graph") -> str:
    """A summary of the whole network, then a table with a line for each node."""
    described = Described(net)
    graph = described.graph
    columns = zip(*[COLUMNS, *(_row(described, node) for node in graph.nodes)], strict=True)
    shown = [column for column in columns if any(column[1:])]
    widths = [max(map(len, column)) for column in shown]
    right = [column[0] in RIGHT for column in shown]
    lines = [
        "  ".join(
            text.rjust(wide) if to_right else text.ljust(wide)
            for text, wide, to_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in zip(*shown, strict=True)
    ]
    ends = [[node.name for node in graph.inputs], graph.outputs]
    shapes = [" and ".join(_shape(described.shape(name)) for name in names) for names in ends]
    work = sum(described.work.values())
    head = [
        f"{described.name}: {shapes[0]} to {shapes[1]}",
        f"{graph.neuron_count:,} neurons, {graph.weight_count:,} weights, {work:,} multiply-adds",
    ]
    if described.preprocess is not None:
        head.append(_photo(described.preprocess))
    if described.activations:
        written = described.activations
        head.append(f"activations: {written}   for a file of its weights alone: {shlex.quote(f'FILE:{written}')}")
    if described.classes:
        more = ", ..." if len(described.classes) > SHOWN else ""
        head.append(f"{len(described.classes):,} classes: {', '.join(described.classes[:SHOWN])}{more}")
    return "\n".join([*head, "", *lines])


def about(node: Any) -> str:
    """A node's kind and its parameters that are not the usual ones: `convolution 7 x 7, stride 2`."""
    from engine.network.graph import nodes

    if isinstance(node, nodes.Elementwise):
        return str(node.activation)
    if isinstance(node, nodes.Reduce):
        along = "rows and columns" if node.axes == (2, 3) else f"axes {', '.join(map(str, node.axes))}"
        return f"{node.function} over {along if len(node.axes) > 1 else f'axis {node.axes[0]}'}"
    if isinstance(node, nodes.Transpose):
        return f"transpose {' '.join(map(str, node.axes))}"
    if not isinstance(node, nodes.Convolution | nodes.Pool):
        return node.kind
    rows, columns = node.window()
    parts = [f"{node.kind} {rows.size} x {columns.size}"]
    for what, values, usual in (
        ("stride", (rows.stride, columns.stride), 1),
        ("pad", (rows.before, columns.before, rows.after, columns.after), 0),
        ("dilation", (rows.dilation, columns.dilation), 1),
    ):
        if set(values) != {usual}:
            parts.append(f"{what} {values[0] if len(set(values)) == 1 else ' '.join(map(str, values))}")
    if isinstance(node, nodes.Convolution) and node.groups > 1:
        parts.append(f"{node.groups} groups")
    if rows.ceil or columns.ceil:
        parts.append("rounded up")
    if isinstance(node, nodes.AveragePool) and node.include_padding:
        parts.append("padding counts")
    return ", ".join(parts)


def activations(graph: "Graph") -> str | None:
    """What stands after the path of a file that holds the weights of a chain of layers alone; None for other graphs."""
    from engine.network.graph.nodes import Dense, Elementwise, Input, Softmax

    found: list[str] = []
    for before, node in itertools.pairwise(graph.nodes):
        if node.inputs != (before.name,) or (isinstance(before, Input) and not isinstance(node, Dense)):
            return None
        if isinstance(node, Dense):
            found.append("identity")
        elif isinstance(node, Elementwise | Softmax) and isinstance(before, Dense):
            found[-1] = "log_" * node.log + "softmax" if isinstance(node, Softmax) else str(node.activation)
        else:
            return None
    hidden = set(found[:-1])
    return found[0] if len(hidden) == 1 and found[-1] == "identity" else ",".join(found) or None


def _row(described: Described, node: Any) -> tuple[str, ...]:
    """The COLUMNS of a node."""
    counts = [f"{count:,}" if count else "" for count in (node.weight_count, described.work[node.name])]
    sees = every = ""
    if described.is_of_image and (seen := described.sees(node)):
        (height, width), (down, across), _ = seen
        sees, every = f"{height} x {width}", str(down) if down == across else f"{down} x {across}"
        every = every if max(down, across) else ""
    return node.name, about(node), _shape(described.shape(node.name)), *counts, sees, every


def _shape(shape: tuple[int, ...]) -> str:
    """`3 x 8 x 8`; axes of length 1 at the end are left out."""
    last = max((i for i, n in enumerate(shape) if n != 1), default=0)
    return " x ".join(map(str, shape if last > 0 else shape[:1])) or "1"


def _photo(how: "Preprocess") -> str:
    fit = "its middle" if how.resize == "crop" else "stretched to"
    mean, std = (" ".join(f"{n:.6g}" for n in values) for values in (how.mean, how.std))
    less = "" if set(how.mean) == {0.0} else f", less {mean}"
    divided = "" if set(how.std) == {1.0} else f", divided by {std}"
    return f"a photo: {fit} {how.size[0]} x {how.size[1]}, {how.order}, white {how.scale:g}{less}{divided}"
