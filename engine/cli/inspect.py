"""The command `neuroscene inspect`: the nodes of a network in a file, with shapes, costs and receptive fields."""

# As in engine.cli.main: only what every command needs is imported here.
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.options import flag, option, pixels
from engine.errors import NeurosceneError

if TYPE_CHECKING:
    from engine.network.convnet import ConvNet
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
A line for each node: its kind, the shape of its output (channels x rows x columns), its weights and multiply-adds, the
receptive field of a neuron (rows x columns of pixels of the photo), and the pixels from one field to the next.
A node that cannot be shown is named."""


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
) -> None:
    """Lists the nodes of a convolutional or fully connected network in a file."""
    net = read(file, size=size and size[::-1])
    print(as_json(net) if json else as_text(net))


def read(text: str | Path, *, size: tuple[int, int] | None = None) -> "ConvNet":
    """The ConvNet in a file; a fully connected network as one of dense nodes.

    text   a path, or `path:activations` where a file holds weights alone
    size   (H, W) of the input where an ONNX file leaves them open

    Raises NeurosceneError saying what cannot be shown of the kind of network that the file looks like.
    """
    from engine.formats.load_convnet import UnknownArchitecture, load_convnet
    from engine.formats.load_mlp import load, split_path

    path, activations = split_path(str(text))
    if activations is not None or Path(path).suffix.lower() not in (".onnx", ".safetensors"):
        return of_mlp(load(text))
    try:
        return load_convnet(path, size=size)
    except NeurosceneError as error:
        first = error
    try:
        return of_mlp(load(path))
    except NeurosceneError as second:
        # A file of weights without convolutions was meant as a chain of dense layers.
        raise second if isinstance(first, UnknownArchitecture) and not first.windows else first from None


def of_mlp(net: "Mlp") -> "ConvNet":
    """A fully connected network as a ConvNet of vectors."""
    from engine.network.convnet import ConvNet
    from engine.network.nodes import Dense, Elementwise, Input, Softmax
    from engine.network.units.mixed import Mixed

    class ByUnits(Elementwise):
        """An activation for each unit."""

        def check(self) -> None:
            """Mlp has checked that they are as many as the units."""

    nodes: list[Any] = [Input("input", (), (net.inputs, 1, 1))]
    for i, layer in enumerate(net.layers, start=1):
        nodes.append(Dense(f"layer {i}", (nodes[-1].name,), layer.weights, layer.bias))
        before = (nodes[-1].name,)
        if layer.activation.is_whole:
            nodes.append(Softmax(f"softmax {i}", before))
        elif isinstance(layer.activation, Mixed):
            nodes.append(ByUnits(f"units {i}", before, layer.activation))  # type: ignore[arg-type]
        elif layer.activation.name != "identity":
            nodes.append(Elementwise(f"{layer.activation.name} {i}", before, layer.activation))
    return ConvNet(nodes, name=net.name)


def as_json(net: "ConvNet") -> str:
    """The JSON of a network. `sees`: size, stride, start of receptive fields, (rows, columns) in input pixels."""
    nodes = [
        {
            "name": node.name,
            "kind": node.kind,
            "about": about(node),
            "inputs": node.inputs,
            "shape": net.shapes[node.name],
            "weights": node.weight_count,
            "multiply_adds": net.work(node),
            "sees": dict(zip(("size", "stride", "start"), net.receptive(node), strict=True)),
        }
        for node in net.nodes
    ]
    found = {
        "name": net.name,
        "input": net.input_shape,
        "output": net.shapes[net.output.name],
        "nodes": nodes,
        "neurons": net.neuron_count,
        "weights": net.weight_count,
        "multiply_adds": sum(net.work(node) for node in net.nodes),
        "classes": net.classes,
        "preprocess": net.preprocess and vars(net.preprocess),
    }
    return json.dumps(found, indent=2, default=int)  # default: numpy's integers


def as_text(net: "ConvNet") -> str:
    """A summary of the whole network, then a table with a line for each node."""
    columns = zip(*[COLUMNS, *(_row(net, node) for node in net.nodes)], strict=True)
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
    work = sum(net.work(node) for node in net.nodes)
    head = [
        f"{net.name}: {_shape(net.input_shape)} to {_shape(net.shapes[net.output.name])}",
        f"{net.neuron_count:,} neurons, {net.weight_count:,} weights, {work:,} multiply-adds",
    ]
    if net.preprocess is not None:
        head.append(_photo(net.preprocess))
    if net.classes:
        more = ", ..." if len(net.classes) > SHOWN else ""
        head.append(f"{len(net.classes):,} classes: {', '.join(net.classes[:SHOWN])}{more}")
    return "\n".join([*head, "", *lines])


def about(node: Any) -> str:
    """A node's kind and its parameters that are not the usual ones: `convolution 7 x 7, stride 2`."""
    from engine.network import nodes

    if isinstance(node, nodes.Elementwise):
        return str(node.activation)
    if not isinstance(node, nodes.Convolution | nodes.MaxPool | nodes.AveragePool):
        return node.kind
    windows = node.windows()
    assert windows is not None
    rows, columns = windows
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


def _row(net: "ConvNet", node: Any) -> tuple[str, ...]:
    """The COLUMNS of a node."""
    (height, width), (down, across), _ = net.receptive(node)
    counts = [f"{count:,}" if count else "" for count in (node.weight_count, net.work(node))]
    sees, every = f"{height} x {width}", str(down) if down == across else f"{down} x {across}"
    if max(net.input_shape[1:]) == 1:
        sees = every = ""  # the node sees the whole input
    return node.name, about(node), _shape(net.shapes[node.name]), *counts, sees, every if max(down, across) else ""


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) if max(shape[1:]) > 1 else str(shape[0])


def _photo(how: "Preprocess") -> str:
    fit = "its middle" if how.resize == "crop" else "stretched to"
    mean, std = (" ".join(f"{n:.6g}" for n in values) for values in (how.mean, how.std))
    less = "" if set(how.mean) == {0.0} else f", less {mean}"
    divided = "" if set(how.std) == {1.0} else f", divided by {std}"
    return f"a photo: {fit} {how.size[0]} x {how.size[1]}, {how.order}, white {how.scale:g}{less}{divided}"
