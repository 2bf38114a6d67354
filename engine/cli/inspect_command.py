"""The command `neuroscene inspect`."""

# As in engine.cli.main: only what every command needs is imported here.
from typing import Annotated

import typer

from engine.cli.options import SIZE_TEXT
from engine.errors import SettingError

File = Annotated[
    str,
    typer.Argument(
        metavar="FILE", help="A network; weights alone as FILE:activations, as in net.npz:tanh.", show_default=False
    ),
]
Json = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]
Input = Annotated[
    str | None,
    typer.Option(
        "--size",
        metavar="WxH",
        help="The photo's size in pixels, where the file leaves it open.",
        show_default=False,
    ),
]

HELP = """
\b
  neuroscene inspect model.onnx
  neuroscene inspect squeezenet1_0.safetensors
  neuroscene inspect model.onnx --json | jq '.nodes[].shape'
\b
A line a node: what it is, what it gives (channels x rows x columns), its weights and multiply-adds, how many pixels
of the photo (rows x columns) one of its neurons sees, and how many pixels lie between neighbours' fields.
What cannot be shown is named with its node."""


def register(app):
    """Adds the command."""
    app.command(epilog=HELP.strip())(inspect)


def inspect(file: File, json: Json = False, size: Input = None):
    """Lists the nodes of a convolutional or fully connected network in a file."""
    asked = _read_size(size)
    from engine.cli import inspect as inspecting

    net = inspecting.read(file, size=asked)
    print(inspecting.as_json(net) if json else inspecting.as_text(net))


def _read_size(text):
    """(H, W) of `224x224`, width first."""
    if text is None:
        return None
    match = SIZE_TEXT.match(text)
    width, height = (int(match[1]), int(match[2])) if match and len(text) < 20 else (0, 0)
    if min(width, height) < 1:
        raise SettingError(f"--size {text}: it takes width x height in pixels, as in --size 224x224.")
    return height, width
