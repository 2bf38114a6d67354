"""The command `neuroscene inspect`: the nodes of a network in a file, what each gives and costs, and what it sees."""

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

    Raises NeurosceneError saying what cannot be shown: the reason that concerns the more fitting kind of network.
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
        # Without windows among its weights a file was meant as a chain of dense layers.
        raise second if isinstance(first, UnknownArchitecture) and not first.windows else first from None


def of_mlp(net: "Mlp") -> "ConvNet":
    """A fully connected network as a ConvNet of vectors."""
    from engine.network.convnet import ConvNet
    from engine.network.nodes import Dense, Elementwise, Input, Softmax

    nodes: list[Any] = [Input("input", (), (net.inputs, 1, 1))]
    for i, layer in enumerate(net.layers, start=1):
        nodes.append(Dense(f"layer {i}", (nodes[-1].name,), layer.weights, layer.bias))
        before = (nodes[-1].name,)
        if not layer.activation.rule.elementwise:
            nodes.append(Softmax(f"softmax {i}", before))
        elif layer.activation.name != "identity":
            nodes.append(Elementwise(f"{layer.activation.name} {i}", before, layer.activation))
    return ConvNet(nodes, name=net.name)


def as_json(net: "ConvNet") -> str:
    """All of it for programs. sees: size, stride and start of receptive fields, (rows, columns) in input pixels."""
    rows = []
    for node in net.nodes:
        size, stride, start = net.receptive(node)
        rows.append(
            {
                "name": node.name,
                "kind": node.kind,
                "about": about(node),
                "inputs": list(node.inputs),
                "shape": list(net.shapes[node.name]),
                "weights": int(node.weight_count),
                "multiply_adds": int(net.work(node)),
                "sees": {"size": list(size), "stride": list(stride), "start": list(start)},
            }
        )
    how = net.preprocess
    return json.dumps(
        {
            "name": net.name,
            "input": list(net.input_shape),
            "output": list(net.shapes[net.output.name]),
            "nodes": rows,
            "neurons": net.neuron_count,
            "weights": int(net.weight_count),
            "multiply_adds": int(sum(net.work(node) for node in net.nodes)),
            "classes": list(net.classes),
            "preprocess": how and {**vars(how), "size": list(how.size), "mean": list(how.mean), "std": list(how.std)},
        },
        indent=2,
    )


def as_text(net: "ConvNet") -> str:
    """A table, a node a line, under what holds of the whole."""
    rows = [_row(net, node) for node in net.nodes]
    shown = [column for column in COLUMNS if any(row[column] for row in rows)]
    rows = [dict(zip(COLUMNS, COLUMNS, strict=True)), *rows]
    wide = {column: max(len(row[column]) for row in rows) for column in shown}
    lines = [
        "  ".join(
            row[column].rjust(wide[column]) if column in RIGHT else row[column].ljust(wide[column]) for column in shown
        ).rstrip()
        for row in rows
    ]
    work = sum(net.work(node) for node in net.nodes)
    totals = f"{net.neuron_count:,} neurons, {net.weight_count:,} weights, {work:,} multiply-adds"
    head = [f"{net.name}: {_shape(net.input_shape)} to {_shape(net.shapes[net.output.name])}", totals]
    return "\n".join([*head, *_photo(net), *_classes(net), "", *lines])


def about(node: Any) -> str:
    """A node's kind with what sets it apart: `convolution 7 x 7, stride 2`."""
    from engine.network.nodes import AveragePool, Convolution, Elementwise, MaxPool

    if isinstance(node, Elementwise):
        return str(node.activation)
    if not isinstance(node, Convolution | MaxPool | AveragePool):
        return node.kind
    windows = node.windows()
    assert windows is not None
    rows, columns = windows
    said = [f"{node.kind} {rows.size} x {columns.size}"]
    for what, values, usual in (
        ("stride", (rows.stride, columns.stride), 1),
        ("pad", (rows.before, columns.before, rows.after, columns.after), 0),
        ("dilation", (rows.dilation, columns.dilation), 1),
    ):
        if set(values) != {usual}:
            said.append(f"{what} {values[0] if len(set(values)) == 1 else ' '.join(map(str, values))}")
    if isinstance(node, Convolution) and node.groups > 1:
        said.append(f"{node.groups} groups")
    if any(window.ceil for window in windows):
        said.append("rounded up")
    if isinstance(node, AveragePool) and node.include_padding:
        said.append("padding counts")
    return ", ".join(said)


def _row(net, node):
    size, stride, _ = net.receptive(node)
    work = net.work(node)
    return {
        "name": node.name,
        "kind": about(node),
        "gives": _shape(net.shapes[node.name]),
        "weights": f"{node.weight_count:,}" if node.weight_count else "",
        "multiply-adds": f"{work:,}" if work else "",
        # A vector's fields say nothing but that all of it is seen.
        "sees": f"{size[0]} x {size[1]}" if max(net.input_shape[1:]) > 1 else "",
        "every": _step(stride) if max(net.input_shape[1:]) > 1 else "",
    }


def _step(stride):
    return "" if max(stride) == 0 else str(stride[0]) if stride[0] == stride[1] else f"{stride[0]} x {stride[1]}"


def _shape(shape):
    return " x ".join(map(str, shape)) if max(shape[1:]) > 1 else str(shape[0])


def _classes(net):
    if not net.classes:
        return []
    named = ", ".join(net.classes[:SHOWN])
    return [f"{len(net.classes):,} classes: {named}{', ...' if len(net.classes) > SHOWN else ''}"]


def _photo(net):
    how = net.preprocess
    if how is None:
        return []
    fit = "its middle" if how.resize == "crop" else "stretched to"
    mean, std = (" ".join(f"{n:.6g}" for n in values) for values in (how.mean, how.std))
    divided = "" if set(how.std) == {1.0} else f", divided by {std}"
    taken = "" if set(how.mean) == {0.0} else f", less {mean}"
    size = f"{how.size[0]} x {how.size[1]}"
    return [f"a photo: {fit} {size}, {how.order}, white {how.scale:g}{taken}{divided}"]
